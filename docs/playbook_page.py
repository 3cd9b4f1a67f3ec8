"""The page of playbooks: what each does in every part, the campaign they compose, and its permissions."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import get_args

from msgspec.structs import replace

from docs.page_parts import DIMENSIONS, rule_link
from playbooks.catalog import ALL_PLAYBOOKS
from readiness.engine.parts import Parts
from readiness.model.context import (
    Choice,
    Environment,
    Generation1,
    IdentityChoice,
    LoginChoice,
    LoginMethod,
    RoleWish,
    SecureBoot,
    TrustedLaunchChoice,
)
from readiness.model.disk import Disk, Encryption, EncryptionType
from readiness.model.durations import ASSUMED_SECONDS
from readiness.model.execution import Execution
from readiness.model.ids import ResourceId
from readiness.model.lifecycle import Stage
from readiness.model.observation import Observation, before_of, fingerprint
from readiness.model.outage import compose, compose_fallback, compose_undo, plan_steps
from readiness.model.plan import Occurrence, PlannedVm
from readiness.model.playbook import Opening, Playbook, Target
from readiness.model.steps import Change, Look, Step, Undo, name_of, words_for
from readiness.model.virtual_machine import BootProfile, DiskAttachment, OsFamily, Power, VirtualMachine

_PARTS: tuple[tuple[str, Callable[[Playbook, Target], tuple[Step, ...]]], ...] = (
    ("Preparation, online, days before", lambda book, target: book.prepare(target)),
    ("Last work on the running VM", lambda book, target: book.last_running(target)),
    ("Inside the outage", lambda book, target: book.convert(target)),
    ("In a second restart, after the first proof", lambda book, target: book.restart(target)),
    ("A weaker setting, tried before the way back", lambda book, target: book.fall_back(target)),
    ("Closure, online, after the soak", lambda book, target: book.close(target)),
    ("Way back from the outage", lambda book, target: _taken_back(book, target, of_closure=False)),
    ("Way back from the closure", lambda book, target: _taken_back(book, target, of_closure=True)),
)
"""The parts of a playbook in the order in which a VM meets them."""


def playbook_page() -> Iterator[str]:
    """Yield the lines of the page."""
    target, old = _example(), _generation_1(_example())
    yield "# Playbooks"
    yield ""
    yield "One playbook is one upgrade, in parts: preparation, outage and closure are runs of their own. What"
    yield "several playbooks have to do while a VM is off is composed into one outage. The steps below are"
    yield "those for a running generation 2 VM with Linux, a data disk, platform keys, a backup under a"
    yield "Standard policy and an SSH port that the internet reaches, with everything chosen for it and"
    yield "Secure Boot staged. Preparation is kept when an outage is taken back. What the ways back mean:"
    yield "[safety.md](safety.md#ways-back)."
    for playbook in ALL_PLAYBOOKS:
        yield from _playbook(playbook, target, old)
    yield from _campaign_section(target)
    yield from _permission_section()


def _playbook(playbook: Playbook, target: Target, old: Target) -> Iterator[str]:
    spec = playbook.spec
    yield ""
    yield f"## {spec.id}"
    yield ""
    yield f"**{spec.title}**: {DIMENSIONS[spec.dimension]}, level {spec.level}."
    yield ""
    yield f"* Outage: {spec.outage}"
    yield f"* Undo: {spec.undo}"
    needs = ", ".join(rule_link(rule, "rules.md") for rule in spec.needs)
    yield f"* Needs: {needs}, none of them unmet or unknown"
    usual = tuple(_parts_of(playbook, target))
    yield from usual
    other = tuple(line for line in _parts_of(playbook, old) if line not in usual)
    if other:
        yield ""
        yield "For a generation 1 VM with Windows whose conversion was chosen, what differs:"
        yield ""
        if playbook.undo_kind is not None and playbook.undo_kind(old) is not spec.undo:
            yield f"* Undo: {playbook.undo_kind(old)}"
        yield from other


def _parts_of(playbook: Playbook, target: Target) -> Iterator[str]:
    """Yield a line for each part that has something to do, and for each consent."""
    for title, part in _PARTS:
        steps = part(playbook, target)
        if steps:
            yield f"* {title}: {_names(steps)}"
    for line in playbook.consent(target) if playbook.consent else ():
        yield f"* Its owner agrees: {line}"


def _taken_back(playbook: Playbook, target: Target, *, of_closure: bool) -> tuple[Step, ...]:
    """Return what takes a playbook's outage, or its closure, back."""
    before = before_of(Observation(vm=target.vm, disks=target.disks))
    outage = (*playbook.last_running(target), *playbook.convert(target), *playbook.restart(target))
    begun = playbook.close(target) if of_closure else outage
    return playbook.undo(before, begun) if begun else ()


