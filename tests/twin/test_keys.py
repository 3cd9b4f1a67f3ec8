"""Key vaults and keys through the real Key Vault management client, and who may encrypt disks with a key."""

from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.mgmt.keyvault import KeyVaultManagementClient

from readiness.twin.arm.key_access import Holder, KeyAccess, key_access
from readiness.twin.credential import TwinCredential
from readiness.twin.transport import TwinTransport
from tests.twin.seeds import SUBSCRIPTION, Wire, estate

SUB = f"/subscriptions/{SUBSCRIPTION}"
VAULTS = f"{SUB}/resourceGroups/rg-app/providers/Microsoft.KeyVault/vaults"
VAULT = f"{VAULTS}/kv-shop"
TENANT = "99999999-2222-3333-4444-555555555555"
PRINCIPAL = "aaaaaaaa-0000-0000-0000-000000000001"
ENCRYPTION_USER = "e147488a-f6f5-4113-8e2d-b22465e65bf6"
HOLDER = Holder(principal_id=PRINCIPAL, named="disk encryption set 'keys'", encryption_set="keys")


def body(**properties: Any) -> dict[str, Any]:
    """What makes a vault."""
    own = {"tenantId": TENANT, "sku": {"family": "A", "name": "premium"}, **properties}
    return {"location": "westeurope", "properties": own}


def vault(**properties: Any) -> dict[str, Any]:
    """A seeded vault that disks can be encrypted from, as far as its settings go."""
    own = {
        "enableRbacAuthorization": True,
        "enableSoftDelete": True,
        "enablePurgeProtection": True,
        "vaultUri": "https://kv-shop.vault.azure.net/",
        **properties,
    }
    return {"id": VAULT, "name": "kv-shop", **body(**own)}


def key(attributes: dict[str, Any] | None = None, **properties: Any) -> dict[str, Any]:
    """A seeded RSA key."""
    own = {"kty": "RSA", "keySize": 3072, "attributes": {"enabled": True, **(attributes or {})}, **properties}
    return {"id": f"{VAULT}/keys/disks", "name": "disks", "properties": own}


def role(scope: str = VAULT, guid: str = ENCRYPTION_USER, **properties: Any) -> dict[str, Any]:
    """A seeded role assignment of the principal."""
    definition = f"{SUB}/providers/Microsoft.Authorization/roleDefinitions/{guid}"
    own = {"roleDefinitionId": definition, "principalId": PRINCIPAL, **properties}
    name = "00000000-0000-0000-0000-00000000000a"
    return {"id": f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}", "properties": own}


def client_of(wire: Wire) -> KeyVaultManagementClient:
    """The real client, on a twin."""
    return KeyVaultManagementClient(TwinCredential(), SUBSCRIPTION, transport=TwinTransport(wire.twin))


def access(*seed: dict[str, Any], url: str = "https://kv-shop.vault.azure.net/keys/disks") -> KeyAccess:
    """What comes of asking for the key of an estate."""
    wire = Wire(*estate(*seed))
    return key_access(wire.twin._world.state, url, HOLDER, wire.clock.now())


def test_a_vault_is_made_and_found_by_the_sdk():
    """A new vault registers its name first, then succeeds; lists of group and subscription have it.

    Learn, "Vaults - Create Or Update", https://learn.microsoft.com/rest/api/keyvault/keyvault/vaults.
    """
    wire = Wire()
    vaults = client_of(wire).vaults
    raw = wire.ask("PUT", f"{VAULTS}/kv-other", body())
    assert (200, "RegisteringDns") == (raw.status, raw.body["properties"]["provisioningState"])
    made = vaults.begin_create_or_update("rg-app", "kv-shop", body(enablePurgeProtection=True)).result()
    assert ("Succeeded", "https://kv-shop.vault.azure.net/") == (
        made.properties.provisioning_state,
        made.properties.vault_uri,
    )
    assert (True, 90, True) == (
        made.properties.enable_soft_delete,
        made.properties.soft_delete_retention_in_days,
        made.properties.enable_purge_protection,
    )
    assert ["kv-other", "kv-shop"] == [each.name for each in vaults.list_by_resource_group("rg-app")]
    assert 2 == len(list(vaults.list_by_subscription()))
    assert ["kv-other", "kv-shop"] == [each.name for each in vaults.list()]


