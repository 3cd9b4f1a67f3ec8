"""Password access: nobody logs in with a password from the internet."""

from functools import partial

from readiness.model.assessment import Source
from readiness.model.estate import Estate
from readiness.model.verdict import Dimension, Evidence, Verdict, met, not_applicable, unknown, unmet
from readiness.model.virtual_machine import OsFamily, VirtualMachine
from readiness.rules.exposure import Opening, exposure_of
from readiness.rules.rule import Role, rule

_LEARN = "https://learn.microsoft.com"
_GROUPS = Source(
    "How network security groups filter network traffic",
    f"{_LEARN}/azure/virtual-network/network-security-group-how-it-works",
    "2026-11",
)
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
_BASTION = Source("What is Azure Bastion?", f"{_LEARN}/azure/bastion/bastion-overview", "2026-11")
_EXTENSIONS = Source(
    "Virtual machine extensions and features for Linux",
    f"{_LEARN}/azure/virtual-machines/extensions/features-linux",
    "2026-11",
)

_access_rule = partial(rule, dimension=Dimension.PASSWORD_ACCESS, level=1)


@_access_rule(
    id="PW001",
    title="Shows no management port to the internet",
    role=Role.GOAL,
    remedy="Close the port to the internet and let people in through Bastion, just-in-time access or a VPN.",
    source=_GROUPS,
)
def ports_closed(vm: VirtualMachine, estate: Estate) -> Verdict:
    """Whoever can reach SSH, RDP or WinRM can try passwords, all day long."""
    exposure = exposure_of(vm, estate)
    if exposure.open:
        detail = f"Reachable from the internet: {_ports(exposure.open)}."
        return unmet("ManagementPortOpen", detail, *_evidence(exposure.open))
    if exposure.missing:
        names = ", ".join(entry.name for entry in exposure.missing)
        return unknown("NetworkNotRead", f"Without these nobody can tell whether a port is open: {names}.")
    if exposure.named:
        detail = f"Only named public addresses reach {_ports(exposure.named)}."
        return met("OnlyNamedAddresses", detail, *_evidence(exposure.named))
    return met("ManagementPortsClosed")


@_access_rule(
    id="PW002",
    title="Was set up without a password",
    role=Role.GOAL,
    remedy="Give the users keys or Entra login, switch passwords off in sshd and prove it in the guest, "
    "or rebuild the VM with keys only. Azure never lets this setting be changed.",
    source=_KEYS,
)
def keys_only(vm: VirtualMachine, _estate: Estate) -> Verdict:
    """A Linux VM that was set up with a password accepts it until somebody changes that inside the guest.

    Windows VMs always have one and are judged by whether they can be reached.
    """
    match vm.os_family:
        case OsFamily.WINDOWS:
            return not_applicable("Windows", "Windows VMs are judged by whether they can be reached.")
        case None:
            return unknown("OsNotReported", "The operating system was not reported; read 'osDisk.osType'.")
        case OsFamily.LINUX:
            return _password_setting(vm)


def _password_setting(vm: VirtualMachine) -> Verdict:
    path = "properties.osProfile.linuxConfiguration.disablePasswordAuthentication"
    if vm.os_profile is None:
        detail = "A VM from a specialised disk says nothing about passwords; ask the guest (sshd -T)."
        return unknown("NoOsProfile", detail, Evidence(vm.id, "properties.osProfile", None))
    evidence = Evidence(vm.id, path, vm.os_profile.password_disabled)
    match vm.os_profile.password_disabled:
        case True:
            return met("KeysOnly", "", evidence)
        case False:
            return unmet("PasswordProvisioned", "The VM was set up with a password.", evidence)
        case None:
            detail = "Azure did not report how users log in; read the VM itself, or ask the guest (sshd -T)."
            return unknown("PasswordSettingNotReported", detail, evidence)


@_access_rule(
    id="PW003",
    title="Has Entra login with a system-assigned identity",
    role=Role.WORK,
    remedy="Assign a system identity, then install the Entra login extension and give users a login role.",
    source=_ENTRA,
)
def entra_login(vm: VirtualMachine, _estate: Estate) -> Verdict:
    """Entra login replaces passwords by accounts that are governed elsewhere, with a second factor."""
    match vm.os_family:
        case OsFamily.WINDOWS:
            detail = (
                "Whether a Windows VM may join Entra depends on its domain; its ports are what counts here."
            )
            return not_applicable("Windows", detail)
        case None:
            return unknown("OsNotReported", "The operating system was not reported; read 'osDisk.osType'.")
        case OsFamily.LINUX:
            return _linux_login(vm)


def _linux_login(vm: VirtualMachine) -> Verdict:
    found = next((entry for entry in vm.extensions if entry.type.lower() == "aadsshloginforlinux"), None)
    if found is None:
        nameless = [entry.name for entry in vm.extensions if not entry.type]
        if nameless:
            return unknown(
                "ExtensionNotRead", f"Nobody can tell what these extensions are: {', '.join(nameless)}."
            )
        return unmet("EntraLoginMissing", "The Entra login extension is not installed.")
    state = Evidence(vm.id, f"extensions[{found.name}].provisioningState", found.provisioning_state)
    identity = Evidence(vm.id, "identity.type", "SystemAssigned" if vm.identity.system_assigned else None)
    if not found.has_succeeded:
        return unmet("EntraLoginFailed", "The Entra login extension is installed but does not work.", state)
    if not vm.identity.system_assigned:
        return unmet(
            "EntraLoginWithoutIdentity", "Entra login does not work without a system identity.", identity
        )
    return met("EntraLogin", "", state, identity)


@_access_rule(
    id="PW004",
    title="Leaves nobody outside when its ports are closed",
    role=Role.WORK,
    remedy="Agree with the VM's users on another way in, such as Bastion or a VPN, before closing the port.",
    source=_BASTION,
)
def other_way_in(vm: VirtualMachine, estate: Estate) -> Verdict:
    """A port that is open is probably in use; closing it first and asking later locks people out."""
    exposure = exposure_of(vm, estate)
    if exposure.open:
        detail = f"People may come in from the internet today: {_ports(exposure.open)}."
        return unmet("OtherWayNotAgreed", detail, *_evidence(exposure.open))
    if exposure.missing:
        return unknown("NetworkNotRead", "Nobody can tell whether people come in from the internet.")
    return not_applicable("NothingToClose", "No management port is open to the internet.")


@_access_rule(
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
        return unknown(
            "AgentNotReported", detail, Evidence(vm.id, "properties.instanceView.vmAgent", vm.agent_ready)
        )
    return met("ExtensionsAllowed")


RULES = (ports_closed, keys_only, entra_login, other_way_in, extensions_allowed)


def _ports(openings: tuple[Opening, ...]) -> str:
    return ", ".join(f"port {entry.port} through {entry.way.name}" for entry in openings)


def _evidence(openings: tuple[Opening, ...]) -> list[Evidence]:
    return [Evidence(entry.way, "reachable port", entry.port) for entry in openings]
