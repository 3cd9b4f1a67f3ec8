"""A wave of the starter estate is carried out on a served twin by what its runbook says."""

import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest

from readiness.app.estates import load, locate
from readiness.app.plan import create_plan
from readiness.app.runbook import runbook_of
from readiness.model.ids import ResourceId
from readiness.model.steps import (
    AssignIdentity,
    AssignRole,
    Deallocate,
    ProveClosed,
    ProveJustInTime,
    RemoveIdentity,
    RemoveJustInTime,
    RemoveRole,
    RemoveSecurityRule,
    RequestedAccess,
    SetJustInTime,
    SetSecurityRule,
    Start,
    Step,
    SwapOsDisk,
    TakeSnapshot,
)
from reports.az import Instruction
from reports.commands import instruction_for
from reports.runbook import runbook_markdown
from reports.runbook_pages import Part, Runbook, VmPages
from tests.clients.cli import AzureCli

pytestmark = pytest.mark.clients

PATIENCE = 300
NAME = "sf-web-01"


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Runbook:
    """The runbook of the wave that holds the VM."""
    plan = create_plan(locate("starter"), tmp_path_factory.mktemp("plan"), date(2027, 5, 28)).plan
    wave = next(wave for wave in plan.waves if NAME in {vm.name for vm in wave.vms})
    return runbook_of(plan, wave, load(locate("starter")))


