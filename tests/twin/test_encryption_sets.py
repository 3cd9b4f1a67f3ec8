"""Disk encryption sets: made, granted, used, rotated and deleted through the real compute client."""

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from tests.twin.seeds import (
    COMPUTE,
    DATA_DISK,
    KEY,
    OS_DISK,
    SUBSCRIPTION,
    VM,
    Wire,
    deallocated,
    disk,
    estate,
)
from tests.twin.storage_seeds import NEW, TO_CUSTOMER_KEY, client_of, empty
from tests.twin.test_keys import VAULT, key, role, vault

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app"
ASSIGNED = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/keeper"
PRINCIPAL = "aaaaaaaa-0000-0000-0000-000000000001"
FIRST, SECOND = (f"https://kv-shop.vault.azure.net/keys/disks/{number * 32}" for number in "12")
CONFIDENTIAL = "ConfidentialVmEncryptedWithCustomerKey"


def version(url: str = FIRST, **attributes: Any) -> dict[str, Any]:
    """A seeded version of the key."""
    name = url.rsplit("/", 1)[-1]
    own = {"kty": "RSA", "keySize": 3072, "attributes": {"enabled": True, "created": 1, **attributes}}
    return {"id": f"{VAULT}/keys/disks/versions/{name}", "name": name, "properties": own}


def keeper() -> dict[str, Any]:
    """A seeded user-assigned identity, whose principal may have a role."""
    own = {"principalId": PRINCIPAL, "clientId": "bbbbbbbb-0000-0000-0000-000000000001"}
    return {"id": ASSIGNED, "name": "keeper", "location": "westeurope", "properties": own}


def place(*others: dict[str, Any], **rights: Any) -> Wire:
    """A twin with a vault, a key in two versions and no encryption set; its machine is off."""
    seed = estate(
        vault(**rights), key(), version(), version(SECOND, created=2), *others, machine=deallocated()
    )
    return Wire(*(each for each in seed if each["id"] != KEY or each in others))


def body(url: str | None = FIRST, **properties: Any) -> dict[str, Any]:
    """What makes an encryption set with an identity of its own."""
    active: dict[str, Any] = {"sourceVault": {"id": VAULT}, "keyUrl": url}
    own = {"activeKey": active, "encryptionType": "EncryptionAtRestWithCustomerKey", **properties}
    return {"location": "westeurope", "identity": {"type": "SystemAssigned"}, "properties": own}


def assigned(**properties: Any) -> dict[str, Any]:
    """What makes an encryption set with a user-assigned identity."""
    identity = {"type": "UserAssigned", "userAssignedIdentities": {ASSIGNED: {}}}
    return body(**properties) | {"identity": identity}


def grant(wire: Wire, principal: str) -> None:
    """Let a principal use the vault's keys, and wait until that acts."""
    given = role()
    own = {**given["properties"], "principalId": principal, "principalType": "ServicePrincipal"}
    assert 201 == wire.ask("PUT", given["id"], {"properties": own}).status
    wire.clock.sleep(120)


def test_a_set_is_made_first_and_granted_after():
    """A set of its own identity is made without any right; disks get its key once a role acts.

    Learn, "Enable customer-managed keys with server-side encryption - managed disks"; the refusal:
    https://github.com/hashicorp/terraform-provider-azurerm/issues/9177.
    """
    wire = place()
    sets = client_of(wire).disk_encryption_sets
    made = sets.begin_create_or_update("rg-app", "keys", body()).result()
    assert ("Succeeded", FIRST, None) == (
        made.properties.provisioning_state,
        made.properties.active_key.key_url,
        made.properties.previous_keys,
    )
    answer = wire.ask("PATCH", OS_DISK, TO_CUSTOMER_KEY)
    assert (400, "KeyVaultAccessForbidden") == (answer.status, answer.body["error"]["code"])
    words = (
        f"Unable to access key vault resource '{FIRST}' to enable encryption at rest. Please grant get, wrap"
    )
    assert answer.body["error"]["message"].startswith(words)
    assert "disk encryption set 'keys'" in answer.body["error"]["message"]
    grant(wire, made.identity.principal_id)
    assert "Succeeded" == wire.do("PATCH", OS_DISK, TO_CUSTOMER_KEY)["status"]
    assert [OS_DISK] == list(sets.list_associated_resources("rg-app", "keys"))
    assert ["keys"] == [each.name for each in sets.list()]


