"""Seeds and a wire for the twin's tests: a few ARM resources, and requests without any SDK."""

from datetime import UTC, datetime
from typing import Any

from readiness.twin.clock import VirtualClock
from readiness.twin.core import Request, Response, Twin
from readiness.twin.faults import Faults

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
START = datetime(2026, 11, 1, 20, 0, tzinfo=UTC)
COMPUTE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app/providers/Microsoft.Compute"
VM = f"{COMPUTE}/virtualMachines/web-1"
OS_DISK = f"{COMPUTE}/disks/web-1-os"
DATA_DISK = f"{COMPUTE}/disks/web-1-data"
KEY = f"{COMPUTE}/diskEncryptionSets/keys"
CUSTOMER_KEY = {"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": KEY}
PLATFORM_KEY = {"type": "EncryptionAtRestWithPlatformKey"}
TRUSTED = {
    "securityType": "TrustedLaunch",
    "uefiSettings": {"secureBootEnabled": True, "vTpmEnabled": True},
}


def vm(name: str = "web-1", **properties: Any) -> dict[str, Any]:
    """A running Linux machine with one data disk; properties replace or add."""
    return {
        "id": f"{COMPUTE}/virtualMachines/{name}",
        "name": name,
        "type": "Microsoft.Compute/virtualMachines",
        "location": "westeurope",
        "tags": {"app": "shop"},
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
            "storageProfile": {
                "osDisk": {
                    "osType": "Linux",
                    "name": f"{name}-os",
                    "createOption": "FromImage",
                    "managedDisk": {"id": f"{COMPUTE}/disks/{name}-os"},
                },
                "dataDisks": [
                    {
                        "lun": 0,
                        "name": f"{name}-data",
                        "createOption": "Attach",
                        "managedDisk": {"id": f"{COMPUTE}/disks/{name}-data"},
                    }
                ],
            },
            "osProfile": {
                "computerName": name,
                "adminUsername": "azureuser",
                "linuxConfiguration": {"disablePasswordAuthentication": False},
            },
            **properties,
        },
    }


def deallocated(name: str = "web-1", **properties: Any) -> dict[str, Any]:
    """The same machine, off."""
    return vm(name, instanceView={"statuses": [{"code": "PowerState/deallocated"}]}, **properties)


def disk(name: str, **properties: Any) -> dict[str, Any]:
    """A generation 2 disk."""
    return {
        "id": f"{COMPUTE}/disks/{name}",
        "name": name,
        "type": "Microsoft.Compute/disks",
        "location": "westeurope",
        "sku": {"name": "Premium_LRS"},
        "properties": {
            "hyperVGeneration": "V2",
            "osType": "Linux",
            "diskSizeGB": 30,
            "creationData": {"createOption": "FromImage"},
            **properties,
        },
    }


def encryption_set(**changes: Any) -> dict[str, Any]:
    """A disk encryption set that holds a customer's key."""
    return {
        "id": KEY,
        "name": "keys",
        "type": "Microsoft.Compute/diskEncryptionSets",
        "location": "westeurope",
        "properties": {"encryptionType": "EncryptionAtRestWithCustomerKey"},
        **changes,
    }


def size(name: str = "Standard_D2s_v5", **capabilities: str) -> dict[str, Any]:
    """A virtual machine size as Azure lists it: without an id."""
    told = {"HyperVGenerations": "V1,V2"} | capabilities
    return {
        "resourceType": "virtualMachines",
        "name": name,
        "locations": ["westeurope"],
        "capabilities": [{"name": key, "value": value} for key, value in told.items()],
    }


def estate(*others: dict[str, Any], machine: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """One machine with its disks and a key; others take the place of what has their id."""
    seed = [machine or vm(), disk("web-1-os"), disk("web-1-data", osType=None), encryption_set()]
    ids = {other.get("id") for other in others}
    return [each for each in seed if each["id"] not in ids] + list(others)


class Wire:
    """A twin in virtual time, and the requests one can make of it."""

    def __init__(self, *seed: dict[str, Any], faults: list[dict[str, Any]] | None = None) -> None:
        self.clock = VirtualClock(START)
        document = {"format": "readiness/faults/1", "faults": faults or []}
        self.twin = Twin(seed or estate(), clock=self.clock, faults=Faults.parse(document))

    def ask(
        self, method: str, path: str, body: object | None = None, *, version: str = "2026-04-01", **more: Any
    ) -> Response:
        """Make one request."""
        query = {"api-version": version, **more.get("query", {})}
        return self.twin.handle(
            Request(method, path, query, more.get("headers", {}), body, "https://twin.example")
        )

    def get(self, path: str, **more: Any) -> Any:
        """Return the body of a resource that is there."""
        response = self.ask("GET", path, **more)
        assert response.status == 200, response.body
        return response.body

    def do(self, method: str, path: str, body: object | None = None, **more: Any) -> Any:
        """Make a write, wait for its end, and return the body of its operation."""
        response = self.ask(method, path, body, **more)
        assert response.status < 300, response.body
        while True:
            status = self.follow(response)
            if status["status"] != "InProgress":
                return status
            self.clock.sleep(2)  # polled each second, the operation itself would be throttled

    def follow(self, response: Response) -> Any:
        """Poll the operation of an accepted write once."""
        path = response.headers["Azure-AsyncOperation"].removeprefix("https://twin.example").split("?")[0]
        return self.get(path)

    def refused(self, method: str, path: str, body: object | None = None, **more: Any) -> tuple[int, str]:
        """Make a write that is refused, and return its status and code."""
        response = self.ask(method, path, body, **more)
        assert response.status >= 400, response.body
        return response.status, response.body["error"]["code"]  # type: ignore[index]

    def power(self, path: str = VM) -> str:
        """Return the power state of a machine."""
        codes = [each["code"] for each in self.get(f"{path}/instanceView")["statuses"]]
        return next(code for code in codes if code.startswith("PowerState/"))

    def agent(self, path: str = VM) -> str | None:
        """Return what the agent's status says, or None where nothing is reported."""
        found = self.get(f"{path}/instanceView").get("vmAgent")
        return found and found["statuses"][0]["displayStatus"]
