"""Password access, seen from inside: whether the VM takes passwords, and what people can use instead.

Two things are told apart. How a VM was *provisioned* Azure knows and never changes: it says for ever that a
VM was set up with a password, also when nobody can use one any more. What is *effective* only the guest
knows, and what guest configuration found there counts for more, whichever way it points.
"""

from functools import partial

from readiness.model.assessment import Source
from readiness.model.context import LoginMethod
from readiness.model.estate import Estate
from readiness.model.verdict import Dimension, Evidence, Verdict, met, not_applicable, unknown, unmet
from readiness.model.virtual_machine import Extension, OsFamily, VirtualMachine
from readiness.rules import sightings
from readiness.rules.entra_systems import LINUX_LOGIN, entra_login_on, guest_configuration_skips
from readiness.rules.not_read import extensions_not_listed, os_not_reported
from readiness.rules.rule import Role, rule

_LEARN = "https://learn.microsoft.com"
_KEYS = Source(
    "Detailed steps: Create and manage SSH keys for authentication to a Linux VM in Azure",
    f"{_LEARN}/azure/virtual-machines/linux/create-ssh-keys-detailed",
    "2026-11",
)
_ENTRA = Source(
    "Sign in to a Linux virtual machine in Azure by using Microsoft Entra ID and OpenSSH",
    f"{_LEARN}/entra/identity/devices/howto-vm-sign-in-azure-ad-linux",
    "2026-11",
)
_EXTENSIONS = Source(
    "Virtual machine extensions and features for Linux",
    f"{_LEARN}/azure/virtual-machines/extensions/features-linux",
    "2026-11",
)
_GUEST = Source(
    "Azure Automanage machine configuration extension",
    f"{_LEARN}/azure/virtual-machines/extensions/guest-configuration",
    "2026-11",
)

_password_rule = partial(rule, dimension=Dimension.PASSWORD_ACCESS, level=1)


@_password_rule(
    id="PW002",
    title="Was set up without a password",
    role=Role.GOAL,
    remedy="Give the users keys or Entra login, switch passwords off in sshd and prove it in the guest, "
    "or rebuild the VM with keys only. Azure never lets this setting be changed.",
    source=_KEYS,
)
def keys_only(vm: VirtualMachine, estate: Estate) -> Verdict:
    """A Linux VM that was set up with a password accepts it until somebody changes that inside the guest.

    What guest configuration found inside the VM counts for more than how it was set up: passwords are
    switched off, and on again, where Azure does not see it. Windows VMs always have one and are judged by
    whether they can be reached.
    """
    match vm.os_family:
        case OsFamily.WINDOWS:
            detail = (
                "A Windows VM always has a password, and takes it inside its network: what counts is that "
                "the internet reaches no management port of it (PW001)."
            )
            return not_applicable("Windows", detail, _os_family(vm))
        case None:
            return os_not_reported(vm)
        case OsFamily.LINUX:
            return _guest_evidence(vm, estate) or _password_setting(vm)


@_password_rule(
    id="PW003",
    title="Has Entra login with a system-assigned identity",
    role=Role.WORK,
    remedy="Assign a system identity, then install the Entra login extension and give users a login role.",
    source=_ENTRA,
)
def entra_login(vm: VirtualMachine, estate: Estate) -> Verdict:
    """Entra login replaces passwords by accounts that are governed elsewhere, with a second factor.

    A Windows VM that is in a domain cannot have it: it would have to join Entra instead. Microsoft's pages
    disagree on the oldest Windows that can, so the lack of it is held against no Windows VM.
    """
    match vm.os_family:
        case OsFamily.WINDOWS:
            return _windows_login(vm)
        case None:
            return os_not_reported(vm)
        case OsFamily.LINUX:
            return _linux_login(vm, estate)


@_password_rule(
    id="PW005",
    title="Lets extensions be installed",
    role=Role.BLOCKER,
    remedy="Let the owner allow extension operations and install the Azure agent, or do the work by hand.",
    source=_EXTENSIONS,
)
def extensions_allowed(vm: VirtualMachine, _estate: Estate) -> Verdict:
    """Without an agent that may install extensions nothing inside a VM can be changed from outside."""
    if vm.os_family is OsFamily.WINDOWS:
        return not_applicable("Windows", "Nothing has to be installed on a Windows VM to close its ports.")
    profile = vm.os_profile
    if profile is not None and not profile.extension_operations_allowed:
        at = Evidence(vm.id, "properties.osProfile.allowExtensionOperations", value=False)
        return unmet("ExtensionsForbidden", "Extension operations are switched off.", at)
    if profile is not None and profile.agent_provisioned is False:
        at = Evidence(vm.id, "properties.osProfile.linuxConfiguration.provisionVMAgent", value=False)
        return unmet("NoAgent", "The VM was set up without the Azure agent.", at)
    if profile is None and vm.agent_ready is not True:
        detail = "A VM from a specialised disk whose agent does not report ready may have none."
        return unknown("AgentNotReported", detail, sightings.agent_of(vm))
    return met("ExtensionsAllowed")


