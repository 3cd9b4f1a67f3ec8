"""Terraform code is found by name or id, edited as text, never guessed and never written."""

import subprocess
from pathlib import Path

import pytest

from playbooks import generation1
from readiness.errors import UsageError
from readiness.model.iac import Patch, Remark, settings_of
from readiness.model.iac_settings import Setting
from readiness.model.ids import ResourceId
from readiness.store.terraform_files import read_terraform
from tests.builders import ENCRYPTION_SET, OS_DISK, rid, vm_id

DATA = rid("Microsoft.Compute/disks", "vm1-data")
TRUSTED = {"securityType": "TrustedLaunch", "uefiSettings": {"secureBootEnabled": True, "vTpmEnabled": True}}


def settings(vm: ResourceId | None = None) -> tuple[Setting, ...]:
    """Return what a VM's code has to say after everything was done to it."""
    key = {"type": "EncryptionAtRestWithCustomerKey", "disk_encryption_set": ENCRYPTION_SET.text}
    steps = [
        {"type": "assign-identity"},
        {"type": "take-snapshot", "disk": OS_DISK.text},
        {"type": "patch-vm", "properties": {"securityProfile": {**TRUSTED, "encryptionAtHost": True}}},
        {"type": "set-disk-encryption", "disk": OS_DISK.text, "encryption": key},
        {"type": "set-disk-encryption", "disk": DATA.text, "encryption": key},
    ]
    return settings_of(vm or vm_id(), steps)[0]


def read(
    folder: Path, code: str, wanted: tuple[Setting, ...] | None = None
) -> tuple[list[Patch], list[Remark]]:
    """Read one file of code."""
    (folder / "main.tf").write_bytes(code.encode())
    found = read_terraform(folder, settings() if wanted is None else wanted)
    assert code.encode() == (folder / "main.tf").read_bytes()
    return found


def patched(folder: Path, code: str, wanted: tuple[Setting, ...] | None = None) -> str:
    """Return one file of code after its diff was applied by git."""
    patches, _ = read(folder, code, wanted)
    (patch,) = patches
    (folder / "x.diff").write_bytes(patch.diff.encode())
    subprocess.run(["git", "apply", "--unsafe-paths", "x.diff"], cwd=folder, check=True, timeout=20)
    return (folder / "main.tf").read_bytes().decode()


VM = """\
# Orders
resource "azurerm_linux_virtual_machine" "orders" { # keep me
  name                = "VM1"
  resource_group_name = "rg-app"
  secure_boot_enabled = false # nobody knows why

  os_disk {
    caching = "ReadWrite" // fast
  }
  custom_data = <<-EOT
    } not a brace {
  EOT

  lifecycle { ignore_changes = [tags] }
}

resource "azurerm_managed_disk" "data" {
  name = "vm1-data"
}
"""


def test_a_vm_is_edited_in_place(tmp_path: Path) -> None:
    """Values change, what is missing is put in, comments and heredocs stay; a second look is quiet."""
    after = patched(tmp_path, VM)
    key = f'disk_encryption_set_id = "{ENCRYPTION_SET}"'
    assert (
        VM.replace("= false #", "= true #")
        .replace("// fast\n", f"// fast\n    {key}\n")
        .replace("[tags] }\n", f"[secure_boot_enabled, vtpm_enabled, tags] }}\n{ADDED}")
        .replace('"vm1-data"\n', f'"vm1-data"\n  {key}\n')
    ) == after
    assert ([], []) == read(tmp_path, after)


ADDED = """\
  vtpm_enabled = true
  encryption_at_host_enabled = true
  identity {
    type = "SystemAssigned"
  }
"""


def test_line_ends_of_windows_stay(tmp_path: Path) -> None:
    """A file with carriage returns gets none without."""
    after = patched(tmp_path, VM.replace("\n", "\r\n"))
    assert after.count("\n") == after.count("\r\n")