def _campaign_section(target: Target) -> Iterator[str]:
    yield ""
    yield "## The composed campaign"
    yield ""
    yield "All playbooks together, for the same VM, as runs carry them out. Hooks of the team would stand"
    yield "after the checks of the outage and before its lease is released. Seconds are assumed."
    for title, command, steps in _stages(target):
        yield ""
        yield f"### {title}: `readiness {command}`"
        yield ""
        yield from _step_table(steps)
    vm = _planned(target)
    yield ""
    yield "### If it does not come up"
    yield ""
    yield "The weaker setting, where there is one and the owner did not rule it out:"
    yield ""
    yield from _step_table(planned.step for planned in vm.fallback)
    yield ""
    yield "If that fails too, or a step of the outage fails, the way back. A VM that still fails after it, or"
    yield "is not shown to be as before, is *stranded*:"
    yield ""
    yield from _step_table(_way_back(target))


def _stages(target: Target) -> Iterator[tuple[str, str, tuple[Step, ...]]]:
    """Yield every stage of a VM's campaign, from its first check to letting go."""
    vm = _planned(target)
    for stage, title, command in (
        (Stage.PREPARATION, "Preparation", "prepare"),
        (Stage.OUTAGE, "Outage", "run"),
        (Stage.CLOSURE, "Closure", "close"),
    ):
        parts = Parts(vm, stage, Execution())
        work = {
            Stage.PREPARATION: parts.preparation(),
            Stage.OUTAGE: (*parts.conversion(running=True), *parts.proof(running=True)),
            Stage.CLOSURE: parts.closure(),
        }[stage]
        yield title, command, tuple(one.step for one in (*parts.checks(), *work, *parts.release()))


def _planned(target: Target) -> PlannedVm:
    """Return the VM as a plan has it."""
    vm = target.vm

    def wanted(part: Callable[[Playbook], Callable[[Target], tuple[Change, ...]]]) -> tuple[Change, ...]:
        found: list[Change] = []
        for playbook in ALL_PLAYBOOKS:
            found += [step for step in part(playbook)(target) if step not in found]
        return tuple(found)

    weaker = wanted(lambda book: book.fall_back)
    outage = compose(
        vm.id,
        vm.managed_disks,
        wanted(lambda book: book.convert),
        last_running=wanted(lambda book: book.last_running),
        restart=wanted(lambda book: book.restart),
        fall_back=weaker,
    )
    opens = datetime(2027, 1, 2, 22, tzinfo=UTC)
    return PlannedVm(
        id=vm.id,
        name=vm.name,
        application="",
        owner="",
        environment=Environment.PRODUCTION,
        actions=tuple(playbook.spec.id for playbook in ALL_PLAYBOOKS),
        refusals=(),
        choice=target.choice,
        fingerprint=fingerprint(vm, target.disks),
        preparation=plan_steps(wanted(lambda book: book.prepare), stage="prepare"),
        outage=outage,
        undo=Undo.CONFIG,
        occurrence=Occurrence(window="", opens=opens, closes=opens + timedelta(hours=6), timezone="UTC"),
        reason="",
        closure=plan_steps(wanted(lambda book: book.close), stage="close"),
        fallback=compose_fallback(vm.id, weaker),
        backup_item=target.backup_item,
    )


def _way_back(target: Target) -> tuple[Step, ...]:
    before = before_of(Observation(vm=target.vm, disks=target.disks))
    back = [step for book in reversed(ALL_PLAYBOOKS) for step in _taken_back(book, target, of_closure=False)]
    planned = compose_undo(target.vm.id, back, was_running=before.was_running)
    return tuple(entry.step for entry in planned)


