"""How long a run waits: for a change to end, for an answer, and for somebody to log in.

Guarantees: Azure is not asked before it wants to be. Somebody who has to log in is waited for until the
windows of the VMs under way have closed, and at least an hour; whoever is logged in to another tenant is not
waited for. After that this process ends, with everything where it is: the next one goes on.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from readiness.engine.advance import Campaign
from readiness.engine.ledger import Ledger
from readiness.engine.work import Answer, Ports
from readiness.errors import CloudError, LoginError
from readiness.model.durations import ASSUMED_SECONDS
from readiness.model.ids import ResourceId
from readiness.model.lifecycle import Stage
from readiness.model.run import EventKind, RunInfo
from readiness.model.steps import PlannedStep, words_for

LEAST_PATIENCE = timedelta(hours=1)
_PATIENCE = 20
"""A change that takes so many times its assumed duration, and at least an hour, has failed."""
_INTERVAL = timedelta(seconds=15)
_LOGIN_INTERVAL = timedelta(seconds=30)
_TOLD_AGAIN = timedelta(minutes=10)


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
        self._told: datetime | None = None

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

    # For an answer, and for a login -------------------------------------------------------------

    def answered(self, answer: Answer) -> None:
        """Take note that Azure knows who asks."""
        if not isinstance(answer, CloudError):
            self._no_login = self._told = None

    def put_off(
        self, campaign: Campaign, planned: PlannedStep, error: CloudError, under_way: Iterable[ResourceId]
    ) -> datetime:
        """Return when to ask again what was not answered, and tell why."""
        clock = self._ports.clock
        now = clock.now()
        text = f"{words_for(planned.step)}: {error.brief}"
        if not isinstance(error, LoginError):
            self._ledger.tell(EventKind.WAIT, campaign, f"{text}; asked again soon")
            return now + max(_INTERVAL, timedelta(seconds=error.retry_after * clock.rate))
        self._no_login = self._no_login or now
        until = max(self._no_login + LEAST_PATIENCE, self._last_close(under_way))
        if error.is_lasting or now >= until:
            self.why_over = f"{error.brief}; the same command then goes on"
        elif self._told is None or now >= self._told + _TOLD_AGAIN:
            # It concerns all VMs, and is not told for each of them.
            self._told = now
            text = f"{text}; waited for until {until:%Y-%m-%d %H:%M} UTC"
            self._ledger.tell(EventKind.FAILURE, campaign, text)
        return now + _LOGIN_INTERVAL

    def _last_close(self, under_way: Iterable[ResourceId]) -> datetime:
        """Return when the last window closes of VMs under way; work online has none that counts."""
        vms = (self._ledger.campaigns[each].vm for each in under_way if self._info.stage is Stage.OUTAGE)
        return max((vm.occurrence.closes for vm in vms), default=self._ports.clock.now())
