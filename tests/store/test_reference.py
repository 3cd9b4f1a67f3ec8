"""The reference tables that come with the package."""

import re
from importlib.resources import files
from zoneinfo import ZoneInfo

import msgspec

from readiness.rules.controls.references import POLICIES
from readiness.store.reference import read_reference

REFERENCE = read_reference()


def test_every_table_has_its_day() -> None:
    """Whoever reads an answer that rests on a table can see how old it is."""
    for day in (REFERENCE.sizes_verified_on, REFERENCE.systems_verified_on):
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", day)


def test_the_sizes_are_whole() -> None:
    """Every size of the table answers every question that rules ask of it."""
    assert 40 <= len(REFERENCE.sizes)
    for name, size in REFERENCE.sizes.items():
        assert name == size.name.lower()
        assert set(size.hyper_v_generations) <= {"V1", "V2"}
        assert size.hyper_v_generations
        assert None not in (size.encryption_at_host_supported, size.vcpus, size.architecture)


def test_a_version_is_listed_once() -> None:
    """A version is on the newest list or on the earlier one only, and the exceptions are among them."""
    for entry in REFERENCE.systems:
        assert not set(entry.current) & set(entry.earlier)
        assert set(entry.generation1 or ()) <= set(entry.current)


def test_roles_and_risks_are_written_as_rules_compare_them() -> None:
    """Roles are ids in lower case, and no role both can and cannot."""
    assert not set(REFERENCE.key_roles) & set(REFERENCE.keyless_roles)
    for role in (*REFERENCE.key_roles, *REFERENCE.keyless_roles):
        assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", role)
    assert all(risk.what for risk in REFERENCE.secure_boot_risks)


def test_frameworks_map_policies_that_controls_name() -> None:
    """Each framework has its day and its address, and maps only policies that some control asks about."""
    named = {policy for policies in POLICIES.values() for policy in policies}

    assert re.fullmatch(r"\d{4}-\d\d-\d\d", REFERENCE.frameworks_verified_on)
    for framework in REFERENCE.frameworks:
        assert framework.address.startswith("https://github.com/Azure/azure-policy/")
        assert framework.controls
        assert set(framework.controls) <= named
        assert all(framework.controls.values())


def test_every_zone_of_windows_is_one_of_the_tz_database() -> None:
    """All names of CLDR and those announced since lead to a zone, and none stands on both lists."""
    table = msgspec.json.decode((files("readiness") / "reference" / "time_zones.json").read_bytes())
    assert (139, 2) == (len(table["zones"]), len(table["announced"]["zones"]))
    assert not set(table["zones"]) & set(table["announced"]["zones"])
    assert 141 == len(REFERENCE.time_zones)
    assert all(ZoneInfo(zone).key == zone for zone in REFERENCE.time_zones.values())


def test_a_table_says_of_which_version_its_zones_are() -> None:
    """What nobody compared with CLDR is kept apart, each with where it was announced."""
    table = msgspec.json.decode((files("readiness") / "reference" / "time_zones.json").read_bytes())
    assert "CLDR 47" in table["version"]
    assert {"Alberta Standard Time", "British Columbia Standard Time"} == set(table["announced"]["zones"])
    assert 2 == sum(
        link.startswith("https://techcommunity.microsoft.com/") for link in table["announced"]["source"]
    )
