"""Cases of the managed identity rules."""

from readiness.model.context import IdentityChoice
from readiness.model.virtual_machine import Identity
from tests.builders import extension, rid, vm
from tests.rules.case import Case, chosen

_ONE = rid("Microsoft.ManagedIdentity/userAssignedIdentities", "app")
_TWO = rid("Microsoft.ManagedIdentity/userAssignedIdentities", "other")
_SYSTEM = {"context": chosen(identity=IdentityChoice())}

CASES = (
    Case("MI001", "none", "unmet NoIdentity"),
    Case("MI001", "a system identity", "met SystemAssigned", vm(identity=Identity(system_assigned=True))),
    Case("MI001", "a user's identity", "met UserAssigned", vm(identity=Identity(user_assigned=(_ONE,)))),
    Case(
        "MI002",
        "one other identity",
        "unmet DefaultWouldChange",
        vm(identity=Identity(user_assigned=(_ONE,))),
        _SYSTEM,
    ),
    Case(
        "MI002",
        "two other identities have no default to lose",
        "not-applicable DefaultStays",
        vm(identity=Identity(user_assigned=(_ONE, _TWO))),
        _SYSTEM,
    ),
    Case(
        "MI002", "nothing chosen", "not-applicable DefaultStays", vm(identity=Identity(user_assigned=(_ONE,)))
    ),
    Case("MI003", "no extensions", "met NoCredentialInExtensions"),
    Case(
        "MI003",
        "the retired monitoring agent",
        "unmet CredentialInExtension",
        vm(extensions=(extension("Microsoft.EnterpriseCloud.Monitoring", "OmsAgentForLinux"),)),
    ),
    Case(
        "MI003",
        "its successor",
        "met NoCredentialInExtensions",
        vm(extensions=(extension("Microsoft.Azure.Monitor", "AzureMonitorLinuxAgent"),)),
    ),
    Case(
        "MI003",
        "an extension nobody can name",
        "unknown ExtensionNotRead",
        vm(extensions=(extension("", ""),)),
    ),
)