@_password_rule(
    id="PW006",
    title="Runs a system that Entra login is documented for",
    role=Role.WORK,
    remedy="Give the users keys instead, or move the workload to a system that Entra login supports.",
    source=_ENTRA,
)
def entra_system(vm: VirtualMachine, estate: Estate) -> Verdict:
    """The Entra login extension refuses systems it does not know; keys work on all of them.

    A system that the list does not mention is work for somebody as well, so nothing hangs on guessing it.
    """
    if vm.os_family is not OsFamily.LINUX:
        return not_applicable("NotLinux", "The list is one of Linux systems.")
    login = estate.choice_for(vm).login
    if login is not None and login.method is LoginMethod.KEY:
        return not_applicable("KeysChosen", "Keys were chosen for it, and work on every system.")
    if any(_is_entra_login(entry) and entry.has_succeeded for entry in vm.extensions):
        return not_applicable("EntraLoginWorks", "Entra login is installed and works.")
    system, is_listed = entra_login_on(vm)
    at = sightings.image_of(vm) if vm.image else (Evidence(vm.id, _OS_NAME, vm.os_name),)
    match is_listed:
        case True:
            return met("EntraLoginSupported", f"Entra login is documented for {system}.", *at)
        case False:
            return unmet("EntraLoginUnsupported", f"Entra login is not documented for {system}.", *at)
        case None:
            detail = (
                f"The list of {LINUX_LOGIN.verified_on} does not mention '{system or 'no image reported'}'."
            )
            return unmet("SystemNotListed", detail, *at)


@_password_rule(
    id="PW007",
    title="Lets it be seen that passwords are off",
    role=Role.WORK,
    remedy="Assign the built-in audit policy for SSH keys with its prerequisites, or look with 'sshd -T'.",
    source=_GUEST,
)
def can_be_proved(vm: VirtualMachine, estate: Estate) -> Verdict:
    """Azure says for ever that a VM was set up with a password; only the guest can show that it is gone.

    Guest configuration leaves out images of systems that have grown too old; not looked at is not proved.
    """
    profile = vm.os_profile
    if vm.os_family is not OsFamily.LINUX or (profile is not None and profile.password_disabled is True):
        return not_applicable("NoPasswordToDisprove", "It was not set up with a password that has to go.")
    check = estate.posture.guest_assignment(vm.id, SSH_KEYS_CHECK)
    if check is not None:
        at = Evidence(check.id, "properties.complianceStatus", check.status)
        if check.status.lower() in ("compliant", "noncompliant"):
            return met("GuestWasSeen", f"Guest configuration says {check.status}.", at)
        return unmet("GuestEvidencePending", f"Guest configuration says {check.status}.", at)
    if guest_configuration_skips(vm):
        return unmet("GuestConfigurationSkips", "The policy leaves this image out, so nobody looks.")
    gap = estate.unread(_ASSIGNMENTS, vm.id.subscription)
    if gap is not None:
        detail = f"Guest configuration could not be listed: {gap.reason}."
        return unknown("GuestEvidenceNotRead", detail, sightings.list_missing(gap))
    return unmet("GuestEvidenceMissing", f"Nothing looks into the guest{_lacking(vm)}.")


RULES = (keys_only, entra_login, extensions_allowed, entra_system, can_be_proved)


def _os_family(vm: VirtualMachine) -> Evidence:
    return Evidence(vm.id, "properties.storageProfile.osDisk.osType", vm.os_family and vm.os_family.value)


