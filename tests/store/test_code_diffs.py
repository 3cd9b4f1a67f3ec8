"""A diff of code says what its file holds, byte for byte; what cannot be said safely is told instead."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from readiness.model.iac import Patch, Remark
from readiness.model.iac_settings import Setting
from readiness.model.ids import ResourceId
from readiness.store.arm_files import read_arm
from readiness.store.bicep_files import read_bicep
from readiness.store.terraform_files import read_terraform
from tests.builders import vm_id
from tests.store.test_terraform_files import settings

Reader = Callable[[Path, tuple[Setting, ...]], tuple[list[Patch], list[Remark]]]

TERRAFORM = """\
resource "azurerm_linux_virtual_machine" "orders" {
  name = "vm1"
  size = "x"
}
"""
BICEP = """\
resource orders 'Microsoft.Compute/virtualMachines@2024-07-01' = {
  name: 'vm1'
  properties: {
    a: 1
  }
}
"""
ARM = """\
{ "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "resources": [
  {
    "type": "Microsoft.Compute/virtualMachines",
    "name": "vm1",
    "properties": {
      "a": 1
    }
  }
] }
"""
EVERY = pytest.mark.parametrize(
    ("read", "name", "code"),
    [
        pytest.param(read_terraform, "main.tf", TERRAFORM, id="terraform"),
        pytest.param(read_bicep, "main.bicep", BICEP, id="bicep"),
        pytest.param(read_arm, "main.json", ARM, id="arm"),
    ],
)


def on_vm() -> tuple[Setting, ...]:
    """Return what the code of the VM alone has to say."""
    return tuple(entry for entry in settings() if entry.target == vm_id())


def found(folder: Path, read: Reader, name: str, data: bytes) -> tuple[list[Patch], list[Remark]]:
    """Read a folder of one file."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return read(folder, on_vm())


def applied(folder: Path, patches: list[Patch], *tool: str) -> None:
    """Apply the only diff."""
    (patch,) = patches
    (folder / "x.diff").write_bytes(patch.diff.encode())
    subprocess.run([*tool, "x.diff"], cwd=folder, check=True, timeout=20, capture_output=True)


@EVERY
def test_a_byte_order_mark_stays(tmp_path: Path, read: Reader, name: str, code: str) -> None:
    """The first line of a diff has the mark that the file begins with: without it git finds no such line."""
    patches, _ = found(tmp_path, read, name, b"\xef\xbb\xbf" + code.replace("\n", " ", 1).encode())
    applied(tmp_path, patches, "git", "apply", "--unsafe-paths")
    after = (tmp_path / name).read_bytes()
    assert after.startswith(b"\xef\xbb\xbf")
    assert after.count(b"\xef\xbb\xbf") == 1
    assert b"SystemAssigned" in after


@EVERY
def test_a_file_in_utf_16_is_told(tmp_path: Path, read: Reader, name: str, code: str) -> None:
    """No tool applies a diff to UTF-16: the file is named, and what to do about it."""
    patches, remarks = found(tmp_path, read, name, code.encode("utf-16"))
    assert not patches
    (told,) = [remark for remark in remarks if "UTF-16" in remark.what]
    assert told.file == name
    assert "UTF-8" in told.remedy


@pytest.mark.parametrize("tool", [("git", "apply", "--unsafe-paths"), ("patch", "-p1", "-i")], ids=str)
@pytest.mark.parametrize("name", ["our infra/a b.tf", 'a"b\u202e.tf', "Größe.tf"])
def test_any_name_of_a_file_is_found_again(tmp_path: Path, name: str, tool: tuple[str, ...]) -> None:
    """Blanks, quotes and what does not print are written as git and patch read them."""
    if shutil.which(tool[0]) is None:
        pytest.skip(f"there is no {tool[0]} here")
    patches, _ = found(tmp_path, read_terraform, name, TERRAFORM.encode())
    applied(tmp_path, patches, *tool)
    assert "SystemAssigned" in (tmp_path / name).read_text()


