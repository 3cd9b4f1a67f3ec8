"""Rules that a security group lists inline are changed and added there, in every language."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from readiness.model.iac import Patch, Remark, settings_of
from readiness.model.iac_settings import Setting
from readiness.store.arm_files import read_arm
from readiness.store.bicep_files import read_bicep
from readiness.store.terraform_files import read_terraform
from tests.builders import rid, vm_id

Reader = Callable[[Path, tuple[Setting, ...]], tuple[list[Patch], list[Remark]]]
GROUP = "Microsoft.Network/networkSecurityGroups"
BEFORE = {"access": "Allow", "sourceAddressPrefixes": ["1.2.3.4", "*"], "priority": 300}
AFTER = {"access": "Allow", "sourceAddressPrefix": "VirtualNetwork", "priority": 300}
GUARD = {"access": "Deny", "priority": 299, "destinationPortRanges": ["22", "3389"]}
READERS: dict[str, Reader] = {
    "main.tf": read_terraform,
    "main.tf.json": read_terraform,
    "main.bicep": read_bicep,
    "main.json": read_arm,
}


def step(name: str, properties: dict[str, object], earlier: dict[str, object] | None) -> dict[str, object]:
    """Return a step that sets a rule of the group."""
    rule = rid(GROUP, f"nsg1/securityRules/{name}")
    return {"type": "set-security-rule", "rule": rule.text, "properties": properties, "earlier": earlier}


CHANGED = settings_of(vm_id(), [step("ssh", AFTER, BEFORE)])[0]
NEW = settings_of(vm_id(), [step("guard", GUARD, None)])[0]
TWO = settings_of(vm_id(), [step("guard", GUARD, None), step("guard-2", GUARD | {"priority": 298}, None)])[0]

TERRAFORM = """\
resource "azurerm_network_security_group" "a" {
  name = "nsg1"

  security_rule { # keep me
    name                    = "SSH"
    access                  = "Allow"
    source_address_prefixes = ["1.2.3.4", "*"] // everybody
    priority                = 300
  }
  security_rule {
    name                  = "other"
    source_address_prefix = "*"
  }
  tags = {}
}
"""
BICEP = """\
resource nsg 'Microsoft.Network/networkSecurityGroups@2024-05-01' = {
  name: 'nsg1'
  properties: {
    securityRules: [
      {
        name: 'SSH' // keep me
        properties: {
          access: 'Allow'
          sourceAddressPrefixes: [
            '1.2.3.4'
            '*'
          ]
          priority: 300
        }
      }
      { name: 'other', properties: { sourceAddressPrefix: '*' } }
    ]
  }
}
"""
RULES = [
    {"name": "SSH", "properties": BEFORE},
    {"name": "other", "properties": {"sourceAddressPrefix": "*"}},
]


def arm(rules: object, name: str = "nsg1") -> str:
    """Return a template of one group."""
    schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
    group = {"type": GROUP, "name": name, "properties": {"securityRules": rules}}
    return json.dumps({"$schema": schema, "resources": [group]}, indent=2)


def azurerm(rules: object) -> str:
    """Return Terraform's JSON of one group."""
    group = {"name": "nsg1", "security_rule": rules}
    return json.dumps({"resource": {"azurerm_network_security_group": {"a": group}}}, indent=2)


def read(folder: Path, name: str, code: str, wanted: tuple[Setting, ...]) -> tuple[list[Patch], list[Remark]]:
    """Read one file of code."""
    (folder / name).write_text(code)
    return READERS[name](folder, wanted)


def patched(folder: Path, name: str, code: str, wanted: tuple[Setting, ...]) -> str:
    """Return one file of code after its diff was applied; a second look has to be quiet."""
    patches, remarks = read(folder, name, code, wanted)
    assert [] == remarks
    (patch,) = patches
    (folder / "x.diff").write_text(patch.diff)
    subprocess.run(["git", "apply", "--unsafe-paths", "x.diff"], cwd=folder, check=True, timeout=20)
    after = (folder / name).read_text()
    assert ([], []) == read(folder, name, after, wanted)
    return after


