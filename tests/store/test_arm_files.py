"""ARM templates are found by the name of a resource, edited as text, never guessed and never written."""

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.errors import UsageError
from readiness.model.iac import Patch, Remark, settings_of
from readiness.model.iac_settings import Setting
from readiness.store.arm_files import quoted, read_arm
from readiness.store.arm_reader import declarations
from readiness.store.json_tree import JsonError
from tests.builders import ENCRYPTION_SET, rid, vm_id
from tests.store.test_terraform_files import settings

SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
VM = """\
{
    "$schema": "%s",
    "contentVersion": "1.0.0.0", // ours
    "resources": [
        {
            "type": "Microsoft.Compute/virtualMachines",
            "apiVersion": "2024-07-01",
            "name": "VM1", /* the orders */
            "location": "[resourceGroup().location]",
            "identity": { "type": "UserAssigned" },
            "properties": {
                "securityProfile": {"encryptionAtHost": false},
                "osProfile": { "computerName": "vm1" }
            }
        },
        {
            "type": "Microsoft.Compute/disks", "apiVersion": "2023-04-02",
            "name": "vm1-data",
            "properties": {
            }
        }
    ]
}
""" % SCHEMA.replace("%", "%%")  # noqa: UP031  braces are JSON's


def template(*resources: object) -> str:
    """Return a template of resources."""
    return json.dumps({"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": resources}, indent=2)


def read(
    folder: Path, code: str, wanted: tuple[Setting, ...] | None = None
) -> tuple[list[Patch], list[Remark]]:
    """Read one template."""
    (folder / "main.json").write_bytes(code.encode())
    found = read_arm(folder, settings() if wanted is None else wanted)
    assert code.encode() == (folder / "main.json").read_bytes()
    return found


def patched(folder: Path, code: str, wanted: tuple[Setting, ...] | None = None) -> str:
    """Return one template after its diff was applied by git."""
    (patch,) = read(folder, code, wanted)[0]
    (folder / "x.diff").write_bytes(patch.diff.encode())
    subprocess.run(["git", "apply", "--unsafe-paths", "x.diff"], cwd=folder, check=True, timeout=20)
    return (folder / "main.json").read_bytes().decode()


def test_a_vm_is_edited_in_place(tmp_path: Path) -> None:
    """Values change, what is missing is put in with its commas, comments stay; a second look is quiet."""
    after = patched(tmp_path, VM)
    profile = """\
                "securityProfile": {
                    "encryptionAtHost": true,
                    "securityType": "TrustedLaunch",
                    "uefiSettings": {
                        "secureBootEnabled": true,
                        "vTpmEnabled": true
                    }
                },
                "osProfile": { "computerName": "vm1" },
                "storageProfile": {
                    "osDisk": {
"""
    assert profile in after
    assert '"identity": { "type": "SystemAssigned, UserAssigned" },' in after
    disk = f"""\
            "properties": {{
                "encryption": {{
                    "type": "EncryptionAtRestWithCustomerKey",
                    "diskEncryptionSetId": "{ENCRYPTION_SET}"
                }}
            }}
"""
    assert disk in after
    assert '"contentVersion": "1.0.0.0", // ours\n' in after
    assert '"name": "VM1", /* the orders */\n' in after
    plain = json.loads(after.replace(" // ours", "").replace("/* the orders */", ""))
    assert ["VM1", "vm1-data"] == [one["name"] for one in plain["resources"]]
    assert ([], []) == read(tmp_path, after)


@pytest.mark.parametrize("indent", [None, 1, 4, "\t"])
def test_every_layout_stays_json(tmp_path: Path, indent: int | str | None) -> None:
    """However a template is laid out, it is JSON afterwards, and says what it has to say, and all it said."""
    resource = {
        "type": "Microsoft.Compute/virtualMachines",
        "name": "vm1",
        "properties": {"securityProfile": {}, "storageProfile": {"osDisk": {"name": "x"}}, "none": None},
        "zones": [],
    }
    code = json.dumps({"$schema": SCHEMA, "resources": [resource]}, indent=indent)
    after = json.loads(patched(tmp_path, code))["resources"][0]
    assert "TrustedLaunch" == after["properties"]["securityProfile"]["securityType"]
    assert {"type": "SystemAssigned"} == after["identity"]
    assert "x" == after["properties"]["storageProfile"]["osDisk"]["name"]
    assert ENCRYPTION_SET.text in json.dumps(after["properties"]["storageProfile"])
    assert (None, []) == (after["properties"]["none"], after["zones"])


