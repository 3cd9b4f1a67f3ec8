"""Writes the generated pages of this folder: `cli.md`, `rules.md`, `controls.md` and `playbooks.md`.

Run it with `python docs/generate.py` whenever a command, a rule, a control, a playbook or a step changes; a
test fails while a page is stale. The pages hold nothing that the code does not say, and nothing that changes
by itself.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import click

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.cli.main import readiness as command_line
from readiness.errors import Exit
from readiness.model.context import Choice, IdentityChoice, TrustedLaunchChoice
from readiness.model.disk import Disk, Encryption, EncryptionType
from readiness.model.durations import ASSUMED_SECONDS
from readiness.model.ids import ResourceId
from readiness.model.levels import LADDER
from readiness.model.observation import Observation, before_of
from readiness.model.outage import compose, compose_undo
from readiness.model.playbook import Playbook, Target
from readiness.model.steps import (
    ProveModel,
    Recheck,
    RecordBefore,
    Step,
    name_of,
    words_for,
)
from readiness.model.verdict import Dimension
from readiness.model.virtual_machine import BootProfile, DiskAttachment, OsFamily, Power, VirtualMachine
from readiness.rules.catalog import ALL_RULES
from readiness.rules.controls.catalog import ALL_CONTROLS
from readiness.rules.controls.control import Control, EvidenceClass, SubscriptionControl, VmControl
from readiness.rules.controls.frameworks import framework_ids
from readiness.rules.rule import Role, Rule
from readiness.store.reference import read_reference

FOLDER = Path(__file__).parent
_REFERENCE = read_reference()
_WIDTH = 100
_HEAD = "<!-- Written by docs/generate.py: change the code, then run it again. -->"
_DIMENSIONS = {
    Dimension.TRUSTED_LAUNCH: "Trusted Launch",
    Dimension.CMK: "Customer-managed keys for disks",
    Dimension.PASSWORD_ACCESS: "Password access",
    Dimension.MANAGED_IDENTITY: "Managed identity",
}


def pages() -> dict[str, str]:
    """Return the generated pages by file name."""
    made: dict[str, Callable[[], Iterator[str]]] = {
        "cli.md": _command_page,
        "rules.md": _rule_page,
        "controls.md": _control_page,
        "playbooks.md": _playbook_page,
    }
    return {name: "\n".join([_HEAD, "", *page()]).rstrip("\n") + "\n" for name, page in made.items()}


def main() -> None:
    """Write every page."""
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"Written: docs/{name}\n")


# Commands -------------------------------------------------------------------------------------------

_EXITS = {
    Exit.DONE: ("done", "The command did what was asked."),
    Exit.FINDINGS: ("findings", "A VM in scope is what `assess --fail-on` names."),
    Exit.USAGE: ("usage", "An option, address or file that cannot be used."),
    Exit.ESTATE: ("estate", "The estate folder or its context is malformed or contradicts itself."),
    Exit.PLAN: ("plan", "No such plan or wave, an altered plan, a wrong digest, or a wrong target."),
    Exit.CLOUD: ("cloud", "Azure, or the twin, refused or did not answer."),
    Exit.JOURNAL: ("journal", "The memory of a run cannot be used: locked, damaged, or another run's."),
    Exit.SOME_ROLLED_BACK: ("rolled back", "At least one VM failed and is configured as before."),
    Exit.NEEDS_A_PERSON: ("needs a person", "At least one VM is stranded, blocked or declined."),
    Exit.HELD: ("held", "Nothing more is started: a stop, a closed window, or a stranded VM."),
    Exit.COVERAGE: ("coverage", "The VMs that were found are not all accounted for."),
    Exit.INTERRUPTED: ("interrupted", "Ctrl-C ended the command."),
}


def _command_page() -> Iterator[str]:
    yield "# Commands"
    yield ""
    yield "`-h` and `--help` work everywhere. `--state` can also be given as `READINESS_STATE`; any other"
    yield "option as `READINESS_<COMMAND>_<OPTION>`, such as `READINESS_ASSESS_OUTPUT=json`."
    yield ""
    yield "Nothing is changed in Azure by any of these: this release carries plans out on a twin only."
    yield ""
    for path, command in _commands(("readiness",), command_line):
        yield f"## {' '.join(path)}"
        yield ""
        yield "```text"
        yield _help(path, command)
        yield "```"
        yield ""
    yield "## Exit codes"
    yield ""
    yield "| Code | Name | Means |"
    yield "|---:|---|---|"
    for code in Exit:
        name, meaning = _EXITS[code]
        yield f"| {code.value} | {name} | {meaning} |"
    yield ""
    yield "When several outcomes of a run hold, 8 goes before 9, and 9 before 7. `status` ends with 0 while a"
    yield "process carries the run out, and otherwise with the code of the outcomes in the journal. A hold is"
    yield "no outcome: `status` ends with 0 for a run that was held or interrupted and could go on."


def _commands(
    path: tuple[str, ...], command: click.Command
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name, child in sorted(command.commands.items()):
            yield from _commands((*path, name), child)


def _help(path: tuple[str, ...], command: click.Command) -> str:
    context = click.Context(
        command,
        info_name=" ".join(path),
        terminal_width=_WIDTH,
        max_content_width=_WIDTH,
        help_option_names=["-h", "--help"],
    )
    return "\n".join(line.rstrip() for line in command.get_help(context).splitlines())


# Rules ----------------------------------------------------------------------------------------------

_ROLES = {
    Role.GOAL: "goal (part of what *satisfied* means)",
    Role.BLOCKER: "blocker (unmet means *blocked*)",
    Role.WORK: "work (unmet means *ready-with-work*)",
}


def _rule_page() -> Iterator[str]:
    yield "# Rules"
    yield ""
    yield f"The {len(ALL_RULES)} rules by which `readiness assess` classifies a VM. A rule answers *met*,"
    yield "*unmet*, *unknown* or *not-applicable*; what is unknown never becomes ready. Goals are asked of"
    yield "every VM, the other rules only where a goal is not met. *Verified* is the month in which the"
    yield "source was last compared with the rule."
    for dimension in Dimension:
        rules = [rule for rule in ALL_RULES if rule.dimension is dimension]
        yield ""
        yield f"## {_DIMENSIONS[dimension]}"
        yield ""
        yield "| Rule | Asks whether the VM | Role | Level |"
        yield "|---|---|---|---:|"
        for rule in rules:
            title = rule.title[0].lower() + rule.title[1:]
            yield f"| [{rule.id}](#{rule.id.lower()}) | {title} | {rule.role} | {rule.level} |"
        for rule in rules:
            yield from _rule(rule)


def _rule(rule: Rule) -> Iterator[str]:
    yield ""
    yield f"### {rule.id}"
    yield ""
    yield f"**{rule.title}.** {_flowing(rule.rationale)}"
    yield ""
    yield f"* Role: {_ROLES[rule.role]}"
    yield f"* Level: {rule.level}"
    if rule.requires:
        yield f"* Asked only if: {', '.join(map(_rule_link, rule.requires))} is neither unmet nor unknown"
    yield f"* Remedy: {rule.remedy}"
    yield f"* Source: [{rule.source.title}]({rule.source.address}), verified {rule.source.verified}"


def _flowing(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def _rule_link(rule: str, page: str = "") -> str:
    return f"[{rule}]({page}#{rule.lower()})"


# Controls -------------------------------------------------------------------------------------------

_EVIDENCE = {
    EvidenceClass.RESOURCE_GRAPH: "a resource as Azure Resource Graph has it",
    EvidenceClass.REST: "an answer that only Azure's REST interfaces give",
    EvidenceClass.GUEST: "what the guest reports through Azure's machine configuration",
    EvidenceClass.GRAPH: "Microsoft Graph, which nothing here reads yet: somebody has to attest it",
    EvidenceClass.ATTESTED: "no interface shows it: somebody has to attest it",
}


def _control_page() -> Iterator[str]:
    yield "# Controls"
    yield ""
    yield f"The {len(ALL_CONTROLS)} controls that the levels rest on. What the levels mean, and how"
    yield "attestations and exceptions count: [levels.md](levels.md). An advisory control is listed and holds"
    yield "nobody back. *Evidence* is where the answer comes from:"
    yield ""
    for kind, meaning in _EVIDENCE.items():
        yield f"* **{kind}**: {meaning}"
    for rung in LADDER:
        controls = [control for control in ALL_CONTROLS if control.level is rung.level]
        if controls:
            yield ""
            yield f"## Level {rung.level.value}: {rung.name.lower()}"
            yield ""
            yield "| Control | Demands | Of each | Binding | Evidence | Whose work |"
            yield "|---|---|---|---|---|---|"
            yield from map(_control_row, controls)
    yield ""
    yield "## Other catalogues"
    yield ""
    yield "Azure's own initiatives say which control of another catalogue a built-in policy belongs to."
    yield "Where a control names such a policy, the ids stand beside it under *Mapped to*. A control without"
    yield "them has none that was found, which does not mean that no catalogue asks for it; and to meet a"
    yield "control is a part of what an id asks for, never all of it. Compared on"
    yield f"{_REFERENCE.frameworks_verified_on} with:"
    yield ""
    for framework in _REFERENCE.frameworks:
        yield f"* [{framework.name}]({framework.address})"
    yield ""
    yield "## Conditions"
    for control in ALL_CONTROLS:
        yield from _control(control)


def _control_row(control: Control) -> str:
    scope = "VM" if isinstance(control, VmControl) else "subscription"
    binding = "mandatory" if control.is_mandatory else "advisory"
    link = f"[{control.id}](#{control.id.lower()})"
    return f"| {link} | {control.title} | {scope} | {binding} | {control.evidence} | {control.whose} |"


def _control(control: VmControl | SubscriptionControl) -> Iterator[str]:
    yield ""
    yield f"### {control.id}"
    yield ""
    yield f"**{control.title}.** {_flowing(control.rationale)}"
    yield ""
    yield f"* Remedy: {control.remedy}"
    if control.rests_on:
        yield f"* Takes its answer from: {', '.join(_rule_link(one, 'rules.md') for one in control.rests_on)}"
    if control.dimension is not None:
        yield f"* Covered by an exception from: {_DIMENSIONS[control.dimension]}"
    if control.seed_claim:
        yield f"* What is often said: {control.seed_claim}"
    mapped = framework_ids(control, _REFERENCE.frameworks)
    if mapped:
        yield f"* Mapped to: {'; '.join(f'{name}: {_listed(ids)}' for name, ids in mapped.items())}"
    yield f"* Source: [{control.source.title}]({control.source.address}), verified {control.source.verified}"


def _listed(ids: Iterable[str]) -> str:
    return ", ".join(ids)


# Playbooks ------------------------------------------------------------------------------------------


def _playbook_page() -> Iterator[str]:
    target = _example()
    yield "# Playbooks"
    yield ""
    yield "One playbook is one upgrade. What several of them have to do while a VM is off is composed into"
    yield "one outage: one deallocate, one start. The steps below are those for a running generation 2 VM"
    yield "with an OS disk and a data disk under a platform key, with everything chosen for it. What was done"
    yield "online, before the outage, is kept when the outage is undone."
    for playbook in ALL_PLAYBOOKS:
        yield from _playbook(playbook, target)
    yield ""
    yield "## The composed campaign"
    yield ""
    yield "All playbooks together, for the same VM. Seconds are assumed, not measured."
    yield ""
    campaign = _campaign(target)
    yield from _step_table(campaign)
    yield ""
    yield "If a step of the outage fails, or health is not proven in time, the way back is:"
    yield ""
    yield from _step_table(_way_back(target))
    yield ""
    yield "## Permissions"
    yield ""
    yield "The ARM actions that the steps above declare, for a custom role of the identity that runs a wave:"
    yield ""
    yield "| ARM action | For |"
    yield "|---|---|"
    steps = (*campaign, *_way_back(target), *_own_undo(target))
    for action in sorted({action for step in steps for action in step.actions}):
        users = dict.fromkeys(_kind(step) for step in steps if action in step.actions)
        yield f"| `{action}` | {', '.join(users)} |"
    yield ""
    yield "The list comes from the code and has not been tried against Azure: this release does not run live."


def _playbook(playbook: Playbook, target: Target) -> Iterator[str]:
    spec = playbook.spec
    online, offline = playbook.prepare(target), playbook.convert(target)
    back = playbook.undo(before_of(Observation(vm=target.vm, disks=target.disks)), (*online, *offline))
    yield ""
    yield f"## {spec.id}"
    yield ""
    yield f"**{spec.title}**: {_DIMENSIONS[spec.dimension]}, level {spec.level}."
    yield ""
    yield f"* Outage: {spec.outage}"
    yield f"* Undo: {spec.undo}"
    needs = ", ".join(_rule_link(rule, "rules.md") for rule in spec.needs)
    yield f"* Needs: {needs}, none of them unmet or unknown"
    yield f"* Online, before the outage: {_names(online)}"
    yield f"* Inside the outage: {_names(offline)}"
    yield f"* Its own undo: {_names(back)}"
    yield ""
    yield "| Step | Power | ARM actions |"
    yield "|---|---|---|"
    for kind, step in {_kind(step): step for step in (*online, *offline, *back)}.items():
        yield f"| `{kind}` | {step.power} | {_actions(step)} |"


def _campaign(target: Target) -> tuple[Step, ...]:
    vm = target.vm.id
    online = [step for playbook in ALL_PLAYBOOKS for step in playbook.prepare(target)]
    offline = [step for playbook in ALL_PLAYBOOKS for step in playbook.convert(target)]
    outage = compose(vm, target.vm.managed_disks, offline)
    checks = (Recheck(vm=vm, fingerprint=""), RecordBefore(vm=vm))
    return (*checks, *online, *(planned.step for planned in outage.steps), ProveModel(vm=vm))


def _way_back(target: Target) -> tuple[Step, ...]:
    before = before_of(Observation(vm=target.vm, disks=target.disks))
    offline = tuple(step for playbook in ALL_PLAYBOOKS for step in playbook.convert(target))
    back = [step for playbook in reversed(ALL_PLAYBOOKS) for step in playbook.undo(before, offline)]
    planned = compose_undo(target.vm.id, back, was_running=before.was_running)
    return tuple(entry.step for entry in planned)


def _own_undo(target: Target) -> tuple[Step, ...]:
    before = before_of(Observation(vm=target.vm, disks=target.disks))
    return tuple(
        step
        for playbook in ALL_PLAYBOOKS
        for step in playbook.undo(before, (*playbook.prepare(target), *playbook.convert(target)))
    )


def _step_table(steps: Iterable[Step]) -> Iterator[str]:
    yield "| | Step | In words | Power | Seconds |"
    yield "|---:|---|---|---|---:|"
    for number, step in enumerate(steps, start=1):
        seconds = ASSUMED_SECONDS[step.duration]
        yield f"| {number} | `{name_of(step)}` | {words_for(step)} | {step.power} | {seconds} |"


def _kind(step: Step) -> str:
    return name_of(step).partition(":")[0]


def _names(steps: Iterable[Step]) -> str:
    return ", ".join(f"`{name_of(step)}`" for step in steps) or "nothing"


def _actions(step: Step) -> str:
    return ", ".join(f"`{action}`" for action in step.actions)


def _example() -> Target:
    """Return a VM on which every playbook has something to do."""
    group = (
        "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Compute"
    )
    vm_id = ResourceId(f"{group}/virtualMachines/vm")
    disks = tuple(
        Disk(
            id=ResourceId(f"{group}/disks/{name}"),
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
        trusted_launch=TrustedLaunchChoice(),
        disk_encryption_set=ResourceId(f"{group}/diskEncryptionSets/des"),
        encryption_at_host=True,
        identity=IdentityChoice(),
    )
    return Target(vm=vm, disks=disks, choice=choice)


if __name__ == "__main__":
    main()
