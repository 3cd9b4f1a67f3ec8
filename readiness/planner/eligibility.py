"""Which upgrades a VM can take now: VM x playbook -> action or refusal, each with its reason.

All deallocation work of a VM is composed into one outage here. A VM without any action is left out with
a reason and the name of whoever can change that.
"""

from collections.abc import Callable, Sequence

from msgspec import UNSET, Struct
from msgspec.structs import replace

from readiness.model.assessment import Classification, Finding, Standing, VmAssessment
from readiness.model.context import Application, Choice, Freeze, Match, Owner
from readiness.model.disk import Disk
from readiness.model.durations import LOOK_SECONDS
from readiness.model.estate import Estate
from readiness.model.ids import ResourceId
from readiness.model.observation import fingerprint
from readiness.model.outage import Outage, compose, compose_fallback, plan_steps
from readiness.model.plan import LeftOut, Refusal
from readiness.model.playbook import Playbook, Target
from readiness.model.policy import Policy
from readiness.model.steps import Change, PlannedStep, PowerNeed, Undo
from readiness.model.verdict import Status
from readiness.model.virtual_machine import Power, VirtualMachine
from readiness.planner.alternatives import Alternatives, alternatives_of
from readiness.planner.domain_controllers import DomainController, domain_controller
from readiness.planner.facts import Facts, facts_of
from readiness.planner.lacking import with_hindrances
from readiness.planner.openings import openings_of
from readiness.planner.sharing import in_one_outage, settled, undo_of


class Candidate(Struct, frozen=True, kw_only=True):
    """A VM with at least one action, before it has a place in the plan."""

    vm: VirtualMachine
    application: Application
    choice: Choice
    actions: tuple[str, ...]
    refusals: tuple[Refusal, ...]
    fingerprint: str
    preparation: tuple[PlannedStep, ...]
    outage: Outage | None
    undo: Undo
    facts: Facts
    fallback: tuple[PlannedStep, ...] = ()
    closure: tuple[PlannedStep, ...] = ()
    backup_item: ResourceId | None = None
    freezes: tuple[Freeze, ...] = ()

    @property
    def windows(self) -> tuple[str, ...]:
        """Names of its application's maintenance windows."""
        return self.application.windows

    @property
    def snapshot_count(self) -> int:
        """How many full snapshots its outage takes."""
        return len(self.vm.managed_disks) if self.outage else 0

    @property
    def vcpus(self) -> int:
        """Its vCPUs, which have to be found again when it starts; 0 where they are not known."""
        return self.facts.vcpus if self.outage else 0

    @property
    def lead_seconds(self) -> int:
        """Return what its checks and proofs take beside the work; preparation is done days before."""
        return LOOK_SECONDS

    @property
    def planned_seconds(self) -> int:
        """Return how long it takes if all goes well."""
        return self.lead_seconds + (self.outage.downtime_seconds if self.outage else 0)

    @property
    def reserved_seconds(self) -> int:
        """Return how long it takes with the way back."""
        return self.lead_seconds + (self.outage.reserved_seconds if self.outage else 0)


UNCLAIMED = Application(name="(no application)", owner=Owner(name="not named"), match=Match())
"""What a VM belongs to that no application claims; only planned where windows are not kept."""


def judge(
    vm: VirtualMachine,
    assessed: VmAssessment,
    estate: Estate,
    playbooks: Sequence[Playbook],
    policy: Policy,
) -> Candidate | LeftOut:
    """Decide what can be done to one VM now."""
    claimed = estate.application_of(vm)
    obstacle = _obstacle(vm, assessed, claimed, policy)
    if obstacle is not None:
        reason, detail, who = obstacle
        return _left_out(vm, claimed, reason, detail, who)
    application = claimed or UNCLAIMED
    choice = settled(vm, estate)
    disks = tuple(disk for disk in estate.disks_of(vm) if disk is not None)
    named = choice.disk_encryption_set
    item = estate.backup_of(vm)
    target = Target(
        vm=vm,
        backup_item=item.id if item else None,
        backup_policy=choice.backup_policy,
        disks=disks,
        choice=choice,
        encryption_set=estate.encryption_sets.get(named) if named else None,
        openings=openings_of(vm, estate) if choice.login else (),
    )
    refusals: list[Refusal] = []
    chosen: list[Playbook] = []
    for playbook in playbooks:
        standing = with_hindrances(playbook, target, assessed.dimensions[playbook.spec.dimension], estate)
        answer = _ask(playbook, target, standing)
        if answer is None:
            chosen.append(playbook)
        elif answer is not _SATISFIED:
            refusals.append(answer)
    if not chosen:
        return _nothing_to_do(vm, application, refusals)
    return _candidate(target, application, chosen, refusals, estate)


