"""The register of exceptions, what is refused of it, and policy exemptions out of it and into it."""

import json
from datetime import date
from pathlib import Path

import pytest

from readiness.app.estates import load, locate
from readiness.app.exception_exports import export
from readiness.app.exception_imports import import_exemptions
from readiness.app.exceptions import check, expiring, register
from readiness.errors import EstateError, UsageError
from readiness.store.context_file import parse_context
from readiness.twin.clock import VirtualClock
from readiness.twin.core import Request, Twin
from readiness.twin.seed import load as load_seed
from tests.twin.seeds import START

TODAY = date(2026, 11, 22)
SUBSCRIPTION = "63610791-8d8b-4b10-b705-26fc2d8bfdf7"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-backoffice"
POLICIES = "providers/Microsoft.Authorization/policyAssignments"
EXEMPTIONS = "providers/Microsoft.Authorization/policyExemptions"
TRUSTED_LAUNCH = "c95b54ad-0614-4633-ab29-104b01235cbf"
CUSTOMER_KEYS = "702dd420-7fcc-42c5-afe8-4026edd20fe0"
NETWORK_INTERFACES = "83a86a26-fd1f-447c-b59d-e51f44264114"
KEY_VAULTS = "0b60c0b2-2dc2-4e1c-b5c9-abbed971de53"
BENCHMARK = "1f3afdf9-d0c9-4c3d-847f-89da613e70a8"
SOUND = {
    "id": "EX-1",
    "rule": "CP-1",
    "match": "{names: [bo-app-01]}",
    "owner": "Ada",
    "reason": "The vendor forbids it.",
    "approved_by": "Security",
    "expires": "2027-01-31",
    "compensating_control": "Its subnet is closed.",
}


def entry(**changes: str | None) -> str:
    """Return an exception as YAML, complete but for the changes; None leaves a key out."""
    told = {key: value for key, value in {**SOUND, **changes}.items() if value is not None}
    return "".join(
        f"{'  - ' if number == 0 else '    '}{key}: {value}\n"
        for number, (key, value) in enumerate(told.items())
    )


def assignment(name: str, policy: str, scope: str = f"/subscriptions/{SUBSCRIPTION}") -> dict:
    """Return the assignment of a built-in policy."""
    kind = "policySetDefinitions" if policy == BENCHMARK else "policyDefinitions"
    return {
        "id": f"{scope}/{POLICIES}/{name}",
        "name": name,
        "type": "Microsoft.Authorization/policyAssignments",
        "properties": {
            "policyDefinitionId": f"/providers/Microsoft.Authorization/{kind}/{policy}",
            "scope": scope,
        },
    }


def exemption(name: str, of: str, scope: str = GROUP, **properties: object) -> dict:
    """Return an exemption of a group from an assignment in the subscription."""
    return {
        "id": f"{scope}/{EXEMPTIONS}/{name}",
        "name": name,
        "type": "Microsoft.Authorization/policyExemptions",
        "properties": {
            "policyAssignmentId": f"/subscriptions/{SUBSCRIPTION}/{POLICIES}/{of}",
            "exemptionCategory": "Mitigated",
            "expiresOn": "2027-01-31T23:59:59Z",
            "description": "The vendor forbids it.",
            "metadata": {"owner": "Ada", "approvedBy": "Bo", "compensatingControls": "A closed subnet."},
            **properties,
        },
    }


@pytest.fixture
def estate(tmp_path):
    """Write the starter estate with other exceptions and with resources that are added."""

    def write(*entries: str, resources: tuple[dict, ...] = ()) -> Path:
        source, folder = locate("starter"), tmp_path / "estate"
        folder.mkdir(exist_ok=True)
        lines = (source / "resources.jsonl").read_text(encoding="utf-8")
        more = "".join(json.dumps(one) + "\n" for one in resources)
        (folder / "resources.jsonl").write_text(lines + more, encoding="utf-8")
        (folder / "estate.json").write_bytes((source / "estate.json").read_bytes())
        whole = (source / "context.yaml").read_text(encoding="utf-8")
        before, _, after = whole.partition("exceptions:\n")
        _, blank, rest = after.partition("\n\n")
        own = "exceptions:\n" + "".join(entries) if entries else ""
        (folder / "context.yaml").write_text(before + own + blank + rest, encoding="utf-8")
        return folder

    return write