def test_one_block_that_may_be_two_vms_is_told(tmp_path: Path) -> None:
    """VMs of one name in two groups, and a block whose group is an expression: it is edited for none."""
    (tmp_path / "main.tf").write_text(TERRAFORM.replace('size = "x"', "resource_group_name = var.group"))
    other = ResourceId(str(vm_id()).replace("rg-app", "rg-other"))
    wanted = tuple(entry for entry in settings(other) if entry.target == other)
    patches, remarks = read_terraform(tmp_path, (*on_vm(), *wanted))
    assert not patches
    told = [remark.what for remark in remarks]
    assert sum(str(other) in what for what in told) == 1
    assert sum(str(vm_id()) in what for what in told) == 1


@EVERY
def test_a_number_of_any_length_is_read(tmp_path: Path, read: Reader, name: str, code: str) -> None:
    """Digits without end are a value that nobody has to understand."""
    digits = "1" * 5000
    for old, new in (('"x"', digits), ("a: 1", f"a: {digits}"), ('"a": 1', f'"a": {digits}')):
        code = code.replace(old, new)
    patches, _ = found(tmp_path, read, name, code.encode())
    assert digits in code
    assert patches


@pytest.mark.parametrize(
    ("read", "name", "code"),
    [
        (read_terraform, "main.tf", TERRAFORM.replace('"x"', "{a=" * 1500 + "1" + "}" * 1500)),
        (read_terraform, "main.tf", "b {\n" * 1500 + "}\n" * 1500 + TERRAFORM),
        (read_bicep, "main.bicep", BICEP.replace("a: 1", "a: " + "'${" * 1500 + "1" + "}'" * 1500)),
    ],
    ids=["objects", "blocks", "interpolation"],
)
def test_absurd_nesting_is_told(tmp_path: Path, read: Reader, name: str, code: str) -> None:
    """A file that nests without end is a file that cannot be read, and no end of the program."""
    patches, remarks = found(tmp_path, read, name, code.encode())
    assert not patches
    assert [remark.is_error for remark in remarks][:1] == [True]
    assert "nested" in remarks[0].what


def test_empty_lines_cost_little(tmp_path: Path) -> None:
    """Each empty line within an expression is looked at a few times, however many there are."""
    code = "var a = b" + "\n" * 200_000 + "  ? 1 : 2\n" + BICEP
    patches, _ = found(tmp_path, read_bicep, "main.bicep", code.encode())
    assert patches


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"a": 1', '"securityProfile": {}, "securityProfile": {"securityType": "Standard"}'),
        ('"name": "vm1"', '"name": "vm1", "name": "vm2"'),
        ('"a": 1', '"securityProfile": {}, "SecurityProfile": {}'),
    ],
)
def test_a_name_twice_in_one_object_is_told(tmp_path: Path, old: str, new: str) -> None:
    """Which of the two counts is nobody's guess: the line is named."""
    patches, remarks = found(tmp_path, read_arm, "main.json", ARM.replace(old, new).encode())
    assert not patches
    assert "twice" in remarks[0].what
    assert remarks[0].is_error


@pytest.mark.parametrize(
    ("read", "name", "code"),
    [
        (
            read_arm,
            "main.json",
            ARM.replace('"properties"', '"Properties"')
            .replace('"name"', '"Name"')
            .replace('"a": 1', '"SecurityProfile": {"SecurityType": "Standard"}'),
        ),
        (read_bicep, "main.bicep", BICEP.replace("a: 1", "SecurityProfile: {\n    }")),
    ],
    ids=["arm", "bicep"],
)
def test_a_property_in_other_letter_case_is_the_same(
    tmp_path: Path, read: Reader, name: str, code: str
) -> None:
    """Azure does not tell properties apart by their case: none is put in a second time."""
    patches, _ = found(tmp_path, read, name, code.encode())
    applied(tmp_path, patches, "git", "apply", "--unsafe-paths")
    after = (tmp_path / name).read_text()
    assert after.lower().count("securityprofile") == 1
    assert "TrustedLaunch" in after


