"""Use case: write the runbook of a wave: the engine's own steps, as a person carries them out by hand.

The state from before comes from the estate that the plan was made of: each VM has to be there as it was
planned on, since its way back leads to what the estate says. The runbook has the operator prove that first.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from itertools import groupby
from pathlib import Path

from msgspec import Struct

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.app.carrying import wave_of
from readiness.app.estates import load, locate
from readiness.app.shared_actions import POLICY, shared_wave, tightenings, words_for
from readiness.engine.group import GroupCampaign
from readiness.engine.parts import AFTER, Parts
from readiness.errors import PlanError
from readiness.model.estate import Estate
from readiness.model.execution import HookCommand
from readiness.model.lifecycle import Phase, Stage
from readiness.model.observation import Before, Observation, before_of, fingerprint
from readiness.model.outage import compose_undo, plan_steps
from readiness.model.plan import Plan, PlanAction, PlannedVm, Wave
from readiness.model.steps import (
    Deallocate,
    HandOver,
    Look,
    PlannedStep,
    ProveClosedBehind,
    ProveHealth,
    PutBackOff,
    RunHook,
    RunHookAfter,
    Start,
    Step,
    SwapOsDisk,
)
from readiness.store.artefacts import read_plan, write_whole
from reports.runbook import runbook_html, runbook_markdown
from reports.runbook_pages import Contact, Part, Runbook, VmPages, part
from reports.subject import Subject


class Form(StrEnum):
    """What a runbook is written as."""

    HTML = "html"
    MARKDOWN = "md"


class WrittenRunbook(Struct, frozen=True, kw_only=True):
    """Where a runbook is, and its scripts beside it."""

    runbook: Path
    scripts: tuple[Path, ...]


def write_runbook(
    plan_path: Path, wave: int, to: Path, form: Form, estate: str | None = None
) -> WrittenRunbook:
    """Write the runbook of a wave, and the scripts for the guests beside it.

    Args:
        plan_path: The plan, or the folder it is in.
        wave: Number of the wave.
        to: Folder to write to.
        form: HTML or Markdown.
        estate: Folder or sample name of the estate the plan was made of; by default the plan's own name.
    """
    plan = read_plan(plan_path)
    book = runbook_of(plan, wave_of(plan, wave), load(locate(estate or plan.target.estate)))
    draw = runbook_html if form is Form.HTML else runbook_markdown
    file = to / f"runbook-wave-{wave}.{form}"
    scripts = []
    for script in book.scripts:
        write_whole(to / script.name, script.text.encode())
        scripts.append(to / script.name)
    write_whole(file, draw(book))
    return WrittenRunbook(runbook=file, scripts=tuple(scripts))


def runbook_of(plan: Plan, wave: Wave, estate: Estate) -> Runbook:
    """Return the runbook of a wave.

    Raises:
        PlanError: A VM is not in the estate as it was planned on, or has a name that no command can carry.
    """
    slugs: dict[str, int] = {}
    pages = [_pages(plan, vm, _seen(vm, estate), _slug(vm.name, slugs)) for vm in wave.vms]
    return Runbook(
        plan=plan,
        wave=wave,
        contacts=tuple(_contacts(wave, estate)),
        before=_wave_hooks(plan, wave, pages[0].subject, after=False),
        after=_wave_hooks(plan, wave, pages[0].subject, after=True),
        vms=tuple(pages),
        shared=tuple(_shared(plan, wave, estate, pages[0].subject)),
    )


def _shared(plan: Plan, wave: Wave, estate: Estate, any_vm: Subject) -> Iterator[Part]:
    """Yield what is done to what several VMs share, in the last wave that one of these is in."""
    for action in tightenings(plan):
        if max(action.waves) != wave.number:
            continue
        (group,) = shared_wave(action).vms
        campaign = GroupCampaign(group, ALL_PLAYBOOKS, stage=Stage.CLOSURE)
        proofs = [each for each in group.closure if isinstance(each.step, ProveClosedBehind)]
        rules = [each for each in group.closure if each not in proofs]
        names = ", ".join(vm.name for vm in action.vms)
        kind = words_for(action)
        title = f"{kind[0].upper()}{kind[1:]} {group.name}"
        consent = "".join(f" {sentence}." for sentence in action.consent)
        yield part(
            f"{title}: {_what(action)}",
            f"Once, after each of these was closed, in whatever wave it is: {names}. With an approval of its "
            f"own.{consent}",
            (*campaign.steps(Phase.CHECKING, {})[:1], *rules),  # by hand nobody needs the mark
            any_vm,
        )
        for proof in proofs:
            vm = next(vm for vm in plan.vms if vm.id == proof.step.vm)
            subject = Subject(plan=plan.approval, vm=vm, seen=_seen(vm, estate), slug=any_vm.slug)
            intro = f"If it is still open there, go to the way back of the {kind}."
            yield part(f"{title}: proven at {vm.name}", intro, (proof,), subject)
        yield part(
            f"{title}: way back",
            "What was not changed yet is set to what it is already, or is not there, which does no harm.",
            campaign.way_back([each.step for each in rules]),
            any_vm,
            is_way_back=True,
        )


def _what(action: PlanAction) -> str:
    return "its VMs" if action.kind == POLICY else "its rules"


def _seen(vm: PlannedVm, estate: Estate) -> Observation:
    found = estate.vm(vm.id)
    disks = tuple(disk for disk in estate.disks_of(found) if disk is not None) if found else ()
    if found is None or fingerprint(found, disks) != vm.fingerprint:
        told = "is not in the estate" if found is None else "is not in the estate as it was planned on"
        raise PlanError(
            f"{vm.name} {told}, so that its way back is not known.",
            remedy="Give the estate that the plan was made of (--estate), or plan again.",
        )
    return Observation(vm=found, disks=disks)


def _slug(name: str, taken: dict[str, int]) -> str:
    """Return a name for files: plain characters, and no other VM's."""
    slug = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:60] or "vm"
    number = taken[slug.lower()] = taken.get(slug.lower(), 0) + 1
    return slug if number == 1 else f"{slug}.{number}"