def _guest_evidence(vm: VirtualMachine, estate: Estate) -> Verdict | None:
    """Return what was found in the guest; None where nobody looked, so that provisioning has to do."""
    empty = estate.posture.guest_assignment(vm.id, _EMPTY_PASSWORDS_CHECK)
    if empty is not None and empty.status.lower() == "noncompliant":
        at = Evidence(empty.id, "properties.complianceStatus", empty.status)
        return unmet("EmptyPasswordsAccepted", "The guest lets accounts without a password log in.", at)
    keys = estate.posture.guest_assignment(vm.id, SSH_KEYS_CHECK)
    at_keys = Evidence(keys.id, "properties.complianceStatus", keys.status) if keys else None
    if at_keys is not None and keys is not None:
        if keys.status.lower() == "compliant":
            return met("GuestTakesKeysOnly", "Guest configuration found SSH without passwords.", at_keys)
        if keys.status.lower() == "noncompliant":
            return unmet("GuestTakesPasswords", "Guest configuration found SSH with passwords.", at_keys)
    gap = None if keys else estate.unread(_ASSIGNMENTS, vm.id.subscription)
    if gap is not None:
        detail = (
            f"Guest configuration could not be listed ({gap.reason}); it may contradict the VM's own setting."
        )
        return unknown("GuestEvidenceNotRead", detail, sightings.list_missing(gap))
    return None


def _password_setting(vm: VirtualMachine) -> Verdict:
    path = "properties.osProfile.linuxConfiguration.disablePasswordAuthentication"
    if vm.os_profile is None:
        detail = "A VM from a specialised disk says nothing about passwords; ask the guest (sshd -T)."
        return unknown("NoOsProfile", detail, Evidence(vm.id, "properties.osProfile", None))
    evidence = Evidence(vm.id, path, vm.os_profile.password_disabled)
    match vm.os_profile.password_disabled:
        case True:
            return met("KeysOnly", "So it was set up; nobody looked into the guest.", evidence)
        case False:
            return unmet("PasswordProvisioned", "The VM was set up with a password.", evidence)
        case None:
            detail = "Azure did not report how users log in; read the VM itself, or ask the guest (sshd -T)."
            return unknown("PasswordSettingNotReported", detail, evidence)


def _linux_login(vm: VirtualMachine, estate: Estate) -> Verdict:
    found = next((entry for entry in vm.extensions if _is_entra_login(entry)), None)
    if found is not None and found.has_succeeded:
        return _working_login(vm, found)
    outdated = next((entry for entry in vm.extensions if entry.type.lower() == "aadloginforlinux"), None)
    if outdated is not None:
        at = sightings.extension_of(vm, outdated)
        return unmet("EntraLoginOutdated", "The old login extension keeps the new one from working.", at)
    if found is not None:
        return _working_login(vm, found)
    missing = unmet("EntraLoginMissing", "The Entra login extension is not installed.")
    return extensions_not_listed(vm, estate) or missing


def _windows_login(vm: VirtualMachine) -> Verdict:
    found = next((entry for entry in vm.extensions if entry.type.lower() == "aadloginforwindows"), None)
    domain = next((entry for entry in vm.extensions if entry.type.lower() == "jsonaddomainextension"), None)
    if domain is not None:
        at = sightings.extension_of(vm, domain)
        if found is not None:
            return unmet("EntraLoginInDomain", "A VM in a domain cannot join Entra as well.", at)
        return not_applicable(
            "DomainJoined", "It is in a domain; closed ports and Bastion take its place.", at
        )
    if found is not None:
        return _working_login(vm, found)
    detail = "Whether a Windows VM may join Entra depends on its domain; its ports are what counts here."
    return not_applicable("Windows", detail)


def _working_login(vm: VirtualMachine, found: Extension) -> Verdict:
    state = sightings.extension_state_of(vm, found)
    identity = sightings.identity_of(vm)
    if not found.has_succeeded:
        return unmet("EntraLoginFailed", "The Entra login extension is installed but does not work.", state)
    if not vm.identity.system_assigned:
        return unmet(
            "EntraLoginWithoutIdentity", "Entra login does not work without a system identity.", identity
        )
    return met("EntraLogin", "", state, identity)


def _is_entra_login(extension: Extension) -> bool:
    return extension.type.lower() == "aadsshloginforlinux"


def _lacking(vm: VirtualMachine) -> str:
    lacking = [] if vm.identity.is_present else ["a managed identity"]
    if not any(entry.publisher.lower() == "microsoft.guestconfiguration" for entry in vm.extensions):
        lacking.append("the guest configuration extension")
    return f"; it lacks {' and '.join(lacking)}" if lacking else ""


SSH_KEYS_CHECK = "LinuxNoPasswordForSSH"
_OS_NAME = "properties.instanceView.osName"
_EMPTY_PASSWORDS_CHECK = "PasswordPolicy_msid110"
_ASSIGNMENTS = "microsoft.guestconfiguration/guestconfigurationassignments"
