"""A runbook as Markdown. What comes from outside stands in fences that it cannot end, or escaped."""

import re
from collections.abc import Iterator

from reports import words
from reports.az import Instruction, plain
from reports.runbook_pages import BY_HAND, Entry, Part, Runbook, VmPages, stands

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~&:@])")
_BOX = "- [ ] {} ______________________ time ____________"


def text(value: str) -> str:
    """Return text as text: on one line, and none of its characters means anything."""
    return _SPECIAL.sub(r"\\\1", " ".join(plain(value).split()))


def fenced(value: str, language: str = "") -> str:
    """Return lines in a fence longer than any within."""
    longest = max((len(run) for run in re.findall("`+", value)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{plain(value)}\n{fence}"


def lines(book: Runbook) -> Iterator[str]:
    """Yield the lines of the whole text."""
    plan, wave = book.plan, book.wave
    yield f"# Runbook: wave {wave.number}, {text(wave.name)}"
    yield ""
    yield f"- Plan: digest `{plan.approval}`, as of {plan.as_of}, release {text(plan.release)}"
    yield f"- Place: {text(words.TARGET[plan.target.kind])}; subscriptions {text(words.place(plan.target))}"
    yield f"- {len(wave.vms)} VMs in {len(wave.batches)} batches"
    yield ""
    yield "## Windows and contacts"
    yield ""
    yield "| Application | Owner | Opens | Closes |"
    yield "|---|---|---|---|"
    for one in book.contacts:
        who = f"{text(one.owner)} {text(one.email)}".strip()
        times = f"{text(stands(one.opens, one.zone))} | {text(stands(one.closes, one.zone))}"
        yield f"| {text(one.application)} | {who} | {times} |"
    yield ""
    yield "## Rules"
    yield ""
    yield from (f"{number}. {rule}" for number, rule in enumerate(BY_HAND, 1))
    yield ""
    yield "## Sign-off of the wave"
    yield ""
    yield from (_BOX.format(who) for who in ("Approved, digest compared:", "Begun by:", "Ended by:"))
    yield ""
    if book.before:
        yield from _part(book.before)
    for vm in book.vms:
        yield from _vm(vm)
    if book.after:
        yield from _part(book.after)
    if book.shared:
        yield "## What several VMs share"
        yield ""
    for part in book.shared:
        yield from _part(part)


def _vm(pages: VmPages) -> Iterator[str]:
    vm = pages.subject.vm
    zone = vm.occurrence.timezone
    yield f"## Batch {vm.batch}: {text(vm.name)}"
    yield ""
    yield f"- Application {text(vm.application)}, {words.ENVIRONMENT[vm.environment]}; owner {text(vm.owner)}"
    yield f"- Id: {text(vm.id.text)}"
    yield f"- Work: {text(words.actions(vm))}"
    if vm.start:
        yield f"- Planned start: {text(stands(vm.start, zone))}"
    yield f"- Window: {text(stands(vm.occurrence.opens, zone))} to {text(stands(vm.occurrence.closes, zone))}"
    yield f"- Way back: {text(words.UNDO[vm.undo])}"
    yield from (f"- [ ] Its owner agrees: {text(told)}" for told in vm.consent)
    yield from (f"- Conflict: {text(told)}" for told in vm.conflicts)
    yield ""
    for part in pages.parts:
        yield from _part(part)


def _part(part: Part) -> Iterator[str]:
    yield f"### {text(part.title)}"
    yield ""
    yield text(part.intro)
    yield ""
    for entry in part.entries:
        yield from _entry(entry)
    yield _BOX.format("Done and proven by:")
    yield ""


def _entry(entry: Entry) -> Iterator[str]:
    step: Instruction = entry.instruction
    yield f"#### {entry.number}. {text(step.does)}"
    yield ""
    condition = " **Only if it ran before.**" if entry.only_if_ran else ""
    yield f"`{entry.name}`, about {entry.minutes} min.{condition}"
    yield ""
    if step.note:
        yield "\n".join(f"> {text(line)}  " for line in step.note.splitlines())
        yield ""
    if step.file:
        yield f"The script, in the file {text(step.file.name)} beside this runbook:"
        yield ""
        yield fenced(step.file.text, "text")
        yield ""
    if step.commands:
        yield fenced("\n".join(step.commands), "bash")
        yield ""
    for check in step.checks:
        yield "Look:"
        yield ""
        yield fenced(check.command, "bash")
        yield ""
        yield "It has to show:"
        yield ""
        yield fenced(check.sees, "text")
        yield ""
    yield "- [ ] done and seen"
    yield ""
