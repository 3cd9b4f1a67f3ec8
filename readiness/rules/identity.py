"""Managed identity: an identity on every VM, so that nothing on it needs a stored credential."""

from functools import partial

from readiness.model.assessment import Source
from readiness.model.estate import Estate
from readiness.model.verdict import Dimension, Evidence, Verdict, met, not_applicable, unknown, unmet
from readiness.model.virtual_machine import Extension, VirtualMachine
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

_identity_rule = partial(rule, dimension=Dimension.MANAGED_IDENTITY, level=1)


@_identity_rule(
    id="MI001",
    title="Has a managed identity",
    role=Role.GOAL,
    remedy="Assign a managed identity to the VM.",
    source=_OVERVIEW,
)
def has_identity(vm: VirtualMachine, _estate: Estate) -> Verdict:
    """A VM with an identity of its own needs no password or key in a file to speak to Azure."""
    user = Evidence(vm.id, "identity.userAssignedIdentities", len(vm.identity.user_assigned))
    if vm.identity.system_assigned:
        return met("SystemAssigned", "", Evidence(vm.id, "identity.type", "SystemAssigned"))
    if vm.identity.user_assigned:
        return met("UserAssigned", "", user)
    return unmet("NoIdentity", "The VM has no managed identity.", Evidence(vm.id, "identity", None))


@_identity_rule(
    id="MI002",
    title="Keeps its default identity",
    role=Role.WORK,
    remedy="Let the owner confirm that every program on the VM names the identity it wants (client id).",
    source=_POLICY,
)
def default_identity_stays(vm: VirtualMachine, estate: Estate) -> Verdict:
    """A program that does not name an identity gets the only one there is, until a system identity comes.

    Then it gets the system identity, which has none of the permissions that the other one was given.
    """
    count = len(vm.identity.user_assigned)
    if estate.choice_for(vm).identity is None or vm.identity.system_assigned or count != 1:
        return not_applicable("DefaultStays", "No change that was chosen moves the VM's default identity.")
    only = Evidence(vm.id, "identity.userAssignedIdentities", vm.identity.user_assigned[0].text)
    return unmet(
        "DefaultWouldChange", "A system identity would become the default in place of its only one.", only
    )


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
        evidence = [Evidence(vm.id, f"extensions[{entry.name}].type", entry.type) for entry in found]
        return unmet("CredentialInExtension", f"Extensions with a stored key: {names}.", *evidence)
    nameless = [entry.name for entry in vm.extensions if not entry.type]
    if nameless:
        return unknown(
            "ExtensionNotRead", f"Nobody can tell what these extensions are: {', '.join(nameless)}."
        )
    return met("NoCredentialInExtensions")


RULES = (has_identity, default_identity_stays, no_stored_credentials)


def _carries_key(extension: Extension) -> bool:
    return (extension.publisher.lower(), extension.type.lower()) in _WITH_KEYS


_WITH_KEYS = {
    ("microsoft.enterprisecloud.monitoring", "microsoftmonitoringagent"),
    ("microsoft.enterprisecloud.monitoring", "omsagentforlinux"),
    ("microsoft.azure.diagnostics", "iaasdiagnostics"),
    ("microsoft.azure.diagnostics", "linuxdiagnostic"),
    ("microsoft.ostcextensions", "customscriptforlinux"),
    ("microsoft.ostcextensions", "linuxdiagnostic"),
}
"""Publisher and type, in lower case, of extensions that are configured with a key."""
