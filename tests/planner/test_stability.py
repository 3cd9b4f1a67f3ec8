"""What a kept wave has to stand: peers, zones, freezes, longer work, new needs; and the checks themselves."""

from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from readiness.model.context import Context, Criticality, Freeze, Match
from readiness.model.estate import Estate
from readiness.model.network import LoadBalancer, Nic
from readiness.model.plan import Plan
from readiness.model.policy import Limits
from readiness.model.virtual_machine import VirtualMachine
from tests.builders import estate, ip_configuration, rid
from tests.planner.plans import (
    WITHOUT_PILOTS,
    application,
    build,
    context,
    disks_of,
    machine,
    names,
    needs,
    window,
)
from tests.planner.promises import broken
from tests.planner.test_properties_stability import continued

POOL = rid("Microsoft.Network/loadBalancers", "lb/backendAddressPools/pool")
SHOP = context(application("shop", "*"))


def _estate(*vms: VirtualMachine, given: Context = SHOP, **facts: Any) -> Estate:
    return estate(*vms, disks=disks_of(vms), context=given, **facts)


def _anew(made: Plan) -> list[str]:
    return [said.split(": ", 1)[1] for said in made.warnings if said.startswith("Placed anew")]


def _pooled(*zones: str) -> Estate:
    """Return an estate of VMs behind one load balancer, each in a zone."""
    nics = [rid("Microsoft.Network/networkInterfaces", f"nic{number}") for number in range(len(zones))]
    vms = [
        machine(f"vm{number}", nics=(nics[number],), zones=(zone,) if zone else ())
        for number, zone in enumerate(zones)
    ]
    configuration = ip_configuration(load_balancer_pools=(POOL,))
    return _estate(
        *vms,
        nics=[Nic(id=one, ip_configurations=(configuration,)) for one in nics],
        load_balancers=[LoadBalancer(id=rid("Microsoft.Network/loadBalancers", "lb"), pools=(POOL,))],
    )


def test_zones_are_kept_apart_in_kept_waves() -> None:
    """Peers that were off together and stand in two zones now are not off together any more."""
    policy = replace(WITHOUT_PILOTS, max_unavailable_percent=50)
    first = build(_pooled("1", "1", "1", "1"), policy)
    changed = _pooled("1", "2", "1", "1")
    second = continued(changed, policy, first)

    assert [[["vm0", "vm1"], ["vm2", "vm3"]]] == names(first)
    assert ["vm1: its peers may not be off with it any more."] == _anew(second)
    assert [[["vm0"], ["vm2", "vm3"]], [["vm1"]]] == names(second)
    assert [] == broken(second, changed)


def test_critical_peers_leave_a_kept_wave() -> None:
    """Peers of an application that has become mission-critical share no wave any more."""
    first = build(_pooled("", ""), WITHOUT_PILOTS)
    changed = _pooled("", "")
    critical = application("shop", "*", criticality=Criticality.MISSION_CRITICAL)
    changed = estate(
        *changed.vms,
        disks=changed.disks.values(),
        nics=changed.nics.values(),
        load_balancers=changed.load_balancers,
        context=context(critical),
    )
    second = continued(changed, WITHOUT_PILOTS, first)

    assert [[["vm0"], ["vm1"]]] == names(first)
    assert [[["vm0"]], [["vm1"]]] == names(second)
    assert ["vm1: its peers may not go in one wave with it any more."] == _anew(second)


def test_a_freeze_counts_without_windows() -> None:
    """A kept VM leaves days that were frozen since, also where the policy keeps no windows."""
    policy = replace(WITHOUT_PILOTS, windows=False)
    first = build(_estate(machine("a")), policy)
    freeze = Freeze(name="peak", match=Match(), starts=date(2026, 11, 20), ends=date(2026, 11, 30))
    second = continued(_estate(machine("a"), given=replace(SHOP, freezes=(freeze,))), policy, first)

    assert [date(2026, 12, 1)] == [vm.occurrence.opens.date() for vm in second.vms]
    assert ["a: its window has passed, or does not hold it any more."] == _anew(second)