# Register -------------------------------------------------------------------------------------------


def test_the_register_tells_what_is_covered_and_what_is_permitted():
    """Place, VMs, rules, days left and approver of the starter estate's exception."""
    (one,) = register(locate("starter"), TODAY).exceptions
    assert ("EX-2026-014", "context.yaml:101:5", "cmk", 159) == (one.id, one.place, one.covers, one.days_left)
    assert "Adaeze Lindqvarn, security office" == one.approved_by
    assert [("bo-report-01", ("DP-3", "DP-4", "DP-5", "EN001", "EN002", "EN008"))] == [
        (vm.name, vm.permits) for vm in one.vms
    ]
    assert {"EN001", "DP-5"} < set(one.rules)
    assert "TL001" not in one.rules


def test_an_expired_exception_permits_nothing():
    """It stays in the register, and first of all, with what it names."""
    found = register(locate("bank"), TODAY).exceptions
    assert ["EX-2024-090", "EX-2024-118"] == [one.id for one in found if one.days_left < 0]
    assert found[0].id == "EX-2024-090"
    assert [(), ()] == [one.permits for one in found[:2]]
    assert all(one.vms for one in found[:2])


def test_what_is_permitted_in_a_whole_subscription_is_told(estate):
    """An exception from a control of the subscription names it, not its VMs."""
    folder = estate(entry(rule="DF-1", match=f"{{ids: [/subscriptions/{SUBSCRIPTION}]}}"), entry(id="EX-2"))
    first, second = register(folder, TODAY).exceptions
    assert ({SUBSCRIPTION: ("DF-1",)}, ("DF-1",)) == (first.subscriptions, first.rules)
    assert ({}, ("CP-1",)) == (second.subscriptions, second.permits)


@pytest.mark.parametrize(("within", "expected"), [(0, 2), (128, 2), (129, 3), (400, 6)])
def test_expiring_counts_the_day_itself(within, expected):
    """What ends on the last of the days is among them; what has expired always is."""
    assert expected == len(expiring(register(locate("bank"), TODAY), within).exceptions)


def test_no_negative_number_of_days():
    """Days that are none are refused."""
    with pytest.raises(UsageError):
        expiring(register(locate("starter"), TODAY), -1)


# Check ----------------------------------------------------------------------------------------------


def test_a_complete_exception_is_in_order(estate):
    """Nothing is refused, nothing noted: it names a VM on which something is open."""
    found = check(estate(entry()), TODAY)
    assert (1, 0, (), ()) == (found.entries, found.refused, found.faults, found.notes)


def test_every_fault_has_file_line_and_remedy(estate):
    """All faults of all exceptions, each at the value that is wrong, or at the entry where it is missing."""
    folder = estate(
        entry(expires="2028-01-01", compensating_control=None), entry(id="EX-2", expires="2026-11-21")
    )
    found = check(folder, TODAY)
    lines = (folder / "context.yaml").read_text(encoding="utf-8").splitlines()
    told = [
        (one.exception, one.reason, lines[int(one.place.split(":")[1]) - 1].strip()) for one in found.faults
    ]
    assert [
        ("EX-1", "NoCompensatingControl", "- id: EX-1"),
        ("EX-1", "TooLong", "expires: 2028-01-01"),
        ("EX-2", "Expired", "expires: 2026-11-21"),
    ] == told
    assert (2, 2) == (found.entries, found.refused)
    assert all(one.remedy for one in found.faults)


