"""Patches: what counts as in place, and what a write must say so that nothing else is lost."""

from typing import Any

import pytest

from readiness.azure.patches import (
    encryption_patch,
    holds,
    moves_default,
    with_identities,
    without_identities,
)
from readiness.model.disk import Encryption, EncryptionType
from readiness.model.ids import ResourceId
from readiness.model.virtual_machine import Identity

SET = ResourceId("/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/diskEncryptionSets/d")
ONE, TWO = (
    ResourceId(f"/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/u/{n}") for n in "ab"
)
STANDARD = {"securityProfile": {"securityType": "Standard", "uefiSettings": None}}
TRUSTED = {"securityProfile": {"securityType": "TrustedLaunch", "uefiSettings": {"vTpmEnabled": True}}}
AT_HOST = {"securityProfile": {"encryptionAtHost": True}}


@pytest.mark.parametrize(
    ("resource", "patch", "expected"),
    [
        ({}, {}, True),
        (None, {}, True),
        ({}, STANDARD, True),
        (None, STANDARD, True),
        ({"securityProfile": None}, STANDARD, True),
        ({"securityProfile": {"securityType": "Standard"}}, STANDARD, True),
        ({"securityProfile": {"uefiSettings": {"vTpmEnabled": False}}}, STANDARD, True),
        ({"securityProfile": {"uefiSettings": {"vTpmEnabled": True}}}, STANDARD, False),
        (TRUSTED, STANDARD, False),
        ({}, TRUSTED, False),
        (TRUSTED, TRUSTED, True),
        ({"securityProfile": {"securityType": "TrustedLaunch"}}, TRUSTED, False),
        ({"securityProfile": TRUSTED["securityProfile"] | {"more": 1}, "x": 2}, TRUSTED, True),
        ({"securityProfile": "odd"}, TRUSTED, False),
        ({}, AT_HOST, False),
        ({"securityProfile": {"encryptionAtHost": True}}, AT_HOST, True),
        ({"securityProfile": {"encryptionAtHost": "true"}}, AT_HOST, False),
        ({}, {"securityProfile": {"encryptionAtHost": False}}, True),
    ],
)
def test_what_counts_as_in_place(resource: Any, patch: dict[str, Any], expected: bool) -> None:  # noqa: FBT001
    """A patch is in place if the resource shows all of it; standard, off and absent are the same."""
    assert expected is holds(resource, patch)


BOTH = "SystemAssigned, UserAssigned"
NONE, OWN = Identity(), Identity(system_assigned=True)
ADDED: dict[str, tuple[Identity, bool, tuple[ResourceId, ...], dict[str, Any]]] = {
    "its own to none": (NONE, True, (), {"type": "SystemAssigned"}),
    "its own to named ones": (
        Identity(user_assigned=(ONE, TWO)),
        True,
        (),
        {"type": BOTH, "userAssignedIdentities": {ONE.text: {}, TWO.text: {}}},
    ),
    "a named one to none": (
        NONE,
        False,
        (ONE,),
        {"type": "UserAssigned", "userAssignedIdentities": {ONE.text: {}}},
    ),
    "a named one to its own": (OWN, False, (ONE,), {"type": BOTH, "userAssignedIdentities": {ONE.text: {}}}),
    "all at once, one of them there": (
        Identity(user_assigned=(ONE,)),
        True,
        (ONE, TWO),
        {"type": BOTH, "userAssignedIdentities": {ONE.text: {}, TWO.text: {}}},
    ),
}


@pytest.mark.parametrize("case", ADDED)
def test_identities_are_added(case: str) -> None:
    """Every identity that is there is named beside the new ones: nothing is lost by a write."""
    there, system, named, expected = ADDED[case]
    assert expected == with_identities(there, Identity(system_assigned=system, user_assigned=named))


REMOVED: dict[str, tuple[Identity, bool, tuple[ResourceId, ...], dict[str, Any]]] = {
    "its own": (OWN, True, (), {"type": "None"}),
    "its own beside named ones": (
        Identity(system_assigned=True, user_assigned=(ONE, TWO)),
        True,
        (),
        {"type": "UserAssigned", "userAssignedIdentities": {ONE.text: {}, TWO.text: {}}},
    ),
    "one of two": (
        Identity(system_assigned=True, user_assigned=(ONE, TWO)),
        False,
        (TWO,),
        {"type": BOTH, "userAssignedIdentities": {ONE.text: {}, TWO.text: None}},
    ),
    "the only named one": (
        Identity(system_assigned=True, user_assigned=(ONE,)),
        False,
        (ONE,),
        {"type": "SystemAssigned"},
    ),
    "everything": (Identity(system_assigned=True, user_assigned=(ONE,)), True, (ONE,), {"type": "None"}),
}


@pytest.mark.parametrize("case", REMOVED)
def test_identities_are_taken_away(case: str) -> None:
    """Only what was asked for goes."""
    there, system, named, expected = REMOVED[case]
    assert expected == without_identities(there, Identity(system_assigned=system, user_assigned=named))


@pytest.mark.parametrize(
    ("there", "system", "named", "expected"),
    [
        (NONE, True, (), False),
        (NONE, True, (ONE, TWO), False),
        (Identity(user_assigned=(ONE,)), True, (), True),
        (Identity(user_assigned=(ONE,)), False, (TWO,), True),
        (Identity(user_assigned=(ONE,)), False, (ONE,), False),
        (Identity(user_assigned=(ONE, TWO)), True, (), False),
        (Identity(system_assigned=True, user_assigned=(ONE,)), False, (TWO,), False),
    ],
)
def test_the_default_identity_changes_beside_an_only_one(
    there: Identity,
    system: bool,  # noqa: FBT001
    named: tuple[ResourceId, ...],
    expected: bool,  # noqa: FBT001
) -> None:
    """A program that names no identity gets another, or none, once its only one is joined by others."""
    assert expected is moves_default(there, Identity(system_assigned=system, user_assigned=named))


@pytest.mark.parametrize(
    ("encryption", "expected"),
    [
        (Encryption(type=EncryptionType.PLATFORM_KEY), {"type": "EncryptionAtRestWithPlatformKey"}),
        (
            Encryption(type=EncryptionType.PLATFORM_KEY, disk_encryption_set=SET),
            {"type": "EncryptionAtRestWithPlatformKey"},
        ),
        (
            Encryption(type=EncryptionType.CUSTOMER_KEY, disk_encryption_set=SET),
            {"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": SET.text},
        ),
    ],
)
def test_only_a_customers_key_names_its_set(encryption: Encryption, expected: dict[str, Any]) -> None:
    """A disk under the platform's key names no set, even where one is left over."""
    assert expected == encryption_patch(encryption)
