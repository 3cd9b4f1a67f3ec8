"""Who needs whom as files tell it: the estate's own columns, what is refused, and each known export."""

from pathlib import Path

import pytest

from readiness.errors import EstateError
from readiness.model.context import Dependency
from readiness.store.context_file import parse_context
from readiness.store.dependency_files import as_csv, parse_dependencies, read_lines
from readiness.store.dependency_forms import Endpoint, Line, Seen
from tests.builders import vm_id

WEB, DB = vm_id("web"), vm_id("db")
NAMES = {"web": (WEB,), "db": (DB,)}
YAML = "format: readiness/context/1\ndependencies:\n  - {source: web, target: db"

SAID = [
    ({}, Dependency(source=WEB, target=DB)),
    ({"hard": "true"}, Dependency(source=WEB, target=DB, hard=True)),
    ({"strict": "none"}, Dependency(source=WEB, target=DB)),
    ({"hard": "true", "strict": "same-wave"}, Dependency(source=WEB, target=DB, hard=True)),
    ({"strict": "next-wave"}, Dependency(source=WEB, target=DB, hard=True, strict=True)),
    (
        {"observed": "true", "hard": "false", "evidence": "a probe", "confidence": "0.25"},
        Dependency(source=WEB, target=DB, observed=True, evidence="a probe", confidence=0.25),
    ),
]
WRONG = [
    ({"strict": "next_wave"}, "'next_wave' is none of", "Did you mean 'next-wave'?"),
    ({"observed": "perhaps"}, "'perhaps' is neither true nor false", "Write true or false"),
    ({"confidence": "1.5"}, "'1.5' is no confidence", "from 0 to 1"),
    ({"confidence": "nan"}, "'nan' is no confidence", "from 0 to 1"),
    ({"observed": "true", "hard": "true"}, "neither hard nor strict", "Remove 'observed'"),
    ({"observed": "true", "strict": "next-wave"}, "neither hard nor strict", "Remove 'observed'"),
    ({"hard": "false", "strict": "same-wave"}, "contradict one another", "Keep one of them"),
    ({"hard": "true", "strict": "none"}, "contradict one another", "Keep one of them"),
]


def csv_of(fields: dict[str, str]) -> str:
    """Return the fields as the estate's own file."""
    return f"source,target,{','.join(fields)}\nweb,db,{','.join(fields.values())}\n"


def yaml_of(fields: dict[str, str]) -> str:
    """Return the fields as a context."""
    return YAML + "".join(f", {key}: {value}" for key, value in fields.items()) + "}\n"


@pytest.mark.parametrize(("fields", "expected"), SAID, ids=str)
def test_both_files_say_the_same(fields: dict[str, str], expected: Dependency) -> None:
    """A field means the same in `dependencies.csv` and in `context.yaml`; source and target are enough."""
    assert (expected,) == parse_dependencies(csv_of(fields), NAMES)
    assert (expected,) == parse_context(yaml_of(fields), NAMES).dependencies


@pytest.mark.parametrize(("fields", "problem", "remedy"), WRONG, ids=str)
def test_both_files_refuse_the_same(fields: dict[str, str], problem: str, remedy: str) -> None:
    """A wrong value, or two that contradict one another, is refused with its line and what to do."""
    with pytest.raises(EstateError) as of_csv:
        parse_dependencies(csv_of(fields), NAMES)
    with pytest.raises(EstateError) as of_yaml:
        parse_context(yaml_of(fields), NAMES)
    for caught, place in ((of_csv, "dependencies.csv:2: "), (of_yaml, "context.yaml:3:")):
        assert caught.value.brief.startswith(place)
        assert (True, True) == (problem in caught.value.brief, remedy in caught.value.remedy), caught.value


def test_a_confidence_as_spreadsheets_of_many_countries_write_it() -> None:
    """Semicolons between the cells, and a comma in the number."""
    (found,) = parse_dependencies("source;target;observed;confidence\nweb;db;yes;0,75\n", NAMES)
    assert (True, 0.75) == (found.observed, found.confidence)


def test_a_column_that_is_almost_known_is_refused() -> None:
    """It would be read as if it were not there; a column of somebody's own may stand there."""
    with pytest.raises(EstateError, match=r"dependencies\.csv:1: .*'obsreved'") as caught:
        parse_dependencies("source,target,obsreved\nweb,db,true\n", NAMES)
    assert "Did you mean 'observed'?" == caught.value.remedy
    assert 1 == len(parse_dependencies("source,target,remark\nweb,db,asked Bo\n", NAMES))


def test_what_is_written_is_read_back() -> None:
    """Every field survives the estate's own file, quotes and commas in the evidence included."""
    rows = (
        Dependency(source=WEB, target=DB, hard=True, strict=True, evidence='the "old" page, line 3'),
        Dependency(source=WEB, target=DB, observed=True, evidence="=1+1", confidence=0.33),
        Dependency(source=DB, target=WEB),
    )
    written = as_csv(rows)
    assert written == as_csv(reversed(rows))
    assert set(rows) == set(parse_dependencies(written.decode(), NAMES))


