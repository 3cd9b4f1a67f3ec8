"""What a new machine is made of: a network interface, and the body of a PUT as the SDKs send it."""

from typing import Any

from tests.twin.seeds import COMPUTE, SUBSCRIPTION, Wire, estate, size

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app"
NIC = f"{GROUP}/providers/Microsoft.Network/networkInterfaces/new-1-nic"
NEW = f"{COMPUTE}/virtualMachines/new-1"
SECRET = "Hunter2-is-not-real"  # noqa: S105 - a password no machine has
UBUNTU = {
    "publisher": "Canonical",
    "offer": "0001-com-ubuntu-server-jammy",
    "sku": "22_04-lts-gen2",
    "version": "latest",
}


def nic(name: str = "new-1-nic", **properties: Any) -> dict[str, Any]:
    """A network interface that no machine uses yet."""
    return {
        "id": NIC.replace("new-1-nic", name),
        "name": name,
        "type": "Microsoft.Network/networkInterfaces",
        "location": "westeurope",
        "etag": 'W/"1cd5e8b5-2d5f-4571-b09b-b5910b5b1237"',
        "properties": {"provisioningState": "Succeeded", "ipConfigurations": [], **properties},
    }


def body(**properties: Any) -> dict[str, Any]:
    """A Linux machine from a Marketplace image; properties replace or add, None leaves out."""
    given = {
        "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
        "storageProfile": {
            "imageReference": UBUNTU,
            "osDisk": {
                "createOption": "FromImage",
                "caching": "ReadWrite",
                "managedDisk": {"storageAccountType": "Premium_LRS"},
            },
        },
        "osProfile": {
            "computerName": "new-1",
            "adminUsername": "azureuser",
            "adminPassword": SECRET,
            "customData": "aHVudGVyMg==",
            "linuxConfiguration": {"disablePasswordAuthentication": False},
        },
        "networkProfile": {"networkInterfaces": [{"id": NIC}]},
        **properties,
    }
    kept = {name: value for name, value in given.items() if value is not None}
    return {"location": "westeurope", "tags": {"app": "new"}, "properties": kept}


def place(*others: dict[str, Any], **more: Any) -> Wire:
    """A twin with room for one new machine."""
    return Wire(*estate(nic(), size(MaxDataDiskCount="4", PremiumIO="True"), *others), **more)
