"""Carries one wave out: an event loop over due steps, intent before effect, the journal before the cloud.

Invariants:
* A step's intent is in the journal before its effect is asked for, and its end before the next step.
* Campaigns under way go on before new ones start; a stop, a hold or a closed window only keeps new ones
  from starting.
* A batch starts when every VM of the batches before it has ended; after a stranded VM nothing starts.
* The journal is written by this loop alone; cloud calls run in the executor it was given.
"""

import heapq
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from datetime import datetime, timedelta
from itertools import count

from msgspec.structs import replace

from readiness.engine import budget
from readiness.engine.advance import Campaign
from readiness.engine.decisions import recall_refusals
from readiness.engine.elsewhere import size_now
from readiness.engine.gate import Decision, Gate
from readiness.engine.ledger import Ledger
from readiness.engine.look import LookAgain
from readiness.engine.state import campaign_of, run_state
from readiness.engine.waits import Waits
from readiness.engine.wave_hooks import WaveHooks
from readiness.engine.wishes import Wishes, Word
from readiness.engine.work import Answer, Ports, perform
from readiness.errors import CapacityError, CloudError
from readiness.model.execution import Execution
from readiness.model.ids import ResourceId
from readiness.model.lifecycle import FINAL, Phase
from readiness.model.plan import ApartGroup, Wave
from readiness.model.playbook import Playbook
from readiness.model.run import EventKind, RunInfo, RunState, StepResult
from readiness.model.steps import PlannedStep, Start, words_for
from readiness.ports.cloud import Done, Failed, Pending

_SIGNAL_INTERVAL = timedelta(seconds=1)