def _pages(plan: Plan, vm: PlannedVm, seen: Observation, slug: str) -> VmPages:
    subject = Subject(
        plan=plan.approval,
        vm=vm,
        seen=seen,
        slug=slug,
        prepared=tuple(planned.step for planned in vm.preparation),
        wanted=tuple(planned.step for planned in vm.outage.steps) if vm.outage else (),
    )
    try:
        parts = tuple(_parts(plan, subject))
    except ValueError as error:
        raise PlanError(
            f"No runbook can be written for {vm.name}.",
            details=str(error),
            remedy="Carry it out with the program, or in the portal.",
        ) from error
    return VmPages(subject=subject, anchor=f"vm-{slug}", parts=parts)


def _parts(plan: Plan, subject: Subject) -> Iterator[Part]:
    """Yield preparation, outage, fallback and closure, each with its way back after it."""
    if subject.vm.preparation:
        yield _preparation(plan, subject)
    if subject.vm.outage:
        yield from _outage(plan, subject)
    if subject.vm.closure:
        yield from _closure(plan, subject)


def _stage(plan: Plan, subject: Subject, stage: Stage) -> Parts:
    return Parts(subject.vm, stage, plan.policy.execution)


def _checks(parts: Parts, vm: PlannedVm) -> tuple[PlannedStep, ...]:
    """Return what may refuse; the mark on the VM holds until its window and the way back are over."""
    return parts.checks(vm.occurrence.closes + timedelta(seconds=vm.reserved_seconds))


def _preparation(plan: Plan, subject: Subject) -> Part:
    parts = _stage(plan, subject, Stage.PREPARATION)
    intro = (
        "Online, days before the window; the VM stays up. If a step fails, stop and tell its owner: what is "
        "there by then stays, and takes nothing from the VM. A throwaway disk is deleted all the same."
    )
    return part(
        "Preparation", intro, (*_checks(parts, subject.vm), *parts.preparation(), *parts.release()), subject
    )


def _outage(plan: Plan, subject: Subject) -> Iterator[Part]:
    vm = subject.vm
    parts = _stage(plan, subject, Stage.OUTAGE)
    yield part(
        "Before the outage",
        "Inside the window, after the batch before it is proven. If anything is not as it has to be, leave "
        "this VM out.",
        (*_checks(parts, subject.vm), *parts.hooks_before()),
        subject,
    )
    running, off = (parts.conversion(running=each) for each in (True, False))
    proof = (*parts.proof(running=True), *parts.release())
    kept = {planned.name for planned in (*off, *parts.proof(running=False), *parts.release())}
    found_off = "A VM that was found deallocated is never started."
    if vm.choice.starts_if_off:
        again = plan_steps((PutBackOff(vm=vm.id),), stage="verify")
        proof = (*parts.proof(running=True), *again, *parts.release())
        kept = {planned.name for planned in (*running, *proof)}
        found_off = "A VM that was found deallocated is started to prove its boot, and deallocated again."
    yield part(
        "Outage",
        "In this order, without a step left out. If a step fails, or its proof does, go to the way back that "
        f"names it. {found_off}",
        (*running, *proof),
        subject,
        only_if_ran=frozenset(planned.name for planned in (*running, *proof)) - kept,
    )
    if vm.fallback:
        yield part(
            "If its health is not proven: the weaker setting first",
            "Once, before the way back. If it is healthy then, go on behind the proof of health.",
            vm.fallback,
            subject,
        )
    yield from _ways_back(subject, (*running, *vm.fallback))