def test_a_new_principal_is_not_known_at_once():
    """A role for a set that was just made meets a directory that does not know its principal yet.

    Learn, "Troubleshoot Azure RBAC", principal not found.
    """
    wire = place()
    made = wire.do("PUT", KEY, body())["properties"]["output"]
    given = role()
    own = {**given["properties"], "principalId": made["identity"]["principalId"]}
    assert (400, "PrincipalNotFound") == wire.refused("PUT", given["id"], {"properties": own})
    wire.clock.sleep(30)
    assert 201 == wire.ask("PUT", given["id"], {"properties": own}).status


def test_a_user_assigned_identity_needs_its_role_first():
    """With a user-assigned identity the key is asked for when the set is made.

    https://github.com/Azure/ResourceModules/issues/285.
    """
    answer = place(keeper()).ask("PUT", KEY, assigned())
    assert (400, "KeyVaultAccessForbidden") == (answer.status, answer.body["error"]["code"])
    assert f"user-assigned identity '{ASSIGNED}'" in answer.body["error"]["message"]
    wire = place(keeper(), role())
    made = wire.do("PUT", KEY, assigned())["properties"]["output"]
    assert PRINCIPAL == made["identity"]["userAssignedIdentities"][ASSIGNED]["principalId"]
    assert "Succeeded" == wire.do("PATCH", OS_DISK, TO_CUSTOMER_KEY)["status"]


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        (body(None), (400, "InvalidParameter")),
        (body("https://kv-shop.vault.azure.net/keys/disks"), (400, "InvalidParameter")),
        (body("http://kv-shop.vault.azure.net/keys/disks/1"), (400, "InvalidParameter")),
        (body(FIRST.replace("kv-shop", "kv-other")), (400, "InvalidParameter")),
        (body(encryptionType="EncryptionAtRestWithPlatformKey"), (400, "InvalidParameter")),
        (
            body(encryptionType=CONFIDENTIAL, rotationToLatestKeyVersionEnabled=True),
            (400, "InvalidParameter"),
        ),
        (body() | {"location": "northeurope"}, (400, "InvalidParameter")),
        (body() | {"identity": None}, (400, "InvalidParameter")),
        (
            body(activeKey={"sourceVault": {"id": VAULT.replace("1111", "2222")}, "keyUrl": FIRST}),
            (400, "InvalidParameter"),
        ),
        (
            assigned(activeKey={"keyUrl": FIRST.replace("kv-shop", "kv-none")}),
            (400, "KeyVaultAccessForbidden"),
        ),
    ],
)
def test_a_set_that_cannot_be_is_refused(given, refusal):
    """Key, vault, region, subscription, type and identity have to fit, or nothing is made.

    Learn, "Server-side encryption of Azure managed disks", restrictions of customer-managed keys.
    """
    wire = place(keeper())
    assert refusal == wire.refused("PUT", KEY, given)
    assert 404 == wire.ask("GET", KEY).status


@pytest.mark.parametrize(
    ("rights", "changed", "code"),
    [
        ({"enablePurgeProtection": None}, version(), "KeyVaultNotRecoverable"),
        ({}, version(enabled=False), "KeyVaultKeyNotEnabled"),
        ({}, version(exp=1_000_000_000), "KeyVaultKeyExpired"),
    ],
)
def test_vaults_and_keys_are_asked_when_a_set_is_made(rights, changed, code):
    """A vault that can be purged and a key that is off or expired make no set.

    Learn, "Server-side encryption of Azure managed disks", requirements.
    """
    seed = [vault(**rights), key(), changed, keeper(), role()]
    wire = Wire(*(each for each in estate(*seed) if each["id"] != KEY))
    assert (400, code) == wire.refused("PUT", KEY, assigned())