def test_longer_work_does_not_run_into_the_next_batch() -> None:
    """A VM that takes longer than the batch behind it waits is placed anew; the batch behind stays."""
    given = replace(SHOP, dependencies=(needs("web", "db"),))
    first = build(_estate(machine("db"), machine("web"), given=given), WITHOUT_PILOTS)
    changed = _estate(machine("db", data_disks=8), machine("web"), given=given)
    second = continued(changed, WITHOUT_PILOTS, first)

    assert ["db: it takes longer now than its batch leaves it."] == _anew(second)
    assert [[["web"]], [["db"]]] == names(second)
    assert [] == broken(second, changed)


def test_whoever_cannot_go_without_it_moves_too() -> None:
    """If what a VM hard-needs is placed anew, the VM does not stay before it."""
    given = replace(SHOP, dependencies=(needs("web", "db", hard=True), needs("x", "db")))
    first = build(_estate(machine("db"), machine("web"), machine("x"), given=given), WITHOUT_PILOTS)
    changed = _estate(machine("db", data_disks=8), machine("web"), machine("x"), given=given)
    second = continued(changed, WITHOUT_PILOTS, first)

    assert [[["x"]], [["db"], ["web"]]] == names(second)
    assert "web: it cannot go before db, which is placed anew." in _anew(second)
    assert [] == broken(second, changed)


def test_a_new_hard_need_moves_the_consumer() -> None:
    """A VM in a kept wave that turns out to need a VM of a later batch goes after it."""
    first = build(_estate(machine("db"), machine("web")), WITHOUT_PILOTS)
    given = replace(SHOP, dependencies=(needs("web", "db", hard=True),))
    second = continued(_estate(machine("db"), machine("web"), given=given), WITHOUT_PILOTS, first)

    assert [[["db", "web"]]] == names(first)
    assert [[["db"]], [["web"]]] == names(second)
    assert ["web: it cannot go before db any more."] == _anew(second)


def test_a_tighter_limit_takes_no_kept_wave_apart() -> None:
    """What was agreed on stays, and the wave says that it exceeds the limit."""
    made = _estate(machine("a"), machine("b"))
    first = build(made, WITHOUT_PILOTS)
    second = continued(made, replace(WITHOUT_PILOTS, limits=Limits(max_vms_per_wave=1)), first)

    assert names(first) == names(second)
    assert "More VMs than the limit of 1: agreed on before." in second.waves[0].reasons


def test_a_wave_that_begins_earlier_has_the_lower_number() -> None:
    """Waves that are under way together are numbered by the date of their first window."""
    late = window("late", 0.9, rrule="FREQ=WEEKLY;BYDAY=FR")
    early = window("early", 0.9, rrule="FREQ=WEEKLY;BYDAY=MO")
    given = context(
        application("a", "a", windows=("late",)),
        application("b", "b", windows=("early",)),
        windows=(late, early),
    )
    policy = replace(WITHOUT_PILOTS, waves_at_once=2, limits=Limits(max_vms_per_wave=1))

    assert [[["b"]], [["a"]]] == names(build(_estate(machine("a"), machine("b"), given=given), policy))


@pytest.mark.parametrize("promise", ["conservation", "limits", "batches", "order", "numbers", "reasons"])
def test_a_broken_promise_is_seen(promise: str) -> None:
    """The checks of the properties find fault with plans that were tampered with."""
    given = replace(SHOP, dependencies=(needs("web", "db", hard=True),))
    made = _estate(machine("db"), machine("web"), given=given)
    good = build(made, WITHOUT_PILOTS)
    (wave,) = good.waves
    first, second = wave.batches
    swapped = (replace(first, vms=second.vms), replace(second, vms=first.vms))
    dumb = replace(first, vms=tuple(replace(vm, reason="") for vm in first.vms))
    tampered = {
        "conservation": replace(good, inventory=3),
        "limits": replace(good, policy=replace(good.policy, limits=Limits(max_vms_per_wave=1))),
        "batches": replace(good, waves=(replace(wave, batches=swapped),)),
        "order": replace(
            good, order=(replace(good.order[0], before=good.order[0].after, after=good.order[0].before),)
        ),
        "numbers": replace(good, lower_bound=2),
        "reasons": replace(good, waves=(replace(wave, batches=(dumb, second)),)),
    }

    assert [] == broken(good, made)
    assert promise in {said.split(":")[0] for said in broken(tampered[promise], made)}