def test_what_cannot_be_read_does_not_hide_the_rest(estate):
    """A context that no command could read is still checked, to the last of its exceptions."""
    folder = estate(entry(owner=None, approved_by=None), entry(id="EX-2", expires="2028-01-01"))
    with pytest.raises(EstateError):
        load(folder)
    found = check(folder, TODAY)
    assert ["Incomplete", "Incomplete", "TooLong"] == [one.reason for one in found.faults]
    assert (False, 2) == (found.is_covered, found.refused)


def test_exceptions_that_do_nothing_are_noted(estate):
    """One that names no VM, and one on whose VM nothing is open, refuse nothing and are told."""
    folder = estate(
        entry(match="{names: [nowhere-*]}"), entry(id="EX-2", rule="DP-1"), entry(id="EX-3", rule="CP-2")
    )
    found = check(folder, TODAY)
    assert [("EX-1", "NamesNoVm"), ("EX-2", "PermitsNothing")] == sorted(
        (one.exception, one.reason) for one in found.notes
    )
    assert 0 == found.refused


def test_how_long_is_too_long_can_be_said(estate):
    """A house that allows 30 days refuses what runs for 70."""
    assert ["TooLong"] == [one.reason for one in check(estate(entry()), TODAY, 30).faults]
    with pytest.raises(UsageError):
        check(estate(entry()), TODAY, 0)


# Export ---------------------------------------------------------------------------------------------


def deployed(folder: Path, template: Path) -> list[dict]:
    """Deploy a template to its group on a twin of the estate, and return the exemptions that are there."""
    clock = VirtualClock(START)
    twin = Twin(load_seed(folder), clock=clock)

    def ask(method: str, path: str, body: object | None = None) -> dict:
        query = {"api-version": "2022-07-01-preview"}
        answer = twin.handle(Request(method, path, query, {}, body, "https://twin.example"))
        assert answer.status < 300, answer.body
        return answer.body

    path = f"{GROUP}/providers/Microsoft.Resources/deployments/exemptions"
    given = {"template": json.loads(template.read_text(encoding="utf-8")), "mode": "Incremental"}
    ask("PUT", path, {"properties": given})
    while (told := ask("GET", path)["properties"])["provisioningState"] not in ("Succeeded", "Failed"):
        clock.sleep(10)
    assert "Succeeded" == told["provisioningState"], told
    return [one for one in twin.resources() if one["type"].lower().endswith("/policyexemptions")]


def test_an_exception_becomes_an_exemption_that_can_be_deployed(tmp_path, estate):
    """The template is accepted by an ARM, and what stands there says who, why and until when."""
    folder = estate(entry(), resources=(assignment("boot", TRUSTED_LAUNCH),))
    made = export(folder, tmp_path / "out", TODAY)
    (one,) = made.exemptions
    (there,) = deployed(folder, tmp_path / "out" / one.file)
    vm = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/bo-app-01"
    assert f"{vm}/{EXEMPTIONS}/{one.name}".lower() == there["id"].lower()
    assert {
        "policyAssignmentId": f"/subscriptions/{SUBSCRIPTION}/{POLICIES}/boot",
        "exemptionCategory": "Mitigated",
        "expiresOn": "2027-01-31T23:59:59Z",
        "displayName": "EX-1: CP-1",
        "description": "The vendor forbids it.",
        "metadata": {
            "owner": "Ada",
            "approvedBy": "Security",
            "compensatingControls": "Its subnet is closed.",
            "readinessException": "EX-1",
            "readinessControl": "CP-1",
        },
    } == there["properties"]
    assert [".json", ".bicep"] == [Path(file).suffix for file in made.files]
    assert made.commands[0].startswith("az deployment group create --resource-group rg-backoffice ")


def test_an_exemption_stands_where_its_policy_judges(tmp_path, estate):
    """A policy on disks is lifted from the VM's disks, too; one on interfaces from the interfaces."""
    folder = estate(
        entry(rule="DP-5"),
        entry(id="EX-2", rule="NW-2"),
        resources=(assignment("keys", CUSTOMER_KEYS), assignment("public", NETWORK_INTERFACES)),
    )
    made = export(folder, tmp_path / "out", TODAY).exemptions
    kinds = {
        name: sorted({one.scope.split("/")[-2] for one in made if one.exception == name})
        for name in ("EX-1", "EX-2")
    }
    assert {"EX-1": ["disks", "virtualMachines"], "EX-2": ["networkInterfaces"]} == kinds