def test_a_set_without_vaults_in_the_estate_is_taken_on_trust():
    """Where the twin holds no vault at all, nothing is asked of it."""
    wire = Wire(*(each for each in estate(machine=deallocated()) if each["id"] != KEY))
    wire.do("PUT", KEY, body())
    assert "Succeeded" == wire.do("PATCH", OS_DISK, TO_CUSTOMER_KEY)["status"]


def test_another_key_takes_the_disks_over():
    """A new key shows at once, with the old one beside it until all disks have it; the type never changes.

    Specification of Microsoft.Compute, example "Update a disk encryption set";
    https://learn.microsoft.com/rest/api/compute/disk-encryption-sets/update.
    """
    wire = place()
    made = wire.do("PUT", KEY, body())["properties"]["output"]
    grant(wire, made["identity"]["principalId"])
    change = {"properties": {"activeKey": {"sourceVault": {"id": VAULT}, "keyUrl": SECOND}}}
    answer = wire.ask("PATCH", KEY, change)
    assert (202, "Updating") == (answer.status, answer.body["properties"]["provisioningState"])
    told = wire.get(KEY)["properties"]
    assert ("Updating", SECOND, [FIRST]) == (
        told["provisioningState"],
        told["activeKey"]["keyUrl"],
        [each["keyUrl"] for each in told["previousKeys"]],
    )
    wire.clock.sleep(6)
    told = wire.get(KEY)["properties"]
    assert ("Succeeded", False) == (told["provisioningState"], "previousKeys" in told)
    assert told["lastKeyRotationTimestamp"].startswith("2026-11-01T")
    double = {"properties": {"encryptionType": "EncryptionAtRestWithPlatformAndCustomerKeys"}}
    assert (409, "PropertyChangeNotAllowed") == wire.refused("PATCH", KEY, double)


def test_a_key_out_of_reach_is_not_taken():
    """A rotation to a key that the set cannot use is refused, and the old key stays."""
    wire = place()
    wire.do("PUT", KEY, body())
    change = {"properties": {"activeKey": {"sourceVault": {"id": VAULT}, "keyUrl": SECOND}}}
    assert (400, "KeyVaultAccessForbidden") == wire.refused("PATCH", KEY, change)
    assert FIRST == wire.get(KEY)["properties"]["activeKey"]["keyUrl"]


def test_a_set_rotates_by_itself_within_an_hour():
    """With automatic rotation a set moves to its key's newest version, or tells why it could not.

    Learn, "Server-side encryption of Azure managed disks", automatic key rotation of customer-managed keys.
    """
    wire = place(keeper(), role())
    wire.do("PUT", KEY, assigned(rotationToLatestKeyVersionEnabled=True))
    wire.clock.sleep(3700)
    told = wire.get(KEY)["properties"]
    assert (SECOND, True) == (told["activeKey"]["keyUrl"], "lastKeyRotationTimestamp" in told)
    wire = place(version(SECOND, created=2, enabled=False), keeper(), role())
    wire.do("PUT", KEY, assigned(rotationToLatestKeyVersionEnabled=True))
    wire.clock.sleep(3700)
    told = wire.get(KEY)["properties"]
    assert (FIRST, "KeyVaultKeyNotEnabled") == (
        told["activeKey"]["keyUrl"],
        told["autoKeyRotationError"]["code"],
    )


