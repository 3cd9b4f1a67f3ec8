"""What people and exports get wrong, through the commands: clear words, or an unknown with its reason."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import AS_OF, Terminal

ESTATE = 3
SUBSCRIPTION = "/subscriptions/11111111-1111-1111-1111-111111111111"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg-odd"
VM = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/odd-01"
NIC = f"{GROUP}/providers/Microsoft.Network/networkInterfaces/odd-01-nic"
CONTEXT = "format: readiness/context/1\n"


def estate(folder: Path, *resources: dict[str, Any], context: str = "") -> Path:
    """Write an estate of these resources."""
    folder.mkdir(exist_ok=True)
    info = {"format": "readiness/estate/1", "name": "odd", "origin": "collected"}
    info["collected_at"] = "2026-11-02T08:00:00Z"
    (folder / "estate.json").write_text(json.dumps(info))
    (folder / "resources.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in resources))
    if context:
        (folder / "context.yaml").write_text(context)
    return folder


def vm(**properties: Any) -> dict[str, Any]:
    """Return a VM with the parts that are named and no other."""
    return {"id": VM, "type": "Microsoft.Compute/virtualMachines", "properties": properties}


def assessed(terminal: Terminal, folder: Path) -> dict[str, Any]:
    """Assess an estate, which has to succeed and account for every VM."""
    ended = terminal.type("assess", folder, "--as-of", AS_OF, "--output", "json")
    assert (0, "") == (ended.code, ended.err)
    found: dict[str, Any] = json.loads(ended.out)
    return found


# Files --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b'{"id": "/subscriptions/x', "resources.jsonl:1:"),
        (b'{"id": "\xff\xfe"}', "resources.jsonl:1:9 is not UTF-8 text."),
        (b"[1, 2]", "resources.jsonl:1 is not a JSON object."),
        (b"[" * 100_000, "resources.jsonl:1"),
        (b'{"id": "\xc3', "is not UTF-8 text."),
    ],
    ids=["truncated", "encoding", "list", "nested", "torn"],
)
def test_a_line_that_is_no_resource(terminal: Terminal, tmp_path: Path, line: bytes, words: str) -> None:
    """A line that nobody can read stops the reading, by file and line: it could be a VM."""
    folder = estate(tmp_path / "e")
    (folder / "resources.jsonl").write_bytes(line + b"\n")
    assert words in terminal.refused(ESTATE, "assess", folder)


def test_a_bomb(terminal: Terminal, tmp_path: Path) -> None:
    """A packed estate that unpacks to an absurd size is given up in time."""
    folder = estate(tmp_path / "e")
    (folder / "resources.jsonl").unlink()
    (folder / "resources.jsonl.gz").write_bytes(gzip.compress(b'{"id": "/%s"}\n' % (b"a" * 5000) * 20_000))
    assert "unpacks to more than" in terminal.refused(ESTATE, "assess", folder)


def test_a_long_line(terminal: Terminal, tmp_path: Path) -> None:
    """A line of 50 megabytes is a line."""
    folder = estate(tmp_path / "e", vm(), {"id": f"{VM}/x/y", "padding": "x" * 50_000_000})
    assert ["odd-01"] == [entry["name"] for entry in assessed(terminal, folder)["vms"]]


# Resources ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["storageProfile", "osProfile", "networkProfile"])
def test_a_vm_without_a_profile_is_not_ready(terminal: Terminal, tmp_path: Path, missing: str) -> None:
    """A VM without a profile, or with null in its place, is classified, and what rests on it is not ready."""
    profiles: dict[str, Any] = {"storageProfile": {}, "osProfile": {}, "networkProfile": {}}
    absent = {key: value for key, value in profiles.items() if key != missing}
    for number, given in enumerate((absent, profiles | {missing: None})):
        found = assessed(terminal, estate(tmp_path / str(number), vm(**given)))
        standings = {name: one["classification"] for name, one in found["vms"][0]["dimensions"].items()}
        assert "unknown" == standings["password_access"]
        assert not {"ready", "satisfied"} & {standings["trusted_launch"], standings["cmk"]}


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"storageProfile": "none"}, "'storageProfile' is a text, not an object"),
        ({"storageProfile": {"dataDisks": {}}}, "'dataDisks' is an object, not a list"),
        ({"networkProfile": {"networkInterfaces": ["x"]}}, "'networkInterfaces' holds a text, not an object"),
        ({"securityProfile": {"uefiSettings": {"vTpmEnabled": 3}}}, "'vTpmEnabled' is a number"),
    ],
)
def test_a_vm_with_the_wrong_kind_of_value(
    terminal: Terminal, tmp_path: Path, properties: dict[str, Any], words: str
) -> None:
    """A VM that cannot be understood is counted as unknown, and named with file, line and reason."""
    found = assessed(terminal, estate(tmp_path / "e", vm(**properties)))
    assert (1, 1) == (found["coverage"][0]["discovered"], found["coverage"][0]["unknown"])
    (gap,) = found["gaps"]
    assert ("resources.jsonl:1", VM) == (gap["place"], gap["resource"])
    assert words in gap["detail"]
    assert "could not be read" in terminal.refused(ESTATE, "explain", tmp_path / "e", "odd-01")


def test_one_id_in_two_cases(terminal: Terminal, tmp_path: Path) -> None:
    """Two copies of a VM in different letters are one VM, and the second is told."""
    found = assessed(terminal, estate(tmp_path / "e", vm(), vm() | {"id": VM.upper()}))
    assert (1, ["DuplicateResource"]) == (len(found["vms"]), [gap["reason"] for gap in found["gaps"]])


def test_references_into_nowhere(terminal: Terminal, tmp_path: Path) -> None:
    """Disks and interfaces that are named and not there leave the answer open, by name."""
    gone = {"networkInterfaces": [{"id": NIC}]}
    disk = {"osDisk": {"managedDisk": {"id": f"{GROUP}/providers/Microsoft.Compute/disks/gone"}}}
    found = assessed(terminal, estate(tmp_path / "e", vm(networkProfile=gone, storageProfile=disk)))
    reasons = {
        (one["rule"], one["status"])
        for standing in found["vms"][0]["dimensions"].values()
        for one in standing["reasons"]
    }
    assert {("PW001", "unknown"), ("EN001", "unknown")} <= reasons


@pytest.mark.parametrize(
    ("manager", "words"),
    [(VM, None), ("/subscriptions/s/x/unknownService", "unknownService"), ("not an id", "not an id")],
    ids=["itself", "unknown", "text"],
)
def test_odd_managers(terminal: Terminal, tmp_path: Path, manager: str, words: str | None) -> None:
    """A VM that manages itself is its own master; whatever else manages it, known or not, excludes it."""
    (found,) = assessed(terminal, estate(tmp_path / "e", vm() | {"managedBy": manager}))["vms"]
    assert (words is None) == (found["excluded"] is None)
    assert words is None or words in found["excluded"]


@pytest.mark.parametrize("ports", ["22-", "ssh", "70000", "-1", "22;23", "3389-22", "\u0662\u0662"])
def test_a_port_that_is_none(terminal: Terminal, tmp_path: Path, ports: str) -> None:
    """A security group with a rule on an odd port is not understood: the VM's exposure is unknown."""
    group = f"{GROUP}/providers/Microsoft.Network/networkSecurityGroups/nsg"
    network = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vnet"
    address = f"{GROUP}/providers/Microsoft.Network/publicIPAddresses/pip"
    rule = {"priority": 100, "access": "Allow", "direction": "Inbound", "destinationPortRange": ports}
    card = {
        "ipConfigurations": [
            {
                "id": f"{NIC}/ipConfigurations/a",
                "properties": {
                    "privateIPAddress": "10.0.0.4",
                    "publicIPAddress": {"id": address},
                    "subnet": {"id": f"{network}/subnets/s"},
                },
            }
        ],
        "networkSecurityGroup": {"id": group},
    }
    folder = estate(
        tmp_path / "e",
        vm(networkProfile={"networkInterfaces": [{"id": NIC}]}),
        {"id": NIC, "properties": card},
        {"id": network, "properties": {"subnets": [{"name": "s", "properties": {}}]}},
        {"id": address, "sku": {"name": "Standard"}, "properties": {}},
        {"id": group, "properties": {"securityRules": [{"name": "odd", "properties": rule}]}},
    )
    found = assessed(terminal, folder)
    (gap,) = found["gaps"]
    assert ("resources.jsonl:5", group, True) == (gap["place"], gap["resource"], ports in gap["detail"])
    (reason,) = [
        one for one in found["vms"][0]["dimensions"]["password_access"]["reasons"] if one["rule"] == "PW001"
    ]
    assert ("unknown", "NetworkNotRead") == (reason["status"], reason["reason"])


