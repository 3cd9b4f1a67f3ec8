"""Carries one wave out: an event loop over due steps, intent before effect, the journal before the cloud.

Invariants:
* A step's intent is in the journal before its effect is asked for, and its end before the next step.
* Campaigns under way go on before new ones start; a stop, a hold or a closed window only keeps new ones
  from starting.
* A batch starts when every VM of the batches before it has ended; after a stranded VM nothing starts.
* The journal is written by this loop alone; cloud calls run in the executor it was given.
"""

import heapq
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from datetime import datetime, timedelta
from itertools import count

from msgspec import Struct
from msgspec.structs import replace

from readiness.engine.advance import Campaign, Position, is_begun
from readiness.engine.look import LookAgain, judge
from readiness.engine.state import by_vm, run_state
from readiness.errors import CapacityError, CloudError, ThrottledError, UnreachableError
from readiness.model.ids import ResourceId
from readiness.model.lifecycle import FINAL, Phase
from readiness.model.plan import DIGEST_LENGTH, Batch, Wave
from readiness.model.playbook import Playbook
from readiness.model.run import Event, EventKind, RunInfo, RunState, StepRecord, StepResult, StepState
from readiness.model.steps import (
    PlannedStep,
    ProveHealth,
    ProveModel,
    ProveRestored,
    Recheck,
    RecordBefore,
    Start,
    words_for,
)
from readiness.ports.clock import Clock
from readiness.ports.cloud import Cloud, Done, Failed, Pending, Progress, StepContext
from readiness.ports.journal import Journal
from readiness.ports.observer import Observer

SNAPSHOT_LIFE = timedelta(days=30)
"""How long the snapshots behind a change are kept before they may be deleted."""

_CAPACITY_INTERVAL = 60.0
_UNREACHABLE_INTERVAL = 15.0
_SIGNAL_INTERVAL = timedelta(seconds=1)
_LOOKS = (Recheck, RecordBefore, ProveHealth, ProveModel, ProveRestored)

Answer = Progress | StepResult | LookAgain | CloudError


class Ports(Struct, frozen=True, kw_only=True):
    """Everything a run needs from outside."""

    cloud: Cloud
    journal: Journal
    clock: Clock
    observer: Observer
    executor: Executor


