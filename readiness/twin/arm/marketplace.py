"""Images of the Marketplace, as clients look them up before they make a machine: versions, and one of them.

Learn, "Virtual Machine Images - List" and "- Get": the list is a bare array, not an object with a value. What
the seed holds is answered as it is; of any other image one version is told, judged by its names as
`image_facts` does, for a twin that knew no images would let nobody make a machine.
"""

from readiness.twin.arm.image_facts import facts
from readiness.twin.documents import Json, duplicate
from readiness.twin.messages import Response, invalid_parameter
from readiness.twin.paths import Address
from readiness.twin.state import missing, place
from readiness.twin.world import Call, Routes, World

SKU = "microsoft.compute/locations/publishers/artifacttypes/offers/skus"
VERSION = f"{SKU}/versions"


def versions(world: World, call: Call) -> Response:
    """Answer the versions of an image: the names, and with `$expand=properties` everything."""
    query, path = call.request.query, call.address.path
    top = query.get("$top", "")
    if top and not top.isdecimal():
        raise invalid_parameter(f"The value '{top}' of '$top' is not valid.", "$top", unverified=True)
    found = duplicate(world.state.of_kind(VERSION, path)) or [_guessed(world, call.address)]
    ordered = query.get("$orderby", "name asc").lower().endswith(" desc")
    found.sort(key=lambda each: _numbers(each["name"]), reverse=ordered)
    shown = found[: int(top)] if top else found
    if "properties" not in query.get("$expand", "").lower():
        shown = [{name: value for name, value in each.items() if name != "properties"} for each in shown]
    return Response(200, shown)


def version(world: World, call: Call) -> Response:
    """Answer one version of an image."""
    path, _, name = call.address.path.rpartition("/")
    known = world.state.find(call.address.path)
    if known is None:
        known = _guessed(world, call.address)
        is_known_otherwise = bool(world.state.of_kind(VERSION, path))
        if is_known_otherwise or known["name"] != name:
            raise missing(call.address.path)
    return Response(200, duplicate(known))


def _numbers(name: str) -> tuple[int, ...]:
    return tuple(int(word) if word.isdecimal() else 0 for word in name.split("."))


def _guessed(world: World, address: Address) -> Json:
    """Return the only version of an image that the seed does not hold."""
    location, publisher, _, offer, sku = address.names[:5]
    reference = {"publisher": publisher, "offer": offer, "sku": sku, "version": "latest"}
    image = facts(world.state, reference, subscription=address.subscription, location=location, os_type=None)
    name = image.reference["exactVersion"]
    versions_path = address.path if address.tail else address.path.rpartition("/")[0]
    security = "TrustedLaunchAndConfidentialVmSupported" if "cvm" in sku.lower() else "TrustedLaunchSupported"
    return {
        "id": f"{versions_path}/{name}",
        "name": name,
        "location": place(location),
        "properties": {
            "hyperVGeneration": image.generation,
            "architecture": "Arm64" if "arm64" in sku.lower() else "x64",
            "osDiskImage": {"operatingSystem": image.os_type, "sizeInGb": image.size_gb},
            "dataDiskImages": [],
            "automaticOSUpgradeProperties": {"automaticOSUpgradeSupported": False},
            "features": [{"name": "SecurityType", "value": security}] if image.generation == "V2" else [],
            "imageDeprecationStatus": {"imageState": "Active"},
        },
    }


ROUTES: Routes = {("GET", SKU, "versions"): versions, ("GET", VERSION, ""): version}
