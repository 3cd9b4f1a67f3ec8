"""Use case: ask everything a run asks before its first effect, of every VM of a wave, and change nothing."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from msgspec import Struct

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.app.carrying import WORKERS, RunRequest, check_digest, name_of_run, wave_of, work_of
from readiness.app.consent import agreements_missing, agreements_missing_for
from readiness.app.places import Place, check_subscriptions, find_place
from readiness.app.release import RELEASE
from readiness.app.shared_actions import action_of, missing_before
from readiness.azure.connect import Connection
from readiness.azure.perform import AzureCloud
from readiness.engine.advance import Campaign
from readiness.engine.state import campaign_of
from readiness.engine.work import ask
from readiness.errors import CloudError
from readiness.model.ids import ResourceId
from readiness.model.lifecycle import Phase
from readiness.model.plan import Plan
from readiness.model.run import RunInfo, StepResult
from readiness.model.steps import Preflight, RecordBefore, TakeLease
from readiness.ports.cloud import Done, Failed
from readiness.store.artefacts import read_plan


class Checked(Struct, frozen=True, kw_only=True):
    """What a VM was found to be."""

    vm: ResourceId
    name: str
    refusals: tuple[str, ...]
    note: str = ""
    """Where Azure is known to refuse nothing: so it says, with what is not known."""

    @property
    def may_go(self) -> bool:
        """Whether nothing refuses it now."""
        return not self.refusals


class DryRun(Struct, frozen=True, kw_only=True):
    """What stands in the way of a run of a wave now."""

    consent_missing: tuple[str, ...]
    """Sentences: who has not agreed who has to, which nobody has on a twin; and what is not closed yet."""
    vms: tuple[Checked, ...]

    @property
    def may_go(self) -> bool:
        """Whether nothing stands in the way of any VM."""
        return not self.consent_missing and all(vm.may_go for vm in self.vms)


def dry_run(request: RunRequest) -> DryRun:
    """Check every VM of a wave; all refusals are told, not the first.

    Raises:
        PlanError: The plan, its digest, its wave or its place is wrong.
    """
    plan = read_plan(request.plan)
    check_digest(plan, request.approve)
    wave = work_of(plan, request.wave, request.stage, request.action)
    place = find_place(plan, request)
    missing = tuple(_missing(plan, request, place))
    info = RunInfo(
        id=name_of_run(plan, request.wave, request.stage, request.action),
        plan=plan.digest,
        wave=request.wave,
        place=place.name,
        approved_by="",
        release=RELEASE,
        started_at=place.clock.now(),
        stage=request.stage,
        action=request.action,
    )
    campaigns = [campaign_of(vm, ALL_PLAYBOOKS, info, plan.policy.execution) for vm in wave.vms]
    with closing(Connection(place.endpoint)) as connection, ThreadPoolExecutor(WORKERS) as executor:
        check_subscriptions(plan, connection, place)
        cloud = AzureCloud(connection, wave)
        checked = executor.map(lambda one: _checked(cloud, place, info, one), campaigns)
        return DryRun(consent_missing=missing, vms=tuple(checked))


def _missing(plan: Plan, request: RunRequest, place: Place) -> Iterator[str]:
    """Yield what people have not said or done yet."""
    if not request.action:
        wave = wave_of(plan, request.wave)
        yield from agreements_missing(plan, wave, request.state, place.who) if place.is_live else ()
        return
    action = action_of(plan, request.action)
    yield from missing_before(plan, action, request.state, place.name)
    yield from agreements_missing_for(plan, action, request.state, place.who) if place.is_live else ()


def _checked(cloud: AzureCloud, place: Place, info: RunInfo, campaign: Campaign) -> Checked:
    refusals, note = [], ""
    for planned in campaign.steps(Phase.CHECKING, {}):
        if isinstance(planned.step, TakeLease | RecordBefore):
            continue
        answer = ask(cloud, info, campaign, planned, place.clock.now())
        match answer:
            case StepResult(ok=False, detail=detail) | Failed(detail=detail):
                refusals.append(detail)
            case CloudError():
                refusals.append(answer.brief)
            case Done(detail=detail) if isinstance(planned.step, Preflight):
                note = detail
            case _:
                pass
    return Checked(vm=campaign.vm.id, name=campaign.vm.name, refusals=tuple(refusals), note=note)
