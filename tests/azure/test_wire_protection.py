"""Vaults, keys, locks, restore points, replication and sizes: ARM JSON in, what protects a VM out."""

from datetime import UTC, datetime
from typing import Any

import pytest

from readiness.azure import wire, wire_governance, wire_storage, wire_vault
from readiness.azure.collection import collect
from readiness.azure.wire_values import MalformedError, moment, percent
from readiness.model.context import Context
from readiness.model.estate import Estate
from readiness.model.ids import ResourceId
from readiness.model.reference import Reference
from readiness.model.virtual_machine import Sighting
from tests.builders import SUBSCRIPTION, info, rid, vm_id

VAULT = rid("Microsoft.KeyVault/vaults", "kv1")
ITEM = (
    f"{rid('Microsoft.RecoveryServices/vaults', 'rsv1')}/backupFabrics/Azure/protectionContainers/c"
    "/protectedItems/VM;iaasvmcontainerv2;rg-app;vm1"
)


def resource(kind: str, name: str, *, properties: Any = None, **more: Any) -> dict[str, Any]:
    """Return a resource of the default group."""
    return {"id": rid(kind, name).text, "type": kind, "properties": properties or {}, **more}


def estate_of(*resources: dict[str, Any]) -> Estate:
    """Collect these resources into an estate."""
    placed = ((f"resources.jsonl:{number}", entry) for number, entry in enumerate(resources, start=1))
    return collect(placed).estate(info(), Context(), Reference(sizes_verified_on="2026-11-22"))


def test_a_vault_is_read() -> None:
    """Switches, policies and network rules arrive; names of rights are compared in lower case."""
    properties = {
        "enableSoftDelete": True,
        "enablePurgeProtection": True,
        "accessPolicies": [{"objectId": "ABC", "permissions": {"keys": ["Get", "unwrapKey"]}}],
        "networkAcls": {"defaultAction": "Deny", "bypass": "AzureServices"},
        "publicNetworkAccess": "Disabled",
    }
    found = wire_vault.vault(
        resource("Microsoft.KeyVault/vaults", "kv1", properties=properties, location="West Europe")
    )

    assert ("westeurope", True, True, False) == (
        found.location,
        found.soft_delete,
        found.purge_protection,
        found.uses_roles,
    )
    assert ("abc", ("get", "unwrapkey")) == (found.policies[0].principal, found.policies[0].keys)
    assert ("Deny", "AzureServices", "Disabled") == (found.default_action, found.bypass, found.public_access)


def test_a_key_is_read() -> None:
    """Key Vault counts seconds; the version is the last part of its address."""
    properties = {
        "kty": "RSA-HSM",
        "keySize": 3072,
        "attributes": {"enabled": True, "exp": 1830297600, "nbf": 1757489312},
        "keyUriWithVersion": "https://kv1.vault.azure.net/keys/key1/B0E0",
    }
    found = wire_vault.vault_key(
        resource("Microsoft.KeyVault/vaults/keys", "kv1/keys/key1", properties=properties)
    )

    assert ("RSA-HSM", 3072, True, "b0e0") == (found.kind, found.size, found.enabled, found.version)
    assert datetime(2028, 1, 1, tzinfo=UTC) == found.expires
    assert found.starts is not None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2023-05-13T10:11:12.1234567+00:00", datetime(2023, 5, 13, 10, 11, 12, 123456, tzinfo=UTC)),
        ("2023-05-13T10:11:12Z", datetime(2023, 5, 13, 10, 11, 12, tzinfo=UTC)),
        ("2023-05-13T10:11:12", datetime(2023, 5, 13, 10, 11, 12, tzinfo=UTC)),
        ("2023-05-13T10:11:12+02:00", datetime(2023, 5, 13, 8, 11, 12, tzinfo=UTC)),
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (None, None),
        ("", None),
    ],
)
def test_times(value: object, expected: datetime | None) -> None:
    """Every way in which Azure writes a time is read."""
    assert expected == moment({"t": value}, "t")


@pytest.mark.parametrize("value", ["soon", True, 10**20, 1.5, {}])
def test_no_times(value: object) -> None:
    """What is no time is malformed, and not simply absent."""
    with pytest.raises(MalformedError):
        moment({"t": value}, "t")