@pytest.mark.parametrize(("version", "by_roles"), [("2025-05-01", None), ("2026-02-01", True)])
def test_new_vaults_are_opened_by_roles_since_2026(version, by_roles):
    """From 2026-02-01 on a vault of which nothing is said has role-based access.

    Learn, "Prepare for Key Vault API version 2026-02-01 and later",
    https://learn.microsoft.com/azure/key-vault/general/access-control-default.
    """
    wire = Wire()
    made = wire.ask("PUT", VAULT, body(), version=version).body
    assert by_roles is made["properties"].get("enableRbacAuthorization")


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"enablePurgeProtection": False}, 'The property "enablePurgeProtection" cannot be set to false.'),
        (
            {"enableSoftDelete": False},
            'The property "enableSoftDelete" can be set to false only for creating',
        ),
        ({"softDeleteRetentionInDays": 7}, 'The property "softDeleteRetentionInDays" has been set already'),
    ],
)
def test_what_protects_a_vault_is_never_taken_back(properties, words):
    """Purge protection, soft delete and its retention cannot be changed.

    https://github.com/Azure/azure-cli/issues/29115 and https://github.com/Azure/azure-cli/issues/13006.
    """
    wire = Wire(*estate(vault(softDeleteRetentionInDays=90)))
    with pytest.raises(HttpResponseError, match=words) as caught:
        client_of(wire).vaults.update("rg-app", "kv-shop", {"properties": properties})
    assert (400, "BadRequest") == (caught.value.status_code, caught.value.error.code)


def test_names_are_taken_by_living_and_deleted_vaults():
    """A name in use, a name in deleted state and a name that cannot be are told apart.

    Learn, "Vaults - Check Name Availability"; the sentence for a deleted vault:
    https://github.com/Azure/azure-cli/issues/29115.
    """
    wire = Wire(*estate(vault()))
    vaults = client_of(wire).vaults
    asked = {"name": "kv-shop", "type": "Microsoft.KeyVault/vaults"}
    assert "AlreadyExists" == vaults.check_name_availability(asked).reason
    assert vaults.check_name_availability(asked | {"name": "kv-free"}).name_available
    assert "AccountNameInvalid" == vaults.check_name_availability(asked | {"name": "1--x"}).reason
    elsewhere = VAULT.replace("rg-app", "rg-two")
    wire.ask("PUT", f"{SUB}/resourceGroups/rg-two", {"location": "westeurope"})
    assert (409, "VaultAlreadyExists") == wire.refused("PUT", elsewhere, body())
    vaults.delete("rg-app", "kv-shop")
    with pytest.raises(ResourceExistsError, match="already exists in deleted state") as caught:
        vaults.begin_create_or_update("rg-app", "kv-shop", body())
    assert "ConflictError" == caught.value.error.code


def test_a_deleted_vault_returns_with_its_keys():
    """A deleted vault is listed, recovered by createMode, and has its keys again.

    Learn, "Azure Key Vault recovery management",
    https://learn.microsoft.com/azure/key-vault/general/key-vault-recovery.
    """
    wire = Wire(*estate(vault(), key()))
    client = client_of(wire)
    client.vaults.delete("rg-app", "kv-shop")
    with pytest.raises(ResourceNotFoundError):
        client.vaults.get("rg-app", "kv-shop")
    found = client.vaults.get_deleted("kv-shop", "westeurope")
    assert (VAULT, True) == (found.properties.vault_id, found.properties.purge_protection_enabled)
    assert timedelta(days=90) == found.properties.scheduled_purge_date - found.properties.deletion_date
    assert ["kv-shop"] == [each.name for each in client.vaults.list_deleted()]
    client.vaults.begin_create_or_update("rg-app", "kv-shop", body(createMode="recover")).result()
    assert 3072 == client.keys.get("rg-app", "kv-shop", "disks").key_size
    assert [] == list(client.vaults.list_deleted())


def test_purging_needs_a_vault_without_purge_protection():
    """A protected vault cannot be purged before its time; another one is gone for good.

    https://learn.microsoft.com/azure/key-vault/general/soft-delete-overview; the sentence of the refusal:
    https://stackoverflow.com/a/64094916.
    """
    wire = Wire(*estate(vault()))
    vaults = client_of(wire).vaults
    vaults.delete("rg-app", "kv-shop")
    with pytest.raises(HttpResponseError, match="Operation 'DeletedVaultPurge' is not allowed") as caught:
        vaults.begin_purge_deleted("kv-shop", "westeurope")
    assert (405, "MethodNotAllowed") == (caught.value.status_code, caught.value.error.code)
    wire.clock.sleep(91 * 86400)
    assert [] == list(vaults.list_deleted())
    vaults.begin_create_or_update("rg-app", "kv-shop", body()).result()
    vaults.delete("rg-app", "kv-shop")
    vaults.begin_purge_deleted("kv-shop", "westeurope").result()
    assert [] == list(vaults.list_deleted())
    assert 200 == wire.ask("PUT", VAULT, body()).status


