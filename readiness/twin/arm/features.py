"""Preview features of a subscription: what the seed says about them, read from where ARM keeps them.

Guarantees: a feature nobody speaks of is None, which is neither registered nor not; each refusal that hangs
on a feature decides for itself what that means.
"""

from readiness.twin.documents import look, same
from readiness.twin.state import State

STANDARD_TYPE = "UseStandardSecurityType"
ENCRYPTION_AT_HOST = "EncryptionAtHost"
GEN1_UPGRADE = "Gen1ToTLMigrationPreview"


def is_registered(state: State, subscription: str, name: str) -> bool | None:
    """Tell whether a feature of the compute provider is registered, or None where nothing is said of it."""
    path = (
        f"/subscriptions/{subscription}/providers/Microsoft.Features/providers/Microsoft.Compute"
        f"/features/{name}"
    )
    found = state.find(path)
    return None if found is None else same(look(found, "properties.state"), "Registered")