def test_values_of_the_future(terminal: Terminal, tmp_path: Path) -> None:
    """Words that no release knows are unknown, never ready."""
    future = vm(
        securityProfile={"securityType": "QuantumLaunch"},
        storageProfile={"osDisk": {"osType": "Plan9", "managedDisk": {"id": f"{GROUP}/x"}}},
        instanceView={"statuses": [{"code": "PowerState/dreaming"}]},
    )
    (found,) = assessed(terminal, estate(tmp_path / "e", future))["vms"]
    standings = {one["classification"] for one in found["dimensions"].values()}
    assert not standings & {"ready", "satisfied"}


# Contexts -----------------------------------------------------------------------------------------------

_OWNER = "owner: {name: A}"
_EXCEPTION = "id: E, owner: a, reason: b, approved_by: c"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("applications: &a [*a]\n", ("context.yaml:2:15", "anchors")),
        ("windows:\n\t- {}\n", ("context.yaml:3:1", "Indent with spaces.")),
        (
            f"exceptions: [{{{_EXCEPTION}, rule: TL01, match: {{}}, expires: 2027-01-01}}]\n",
            ("'TL01'", "TL0"),
        ),
        (f"exceptions: [{{{_EXCEPTION}, dimension: cmmk, match: {{}}, expires: 2027-01-01}}]\n", ("'cmk'",)),
        (f"exceptions: [{{{_EXCEPTION}, rule: TL001, match: {{}}}}]\n", ("'expires' is missing",)),
        (
            "estimates: [{match: {}, playbook: disk-encription, duration: PT1H}]\n",
            ("context.yaml:2:35: There is no playbook 'disk-encription'.", "disk-encryption"),
        ),
        (
            "targets: [{match: {applications: [Shpo]}}]\n",
            ("context.yaml:2:35: There is no application 'Shpo'.",),
        ),
        (
            "attestations: [{control: QQ-99, match: {}, owner: a, date: 2026-01-01, expires: 2027-01-01, "
            "statement: b}]\n",
            ("There is no control 'QQ-99'.",),
        ),
        ("targets: [{match: {ids: [/subscriptions/]}}]\n", ("is the id of no subscription",)),
        ("targets: [{match: {ids: [/subscriptions/s/groups/g]}}]\n", ("is the id of no subscription",)),
    ],
)
def test_a_context_with_a_mistake(
    terminal: Terminal, tmp_path: Path, text: str, words: tuple[str, ...]
) -> None:
    """Every mistake is told with its place and what would be right, by every command that reads it."""
    folder = estate(tmp_path / "e", vm(), context=CONTEXT + text)
    given = tmp_path / "context.yaml"
    given.write_text(CONTEXT + text)
    imported = ("import", given, "--kind", "context", "--to", estate(tmp_path / "to", vm()))
    for command in (("assess", folder), ("explain", folder, "odd-01"), imported):
        said = terminal.refused(ESTATE, *command)
        assert [] == [word for word in words if word not in said], said
    assert not (tmp_path / "to" / "context.yaml").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"applications: [{{name: Typo, {_OWNER}, match: {{names: [web-*]}}}}]\n", "The application Typo"),
        (f"exceptions: [{{{_EXCEPTION}, rule: TL001, match: {{names: [x]}}, expires: 2027-01-01}}]\n", "E"),
        ("targets: [{match: {tags: {a: b}}}]\n", "The target number 1"),
        ("freezes: [{name: F, match: {resource_groups: [x]}, starts: 2027-01-01, ends: 2027-01-02}]\n", "F"),
        (
            f"applications: [{{name: All, {_OWNER}, match: {{}}}}, {{name: Late, {_OWNER}, match: {{}}}}]\n",
            "the application Late belong to an application above it",
        ),
    ],
    ids=["application", "exception", "target", "freeze", "hidden"],
)
def test_an_entry_without_effect_is_told(terminal: Terminal, tmp_path: Path, text: str, words: str) -> None:
    """What speaks of no VM, or of VMs that another application has, is read and said, wherever it is seen."""
    folder = estate(tmp_path / "e", vm(), context=CONTEXT + text)
    (gap,) = assessed(terminal, folder)["gaps"]
    assert ("context.yaml", True) == (gap["place"], words in gap["detail"])
    given = tmp_path / "context.yaml"
    given.write_text(CONTEXT + text)
    for command in (
        ("explain", folder, "odd-01", "--as-of", AS_OF),
        ("import", given, "--kind", "context", "--to", folder),
    ):
        ended = terminal.type(*command)
        assert (0, True) == (ended.code, words in ended.out), ended


