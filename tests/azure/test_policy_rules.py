"""Rules of policies, judged without Azure: what surely holds, what does not, and what depends on more."""

from typing import Any

import pytest

from readiness.azure.policy_rules import UNCLEAR, judged, settled

DISK: dict[str, Any] = {
    "id": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/disks/data-1",
    "type": "Microsoft.Compute/disks",
    "name": "data-1",
    "location": "westeurope",
    "tags": {"Owner": "shop", "cost center": "7"},
}
ALIAS = "Microsoft.Compute/disks/networkAccessPolicy"
YES = {"field": "type", "equals": "microsoft.compute/DISKS"}
NO = {"field": "type", "equals": "Microsoft.Compute/snapshots"}
OPEN = {"field": ALIAS, "notEquals": "DenyAll"}
VALUES = {"tag": "owner", "regions": ["West Europe", "northeurope"], "unset": UNCLEAR}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (YES, True),
        (NO, False),
        (OPEN, None),
        ({"not": NO}, True),
        ({"not": OPEN}, None),
        ({"allOf": [YES, NO, OPEN]}, False),
        ({"allOf": [YES, OPEN]}, None),
        ({"allOf": [YES, {"not": NO}]}, True),
        ({"allof": [NO, OPEN]}, False),
        ({"anyOf": [OPEN, YES]}, True),
        ({"anyOf": [OPEN, NO]}, None),
        ({"anyOf": [NO, NO]}, False),
        ({"field": "type", "in": ["x", "Microsoft.Compute/disks"]}, True),
        ({"field": "type", "notIn": ["x"]}, True),
        ({"field": "type", "like": "Microsoft.Compute/*"}, True),
        ({"field": "type", "notLike": "Microsoft.Compute/*"}, False),
        ({"field": "name", "like": "data-[0-9]"}, False),
        ({"field": "name", "contains": "TA-"}, True),
        ({"field": "name", "notContains": "web"}, True),
        ({"field": "kind", "exists": "false"}, True),
        ({"field": "kind", "notEquals": "x"}, True),
        ({"field": "location", "notIn": "[parameters('regions')]"}, False),
        ({"field": "location", "equals": "West Europe"}, True),
        ({"field": "tags", "exists": True}, True),
        ({"field": "tags['owner']", "exists": "false"}, False),
        ({"field": "tags.Owner", "equals": "SHOP"}, True),
        ({"field": "tags[cost center]", "equals": "7"}, True),
        ({"field": "tags['team']", "exists": False}, True),
        ({"field": "[concat('tags[', parameters('tag'), ']')]", "exists": "false"}, False),
        ({"field": "[concat('tags[''', parameters('tag'), ''']')]", "exists": "true"}, True),
        ({"field": "[concat('tags[', parameters('unset'), ']')]", "exists": "false"}, None),
        ({"field": "[field('type')]", "equals": "x"}, None),
        ({"field": "tags['team']", "notEquals": "x"}, True),
        ({"field": "tags['team']", "notEquals": ""}, None),
        ({"field": "tags['team']", "equals": ""}, None),
        ({"field": "tags['team']", "notIn": ["x", ""]}, None),
        ({"field": "tags['cost center']", "notEquals": 7}, None),
        ({"field": "tags['cost center']", "in": [7, "8"]}, None),
        ({"field": "tags['owner']", "equals": True}, False),
        ({"field": "name", "notIn": "data-1"}, None),
        ({"field": "tags[*]", "exists": "false"}, None),
        ({"field": "type", "equals": "[parameters('unset')]"}, None),
        ({"field": "type", "equals": "[parameters('missing')]"}, None),
        ({"value": "[resourceGroup().location]", "equals": "x"}, None),
        ({"value": "[parameters('tag')]", "equals": "OWNER"}, True),
        ({"field": "name", "match": "data-#"}, None),
        ({"count": {"field": "x[*]"}, "greater": 0}, None),
        ({"field": "type"}, None),
        ({}, None),
        (None, None),
        ("text", None),
    ],
)
def test_a_rule_is_judged_as_far_as_it_shows(rule: object, expected: bool | None) -> None:  # noqa: FBT001
    """What every resource has decides at once; anything else leaves it open and is no verdict."""
    assert expected is judged(rule, DISK, VALUES).holds


@pytest.mark.parametrize(
    ("rule", "tags", "expected"),
    [
        ({"field": "tags['team']", "exists": False}, {"team": UNCLEAR}, None),
        ({"field": "tags.Team", "equals": "x"}, {"team": UNCLEAR}, None),
        ({"field": "tags['owner']", "exists": False}, {"team": UNCLEAR}, True),
        ({"field": "tags", "exists": False}, {"team": UNCLEAR}, None),
        ({"field": "tags['owner']", "exists": False}, UNCLEAR, None),
        ({"field": "tags", "exists": False}, UNCLEAR, None),
        ({"field": "type", "equals": "x"}, UNCLEAR, False),
    ],
)
def test_tags_that_somebody_may_write_are_open(rule: object, tags: object, expected: bool | None) -> None:  # noqa: FBT001
    """What a tag will say is not taken from what it says now, where another policy may write it."""
    assert expected is judged(rule, DISK | {"tags": tags}, VALUES).holds


def test_what_it_depends_on_is_named_once() -> None:
    """An open answer names the conditions behind it, and none of those that do not matter any more."""
    other = {"field": "Microsoft.Compute/disks/sku.name", "equals": "x"}
    told = judged({"allOf": [YES, OPEN, OPEN, {"anyOf": [NO, other]}, {"anyOf": [YES, OPEN]}]}, DISK, VALUES)
    assert (ALIAS, "Microsoft.Compute/disks/sku.name") == told.unclear
    assert () == judged({"allOf": [NO, OPEN]}, DISK, VALUES).unclear


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("plain", "plain"),
        ("[[literal]", "[literal]"),
        ("[open", "[open"),
        (7, 7),
        (None, None),
        (["a", "[parameters('tag')]"], ["a", "owner"]),
        (["a", "[parameters('unset')]"], UNCLEAR),
        ("[PARAMETERS('TAG')]", "owner"),
        ("[concat('a', 'b''c')]", "ab'c"),
        ("[concat('a', toLower('B'))]", UNCLEAR),
        ("[if(true, 'a', 'b')]", UNCLEAR),
    ],
)
def test_expressions_are_worked_out_or_left_to_azure(said: object, expected: object) -> None:
    """Parameters and joined texts have a value here; every other expression has none, and no wrong one."""
    assert expected == settled(said, VALUES)
