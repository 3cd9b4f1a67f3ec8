"""Controls of who gets at a VM, and how."""

from msgspec.structs import replace

from readiness.model.assessment import Source, Whose
from readiness.model.levels import Level
from readiness.model.verdict import Dimension, Evidence, Status, Verdict, met, not_applicable, unknown, unmet
from readiness.model.virtual_machine import OsFamily
from readiness.rules import sightings
from readiness.rules.controls.absence import missing
from readiness.rules.controls.control import EvidenceClass, VmControl, VmFacts
from readiness.rules.exposure_paths import MANAGEMENT_PORTS
from readiness.rules.not_read import extensions_not_listed, os_not_reported

_LEARN = "https://learn.microsoft.com"
_JIT = Source(
    "Understanding just-in-time (JIT) VM access",
    f"{_LEARN}/azure/defender-for-cloud/just-in-time-access-overview",
    "2026-04",
)
_GROUPS = Source(
    "How network security groups filter network traffic",
    f"{_LEARN}/azure/virtual-network/network-security-group-how-it-works",
    "2026-04",
)
_KEYS = Source(
    "Detailed steps: Create and manage SSH keys for authentication to a Linux VM in Azure",
    f"{_LEARN}/azure/virtual-machines/linux/create-ssh-keys-detailed",
    "2026-04",
)
_ENTRA = Source(
    "Sign in to a Linux virtual machine in Azure by using Microsoft Entra ID and OpenSSH",
    f"{_LEARN}/entra/identity/devices/howto-vm-sign-in-azure-ad-linux",
    "2026-04",
)
_BASTION = Source("What is Azure Bastion?", f"{_LEARN}/azure/bastion/bastion-overview", "2026-04")
_IDENTITY = Source(
    "What are managed identities for Azure resources?",
    f"{_LEARN}/entra/identity/managed-identities-azure-resources/overview",
    "2026-04",
)
_GUEST = Source(
    "Understand Azure machine configuration",
    f"{_LEARN}/azure/governance/machine-configuration/overview",
    "2026-04",
)


def just_in_time(facts: VmFacts) -> Verdict:
    """A management port opens for one person, one address and a few hours, and is closed otherwise.

    Where the internet reaches no management port there is nothing to open, and the control does not apply.
    """
    ports = facts.rule("PW001")
    policies = facts.estate.access.just_in_time_for(facts.vm.id)
    if ports.status is Status.UNKNOWN:
        return unknown(ports.reason, ports.detail, *ports.evidence)
    if ports.status is Status.MET and not policies and ports.reason not in _STILL_NAMED:
        return not_applicable("NothingToOpen", "The internet reaches no management port.")
    if not policies:
        answer = missing(facts, _JIT_POLICIES, "NotJustInTime", "No just-in-time policy names this VM.")
        return replace(answer, evidence=ports.evidence)
    if ports.status is Status.UNMET:
        detail = "A just-in-time policy names this VM, and an older rule leaves the port open."
        return unmet("JustInTimeBypassed", detail, *ports.evidence)
    named = [
        Evidence(entry.policy, "properties.virtualMachines[].id", facts.vm.id.text) for entry in policies
    ]
    if not any(port in MANAGEMENT_PORTS for entry in policies for port in entry.ports):
        return unmet("JustInTimeElsewhere", "Just-in-time access is for other ports only.", *named)
    return met("JustInTime", "", *named)


def ports_closed(facts: VmFacts) -> Verdict:
    """Whoever can reach SSH, RDP or WinRM can try passwords, all day long."""
    return facts.rule("PW001")


def no_exposed_password(facts: VmFacts) -> Verdict:
    """A VM whose management port the internet reaches must not take a password there."""
    ports = facts.rule("PW001")
    if ports.status in (Status.MET, Status.NOT_APPLICABLE):
        return met("NotReachable")
    password = facts.rule("PW002")
    if password.status is Status.MET:
        return met("KeysOnly", "", *password.evidence)
    if Status.UNKNOWN in (ports.status, password.status):
        unsure = ports if ports.status is Status.UNKNOWN else password
        return unknown(unsure.reason, unsure.detail, *unsure.evidence)
    return unmet("PasswordExposed", "The internet reaches a port that takes a password.", *ports.evidence)


def entra_login(facts: VmFacts) -> Verdict:
    """People sign in with accounts that are governed elsewhere; a domain-joined VM needs an exception."""
    kind = _LOGINS.get(facts.vm.os_family)
    if kind is None:
        return os_not_reported(facts.vm)
    found = facts.extension(kind)
    if found is None:
        absent = unmet("EntraLoginMissing", "The Entra login extension is not installed.")
        return extensions_not_listed(facts.vm, facts.estate) or absent
    at = sightings.extension_state_of(facts.vm, found)
    if not found.has_succeeded:
        return unmet("EntraLoginFailed", "The Entra login extension is installed but does not work.", at)
    if not facts.vm.identity.system_assigned:
        detail = "Entra login does not work without a system identity."
        return unmet("EntraLoginWithoutIdentity", detail, sightings.identity_of(facts.vm))
    return met("EntraLogin", "", at)