@pytest.mark.parametrize("scope", [SUBSCRIPTION, GROUP, GROUP.upper(), VM, f"{SUBSCRIPTION}/"])
def test_a_match_of_a_whole_scope(terminal: Terminal, tmp_path: Path, scope: str) -> None:
    """The id of a subscription or a group hits every VM in it, once, and no neighbour whose name goes on."""
    other = vm() | {"id": VM.replace("rg-odd/", "rg-odd-2/").replace("111111111111", "111111111112")}
    match = f"{{ids: [{scope}, {VM}]}}"
    rule = f"exceptions: [{{{_EXCEPTION}, dimension: cmk, match: {match}, expires: 2027-01-01}}]"
    found = assessed(terminal, estate(tmp_path / "e", vm(), other, context=CONTEXT + rule))
    assert [1] == [entry["vms"] for entry in found["exceptions"]]
    assert [] == found["gaps"]


def test_a_dependency_on_a_vm_that_could_not_be_read(terminal: Terminal, tmp_path: Path) -> None:
    """A VM that is known as a gap alone is named in dependencies of either file, by name or id."""
    unread = VM.replace("odd-01", "odd-02")
    context = CONTEXT + "dependencies: [{source: odd-01, target: odd-02}]\n"
    context += f"applications: [{{name: Unread, {_OWNER}, match: {{names: ['*-02'], tags: {{a: b}}}}}}]\n"
    folder = estate(tmp_path / "e", vm(), context=context)
    info = json.loads((folder / "estate.json").read_text())
    info["gaps"] = [
        {
            "place": "collector",
            "resource": unread,
            "reason": "Forbidden",
            "detail": "No access.",
            "is_vm": True,
        }
    ]
    (folder / "estate.json").write_text(json.dumps(info))
    (folder / "dependencies.csv").write_text(f"source,target\n{unread},odd-01\n")
    found = assessed(terminal, folder)
    assert (2, 1) == (found["coverage"][0]["discovered"], found["coverage"][0]["unknown"])
    assert ["collector"] == [gap["place"] for gap in found["gaps"]]
    flows = tmp_path / "flows.csv"
    flows.write_text("source,target\nodd-01,odd-02\n")
    ended = terminal.type("import", flows, "--kind", "dependencies", "--to", folder, "--output", "json")
    assert (1, []) == (json.loads(ended.out)["dependencies"], json.loads(ended.out)["unresolved"])
    assert unread in (folder / "dependencies.csv").read_text()


def test_an_exception_that_has_run_out_or_lacks_something_says_so(terminal: Terminal, tmp_path: Path) -> None:
    """On the screen an expired exception is called expired, and one without a compensating control so."""
    context = (
        "exceptions:\n"
        f"- {{{_EXCEPTION.replace('E,', 'OLD,')}, rule: TL001, match: {{}}, expires: 2026-01-01}}\n"
    )
    folder = estate(tmp_path / "e", vm(), context=CONTEXT + context)
    ended = terminal.type("explain", folder, "odd-01", "--as-of", AS_OF)
    assert "expired on 2026-01-01" in ended.out
    assert "no compensating control is named" in ended.out
