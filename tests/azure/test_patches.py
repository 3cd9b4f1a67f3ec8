"""Patches: what counts as in place, and what a write must say so that nothing else is lost."""

from typing import Any

import pytest

from readiness.azure.patches import encryption_patch, holds, with_system_identity, without_system_identity
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


@pytest.mark.parametrize(
    ("there", "added", "removed"),
    [
        ((), {"type": "SystemAssigned"}, {"type": "None"}),
        (
            (ONE, TWO),
            {
                "type": "SystemAssigned, UserAssigned",
                "userAssignedIdentities": {ONE.text: {}, TWO.text: {}},
            },
            {"type": "UserAssigned", "userAssignedIdentities": {ONE.text: {}, TWO.text: {}}},
        ),
    ],
)
def test_identities_there_are_named(
    there: tuple[ResourceId, ...], added: dict[str, Any], removed: dict[str, Any]
) -> None:
    """Every user-assigned identity is named in both directions: a PATCH drops what it does not name."""
    assert added == with_system_identity(Identity(user_assigned=there))
    assert removed == without_system_identity(Identity(system_assigned=True, user_assigned=there))


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