def test_a_block_of_azurerm_is_changed(tmp_path: Path) -> None:
    """Of prefix and prefixes only the wanted one is left, in the place of the other; nothing else moves."""
    after = TERRAFORM.replace(
        'source_address_prefixes = ["1.2.3.4", "*"]', 'source_address_prefix = "VirtualNetwork"'
    )
    assert after == patched(tmp_path, "main.tf", TERRAFORM, CHANGED)


def test_a_resource_in_bicep_is_changed(tmp_path: Path) -> None:
    """A list of several lines gives way to one value."""
    old = "sourceAddressPrefixes: [\n            '1.2.3.4'\n            '*'\n          ]"
    after = BICEP.replace(old, "sourceAddressPrefix: 'VirtualNetwork'")
    assert after == patched(tmp_path, "main.bicep", BICEP, CHANGED)


@pytest.mark.parametrize("indent", [None, 2, "\t"])
def test_a_template_is_changed(tmp_path: Path, indent: int | str | None) -> None:
    """However it is laid out, the rule says the change, and the other rule what it said."""
    code = json.dumps(json.loads(arm(RULES)), indent=indent)
    (group,) = json.loads(patched(tmp_path, "main.json", code, CHANGED))["resources"]
    first, second = group["properties"]["securityRules"]
    assert (AFTER, RULES[1]) == (first["properties"], second)


def test_a_rule_is_added_behind_the_others(tmp_path: Path) -> None:
    """What was created in Azure is one more block, object or item."""
    block = """\
  security_rule {
    name = "guard"
    access = "Deny"
    priority = 299
    destination_port_ranges = ["22", "3389"]
  }
"""
    after = TERRAFORM.replace("  tags", block + "  tags")
    assert after == patched(tmp_path, "main.tf", TERRAFORM, NEW)
    (group,) = json.loads(patched(tmp_path, "main.json", arm(RULES), NEW))["resources"]
    assert [*RULES, {"name": "guard", "properties": GUARD}] == group["properties"]["securityRules"]
    item = """\
      {
        name: 'guard'
        properties: {
          access: 'Deny'
          priority: 299
          destinationPortRanges: ['22', '3389']
        }
      }
"""
    assert BICEP.replace("    ]\n  }\n}", f"{item}    ]\n  }}\n}}") == patched(
        tmp_path, "main.bicep", BICEP, NEW
    )


def test_rules_of_azurerm_may_be_a_list(tmp_path: Path) -> None:
    """Rules are blocks, or a list of objects that say every attribute: blank ones say nothing."""
    code = """\
resource "azurerm_network_security_group" "a" {
  name = "nsg1"
  security_rule = [{
    name                    = "ssh"
    source_address_prefix   = ""
    source_address_prefixes = ["*"]
  }]
}
"""
    after = code.replace('""', '"VirtualNetwork"').replace('["*"]', "[]")
    assert after == patched(tmp_path, "main.tf", code, CHANGED)
    assert 'name = "guard"' in patched(tmp_path, "main.tf", code, NEW)
    assert 'name = "guard-2"' in patched(
        tmp_path, "main.tf", code.replace(code[code.index("[{") : -2], "[]\n"), TWO
    )


@pytest.mark.parametrize("rules", [[], {"name": "ssh"}, [{"name": "ssh"}], [{"name": "a"}, {"name": "ssh"}]])
def test_rules_in_terraforms_json(tmp_path: Path, rules: list[dict[str, str]] | dict[str, str]) -> None:
    """A list of rules, one rule in the place of a list, and a list without any."""
    code = azurerm(rules)
    (group,) = json.loads(patched(tmp_path, "main.tf.json", code, TWO))["resource"].popitem()[1].values()
    names = [one["name"] for one in (rules if isinstance(rules, list) else [rules])]
    assert [*names, "guard", "guard-2"] == [one["name"] for one in group["security_rule"]]
    if rules:
        (group,) = (
            json.loads(patched(tmp_path, "main.tf.json", code, CHANGED))["resource"].popitem()[1].values()
        )
        held = group["security_rule"]
        last = held[-1] if isinstance(held, list) else held
        assert {"name": "ssh", "source_address_prefix": "VirtualNetwork"} == last