def test_identities_are_kept(tmp_path: Path) -> None:
    """The system-assigned identity is added to those that the code names."""
    code = 'resource "azurerm_virtual_machine" "a" {\n  name = "vm1"\n  identity {\n'
    code += '    type = "UserAssigned"\n  }\n}\n'
    wanted = settings_of(vm_id(), [{"type": "assign-identity"}])[0]
    assert code.replace('"UserAssigned"', '"SystemAssigned, UserAssigned"') == patched(tmp_path, code, wanted)


NAMED = rid("Microsoft.ManagedIdentity/userAssignedIdentities", "id1").text
NAMED_WANTED = settings_of(vm_id(), [{"type": "assign-identity", "system": False, "user_assigned": [NAMED]}])[
    0
]
IDENTITY = """\
resource "azurerm_linux_virtual_machine" "a" {{
  name = "vm1"
  identity {{
    type         = "{}"
    identity_ids = {}
  }}
}}
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("SystemAssigned", "[]"), ("SystemAssigned, UserAssigned", f'["{NAMED}"]')),
        (("UserAssigned", '["/x"]'), ("UserAssigned", f'["{NAMED}", "/x"]')),
        (("UserAssigned", f'["{NAMED.upper()}"]'), None),
    ],
)
def test_named_identities_are_listed_once(
    tmp_path: Path, before: tuple[str, str], after: tuple[str, str] | None
) -> None:
    """An identity is put into the list unless it is there, in whatever letter case; the type follows."""
    if after is None:
        assert ([], []) == read(tmp_path, IDENTITY.format(*before), NAMED_WANTED)
    else:
        assert IDENTITY.format(*after) == patched(tmp_path, IDENTITY.format(*before), NAMED_WANTED)


@pytest.mark.parametrize("listed", ["[azurerm_user_assigned_identity.a.id]", '["${var.id}"]', "var.ids"])
def test_a_list_with_expressions_is_told(tmp_path: Path, listed: str) -> None:
    """An expression in a list may be the very identity: the list stays, and what has to be in it is said."""
    patches, remarks = read(tmp_path, IDENTITY.format("UserAssigned", listed), NAMED_WANTED)
    assert [] == patches
    assert [5] == [
        remark.line for remark in remarks if "identity_ids" in remark.what and NAMED in remark.what
    ]


def test_an_update_resource_says_identities_in_its_body(tmp_path: Path) -> None:
    """AzAPI's update resource has no block for identities: they are properties of the body, named by id."""
    code = f"""\
resource "azapi_update_resource" "a" {{
  type        = "Microsoft.Compute/virtualMachines@2024-11-01"
  resource_id = "{vm_id()}"
  body = {{
    identity = {{ type = "None" }}
  }}
}}
"""
    after = patched(tmp_path, code, NAMED_WANTED)
    assert 'type = "UserAssigned"' in after
    assert f'userAssignedIdentities = {{\n        "{NAMED}" = {{}}\n      }}' in after
    assert ([], []) == read(tmp_path, after, NAMED_WANTED)


def test_a_conversion_is_kept_from_replacing_the_vm(tmp_path: Path) -> None:
    """The image of generation 1 is to be ignored and told of; a disk's own code says generation 2."""
    wanted = settings_of(
        vm_id(), [{"type": "take-snapshot", "disk": OS_DISK.text, "moment": generation1.MOMENT}]
    )[0]
    code = f"""\
resource "azurerm_windows_virtual_machine" "a" {{
  name = "vm1"
}}
resource "azurerm_managed_disk" "os" {{
  name               = "{OS_DISK.name}"
  hyper_v_generation = "V1"
}}
"""
    after = patched(tmp_path, code, wanted)
    assert "ignore_changes = [source_image_reference]" in after
    assert 'hyper_v_generation = "V2"' in after
    assert "ignore_changes = [hyper_v_generation]" in after
    (told,) = read(tmp_path, code, wanted)[1]
    assert (1, True) == (told.line, "leave source_image_reference or source_image_id as it is" in told.what)