def test_a_key_that_is_lost_keeps_its_machine_off():
    """A machine whose disk's key is switched off does not start, and its disk can still be read about.

    Learn, "Server-side encryption of Azure managed disks", customer-managed keys.
    """
    own = {"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": KEY}
    holder = body() | {"identity": {"type": "SystemAssigned", "principalId": PRINCIPAL}}
    seeded = {"id": KEY, "name": "keys", **holder}
    wire = place(seeded, disk("web-1-os", encryption=own), role(), version(enabled=False))
    assert (400, "KeyVaultKeyNotEnabled") == wire.refused("POST", f"{VM}/start")
    assert (400, "KeyVaultKeyNotEnabled") == wire.refused("PATCH", DATA_DISK, TO_CUSTOMER_KEY)
    assert (400, "KeyVaultKeyNotEnabled") == wire.refused("PUT", NEW, empty(**TO_CUSTOMER_KEY["properties"]))
    assert "Reserved" == wire.get(OS_DISK)["properties"]["diskState"]


def test_a_key_is_lost_between_two_disks():
    """Scripted: the set loses its key after the first disk; the second write is refused, the first stays."""
    trouble = {"kind": "key-lost", "resource": "keys", "operation": "disks/write", "nth": 2}
    wire = Wire(*estate(machine=deallocated()), faults=[trouble])
    wire.do("PATCH", OS_DISK, TO_CUSTOMER_KEY)
    assert (400, "KeyVaultAccessForbidden") == wire.refused("PATCH", DATA_DISK, TO_CUSTOMER_KEY)
    assert "EncryptionAtRestWithCustomerKey" == wire.get(OS_DISK)["properties"]["encryption"]["type"]
    assert "EncryptionAtRestWithPlatformKey" == wire.get(DATA_DISK)["properties"]["encryption"]["type"]


def test_a_set_in_use_stays():
    """A set is deleted only after the last disk and snapshot has let go of it, through the SDK."""
    wire = place(keeper(), role())
    sets = client_of(wire).disk_encryption_sets
    sets.begin_create_or_update("rg-app", "keys", assigned()).result()
    wire.do("PATCH", OS_DISK, TO_CUSTOMER_KEY)
    with pytest.raises(HttpResponseError) as caught:
        sets.begin_delete("rg-app", "keys")
    assert (409, "OperationNotAllowed") == (caught.value.status_code, caught.value.error.code)
    wire.do(
        "PUT",
        OS_DISK,
        {"location": "westeurope", "properties": {"encryption": {"type": "EncryptionAtRestWithPlatformKey"}}},
    )
    sets.begin_delete("rg-app", "keys").result()
    assert 404 == wire.ask("GET", KEY).status


def test_an_identity_that_is_switched_on_again_is_a_new_one():
    """None and then SystemAssigned, the way out after a move between tenants, makes another principal."""
    wire = place()
    first = wire.do("PUT", KEY, body())["properties"]["output"]["identity"]["principalId"]
    wire.do("PATCH", KEY, {"identity": {"type": "None"}})
    assert "identity" not in wire.get(KEY)
    wire.do("PATCH", KEY, {"identity": {"type": "SystemAssigned"}})
    assert first != wire.get(KEY)["identity"]["principalId"]


def test_confidential_keys_wait_for_their_machines():
    """The key of a confidential set changes only while every machine of it is deallocated.

    Learn, "Rotate customer-managed keys for confidential virtual machines".
    """
    seeded = {"id": KEY, "name": "keys", **body(encryptionType=CONFIDENTIAL)}
    security = {
        "securityType": "ConfidentialVM_DiskEncryptedWithCustomerKey",
        "secureVMDiskEncryptionSetId": KEY,
    }
    wire = Wire(*estate(seeded, disk("web-1-os", securityProfile=security)))
    change = {"properties": {"activeKey": {"keyUrl": SECOND}}}
    assert (409, "OperationNotAllowed") == wire.refused("PATCH", KEY, change)
    wire.do("POST", f"{VM}/deallocate")
    assert 202 == wire.ask("PATCH", KEY, change).status
    assert [f"{COMPUTE}/disks/web-1-os"] == wire.get(f"{KEY}/associatedResources")["value"]
