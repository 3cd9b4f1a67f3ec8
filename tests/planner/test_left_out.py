"""Who is in no wave, and which upgrades are refused: one example for each reason."""

from datetime import time
from typing import Any

import pytest
from msgspec.structs import replace

from readiness.model.context import (
    Application,
    Choice,
    Context,
    IdentityChoice,
    Match,
    Owner,
    RuleException,
    SecureBoot,
    TrustedLaunchChoice,
)
from readiness.model.disk import Disk
from readiness.model.estate_info import Gap
from readiness.model.steps import Undo
from readiness.model.verdict import Dimension
from readiness.model.virtual_machine import Identity, Power, SecurityType, VirtualMachine
from tests.builders import CUSTOMER_KEY, ENCRYPTION_SET, boot, disk, encryption_set, rid, snapshot, vm_id
from tests.planner.plans import (
    AS_OF,
    EVERYTHING,
    application,
    context,
    disk_id,
    disks_of,
    machine,
    needs,
    only_left_out,
    only_planned,
    plan,
    window,
)

TRUSTED = boot(
    security_type=SecurityType.TRUSTED_LAUNCH, secure_boot=True, vtpm=True, encryption_at_host=True
)
ONLY_BOOT = Choice(trusted_launch=TrustedLaunchChoice())
SHOP = application("shop")


def _exception(**changes: Any) -> RuleException:
    facts = {
        "id": "EX-1",
        "match": Match(),
        "owner": "Ada",
        "reason": "r",
        "approved_by": "Bo",
        "expires": AS_OF,
    }
    return RuleException(**{**facts, **changes})


def _disk(name: str = "vm1-os", **changes: Any) -> Disk:
    return replace(disk(id=disk_id(name), unique_id=name), **changes)


LEFT_OUT: dict[str, tuple[VirtualMachine, Context, dict[str, Any], str]] = {
    "Excluded": (
        machine("vm1", scale_set=rid("Microsoft.Compute/virtualMachineScaleSets", "set")),
        context(SHOP),
        {},
        "the service that manages it",
    ),
    "NoApplication": (
        machine("vm1"),
        context(),
        {},
        "migration team: add it to an application in context.yaml",
    ),
    "NoWindow": (machine("vm1"), context(replace(SHOP, windows=())), {}, "shop owner"),
    "DomainController": (
        machine("vm1", tags={"Role": "Domain-Controller"}),
        context(SHOP),
        {},
        "directory team: upgrade it by hand, replication checked",
    ),
    "PowerUnclear": (machine("vm1", power=Power.STOPPED), context(SHOP), {}, "shop owner"),
    "AlreadyDone": (
        machine("vm1", boot=TRUSTED, identity=Identity(system_assigned=True)),
        context(SHOP),
        {"disks": [_disk(encryption=CUSTOMER_KEY)]},
        "nobody",
    ),
    "NotChosen": (machine("vm1"), context(SHOP, choice=Choice()), {}, "shop owner"),
    "Generation1": (
        machine("vm1", boot=boot(generation=1)),
        context(SHOP, choice=ONLY_BOOT),
        {"disks": [_disk(generation=1)]},
        "shop owner",
    ),
    "SystemNotSupported": (
        machine("vm1", image=replace(machine("vm1").image, offer="CentOS", publisher="OpenLogic", sku="6.9")),
        context(SHOP, choice=ONLY_BOOT),
        {},
        "shop owner",
    ),
    "Excepted": (
        machine("vm1"),
        context(SHOP, choice=ONLY_BOOT, exceptions=(_exception(dimension=Dimension.TRUSTED_LAUNCH),)),
        {},
        "shop owner",
    ),
    "SpecialDisk": (
        machine("vm1", data_disks=1),
        context(SHOP, choice=ONLY_BOOT),
        {"disks": [_disk(), _disk("vm1-data0", sku="UltraSSD_LRS")]},
        "shop owner",
    ),
    "DiskNotRead": (
        machine("vm1", data_disks=1),
        context(SHOP, choice=ONLY_BOOT),
        {"disks": [_disk()]},
        "shop owner",
    ),
    "AsChosen": (
        machine("vm1", boot=replace(TRUSTED, secure_boot=False)),
        context(SHOP, choice=Choice(trusted_launch=TrustedLaunchChoice(secure_boot=SecureBoot.OFF))),
        {},
        "shop owner",
    ),
    "WindowTooShort": (machine("vm1"), context(SHOP, windows=(window(hours=0.5),)), {}, "shop owner"),
    "WindowEnded": (
        machine("vm1"),
        context(SHOP, windows=(window(rrule="FREQ=DAILY;UNTIL=20261101T000000"),)),
        {},
        "shop owner",
    ),
}


