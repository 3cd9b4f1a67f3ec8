"""What a run knows of its campaigns: step records in the journal first, then here, and positions from them.

The only writer of the journal. Every change of a record is on the disk before anybody acts on it.
"""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from readiness.engine.advance import Campaign, Position
from readiness.engine.state import by_vm
from readiness.engine.work import Ports
from readiness.model.ids import ResourceId
from readiness.model.lifecycle import Phase
from readiness.model.run import Event, EventKind, StepRecord, StepResult, StepState
from readiness.model.steps import AskGuest, PlannedStep, words_for


class Ledger:
    """Records and positions of the campaigns of one run."""

    def __init__(self, campaigns: Sequence[Campaign], ports: Ports) -> None:
        self._ports = ports
        self.records = by_vm(ports.journal.records())
        self.campaigns = {campaign.vm.id: campaign for campaign in campaigns}
        self.positions: dict[ResourceId, Position] = {
            vm: campaign.position(self.records[vm]) for vm, campaign in self.campaigns.items()
        }

    def all_records(self) -> list[StepRecord]:
        """Return every record."""
        return [record for unit in self.records.values() for record in unit.values()]

    def record(self, campaign: Campaign, planned: PlannedStep) -> StepRecord:
        """Return the record of a step whose intent was written."""
        return self.records[campaign.vm.id][planned.name]

    def intend(self, campaign: Campaign, planned: PlannedStep) -> StepRecord:
        """Write the intent of a due step, unless the journal holds it already."""
        vm = campaign.vm.id
        known = self.records[vm].get(planned.name)
        if known is not None:
            return known
        now = self._ports.clock.now()
        self._ports.journal.intend(vm, planned.name, now)
        record = StepRecord(vm=vm, name=planned.name, state=StepState.INTENT, attempt=1, intended_at=now)
        self._keep(record)
        self._move(campaign)
        return record

    def begun(self, campaign: Campaign, planned: PlannedStep, token: str, detail: str = "") -> None:
        """Write the token of a step that Azure works on, and tell of it the first time."""
        record = self.record(campaign, planned)
        if token == record.token:
            return
        self._ports.journal.begun(campaign.vm.id, planned.name, token)
        self._keep(replace(record, state=StepState.BEGUN, token=token))
        if record.state is not StepState.BEGUN:
            words = words_for(planned.step)
            self.tell(EventKind.STEP, campaign, f"{words}: {detail}" if detail else f"{words} ...")

    def forget_token(self, campaign: Campaign, planned: PlannedStep, detail: str) -> None:
        """Write that there is nothing to re-attach to: the next turn looks at the VM itself."""
        record = self.record(campaign, planned)
        if record.token is not None:
            self._ports.journal.intend(campaign.vm.id, planned.name, self._ports.clock.now())
            self._keep(replace(record, state=StepState.INTENT, token=None))
        if detail:
            self.tell(EventKind.WAIT, campaign, f"{words_for(planned.step)}: {detail}")

    def ended(self, campaign: Campaign, planned: PlannedStep, result: StepResult) -> None:
        """Write how a step ended, and tell of it."""
        vm, now = campaign.vm.id, self._ports.clock.now()
        self._ports.journal.ended(vm, planned.name, result, now)
        state = StepState.DONE if result.ok else StepState.FAILED
        self._keep(replace(self.record(campaign, planned), state=state, result=result, ended_at=now))
        if result.ok:
            self.tell(EventKind.STEP, campaign, f"{words_for(planned.step)}: {result.detail or 'done'}")
        elif isinstance(planned.step, AskGuest):
            self.tell(EventKind.STEP, campaign, f"{result.detail} (hinders nothing)")
        else:
            self.tell(EventKind.FAILURE, campaign, f"{result.code}: {result.detail}")
        self._move(campaign)

    def decided(self, campaign: Campaign, name: str, detail: str) -> None:
        """Write a person's decision as a step that has ended."""
        vm, now = campaign.vm.id, self._ports.clock.now()
        result = StepResult(ok=True, detail=detail)
        self._ports.journal.intend(vm, name, now)
        self._ports.journal.ended(vm, name, result, now)
        done = StepState.DONE
        self._keep(
            StepRecord(vm=vm, name=name, state=done, attempt=1, intended_at=now, ended_at=now, result=result)
        )
        self.tell(EventKind.RUN, campaign, detail)
        self._move(campaign)

    def ask_anew(self, campaign: Campaign, name: str) -> None:
        """Write that a step's answer counts no more, so that it is due again."""
        vm = campaign.vm.id
        self._ports.journal.intend(vm, name, self._ports.clock.now())
        known = self.records[vm][name]
        again = known.attempt + 1
        self._keep(replace(known, state=StepState.INTENT, attempt=again, result=None, ended_at=None))
        self._move(campaign)

    def set_back(self, campaign: Campaign) -> bool:
        """Let a VM wait again that was only looked at: no mark was written on it. Tell whether it does."""
        vm = campaign.vm.id
        if self.positions[vm].phase not in (Phase.WAITING, Phase.CHECKING) or any(
            name.endswith(".take-lease") for name in self.records[vm]
        ):
            return False
        if self.records[vm]:
            self._ports.journal.begin_again(vm)
            self.records[vm] = {}
            self.tell(EventKind.RUN, campaign, "was only looked at, and is not begun")
            self._move(campaign)
        return True

    def hooked(self, wave: ResourceId, name: str, run: Callable[[], StepResult]) -> StepResult:
        """Run a command of the whole wave between its intent and its end; one that failed is run again."""
        began = self._ports.clock.now()
        self._ports.journal.intend(wave, name, began)
        result = run()
        ended = self._ports.clock.now()
        self._ports.journal.ended(wave, name, result, ended)
        state = StepState.DONE if result.ok else StepState.FAILED
        record = StepRecord(
            vm=wave, name=name, state=state, attempt=1, intended_at=began, ended_at=ended, result=result
        )
        self._keep(record)
        return result

    def tell(self, kind: EventKind, campaign: Campaign | None, text: str, phase: Phase | None = None) -> None:
        """Add to the run's story, on the disk and before the eyes of whoever watches."""
        name = campaign.vm.name if campaign else ""
        event = Event(at=self._ports.clock.now(), kind=kind, vm=name, text=text, phase=phase)
        self._ports.journal.tell(event)
        self._ports.observer.told(event)

    def _keep(self, record: StepRecord) -> None:
        self.records[record.vm][record.name] = record

    def _move(self, campaign: Campaign) -> None:
        """Derive the position anew and tell of a change of phase."""
        vm = campaign.vm.id
        earlier = self.positions[vm]
        self.positions[vm] = position = campaign.position(self.records[vm])
        if position.phase is not earlier.phase:
            text = f"{position.phase}" + (f": {position.reason}" if position.reason else "")
            self.tell(EventKind.PHASE, campaign, text, position.phase)
