"""How long a run waits: for a change to end, for room in Azure, for an answer, and for somebody to log in.

Guarantees: Azure is not asked before it wants to be. Somebody who has to log in is waited for until the
windows of the VMs under way have closed, and at least an hour; whoever is logged in to another tenant is not
waited for. After that this process ends, with everything where it is: the next one goes on.

What concerns one VM keeps no other from its end. Before it goes down it is given up; afterwards it is waited
for, and nothing more is started meanwhile. One that lets nobody in after all is left to the next process.
Where a role lapsed, a start, a look at a VM that was changed, and its way back are waited for as long.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from readiness.engine.advance import Campaign
from readiness.engine.elsewhere import tried_until
from readiness.engine.ledger import Ledger
from readiness.engine.patience import LEAST_PATIENCE, is_waited_for, last_try
from readiness.engine.work import Answer, Ports
from readiness.errors import CloudError, DeniedError, LoginError
from readiness.model.durations import ASSUMED_SECONDS
from readiness.model.ids import ResourceId
from readiness.model.lifecycle import UNAVAILABLE, Phase, Stage
from readiness.model.run import EventKind, RunInfo, StepResult
from readiness.model.steps import PlannedStep, words_for

_PATIENCE = 20
"""A change that takes so many times its assumed duration, and at least an hour, has failed."""
_INTERVAL = timedelta(seconds=15)
_LOGIN_INTERVAL = timedelta(seconds=30)
_ROOM_INTERVAL = timedelta(seconds=60)
_TOLD_AGAIN = timedelta(minutes=10)
_UNDER_WAY = UNAVAILABLE | {Phase.CLOSING}
_ROLE = "give whoever is logged in the role again: 'readiness permissions --for run' prints it"


class Waits:
    """What a run waits for, and since when."""

    def __init__(self, info: RunInfo, ledger: Ledger, ports: Ports) -> None:
        self.why_over: str | None = None
        """Why this process waits no longer, if so."""
        self._info = info
        self._ledger = ledger
        self._ports = ports
        self._asked: dict[ResourceId, tuple[str, datetime]] = {}
        """Which step of a VM this process asked for last, and since when."""
        self._no_login: datetime | None = None
        """Since when somebody has had to log in."""
        self._no_room: dict[tuple[ResourceId, str], datetime] = {}
        """Since when Azure has had no room for a start of a VM."""
        self._refused: dict[ResourceId, datetime] = {}
        """Since when a VM alone has got no answer that counts."""
        self._stuck: dict[ResourceId, str] = {}
        """VMs under way that cannot go on, each with why."""
        self._told: dict[ResourceId | None, datetime] = {}
        """When it was told last: of a VM, or of all."""

    # For a change -------------------------------------------------------------------------------

    def ask(self, campaign: Campaign, planned: PlannedStep) -> None:
        """Take note that a step is asked for, or asked about."""
        if self._asked.get(campaign.vm.id, ("",))[0] != planned.name:
            self.ask_anew(campaign, planned)

    def ask_anew(self, campaign: Campaign, planned: PlannedStep) -> None:
        """Take note that a step is asked for from now on."""
        self._asked[campaign.vm.id] = (planned.name, self._ports.clock.now())

    def since(self, campaign: Campaign) -> timedelta:
        """Return how long this process has waited: while none did, Azure went on, and nobody looked."""
        return self._ports.clock.now() - self._asked[campaign.vm.id][1]

    def takes_too_long(self, campaign: Campaign, planned: PlannedStep) -> bool:
        """Tell whether a change has taken so long that it has failed."""
        assumed = timedelta(seconds=ASSUMED_SECONDS[planned.step.duration])
        return self.since(campaign) > max(LEAST_PATIENCE, _PATIENCE * assumed)

    # For room in Azure --------------------------------------------------------------------------

    def for_room(self, campaign: Campaign, planned: PlannedStep, refused: StepResult) -> datetime | None:
        """Return when a start is tried again that Azure had no room for, and tell until when; or None."""
        now = self._ports.clock.now()
        first = self._no_room.setdefault((campaign.vm.id, planned.name), now)
        until = tried_until(campaign.vm, planned, first)
        if now >= until:
            return None
        self.ask_anew(campaign, planned)
        detail = f"{refused.code}: {refused.detail}; tried again until {_utc(until)}"
        self._ledger.forget_token(campaign, planned, detail)
        return now + _ROOM_INTERVAL

    # For an answer, and for a login -------------------------------------------------------------

    @property
    def why_not_started(self) -> str | None:
        """Why nothing more is started: a VM is down, or may be, and cannot go on."""
        return next(iter(self._stuck.values()), None)

    def answered(self, campaign: Campaign, answer: Answer) -> bool:
        """Take note that Azure knows who asks; tell whether a VM can go on that could not."""
        vm = campaign.vm.id
        if not isinstance(answer, CloudError):
            self._no_login = None
            self._told.pop(None, None)
        if self.is_for_later(campaign, answer):
            return False
        self._refused.pop(vm, None)
        self._told.pop(vm, None)
        return self._stuck.pop(vm, None) is not None

    def is_for_later(self, campaign: Campaign, answer: Answer) -> bool:
        """Tell whether an answer says nothing of what was asked for, so that it is asked for again."""
        position = self._ledger.positions[campaign.vm.id]
        return isinstance(answer, CloudError) and is_waited_for(answer, position.phase, position.due)

    def put_off(
        self, campaign: Campaign, planned: PlannedStep, error: CloudError, under_way: Iterable[ResourceId]
    ) -> datetime | StepResult | None:
        """Return when to ask again what was not answered, and tell why.

        Returns:
            How the step ends, where it is not asked for again; None where it is left to the next process.
        """
        if self._ledger.record(campaign, planned).token is None:
            # Azure does not work on it yet: that takes no time of its own.
            self.ask_anew(campaign, planned)
        if isinstance(error, DeniedError):
            return self._not_allowed(campaign, planned, error)
        if not isinstance(error, LoginError):
            return self._later(campaign, planned, error)
        if error.concerns_one:
            return self._locked_out(campaign, planned, error)
        now = self._ports.clock.now()
        self._no_login = self._no_login or now
        until = max(self._no_login + LEAST_PATIENCE, self._last_close(under_way))
        if error.is_lasting or now >= until:
            self.why_over = f"{error.brief}; the same command then goes on"
        elif self._is_news(None):
            # It concerns all VMs, and is not told for each of them.
            self._tell(EventKind.FAILURE, campaign, planned, f"{error.brief}; waited for until {_utc(until)}")
        return now + _LOGIN_INTERVAL

    def _later(self, campaign: Campaign, planned: PlannedStep, error: CloudError) -> datetime | StepResult:
        """Return when to ask again, or the end of a step that is asked for too late by then."""
        vm, clock = campaign.vm, self._ports.clock
        now, phase = clock.now(), self._ledger.positions[vm.id].phase
        first = self._refused.setdefault(vm.id, now)
        again = now + max(_INTERVAL, timedelta(seconds=error.retry_after * clock.rate))
        until = last_try(vm, self._info.stage, phase, planned, error, first)
        if until is not None and again > until:
            detail = f"{words_for(planned.step)}: {error.brief}; not asked again after {_utc(until)}"
            return StepResult(ok=False, code=error.code, detail=detail)
        if phase in _UNDER_WAY and now >= first + LEAST_PATIENCE:
            self._stuck[vm.id] = f"{vm.name} is under way, and cannot go on: {error.brief}"
        if self._is_news(vm.id):
            limit = f"until {_utc(until)} at the latest" if until else "until it is answered"
            text = f"{error.brief}; asked again at {_utc(again)}, {limit}"
            self._tell(EventKind.WAIT, campaign, planned, text)
        return again

    def _locked_out(
        self, campaign: Campaign, planned: PlannedStep, error: LoginError
    ) -> datetime | StepResult | None:
        """Return how it goes on with a VM that does not let in who is let in elsewhere."""
        vm, now = campaign.vm, self._ports.clock.now()
        if self._ledger.positions[vm.id].phase not in _UNDER_WAY:
            detail = f"{words_for(planned.step)}: {error.brief}; that concerns {vm.name} alone"
            return StepResult(ok=False, code=error.code, detail=detail)
        first = self._refused.setdefault(vm.id, now)
        until = max(first + LEAST_PATIENCE, self._last_close((vm.id,)))
        self._stuck[vm.id] = f"{vm.name} is under way, and lets nobody in: {error.brief}"
        if now >= until:
            return None
        if self._is_news(vm.id):
            text = f"{error.brief}; that concerns {vm.name} alone, and is waited for until {_utc(until)}"
            self._tell(EventKind.FAILURE, campaign, planned, text)
        return now + _LOGIN_INTERVAL

    def _not_allowed(
        self, campaign: Campaign, planned: PlannedStep, error: CloudError
    ) -> datetime | StepResult:
        """Return when to ask again what a role that lapsed does not allow, or its end after the window."""
        vm, now = campaign.vm, self._ports.clock.now()
        first = self._refused.setdefault(vm.id, now)
        until = max(first + LEAST_PATIENCE, self._last_close((vm.id,)))
        told = f"{error.code}: {error.brief}; {_ROLE}"
        if now >= until:
            self._stuck.pop(vm.id, None)
            detail = f"{words_for(planned.step)}: {told}; not asked again after {_utc(until)}"
            return StepResult(ok=False, code=error.code, detail=detail)
        self._stuck[vm.id] = f"{vm.name} is under way, and cannot go on: {error.brief}"
        if self._is_news(vm.id):
            self._tell(EventKind.FAILURE, campaign, planned, f"{told}; waited for until {_utc(until)}")
        return now + _LOGIN_INTERVAL

    def _is_news(self, vm: ResourceId | None) -> bool:
        """Tell whether a wait was not told lately, of a VM or of all; it is now."""
        now, told = self._ports.clock.now(), self._told.get(vm)
        is_news = told is None or now >= told + _TOLD_AGAIN
        if is_news:
            self._told[vm] = now
        return is_news

    def _tell(self, kind: EventKind, campaign: Campaign, planned: PlannedStep, text: str) -> None:
        self._ledger.tell(kind, campaign, f"{words_for(planned.step)}: {text}")

    def _last_close(self, under_way: Iterable[ResourceId]) -> datetime:
        """Return when the last window closes of VMs under way; work online has none that counts."""
        vms = (self._ledger.campaigns[each].vm for each in under_way if self._info.stage is Stage.OUTAGE)
        return max((vm.occurrence.closes for vm in vms), default=self._ports.clock.now())


def _utc(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"
