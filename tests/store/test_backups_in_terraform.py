"""The protection of a VM has no name in Terraform: it is found by the VM that it is of."""

import json
from pathlib import Path

import pytest

from readiness.model.iac import settings_of
from readiness.store.terraform_files import read_terraform
from tests.builders import rid, vm_id
from tests.store.test_terraform_files import patched, read

ITEM = rid(
    "Microsoft.RecoveryServices/vaults",
    "rsv1/backupFabrics/Azure/protectionContainers/iaasvmcontainer;iaasvmcontainerv2;RG-app;VM1"
    "/protectedItems/vm;iaasvmcontainerv2;RG-app;VM1",
)
POLICY = rid("Microsoft.RecoveryServices/vaults", "rsv1/backupPolicies/enhanced")
BACKUP = settings_of(vm_id(), [{"type": "change-backup-policy", "item": ITEM.text, "policy": POLICY.text}])[0]
GUARD = """\
resource "azurerm_linux_virtual_machine" "orders" {
  name                = "vm1"
  resource_group_name = %s
}
resource "azurerm_backup_protected_vm" "orders" {
  recovery_vault_name = %s
  source_vm_id        = %s
  backup_policy_id    = %s
}
"""
FED = "azurerm_linux_virtual_machine.orders.id"


@pytest.mark.parametrize(
    ("group", "vault", "source"),
    [
        ('"rg-app"', '"RSV1"', FED),
        ("var.group", "var.vault", FED),
        ('"rg-app"', "var.vault", f'"{vm_id()}"'),
        ('"rg-app"', "var.vault", f'"${{{FED}}}"'),
    ],
)
def test_a_backup_is_known_by_the_vm_that_it_is_of(
    tmp_path: Path, group: str, vault: str, source: str
) -> None:
    """A protected VM has no name in Terraform: the VM whose id it is given says which one it is."""
    code = GUARD % (group, vault, source, '"/old"')
    assert code.replace('"/old"', f'"{POLICY}"') == patched(tmp_path, code, BACKUP)
    fed = GUARD % (group, vault, source, "azurerm_backup_policy_vm.p.id")
    patches, remarks = read(tmp_path, fed, BACKUP)
    assert ([], [8]) == (patches, [remark.line for remark in remarks])
    assert "backup_policy_id is an expression" in remarks[0].what


@pytest.mark.parametrize(
    ("group", "vault", "source"),
    [
        ('"rg-other"', "var.vault", FED),
        ('"rg-app"', '"rsv2"', FED),
        ('"rg-app"', "var.vault", f'"{vm_id()}2"'),
        ('"rg-app"', "var.vault", "var.vm"),
        ('"rg-app"', "var.vault", "azurerm_linux_virtual_machine.other.id"),
        ('"rg-app"', "var.vault", "azurerm_linux_virtual_machine.orders.vm_id"),
    ],
)
def test_the_backup_of_another_vm_is_left(tmp_path: Path, group: str, vault: str, source: str) -> None:
    """Another group, vault or VM, or a source that nobody knows, is not the backup that is meant."""
    assert ([], []) == read(tmp_path, GUARD % (group, vault, source, '"/old"'), BACKUP)


def test_a_backup_in_json_is_known_by_its_vm(tmp_path: Path) -> None:
    """A template that is a reference alone counts in JSON, too; a loop is told."""
    vm = {"name": "vm1", "resource_group_name": "rg-app"}
    backup = {"source_vm_id": f"${{{FED}}}", "backup_policy_id": "/old"}
    resources = {
        "azurerm_linux_virtual_machine": {"orders": vm},
        "azurerm_backup_protected_vm": {"orders": backup},
    }
    (tmp_path / "main.tf.json").write_text(json.dumps({"resource": resources}, indent=1))
    (patch,) = read_terraform(tmp_path, BACKUP)[0]
    assert f'+    "backup_policy_id": "{POLICY}"' in patch.diff
    backup["count"] = "${var.on ? 1 : 0}"
    (tmp_path / "main.tf.json").write_text(json.dumps({"resource": resources}, indent=1))
    patches, remarks = read_terraform(tmp_path, BACKUP)
    assert ([], True) == (patches, "is made by a loop (count)" in remarks[0].what)