def test_half_a_character_in_a_template_is_told(tmp_path: Path) -> None:
    """A lone surrogate cannot be written in a diff."""
    code = ARM.replace('"properties"', '"identity": {"type": "UserAssigned\\ud800"}, "properties"')
    patches, remarks = found(tmp_path, read_arm, "main.json", code.encode())
    for patch in patches:
        patch.diff.encode()
    assert any("type" in remark.what for remark in remarks)
    assert json.loads(code)


def test_a_pipe_among_the_code_is_passed_over(tmp_path: Path) -> None:
    """Only files are read: a pipe would never end."""
    os.mkfifo(tmp_path / "a.tf")
    patches, _ = found(tmp_path, read_terraform, "main.tf", TERRAFORM.encode())
    assert patches


@EVERY
def test_names_that_are_no_text_are_told(tmp_path: Path, read: Reader, name: str, code: str) -> None:
    """A file whose name is no UTF-8 is told, and the others are read."""
    bad = os.fsencode(tmp_path) + b"/\xff." + name.partition(".")[2].encode()
    Path(os.fsdecode(bad)).write_text(code)
    patches, remarks = found(tmp_path, read, name, code.encode())
    assert [name] == [patch.file for patch in patches]
    (error,) = [remark for remark in remarks if remark.is_error]
    assert ("\\xff", True) == (error.file[:4], "UTF-8" in error.what)
    assert all(remark.file.encode() for remark in remarks)


@EVERY
def test_what_cannot_be_read_is_told(tmp_path: Path, read: Reader, name: str, code: str) -> None:
    """Bytes, zeros and files of absurd size are named; folders that lead in a circle are not entered."""
    end = name.partition(".")[2]
    mark = b"deploymentTemplate.json"
    (tmp_path / f"latin.{end}").write_bytes(mark + "Größe".encode("latin-1"))
    (tmp_path / f"zeros.{end}").write_bytes(mark + b"# text\0\0")
    (tmp_path / f"huge.{end}").write_bytes(mark + b" " * 10_000_000)
    (tmp_path / "circle").symlink_to(tmp_path, target_is_directory=True)
    patches, remarks = found(tmp_path, read, name, code.encode())
    assert [name] == [patch.file for patch in patches]
    errors = {remark.file.partition(".")[0]: remark.what for remark in remarks if remark.is_error}
    assert {"latin", "zeros", "huge"} == set(errors)
    assert "4 MiB" in errors["huge"]
    assert "UTF-8" in errors["latin"]


@EVERY
def test_a_folder_that_may_not_be_read_is_told(read: Reader, name: str, code: str) -> None:
    """A folder without permissions is an error with its name; nothing in it is taken for absent."""
    with TemporaryDirectory() as place:
        folder = Path(place)
        folder.chmod(0o755)
        (folder / "closed").mkdir(mode=0)
        found(folder, read, name, code.encode())  # what is imported late is imported by whoever may
        with anybody():
            patches, remarks = read(folder, on_vm())
    assert [name] == [patch.file for patch in patches]
    assert [("closed", True)] == [(one.file, one.is_error) for one in remarks if one.is_error]


@contextmanager
def anybody() -> Iterator[None]:
    """Root may read everything: while the block lasts, be somebody who may not."""
    mighty = os.geteuid() == 0
    if mighty:
        os.seteuid(65534)
    try:
        yield
    finally:
        if mighty:
            os.seteuid(0)


def test_a_file_is_indented_as_most_of_it(tmp_path: Path) -> None:
    """One line that somebody moved does not set the width for all that is put in."""
    code = "locals {\n      a = 1\n}\n" + TERRAFORM.replace(
        'size = "x"', 'os_disk {\n    caching = "None"\n  }'
    )
    patches, _ = found(tmp_path, read_terraform, "main.tf", code.encode())
    assert '\n+  identity {\n+    type = "SystemAssigned"\n' in patches[0].diff