def test_a_whole_subscription_is_exempted_once(tmp_path, estate):
    """An exception that names a subscription or a group by its id stands there, and for what comes later."""
    whole = f"/subscriptions/{SUBSCRIPTION}"
    folder = estate(
        entry(match=f"{{ids: [{whole}]}}"),
        entry(id="EX-2", match="{}"),
        entry(id="EX-3", match=f"{{ids: [{GROUP}]}}"),
        resources=(assignment("boot", TRUSTED_LAUNCH),),
    )
    made = export(folder, tmp_path / "out", TODAY)
    assert [("EX-1", whole), ("EX-2", whole), ("EX-3", GROUP)] == [
        (one.exception, one.scope) for one in made.exemptions
    ]
    assert "az deployment sub create --location westeurope" in " ".join(made.commands)


@pytest.mark.parametrize(
    ("changes", "assigned", "reason"),
    [
        ({"rule": "AC-4"}, ("boot", TRUSTED_LAUNCH), "NoPolicy"),
        ({}, ("keys", CUSTOMER_KEYS), "NotAssigned"),
        ({}, ("benchmark", BENCHMARK), "OnlyInitiatives"),
        ({"rule": "DP-6"}, ("vaults", KEY_VAULTS), "JudgesSomethingElse"),
        (
            {},
            ("boot", TRUSTED_LAUNCH, f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-other"),
            "NotReached",
        ),
        ({"expires": "2028-01-31"}, ("boot", TRUSTED_LAUNCH), "TooLong"),
        ({"expires": "2026-01-31"}, ("boot", TRUSTED_LAUNCH), "Expired"),
        ({"compensating_control": None}, ("boot", TRUSTED_LAUNCH), "NoCompensatingControl"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_exported_is_told_with_its_reason(tmp_path, estate, changes, assigned, reason):
    """Nothing is lost on the way, and no initiative is lifted as a whole."""
    folder = estate(entry(**changes), resources=(assignment(*assigned),))
    made = export(folder, tmp_path / "out", TODAY)
    assert ((), (), [reason]) == (made.exemptions, made.files, [one.reason for one in made.left_out])
    assert all(one.detail and one.remedy for one in made.left_out)


def test_a_waiver_has_to_be_asked_for(tmp_path, estate):
    """Without a compensating control the risk is accepted, which Azure calls a waiver."""
    folder = estate(entry(compensating_control=None), resources=(assignment("boot", TRUSTED_LAUNCH),))
    made = export(folder, tmp_path / "out", TODAY, waivers=True)
    assert ["Waiver"] == [one.category for one in made.exemptions]


def test_the_same_exceptions_give_the_same_files(tmp_path, estate):
    """Byte by byte, so that a review shows what changed."""
    folder = estate(entry(), resources=(assignment("boot", TRUSTED_LAUNCH),))
    first = export(folder, tmp_path / "one", TODAY).files
    assert first == export(folder, tmp_path / "two", TODAY).files
    for file in first:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_a_folder_with_other_files_is_refused(tmp_path, estate):
    """The exemption of an exception that was withdrawn must not be deployed from an old file."""
    (tmp_path / "old.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UsageError, match="is not empty"):
        export(estate(entry()), tmp_path, TODAY)


def test_names_from_azure_are_no_paths(tmp_path, estate):
    """A resource group cannot lead out of the folder."""
    scope = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/..(a).b"
    folder = estate(entry(match=f'{{ids: ["{scope}"]}}'), resources=(assignment("boot", TRUSTED_LAUNCH),))
    made = export(folder, tmp_path / "out", TODAY)
    assert [f"{SUBSCRIPTION}/group-~2e~2e(a)~2eb.json"] == [one.file for one in made.exemptions]


# Import ---------------------------------------------------------------------------------------------


def test_an_exemption_becomes_an_entry_that_can_be_pasted(estate):
    """The text is a context of its own, and nothing else was written."""
    there = (assignment("boot", TRUSTED_LAUNCH), exemption("legacy", "boot"))
    folder = estate(resources=there)
    before = (folder / "context.yaml").read_bytes()
    made = import_exemptions(folder, TODAY)
    (read,) = parse_context(made.text, {}).exceptions
    assert ("EX-legacy", "CP-1", "Ada", "Bo", date(2027, 1, 31), "A closed subnet.") == (
        read.id,
        read.rule,
        read.owner,
        read.approved_by,
        read.expires,
        read.compensating_control,
    )
    assert [GROUP.lower()] == [one.key for one in read.match.ids]
    assert (before, "") == ((folder / "context.yaml").read_bytes(), made.written)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"metadata": {}}, "Nobody carries the risk."),
        ({"expiresOn": None}, "It has no end"),
        ({"expiresOn": "2030-01-01T00:00:00Z"}, "180 are the most"),
        ({"expiresOn": "2020-01-01T00:00:00Z"}, "It expired on 2019-12-31"),
        ({"policyAssignmentId": "/subscriptions/x/nowhere"}, "is not in the estate"),
    ],
    ids=["owner", "end", "long", "expired", "assignment"],
)
def test_what_is_incomplete_is_a_comment_that_says_why(estate, changes, told):
    """The text stays right, and nothing incomplete is accepted unseen."""
    there = (assignment("boot", TRUSTED_LAUNCH), exemption("legacy", "boot", **changes))
    made = import_exemptions(estate(resources=there), TODAY)
    assert () == parse_context(made.text, {}).exceptions
    assert told in made.text
    assert any(told in fault for fault in made.proposals[0].faults)


def test_an_exemption_from_a_whole_initiative_is_never_guessed():
    """Which controls an initiative stands for nobody wrote into the estate."""
    (one,) = import_exemptions(locate("bank"), TODAY).proposals
    assert "" == one.rule
    assert "initiative 'security-benchmark' as a whole" in one.faults[0]


def test_what_was_exported_is_known_when_it_comes_back(tmp_path, estate):
    """An exemption that stands for an exception of this context is no proposal."""
    assigned = assignment("boot", TRUSTED_LAUNCH)
    folder = estate(entry(), resources=(assigned,))
    (file, _) = export(folder, tmp_path / "out", TODAY).files
    there = deployed(folder, tmp_path / "out" / file)
    made = import_exemptions(estate(entry(), resources=(assigned, *there)), TODAY)
    assert (1, 1, ()) == (made.exemptions, len(made.known), made.proposals)


def test_proposals_go_into_a_context_only_where_it_is_named(estate):
    """Afterwards the estate is read with them, and what stood there is kept."""
    there = (assignment("boot", TRUSTED_LAUNCH), exemption("legacy", "boot"))
    folder = estate(entry(), resources=there)
    made = import_exemptions(folder, TODAY, folder / "context.yaml")
    assert str(folder / "context.yaml") == made.written
    assert {"EX-1", "EX-legacy"} == {one.id for one in load(folder).context.exceptions}
    assert (folder / "context.previous.yaml").exists()
    again = import_exemptions(folder, TODAY)
    assert (1, ()) == (len(again.known), again.proposals)


def test_an_id_that_is_taken_is_numbered(estate):
    """Two exemptions of one name, in two groups, are two exceptions."""
    other = exemption("legacy", "boot", scope=f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-storefront")
    there = (assignment("boot", TRUSTED_LAUNCH), exemption("legacy", "boot"), other)
    made = import_exemptions(estate(resources=there), TODAY)
    assert ["EX-legacy", "EX-legacy-2"] == [one.id for one in parse_context(made.text, {}).exceptions]
