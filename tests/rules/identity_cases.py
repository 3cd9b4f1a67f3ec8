"""Cases of the managed identity rules."""

from msgspec.structs import replace

from readiness.model.access import Access, UserIdentity
from readiness.model.context import IdentityChoice
from readiness.model.governance import PolicyAssignment
from readiness.model.ids import ResourceId
from readiness.model.virtual_machine import Identity, OsProfile, Sighting
from tests.builders import SUBSCRIPTION, extension, rid, vm
from tests.rules.case import Case, chosen

_ONE = rid("Microsoft.ManagedIdentity/userAssignedIdentities", "app")
_TWO = rid("Microsoft.ManagedIdentity/userAssignedIdentities", "other")
_SYSTEM = {"context": chosen(identity=IdentityChoice())}
_BOTH = Identity(system_assigned=True, user_assigned=(_ONE,))
_ONLY = vm(identity=Identity(user_assigned=(_ONE,)))
_GUEST = extension("Microsoft.GuestConfiguration", "ConfigurationforLinux")
_SCOPE = f"/subscriptions/{SUBSCRIPTION}"
_ASSIGNMENT = PolicyAssignment(
    id=ResourceId(f"{_SCOPE}/providers/Microsoft.Authorization/policyAssignments/prerequisites"),
    definition="12794019-7a00-42cf-95c2-882eed337cc8",
    scope=_SCOPE,
)
_SCRIPT = extension("Microsoft.Azure.Extensions", "CustomScript")
_ADE = extension("Microsoft.Azure.Security", "AzureDiskEncryption")


def _assigned(**changes: object) -> dict[str, object]:
    known = UserIdentity(id=_ONE, client_id="00000000-0000-0000-0000-000000000001")
    policy = replace(_ASSIGNMENT, **changes)
    return {"access": Access(user_identities={_ONE: known}), "posture": (policy,)}


CASES = (
    Case("MI001", "both kinds", "met BothKinds", vm(identity=_BOTH)),
    Case("MI002", "a policy that adds one", "unmet PolicyWouldChangeDefault", _ONLY, _assigned()),
    Case(
        "MI002",
        "a policy of a management group",
        "unmet PolicyWouldChangeDefault",
        _ONLY,
        _assigned(scope="/providers/microsoft.management/managementgroups/root"),
    ),
    Case("MI002", "a policy elsewhere", "not-applicable DefaultStays", _ONLY, _assigned(scope=f"{_SCOPE}/x")),
    Case(
        "MI002",
        "a policy that leaves its group out",
        "not-applicable DefaultStays",
        _ONLY,
        _assigned(excluded=(f"{_SCOPE}/resourcegroups/rg-app",)),
    ),
    Case("MI004", "no identity", "not-applicable NoIdentityAtAll"),
    Case("MI004", "a system identity", "met SystemIdentityPresent", vm(identity=_BOTH, extensions=(_GUEST,))),
    Case("MI004", "nothing that needs it", "met NoExtensionNeedsMore", _ONLY),
    Case(
        "MI004",
        "guest configuration with another's identity",
        "unmet SystemIdentityMissing",
        replace(_ONLY, extensions=(_GUEST,)),
    ),
    Case(
        "MI003",
        "disk encryption that signs in with a secret",
        "unmet CredentialInExtension",
        vm(extensions=(replace(_ADE, version="1.1"),)),
    ),
    Case(
        "MI003",
        "disk encryption that does not",
        "met NoCredentialInExtensions",
        vm(extensions=(replace(_ADE, version="2.2"),)),
    ),
    Case("MI005", "nothing", "met NoSignOfCredentials"),
    Case(
        "MI005",
        "a script from a storage account",
        "unmet StorageKeySuspected",
        vm(extensions=(replace(_SCRIPT, downloads_from=("acme.blob.core.windows.net",)),)),
    ),
    Case(
        "MI005",
        "a script from elsewhere",
        "met NoSignOfCredentials",
        vm(extensions=(replace(_SCRIPT, downloads_from=("raw.githubusercontent.com",)),)),
    ),
    Case(
        "MI005",
        "certificates from a vault",
        "unmet CertificatesInVm",
        vm(os_profile=OsProfile(certificate=Sighting("properties.osProfile.secrets", None))),
    ),
    Case("MI001", "none", "unmet NoIdentity"),
    Case("MI001", "a VM of which only the name was read", "unknown VmNotRead", vm(size=None, os_disk=None)),
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
        "MI002",
        "a new default that its owner accepted",
        "not-applicable NewDefaultAccepted",
        _ONLY,
        {"context": chosen(identity=IdentityChoice(accept_new_default=True))},
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
