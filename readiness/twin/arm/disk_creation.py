"""New managed disks by themselves: Empty, Copy, Restore, FromImage and Upload.

Learn, "Disks - Create Or Update", creationData: an empty disk needs a size, an upload the number of bytes it
will get, and it is `ReadyToUpload` until it has them; all others take their size from their source. An upload
is the one way that leaves the mark of Azure Disk Encryption behind. The twin holds no blobs: Import and
ImportSecure are not modelled.
"""

from typing import Any

from readiness.twin.arm import background_copies, immediate
from readiness.twin.arm.copies import carry_marks, copied, fresh
from readiness.twin.arm.image_facts import facts
from readiness.twin.documents import Json, look
from readiness.twin.messages import ArmError, invalid_parameter, not_allowed
from readiness.twin.world import Call, World

_FOOTER = 512
_UPLOADS = (20_972_032, 35_183_298_347_520)
_SECURE = ("FromImage", "UploadPreparedSecure")
"""Options with which a security type can be named."""


def made(world: World, call: Call) -> Json:
    """Return the disk a PUT asks for; nothing is kept yet."""
    immediate.located(call, None)
    option = look(call.body(), "properties.creationData.createOption")
    security = look(call.body(), "properties.securityProfile.securityType")
    if security is not None and option not in _SECURE:
        raise ArmError(
            400, "BadRequest", f"Security Type '{security}' is not supported for CreateOption '{option}'"
        )
    disk = _disk(world, call, option)
    if disk.get("sku") is None:
        disk["sku"] = {"name": "Standard_LRS", "tier": "Standard"}
    properties = disk["properties"]
    if properties.get("osType") is not None:
        properties.setdefault("hyperVGeneration", "V1")
    properties.setdefault("networkAccessPolicy", "AllowAll")
    properties.setdefault("publicNetworkAccess", "Enabled")
    return disk


def begin(world: World, call: Call, disk: Json) -> None:
    """Let everything begin that comes with a new disk, once nothing refuses it any more."""
    carry_marks(world.state, disk)
    is_copy = look(disk, "properties.creationData.createOption") in ("Copy", "Restore")
    if is_copy and background_copies.is_slow(disk):
        background_copies.begin(world, disk, call.now)


def _disk(world: World, call: Call, option: object) -> Json:
    match option:
        case "Empty":
            return empty(world, call, kind="disk")
        case "Copy" | "Restore":
            return copied(world, call, kind="disk")
        case "FromImage":
            return _from_image(world, call)
        case "Upload" | "UploadPreparedSecure":
            return _to_upload(world, call)
        case "Import" | "ImportSecure":
            raise not_allowed(
                f"The twin holds no blobs, and cannot make a disk by '{option}': use Upload.", unverified=True
            )
        case None:
            raise invalid_parameter(
                "Required parameter 'creationData.createOption' is missing (null).",
                "creationData.createOption",
            )
        case _:
            raise invalid_parameter(
                f"The value '{option}' of parameter 'creationData.createOption' is invalid.",
                "creationData.createOption",
            )


def empty(world: World, call: Call, *, kind: str) -> Json:
    """Return a disk or snapshot with nothing in it, whose size has to be given."""
    if look(call.body(), "properties.diskSizeGB") is None:
        raise invalid_parameter("Required parameter 'disk.diskSizeGB' is missing (null).", "disk.diskSizeGB")
    return fresh(world, call, kind=kind, inherited={})


def _from_image(world: World, call: Call) -> Json:
    creation: Any = look(call.body(), "properties.creationData")
    image_id = look(creation, "imageReference.id") or look(creation, "galleryImageReference.id")
    if not isinstance(image_id, str):
        raise invalid_parameter(
            "Required parameter 'creationData.imageReference.id' is missing (null).",
            "creationData.imageReference.id",
        )
    image = facts(
        world.state,
        _reference(image_id),
        subscription=call.address.subscription,
        location=call.body().get("location"),
        os_type=look(call.body(), "properties.osType"),
    )
    wanted = look(call.body(), "properties.diskSizeGB")
    if isinstance(wanted, int) and wanted < image.size_gb:
        raise not_allowed(
            f"Disk with size {wanted}GB, which is smaller than the size {image.size_gb}GB of corresponding "
            "disk in Image, is not allowed."
        )
    inherited: Json = {
        "osType": image.os_type,
        "hyperVGeneration": image.generation,
        "diskSizeGB": image.size_gb,
    }
    if image.security:
        inherited["supportedCapabilities"] = {"supportedSecurityOption": image.security}
    return fresh(world, call, kind="disk", inherited=inherited)


def _reference(image_id: str) -> Json:
    """Take a Marketplace image's id apart, which names publisher, offer, SKU and version."""
    words = image_id.strip("/").split("/")
    named = {word.lower(): name for word, name in zip(words[::2], words[1::2], strict=False)}
    if "publishers" not in named:
        return {"id": image_id}
    return {
        "publisher": named["publishers"],
        "offer": named.get("offers"),
        "sku": named.get("skus"),
        "version": named.get("versions") or "latest",
    }


def _to_upload(world: World, call: Call) -> Json:
    size = look(call.body(), "properties.creationData.uploadSizeBytes")
    least, most = _UPLOADS
    if not isinstance(size, int) or not least <= size <= most:
        raise invalid_parameter(
            f"The value '{size}' of parameter 'creationData.uploadSizeBytes' is out of range. The value must "
            f"be between '{least}' and '{most}', inclusive.",
            "creationData.uploadSizeBytes",
            unverified=True,
        )
    held = size - _FOOTER
    inherited: Json = {"diskSizeGB": -(-held // 1024**3), "diskSizeBytes": held}
    disk = fresh(world, call, kind="disk", inherited=inherited)
    disk["properties"]["diskState"] = "ReadyToUpload"
    return disk