def test_access_policies_are_added_and_removed():
    """Adding merges permissions into the policy of the same principal; removing takes them out of it.

    Learn, "Vaults - Update Access Policy".
    """
    wire = Wire(*estate(vault(enableRbacAuthorization=False)))
    vaults = client_of(wire).vaults

    def change(word: str, *names: str) -> list[Any]:
        policy = {"tenantId": TENANT, "objectId": PRINCIPAL, "permissions": {"keys": list(names)}}
        given = {"properties": {"accessPolicies": [policy]}}
        policies = vaults.update_access_policy("rg-app", "kv-shop", word, given).properties.access_policies
        return [each.permissions.keys_property for each in policies]

    assert [["get"]] == change("add", "get")
    assert [["get", "wrapKey", "unwrapKey"]] == change("add", "get", "wrapKey", "unwrapKey")
    assert [["get", "unwrapKey"]] == change("remove", "wrapKey")
    assert [["get"]] == change("replace", "get")


def test_a_vault_of_which_little_is_seeded_is_served_like_any_other():
    """A vault and an access policy without their usual properties are read, changed and asked for keys."""
    bare = {"id": VAULT, "location": "westeurope"}
    wire = Wire(*estate(bare))
    made = wire.ask("PUT", f"{VAULT}/keys/new", {"properties": {"kty": "RSA"}})
    assert "https://kv-shop.vault.azure.net/keys/new" == made.body["properties"]["keyUri"]
    policy = {"objectId": PRINCIPAL, "permissions": {"keys": ["get"]}}
    given = {"properties": {"accessPolicies": [policy, {"objectId": "other"}]}}
    answer = wire.ask("PUT", f"{VAULT}/accessPolicies/add", given)
    assert [policy] == answer.body["properties"]["accessPolicies"]
    assert {"a": "b"} == wire.ask("PATCH", VAULT, {"tags": {"a": "b"}}).body["tags"]
    assert "KeyVaultAccessForbidden" == getattr(
        access(bare, {"id": f"{VAULT}/keys/disks"}).refusal, "code", ""
    )
    rights = {"enableRbacAuthorization": True, "enablePurgeProtection": True}
    assert access(bare | {"properties": rights}, {"id": f"{VAULT}/keys/disks"}, role()).refusal is None


def test_a_key_is_made_once():
    """PUT makes the first version; a second PUT answers the key that is there, unchanged.

    Learn, "Keys - Create If Not Exist", https://learn.microsoft.com/rest/api/keyvault/keyvault/keys.
    """
    wire = Wire(*estate(vault()))
    keys = client_of(wire).keys
    made = keys.create_if_not_exist(
        "rg-app", "kv-shop", "new", {"properties": {"kty": "RSA", "keySize": 4096}}
    )
    assert made.key_uri_with_version.startswith("https://kv-shop.vault.azure.net/keys/new/")
    again = keys.create_if_not_exist(
        "rg-app", "kv-shop", "new", {"properties": {"kty": "RSA", "keySize": 2048}}
    )
    assert (4096, made.key_uri_with_version) == (again.key_size, again.key_uri_with_version)
    version = made.key_uri_with_version.rsplit("/", 1)[-1]
    assert [version] == [each.name for each in keys.list_versions("rg-app", "kv-shop", "new")]
    assert 4096 == keys.get_version("rg-app", "kv-shop", "new", version).key_size
    assert ["new"] == [each.name for each in keys.list("rg-app", "kv-shop")]


@pytest.mark.parametrize(
    ("path", "properties", "refusal"),
    [
        (VAULT, {"kty": "RSA", "keySize": 1024}, (400, "InvalidParameter")),
        (VAULT, {"kty": "none"}, (400, "InvalidParameter")),
        (f"{VAULTS}/kv-none", {"kty": "RSA"}, (404, "ParentResourceNotFound")),
    ],
)
def test_keys_that_cannot_be_are_refused(path, properties, refusal):
    """A wrong size, a wrong type and a missing vault are refused."""
    wire = Wire(*estate(vault()))
    assert refusal == wire.refused("PUT", f"{path}/keys/new", {"properties": properties})


def test_a_role_opens_the_key():
    """The encryption user's role opens the key at the key, the vault, the group, the subscription and above.

    Learn, "Provide access to Key Vault keys, certificates, and secrets with Azure role-based access control".
    """
    group = f"{SUB}/resourceGroups/rg-app"
    above = "/providers/Microsoft.Management/managementGroups/root"
    for scope in (f"{VAULT}/keys/disks", VAULT, group, SUB, above):
        assert access(vault(), key(), role(scope)).refusal is None, scope
    beside = (role(f"{SUB}/resourceGroups/{name}") for name in ("rg-two", "rg-ap"))
    for other in (*beside, role(guid="21090545-7ca7-4776-b22c-e363652d74d2")):
        refusal = access(vault(), key(), other).refusal
        assert refusal is not None
        assert "KeyVaultAccessForbidden" == refusal.code