@pytest.mark.parametrize("reason", LEFT_OUT)
def test_left_out(reason: str) -> None:
    """A VM that cannot be planned says why, and who can change that."""
    vm, given, facts, who = LEFT_OUT[reason]
    given = replace(given, applications=tuple(replace(entry, match=Match()) for entry in given.applications))
    entry = only_left_out(plan(vm, given=given, **facts))

    assert (vm.id, "vm1", reason, who) == (entry.id, entry.name, entry.reason, entry.unblocked_by)
    assert entry.detail


def test_an_unreadable_vm_is_left_out() -> None:
    """A VM that could not be read is in the plan all the same."""
    lost = Gap(place="resources.jsonl:7", resource=vm_id("lost").text, reason="r", detail="odd", is_vm=True)
    entry = only_left_out(plan(machine("vm1"), gaps=[lost]))

    assert ("lost", None, "Unreadable") == (entry.name, entry.application, entry.reason)
    assert "resources.jsonl:7: odd" == entry.detail


def test_a_gap_that_is_no_vm_is_not_left_out() -> None:
    """Only VMs are in the inventory."""
    made = plan(machine("vm1"), gaps=[Gap(place="p", resource=disk_id("d").text, reason="r", detail="d")])

    assert (1, ()) == (made.inventory, made.left_out)