def test_the_old_vm_resource_cannot_say_all_of_it(tmp_path: Path) -> None:
    """Whoever uses azurerm_virtual_machine is told, with the line, that it lacks the attributes."""
    _, remarks = read(tmp_path, '\nresource "azurerm_virtual_machine" "a" {\n  name = "vm1"\n}\n')
    assert [2] == [remark.line for remark in remarks if "cannot say all of it" in remark.what]


def test_expressions_are_told_and_left(tmp_path: Path) -> None:
    """A value that comes from elsewhere is never replaced; file and line say where it stands."""
    code = """\
resource "azurerm_linux_virtual_machine" "a" {
  name = "vm1"
  secure_boot_enabled = var.secure_boot
  dynamic "identity" {
    for_each = [1]
    content {
      type = "UserAssigned"
    }
  }
  os_disk {
    disk_encryption_set_id = azurerm_disk_encryption_set.main.id
  }
}
"""
    patches, remarks = read(tmp_path, code)
    told = {(remark.file, remark.line): remark.what for remark in remarks if remark.line}
    assert "identity is made by a dynamic block" in told["main.tf", 4]
    assert "secure_boot_enabled is an expression" in told["main.tf", 3]
    assert "disk_encryption_set_id is an expression" in told["main.tf", 11]
    assert not any(line.startswith("-") for patch in patches for line in patch.diff.splitlines()[2:])


def test_loops_and_modules_are_told(tmp_path: Path) -> None:
    """What a loop or a module makes is never edited: its input has to be."""
    code = """\
resource "azurerm_windows_virtual_machine" "many" {
  for_each = var.vms
  name     = each.key
}
resource "azurerm_linux_virtual_machine" "one" {
  count = 2
  name  = "vm1"
}
resource "azurerm_managed_disk" "d" {
  name = "${var.prefix}-data"
}
module "shop" {
  source = "./vm"
}
"""
    patches, remarks = read(tmp_path, code)
    assert [] == patches
    told = " ".join(f"{remark.line}: {remark.what}" for remark in remarks)
    assert "5: azurerm_linux_virtual_machine.one (vm1) is made by a loop (count): edit the input" in told
    assert "1: azurerm_windows_virtual_machine.many is made by a loop" not in told  # no VM is missing
    assert "9: azurerm_managed_disk.d has a name that is an expression: edit the input" in told
    assert "12: module.shop (vm) may make some of them: edit its input" in told


def test_an_import_block_says_which_resource_it_is(tmp_path: Path) -> None:
    """The id of an import block counts, whatever the name is made of; one of another VM does not."""
    block = 'resource "azurerm_linux_virtual_machine" "a" {\n  name = local.name\n}\n'
    known = f'import {{\n  to = azurerm_linux_virtual_machine.a\n  id = "{vm_id()}"\n}}\n'
    assert "vtpm_enabled = true" in patched(tmp_path, block + known)
    other = block.replace("local.name", '"vm1"') + known.replace("/vm1", "/vm2")
    assert [] == read(tmp_path, other)[0]


def test_a_name_that_is_there_twice_is_not_guessed(tmp_path: Path) -> None:
    """Two blocks that could be the VM are both told; a resource group that is written out decides."""
    block = (
        'resource "azurerm_linux_virtual_machine" "{}" {{\n  name = "vm1"\n  resource_group_name = {}\n}}\n'
    )
    patches, remarks = read(tmp_path, block.format("a", "var.a") + block.format("b", "var.b"))
    assert [] == patches
    assert [1, 5] == [remark.line for remark in remarks if "could be" in remark.what]
    after = patched(tmp_path, block.format("a", '"rg-other"') + block.format("b", '"RG-APP"'))
    assert 5 < after[: after.index("vtpm_enabled")].count("\n")