def _permission_section() -> Iterator[str]:
    kinds = {str(kind.__struct_config__.tag): kind for kind in (*get_args(Look), *get_args(Change))}
    yield ""
    yield "## Permissions"
    yield ""
    yield "The ARM actions that steps declare. `readiness permissions --for run` prints them as a custom role"
    yield "for whoever carries runs out, and a run looks for what its own steps need before its first effect."
    yield "A dash: most kinds of step need it. `snapshots delete` needs `Microsoft.Compute/snapshots/delete`"
    yield "besides, which no step does."
    yield ""
    yield "| ARM action | For |"
    yield "|---|---|"
    for action in sorted({action for kind in kinds.values() for action in kind.actions}):
        users = [name for name, kind in kinds.items() if action in kind.actions]
        yield f"| `{action}` | {'-' if len(users) > len(kinds) / 2 else ', '.join(users)} |"
    yield ""
    yield "Which actions a step needs was read in Azure's documents, and proven on a twin only."


def _step_table(steps: Iterable[Step]) -> Iterator[str]:
    yield "| | Step | In words | Power | Seconds |"
    yield "|---:|---|---|---|---:|"
    for number, step in enumerate(steps, start=1):
        seconds = ASSUMED_SECONDS[step.duration]
        yield f"| {number} | `{name_of(step)}` | {words_for(step)} | {step.power} | {seconds} |"


def _names(steps: Iterable[Step]) -> str:
    return ", ".join(f"`{name_of(step)}`" for step in steps)


_SCOPE = "/subscriptions/00000000-0000-0000-0000-000000000000"
_GROUP = f"{_SCOPE}/resourceGroups/rg/providers"


def _example() -> Target:
    """Return a VM on which every playbook has something to do."""
    compute = f"{_GROUP}/Microsoft.Compute"
    vm_id = ResourceId(f"{compute}/virtualMachines/vm")
    vault = f"{_GROUP}/Microsoft.RecoveryServices/vaults/vault"
    disks = tuple(
        Disk(
            id=ResourceId(f"{compute}/disks/{name}"),
            location="westeurope",
            sku="Premium_LRS",
            size_gb=64,
            encryption=Encryption(type=EncryptionType.PLATFORM_KEY),
            generation=2,
        )
        for name in ("os", "data")
    )
    vm = VirtualMachine(
        id=vm_id,
        name=vm_id.name,
        location="westeurope",
        size="Standard_D2s_v5",
        boot=BootProfile(generation=2),
        os_family=OsFamily.LINUX,
        os_profile=None,
        image=None,
        os_disk=DiskAttachment(disk=disks[0].id),
        data_disks=(DiskAttachment(disk=disks[1].id, lun=0),),
        power=Power.RUNNING,
        agent_ready=True,
    )
    choice = Choice(
        trusted_launch=TrustedLaunchChoice(secure_boot=SecureBoot.STAGED, generation_1=Generation1.CONVERT),
        disk_encryption_set=ResourceId(f"{compute}/diskEncryptionSets/des"),
        encryption_at_host=True,
        identity=IdentityChoice(roles=(RoleWish(role="Reader", scope=ResourceId(_SCOPE)),)),
        login=LoginChoice(method=LoginMethod.ENTRA, admin_groups=("11111111-1111-1111-1111-111111111111",)),
        backup_policy=ResourceId(f"{vault}/backupPolicies/enhanced"),
    )
    rule = ResourceId(f"{_GROUP}/Microsoft.Network/networkSecurityGroups/nsg/securityRules/ssh")
    opened = {"access": "Allow", "direction": "Inbound", "priority": 300, "protocol": "Tcp"}
    opened |= {"sourceAddressPrefix": "*", "sourcePortRange": "*"}
    opened |= {"destinationAddressPrefix": "*", "destinationPortRange": "22"}
    return Target(
        vm=vm,
        disks=disks,
        choice=choice,
        openings=(Opening(rule=rule, properties=opened, ports=(22,), shared=False, spare=(298, 299)),),
        backup_item=ResourceId(f"{vault}/backupFabrics/Azure/protectionContainers/c/protectedItems/vm"),
        backup_policy=choice.backup_policy,
    )


def _generation_1(target: Target) -> Target:
    """Return the same VM of generation 1, with Windows."""
    vm = replace(target.vm, os_family=OsFamily.WINDOWS, boot=BootProfile(generation=1))
    return replace(target, vm=vm, disks=tuple(replace(disk, generation=1) for disk in target.disks))