@pytest.fixture(scope="module")
def folder(book: Runbook, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where an operator works: the scripts lie there."""
    here = tmp_path_factory.mktemp("by-hand")
    for script in book.scripts:
        (here / script.name).write_text(script.text, encoding="utf-8")
    return here


def pages_of(book: Runbook, name: str) -> VmPages:
    """Return the pages of a VM."""
    return next(pages for pages in book.vms if pages.subject.vm.name == name)


def parts_of(pages: VmPages, title: str) -> list[Part]:
    """Return the parts whose title begins so."""
    return [part for part in pages.parts if part.title.startswith(title)]


def typed(az: AzureCli, folder: Path, lines: tuple[str, ...]) -> str:
    """Type lines into a shell as they stand on paper, and return what they print."""
    ended = subprocess.run(
        [shutil.which("bash") or "bash", "-e", "-c", "\n".join(lines)],
        env=az.environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == 0, f"{lines}\n{ended.stderr}"
    return ended.stdout


def done(az: AzureCli, folder: Path, instruction: Instruction) -> list[str]:
    """Carry a step out, with its looks; return what the looks show."""
    if instruction.commands:
        typed(az, folder, instruction.commands)
    shown = [typed(az, folder, (check.command,)) for check in instruction.checks]
    for check, text in zip(instruction.checks, shown, strict=True):
        if check.sees == "nothing" or (check.command.endswith("tsv") and " " not in check.sees):
            assert ("" if check.sees == "nothing" else check.sees) == text.strip(), check.command
    return shown


def carried_out(az: AzureCli, folder: Path, part: Part) -> dict[str, list[str]]:
    """Carry every step of a part out; return what the looks show by step."""
    return {entry.name: done(az, folder, entry.instruction) for entry in part.entries}


def seen(az: AzureCli) -> dict[str, object]:
    """Return what the ground truth says of the settings that an upgrade changes."""
    properties = az.truth(f"/virtualMachines/{NAME}")["properties"]
    profile = properties.get("securityProfile") or {}
    disk = az.truth(f"/disks/{NAME}-osdisk")["properties"]["encryption"]
    return {
        "type": profile.get("securityType") or "Standard",
        "secure boot": bool((profile.get("uefiSettings") or {}).get("secureBootEnabled")),
        "host": bool(profile.get("encryptionAtHost")),
        "key": disk["type"],
        "power": az.power(NAME),
    }


def test_a_vm_is_upgraded_and_led_back_by_the_runbook_alone(
    az: AzureCli, book: Runbook, folder: Path
) -> None:
    """Preparation, outage and closure bring what was planned; the way back restores what was there before."""
    before, pages = seen(az), pages_of(book, NAME)
    assert "Standard" == before["type"]
    for title in ("Preparation", "Before the outage", "Outage"):
        for part in parts_of(pages, title):
            told = carried_out(az, folder, part)
    assert {
        "type": "TrustedLaunch",
        "secure boot": True,
        "host": True,
        "key": "EncryptionAtRestWithCustomerKey",
        "power": "running",
    } == seen(az)
    assert all("TrustedLaunch" in shown for shown in told["verify.prove-model"][:1])
    assert "readiness-lease" not in az.truth(f"/virtualMachines/{NAME}").get("tags", {})
    snapshots = [each for each in az._resources() if each["type"].lower().endswith("/snapshots")]
    ours = [each for each in snapshots if book.plan.approval in each["name"]]
    assert [False] * len(pages.subject.seen.disks) == [each["properties"]["incremental"] for each in ours]

    (closure,) = parts_of(pages, "Closure")
    carried_out(az, folder, closure)
    assert az.truth(f"/virtualMachines/{NAME}/extensions/GuestAttestation") is not None

    *_, of_outage, of_closure = parts_of(pages, "Way back")
    carried_out(az, folder, of_closure)
    assert az.truth(f"/virtualMachines/{NAME}/extensions/GuestAttestation") is None
    carried_out(az, folder, of_outage)
    assert before == seen(az)


def test_the_checks_show_what_the_runbook_says(az: AzureCli, book: Runbook, folder: Path) -> None:
    """On VMs as they were planned, the first look shows the facts that stand beside it."""
    for name in ("sf-app-01", "sf-sql-01"):
        pages = pages_of(book, name)
        first = parts_of(pages, "Before the outage")[0].entries[0].instruction
        shown = "".join(done(az, folder, first))
        assert pages.subject.seen.vm.size in shown
        assert "VM running" in shown


def test_what_was_typed_is_what_is_printed(book: Runbook) -> None:
    """The commands of the steps stand in the Markdown, letter by letter."""
    text = runbook_markdown(book).decode()
    for entry in book.entries():
        assert "\n".join(entry.instruction.commands) in text
        assert all(check.command in text for check in entry.instruction.checks)


def test_steps_that_the_wave_does_not_need_work_as_well(az: AzureCli, book: Runbook, folder: Path) -> None:
    """Roles, security rules and those in force, identities taken away, and the swap of an OS disk."""
    subject = pages_of(book, "sf-app-01").subject
    vm, disk = subject.seen.vm.id, subject.seen.disks[0].id
    rule = ResourceId(f"{_group_of(az)}/securityRules/by-hand")
    deny = {
        "priority": 4000,
        "direction": "Inbound",
        "access": "Deny",
        "protocol": "*",
        "sourceAddressPrefix": "Internet",
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": "22",
    }

    def by_hand(*steps: Step) -> None:
        for step in steps:
            done(az, folder, instruction_for(step, subject))

    by_hand(AssignIdentity(vm=vm), AssignRole(vm=vm, role="Reader", scope=vm))
    own = az.ask(f"vm identity show --ids {vm}")["principalId"]
    roles = f"role assignment list --scope {vm}"
    assert own in {each["principalId"] for each in az.ask(roles)}
    by_hand(RemoveRole(vm=vm, role="Reader", scope=vm))
    assert own not in {each["principalId"] for each in az.ask(roles)}
    by_hand(RemoveIdentity(vm=vm))
    assert not (az.truth(f"/virtualMachines/{vm.name}").get("identity") or {}).get("principalId")

    by_hand(SetSecurityRule(vm=vm, rule=rule, properties=deny), ProveClosed(vm=vm, ports=(22,)))
    assert "Deny" == az.ask(f"network nsg rule show --ids {rule}")["access"]
    by_hand(RemoveSecurityRule(vm=vm, rule=rule, made=deny))
    assert (3, "NotFound") == az.refused(f"network nsg rule show --ids {rule}")

    by_hand(
        Deallocate(vm=vm),
        TakeSnapshot(vm=vm, disk=disk, moment="x"),
        SwapOsDisk(vm=vm, disk=disk, moment="x"),
    )
    profile = az.truth(f"/virtualMachines/{vm.name}")["properties"]["storageProfile"]
    assert "-restored-x-" in profile["osDisk"]["managedDisk"]["id"]
    assert az.truth(f"/disks/{disk.name}") is not None
    by_hand(Start(vm=vm))


def test_vms_are_put_under_just_in_time_access_and_taken_out(
    az: AzureCli, book: Runbook, folder: Path
) -> None:
    """By hand, too, whoever is in a policy stays, and one that was made for ours goes with the last."""
    subject = pages_of(book, "sf-app-01").subject
    one, other = (pages_of(book, name).subject.seen.vm.id for name in ("sf-app-01", "sf-sql-01"))
    place = f"{one.text.partition('/Microsoft.Compute/')[0]}/Microsoft.Security/locations/westeurope"
    policy = ResourceId(f"{place}/jitNetworkAccessPolicies/default")
    first, second = (
        {"vm": policy, "machines": (RequestedAccess(vm=vm, ports=(22, 3389)),), "creates": creates}
        for vm, creates in ((one, True), (other, False))
    )

    def by_hand(step: Step) -> str:
        return "".join(done(az, folder, instruction_for(step, subject)))

    def named() -> list[str]:
        shown = az.ask(f"rest --method get --url {policy}?api-version=2020-01-01")
        return [each["id"].rpartition("/")[2] for each in shown["properties"]["virtualMachines"]]

    assert one.name not in by_hand(ProveJustInTime(**first))
    assert "3389" in by_hand(SetJustInTime(**first))
    by_hand(SetJustInTime(**second))
    assert [one.name, other.name] == named()
    by_hand(RemoveJustInTime(**second))
    assert [one.name] == named()
    by_hand(SetJustInTime(**second))
    assert one.name not in by_hand(RemoveJustInTime(**first))
    assert [other.name] == named(), "somebody else is in it"
    by_hand(RemoveJustInTime(**second | {"creates": True}))
    assert other.name not in by_hand(ProveJustInTime(**second, is_back=True))
    assert one.name not in by_hand(RemoveJustInTime(**first)), "without a policy there is nothing to do"


def _group_of(az: AzureCli) -> str:
    return str(az.ask("network nsg show -g rg-shared -n nsg-web")["id"])