@pytest.mark.parametrize("wrap", ["{}", "jsonencode({})"])
def test_azapi_bodies_are_edited_within(tmp_path: Path, wrap: str) -> None:
    """Objects of a body are filled in where they stand; a trigger of replacement is told."""
    body = "{\n    properties = {\n      securityProfile = { encryptionAtHost = false }\n    }\n  }"
    code = f"""\
resource "azapi_resource" "vm" {{
  type      = "Microsoft.Compute/virtualMachines@2024-11-01"
  name      = "vm1"
  parent_id = "{vm_id().text.partition("/providers")[0]}"
  body = {wrap.format(body)}
  replace_triggers_refs = ["properties.securityProfile"]
}}
"""
    _, remarks = read(tmp_path, code)
    assert [10] == [remark.line for remark in remarks if "replace_triggers_refs" in remark.what]
    after = patched(tmp_path, code)
    assert "encryptionAtHost = true" in after
    assert 'securityType = "TrustedLaunch"' in after
    assert "vTpmEnabled = true" in after
    assert after.index("vTpmEnabled") < after.index("replace_triggers_refs")
    assert [] == read(tmp_path, after)[0]


def test_an_azapi_update_has_its_identity_in_the_body(tmp_path: Path) -> None:
    """azapi_update_resource is found by its id, and has no identity block."""
    kind = "Microsoft.Compute/virtualMachines@2024-11-01"
    code = f'resource "azapi_update_resource" "a" {{\n  type = "{kind}"\n  resource_id = "{vm_id()}"\n}}\n'
    after = patched(tmp_path, code)
    assert '    identity = {\n      type = "SystemAssigned"\n    }\n' in after
    assert "  body = {\n    " in after


def test_a_broken_file_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    """File, line and remedy are said for what is no HCL, no text, or too large."""
    (tmp_path / "broken.tf").write_text('resource "a" "b" {\n  name = \n}\n')
    (tmp_path / "bytes.tf").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "open.tf").write_text('x = "never closed\n')
    patches, remarks = read(tmp_path, VM)
    assert ["main.tf"] == [patch.file for patch in patches]
    errors = {remark.file: remark for remark in remarks if remark.is_error}
    assert {"broken.tf", "bytes.tf", "open.tf"} == set(errors)
    assert errors["broken.tf"].line in (2, 3)
    assert 1 <= errors["open.tf"].line <= 2
    assert all(remark.remedy for remark in errors.values())


def test_hostile_names_are_text(tmp_path: Path) -> None:
    """A value with quotes and templates stays one string when the code is read again."""
    nasty = ResourceId('/subscriptions/1/x" }\n ${file("/etc/passwd")} %{ if true } \\')
    wanted = tuple(
        Setting(
            form=entry.form,
            target=entry.target,
            types=entry.types,
            path=entry.path,
            value=nasty.text,
            effect=entry.effect,
            otherwise="",
        )
        for entry in settings()
        if entry.path == ("disk_encryption_set_id",) and entry.target == DATA
    )
    after = patched(tmp_path, 'resource "azurerm_managed_disk" "d" {\n  name = "vm1-data"\n}\n', wanted)
    assert 4 == after.count("\n")
    assert ([], []) == read(tmp_path, after, wanted)


def test_no_folder_and_no_code(tmp_path: Path) -> None:
    """A folder that is none, or has nothing of Terraform, is refused with a remedy."""
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(UsageError) as error:
            read_terraform(folder, settings())
        assert error.value.remedy


def test_links_and_providers_are_left_out(tmp_path: Path) -> None:
    """What Terraform downloaded, and what a link leads to, is nobody's code here."""
    (tmp_path / "code" / ".terraform").mkdir(parents=True)
    (tmp_path / "code" / ".terraform" / "main.tf").write_text("{{{")
    (tmp_path / "elsewhere.tf").write_text("{{{")
    (tmp_path / "code" / "link.tf").symlink_to(tmp_path / "elsewhere.tf")
    assert ["main.tf"] == [patch.file for patch in read(tmp_path / "code", VM)[0]]
