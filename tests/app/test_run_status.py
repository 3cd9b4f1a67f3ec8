"""What a second terminal is told of a VM that waits."""

from msgspec.structs import replace

from readiness.app.run_status import with_waits
from readiness.model.lifecycle import Phase
from readiness.model.run import Event, EventKind, RunState
from tests.app.synthetic_runs import AT, run_with, under_way

WAIT = "take a snapshot: too many requests; asked again at 2026-11-28 21:04 UTC, until it is answered"


def told(kind: EventKind, text: str, vm: str = "vm1") -> Event:
    """Return one line of a story."""
    return Event(at=AT, kind=kind, vm=vm, text=text)


def run_of(*names: str) -> RunState:
    """Return a run whose VMs are under way with a step."""
    units = tuple(replace(under_way(n), name=name, step="outage.x") for n, name in enumerate(names, start=1))
    return replace(run_with(Phase.DONE), units=units)


def doing(state: RunState, *events: Event) -> list[str]:
    """Return what each VM is shown to do."""
    return [unit.doing for unit in with_waits(state, events).units]


def test_a_wait_that_was_told_last_is_shown() -> None:
    """A throttled step says what it waits for; the other VMs say what they do."""
    events = (told(EventKind.STEP, "deallocate: done"), told(EventKind.WAIT, WAIT))
    assert [WAIT, "deallocate"] == doing(run_of("vm1", "vm2"), *events)


def test_a_wait_that_is_over_is_not_shown() -> None:
    """Whatever was told of the VM since stands for itself."""
    events = (told(EventKind.WAIT, WAIT), told(EventKind.STEP, "take a snapshot ..."))
    assert ["deallocate"] == doing(run_of("vm1"), *events)


def test_a_name_that_two_vms_bear_says_nothing_of_either() -> None:
    """The story knows names alone."""
    assert ["deallocate"] * 2 == doing(run_of("vm1", "vm1"), told(EventKind.WAIT, WAIT))


def test_a_vm_that_has_ended_waits_for_nothing() -> None:
    """Nothing is due of it, so that what was told last does not matter."""
    state = run_of("vm1")
    ended = replace(state, units=(replace(state.units[0], step=None, doing=""),))
    assert [""] == doing(ended, told(EventKind.WAIT, WAIT))