def test_a_role_opens_the_key_only_after_a_while():
    """A role that was assigned just now does not act yet; two minutes later it does.

    Learn, "Troubleshoot Azure RBAC": changes can take up to ten minutes.
    """
    wire = Wire(*estate(vault(), key()))
    assigned = role()
    answer = wire.ask("PUT", assigned["id"], {"properties": assigned["properties"]})
    assert 201 == answer.status
    url = "https://kv-shop.vault.azure.net/keys/disks"
    state = wire.twin._world.state
    assert key_access(state, url, HOLDER, wire.clock.now()).refusal is not None
    wire.clock.sleep(120)
    assert key_access(state, url, HOLDER, wire.clock.now()).refusal is None


def test_the_refusal_names_the_key_and_who_asked():
    """Without access the refusal is the recorded one.

    https://github.com/hashicorp/terraform-provider-azurerm/issues/9177.
    """
    refusal = access(vault(), key()).refusal
    assert refusal is not None
    assert (
        "Unable to access key vault resource 'https://kv-shop.vault.azure.net/keys/disks' to enable "
        "encryption at rest. Please grant get, wrap and unwrap key permissions to disk encryption set "
        "'keys'. Please visit https://aka.ms/keyvaultaccessssecmk for more information."
    ) == refusal.message


@pytest.mark.parametrize(
    "names", [["get", "wrapKey", "unwrapKey"], ["Get", "WrapKey", "UnwrapKey", "List"], ["all"]]
)
def test_an_access_policy_opens_the_key(names):
    """Where roles are off, get, wrap and unwrap in an access policy open the key, in any case."""
    policy = {"objectId": PRINCIPAL, "permissions": {"keys": names}}
    assert access(vault(enableRbacAuthorization=None, accessPolicies=[policy]), key()).refusal is None


def test_each_way_of_access_closes_the_other():
    """Policies open nothing in a vault with roles, and roles nothing in one with policies."""
    policy = {"objectId": PRINCIPAL, "permissions": {"keys": ["all"]}}
    assert access(vault(accessPolicies=[policy]), key()).refusal is not None
    assert access(vault(enableRbacAuthorization=False), key(), role()).refusal is not None
    short = {"objectId": PRINCIPAL, "permissions": {"keys": ["get", "wrapKey"]}}
    assert access(vault(enableRbacAuthorization=False, accessPolicies=[short]), key()).refusal is not None


@pytest.mark.parametrize(
    ("changes", "attributes", "code"),
    [
        ({"networkAcls": {"defaultAction": "Deny", "bypass": "None"}}, {}, "KeyVaultAccessForbidden"),
        ({"publicNetworkAccess": "SecuredByPerimeter"}, {}, "KeyVaultAccessForbidden"),
        ({"enablePurgeProtection": None}, {}, "KeyVaultNotRecoverable"),
        ({"enableSoftDelete": False}, {}, "KeyVaultNotRecoverable"),
        ({}, {"enabled": False}, "KeyVaultKeyNotEnabled"),
        ({}, {"exp": 1_000_000_000}, "KeyVaultKeyExpired"),
        ({}, {"nbf": 4_000_000_000}, "KeyVaultKeyNotYetValid"),
    ],
)
def test_vaults_and_keys_that_do_not_fit_are_refused(changes, attributes, code):
    """A firewall without bypass, a vault that can be purged, and a key that is off or out of date refuse.

    Learn, "Server-side encryption of Azure managed disks".
    """
    refusal = access(vault(**changes), key(attributes), role()).refusal
    assert refusal is not None
    assert code == refusal.code


def test_a_firewall_lets_trusted_services_through():
    """With the bypass for Azure services a closed vault still serves disks, also without public access."""
    rules = {"defaultAction": "Deny", "bypass": "AzureServices"}
    assert access(vault(networkAcls=rules, publicNetworkAccess="Disabled"), key(), role()).refusal is None


def test_keys_of_other_types_and_unknown_vaults_are_refused():
    """An elliptic curve key is not supported; an unknown vault or version cannot be accessed."""
    refusal = access(vault(), key(kty="EC", keySize=None), role()).refusal
    assert refusal is not None
    assert "KeyVaultKeyNotSupported" == refusal.code
    unknown = access(role())
    assert (None, None) == (unknown.vault, unknown.key)
    version = {"id": f"{VAULT}/keys/disks/versions/v1", "properties": key()["properties"]}
    base = "https://kv-shop.vault.azure.net/keys/disks"
    assert access(vault(), key(), version, role(), url=f"{base}/v1").refusal is None
    assert access(vault(), key(), version, role(), url=f"{base}/v2").refusal is not None
