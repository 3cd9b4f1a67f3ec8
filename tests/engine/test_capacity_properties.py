"""Whatever room Azure has, by size and time: no VM is off in silence, none runs as what nobody approved."""

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from readiness.engine.gate import Decision, Gate
from readiness.model.execution import Execution
from readiness.model.ids import ResourceId
from readiness.model.lifecycle import FINAL, Phase, Stage
from readiness.model.plan import Batch, Wave
from readiness.model.run import RunState
from tests.engine.rig import Fuse, KilledError, Rig, Truth, planned

VM, NEXT = "sf-app-01", "sf-app-02"
OWN = planned(VM).size
APPROVED = ("Standard_D2s_v5", "Standard_D2as_v5")
FOR_GOOD = 100_000
SILENT = {"kind": "agent-silent", "resource": VM, "while_security_type": "TrustedLaunch"}


@st.composite
def refusals(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a span of starts for which there is no room for a size, at once or at their end."""
    return {
        "kind": "capacity",
        "resource": draw(st.sampled_from([VM, VM, NEXT, "*"])),
        "size": draw(st.sampled_from([OWN, OWN, *APPROVED, "*"])),
        "nth": draw(st.sampled_from([1, 1, 2, 12, 40])),
        "times": draw(st.sampled_from([1, 10, 30, FOR_GOOD, FOR_GOOD])),
        "at": draw(st.sampled_from(["begin", "begin", "end"])),
    }


def wave(sizes: tuple[str, ...], zones: tuple[str, str]) -> Wave:
    """Return two VMs of one size that go side by side, with hardly any time to wait for room."""
    vms = []
    for vm, zone in zip((planned(VM), planned(NEXT)), zones, strict=True):
        closes = vm.occurrence.opens + timedelta(seconds=vm.reserved_seconds) + timedelta(minutes=1)
        choice = replace(vm.choice, alternative_sizes=sizes)
        occurrence = replace(vm.occurrence, closes=closes)
        vms.append(replace(vm, choice=choice, occurrence=occurrence, zone=zone))
    return Wave(number=1, name="test", batches=(Batch(number=1, vms=tuple(vms)),))


class Watching(Fuse):
    """Remembers which sizes VMs had at any moment of a run, and may end it at one."""

    def __init__(self, rig: Rig, blow_at: int | None, seen: dict[str, set[str]]) -> None:
        super().__init__(blow_at)
        self._rig = rig
        self._seen = seen

    def burn(self) -> None:
        """Look at both VMs as they are, before and after whatever happens."""
        state = self._rig.twin._world.state
        for name in (VM, NEXT):
            vm = state.find(planned(name).id.text)
            assert vm is not None
            size = vm["properties"]["hardwareProfile"]["vmSize"]
            self._seen.setdefault(name, set()).add(size)
        super().burn()


def carried(rig: Rig, blow_at: int | None, seen: dict[str, set[str]]) -> RunState:
    """Carry the wave out, in two processes where the first one dies."""
    try:
        return rig.process(Watching(rig, blow_at, seen))
    except KilledError:
        return rig.process(Watching(rig, None, seen))


@given(
    found=st.lists(refusals(), max_size=4),
    sizes=st.sampled_from([(), APPROVED[:1], APPROVED, APPROVED]),
    is_silent=st.booleans(),
    zones=st.sampled_from([("1", "1"), ("1", "2")]),
    blow_at=st.one_of(st.none(), st.integers(min_value=20, max_value=260)),
)
@example(
    found=[{"kind": "capacity", "resource": VM, "size": "*", "times": FOR_GOOD}],
    sizes=APPROVED,
    is_silent=False,
    zones=("1", "1"),
    blow_at=None,
)
@settings(max_examples=6)
def test_no_vm_is_off_in_silence(
    found: list[dict[str, Any]],
    sizes: tuple[str, ...],
    *,
    is_silent: bool,
    zones: tuple[str, str],
    blow_at: int | None,
) -> None:
    """A VM that ran runs at the end, as its own or an approved size that is told, or is named as stranded."""
    with TemporaryDirectory() as folder:
        faults = [*found, *([SILENT] if is_silent else [])]
        rig = Rig(Path(folder), wave(sizes, zones), faults, after=Stage.PREPARATION)
        seen: dict[str, set[str]] = {}
        state = carried(rig, blow_at, seen)
        resources = rig.twin.resources()
        with rig._open(Stage.OUTAGE) as (journal, _):
            names = [record.name for record in journal.records()]
    asked = {name.rpartition(":")[2] for name in names if ".resize:" in name or ".start-as:" in name}
    assert {OWN, *sizes} >= asked, "a size that nobody approved was asked for"
    for unit in state.units:
        truth = Truth(resources, unit.name)
        size = truth.vm["properties"]["hardwareProfile"]["vmSize"]
        assert {OWN, *sizes} >= seen.get(unit.name, set()) | {size}, "a size that nobody approved"
        assert unit.phase in FINAL or (unit.phase is Phase.WAITING and state.held), (
            f"{unit.name} was forgotten"
        )
        if unit.phase is Phase.STRANDED:
            assert unit.reason
            assert "stranded" in str(state.held) or not state.is_unfinished
        else:
            assert truth.power == "running", f"{unit.name} is off, and called {unit.phase}"
            taken = size if size != OWN else ""
            assert taken == unit.runs_as, "what it runs as was not told"
        if _has_room_at_last(found, unit.name, sizes):
            assert unit.phase is not Phase.STRANDED


def _has_room_at_last(found: list[dict[str, Any]], name: str, sizes: tuple[str, ...]) -> bool:
    """Tell whether some size that a VM may have was never refused to it."""
    full = {each["size"] for each in found if each["resource"] in (name, "*")}
    return "*" not in full and not full >= {OWN, *sizes}


ASKED = st.lists(
    st.tuples(
        st.sampled_from(["refused", "found", "ask"]),
        st.sampled_from(["1", "2", ""]),
        st.sampled_from([OWN, APPROVED[0]]),
        st.integers(min_value=0, max_value=20),
    ),
    max_size=30,
)


@given(words=ASKED)
@settings(max_examples=200)
def test_the_gate_remembers_room_by_size_and_zone(words: list[tuple[str, str, str, int]]) -> None:
    """A start waits exactly if the size was refused in its zone within half an hour, and not found since."""
    first = planned(VM)
    closes = first.occurrence.opens + timedelta(days=2)
    vms = {
        (zone, size): replace(
            first,
            id=ResourceId(f"{first.id.text}-{zone}-{size}"),
            zone=zone,
            size=size,
            occurrence=replace(first.occurrence, closes=closes),
        )
        for zone in ("1", "2", "")
        for size in (OWN, APPROVED[0])
    }
    gate = Gate(list(vms.values()), Execution(), Stage.OUTAGE)
    now, refused = first.occurrence.opens, {}
    for word, zone, size, minutes in words:
        now += timedelta(minutes=minutes)
        vm = vms[zone, size]
        if word == "refused":
            gate.refused_for_room(vm, size, now)
            refused[zone, size] = now
        elif word == "found":
            gate.found_room(vm, size)
            refused.pop((zone, size), None)
        else:
            since = refused.get((zone, size))
            is_full = since is not None and now < since + timedelta(minutes=30)
            expected = Decision.WAIT if is_full else Decision.START
            assert expected is gate.ask(vm, [], {}, now).decision
