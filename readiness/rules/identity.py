"""Managed identity: an identity on every VM, so that nothing on it needs a stored credential."""

from functools import partial

from readiness.model.assessment import Source
from readiness.model.estate import Estate
from readiness.model.verdict import Dimension, Evidence, Verdict, met, not_applicable, unknown, unmet
from readiness.model.virtual_machine import Extension, VirtualMachine
from readiness.rules import sightings
from readiness.rules.not_read import nameless_extensions
from readiness.rules.rule import Role, rule

_ENTRA = "https://learn.microsoft.com/entra/identity/managed-identities-azure-resources"
_OVERVIEW = Source("What are managed identities for Azure resources?", f"{_ENTRA}/overview", "2026-11")
_POLICY = Source(
    "Use Azure Policy to assign managed identities (preview)",
    f"{_ENTRA}/how-to-assign-managed-identity-via-azure-policy",
    "2026-11",
)
_AGENT = Source(
    "Migrate to Azure Monitor Agent from Log Analytics agent",
    "https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-migration",
    "2026-11",
)

_SCRIPTS = Source(
    "Custom Script Extension for Windows",
    "https://learn.microsoft.com/azure/virtual-machines/extensions/custom-script-windows",
    "2026-11",
)
_MACHINE_CONFIGURATION = Source(
    "Azure Automanage machine configuration extension",
    "https://learn.microsoft.com/azure/virtual-machines/extensions/guest-configuration",
    "2026-11",
)

_identity_rule = partial(rule, dimension=Dimension.MANAGED_IDENTITY, level=2)


@_identity_rule(
    id="MI001",
    title="Has a managed identity",
    role=Role.GOAL,
    remedy="Assign a managed identity to the VM.",
    source=_OVERVIEW,
)
def has_identity(vm: VirtualMachine, _estate: Estate) -> Verdict:
    """A VM with an identity of its own needs no password or key in a file to speak to Azure."""
    at = sightings.identity_of(vm)
    if vm.identity.system_assigned and vm.identity.user_assigned:
        return met("BothKinds", "", at)
    if vm.identity.system_assigned:
        return met("SystemAssigned", "", at)
    if vm.identity.user_assigned:
        return met("UserAssigned", "", at)
    if vm.size is None and vm.os_disk is None:
        detail = "Of this VM no more than its name was read; read the VM itself."
        return unknown("VmNotRead", detail, sightings.os_disk_missing(vm), sightings.size_of(vm))
    return unmet("NoIdentity", "The VM has no managed identity.", at)


@_identity_rule(
    id="MI004",
    title="Has the identity that its extensions need",
    role=Role.GOAL,
    remedy="Assign a system identity, which these extensions use to speak for the VM.",
    source=_MACHINE_CONFIGURATION,
)
def extensions_have_identity(vm: VirtualMachine, _estate: Estate) -> Verdict:
    """Entra login and guest configuration speak for the VM with its system identity, and fail without it.

    That guest configuration can do with a user-assigned one is a preview, and not counted. A VM without any
    identity is the business of the rule that asks for one.
    """
    if not vm.identity.is_present:
        return not_applicable("NoIdentityAtAll", "The VM has no identity yet.")
    if vm.identity.system_assigned:
        return met("SystemIdentityPresent", "", sightings.identity_of(vm))
    found = [entry for entry in vm.extensions if _needs_system_identity(entry)]
    if found:
        names = ", ".join(entry.type for entry in found)
        evidence = [sightings.extension_of(vm, entry) for entry in found]
        return unmet("SystemIdentityMissing", f"These do not work with its identities: {names}.", *evidence)
    return met("NoExtensionNeedsMore")


@_identity_rule(
    id="MI002",
    title="Keeps its default identity",
    role=Role.WORK,
    remedy="Let the owner confirm that every program on the VM names the identity it wants (client id).",
    source=_POLICY,
)
def default_identity_stays(vm: VirtualMachine, estate: Estate) -> Verdict:
    """A program that does not name an identity gets the only one there is, until a system identity comes.

    Then it gets the system identity, which has none of the permissions that the other one was given. It does
    not matter who adds it: a policy that hands out system identities acts on the next write to the VM.
    """
    if vm.identity.system_assigned or len(vm.identity.user_assigned) != 1:
        return not_applicable("DefaultStays", "No system identity can take the place of an only one.")
    chosen = estate.choice_for(vm).identity
    if chosen is not None and chosen.accept_new_default:
        return not_applicable("NewDefaultAccepted", "Its owner answers for a new default identity.")
    name = vm.identity.user_assigned[0]
    known = estate.access.user_identities.get(name)
    client = f" (client id {known.client_id})" if known and known.client_id else ""
    only = [sightings.identity_of(vm)]
    if known is not None:
        only.append(Evidence(known.id, "properties.clientId", known.client_id))
    if chosen is not None:
        detail = f"A system identity would become the default in place of {name.name}{client}."
        return unmet("DefaultWouldChange", detail, *only)
    policies = estate.posture.policies_on(vm.id, _ADDS_IDENTITIES, estate.info.collected_at)
    if policies:
        policy = policies[0]
        detail = f"Policy {policy.id.name} adds a system identity, the new default for {name.name}{client}."
        at = Evidence(policy.id, "properties.policyDefinitionId", policy.definition_id)
        return unmet("PolicyWouldChangeDefault", detail, *only, at)
    return not_applicable("DefaultStays", "No change that was chosen moves the VM's default identity.")


