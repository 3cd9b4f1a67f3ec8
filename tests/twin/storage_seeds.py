"""What the tests of disks, snapshots and their keys share: bodies, and a twin whose machine is off."""

from typing import Any

from azure.mgmt.compute import ComputeManagementClient

from readiness.twin.credential import TwinCredential
from readiness.twin.transport import TwinTransport
from tests.twin.seeds import COMPUTE, CUSTOMER_KEY, SUBSCRIPTION, Wire, deallocated, disk, estate

SNAPSHOT = f"{COMPUTE}/snapshots/before"
NEW = f"{COMPUTE}/disks/new"
ULTRA = f"{COMPUTE}/disks/fast"
TO_CUSTOMER_KEY = {"properties": {"encryption": CUSTOMER_KEY}}
READ = {"access": "Read", "durationInSeconds": 3600}


def copy_of(source: str, option: str = "Copy", **properties: Any) -> dict[str, Any]:
    """The body of a PUT that copies a disk, a snapshot or a disk restore point."""
    creation = {"createOption": option, "sourceResourceId": source}
    return {"location": "westeurope", "properties": {"creationData": creation, **properties}}


def empty(size: int | None = 128, sku: str | None = None, **properties: Any) -> dict[str, Any]:
    """The body of a PUT that makes an empty disk."""
    own = {"creationData": {"createOption": "Empty"}, "diskSizeGB": size, **properties}
    return {"location": "westeurope", "properties": own} | ({"sku": {"name": sku}} if sku else {})


def fast(sku: str = "PremiumV2_LRS", **properties: Any) -> dict[str, Any]:
    """A free Premium SSD v2 or Ultra disk of 100 GiB."""
    return disk("fast", osType=None, hyperVGeneration=None, diskSizeGB=100, **properties) | {
        "sku": {"name": sku}
    }


def off(*others: dict[str, Any]) -> Wire:
    """A twin whose machine is deallocated."""
    return Wire(*estate(*others, machine=deallocated()))


def client_of(wire: Wire) -> ComputeManagementClient:
    """A real client, on a twin."""
    return ComputeManagementClient(TwinCredential(), SUBSCRIPTION, transport=TwinTransport(wire.twin))
