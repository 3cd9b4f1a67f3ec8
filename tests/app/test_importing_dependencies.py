"""What becomes of traffic that tools saw: one observed dependency a pair, and a count of everything else."""

from pathlib import Path
from typing import Any

import pytest

from readiness.app.estates import load
from readiness.app.importing import import_resources
from readiness.app.importing_dependencies import DependencyReport, import_dependencies
from readiness.model.context import Dependency
from tests.app.test_import_forms import WHOLE, write
from tests.builders import SUBSCRIPTION, vm_id

WEB, DB, DC, TWIN = vm_id("web-01"), vm_id("db-01"), vm_id("dc-01"), vm_id("dc-01", group="rg-other")
NETWORK = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-net/providers/Microsoft.Network"
HEAD = "Time slot,Source server name,Source IP,Destination server name,Destination IP,Destination port\n"


def machine(vm: Any, address: str, network: str = "hub", computer: str = "") -> list[dict[str, Any]]:
    """Return a VM and its network interface, as exports have them."""
    nic = f"{NETWORK}/networkInterfaces/{vm.resource_group}-{vm.name}"
    subnet = {"id": f"{NETWORK}/virtualNetworks/{network}/subnets/default"}
    profile = {"osProfile": {"computerName": computer, "linuxConfiguration": {}}} if computer else {}
    properties = WHOLE["properties"] | profile | {"networkProfile": {"networkInterfaces": [{"id": nic}]}}
    configuration = {"properties": {"privateIPAddress": address, "subnet": subnet}}
    return [
        WHOLE | {"id": vm.text, "name": vm.name, "properties": properties},
        {"id": nic, "properties": {"ipConfigurations": [configuration]}},
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An estate of four VMs: two are called dc-01, and in another network one has the address of the db."""
    resources = [
        *machine(WEB, "10.0.0.4", computer="front"),
        *machine(DB, "10.0.0.5"),
        *machine(DC, "10.0.0.6"),
        *machine(TWIN, "10.0.0.5", network="spoke"),
    ]
    import_resources((write(tmp_path, "vms.json", resources),), tmp_path / "estate")
    return tmp_path / "estate"


def imported(folder: Path, *texts: str) -> DependencyReport:
    """Import texts as files, in one call."""
    files = [
        write(folder.parent, f"{number}.csv", text.encode()) for number, text in enumerate(texts, start=1)
    ]
    return import_dependencies(tuple(files), folder)


def dependencies(folder: Path) -> tuple[Dependency, ...]:
    """Return what the estate says now."""
    return tuple(load(folder).context.dependencies)


def test_lines_of_a_pair_become_one_observed_dependency(folder: Path) -> None:
    """It names the tool, how often, in how many days, and the ports; three in two days are 3 of 5."""
    rows = (
        "11/20/2026 00:00-06:00,web-01,,db-01,,1433\n"
        "11/20/2026 06:00-12:00,WEB-01.corp.example,,DB-01,,1433\n"
        "11/21/2026 00:00-06:00,web-01,,db-01,,5985\n"
    )
    report = imported(folder, HEAD + rows)
    evidence = "Azure Migrate: 3 connections in 2 days, ports 1433, 5985"
    expected = Dependency(source=WEB, target=DB, observed=True, evidence=evidence, confidence=0.6)
    assert (expected,) == dependencies(folder)
    assert (3, 1, 1, 1) == (report.lines, report.dependencies, report.observed, report.new)


def test_traffic_that_both_ends_tell_of_counts_once(folder: Path) -> None:
    """The fuller side counts; the computer's name stands for its VM, and an address for its own."""
    head = (
        "TimeGenerated,Computer,Direction,SourceIp,DestinationIp,DestinationPort,LinksEstablished,BytesSent\n"
    )
    rows = (
        "2026-11-20T10:00:00Z,front,outbound,10.0.0.4,10.0.0.6,53,4,1500\n"
        "2026-11-20T10:00:00Z,dc-01,inbound,10.0.0.4,10.0.0.6,53,3,9000\n"
    )
    imported(folder, head + rows)
    (found,) = dependencies(folder)
    assert (WEB, DC, 0.8) == (found.source, found.target, found.confidence)
    assert "VM insights: 4 connections in 1 day, 9 kB, port 53" == found.evidence


def test_tools_add_their_evidence_and_files_of_one_tool_add_up(folder: Path) -> None:
    """In one import the files belong together; the surest tool says how sure it is."""
    slot = HEAD + "11/20/2026 00:00-06:00,web-01,,db-01,,1433\n"
    flows = "SrcVm,DestVm,AllowedOutFlows\nrg-app/web-01,rg-app/db-01,10\n"
    imported(folder, slot, slot, flows)
    (found,) = dependencies(folder)
    assert (
        "Azure Migrate: 2 connections in 1 day, port 1433; traffic analytics: 10 connections"
        == found.evidence
    )
    assert 0.67 == found.confidence


def test_observed_takes_the_place_of_observed_and_never_of_stated(folder: Path) -> None:
    """A second import replaces what the first saw, and repeats change nothing; what people stated stays."""
    imported(folder, "source,target,hard\nweb-01,db-01,true\n")
    once = HEAD + "11/20/2026 00:00-06:00,web-01,,db-01,,1433\n"
    imported(folder, once + "11/20/2026 06:00-12:00,web-01,,db-01,,1433\n")
    imported(folder, once)
    first = (folder / "dependencies.csv").read_bytes()
    report = imported(folder, once)
    assert (first, 0) == ((folder / "dependencies.csv").read_bytes(), report.new)
    stated, seen = sorted(dependencies(folder), key=lambda entry: entry.observed)
    assert (True, False, 1.0) == (stated.hard, stated.observed, stated.confidence)
    assert (False, "Azure Migrate: 1 connection in 1 day, port 1433") == (seen.hard, seen.evidence)


def test_what_is_no_dependency_is_counted(folder: Path) -> None:
    """A VM with itself, loopback, the internet, what was denied, and hosts that the estate does not have."""
    migrate = HEAD + (
        "d,web-01,,web-01,,80\n"
        "d,web-01,,,127.0.0.1,80\n"
        "d,web-01,,,::ffff:127.0.0.1,80\n"
        "d,web-01,,,8.8.8.8,53\n"
        "d,web-01,,,10.9.9.9,443\n"
        "d,printer,,web-01,,9100\n"
    )
    head = "SrcVm,DestVm,DestIp,FlowType,FlowStatus\n"
    flows = f"{head}rg-app/web-01,,,AzurePublic,A\nrg-app/web-01,rg-app/db-01,,,D\n"
    report = imported(folder, migrate, flows)
    assert (8, 0, 3, 2, 1) == (
        report.lines,
        report.dependencies,
        report.own,
        report.external,
        report.refused,
    )
    assert ["10.9.9.9", "printer"] == [entry.endpoint for entry in report.unresolved]


def test_a_name_of_two_vms_is_told_apart_by_its_address_or_not_at_all(folder: Path) -> None:
    """Without an address both VMs are listed, and none is taken."""
    report = imported(folder, HEAD + "d,web-01,,dc-01,10.0.0.6,88\nd,db-01,,dc-01,,88\n")
    assert [(WEB, DC)] == [(entry.source, entry.target) for entry in dependencies(folder)]
    (entry,) = report.unresolved
    assert ("dc-01", f"2 VMs of the estate answer to it: {DC}, {TWIN}") == (entry.endpoint, entry.why)


def test_an_address_of_two_networks_is_that_of_the_neighbour(folder: Path) -> None:
    """Addresses are unique within a virtual network; from elsewhere nobody can tell which it is."""
    report = imported(folder, HEAD + "d,web-01,,,10.0.0.5,1433\nd,,10.9.9.9,,10.0.0.5,1433\n")
    assert [(WEB, DB)] == [(entry.source, entry.target) for entry in dependencies(folder)]
    assert {"10.9.9.9", "10.0.0.5"} == {entry.endpoint for entry in report.unresolved}


def test_only_the_busiest_ports_are_named(folder: Path) -> None:
    """Evidence stays one line, however many ports were open."""
    rows = "".join(f"d,web-01,,db-01,,{port}\n" for port in (*range(1, 9), 8))
    imported(folder, HEAD + rows)
    (found,) = dependencies(folder)
    assert "Azure Migrate: 9 connections in 1 day, ports 1, 2, 3, 4, 8 and 3 more" == found.evidence


def test_the_surest_observation_is_not_certain(folder: Path) -> None:
    """Only what somebody states has a confidence of 1."""
    imported(folder, "SrcVm,DestVm,AllowedOutFlows\nrg-app/web-01,rg-app/db-01,100000\n")
    assert [0.95] == [entry.confidence for entry in dependencies(folder)]
