"""The few controls that hold most VMs back: those of the level at which most VMs wait, the heaviest first.

The bars count VMs that a control holds back, alone or with others. The line beside them says what the work is
worth: the share of waiting VMs that rise once a control and all before it are met. It grows slowly at first,
because most VMs miss several controls at once; adding up the bars would promise too much.
"""

from dataclasses import dataclass

from readiness.model.progress import Blocker, Progress
from reports.tables.table import Column, Kind, Table

MOST = 15
"""Controls that are drawn; the table of blockers has all of them."""


@dataclass(frozen=True, slots=True)
class Pareto:
    """The controls that are drawn, and for which level."""

    level: int
    """The level that is missed."""
    waiting: int
    """VMs that stand one level below."""
    blockers: tuple[Blocker, ...]
    left_out: int
    """Controls beyond those that are drawn."""

    @property
    def title(self) -> str:
        """Return what the picture shows."""
        return f"What holds {self.waiting:,} VMs back from Level {self.level}"

    def table(self) -> Table:
        """Return one row per control, heaviest first."""
        columns = (
            Column("Control", 10),
            Column("Title", 40, Kind.PROSE),
            Column("Whose work", 16),
            Column("VMs held back", 10, Kind.COUNT),
            Column("Rise with all above", 12, Kind.SHARE),
        )
        rows = tuple(
            (one.control, one.title, one.whose.value, one.together, round(one.unlocked / self.waiting, 6))
            for one in self.blockers
        )
        return Table("Heaviest blockers", columns, rows)


def progress_pareto(progress: Progress) -> Pareto | None:
    """Return the controls to draw; None where no control of VMs holds any back."""
    of_vms = [one for one in progress.blockers if one.scope == "vm" and one.together]
    waiting = {level: progress.latest.raw[level - 1] for level in {one.level.value for one in of_vms}}
    if not any(waiting.values()):
        return None
    level = max(sorted(waiting), key=lambda one: waiting[one])
    found = [one for one in of_vms if one.level.value == level]
    return Pareto(level, waiting[level], tuple(found[:MOST]), max(len(found) - MOST, 0))
