"""The result of many replays: a row for each operation, and the differences that are most frequent."""

from collections import Counter
from dataclasses import dataclass, field

from tests.replay.recordings import Recording
from tests.replay.replaying import Compared, replay

_COLUMNS = ("exchanges", "status", "headers", "shape", "all three", "and values")


@dataclass(slots=True)
class Report:
    """What is counted while recordings are replayed."""

    recordings: int = 0
    compared: list[Compared] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    def add(self, recording: Recording) -> None:
        """Replay a recording."""
        if not recording.exchanges:
            return
        result = replay(recording)
        self.recordings += bool(result.compared)
        self.compared += result.compared
        self.left_out += result.left_out

    def text(self, *, differences: int = 40, of: str = "") -> str:
        """Return the table and the differences as text."""
        chosen = [each for each in self.compared if of in each.operation]
        lines = [f"{self.recordings} recordings, {len(chosen)} exchanges compared", ""]
        lines += [f"left out: {count} ({reason})" for reason, count in self.left_out.most_common()]
        lines += ["", f"{'operation':84}" + "".join(f"{name:>11}" for name in _COLUMNS)]
        by_operation: dict[str, list[Compared]] = {}
        for each in chosen:
            by_operation.setdefault(each.operation, []).append(each)
        ordered = sorted(by_operation.items(), key=lambda item: -len(item[1]))
        lines += [_row(name, rows) for name, rows in ordered]
        lines += [_row("in all", chosen), "", "the most frequent differences:"]
        return "\n".join(lines + _differences(chosen, differences)) + "\n"


def counts(rows: list[Compared]) -> tuple[int, ...]:
    """Return how many exchanges there are, and how many agree: status, headers, shape, all, and values."""
    same = [each for each in rows if not each.status]
    whole = [each for each in same if not each.headers and not each.shape]
    return (
        len(rows),
        len(same),
        sum(not each.headers for each in same),
        sum(not each.shape for each in same),
        len(whole),
        sum(not each.values for each in whole),
    )


def _row(name: str, rows: list[Compared]) -> str:
    total, *others = counts(rows)
    return f"{name[:83]:84}{total:11}" + "".join(
        f"{count:5} {count / max(total, 1):5.0%}" for count in others
    )


def _differences(rows: list[Compared], most: int) -> list[str]:
    found: Counter[tuple[str, str]] = Counter()
    places: dict[tuple[str, str], str] = {}
    for each in rows:
        for what, where in (*each.status, *each.headers, *each.shape, *each.values):
            key = (each.operation, f"{what} {where}")
            found[key] += 1
            places.setdefault(key, each.place)
    return [
        f"{count:6}  {operation}: {told}   [{places[operation, told]}]"
        for (operation, told), count in found.most_common(most)
    ]
