"""What stands in a runbook: parts, each of steps with their instructions, for every VM of a wave."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec import Struct

from readiness.model.plan import Plan, Wave
from readiness.model.steps import PlannedStep
from reports.az import Instruction, ScriptFile
from reports.commands import instruction_for
from reports.subject import Subject
from reports.tables.times import local, minutes, utc, zone_name

BY_HAND = (
    "Only where the program cannot be used. Before you begin, make sure that no run of it is under way: one "
    "that is cannot see you.",
    "Compare the digest above with the one that was approved. Another digest is another plan.",
    "A shell such as bash, the Azure CLI, logged in to the tenant of these subscriptions; one terminal a VM. "
    "The scripts that belong to this runbook lie in the folder you work in.",
    "Batch after batch: VMs of one batch may be off at the same time, and the next batch begins once every "
    "VM of the one before is proven or as it was.",
    "After each command look, and compare with what has to be shown. What cannot be told is not proven.",
    "Begin no outage that cannot be over, with its way back, when the window closes.",
    "Delete no snapshot and no disk while this wave is under way; keep snapshots until the owner accepts.",
)
"""The rules at the top of a runbook."""


class Entry(Struct, frozen=True, kw_only=True):
    """One step on paper."""

    number: int
    name: str
    """Its name in a run of the program, so that the two can be compared."""
    minutes: int
    instruction: Instruction
    only_if_ran: bool = False
    """Whether it is left out of a VM that was found deallocated."""


class Part(Struct, frozen=True, kw_only=True):
    """Steps that are done one after another, with one sign-off."""

    title: str
    intro: str
    entries: tuple[Entry, ...]
    is_way_back: bool = False


class VmPages(Struct, frozen=True, kw_only=True):
    """The pages of one VM."""

    subject: Subject
    anchor: str
    parts: tuple[Part, ...]


class Contact(Struct, frozen=True, kw_only=True):
    """Whom to ask about an application, and when it may be off."""

    application: str
    owner: str
    email: str
    window: str
    opens: datetime
    closes: datetime
    zone: str


class Runbook(Struct, frozen=True, kw_only=True):
    """A whole runbook."""

    plan: Plan
    wave: Wave
    contacts: tuple[Contact, ...]
    before: Part | None
    """The team's commands before the wave."""
    after: Part | None
    vms: tuple[VmPages, ...]
    shared: tuple[Part, ...] = ()
    """What is done to objects that several VMs hang on, once the last of these is closed."""

    @property
    def scripts(self) -> tuple[ScriptFile, ...]:
        """The files that have to lie beside it, each once."""
        found = {
            entry.instruction.file.name: entry.instruction.file
            for entry in self.entries()
            if entry.instruction.file
        }
        return tuple(found[name] for name in sorted(found))

    def entries(self) -> Iterator[Entry]:
        """Yield every step of it."""
        for part in self.parts():
            yield from part.entries

    def parts(self) -> Iterator[Part]:
        """Yield every part of it in order."""
        yield from (part for part in (self.before,) if part)
        for vm in self.vms:
            yield from vm.parts
        yield from (part for part in (self.after,) if part)
        yield from self.shared


def part(
    title: str,
    intro: str,
    steps: Iterable[PlannedStep],
    subject: Subject,
    *,
    only_if_ran: frozenset[str] = frozenset(),
    is_way_back: bool = False,
) -> Part:
    """Return a part of a VM's pages.

    Raises:
        ValueError: A value cannot be handed to the Azure CLI as plain text.
    """
    entries = tuple(
        Entry(
            number=number,
            name=planned.name,
            minutes=minutes(planned.seconds),
            instruction=instruction_for(planned.step, subject),
            only_if_ran=planned.name in only_if_ran,
        )
        for number, planned in enumerate(steps, 1)
    )
    return Part(title=title, intro=intro, entries=entries, is_way_back=is_way_back)


def stands(moment: datetime, zone: str) -> str:
    """Return an instant as the clock on the wall shows it, and in UTC."""
    here = local(moment, zone)
    return f"{here:%a %Y-%m-%d %H:%M} {zone_name(zone, moment)} = {utc(moment):%Y-%m-%d %H:%M} UTC"
