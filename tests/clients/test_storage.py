"""The Azure CLI works on disks, snapshots and disk encryption sets of a served twin."""

import pytest

from tests.clients.cli import AzureCli

pytestmark = pytest.mark.clients

GROUP = "--resource-group rg-storefront"
ROLE = "Key Vault Crypto Service Encryption User"


def test_an_incremental_snapshot_of_a_disk(az: AzureCli) -> None:
    """A snapshot is found to be of a disk by its name, is incremental, and goes again.

    az snapshot, https://learn.microsoft.com/cli/azure/snapshot
    """
    made = az.ask(f"snapshot create {GROUP} -n before --source sf-web-01-osdisk --incremental true")
    assert ("Succeeded", True) == (made["provisioningState"], made["incremental"])
    source = az.truth("/snapshots/before")["properties"]["creationData"]["sourceResourceId"]
    assert source.lower().endswith("/disks/sf-web-01-osdisk")
    az.ask(f"snapshot update {GROUP} -n before --set tags.wave=one")
    assert {"wave": "one"} == az.ask(f"snapshot show {GROUP} -n before")["tags"]
    az.ask(f"snapshot delete {GROUP} -n before")
    assert az.truth("/snapshots/before") is None


def test_a_disk_is_made_and_grows(az: AzureCli) -> None:
    """An empty disk is made, grows, and is listed in its group.

    az disk, https://learn.microsoft.com/cli/azure/disk
    """
    assert (
        "Succeeded"
        == az.ask(f"disk create {GROUP} -n more --size-gb 32 --sku Premium_LRS")["provisioningState"]
    )
    assert 64 == az.ask(f"disk update {GROUP} -n more --size-gb 64")["diskSizeGB"]
    assert 64 == az.truth("/disks/more")["properties"]["diskSizeGB"]
    assert "more" in {each["name"] for each in az.ask(f"disk list {GROUP}")}


def test_a_disk_gets_a_customer_managed_key(az: AzureCli) -> None:
    """Vault, key, disk encryption set and role are made in turn; only then the disk takes the set's key.

    Use the Azure CLI to enable server-side encryption with customer-managed keys,
    https://learn.microsoft.com/azure/virtual-machines/linux/disks-enable-customer-managed-keys-cli
    """
    vault = az.ask(f"keyvault create {GROUP} -n kv-of-the-twin --enable-purge-protection true")
    assert az.environment["AZURE_TENANT_ID"] == vault["properties"]["tenantId"]
    key = az.ask(
        "rest --method put --url {url} --body {body}",
        url=f"{vault['id']}/keys/disks?api-version=2024-11-01",
        body='{"properties": {"kty": "RSA", "keySize": 3072}}',
    )
    made = az.ask(
        f"disk-encryption-set create {GROUP} -n des-twin --source-vault kv-of-the-twin --key-url {{key}}",
        key=key["properties"]["keyUriWithVersion"],
    )
    assert ("SystemAssigned", "Succeeded") == (made["identity"]["type"], made["provisioningState"])
    az.ask(f"disk create {GROUP} -n locked --size-gb 32")
    encrypt = (
        f"disk update {GROUP} -n locked --encryption-type EncryptionAtRestWithCustomerKey "
        "--disk-encryption-set des-twin"
    )
    code, reason = az.refused(encrypt)
    assert (1, "KeyVaultAccessForbidden") == (code, reason)
    az.ask(
        "role assignment create --assignee-object-id {principal} --assignee-principal-type ServicePrincipal "
        "--role {role} --scope {scope}",
        principal=made["identity"]["principalId"],
        role=ROLE,
        scope=vault["id"],
    )
    az.wait(180)
    assert made["id"].lower() == az.ask(encrypt)["encryption"]["diskEncryptionSetId"].lower()
    encryption = az.truth("/disks/locked")["properties"]["encryption"]
    assert "EncryptionAtRestWithCustomerKey" == encryption["type"]
