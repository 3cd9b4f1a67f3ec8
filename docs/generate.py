"""Writes the generated pages of this folder: `cli.md`, `rules.md`, `controls.md` and `playbooks.md`.

Run it with `python docs/generate.py` whenever a command, a rule, a control, a playbook or a step changes; a
test fails while a page is stale. The pages hold nothing that the code does not say, and nothing that changes
by itself.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import click

from docs.page_parts import DIMENSIONS, rule_link
from docs.playbook_page import playbook_page
from readiness.cli.main import readiness as command_line
from readiness.errors import Exit
from readiness.model.levels import LADDER
from readiness.model.verdict import Dimension
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


def pages() -> dict[str, str]:
    """Return the generated pages by file name."""
    made: dict[str, Callable[[], Iterator[str]]] = {
        "cli.md": _command_page,
        "rules.md": _rule_page,
        "controls.md": _control_page,
        "playbooks.md": playbook_page,
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
    Exit.NEEDS_A_PERSON: (
        "needs a person",
        "At least one VM is stranded, undecided, blocked or declined; or a dry run finds a refusal, "
        "a recovery a mark that it cannot read, an audit a story that was changed, a deletion a snapshot "
        "that stays.",
    ),
    Exit.HELD: ("held", "Nothing more is started: a stop, a window, a budget; or a run was left unfinished."),
    Exit.COVERAGE: ("coverage", "The VMs that were found are not all accounted for."),
    Exit.INTERRUPTED: ("interrupted", "Ctrl-C ended the command."),
}


def _command_page() -> Iterator[str]:
    yield "# Commands"
    yield ""
    yield "`-h` and `--help` work everywhere. `--state` can also be given as `READINESS_STATE`; any other"
    yield "option as `READINESS_<COMMAND>_<OPTION>`, such as `READINESS_ASSESS_OUTPUT=json`."
    yield ""
    yield "Nothing is changed in Azure without `--live`, and with it only by `prepare`, `run`, `close`,"
    yield "`retry`, `rollback` and `snapshots delete`."
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
    yield "process carries the run out, and otherwise with the code of what the run came to."


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
        yield f"## {DIMENSIONS[dimension]}"
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
        yield f"* Asked only if: {', '.join(map(rule_link, rule.requires))} is neither unmet nor unknown"
    yield f"* Remedy: {rule.remedy}"
    yield f"* Source: [{rule.source.title}]({rule.source.address}), verified {rule.source.verified}"


def _flowing(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


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
        yield f"* Takes its answer from: {', '.join(rule_link(one, 'rules.md') for one in control.rests_on)}"
    if control.dimension is not None:
        yield f"* Covered by an exception from: {DIMENSIONS[control.dimension]}"
    if control.seed_claim:
        yield f"* What is often said: {control.seed_claim}"
    mapped = framework_ids(control, _REFERENCE.frameworks)
    if mapped:
        yield f"* Mapped to: {'; '.join(f'{name}: {_listed(ids)}' for name, ids in mapped.items())}"
    yield f"* Source: [{control.source.title}]({control.source.address}), verified {control.source.verified}"


def _listed(ids: Iterable[str]) -> str:
    return ", ".join(ids)


if __name__ == "__main__":
    main()
