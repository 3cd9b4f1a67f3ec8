"""What people ask of a run while it goes on, from any process: stop, pause, resume, words on single VMs.

A word on a VM stays in the journal until the decision it leads to is there, too: a process that dies between
loses neither. Taking VMs back is an outage of theirs, so that these wait here until the gate lets them.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from msgspec import Struct

from readiness.engine.advance import Position
from readiness.engine.decisions import APPROVED, RECALLED, REJECTED
from readiness.engine.work import Ports
from readiness.model.ids import ResourceId
from readiness.model.lifecycle import SUCCEEDED, Phase
from readiness.model.plan import Wave
from readiness.model.run import Event, EventKind, Signal, SignalKind

_DECISIONS = {
    SignalKind.APPROVE: (APPROVED, frozenset({Phase.UNDECIDED}), "taken as healthy"),
    SignalKind.REJECT: (REJECTED, frozenset({Phase.UNDECIDED}), "to be taken back"),
    SignalKind.ROLLBACK: (RECALLED, SUCCEEDED, "to be taken back"),
}


class Word(Struct, frozen=True, kw_only=True):
    """What somebody decided for one VM."""

    vm: ResourceId
    name: str
    """Under which it is recorded."""
    detail: str
    signal: Signal

    @property
    def takes_back(self) -> bool:
        """Whether it takes a VM down."""
        return self.name in (RECALLED, REJECTED)

    @property
    def is_of_one_that_serves(self) -> bool:
        """Whether the VM counts as serving until then; one that nobody could tell of never did."""
        return self.name == RECALLED


class Wishes:
    """The wishes for one run: those that were acted on are marked so in the journal."""

    def __init__(self, wave: Wave, ports: Ports) -> None:
        self._names: dict[str, list[ResourceId]] = defaultdict(list)
        for vm in wave.vms:
            self._names[vm.name.lower()].append(vm.id)
        self._vms = {vm.id.key: vm.id for vm in wave.vms}
        self._ports = ports
        self._stopping = False
        self._open: dict[int, set[ResourceId]] = {}
        """VMs by the number of a signal whose decisions are not all recorded."""
        self.recalls: list[Word] = []
        """VMs that are to be taken back, and wait for their turn."""
        self.is_paused = False
        self.raised = 0
        """How many failures beyond the budget were accepted by going on all the same."""
        self.only_back = False
        """Whether this process takes VMs back, and starts no other."""
        self.changed = False
        """Whether the last look found a wish."""

    def stop(self) -> None:
        """Start nothing more."""
        self._stopping = True
        self.is_paused = False

    @property
    def is_stopping(self) -> bool:
        """Whether nothing is begun any more by this process."""
        return self._stopping

    @property
    def why_held(self) -> str | None:
        """Why nothing is begun, not even a way back on demand, if people do not want it."""
        if self._stopping:
            return "a stop was asked for"
        return "it was paused; 'readiness resume' goes on" if self.is_paused else None

    @property
    def why_not_started(self) -> str | None:
        """Why no VM is started that waits, if people do not want it."""
        return self.why_held or ("VMs are only taken back now" if self.only_back else None)

    def take(self, positions: Mapping[ResourceId, Position]) -> Iterator[Word]:
        """Act on new signals: yield what is decided at once, and keep in `recalls` what has to wait."""
        self.changed = False
        for signal in self._ports.journal.signals():
            if signal.number in self._open:
                continue
            self.changed = True
            if signal.kind not in _DECISIONS:
                self._steer(signal)
                self._ports.journal.taken(signal)
                continue
            words = self._decided(signal, positions)
            self._open[signal.number] = {word.vm for word in words}
            if not words:
                self._tell(
                    f"{signal.sent_by} asks to {signal.kind} {signal.vm or 'all'}: none can be", signal
                )
                self._ports.journal.taken(signal)
            self.recalls += [word for word in words if word.takes_back]
            yield from (word for word in words if not word.takes_back)

    def recorded(self, word: Word) -> None:
        """Take note that a word's decision is in the journal."""
        left = self._open[word.signal.number]
        left.discard(word.vm)
        if word in self.recalls:
            self.recalls.remove(word)
        if not left:
            self._ports.journal.taken(word.signal)

    def _steer(self, signal: Signal) -> None:
        match signal.kind:
            case SignalKind.STOP:
                self.stop()
            case SignalKind.PAUSE:
                self.is_paused = True
            case SignalKind.RAISE:
                self.is_paused = False
                self.raised += 1
            case _:
                self.is_paused = False
        self._tell(f"{signal.sent_by} asks to {signal.kind}", signal)

    def _decided(self, signal: Signal, positions: Mapping[ResourceId, Position]) -> list[Word]:
        name, phases, what = _DECISIONS[signal.kind]
        # The first word on a VM holds, also while it waits for its turn.
        settled = {word.vm for word in self.recalls}
        note = f": {signal.note}" if signal.note else ""
        detail = f"{what} by the decision of {signal.sent_by}{note}"
        return [
            Word(vm=vm, name=name, detail=detail, signal=signal)
            for vm in self._meant(signal)
            if positions[vm].phase in phases and vm not in settled
        ]

    def _meant(self, signal: Signal) -> list[ResourceId]:
        """Return the VMs that a signal is for; a name that several bear means none of them."""
        if not signal.vm:
            return list(self._vms.values())
        known = self._vms.get(signal.vm.lower())
        named = self._names.get(signal.vm.lower(), [])
        if known is None and len(named) > 1:
            self._tell(f"{len(named)} VMs are called {signal.vm}: say which by its id", signal)
            return []
        return [known] if known is not None else list(named)

    def _tell(self, text: str, signal: Signal) -> None:
        event = Event(at=self._ports.clock.now(), kind=EventKind.RUN, vm=signal.vm, text=text)
        self._ports.journal.tell(event)
        self._ports.observer.told(event)
