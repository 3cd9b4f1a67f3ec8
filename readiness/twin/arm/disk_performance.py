"""What follows from a disk's type and size: the tier of its SKU, and how much it reads and writes.

Learn, "Azure managed disk types": every size of Premium SSD, Standard SSD and Standard HDD has its limits.
Only an Ultra disk and a Premium SSD v2 are given theirs; the twin makes up none for them.
"""

from readiness.twin.arm.background_copies import is_slow
from readiness.twin.documents import Json, look

GIVEN = ("diskIOPSReadWrite", "diskMBpsReadWrite")
"""The limits, which a write sets for Ultra disks and Premium SSD v2 alone."""

_LIMITS: dict[str, tuple[tuple[int, int, int], ...]] = {
    "premium": (
        *((32, 120, 25), (64, 240, 50), (128, 500, 100), (256, 1100, 125), (512, 2300, 150)),
        *(
            (1024, 5000, 200),
            (4096, 7500, 250),
            (8192, 16_000, 500),
            (16_384, 18_000, 750),
            (32_767, 20_000, 900),
        ),
    ),
    "standardssd": ((4096, 500, 100), (8192, 2000, 400), (16_384, 4000, 600), (32_767, 6000, 750)),
    "standard": ((4096, 500, 60), (8192, 1300, 300), (32_767, 2000, 500)),
}
"""Up to which size in GiB a disk has how many operations and megabytes a second."""
_TIER_SIZES = {
    **{"P1": 4, "P2": 8, "P3": 16, "P4": 32, "P6": 64, "P10": 128, "P15": 256, "P20": 512, "P30": 1024},
    **{"P40": 2048, "P50": 4096, "P60": 8192, "P70": 16_384, "P80": 32_767},
}
_SKU_TIERS = {"standardssd": "Standard", "ultrassd": "Ultra"}


def sku(name: str) -> Json:
    """Return the SKU a type is shown as (Azure/azure-cli, vm/tests/latest/recordings/test_vm_ultra_ssd*)."""
    family = name.split("_", maxsplit=1)[0]
    return {"name": name, "tier": _SKU_TIERS.get(family.lower(), family)}


def show(body: Json) -> None:
    """Let a disk that is about to be shown tell the tier of its SKU, and its limits."""
    name = look(body, "sku.name")
    if not isinstance(name, str):
        return
    body["sku"] = sku(name) | body["sku"]
    properties = body["properties"]
    size = _TIER_SIZES.get(str(properties.get("tier"))) or properties.get("diskSizeGB")
    if is_slow(body) or not isinstance(size, int):
        return
    steps = _LIMITS.get(name.split("_", maxsplit=1)[0].lower(), ())
    found = next((limits for room, *limits in steps if size <= room), None)
    if found is not None:
        for limit, value in zip(GIVEN, found, strict=True):
            properties.setdefault(limit, value)