class WaveRun:
    """One execution of one wave; a second one on the same journal goes on where the first one ended."""

    def __init__(  # noqa: PLR0913  what a run is made of
        self,
        info: RunInfo,
        wave: Wave,
        playbooks: Sequence[Playbook],
        ports: Ports,
        *,
        execution: Execution | None = None,
        apart: Sequence[ApartGroup] = (),
        not_before: Mapping[ResourceId, datetime] | None = None,
    ) -> None:
        self._info = info
        self._wave = wave
        self._playbooks = playbooks
        self._ports = ports
        self._execution = execution or Execution()
        campaigns = [campaign_of(vm, playbooks, info, self._execution) for vm in wave.vms]
        self._ledger = Ledger(campaigns, ports)
        self._gate = Gate(wave.vms, self._execution, info.stage, apart, not_before)
        self._wishes = Wishes(wave, ports)
        self._hooks = WaveHooks(info, wave, self._execution, self._ledger, ports)
        self._due: list[tuple[datetime, int, Campaign]] = []
        self._order = count()
        self._running: dict[Future[Answer], tuple[Campaign, PlannedStep]] = {}
        self._under_way: dict[ResourceId, None] = {}
        self._waits = Waits(info, self._ledger, ports)
        self._held: str | None = None
        self._ask_again: datetime | None = None
        """When a VM that was not let through may be asked for again, where time alone decides."""
        self._may_start = True
        """Whether anything happened since the gate was asked last."""

    def stop(self) -> None:
        """Start nothing more; what has begun goes on to its end."""
        self._wishes.stop()

    def only_take_back(self) -> None:
        """Start no VM that waits: this process is for those that somebody wants back."""
        self._wishes.only_back = True

    def execute(self) -> RunState:
        """Run until nothing is due: everything ended, or the rest is held."""
        self._take_up_begun()
        while self._waits.why_over is None:
            self._take_wishes()
            self._start_batches()
            if self._running or self._due:
                self._submit_due()
                if self._running:
                    self._collect()
                elif self._due:
                    self._ports.clock.sleep_until(self._due[0][0])
            elif self._wishes.is_paused or self._ask_again is not None:
                self._ports.clock.sleep_until(self._next_look())
            else:
                break
        while self._running:
            self._collect()
        left = self._waits.why_over or self._waits.why_not_started
        if left is not None:
            self._hold(left)
        if not self._under_way:
            self._hooks.after()
        return self.state()

    def state(self) -> RunState:
        """Return where the run stands now."""
        return run_state(
            self._info,
            self._wave,
            self._playbooks,
            self._ledger.all_records(),
            now=self._ports.clock.now(),
            held=self._held,
            execution=self._execution,
        )

    # Starting -----------------------------------------------------------------------------------

    def _take_up_begun(self) -> None:
        for vm, campaign in self._ledger.campaigns.items():
            position = self._ledger.positions[vm]
            if position.due is None or position.phase is Phase.WAITING:
                continue
            self._hooks.go_on()
            text = f"taken up again at: {words_for(position.due.step)}"
            self._ledger.tell(EventKind.RUN, campaign, text, position.phase)
            now = self._ports.clock.now()
            late = campaign.outdated_look(self._ledger.records[vm], now)
            if late is not None:
                self._ledger.ask_anew(campaign, late)
            self._push(campaign, now)

    def _take_wishes(self) -> None:
        """Look what people asked for meanwhile, and record what it decides for a VM."""
        for word in self._wishes.take(self._ledger.positions):
            self._decide(word)
        self._may_start |= self._wishes.changed

    def _decide(self, word: Word) -> None:
        campaign = self._ledger.campaigns[word.vm]
        self._ledger.decided(campaign, word.name, word.detail)
        # Asked for once more, it is looked at once more.
        for refused in recall_refusals(self._ledger.records[word.vm]) if word.takes_back else ():
            self._ledger.ask_anew(campaign, refused)
        self._wishes.recorded(word)
        self._push(campaign, self._ports.clock.now())

    def _recall(self) -> str | None:
        """Take back what the gate lets through; return why the rest waits."""
        if not self._wishes.recalls:
            return None
        why = self._wishes.why_held or self._waits.why_not_started
        for word in list(self._wishes.recalls) if why is None else ():
            vm = self._ledger.campaigns[word.vm].vm
            answer = self._gate.ask_back(
                vm, self._under_way, self._ledger.positions, serves=word.is_of_one_that_serves
            )
            if answer.decision is Decision.START:
                self._decide(word)
            else:
                why = answer.why
        return why

    def _next_look(self) -> datetime:
        look = self._ports.clock.now() + _SIGNAL_INTERVAL * self._ports.clock.rate
        if self._wishes.is_paused or self._ask_again is None:
            return look
        self._may_start = True
        return max(look, self._ask_again)

    def _start_batches(self) -> None:
        """Start what may start of the first batch with VMs waiting, once all batches before it have ended."""
        if not self._may_start:
            return
        self._may_start, self._ask_again = False, None
        waits = self._recall()
        if waits is not None:
            if not self._under_way:
                self._hold(waits)
            return
        for batch in self._wave.batches:
            phases = [self._ledger.positions[vm.id].phase for vm in batch.vms]
            if Phase.WAITING in phases:
                found = zip(batch.vms, phases, strict=True)
                self._start([vm.id for vm, phase in found if phase is Phase.WAITING])
                return
            if any(phase not in FINAL and phase is not Phase.UNDECIDED for phase in phases):
                return

    def _start(self, waiting: Sequence[ResourceId]) -> None:
        raised = self._wishes.raised
        why = budget.exhausted(self._ledger.positions.values(), self._execution, raised=raised)
        held = self._wishes.why_not_started or why or self._waits.why_not_started
        if held is not None:
            self._hold(held)
            return
        whys = []
        for vm in waiting:
            if vm in self._under_way:
                continue
            why = self._try(vm)
            if why is not None:
                whys.append(why)
            if len(self._under_way) >= self._execution.max_concurrency:
                break
        self._held = None
        if whys and not self._under_way and self._ask_again is None:
            self._hold(whys[0])

    def _try(self, vm: ResourceId) -> str | None:
        """Start one waiting VM if the gate lets it, or return why not."""
        campaign, clock = self._ledger.campaigns[vm], self._ports.clock
        positions = self._ledger.positions
        answer = self._gate.ask(campaign.vm, self._under_way, positions, clock.now())
        opens = answer.until if answer.decision is Decision.HOLD and not self._under_way else None
        # Only a twin's time can be moved to the opening of a window.
        if opens is not None and clock.skip_to(opens):
            answer = self._gate.ask(campaign.vm, self._under_way, positions, clock.now())
        if answer.decision is Decision.START:
            why = self._hooks.before()
            if why is None:
                self._push(campaign, clock.now())
            return why
        if answer.decision is Decision.WAIT and answer.until is not None:
            self._ask_again = min(self._ask_again or answer.until, answer.until)
        return answer.why

    def _hold(self, why: str) -> None:
        if why != self._held:
            self._held = why
            self._ledger.tell(EventKind.WAIT, None, f"nothing more is started: {why}")

    # Working ------------------------------------------------------------------------------------

    def _submit_due(self) -> None:
        now, ledger = self._ports.clock.now(), self._ledger
        while self._due and self._due[0][0] <= now:
            _, _, campaign = heapq.heappop(self._due)
            vm = campaign.vm.id
            planned = ledger.positions[vm].due
            if planned is None:
                continue
            if self._wishes.is_stopping and ledger.set_back(campaign):
                self._under_way.pop(vm, None)
                self._may_start = True
                continue
            record = ledger.intend(campaign, planned)
            self._waits.ask(campaign, planned)
            known = dict(ledger.records[vm])
            future = self._ports.executor_for(planned.step).submit(
                perform, self._ports, self._info, campaign, planned, record, known
            )
            self._running[future] = (campaign, planned)

    def _collect(self) -> None:
        """Take in the answers that have come, waiting at most until something else is due."""
        done, _ = wait(self._running, timeout=self._patience(), return_when=FIRST_COMPLETED)
        # In the order of asking: what `wait` returns is a set, and a rehearsal has to be reproducible.
        for future in [each for each in self._running if each in done]:
            campaign, planned = self._running.pop(future)
            self._take(campaign, planned, future.result())

    def _patience(self) -> float:
        """Return how many wall-clock seconds to wait for answers: signals are looked at in between."""
        clock, longest = self._ports.clock, _SIGNAL_INTERVAL.total_seconds()
        if not self._due:
            return longest
        remaining = (self._due[0][0] - clock.now()).total_seconds() / clock.rate
        return min(max(0.0, remaining), longest)

    def _take(self, campaign: Campaign, planned: PlannedStep, answer: Answer) -> None:
        clock = self._ports.clock
        self._may_start |= self._waits.answered(campaign, answer)
        match answer:
            case StepResult():
                self._end(campaign, planned, answer)
            case Done(detail, evidence):
                self._end(campaign, planned, StepResult(ok=True, detail=detail, evidence=evidence))
            case Failed(code, detail, is_capacity, evidence):
                result = StepResult(ok=False, code=code, detail=detail, evidence=evidence)
                self._fail(campaign, planned, result, is_capacity=is_capacity)
            case Pending() if self._waits.takes_too_long(campaign, planned):
                detail = f"not done after {self._waits.since(campaign).total_seconds() / 3600:.1f} hours"
                self._fail(campaign, planned, StepResult(ok=False, code="TookTooLong", detail=detail))
            case Pending(token, retry_after, detail):
                if token is None:
                    self._ledger.forget_token(campaign, planned, detail)
                else:
                    self._ledger.begun(campaign, planned, token, detail)
                self._push(campaign, clock.now() + timedelta(seconds=retry_after * clock.rate))
            case LookAgain(seconds):
                self._push(campaign, clock.now() + timedelta(seconds=seconds))
            case CloudError() if self._waits.is_for_later(campaign, answer):
                self._put_off(campaign, planned, answer)
            case CloudError():
                result = StepResult(ok=False, code=answer.code, detail=answer.brief)
                self._fail(campaign, planned, result, is_capacity=isinstance(answer, CapacityError))

    def _put_off(self, campaign: Campaign, planned: PlannedStep, error: CloudError) -> None:
        """Ask again later what was not answered; what is left to the next process stays under way."""
        again = self._waits.put_off(campaign, planned, error, self._under_way)
        if isinstance(again, StepResult):
            self._end(campaign, planned, again)
        elif again is not None:
            self._push(campaign, again)

    def _fail(
        self, campaign: Campaign, planned: PlannedStep, result: StepResult, *, is_capacity: bool = False
    ) -> None:
        """End a step as failed; a start without capacity is tried again as long as there is time for it."""
        if is_capacity and isinstance(planned.step, Start):
            self._gate.refused_for_room(campaign.vm, self._size(campaign), self._ports.clock.now())
            again = self._waits.for_room(campaign, planned, result)
            if again is not None:
                self._push(campaign, again)
                return
        told = f"{words_for(planned.step)}: {result.detail}"
        self._end(campaign, planned, replace(result, detail=told, no_room=is_capacity))

    def _end(self, campaign: Campaign, planned: PlannedStep, result: StepResult) -> None:
        if result.ok and isinstance(planned.step, Start):
            self._gate.found_room(campaign.vm, self._size(campaign))
        self._ledger.ended(campaign, planned, result)
        if self._ledger.positions[campaign.vm.id].due is not None:
            self._push(campaign, self._ports.clock.now())
        else:
            self._under_way.pop(campaign.vm.id, None)
            self._may_start = True

    def _size(self, campaign: Campaign) -> str:
        """Return the size as which a VM is started now."""
        return size_now(self._ledger.records[campaign.vm.id], campaign.vm.size)

    def _push(self, campaign: Campaign, due: datetime) -> None:
        self._under_way[campaign.vm.id] = None
        heapq.heappush(self._due, (due, next(self._order), campaign))