@_identity_rule(
    id="MI003",
    title="Has no extension that lives on a stored credential",
    role=Role.WORK,
    remedy="Replace the extension by its successor that uses a managed identity, once the VM has one.",
    source=_AGENT,
)
def no_stored_credentials(vm: VirtualMachine, _estate: Estate) -> Verdict:
    """Some extensions carry a workspace or storage key; an identity helps little while that key stays."""
    found = [entry for entry in vm.extensions if _carries_key(entry)]
    if found:
        names = ", ".join(entry.type for entry in found)
        evidence = [sightings.extension_of(vm, entry) for entry in found]
        return unmet("CredentialInExtension", f"Extensions with a stored key: {names}.", *evidence)
    return nameless_extensions(vm) or met("NoCredentialInExtensions")


@_identity_rule(
    id="MI005",
    title="Shows no sign of other credentials that Azure handed it",
    role=Role.WORK,
    remedy="Ask the owner whether the script or program can use the managed identity in place of the key.",
    source=_SCRIPTS,
)
def no_suspected_credentials(vm: VirtualMachine, _estate: Estate) -> Verdict:
    """A script from a storage account needs a key unless an identity fetches it; certificates are keys too.

    What an extension keeps secret Azure never shows, so a storage account is a suspicion and no proof.
    """
    held = vm.os_profile.certificate if vm.os_profile else None
    if held is not None:
        at = Evidence(vm.id, held.path, held.value)
        return unmet("CertificatesInVm", "Azure puts certificates from a key vault into the VM.", at)
    found = [entry for entry in vm.extensions if _downloads_from_storage(entry)]
    if found:
        names = ", ".join(entry.name for entry in found)
        evidence = [sightings.download_hosts_of(vm, entry) for entry in found]
        return unmet("StorageKeySuspected", f"These download from storage accounts: {names}.", *evidence)
    return met("NoSignOfCredentials")


RULES = (
    has_identity,
    extensions_have_identity,
    default_identity_stays,
    no_stored_credentials,
    no_suspected_credentials,
)


def _needs_system_identity(extension: Extension) -> bool:
    publisher, kind = extension.publisher.lower(), extension.type.lower()
    return publisher == "microsoft.guestconfiguration" or kind in (
        "aadsshloginforlinux",
        "aadloginforwindows",
    )


def _carries_key(extension: Extension) -> bool:
    kind = (extension.publisher.lower(), extension.type.lower())
    return kind in _WITH_KEYS or (kind in _WITH_SECRETS and (extension.version or "") in _WITH_SECRETS[kind])


def _downloads_from_storage(extension: Extension) -> bool:
    is_script = extension.type.lower() in ("customscript", "customscriptextension", "dsc")
    return is_script and any(".blob.core." in host for host in extension.downloads_from)


_ADDS_IDENTITIES = (
    "497dff13-db2a-4c0f-8603-28fa3b331ab6",
    "12794019-7a00-42cf-95c2-882eed337cc8",
)
"""Built-in policies, as of 2026-11, that add a system identity to VMs that have user-assigned ones: the guest
configuration prerequisites, alone and as the initiative that holds them."""
_WITH_KEYS = {
    ("microsoft.enterprisecloud.monitoring", "microsoftmonitoringagent"),
    ("microsoft.enterprisecloud.monitoring", "omsagentforlinux"),
    ("microsoft.azure.diagnostics", "iaasdiagnostics"),
    ("microsoft.azure.diagnostics", "linuxdiagnostic"),
    ("microsoft.ostcextensions", "customscriptforlinux"),
    ("microsoft.ostcextensions", "linuxdiagnostic"),
}
"""Publisher and type, in lower case, of extensions that are configured with a key, as of 2026-11."""
_WITH_SECRETS = {
    ("microsoft.azure.security", "azurediskencryption"): ("1.1",),
    ("microsoft.azure.security", "azurediskencryptionforlinux"): ("0.1",),
}
"""Versions of Azure Disk Encryption that sign in with an application's secret or certificate."""
