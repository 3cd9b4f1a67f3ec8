"""How a client follows a long-running operation: a closed set of protocols, each as one provider speaks it.

An address is a template: `{subscription}` is the path of the target's subscription, `{target}` the path of
the target, `{place}` a location and `{name}` the operation's. Azure-AsyncOperation leads to a status (always
200); Location to a monitor (202 until the end, then the result). A protocol without either is followed by
reading the resource until its provisioningState is terminal.

Sources: the resource provider contract, asynchronous operations; recordings of the providers named.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """The addresses an accepted write hands out, and what is read there."""

    status: str = ""
    """Template of Azure-AsyncOperation, or empty where the provider sends none."""
    monitor: str = ""
    """Template of Location, or empty."""
    rotates: bool = False
    """Every poll hands out another Location, and the newest is the one to follow."""
    tells_times: bool = True
    """Whether a status carries its name and times; some providers tell the bare word."""
    wraps_output: bool = True
    """Whether a status shows what was made as `properties.output`, or as `properties` itself."""
    poll_seconds: float = 10.0
    """The longest wait that is asked for between two polls."""
    tells_wait: bool = True
    """Whether answers carry Retry-After."""
    ends_empty: bool = False
    """Whether the monitor of what made nothing ends with 204, as recorded, and not with an empty 200."""
    is_announced: bool = False
    """Whether answers carry Azure-AsyncNotification."""


def _at(provider: str, word: str, query: str = "") -> str:
    return f"{{subscription}}/providers/{provider}/locations/{{place}}/{word}/{{name}}{query}"


COMPUTE = Protocol(
    status=_at("Microsoft.Compute", "operations", "?p={name}"),
    monitor=_at("Microsoft.Compute", "operations", "?p={name}&monitor=true"),
    is_announced=True,
)
"""Actions on virtual machines, and the deletion of them, their extensions and run commands."""

COMPUTE_PUT = Protocol(status=_at("Microsoft.Compute", "operations", "?p={name}"), is_announced=True)
"""PUT and PATCH of a virtual machine, recorded without a Location: clients read the machine at the end.

Taken to be the same of its extensions and run commands.
"""

DISKS = Protocol(
    status=_at("Microsoft.Compute", "DiskOperations", "?p={name}"),
    monitor=_at("Microsoft.Compute", "DiskOperations", "?p={name}&monitor=true"),
)
"""Disks, snapshots and disk encryption sets."""

NETWORK = Protocol(status=_at("Microsoft.Network", "operations"), tells_times=False, is_announced=True)
"""PUT of a network resource."""

NETWORK_ACTION = Protocol(
    status=_at("Microsoft.Network", "operations"),
    monitor=_at("Microsoft.Network", "operationResults"),
    tells_times=False,
    ends_empty=True,
    is_announced=True,
)
"""DELETE of a network resource, and its actions."""

NETWORK_ROTATING = Protocol(
    monitor=_at("Microsoft.Network", "operationResults"), rotates=True, is_announced=True
)
"""Effective rules and routes of a network interface: a Location alone, another one with each poll."""

BACKUP = Protocol(
    status="{target}/operationsStatus/{name}",
    monitor="{target}/operationResults/{name}",
    wraps_output=False,
    ends_empty=True,
    poll_seconds=60.0,
)
"""Actions on a protected item: the status says that a job has begun."""

VAULT = Protocol(
    status=_at("Microsoft.RecoveryServices", "operationStatus"),
    monitor=_at("Microsoft.RecoveryServices", "operationResults"),
    wraps_output=False,
)
"""Recovery Services vaults themselves."""

DEPLOYMENT = Protocol(status="{target}/operationStatuses/{name}", tells_times=False)
"""PUT of a template deployment."""

RESOURCES = Protocol(monitor="{subscription}/operationresults/{name}", poll_seconds=15.0)
"""DELETE of a resource group."""

KEY_VAULT = Protocol(monitor=_at("Microsoft.KeyVault", "operationResults"))
"""Purging a vault, and other actions with a Location alone."""

STATE = Protocol(tells_wait=False)
"""No header at all: the resource itself says when it is done."""

PROTOCOLS = (
    *(COMPUTE, COMPUTE_PUT, DISKS, NETWORK, NETWORK_ACTION, NETWORK_ROTATING),
    *(BACKUP, VAULT, DEPLOYMENT, RESOURCES, KEY_VAULT, STATE),
)

POLLED = frozenset(
    template.partition("?")[0].removesuffix("/{name}").rpartition("/")[2].lower()
    for protocol in PROTOCOLS
    for template in (protocol.status, protocol.monitor)
    if template
)
"""The words before an operation's name, in lower case."""
