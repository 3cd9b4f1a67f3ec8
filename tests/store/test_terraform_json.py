"""Terraform in JSON is found and edited as in HCL; its layout stays, and it stays JSON."""

import json
import subprocess
from pathlib import Path

import pytest

from readiness.model.iac import Patch, Remark
from readiness.model.iac_settings import Setting
from readiness.store.terraform_files import read_terraform
from tests.builders import ENCRYPTION_SET, vm_id
from tests.store.test_terraform_files import NAMED, NAMED_WANTED, settings

VM = """\
{
    "//": "the orders",
    "resource": {
        "azurerm_linux_virtual_machine": {
            "orders": {
                "name": "VM1", "size": "${var.size}",
                "secure_boot_enabled": false,
                "os_disk": [
                    {"caching": "ReadWrite"}
                ],
                "lifecycle": {
                    "ignore_changes": ["tags"]
                }
            }
        },
        "azurerm_managed_disk": {
            "data": [{"name": "vm1-data"}]
        }
    }
}
"""


def read(
    folder: Path, code: str, wanted: tuple[Setting, ...] | None = None
) -> tuple[list[Patch], list[Remark]]:
    """Read one file of code."""
    (folder / "main.tf.json").write_text(code)
    return read_terraform(folder, settings() if wanted is None else wanted)


def patched(folder: Path, code: str, wanted: tuple[Setting, ...] | None = None) -> str:
    """Return one file of code after its diff was applied by patch's rules."""
    (patch,) = read(folder, code, wanted)[0]
    (folder / "x.diff").write_text(patch.diff)
    subprocess.run(["git", "apply", "--unsafe-paths", "x.diff"], cwd=folder, check=True, timeout=20)
    return (folder / "main.tf.json").read_text()


def test_a_vm_in_json_is_edited_in_place(tmp_path: Path) -> None:
    """Values change, what is missing is put in with its commas, the rest stays; a second look is quiet."""
    text = patched(tmp_path, VM)
    resources = json.loads(text)["resource"]
    vm = resources["azurerm_linux_virtual_machine"]["orders"]
    assert (True, True, True) == (
        vm["secure_boot_enabled"],
        vm["vtpm_enabled"],
        vm["encryption_at_host_enabled"],
    )
    assert {"type": "SystemAssigned"} == vm["identity"]
    assert ["secure_boot_enabled", "vtpm_enabled", "tags"] == vm["lifecycle"]["ignore_changes"]
    assert {"caching": "ReadWrite", "disk_encryption_set_id": ENCRYPTION_SET.text} == vm["os_disk"][0]
    assert ENCRYPTION_SET.text == resources["azurerm_managed_disk"]["data"][0]["disk_encryption_set_id"]
    assert '"name": "VM1", "size": "${var.size}",\n' in text
    assert ([], []) == read(tmp_path, text)


def test_the_other_forms_of_json_are_read(tmp_path: Path) -> None:
    """Resources may be in lists; an import is found in whichever file and language it is written."""
    listed = [{"azurerm_linux_virtual_machine": [{"orders": [{"name": "${local.name}"}]}]}]
    hcl = f'import {{\n  to = azurerm_linux_virtual_machine.orders\n  id = "{vm_id()}"\n}}\n'
    (tmp_path / "imports.tf").write_text(hcl)
    text = patched(tmp_path, json.dumps({"resource": listed}))
    assert json.loads(text)["resource"][0]["azurerm_linux_virtual_machine"][0]["orders"][0]["vtpm_enabled"]
    (tmp_path / "imports.tf").write_text("")
    imported = {"to": "azurerm_linux_virtual_machine.orders", "id": str(vm_id())}
    assert "vtpm_enabled" in patched(tmp_path, json.dumps({"resource": listed, "import": imported}))


def test_templates_in_json_are_told(tmp_path: Path) -> None:
    """A text with a template is an expression; a loop and a dynamic block are told with their line."""
    vm = {
        "name": "vm1",
        "secure_boot_enabled": "${var.boot}",
        "dynamic": {"identity": {"for_each": "${var.ids}", "content": {}}},
    }
    code = json.dumps({"resource": {"azurerm_linux_virtual_machine": {"a": vm}}}, indent=1)
    told = {remark.line: remark.what for remark in read(tmp_path, code)[1]}
    lines = {line.strip().partition(":")[0].strip('"'): at for at, line in enumerate(code.split("\n"), 1)}
    assert "secure_boot_enabled is an expression" in told[lines["secure_boot_enabled"]]
    assert "identity is made by a dynamic block" in told[lines["identity"]]
    many = {"resource": {"azurerm_linux_virtual_machine": {"a": {"name": "vm1", "count": 2}}}}
    patches, remarks = read(tmp_path, json.dumps(many))
    assert [] == patches
    assert any("is made by a loop (count)" in remark.what for remark in remarks)


@pytest.mark.parametrize("listed", [[], ["/x"], ["${var.id}"]])
def test_identities_in_json(tmp_path: Path, listed: list[str]) -> None:
    """An id is put into the list as a text; where one may be it, it is told."""
    vm = {"name": "vm1", "identity": {"type": "UserAssigned", "identity_ids": listed}}
    code = json.dumps({"resource": {"azurerm_linux_virtual_machine": {"a": vm}}}, indent=2)
    if "${" in str(listed):
        patches, remarks = read(tmp_path, code, NAMED_WANTED)
        assert ([], True) == (patches, any(NAMED in remark.what for remark in remarks))
    else:
        vm = json.loads(patched(tmp_path, code, NAMED_WANTED))["resource"]["azurerm_linux_virtual_machine"]
        assert [NAMED, *listed] == vm["a"]["identity"]["identity_ids"]


def test_broken_json_is_told_with_its_line(tmp_path: Path) -> None:
    """A file that is no JSON is an error with its line; the others are read."""
    (tmp_path / "broken.tf.json").write_text('{\n "resource": [1 2]\n}')
    patches, remarks = read(tmp_path, VM)
    assert ["main.tf.json"] == [patch.file for patch in patches]
    assert [("broken.tf.json", 2)] == [(one.file, one.line) for one in remarks if one.is_error]
