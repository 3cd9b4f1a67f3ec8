"""Whom an entry of the context speaks of, and how choices lie over one another."""

from datetime import date
from typing import Any

import pytest

from readiness.model.context import Choice, Match, RuleException, TrustedLaunchChoice, overlay
from readiness.model.ids import ResourceId
from readiness.model.verdict import Dimension
from tests.builders import ENCRYPTION_SET, SUBSCRIPTION, vm, vm_id

VM = vm(name="Web-01", id=vm_id("Web-01", group="RG-Shop"), tags={"env": "prod", "tier": ""})
HITS: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"ids": (ResourceId(VM.id.text.upper()),)}, True),
    ({"ids": (vm_id("other"),)}, False),
    ({"ids": (ResourceId(f"/subscriptions/{SUBSCRIPTION}"),)}, True),
    ({"ids": (ResourceId(f"/subscriptions/{SUBSCRIPTION[:-1]}"),)}, False),
    ({"ids": (ResourceId(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-SHOP"),)}, True),
    ({"ids": (ResourceId(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-sho"),)}, False),
    ({"names": ("web-01",)}, True),
    ({"names": ("other", "WEB-*")}, True),
    ({"names": ("web-0?",)}, True),
    ({"names": ("web-[2-9]*",)}, False),
    ({"names": ("web",)}, False),
    ({"resource_groups": ("rg-shop",)}, True),
    ({"resource_groups": ("rg-*",)}, False),
    ({"tags": {"env": "prod"}}, True),
    ({"tags": {"env": "prod", "tier": ""}}, True),
    ({"tags": {"env": "PROD"}}, False),
    ({"tags": {"owner": ""}}, False),
    ({"tags": {"ENV": "prod"}}, True),
    ({"applications": ("shop",)}, True),
    ({"applications": ("Shop",)}, False),
    ({"names": ("web-*",), "tags": {"env": "prod"}, "applications": ("shop", "other")}, True),
    ({"names": ("web-*",), "tags": {"env": "test"}}, False),
]


@pytest.mark.parametrize(("fields", "expected"), HITS, ids=str)
def test_hits(fields: dict[str, Any], expected: bool) -> None:  # noqa: FBT001  a table's column
    """Every field that is given must hit; an empty match hits every VM."""
    assert expected is Match(**fields).hits(VM, "shop")


def test_a_vm_without_application_is_in_none() -> None:
    """A match on applications does not hit a VM that belongs to nobody."""
    assert not Match(applications=("shop",)).hits(VM)


def test_later_choices_lie_on_top() -> None:
    """A part that is chosen later replaces the earlier one, False included; what is not chosen stays."""
    first = Choice(trusted_launch=TrustedLaunchChoice(), encryption_at_host=True)
    second = Choice(disk_encryption_set=ENCRYPTION_SET, encryption_at_host=False)
    expected = Choice(
        trusted_launch=TrustedLaunchChoice(), disk_encryption_set=ENCRYPTION_SET, encryption_at_host=False
    )

    assert expected == overlay((first, second))
    assert Choice() == overlay(())


@pytest.mark.parametrize(
    ("changes", "as_of", "expected"),
    [
        ({"rule": "TL002"}, date(2026, 11, 2), True),
        ({"rule": "TL002"}, date(2026, 11, 3), False),
        ({"rule": "TL003"}, date(2026, 11, 2), False),
        ({"dimension": Dimension.TRUSTED_LAUNCH}, date(2026, 11, 2), True),
        ({"dimension": Dimension.CMK}, date(2026, 11, 2), False),
    ],
)
def test_an_exception_covers_until_its_last_day(changes: dict[str, Any], as_of: date, expected: bool) -> None:  # noqa: FBT001
    """An exception covers its rule or dimension up to and including the day it expires."""
    facts = {"id": "E", "match": Match(), "owner": "a", "reason": "r", "approved_by": "b", **changes}
    entry = RuleException(expires=date(2026, 11, 2), **facts)

    assert expected is entry.covers("TL002", Dimension.TRUSTED_LAUNCH, as_of)