def lines_of(tmp_path: Path, text: str) -> list[Line]:
    """Read a text as a file to import."""
    path = tmp_path / "export.csv"
    path.write_text(text, encoding="utf-8")
    return list(read_lines(path))


def test_the_export_of_azure_migrate(tmp_path: Path) -> None:
    """Names may be missing where addresses stand; a process with a comma is one cell; a slot's day counts."""
    head = (
        "Time slot,Source server name,Source IP,Source application,Source process,Destination server name,"
        "Destination IP,Destination application,Destination process,Destination port\n"
    )
    row = '11/20/2026 12:00-18:00,,10.0.0.4,IIS,"w3wp, pool 2",DB,10.0.0.5,SQL,sqlservr.exe,1433\n'
    expected = Seen(
        place="export.csv:2",
        tool="Azure Migrate",
        source=Endpoint("", address="10.0.0.4"),
        target=Endpoint("DB", address="10.0.0.5"),
        port=1433,
        day="11/20/2026",
    )
    assert [expected] == lines_of(tmp_path, head + row)


def test_flows_of_traffic_analytics(tmp_path: Path) -> None:
    """Flows and bytes are counted, what was denied is marked, what is no flow is left out."""
    head = (
        "FlowStartTime [UTC],SubType,FlowType,SrcVm,SrcSubscription,SrcIp,DestVm,DestIp,DestPort,"
        "FlowDirection,FlowStatus,AllowedOutFlows,DeniedOutFlows,BytesSrcToDest,BytesDestToSrc\n"
    )
    rows = (
        "2026-11-20T10:00:00Z,FlowLog,IntraVNet,rg-app/web,ABC,10.0.0.4,rg-app/db,10.0.0.5,1433,O,Allowed,7,0,9,1\n"
        "2026-11-20T10:00:00Z,FlowLog,IntraVNet,rg-app/web,ABC,10.0.0.4,rg-app/db,10.0.0.5,22,O,Denied,0,2,,\n"
        "2026-11-20T10:00:00Z,FlowLog,AzurePublic,rg-app/web,ABC,10.0.0.4,,,443,O,Allowed,1,0,,\n"
        "2026-11-20T10:00:00Z,Topology,,,,,,,,,,,,,\n"
    )
    first, denied, public = lines_of(tmp_path, head + rows)
    expected = Seen(
        place="export.csv:2",
        tool="traffic analytics",
        source=Endpoint("web", "rg-app", "abc", "10.0.0.4"),
        target=Endpoint("db", "rg-app", "", "10.0.0.5"),
        times=7,
        size=10,
        port=1433,
        day="2026-11-20",
        side="o",
    )
    assert expected == first
    assert isinstance(denied, Seen)
    assert isinstance(public, Seen)
    assert [(True, False), (False, True)] == [(one.refused, one.public) for one in (denied, public)]


def test_flows_of_the_older_traffic_analytics(tmp_path: Path) -> None:
    """Its columns carry their types in their names, and its ports are decimal numbers."""
    head = "VM1_s,VM2_s,Subscription1_g,SrcIP_s,DestIP_s,DestPort_d,FlowStatus_s,AllowedInFlows_d,SubType_s\n"
    (found,) = lines_of(tmp_path, head + "rg-app/web,unknown,S,10.0.0.4,10.0.0.5,1433.0,A,3,FlowLog\n")
    assert isinstance(found, Seen)
    assert (Endpoint("web", "rg-app", "s", "10.0.0.4"), Endpoint("", address="10.0.0.5")) == (
        found.source,
        found.target,
    )
    assert (3, 1433) == (found.times, found.port)


def test_connections_of_vm_insights(tmp_path: Path) -> None:
    """The machine that tells is the client of what goes out and the server of what comes in."""
    head = (
        "TimeGenerated [UTC],Computer,Direction,SourceIp,DestinationIp,DestinationPort,RemoteIp,"
        "LinksEstablished,LinksLive,LinksFailed,BytesSent,BytesReceived,_ResourceId\n"
    )
    rows = (
        f'"11/20/2026, 10:00:00.000 PM",web,outbound,10.0.0.4,10.0.0.5,1433,10.0.0.5,2,1,0,5,6,{WEB.key}\n'
        '"11/21/2026, 10:00:00.000 PM",db,inbound,10.0.0.4,10.0.0.5,1433,10.0.0.4,0,1,0,,,\n'
        '"11/21/2026, 10:00:00.000 PM",web,outbound,10.0.0.4,10.0.0.9,25,10.0.0.9,0,0,4,,,\n'
    )
    found = [line for line in lines_of(tmp_path, head + rows) if isinstance(line, Seen)]
    assert [(WEB.key, ""), ("", "db"), ("web", "")] == [(one.source.name, one.target.name) for one in found]
    assert [("11/20/2026", "o"), ("11/21/2026", "i")] == [(one.day, one.side) for one in found[:2]]
    assert [(2, 11, False), (1, 0, False), (1, 0, True)] == [
        (one.times, one.size, one.refused) for one in found
    ]
