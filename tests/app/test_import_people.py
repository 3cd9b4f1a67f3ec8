"""What people and their tools know: dependencies from CSV, contexts from YAML and Excel."""

from datetime import date, datetime, time

import pytest
from openpyxl import load_workbook

from readiness.app.estates import load
from readiness.app.importing import import_resources
from readiness.app.importing_context import import_context, write_template
from readiness.app.importing_dependencies import import_dependencies
from readiness.errors import EstateError, UsageError
from readiness.model.verdict import Dimension
from readiness.store.context_columns import SHEETS
from tests.app.test_import_forms import WHOLE, write
from tests.builders import vm_id

WEB, DB, TWIN = vm_id("web-01"), vm_id("db-01"), vm_id("web-01", group="rg-other")
NIC = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkInterfaces/n"


@pytest.fixture
def estate(tmp_path):
    """An estate of two VMs, one of which has an address."""
    nic = {"id": NIC, "properties": {"ipConfigurations": [{"properties": {"privateIPAddress": "10.0.0.5"}}]}}
    with_nic = WHOLE["properties"] | {"networkProfile": {"networkInterfaces": [{"id": NIC}]}}
    vms = [WHOLE, WHOLE | {"id": DB.text, "name": "db-01", "properties": with_nic}, nic]
    import_resources((write(tmp_path, "vms.json", vms),), tmp_path / "estate")
    return tmp_path / "estate"


@pytest.mark.parametrize(
    "text",
    [
        "source,target\nweb-01,db-01\n",
        f"Source;Target;Hard\r\nWEB-01;{DB.text.upper()};false\r\n",
        "\ufeffTimeslot,Source server name,Source application,Destination server name,Destination IP\n"
        't,web-01.corp.example,"a, b",,10.0.0.5\n',
        "SrcVM,DestVM,SrcIP,DestIP,FlowStatus\nrg-app/web-01,,,10.0.0.5,A\nrg-app/db-01,rg-app/web-01,,,D\n",
        "VM1_s,VM2_s,FlowStatus_s\nrg-app/web-01,rg-app/db-01,A\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_every_form_of_dependencies(tmp_path, estate, text, encoding):
    """Each known export says that web needs db, and the estate reads it back."""
    report = import_dependencies((write(tmp_path, "d.csv", text.encode(encoding)),), estate)
    assert (1, 1, ()) == (report.dependencies, report.new, report.unresolved)
    assert [(WEB, DB)] == [(entry.source, entry.target) for entry in load(estate).context.dependencies]


def test_what_is_no_single_vm_is_told(tmp_path, estate):
    """Unknown and ambiguous machines are counted and named; the rest of the file is taken."""
    import_resources((write(tmp_path, "t.json", [WHOLE | {"id": TWIN.text}]),), estate)
    text = f"source,target\nweb-01,db-01\nnowhere,db-01\nnowhere,db-01\n{WEB},db-01\ndb-01,db-01\n"
    report = import_dependencies((write(tmp_path, "d.csv", text.encode()),), estate)
    assert [("nowhere", 2), ("web-01", 1)] == [(entry.endpoint, entry.lines) for entry in report.unresolved]
    assert (1, 1) == (report.dependencies, report.own)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a,b\n1,2\n", "d.csv:1: these columns are of no known form: a, b"),
        ("source,target\nweb-01,\n", "d.csv:2: target is missing"),
        ("source,target,hard\nweb-01,db-01,maybe\n", "d.csv:2: 'maybe' is neither"),
    ],
)
def test_a_wrong_dependency_file(tmp_path, estate, text, problem):
    """A file of no known form is refused with its place, and nothing is written."""
    with pytest.raises(EstateError) as caught:
        import_dependencies((write(tmp_path, "d.csv", text.encode()),), estate)
    assert caught.value.brief.startswith(problem)
    assert not (estate / "dependencies.csv").exists()


def test_a_dependency_on_a_vm_that_is_gone(estate):
    """The estate's own file is held to its VMs, with the line and the closest name."""
    (estate / "dependencies.csv").write_text("source,target\nweb-01,db-02\n", encoding="utf-8")
    with pytest.raises(EstateError, match=r"dependencies\.csv:2: the estate has no VM 'db-02'.*db-01"):
        load(estate)


def test_a_context_of_yaml_is_checked_and_kept(tmp_path, estate):
    """A right context is taken, the earlier one kept beside it; a wrong one changes nothing."""
    first = b"format: readiness/context/1\n# first\n"
    import_context((write(tmp_path, "a.yaml", first),), estate)
    import_context((write(tmp_path, "b.yaml", "format: readiness/context/1\n".encode("utf-16")),), estate)
    assert first == (estate / "context.previous.yaml").read_bytes()
    with pytest.raises(EstateError, match=r"c\.yaml:2:1: 'aplications' is not known"):
        import_context(
            (write(tmp_path, "c.yaml", b"format: readiness/context/1\naplications: []\n"),), estate
        )
    assert b"format: readiness/context/1\n" == (estate / "context.yaml").read_bytes()