def _candidate(
    target: Target,
    application: Application,
    chosen: list[Playbook],
    refusals: list[Refusal],
    estate: Estate,
) -> Candidate:
    vm = target.vm
    chosen, later = in_one_outage(chosen, target)
    actions = tuple(playbook.spec.id for playbook in chosen)
    undo = max((undo_of(playbook, target) for playbook in chosen), key=list(Undo).index)
    work = Work(
        prepare=_all(chosen, target, lambda playbook: playbook.prepare),
        last_running=_all(chosen, target, lambda playbook: playbook.last_running),
        convert=_all(chosen, target, lambda playbook: playbook.convert),
        restart=_all(chosen, target, lambda playbook: playbook.restart),
        fall_back=_all(chosen, target, lambda playbook: playbook.fall_back),
        close=_all(chosen, target, lambda playbook: playbook.close),
    )
    facts = facts_of(target, actions, undo, estate)
    consent = [line for playbook in chosen if playbook.consent for line in playbook.consent(target)]
    other = alternatives_of(target, estate) if work.needs_outage else Alternatives()
    choice = _choice_of(target.choice, set(actions), other)
    return Candidate(
        vm=vm,
        application=application,
        choice=choice,
        actions=actions,
        refusals=(*refusals, *later),
        fingerprint=fingerprint(vm, target.disks),
        preparation=plan_steps(work.prepare, stage="prepare"),
        outage=_outage(target, work, actions, estate) if work.needs_outage else None,
        fallback=compose_fallback(vm.id, work.fall_back),
        closure=plan_steps(work.close, stage="close"),
        backup_item=target.backup_item,
        undo=undo,
        facts=replace(
            facts,
            consent=(*facts.consent, *consent, *other.consent(vm)),
            conflicts=(*facts.conflicts, *other.refusals),
        ),
    )


class Work(Struct, frozen=True, kw_only=True):
    """What all chosen playbooks want of one VM, part by part."""

    prepare: tuple[Change, ...]
    last_running: tuple[Change, ...]
    convert: tuple[Change, ...]
    restart: tuple[Change, ...]
    fall_back: tuple[Change, ...]
    close: tuple[Change, ...]

    @property
    def needs_outage(self) -> bool:
        """Whether anything of it needs the VM to be off."""
        return bool(self.last_running or self.convert)


def _all(
    chosen: list[Playbook], target: Target, part: Callable[[Playbook], Callable[[Target], tuple[Change, ...]]]
) -> tuple[Change, ...]:
    """Return what all playbooks want in one part; what two of them want alike is done once."""
    found: list[Change] = []
    for playbook in chosen:
        found += [step for step in part(playbook)(target) if step not in found]
    return tuple(found)


def _outage(target: Target, work: Work, actions: tuple[str, ...], estate: Estate) -> Outage:
    """Compose the outage; where people know its length better than the table, theirs counts."""
    vm = target.vm
    outage = compose(
        vm.id,
        vm.managed_disks,
        work.convert,
        last_running=work.last_running,
        restart=work.restart,
        fall_back=work.fall_back,
    )
    for estimate in estate.estimates_for(vm):
        named = estimate.playbook is None or estimate.playbook in actions
        if estimate.duration is not None and named:
            longer = int(estimate.duration.total_seconds()) - outage.work_seconds
            outage = replace(
                outage,
                work_seconds=outage.work_seconds + longer,
                undo_seconds=outage.undo_seconds + max(0, longer),
            )
    return outage


def _choice_of(choice: Choice, actions: set[str], other: Alternatives) -> Choice:
    """Keep of the choice what the plan acts on: what was refused must not be proven afterwards."""
    return Choice(
        trusted_launch=choice.trusted_launch if "trusted-launch" in actions else None,
        disk_encryption_set=choice.disk_encryption_set if "disk-encryption" in actions else None,
        encryption_at_host=choice.encryption_at_host if "disk-encryption" in actions else None,
        identity=choice.identity if "managed-identity" in actions else None,
        login=choice.login if "passwordless" in actions else None,
        backup_policy=choice.backup_policy if "trusted-launch" in actions else None,
        alternative_sizes=other.sizes or UNSET,
        start_if_off=choice.starts_if_off or UNSET,
    )


_SATISFIED = Refusal(playbook="", reason="Satisfied", detail="")
_DIRECTORY_TEAM = "directory team: upgrade it by hand, replication checked"
_NO_APPLICATION = (
    "NoApplication",
    "no application in the context claims it, so it has no owner and no maintenance window",
    "migration team: add it to an application in context.yaml",
)