def _closure(plan: Plan, subject: Subject) -> Iterator[Part]:
    parts = _stage(plan, subject, Stage.CLOSURE)
    soak = plan.policy.execution.soak_minutes
    yield part(
        "Closure",
        f"Online, {soak} minutes after its proof of health at the earliest.",
        (*_checks(parts, subject.vm), *parts.closure(), *parts.release()),
        subject,
    )
    yield from _ways_back(subject, parts.closure())


def _ways_back(subject: Subject, steps: tuple[PlannedStep, ...]) -> Iterator[Part]:
    """Yield the way back for each stretch of the work that needs one of its own."""
    changes = [planned for planned in steps if not isinstance(planned.step, Look)]
    reached = {planned.name: steps[: steps.index(planned) + 1] for planned in changes}
    before = before_of(subject.seen)
    backs = [(planned, _way_back(subject.vm, before, reached[planned.name])) for planned in changes]
    for _, stretch in groupby(backs, key=lambda each: _kind(each[1])):
        found = tuple(stretch)
        first, last = found[0][0].name, found[-1][0].name
        where = f"at {first}" if first == last else f"from {first} to {last}"
        yield part(
            f"Way back, where it stopped {where}",
            "What was not changed yet is set to what it is already, which does no harm. Then tell its owner.",
            found[-1][1],
            subject,
            only_if_ran=frozenset(
                planned.name for planned in found[-1][1] if isinstance(planned.step, Start | ProveHealth)
            ),
            is_way_back=True,
        )


def _way_back(vm: PlannedVm, before: Before, done: tuple[PlannedStep, ...]) -> tuple[PlannedStep, ...]:
    """Return what the engine would do to take back a campaign that got so far."""
    begun = tuple(planned.step for planned in done if not isinstance(planned.step, Look))
    books = [book for book in reversed(ALL_PLAYBOOKS) if book.spec.id in vm.actions]
    back = [step for book in books for step in book.undo(before, begun)]
    if any(isinstance(planned.step, ProveHealth) for planned in done):
        back = [step for step in back if step.undo is not AFTER]
    was_off = any(isinstance(step, Deallocate | Start) for step in begun)
    return compose_undo(vm.id, back, was_running=True, was_off=was_off)


def _kind(steps: tuple[PlannedStep, ...]) -> tuple[bool, ...]:
    """Return what tells one way back from another: the later of the same kind holds for the earlier too."""
    kinds: tuple[type[Step], ...] = (Deallocate, Start, SwapOsDisk, HandOver)
    return tuple(any(isinstance(planned.step, kind) for planned in steps) for kind in kinds)


def _wave_hooks(plan: Plan, wave: Wave, subject: Subject, *, after: bool) -> Part | None:
    hooks = plan.policy.execution.hooks
    commands, kind, when = (
        (hooks.after_wave, RunHookAfter, "after") if after else (hooks.before_wave, RunHook, "before")
    )
    if not commands:
        return None
    steps = [
        kind(vm=subject.vm.id, name=hook.name, command=_filled(hook, wave), timeout=hook.timeout)
        for hook in commands
    ]
    intro = f"The team's own commands {when} the wave."
    return part(f"Once, {when} the wave", intro, plan_steps(steps, stage=f"{when}-wave"), subject)


def _filled(hook: HookCommand, wave: Wave) -> tuple[str, ...]:
    return tuple(
        word.replace("{wave}", str(wave.number)).replace("{name}", wave.name) for word in hook.command
    )


def _contacts(wave: Wave, estate: Estate) -> Iterator[Contact]:
    emails = {entry.name: entry.owner.email for entry in estate.context.applications}
    windows = {(vm.application, vm.occurrence): vm for vm in wave.vms}
    for vm in windows.values():
        yield Contact(
            application=vm.application,
            owner=vm.owner,
            email=emails.get(vm.application, ""),
            window=vm.occurrence.window,
            opens=vm.occurrence.opens,
            closes=vm.occurrence.closes,
            zone=vm.occurrence.timezone,
        )
