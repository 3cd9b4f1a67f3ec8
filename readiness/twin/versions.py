"""Api-versions: which ones are served. Any from 2019 on; older ones only where clients of today still ask.

The Azure CLI and the SDKs use versions as old as 2015 for subscriptions, locks, role assignments and some of
the network, so those providers have a longer memory.
"""

import re

from readiness.twin.messages import ArmError
from readiness.twin.paths import Address

_WELL_FORMED = re.compile(r"\d{4}-\d{2}-\d{2}(-preview|-privatepreview|-alpha|-beta)?", re.IGNORECASE)
OLDEST = "2019-01-01"
_OLDEST_OF = {
    "microsoft.resources": "2014-04-01",
    "microsoft.authorization": "2015-07-01",
    "microsoft.features": "2015-12-01",
    "microsoft.network": "2015-06-15",
    "microsoft.insights": "2014-04-01",
    "microsoft.managedidentity": "2018-11-30",
    "microsoft.recoveryservices": "2016-06-01",
    "microsoft.keyvault": "2016-10-01",
    "microsoft.security": "2015-06-01-preview",
    "microsoft.storage": "2018-07-01",
    "microsoft.resourcegraph": "2018-09-01-preview",
}
_SERVED = ("2019-03-01", "2020-12-01", "2021-07-01", "2022-11-01", "2023-09-01", "2024-07-01", "2025-11-01")


def check(version: str, address: Address) -> None:
    """Refuse a version that is missing, malformed or no longer served."""
    if not version:
        raise ArmError(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    namespace = address.kind.partition("/")[0]
    listed = ",".join(_SERVED)
    if not _WELL_FORMED.fullmatch(version):
        raise ArmError(
            400,
            "InvalidApiVersionParameter",
            f"The api-version '{version}' is invalid. The supported versions are '{listed}'.",
        )
    if version >= _OLDEST_OF.get(namespace, OLDEST):
        return
    if namespace == "microsoft.resources":
        raise ArmError(
            400,
            "InvalidApiVersionParameter",
            f"The api-version '{version}' is invalid. The supported versions are '{listed}'.",
        )
    raise ArmError(
        400,
        "NoRegisteredProviderFound",
        f"No registered resource provider found for location 'global' and API version '{version}' for type "
        f"'{address.kind.partition('/')[2] or address.tail}'. The supported api-versions are '{listed}'.",
    )