@pytest.mark.parametrize(
    ("value", "expected"), [(99.9, 99.9), (100.0, 100), (0, 0), ("40", 40), (None, None)]
)
def test_percentages(value: object, expected: float | None) -> None:
    """What is almost done is not done."""
    assert expected == percent({"p": value}, "p")


@pytest.mark.parametrize(
    ("scope", "held"),
    [
        (f"/subscriptions/{SUBSCRIPTION}", True),
        (f"/SUBSCRIPTIONS/{SUBSCRIPTION}/resourceGroups/RG-app", True),
        (vm_id().text, True),
        (f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-other", False),
        (vm_id("vm10").text, False),
    ],
)
def test_locks_are_inherited(scope: str, *, held: bool) -> None:
    """A lock holds what lies below it, in any letter case, and nothing beside it."""
    lock = {
        "id": f"{scope}/providers/Microsoft.Authorization/locks/l1",
        "type": "Microsoft.Authorization/locks",
        "properties": {"level": "ReadOnly"},
    }
    found = estate_of(lock).protection.locks_on((vm_id(),))

    assert (["ReadOnly"] if held else []) == [entry.level for entry in found]


def test_a_lock_on_nothing_is_a_gap() -> None:
    """What a lock holds is in its id alone."""
    odd = {"id": f"/subscriptions/{SUBSCRIPTION}/locks/l1", "type": "Microsoft.Authorization/locks"}

    assert ["Malformed"] == [gap.reason for gap in estate_of(odd).gaps]


def test_restore_points_inside_and_beside_their_collection() -> None:
    """Points count whether the collection lists them or they came alone."""
    inside = rid("Microsoft.Compute/restorePointCollections", "c1/restorePoints/p1")
    source = {"source": {"id": vm_id().text.upper()}}
    collection = resource(
        "Microsoft.Compute/restorePointCollections",
        "c1",
        properties={**source, "restorePoints": [{"id": inside.text}, {"name": "p2"}]},
    )
    alone = {
        "id": inside.text.replace("p1", "p3"),
        "type": "Microsoft.Compute/restorePointCollections/restorePoints",
    }
    found = estate_of(alone, collection).protection.restore_points_of(vm_id())

    assert ["p1", "p2", "p3"] == [point.name for entry in found for point in entry.points or ()]


def test_a_collection_without_its_points() -> None:
    """A collection that was read without its restore points does not say that there are none."""
    bare = resource(
        "Microsoft.Compute/restorePointCollections", "c1", properties={"source": {"id": vm_id().text}}
    )
    disks = resource(
        "Microsoft.Compute/restorePointCollections", "c2", properties={"source": {"id": f"{VAULT}"}}
    )
    orphan = resource("Microsoft.Compute/restorePointCollections", "c3")
    estate = estate_of(bare, disks, orphan)

    assert [None] == [entry.points for entry in estate.protection.restore_points_of(vm_id())]
    assert ["Malformed"] == [gap.reason for gap in estate.gaps]


def test_what_site_recovery_replicates() -> None:
    """A replicated item names its VM; other workloads are passed over."""
    kind = (
        "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers"
        "/replicationProtectedItems"
    )
    name = "rsv1/replicationFabrics/f/replicationProtectionContainers/c/replicationProtectedItems"
    head = rid("Microsoft.RecoveryServices/vaults", name).text
    details = {"instanceType": "A2A", "fabricObjectId": vm_id().text}
    item = {"id": f"{head}/i1", "type": kind, "properties": {"providerSpecificDetails": details}}
    foreign = {"id": f"{head}/i2", "type": kind, "properties": {"providerSpecificDetails": {}}}
    found = estate_of(item, foreign).protection

    assert [vm_id()] == [entry.vm for entry in found.replicated]
    assert found.replication_of(vm_id()) is not None


def test_a_recovery_point_of_an_encrypted_vm() -> None:
    """One such recovery point marks the item it belongs to."""
    kind = (
        "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints"
    )
    points = [
        {"id": f"{ITEM}/recoveryPoints/{name}", "type": kind, "properties": {"isSourceVMEncrypted": answer}}
        for name, answer in (("1", False), ("2", True))
    ]

    point = ResourceId(f"{ITEM}/recoveryPoints/2")
    assert {ResourceId(ITEM): point} == estate_of(*points).protection.encrypted_items
    assert {} == estate_of(points[0]).protection.encrypted_items


def test_grants_of_a_role() -> None:
    """The scope comes from the properties, or else from the id; conditions are noted."""
    role = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/E147"
    properties = {"principalId": "ABC", "roleDefinitionId": role, "condition": "x"}
    grant = wire_governance.role_grant(
        {"id": f"{VAULT}/providers/Microsoft.Authorization/roleAssignments/g", "properties": properties}
    )

    assert ("abc", "e147", VAULT.key, True) == (
        grant.principal,
        grant.role,
        grant.scope,
        grant.is_conditional,
    )
    with pytest.raises(MalformedError):
        wire_governance.role_grant({"id": "/x", "properties": {}})


def test_a_set_is_read() -> None:
    """All principals of a disk encryption set arrive, its own and those it was assigned."""
    found = wire_storage.disk_encryption_set(
        resource(
            "Microsoft.Compute/diskEncryptionSets",
            "des1",
            properties={"activeKey": {"keyUrl": "https://k", "sourceVault": {"id": VAULT.text}}},
            identity={
                "type": "SystemAssigned, UserAssigned",
                "principalId": "B",
                "userAssignedIdentities": {"/id": {"principalId": "A"}, "/other": None},
            },
        )
    )

    assert (("a", "b"), "https://k", VAULT) == (found.principals, found.key_url, found.source_vault)


def test_a_size_and_its_restrictions() -> None:
    """A size may be closed in a region, or in some of its zones."""
    sku = {
        "name": "Standard_NC4as_T4_v3",
        "locations": ["West Europe"],
        "capabilities": [{"name": "GPUs", "value": "1"}, {"name": "CpuArchitectureType", "value": "x64"}],
        "restrictions": [
            {"type": "Location", "reasonCode": "QuotaId"},
            {"type": "Zone", "reasonCode": "QuotaId", "restrictionInfo": {"zones": ["3", "1"]}},
        ],
    }
    [(key, found)] = wire_storage.skus(sku)

    assert (("standard_nc4as_t4_v3", "westeurope"), 1, "x64") == (key, found.gpus, found.architecture)
    assert ("QuotaId", ("1", "3")) == (found.restricted, found.restricted_zones)


def test_features_and_images() -> None:
    """Feature registrations and gallery images are found by what rules ask for."""
    feature = {
        "id": f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Features/providers/Microsoft.Compute"
        "/features/EncryptionAtHost",
        "name": "Microsoft.Compute/EncryptionAtHost",
        "type": "Microsoft.Features/providers/features",
        "properties": {"state": "Registered"},
    }
    older = {**feature, "properties": {"state": "Registering"}}
    image = resource(
        "Microsoft.Compute/galleries/images",
        "g/images/i",
        properties={"features": [{"name": "SecurityType", "value": "TrustedLaunch"}]},
    )
    for resources in ((feature, older, image), (image, older, feature)):
        found = estate_of(*resources).protection

        assert {(SUBSCRIPTION, "microsoft.compute/encryptionathost"): "Registered"} == found.features
        assert ["TrustedLaunch"] == [entry.security for entry in found.images.values()]


def test_encryption_in_the_guest_as_the_instance_view_tells_it() -> None:
    """Codes and settings count both; ordinary codes do not."""
    disks = [
        {"statuses": [{"code": "ProvisioningState/succeeded"}, {"code": "EncryptionState/notEncrypted"}]},
        {"encryptionSettings": [{"enabled": True}]},
        {"encryptionSettings": [{"enabled": False}]},
    ]
    view = {"instanceView": {"disks": disks, "osVersion": "9.6"}}
    found = wire.virtual_machine(resource("Microsoft.Compute/virtualMachines", "vm1", properties=view))

    assert (
        Sighting("properties.instanceView.disks[0].statuses[1].code", "EncryptionState/notEncrypted"),
        Sighting("properties.instanceView.disks[1].encryptionSettings[0].enabled", value=True),
    ) == found.encryption_signs
    assert "9.6" == found.os_version


def test_who_shares_a_disk() -> None:
    """Both lists of sharers are read, each VM once."""
    found = wire.disk(
        resource(
            "Microsoft.Compute/disks",
            "d",
            managedByExtended=[vm_id("vm2").text, vm_id().text.upper()],
            properties={"maxShares": 2, "shareInfo": [{"vmUri": vm_id().text}], "completionPercent": 99.5},
        )
    )

    assert (vm_id(), vm_id("vm2")) == found.sharers
    assert 99.5 == found.completion_percent