class WaveRun:
    """One execution of one wave; a second one on the same journal goes on where the first one ended."""

    def __init__(self, info: RunInfo, wave: Wave, playbooks: Sequence[Playbook], ports: Ports) -> None:
        self._info = info
        self._wave = wave
        self._playbooks = playbooks
        self._ports = ports
        self._campaigns = {vm.id: Campaign(vm, playbooks) for vm in wave.vms}
        self._records = by_vm(ports.journal.records())
        self._positions = {
            vm: campaign.position(self._records[vm]) for vm, campaign in self._campaigns.items()
        }
        self._due: list[tuple[datetime, int, Campaign]] = []
        self._order = count()
        self._running: dict[Future[Answer], tuple[Campaign, PlannedStep]] = {}
        self._started: set[ResourceId] = set()
        self._held: str | None = None
        self._stopping = False

    def stop(self) -> None:
        """Start nothing more; what has begun goes on to its end."""
        self._stopping = True

    def execute(self) -> RunState:
        """Run until nothing is due: everything ended, or the rest is held."""
        self._take_up_begun()
        while True:
            self._start_batches()
            if not self._due and not self._running:
                return self.state()
            self._submit_due()
            if self._running:
                self._collect()
            elif self._due:
                self._ports.clock.sleep_until(self._due[0][0])

    def state(self) -> RunState:
        """Return where the run stands now."""
        records = [record for unit in self._records.values() for record in unit.values()]
        return run_state(
            self._info,
            self._wave,
            self._playbooks,
            records,
            now=self._ports.clock.now(),
            held=self._held,
        )

    # Starting -----------------------------------------------------------------------------------

    def _take_up_begun(self) -> None:
        for vm, campaign in self._campaigns.items():
            position = self._positions[vm]
            if position.phase is not Phase.WAITING and position.phase not in FINAL:
                step = words_for(position.due.step) if position.due else "nothing"
                self._tell(EventKind.RUN, campaign, f"taken up again at: {step}", position.phase)
                self._push(campaign, self._ports.clock.now())

    def _start_batches(self) -> None:
        """Start the first batch with VMs waiting, once all batches before it have ended."""
        if self._held is not None:
            return
        for batch in self._wave.batches:
            phases = [self._positions[vm.id].phase for vm in batch.vms]
            if Phase.WAITING in phases:
                self._start(batch)
                return
            if any(phase not in FINAL for phase in phases):
                return

    def _start(self, batch: Batch) -> None:
        waiting = [vm for vm in batch.vms if self._positions[vm.id].phase is Phase.WAITING]
        if self._started.issuperset(vm.id for vm in waiting):
            return
        self._held = self._why_held(batch)
        if self._held is not None:
            self._tell(EventKind.WAIT, None, f"nothing more is started: {self._held}")
            return
        names = ", ".join(vm.name for vm in waiting)
        self._tell(EventKind.RUN, None, f"batch {batch.number} starts: {names}")
        for vm in waiting:
            self._started.add(vm.id)
            self._push(self._campaigns[vm.id], self._ports.clock.now())

    def _why_held(self, batch: Batch) -> str | None:
        """Return why the batch may not start now, after moving time to its window where that is possible."""
        if self._stopping or self._ports.journal.stop_requested():
            return "a stop was asked for"
        stranded = [
            self._campaigns[vm].vm.name
            for vm, position in self._positions.items()
            if position.phase is Phase.STRANDED
        ]
        if stranded:
            return f"{', '.join(stranded)} is stranded, and the stranded budget is 0"
        occurrence = batch.vms[0].occurrence
        clock = self._ports.clock
        if clock.now() < occurrence.opens and not clock.skip_to(occurrence.opens):
            return f"the window {occurrence.window} opens at {occurrence.opens:%Y-%m-%d %H:%M} UTC"
        latest = occurrence.closes - timedelta(seconds=batch.reserved_seconds)
        if clock.now() > latest:
            return (
                f"the window {occurrence.window} had to be entered by {latest:%Y-%m-%d %H:%M} UTC: "
                "what is left of it does not hold the change and the way back"
            )
        return None

    # Working ------------------------------------------------------------------------------------

    def _submit_due(self) -> None:
        now = self._ports.clock.now()
        while self._due and self._due[0][0] <= now:
            _, _, campaign = heapq.heappop(self._due)
            position = self._positions[campaign.vm.id]
            if position.due is None:
                continue
            record = self._intend(campaign, position)
            future = self._ports.executor.submit(self._work, campaign, position.due, record)
            self._running[future] = (campaign, position.due)

    def _intend(self, campaign: Campaign, position: Position) -> StepRecord:
        """Write the intent of a due step, unless the journal holds it already."""
        planned, vm = position.due, campaign.vm.id
        if planned is None:
            raise AssertionError("nothing is due")
        known = self._records[vm].get(planned.name)
        if known is not None:
            return known
        now = self._ports.clock.now()
        self._ports.journal.intend(vm, planned.name, now)
        record = StepRecord(vm=vm, name=planned.name, state=StepState.INTENT, attempt=1, intended_at=now)
        self._records[vm][planned.name] = record
        self._move(campaign)
        return record

    def _work(self, campaign: Campaign, planned: PlannedStep, record: StepRecord) -> Answer:
        """Perform or look at one step; runs in the executor and touches no state of this object."""
        cloud, step = self._ports.cloud, planned.step
        records = dict(self._records[campaign.vm.id])
        try:
            if isinstance(step, _LOOKS):
                seen = cloud.observe(campaign.vm.id)
                now = self._ports.clock.now()
                return judge(step, seen, campaign, records, since=record.intended_at, now=now)
            if is_begun(record) and record.token is not None:
                return cloud.poll(step, record.token)
            return cloud.begin(step, self._context(campaign, records))
        except CloudError as error:
            return error

    def _context(self, campaign: Campaign, records: dict[str, StepRecord]) -> StepContext:
        return StepContext(
            plan=self._info.plan[:DIGEST_LENGTH],
            run=self._info.id,
            started=self._info.started_at.isoformat(),
            expires=(self._info.started_at + SNAPSHOT_LIFE).date(),
            before=campaign.before(records),
        )

    # Collecting ---------------------------------------------------------------------------------

    def _collect(self) -> None:
        """Take in the answers that have come, waiting at most until something else is due."""
        done, _ = wait(self._running, timeout=self._patience(), return_when=FIRST_COMPLETED)
        # In the order of asking: what `wait` returns is a set, and a rehearsal has to be reproducible.
        for future in [each for each in self._running if each in done]:
            campaign, planned = self._running.pop(future)
            self._take(campaign, planned, future.result())

    def _patience(self) -> float:
        """Return how many wall-clock seconds to wait for answers: signals are looked at in between."""
        clock = self._ports.clock
        if not self._due:
            return _SIGNAL_INTERVAL.total_seconds()
        remaining = (self._due[0][0] - clock.now()).total_seconds() / clock.rate
        return min(max(0.0, remaining), _SIGNAL_INTERVAL.total_seconds())

    def _take(self, campaign: Campaign, planned: PlannedStep, answer: Answer) -> None:
        clock = self._ports.clock
        match answer:
            case StepResult():
                self._end(campaign, planned, answer)
            case Done(detail):
                self._end(campaign, planned, StepResult(ok=True, detail=detail))
            case Failed(code, detail, is_capacity):
                self._fail(campaign, planned, code, detail, is_capacity=is_capacity)
            case Pending(token, retry_after, detail):
                self._begun(campaign, planned, token, detail)
                self._push(campaign, clock.now() + timedelta(seconds=retry_after * clock.rate))
            case LookAgain(seconds):
                self._push(campaign, clock.now() + timedelta(seconds=seconds))
            case ThrottledError() | UnreachableError():
                self._tell(
                    EventKind.WAIT, campaign, f"{words_for(planned.step)}: {answer.brief}; asked again soon"
                )
                self._push(campaign, clock.now() + timedelta(seconds=_UNREACHABLE_INTERVAL))
            case CloudError():
                is_capacity = isinstance(answer, CapacityError)
                self._fail(campaign, planned, answer.code, answer.brief, is_capacity=is_capacity)

    def _begun(self, campaign: Campaign, planned: PlannedStep, token: str | None, detail: str) -> None:
        record = self._records[campaign.vm.id][planned.name]
        if token is None:
            self._forget_token(campaign, planned, detail)
        elif token != record.token:
            self._ports.journal.begun(campaign.vm.id, planned.name, token)
            fresh = record.state is not StepState.BEGUN
            self._replace(record, state=StepState.BEGUN, token=token)
            if fresh:
                self._tell(EventKind.STEP, campaign, f"{words_for(planned.step)} ...")

    def _forget_token(self, campaign: Campaign, planned: PlannedStep, detail: str) -> None:
        """Nothing to re-attach to: the next turn looks at the VM itself."""
        record = self._records[campaign.vm.id][planned.name]
        if record.token is not None:
            self._ports.journal.intend(campaign.vm.id, planned.name, self._ports.clock.now())
            self._replace(record, state=StepState.INTENT, token=None)
        if detail:
            self._tell(EventKind.WAIT, campaign, f"{words_for(planned.step)}: {detail}")

    def _fail(
        self, campaign: Campaign, planned: PlannedStep, code: str, detail: str, *, is_capacity: bool
    ) -> None:
        """End a step as failed; a start without capacity is tried again until its window closes."""
        clock = self._ports.clock
        if is_capacity and isinstance(planned.step, Start) and clock.now() < campaign.vm.occurrence.closes:
            self._forget_token(campaign, planned, f"{code}: {detail}; tried again until the window closes")
            self._push(campaign, clock.now() + timedelta(seconds=_CAPACITY_INTERVAL))
            return
        self._end(
            campaign, planned, StepResult(ok=False, code=code, detail=f"{words_for(planned.step)}: {detail}")
        )

    def _end(self, campaign: Campaign, planned: PlannedStep, result: StepResult) -> None:
        vm, now = campaign.vm.id, self._ports.clock.now()
        self._ports.journal.ended(vm, planned.name, result, now)
        state = StepState.DONE if result.ok else StepState.FAILED
        self._replace(self._records[vm][planned.name], state=state, result=result, ended_at=now)
        if result.ok:
            self._tell(EventKind.STEP, campaign, f"{words_for(planned.step)}: {result.detail or 'done'}")
        else:
            self._tell(EventKind.FAILURE, campaign, f"{result.code}: {result.detail}")
        self._move(campaign)
        if self._positions[vm].phase not in FINAL:
            self._push(campaign, now)

    # Bookkeeping --------------------------------------------------------------------------------

    def _replace(self, record: StepRecord, **changes: object) -> None:
        self._records[record.vm][record.name] = replace(record, **changes)

    def _move(self, campaign: Campaign) -> None:
        """Derive the position anew and tell of a change of phase."""
        vm = campaign.vm.id
        earlier = self._positions[vm]
        self._positions[vm] = campaign.position(self._records[vm])
        if self._positions[vm].phase is not earlier.phase:
            reason = self._positions[vm].reason
            text = f"{self._positions[vm].phase}" + (f": {reason}" if reason else "")
            self._tell(EventKind.PHASE, campaign, text, self._positions[vm].phase)

    def _push(self, campaign: Campaign, due: datetime) -> None:
        heapq.heappush(self._due, (due, next(self._order), campaign))

    def _tell(
        self, kind: EventKind, campaign: Campaign | None, text: str, phase: Phase | None = None
    ) -> None:
        name = campaign.vm.name if campaign else ""
        event = Event(at=self._ports.clock.now(), kind=kind, vm=name, text=text, phase=phase)
        self._ports.journal.tell(event)
        self._ports.observer.told(event)