def _obstacle(
    vm: VirtualMachine, assessed: VmAssessment, application: Application | None, policy: Policy
) -> tuple[str, str, str] | None:
    """Return why nothing at all may be done to the VM: reason, detail, and who can change it."""
    if assessed.excluded:
        return "Excluded", assessed.excluded, "the service that manages it"
    owner = application.owner.name if application else UNCLAIMED.owner.name
    if policy.windows and application is None:
        return _NO_APPLICATION
    if policy.windows and application is not None and not application.windows:
        return "NoWindow", f"{application.name} has no maintenance window", owner
    controller = domain_controller(vm, application)
    if controller is not None:
        return "DomainController", _controller_words(controller), _DIRECTORY_TEAM
    if vm.power not in (Power.RUNNING, Power.DEALLOCATED):
        detail = f"its power state is {vm.power}: its owner decides whether it is started or deallocated"
        return "PowerUnclear", detail, owner
    return None


def _controller_words(controller: DomainController) -> str:
    domain = f" of {controller.domain}" if controller.domain else ""
    return (
        f"a domain controller{domain}, {controller.evidence}; one of a domain goes at a time, with "
        "replication proven healthy before and after it, which no hook can do yet, and none is ever "
        "restored from a snapshot"
    )


def _ask(playbook: Playbook, target: Target, standing: Standing) -> Refusal | None:
    """Ask whether a playbook can run: None is yes, `_SATISFIED` is nothing left to do."""
    is_satisfied = standing.classification is Classification.SATISFIED and not playbook.lacks(target)
    if is_satisfied or standing.classification is Classification.NOT_APPLICABLE:
        return _SATISFIED
    if not playbook.is_chosen(target.choice):
        return _refuse(playbook, "NotChosen", "no target in the context asks for it")
    if standing.classification is Classification.EXCEPTED:
        return _refuse(playbook, "Excepted", "an exception that has not expired permits it")
    hindering = [
        finding
        for finding in standing.reasons
        if finding.rule in playbook.spec.needs or finding.status == Status.UNKNOWN
    ]
    if hindering:
        return _refuse(playbook, hindering[0].reason, _sentence(hindering))
    if playbook.convert(target):
        return _unprotected(playbook, target)
    online = (*playbook.prepare(target), *playbook.close(target))
    shared = playbook.close_shared is not None and any(opening.shared for opening in target.openings)
    if not online and not shared:
        return _refuse(playbook, "AsChosen", "everything that the context asks for is in place")
    if target.vm.power is Power.DEALLOCATED and any(step.power is PowerNeed.RUNNING for step in online):
        return _refuse(playbook, "NotRunning", "it is off, and this is done inside it: its owner starts it")
    return None


def _unprotected(playbook: Playbook, target: Target) -> Refusal | None:
    """Refuse an outage for disks that a full snapshot cannot protect, or of which nobody knows."""
    read = {disk.id for disk in target.disks}
    unread = [disk.name for disk in target.vm.managed_disks if disk not in read]
    if unread:
        return _refuse(playbook, "DiskNotRead", f"not read: {', '.join(unread)}; read these disks")
    special = [disk for disk in target.disks if disk.is_provisioned_performance or disk.max_shares > 1]
    if special:
        return _refuse(playbook, "SpecialDisk", _special_disks(special))
    return None


def _sentence(findings: Sequence[Finding]) -> str:
    return "; ".join((finding.detail or finding.title).removesuffix(".") for finding in findings)


def _special_disks(disks: Sequence[Disk]) -> str:
    names = ", ".join(disk.id.name for disk in disks)
    return f"{names}: Ultra, Premium SSD v2 and shared disks cannot be protected by a full snapshot alone"


def _refuse(playbook: Playbook, reason: str, detail: str) -> Refusal:
    return Refusal(playbook=playbook.spec.id, reason=reason, detail=detail)


def _nothing_to_do(vm: VirtualMachine, application: Application, refusals: list[Refusal]) -> LeftOut:
    if not refusals:
        return _left_out(vm, application, "AlreadyDone", "every chosen upgrade is in place", "nobody")
    if all(refusal.reason == "NotChosen" for refusal in refusals):
        detail = "no target in the context asks for an upgrade it can take"
        return _left_out(vm, application, "NotChosen", detail, application.owner.name)
    telling = [refusal for refusal in refusals if refusal.reason != "NotChosen"]
    detail = "; ".join(f"{refusal.playbook}: {refusal.detail}" for refusal in telling)
    return _left_out(vm, application, telling[0].reason, detail, application.owner.name)


def _left_out(
    vm: VirtualMachine, application: Application | None, reason: str, detail: str, who: str
) -> LeftOut:
    return LeftOut(
        id=vm.id,
        name=vm.name,
        application=application.name if application else None,
        reason=reason,
        detail=detail,
        unblocked_by=who,
    )