REFUSED: dict[str, tuple[str, VirtualMachine, Context, dict[str, Any]]] = {
    "NotChosen": (
        "disk-encryption",
        machine("vm1"),
        context(SHOP, choice=Choice(trusted_launch=TrustedLaunchChoice(), identity=IdentityChoice())),
        {},
    ),
    "Excepted": (
        "trusted-launch",
        machine("vm1"),
        context(SHOP, exceptions=(_exception(dimension=Dimension.TRUSTED_LAUNCH),)),
        {},
    ),
    "Generation1": (
        "trusted-launch",
        machine("vm1", boot=boot(generation=1)),
        context(SHOP),
        {"disks": [_disk(generation=1)]},
    ),
    "IncrementalSnapshots": (
        "disk-encryption",
        machine("vm1"),
        context(SHOP),
        {"snapshots": [snapshot(source=disk_id("vm1-os"), source_unique_id=None)]},
    ),
    "SecurityTypeNotKnown": (
        "trusted-launch",
        machine("vm1", boot=boot(security_type=SecurityType.OTHER)),
        context(SHOP),
        {},
    ),
    "OtherRegion": (
        "disk-encryption",
        machine("vm1"),
        context(SHOP),
        {"encryption_sets": [encryption_set(location="northeurope")]},
    ),
    "SpecialDisk": (
        "trusted-launch",
        machine("vm1", data_disks=1),
        context(SHOP),
        {"disks": [_disk(), _disk("vm1-data0", max_shares=2)]},
    ),
    "DiskNotRead": ("trusted-launch", machine("vm1", data_disks=1), context(SHOP), {"disks": [_disk()]}),
    "AsChosen": (
        "trusted-launch",
        machine("vm1", boot=replace(TRUSTED, secure_boot=False)),
        context(
            SHOP, choice=replace(EVERYTHING, trusted_launch=TrustedLaunchChoice(secure_boot=SecureBoot.OFF))
        ),
        {},
    ),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_refused(reason: str) -> None:
    """An upgrade that is not part of a planned VM's campaign is named, with its reason."""
    playbook, vm, given, facts = REFUSED[reason]
    given = replace(given, applications=(replace(SHOP, match=Match()),))
    entry = only_planned(plan(vm, given=given, **facts))
    refused = {refusal.playbook: refusal for refusal in entry.refusals}

    assert reason == refused[playbook].reason
    assert refused[playbook].detail
    assert playbook not in entry.actions


def test_what_was_refused_is_not_to_be_proven() -> None:
    """The choice of a planned VM holds what its actions do, and nothing else."""
    old = machine("vm1", boot=boot(generation=1))
    entry = only_planned(plan(old, disks=[_disk(generation=1)]))

    assert ("managed-identity", "disk-encryption") == entry.actions
    assert replace(EVERYTHING, trusted_launch=None) == entry.choice


def test_an_identity_needs_no_outage() -> None:
    """A VM that only gets an identity has preparation and no outage, even beside a disk nobody read."""
    given = context(application("shop", "vm1"), choice=Choice(identity=IdentityChoice()))
    entry = only_planned(plan(machine("vm1", data_disks=1), given=given, disks=[_disk()]))

    assert ["prepare.assign-identity"] == [step.name for step in entry.preparation]
    assert (None, Undo.CONFIG) == (entry.outage, entry.undo)


def test_a_disk_under_another_customer_key_stays_as_it_is() -> None:
    """Every disk is snapshotted, but only those under a platform key change theirs."""
    disks = [_disk(), _disk("vm1-data0", encryption=CUSTOMER_KEY)]
    entry = only_planned(plan(machine("vm1", data_disks=1), disks=disks))
    assert entry.outage is not None

    assert [
        "outage.deallocate",
        "outage.take-snapshot:vm1-os",
        "outage.take-snapshot:vm1-data0",
        "outage.patch-vm",
        "outage.set-disk-encryption:vm1-os",
        "outage.start",
        "outage.prove-health",
    ] == [step.name for step in entry.outage.steps]


def test_a_longer_window_is_waited_for() -> None:
    """Of two windows the earlier is used only if it is long enough."""
    short = window("friday", 0.5, rrule="FREQ=DAILY")
    given = context(application("shop", "vm1", windows=("friday", "saturday")), windows=(short, window()))

    assert "saturday" == only_planned(plan(machine("vm1"), given=given)).occurrence.window


def test_a_wave_full_window_does_not_break_the_next_wave() -> None:
    """The second wave may have to wait for the longer window, although a shorter one comes first."""
    short = window("short", 1, rrule="FREQ=WEEKLY;BYDAY=TU", start=time(1))
    vms = [machine(f"vm{number}", data_disks=4 * number) for number in range(1, 4)]
    given = context(
        application("shop", "vm*", windows=("short", "long")), windows=(short, window("long", 1.5))
    )
    given = replace(given, dependencies=(needs("vm2", "vm1"), needs("vm3", "vm2")))

    made = plan(*vms, given=given)

    assert () == made.left_out
    assert 3 == len([vm for wave in made.waves for vm in wave.vms])


def test_the_plan_ends_with_the_window() -> None:
    """What a window that ends cannot hold any more is left out, and the waves before it stand."""
    vms = [machine("vm1"), machine("vm2")]
    once = window(hours=0.9, rrule="FREQ=DAILY;UNTIL=20261121T235959")
    given = context(application("shop", "vm*"), windows=(once,), dependencies=(needs("vm2", "vm1"),))

    made = plan(*vms, given=given)

    assert ["vm1"] == [vm.name for vm in made.waves[0].vms]
    assert ("vm2", "WindowEnded") == (only_left_out(made).name, only_left_out(made).reason)


def test_an_application_of_nobody_in_particular() -> None:
    """An application without an environment is production."""
    bare = Application(name="bare", owner=Owner(name="Ada"), match=Match(), windows=("saturday",))
    made = plan(machine("vm1"), given=context(bare))

    assert "production" == only_planned(made).environment
    assert "Production: bare" == made.waves[0].name


def test_the_set_is_the_one_that_was_named() -> None:
    """No key but the chosen one is ever used."""
    entry = only_planned(plan(machine("vm1"), disks=disks_of([machine("vm1")])))

    assert ENCRYPTION_SET == entry.choice.disk_encryption_set
