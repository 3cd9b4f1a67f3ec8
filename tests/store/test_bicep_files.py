"""Bicep code is found by the name of a resource, edited as text, never guessed and never written."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.model.iac import Patch, Remark
from readiness.model.iac_settings import Setting
from readiness.store.bicep_files import quoted, read_bicep
from readiness.store.bicep_reader import BicepError, read_text
from tests.builders import ENCRYPTION_SET
from tests.store.test_terraform_files import NAMED, NAMED_WANTED, settings

VM = """\
@description('The orders VM: it\\'s {old}') // } not a brace
param location string = '${toLower('We')}st'

/* resource no 'Microsoft.Compute/virtualMachines@2024-07-01' = { */
resource orders 'Microsoft.Compute/virtualMachines@2024-07-01' = if (location != 'x') {
  name: 'vm1' // the name
  location: location
  identity: {
    type: 'UserAssigned'
  }
  properties: {
    osProfile: {
      customData: '''
      } {
      '''
    }
    securityProfile: { encryptionAtHost: false }
  }
}

resource data 'Microsoft.Compute/disks@2023-04-02' = {
  name: 'vm1-data'
  properties: {
  }
}
"""


def read(
    folder: Path, code: str, wanted: tuple[Setting, ...] | None = None
) -> tuple[list[Patch], list[Remark]]:
    """Read one file of code."""
    (folder / "main.bicep").write_bytes(code.encode())
    found = read_bicep(folder, settings() if wanted is None else wanted)
    assert code.encode() == (folder / "main.bicep").read_bytes()
    return found


def patched(folder: Path, code: str) -> str:
    """Return one file of code after its diff was applied by git."""
    (patch,) = read(folder, code)[0]
    (folder / "x.diff").write_bytes(patch.diff.encode())
    subprocess.run(["git", "apply", "--unsafe-paths", "x.diff"], cwd=folder, check=True, timeout=20)
    return (folder / "main.bicep").read_bytes().decode()


def test_a_vm_is_edited_in_place(tmp_path: Path) -> None:
    """Values change, what is missing is put in, comments and strings stay; a second look is quiet."""
    after = patched(tmp_path, VM)
    key = f"""\
    encryption: {{
      type: 'EncryptionAtRestWithCustomerKey'
      diskEncryptionSetId: '{ENCRYPTION_SET}'
    }}
"""
    opened = """\
    securityProfile: {
      encryptionAtHost: true
      securityType: 'TrustedLaunch'
      uefiSettings: {
        secureBootEnabled: true
        vTpmEnabled: true
      }
    }
    storageProfile: {
      osDisk: {
        managedDisk: {
          diskEncryptionSet: {
"""
    assert opened in after
    assert "type: 'SystemAssigned, UserAssigned'" in after
    assert f"  properties: {{\n{key}  }}\n}}\n" in after
    assert "name: 'vm1' // the name" in after
    assert ([], []) == read(tmp_path, after)


def test_named_identities_are_added_by_id(tmp_path: Path) -> None:
    """An id is put beside ids; where a name is interpolated it may be the very one, and is told."""
    code = """\
resource a 'Microsoft.Compute/virtualMachines@2024-07-01' = {
  name: 'vm1'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '%s': {}
    }
  }
}
"""
    beside = read(tmp_path, code % "/x", NAMED_WANTED)[0][0].diff
    assert f"+      '{NAMED}': {{}}\n" in beside
    patches, remarks = read(tmp_path, code % "${id.id}", NAMED_WANTED)
    assert [] == patches
    assert [5] == [remark.line for remark in remarks if "names that are expressions" in remark.what]
    assert ([], []) == read(tmp_path, code % NAMED.upper(), NAMED_WANTED)


def test_loops_modules_and_interpolated_names_are_told(tmp_path: Path) -> None:
    """What a loop, a module or an interpolated name makes is never edited."""
    code = """\
resource many 'Microsoft.Compute/virtualMachines@2024-07-01' = [for name in names: {
  name: name
}]
resource one 'Microsoft.Compute/virtualMachines@2024-07-01' = {
  name: '${prefix}-vm1'
}
module shop 'vm.bicep' = {
  name: 'vm1'
}
resource old 'Microsoft.Compute/virtualMachines@2024-07-01' existing = {
  name: 'vm1'
}
"""
    patches, remarks = read(tmp_path, code)
    assert [] == patches
    told = {remark.line: remark.what for remark in remarks}
    assert "resource many is made by a loop: edit the input" == told[1]
    assert "resource one has a name that is an expression: edit the input" == told[4]
    assert "module shop may make some of them: edit its input" == told[7]
    assert 10 not in told


def test_expressions_are_told_and_left(tmp_path: Path) -> None:
    """A value that comes from elsewhere is never replaced, over however many lines it goes."""
    code = """\
resource a 'Microsoft.Compute/virtualMachines@2024-07-01' = {
  name: 'vm1'
  identity: system
    ? { type: 'SystemAssigned' }
    : { type: 'None' }
  properties: union(common, {
    a: 1
  })
}
"""
    patches, remarks = read(tmp_path, code)
    assert [] == patches
    told = {remark.line: remark.what for remark in remarks if remark.line}
    assert told[3].startswith("vm1: identity is an expression: edit its input")
    assert told[6].startswith("vm1: properties is an expression: edit its input")


def test_a_name_that_is_there_twice_is_not_guessed(tmp_path: Path) -> None:
    """Bicep says no resource group: two resources of one name are both told."""
    code = "resource a 'Microsoft.Compute/virtualMachines@2024-07-01' = {\n  name: 'vm1'\n}\n"
    patches, remarks = read(tmp_path, code + code.replace(" a ", " b "))
    assert [] == patches
    assert [1, 4] == [remark.line for remark in remarks if "may be" in remark.what and remark.line]


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("resource a 'x@1' = {\n  name: 'vm1\n}\n", 2),
        ("var a = 1\nresource a 'x@1' = {\n  b: [1\n", 3),
        ("\n/* never closed", 2),
        ("resource a 'x@1' {\n}\n", 1),
        ("resource a 'x@1' = {\n  = 3\n}\n", 2),
        ("var a = }\n", 1),
        ("var a = ([)]\n", 1),
        ("resource a 'x@1' = {\n" * 300, 201),
    ],
)
def test_a_broken_file_is_told_and_the_others_are_read(tmp_path: Path, code: str, line: int) -> None:
    """The line and a remedy are said for what is no Bicep."""
    (tmp_path / "broken.bicep").write_text(code)
    patches, remarks = read(tmp_path, VM)
    assert ["main.bicep"] == [patch.file for patch in patches]
    (error,) = [remark for remark in remarks if remark.is_error]
    assert "broken.bicep" == error.file
    assert line == error.line
    assert error.remedy


@given(st.text(alphabet="{}[]()'\\$ab:=,\n/*@ ?resource"))
def test_the_reader_ends_on_anything(code: str) -> None:
    """Whatever the text is, it is read to its end or refused with a place in it."""
    place = 0
    try:
        read_text(code)
    except BicepError as error:
        place = error.place
    assert 0 <= place <= len(code)


@given(st.text())
def test_hostile_values_are_text(value: str) -> None:
    """A value with quotes and interpolation is one string when the code is read again."""
    code = f"resource a 'x@1' = {{\n  name: {quoted(value)}\n  b: 1\n}}\n"
    (found,) = read_text(code).declared
    assert value == found.name
    assert found.scope is not None
    assert ["name", "b"] == [entry.name for entry in found.scope.entries]


def test_words_to_the_linter_are_comments(tmp_path: Path) -> None:
    """A line that begins with a number sign may stand anywhere between properties and items."""
    code = VM.replace("  name: 'vm1'", "  #disable-next-line BCP334 // why\n  name: 'vm1'")
    code = code.replace(
        "  location: location", "  zones: [\n    #disable-next-line x\n    '1'\n  ]\n  location: 1"
    )
    after = patched(tmp_path, code)
    assert "#disable-next-line BCP334 // why\n" in after
    assert "encryptionAtHost: true" in after


def test_where_values_come_from_is_told(tmp_path: Path) -> None:
    """A parameter is followed to whoever sets it: a file of parameters, or the caller of a module."""
    (tmp_path / "vm.bicep").write_text("""\
param vmName string
param host bool = true
var full = '${vmName}-x'
resource vm 'Microsoft.Compute/virtualMachines@2024-07-01' = {
  name: full
  properties: { securityProfile: { encryptionAtHost: host } }
}
""")
    (tmp_path / "prod.bicepparam").write_text("using './main.bicep'\n\nparam names = ['vm1']\n")
    code = """\
param names array
module vm './vm.bicep' = {
  name: 'shop'
  params: {
    vmName: names[0]
  }
}
resource a 'Microsoft.Compute/virtualMachines@2024-07-01' = [for one in names: {
  name: one
}]
"""
    patches, remarks = read(tmp_path, code)
    assert [] == patches
    told = {(one.file, one.line): one.remedy for one in remarks}
    assert "full is in vm.bicep:3; vmName is in vm.bicep:1, set in main.bicep:5." in told["vm.bicep", 4]
    assert "names is in main.bicep:1, set in prod.bicepparam:3." in told["main.bicep", 8]
    named = (tmp_path / "vm.bicep").read_text().replace("name: full", "name: 'vm1'")
    (tmp_path / "vm.bicep").write_text(named)
    remedies = [one.remedy for one in read(tmp_path, code)[1] if "encryptionAtHost" in one.what]
    assert ["Set it where the value comes from: host is in vm.bicep:2."] == remedies


def test_a_variable_that_is_written_out_is_a_name(tmp_path: Path) -> None:
    """A variable is the same for everybody; a parameter may be set otherwise, whatever its default is."""
    code = VM.replace("name: 'vm1'", "name: vmName")
    assert "securityType: 'TrustedLaunch'" in patched(tmp_path, f"var vmName = 'vm1' // orders\n{code}")
    for declared in ("param vmName string = 'vm1'", "var vmName = toLower('vm1')", "var other = 'vm1'"):
        patches, remarks = read(tmp_path, f"{declared}\n{code}")
        assert "TrustedLaunch" not in "".join(patch.diff for patch in patches)
        assert any("has a name that is an expression" in one.what for one in remarks)


@pytest.mark.parametrize("calls", ["module b './vm.bicep' = {\n  name: 'b'\n}\n", None])
def test_a_module_that_is_called_several_times_is_not_edited(tmp_path: Path, calls: str | None) -> None:
    """A VM with its name written out stands for several where its file is called twice, or in a loop."""
    (tmp_path / "vm.bicep").write_text(VM)
    once = "module a 'vm.bicep' = {\n  name: 'a'\n}\n"
    assert ["vm.bicep"] == [patch.file for patch in read(tmp_path, once)[0]]
    loop = "module a 'vm.bicep' = [for one in two: {\n  name: one\n}]\n"
    patches, remarks = read(tmp_path, once + calls if calls else loop)
    assert [] == patches
    assert any("is in a module that is called several times" in one.what for one in remarks)