@pytest.mark.parametrize("wrap", ["{}", "jsonencode({})"])
def test_a_body_of_azapi_lists_rules(tmp_path: Path, wrap: str) -> None:
    """Rules of a body are found by their name within its list."""
    rules = '[{ name = "ssh", properties = { access = "Allow", sourceAddressPrefix = "*" } }]'
    body = f"{{\n    properties = {{\n      securityRules = {rules}\n    }}\n  }}"
    code = f"""\
resource "azapi_resource" "a" {{
  type = "{GROUP}@2024-05-01"
  name = "nsg1"
  body = {wrap.format(body)}
}}
"""
    assert code.replace('"*"', '"VirtualNetwork"') == patched(tmp_path, "main.tf", code, CHANGED)
    assert "destinationPortRanges" in patched(tmp_path, "main.tf", code, NEW)


def test_a_rule_of_its_own_is_changed_in_its_group_only(tmp_path: Path) -> None:
    """Rules of many groups bear one name: the group decides, by its name or by what is certain to be it."""
    code = """\
locals {
  group = "nsg1"
}
resource "azurerm_network_security_group" "a" {
  name = local.group
}
resource "azurerm_network_security_group" "b" {
  name = "nsg2"
}
resource "azurerm_network_security_rule" "a" {
  name = "ssh"
  network_security_group_name = azurerm_network_security_group.a.name
  source_address_prefix = "*"
}
resource "azurerm_network_security_rule" "b" {
  name = "ssh"
  network_security_group_name = azurerm_network_security_group.b.name
  source_address_prefix = "*"
}
"""
    assert code.replace('"*"', '"VirtualNetwork"', 1) == patched(tmp_path, "main.tf", code, CHANGED)
    unknown = code.replace("azurerm_network_security_group.a.name", "var.group")
    patches, remarks = read(tmp_path, "main.tf", unknown, CHANGED)
    assert [] == patches
    assert [10] == [one.line for one in remarks if "its group is an expression" in one.what]


@pytest.mark.parametrize(
    ("name", "code", "line"),
    [
        ("main.tf", TERRAFORM.replace('"SSH"', "var.rule"), 5),
        ("main.tf", TERRAFORM.replace('["1.2.3.4", "*"]', "var.sources"), 7),
        (
            "main.tf",
            'resource "azurerm_network_security_group" "a" {\n  name = "nsg1"\n'
            '  dynamic "security_rule" {\n    for_each = var.rules\n    content {}\n  }\n}\n',
            3,
        ),
        (
            "main.tf",
            'resource "azurerm_network_security_group" "a" {\n  name = "nsg1"\n'
            "  security_rule = var.rules\n}\n",
            3,
        ),
        ("main.bicep", BICEP.replace("'SSH'", "ruleName"), 6),
        ("main.bicep", BICEP[: BICEP.index("[")] + "concat(common, [])\n  }\n}\n", 4),
        (
            "main.bicep",
            BICEP[: BICEP.index("[")] + "[for one in rules: {\n      name: one\n    }]\n  }\n}\n",
            4,
        ),
        ("main.json", arm("[parameters('rules')]"), 8),
        ("main.json", arm([{"name": "[parameters('rule')]"}]), 10),
    ],
)
def test_rules_that_are_made_elsewhere_are_told(tmp_path: Path, name: str, code: str, line: int) -> None:
    """A list, a name or a value that is an expression stays; its line and what it has to say are told."""
    patches, remarks = read(tmp_path, name, code, CHANGED)
    assert [] == patches
    assert [line] == [one.line for one in remarks]
    assert "VirtualNetwork" in remarks[0].what