def test_loops_nested_templates_and_expressions_are_told(tmp_path: Path) -> None:
    """What a copy loop, a nested template or an expression makes is never edited; file and line are said."""
    kind = "Microsoft.Compute/virtualMachines"
    code = template(
        {"type": kind, "name": "vm1", "copy": {"name": "c", "count": 2}},
        {"type": kind, "name": "[parameters('name')]"},
        {
            "type": "Microsoft.Resources/deployments",
            "name": "shop",
            "properties": {"template": {"resources": []}},
        },
        {"type": kind, "name": "vm1", "existing": True},
    )
    patches, remarks = read(tmp_path, code)
    assert [] == patches
    told = [remark.what for remark in remarks if remark.line]
    assert [
        'resource "vm1" is made by a loop: edit the input',
        "resource \"[parameters('name')]\" has a name that is an expression: edit the input",
        'nested template "shop" may make some of them: edit its input',
    ] == told
    lines = code.splitlines()
    first = next(remark.line for remark in remarks if "loop" in remark.what)
    assert '"type": "Microsoft.Compute/virtualMachines",' == lines[first].strip()


def test_values_that_are_expressions_are_left(tmp_path: Path) -> None:
    """A value that comes from a parameter is told and stays."""
    code = template(
        {
            "type": "Microsoft.Compute/virtualMachines",
            "name": "vm1",
            "identity": "[variables('identity')]",
            "properties": {"securityProfile": {"encryptionAtHost": "[parameters('host')]"}},
        }
    )
    after = patched(tmp_path, code)
    assert "[parameters('host')]" in after
    told = [remark.what for remark in read(tmp_path, code)[1] if remark.line]
    assert any("identity is an expression" in what for what in told)
    assert any("encryptionAtHost is an expression" in what for what in told)


def test_named_identities_are_added_by_id(tmp_path: Path) -> None:
    """An id that is there in other letters stays once; names that are expressions may be it, and are told."""
    identity = rid("Microsoft.ManagedIdentity/userAssignedIdentities", "id1").text
    wanted = settings_of(
        vm_id(), [{"type": "assign-identity", "system": False, "user_assigned": [identity]}]
    )[0]

    def code(named: dict[str, object]) -> str:
        held = {"type": "SystemAssigned", "userAssignedIdentities": named}
        return template({"type": "Microsoft.Compute/virtualMachines", "name": "vm1", "identity": held})

    for named, after in (
        ({}, [identity]),
        ({identity.upper(): {}}, [identity.upper()]),
        ({"x": {}}, ["x", identity]),
    ):
        found = json.loads(patched(tmp_path, code(named), wanted))["resources"][0]["identity"]
        assert ("SystemAssigned, UserAssigned", after) == (
            found["type"],
            list(found["userAssignedIdentities"]),
        )
    expression = "[resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', 'id1')]"
    assert expression in patched(tmp_path, code({expression: {}}), wanted)
    told = [remark.what for remark in read(tmp_path, code({expression: {}}), wanted)[1]]
    assert any("has names that are expressions" in what and identity in what for what in told)


def test_children_are_known_by_their_full_name(tmp_path: Path) -> None:
    """A rule within its group, or beside it under its full name, is found; one of another group is not."""
    rule = rid("Microsoft.Network/networkSecurityGroups", "nsg1/securityRules/ssh")
    step = {"type": "set-security-rule", "rule": rule.text, "earlier": {}, "properties": {"access": "Deny"}}
    wanted = settings_of(vm_id(), [step])[0]
    group = {"type": "Microsoft.Network/networkSecurityGroups", "name": "nsg1"}
    child = {"type": "securityRules", "name": "ssh", "properties": {"access": "Allow"}}
    assert '"Deny"' in patched(tmp_path, template(group | {"resources": [child]}), wanted)
    beside = child | {"type": "Microsoft.Network/networkSecurityGroups/securityRules", "name": "nsg1/ssh"}
    assert '"Deny"' in patched(tmp_path, template(beside), wanted)
    for other in ("nsg2", "[parameters('nsg')]"):
        assert [] == read(tmp_path, template(group | {"name": other, "resources": [child]}), wanted)[0]


def test_symbolic_names_are_read(tmp_path: Path) -> None:
    """Resources of language version 2.0 stand in an object."""
    code = json.dumps(
        {
            "$schema": SCHEMA,
            "resources": {"orders": {"type": "Microsoft.Compute/virtualMachines", "name": "vm1"}},
        }
    )
    assert "TrustedLaunch" in patched(tmp_path, code)


def test_other_json_is_passed_over(tmp_path: Path) -> None:
    """Files of parameters and of other tools are no templates; a folder without any is refused."""
    (tmp_path / "main.parameters.json").write_text('{"$schema": ".../deploymentParameters.json#"')
    (tmp_path / "package.json").write_text("{,}")
    with pytest.raises(UsageError, match="no ARM template"):
        read_arm(tmp_path, settings())
    assert not any(remark.is_error for remark in read(tmp_path, VM)[1])


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ('{"a": 1,\n}', 2),
        ('{"a": \n tru}', 2),
        ('{"a": [1 2]\n}', 1),
        ('\n{"a": "x', 2),
        ('{"a": "\\q"}', 1),
        ("[]", 1),
        ('{"a" 1}', 1),
        ("{}\n{}", 2),
        ('{"a":' * 300, 1),
    ],
)
def test_a_broken_file_is_told_and_the_others_are_read(tmp_path: Path, code: str, line: int) -> None:
    """The line and a remedy are said for what is no JSON."""
    (tmp_path / "broken.json").write_text(f"{code} // deploymentTemplate.json")
    patches, remarks = read(tmp_path, VM)
    assert ["main.json"] == [patch.file for patch in patches]
    (error,) = [remark for remark in remarks if remark.is_error]
    assert ("broken.json", line) == (error.file, error.line)
    assert error.remedy