def test_a_yaml_bomb(tmp_path, estate):
    """Anchors that multiply are refused before they do."""
    bomb = b"format: readiness/context/1\na: &a [x]\nb: &b [*a, *a]\n"
    with pytest.raises(EstateError, match=r"bomb\.yaml:2:4: anchors"):
        import_context((write(tmp_path, "bomb.yaml", bomb),), estate)


ROWS = {
    "Applications": {
        "Name": "Shop",
        "Owner": "=Ada",
        "Criticality": "high",
        "Windows": "night\n",
        "VM names": "web-*; db-*",
        "Tags": "env=no; tier=2",
    },
    "Windows": {
        "Name": "night",
        "Recurrence": "FREQ=WEEKLY;BYDAY=SA",
        "Start": time(22, 0),
        "Duration": "PT6H",
        "Time zone": "Europe/Berlin",
    },
    "Dependencies": {"Source": "web-01", "Target": "db-01", "Hard": True},
    "Exceptions": {
        "Id": 7,
        "Dimension": "cmk",
        "VM names": "*",
        "Owner": "Bo",
        "Reason": "r",
        "Approved by": "C",
        "Expires": datetime(2027, 12, 31),  # noqa: DTZ001  as Excel has it
    },
    "Targets": {"VM names": "*", "Secure Boot": "false", "Identity": "system"},
    "Attestations": {
        "Control": "DF-4",
        "VM names": "*",
        "Owner": "D",
        "Date": "2026-01-01",
        "Expires": "2027-01-01",
        "Statement": "Sessions are recorded: yes",
    },
}


def workbook(tmp_path, rows):
    """Fill in the template as people would, and return its path."""
    path = tmp_path / "context.xlsx"
    write_template(path)
    book = load_workbook(path)
    for title, cells in rows.items():
        sheet = book[title]
        titles = [cell.value for cell in sheet[1]]
        for name, value in cells.items():
            cell = sheet.cell(3, titles.index(name) + 1)
            cell.value = value
            if isinstance(value, str):
                cell.data_type = "s"
    book.save(path)
    return path


def test_a_workbook_becomes_a_context(tmp_path, estate):
    """Every sheet arrives, values that Excel has of its own kind included, and other sections stay."""
    freeze = "freezes: [{name: f, match: {}, starts: 2026-12-20, ends: 2027-01-06}]"
    (estate / "context.yaml").write_text(f"format: readiness/context/1\n{freeze}\n", encoding="utf-8")
    report = import_context((workbook(tmp_path, ROWS),), estate)
    context = load(estate).context
    (application,), (exception,), (attestation,) = (
        context.applications,
        context.exceptions,
        context.attestations,
    )
    assert ("=Ada", ("night",), ("web-*", "db-*"), {"env": "no", "tier": "2"}) == (
        application.owner.name,
        application.windows,
        application.match.names,
        application.match.tags,
    )
    assert (time(22), True) == (context.windows[0].start, context.dependencies[0].hard)
    assert ("7", Dimension.CMK, date(2027, 12, 31)) == (exception.id, exception.dimension, exception.expires)
    assert (date(2026, 1, 1), "Sessions are recorded: yes") == (attestation.given, attestation.statement)
    assert ("off", "f") == (context.targets[0].choice.trusted_launch.secure_boot, context.freezes[0].name)
    assert ("context.previous.yaml", 1) == (report.kept, report.entries["freezes"])


def test_all_wrong_cells_are_told_at_once(tmp_path, estate):
    """Each wrong cell is named by sheet and cell, in one message, and nothing is written."""
    rows = {
        "Applications": {"Name": "A", "Criticality": "hihg"},
        "Windows": ROWS["Windows"] | {"Start": "25:00", "Time zone": "Europe/Berlinn"},
        "Dependencies": {"Source": "wbe-01", "Target": "db-2"},
        "Exceptions": ROWS["Exceptions"] | {"Rule": "TL001"},
    }
    with pytest.raises(EstateError) as caught:
        import_context((workbook(tmp_path, rows),), estate)
    told = [line.strip().split(":")[0] for line in caught.value.details.split("\n")]
    assert [
        "Applications!D3",
        "Applications!B3",
        "Applications!G3",
        "Windows!C3",
        "Windows!E3",
        "Dependencies!A3",
        "Dependencies!B3",
        "Exceptions!A3",
    ] == told
    assert not (estate / "context.yaml").exists()


def test_the_template_is_empty(tmp_path, estate):
    """It holds every sheet, and importing it unfilled changes nothing but the format line."""
    path = workbook(tmp_path, {})
    assert ["Read me", *(sheet.title for sheet in SHEETS)] == load_workbook(path).sheetnames
    assert {} == import_context((path,), estate).entries
    with pytest.raises(UsageError, match="there already"):
        write_template(path)


@pytest.mark.parametrize("content", [b"not a workbook", b"PK\x03\x04", b""])
def test_what_is_no_workbook(tmp_path, estate, content):
    """Anything else under the name of a workbook is refused in our words."""
    with pytest.raises(EstateError, match="is not an Excel workbook"):
        import_context((write(tmp_path, "c.xlsx", content),), estate)