def bastion(facts: VmFacts) -> Verdict:
    """Azure Bastion reaches the VM, so that nobody needs a public address to administer it."""
    access = facts.estate.access
    networks = {entry.subnet.parent for entry, _ in facts.places if entry.subnet}
    if not networks:
        return unknown("NetworkNotRead", "The VM's virtual network was not read.")
    for host in access.bastions:
        if host.network in networks:
            return met("BastionBeside", "", Evidence(host.id, "id", host.id.text))
        peers = {peer for network in networks for peer in access.peers_of(network)}
        if host.reaches_peers and host.network in peers:
            return met("BastionInPeer", "", Evidence(host.id, "id", host.id.text))
    if facts.was_listed("Microsoft.Network/bastionHosts"):
        return unmet("NoBastion", "No Azure Bastion reaches the VM's network.")
    return unknown("BastionNotRead", "No Azure Bastion was seen; collect the bastion hosts.")


def identity_for_secrets(facts: VmFacts) -> Verdict:
    """The VM has an identity, and no extension on it lives on a stored credential."""
    identity = facts.rule("MI001")
    return identity if identity.status is not Status.MET else facts.rule("MI003")


def no_local_accounts(facts: VmFacts) -> Verdict:
    """The guest itself reports that local sign-in is disabled but for listed accounts."""
    wanted = _LOCAL.get(facts.vm.os_family, ())
    for entry in facts.estate.posture.guest_assignments(facts.vm.id):
        if entry.configuration in wanted:
            at = Evidence(entry.id, "properties.complianceStatus", entry.status)
            match entry.status.lower():
                case "compliant":
                    return met("LocalAccountsDisabled", "", at)
                case "noncompliant":
                    return unmet("LocalAccountsEnabled", "Local accounts can sign in.", at)
                case _:
                    continue
    detail = "No guest configuration answers for local accounts; assign the policy, or attest it."
    return unknown("GuestNotAsked", detail)


_JIT_POLICIES = "Microsoft.Security/locations/jitNetworkAccessPolicies"
_STILL_NAMED = ("OnlyNamedAddresses",)
_LOGINS: dict[OsFamily | None, str] = {
    OsFamily.LINUX: "aadsshloginforlinux",
    OsFamily.WINDOWS: "aadloginforwindows",
}
_LOCAL: dict[OsFamily | None, tuple[str, ...]] = {
    OsFamily.LINUX: ("aaddisablelocalauth_linux", "setaaddisablelocalauth_linux"),
    OsFamily.WINDOWS: ("aaddisablelocalauth", "setaaddisablelocalauth"),
}

CONTROLS = (
    VmControl(
        id="AC-1",
        title="Management ports open just in time",
        level=Level.BASIC,
        evidence=EvidenceClass.REST,
        remedy="Put the VM under just-in-time access and remove the rules that leave its ports open.",
        source=_JIT,
        whose=Whose.OURS,
        dimension=Dimension.PASSWORD_ACCESS,
        rests_on=("PW001",),
        seed_claim="Just-in-time access is said to be on by default and to suit every VM. It is an opt-in of "
        "Defender for Servers Plan 2 for each VM, so a VM without an open way in is not asked.",
        check=just_in_time,
    ),
    VmControl(
        id="AC-2",
        title="Management ports are closed to the internet",
        level=Level.BASIC,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Close the port to the internet and let people in through Bastion or a VPN.",
        source=_GROUPS,
        whose=Whose.OURS,
        dimension=Dimension.PASSWORD_ACCESS,
        rests_on=("PW001",),
        seed_claim="A new VM is said to be closed. That is true of a network security group's default rules, "
        "and not of a VM without a group behind a Basic address.",
        check=ports_closed,
    ),
    VmControl(
        id="AC-3",
        title="Nobody signs in from the internet with a password",
        level=Level.BASIC,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Close the port, or switch passwords off in the guest and prove it.",
        source=_KEYS,
        whose=Whose.OURS,
        dimension=Dimension.PASSWORD_ACCESS,
        rests_on=("PW001", "PW002"),
        seed_claim="Azure is said to end password sign-in over the internet. No notice or date was found.",
        check=no_exposed_password,
    ),
    VmControl(
        id="AC-4",
        title="People sign in with Entra accounts",
        level=Level.ADVANCED,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Assign a system identity and install the Entra login extension, or except a domain member.",
        source=_ENTRA,
        whose=Whose.OURS,
        dimension=Dimension.PASSWORD_ACCESS,
        rests_on=("PW003",),
        check=entra_login,
    ),
    VmControl(
        id="AC-5",
        title="Azure Bastion reaches the VM",
        level=Level.ADVANCED,
        is_mandatory=False,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Set up Azure Bastion in the VM's network or in one that is peered with it.",
        source=_BASTION,
        whose=Whose.OTHER_TEAM,
        check=bastion,
    ),
    VmControl(
        id="AC-6",
        title="A managed identity replaces stored secrets",
        level=Level.ADVANCED,
        evidence=EvidenceClass.RESOURCE_GRAPH,
        remedy="Assign a managed identity and replace extensions that carry a key.",
        source=_IDENTITY,
        whose=Whose.OURS,
        dimension=Dimension.MANAGED_IDENTITY,
        rests_on=("MI001", "MI003"),
        check=identity_for_secrets,
    ),
    VmControl(
        id="AC-9",
        title="Local accounts cannot sign in",
        level=Level.FULL,
        evidence=EvidenceClass.GUEST,
        remedy="Assign the guest configuration that disables local sign-in, and list who stays allowed.",
        source=_GUEST,
        whose=Whose.OTHER_TEAM,
        dimension=Dimension.PASSWORD_ACCESS,
        check=no_local_accounts,
    ),
)