@given(st.text(alphabet='{}[]",:\\ab/*1 \n'))
def test_the_reader_ends_on_anything(code: str) -> None:
    """Whatever the text is, it is read to its end or refused with a place in it."""
    place = 0
    try:
        declarations(code)
    except JsonError as error:
        place = error.place
    assert 0 <= place <= len(code)


@given(st.text(), st.text())
def test_hostile_values_are_text(value: str, name: str) -> None:
    """A value with quotes and brackets is one string, and no expression, when it is read again."""
    code = f'{{"resources": [{{"type": "x", "name": {quoted(value)}, "b": {quoted(name)}}}]}}'
    (found,) = declarations(code)
    assert value == found.name
    assert found.scope is not None
    assert ["type", "name", "b"] == [entry.name for entry in found.scope.entries]


def test_a_variable_that_is_written_out_is_a_name(tmp_path: Path) -> None:
    """A variable of the template counts as written out; a parameter does not, nor a nested template's."""
    kind = "Microsoft.Compute/virtualMachines"
    whole = json.loads(template({"type": kind, "name": "[variables('vm')]", "properties": {}}))
    whole["variables"] = {"vm": "vm1"}
    assert "TrustedLaunch" in patched(tmp_path, json.dumps(whole, indent=2))
    nested = {
        "type": "Microsoft.Resources/deployments",
        "name": "inner",
        "properties": {"template": {"resources": whole["resources"]}},
    }
    assert [] == read(tmp_path, json.dumps(whole | {"resources": [nested]}))[0]
    whole["resources"][0]["name"] = "[parameters('vm')]"
    whole["parameters"] = {"vm": {"type": "string", "defaultValue": "vm1"}}
    assert [] == read(tmp_path, json.dumps(whole))[0]


def test_where_values_come_from_is_told(tmp_path: Path) -> None:
    """A parameter and a variable are named with their lines, and the files of parameters that set them."""
    properties = {"securityProfile": {"encryptionAtHost": "[variables('host')]"}}
    whole = json.loads(
        template(
            {"type": "Microsoft.Compute/virtualMachines", "name": "vm1", "properties": properties},
            {"type": "Microsoft.Compute/disks", "name": "[parameters('disk')]"},
        )
    )
    whole["parameters"] = {"disk": {"type": "string"}, "on": {"type": "bool"}}
    whole["variables"] = {"host": "[parameters('on')]"}
    values = {"$schema": SCHEMA.replace("Template", "Parameters"), "parameters": {"on": {"value": True}}}
    (tmp_path / "prod.parameters.json").write_text(json.dumps(values, indent=1))
    remedies = {
        one.what.partition(":")[0]: one.remedy for one in read(tmp_path, json.dumps(whole, indent=1))[1]
    }
    lines = [line.strip() for line in json.dumps(whole, indent=1).splitlines()]
    host, on, disk = (
        lines.index(f'"{one}": {begin}') + 1
        for one, begin in (("host", "\"[parameters('on')]\""), ("on", "{"), ("disk", "{"))
    )
    told = f"variables('host') is in main.json:{host}; parameters('on') is in main.json:{on}"
    assert f"Set it where the value comes from: {told}, set in prod.parameters.json:4." == remedies["vm1"]
    (named,) = [one for what, one in remedies.items() if "has a name" in what]
    assert named.endswith(f"parameters('disk') is in main.json:{disk}.")


def test_a_nested_template_is_edited_within(tmp_path: Path) -> None:
    """A VM that a template within the template names is its own; one that a loop deploys is not."""
    vm = {"type": "Microsoft.Compute/virtualMachines", "name": "vm1", "properties": {}}
    nested = {
        "type": "Microsoft.Resources/deployments",
        "name": "inner",
        "properties": {"mode": "Incremental", "template": {"resources": [vm]}},
    }
    after = json.loads(patched(tmp_path, template(nested)))["resources"][0]["properties"]["template"]
    assert "TrustedLaunch" == after["resources"][0]["properties"]["securityProfile"]["securityType"]
    patches, remarks = read(tmp_path, template(nested | {"copy": {"name": "c", "count": 2}}))
    assert [] == patches
    assert any("is made by a loop" in one.what for one in remarks)