def test_a_list_that_a_loop_fills_gets_no_rule(tmp_path: Path) -> None:
    """Where some rules are made elsewhere, the created one may be among them: it is told."""
    loop = '  dynamic "security_rule" {\n    for_each = local.rules\n    content {}\n  }\n  tags'
    patches, remarks = read(tmp_path, "main.tf", TERRAFORM.replace("  tags", loop), NEW)
    assert [] == patches
    assert ["nsg1/guard" in one.what for one in remarks] == [True]
    code = json.loads(arm(RULES))
    code["resources"][0]["properties"]["copy"] = [{"name": "securityRules", "count": 2, "input": {}}]
    patches, remarks = read(tmp_path, "main.json", json.dumps(code, indent=1), NEW)
    assert ([], 1) == (patches, len(remarks))


def test_a_group_without_rules_of_its_own(tmp_path: Path) -> None:
    """Azurerm takes no notice of rules that code does not list; a template may remove them."""
    code = 'resource "azurerm_network_security_group" "a" {\n  name = "nsg1"\n}\n'
    assert ([], []) == read(tmp_path, "main.tf", code, NEW)
    group = json.loads(arm([]))
    del group["resources"][0]["properties"]["securityRules"]
    patches, remarks = read(tmp_path, "main.json", json.dumps(group), NEW)
    assert [] == patches
    assert ["lists no rules of its own" in one.what for one in remarks] == [True]


def test_groups_that_could_both_be_it_are_told(tmp_path: Path) -> None:
    """Two groups of one name, and a group that a loop makes, are left alone."""
    for code in (
        TERRAFORM + TERRAFORM.replace('"a"', '"b"'),
        TERRAFORM.replace('"nsg1"', '"nsg1"\n  count = 2'),
    ):
        patches, remarks = read(tmp_path, "main.tf", code, CHANGED)
        assert [] == patches
        assert remarks
    patches, remarks = read(tmp_path, "main.bicep", BICEP + BICEP.replace(" nsg ", " twin "), CHANGED)
    assert ([], 2) == (patches, len(remarks))


@pytest.mark.parametrize("name", ["main.tf", "main.bicep", "main.json"])
def test_one_group_that_may_be_two_is_told(tmp_path: Path, name: str) -> None:
    """Groups of one name in two resource groups, and code that says neither: it is edited for none."""
    code = {"main.tf": TERRAFORM, "main.bicep": BICEP, "main.json": arm(RULES)}[name]
    elsewhere = step("ssh", AFTER, BEFORE)
    elsewhere["rule"] = str(elsewhere["rule"]).replace("rg-app", "rg-other")
    other = settings_of(vm_id(), [elsewhere])[0]
    assert {entry.target for entry in other}.isdisjoint({entry.target for entry in CHANGED})
    patches, remarks = read(tmp_path, name, code, (*CHANGED, *other))
    assert ([], 2) == (patches, sum("may be" in one.what for one in remarks))


def test_rules_of_one_name_in_two_groups_are_both_changed(tmp_path: Path) -> None:
    """A rule that is a resource of its own is known by its full name."""
    rules = [
        {"type": f"{GROUP}/securityRules", "name": f"{nsg}/ssh", "properties": {"sourceAddressPrefix": "*"}}
        for nsg in ("nsg1", "nsg2")
    ]
    schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
    second = step("ssh", AFTER, BEFORE)
    second["rule"] = str(second["rule"]).replace("nsg1", "nsg2")
    wanted = (*CHANGED, *settings_of(vm_id(), [second])[0])
    code = json.dumps({"$schema": schema, "resources": rules}, indent=2)
    assert 2 == patched(tmp_path, "main.json", code, wanted).count('"VirtualNetwork"')
