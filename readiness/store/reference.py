"""Reads the reference tables that come with the package: `readiness/reference/*.json`."""

from importlib.resources import files
from typing import Any

import msgspec

from readiness.model.reference import Framework, Reference, Risk, SystemEntry
from readiness.model.sku import Sku


def read_reference() -> Reference:
    """Return all reference tables; a test proves that every file is whole."""
    sizes, systems = _table("sizes"), _table("systems")
    roles, risks = _table("key_roles"), _table("secure_boot_risks")
    frameworks, zones = _table("frameworks"), _table("time_zones")
    return Reference(
        sizes={entry.name.lower(): entry for entry in msgspec.convert(sizes["sizes"], tuple[Sku, ...])},
        sizes_verified_on=sizes["verified_on"],
        systems=msgspec.convert(systems["systems"], tuple[SystemEntry, ...]),
        systems_verified_on=systems["verified_on"],
        secure_boot_risks=msgspec.convert(risks["risks"], tuple[Risk, ...]),
        key_roles=roles["can"],
        keyless_roles=roles["cannot"],
        frameworks=msgspec.convert(frameworks["frameworks"], tuple[Framework, ...]),
        frameworks_verified_on=frameworks["verified_on"],
        time_zones={
            name.lower(): zone for name, zone in (zones["zones"] | zones["announced"]["zones"]).items()
        },
    )


def _table(name: str) -> dict[str, Any]:
    found = files("readiness") / "reference" / f"{name}.json"
    return msgspec.json.decode(found.read_bytes(), type=dict[str, Any])
