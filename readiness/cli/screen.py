"""The live screen of a run: who is under way, at which step, since when, what is left of window and budget.

It shows what the journal held at the last event; its own thread only lets the clocks go on. It fits itself
into the terminal: what has no room is counted.
"""

import time
from collections import Counter, deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from readiness.cli.console import OUT, PHASE_COLOURS, plain
from readiness.model.lifecycle import FINAL, SUCCEEDED, Phase
from readiness.model.run import Event, EventKind, RunState, UnitState

if TYPE_CHECKING:
    from readiness.app.outlook import Outlook

_PER_SECOND = 4
_NEWS = 6
_FIXED = 8
"""Lines that are neither VMs nor news."""
_LEAST_ROWS = 3
KEYS = "Ctrl-C: start nothing more.  Elsewhere: readiness status | pause | stop"
KEYS_OF_ONLOOKERS = "Ctrl-C: end looking, the run goes on.  To end it: readiness stop | pause"


class Screen:
    """Shows a run until the block ends; the terminal is then as it was."""

    def __init__(self, console: Console | None = None, keys: str = KEYS) -> None:
        self._console = console or OUT
        self._keys = keys
        self._news: deque[Event] = deque(maxlen=_NEWS)
        self._note = ""
        self._shown: tuple[Outlook, float] | None = None
        self._cost = 0.0
        self._live = Live(
            console=self._console,
            screen=True,
            refresh_per_second=_PER_SECOND,
            get_renderable=self._drawn,
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    @property
    def is_stale(self) -> bool:
        """Whether what is shown is to be made anew; making it takes at most a fifth of the time."""
        return self._shown is None or time.monotonic() - self._shown[1] >= 4 * self._cost

    def show(self, outlook: "Outlook", cost: float = 0.0) -> None:
        """Show a run as it stands; `cost` is how many seconds it took to find out."""
        self._shown, self._cost = (outlook, time.monotonic()), cost

    def told(self, event: Event) -> None:
        """Take note of an event that somebody has to see."""
        if event.kind in (EventKind.FAILURE, EventKind.RUN, EventKind.WAIT):
            self._news.append(event)

    def note(self, text: str) -> None:
        """Show a word to whoever sits before this screen."""
        self._note = text

    def _drawn(self) -> RenderableType:
        if self._shown is None:
            return Text("…")
        outlook, shown = self._shown
        now = outlook.at + timedelta(seconds=(time.monotonic() - shown) * outlook.rate)
        news, height = list(self._news), self._console.height
        return screen(outlook, news, now, height=height, note=self._note, keys=self._keys)


def screen(
    outlook: "Outlook", news: Iterable[Event], now: datetime, *, height: int, note: str = "", keys: str = KEYS
) -> RenderableType:
    """Return the whole screen."""
    state, told = outlook.state, list(news)
    room = max(_LEAST_ROWS, height - _FIXED)
    told = told[max(0, len(told) - room // 3) :]
    rows = room - len(told)
    ended = sum(1 for unit in state.units if unit.phase in FINAL)
    head = Text(plain(f"{state.info.id}  {state.wave_name}"), style="bold", no_wrap=True, overflow="ellipsis")
    colour = "bold red" if state.info.is_live else "cyan"
    place = Text(plain(outlook.place), style=colour, no_wrap=True, overflow="ellipsis")
    lines: list[RenderableType] = [
        head,
        place,
        _clocks(outlook, now),
        _bar(ended, len(state.units)),
        _counts(state),
        _table(state, now, rows),
    ]
    lines += [_line(f"{one.at:%H:%M:%S}  {one.vm:<16} {one.text}", _STYLES.get(one.kind, "")) for one in told]
    if state.held:
        lines.append(_line(f"Held: {state.held}", "bold yellow"))
    lines.append(_line(note or keys, "bold yellow" if note else "dim"))
    return Group(*lines)


def _bar(ended: int, total: int) -> Table:
    """Return how much has ended; in a table, since a bar alone does not end its line."""
    grid = Table.grid(expand=True)
    grid.add_row(ProgressBar(total=max(1, total), completed=ended))
    return grid


_STYLES = {EventKind.FAILURE: "red", EventKind.WAIT: "yellow"}


def _line(text: str, style: str = "") -> Text:
    return Text(plain(text), style=style, no_wrap=True, overflow="ellipsis")


def _clocks(outlook: "Outlook", now: datetime) -> Text:
    found = Text(f"{now:%Y-%m-%d %H:%M:%S} UTC", no_wrap=True, overflow="ellipsis")
    if outlook.closes is not None:
        left = outlook.closes - now
        if left > timedelta():
            found.append(f"   window: {_span(left)} left")
        else:
            found.append(f"   window closed {_span(-left)} ago", style="yellow")
    used = f"   {outlook.failed} of {outlook.failures_allowed} failures used"
    found.append(used, style="red" if outlook.failed else "")
    return found


def _counts(state: RunState) -> Text:
    counts = Counter(unit.phase for unit in state.units)
    words = Text(no_wrap=True, overflow="ellipsis")
    for phase in Phase:
        if counts[phase]:
            words.append(f"{counts[phase]} {phase}   ", style=PHASE_COLOURS.get(phase, ""))
    return words


def _table(state: RunState, now: datetime, rows: int) -> Table:
    table = Table(box=None, expand=True, padding=(0, 1, 0, 0), header_style="bold")
    # Never narrower: VMs of one application often differ in nothing but their last characters.
    table.add_column("VM", no_wrap=True, overflow="ellipsis", ratio=2, width=15)
    table.add_column("Phase", no_wrap=True, overflow="ellipsis", min_width=10)
    table.add_column("Step", no_wrap=True, overflow="ellipsis", ratio=4)
    table.add_column("For", no_wrap=True, justify="right", min_width=5)
    table.add_column("Away", no_wrap=True, justify="right", min_width=5)
    table.add_column("Steps", no_wrap=True, justify="right", min_width=5)
    ranked = sorted(state.units, key=_rank)
    shown = ranked if len(ranked) <= rows else ranked[: rows - 1]
    for unit in shown:
        is_over = unit.phase in FINAL or unit.phase is Phase.UNDECIDED
        since = "" if is_over or unit.since is None else _span(now - unit.since)
        step = (unit.reason or unit.note) if is_over else (unit.doing if unit.done or unit.since else "")
        table.add_row(
            Text(plain(unit.name)),
            Text(unit.phase, style=PHASE_COLOURS.get(unit.phase, "")),
            Text(plain(step)),
            since,
            _away(unit, now),
            f"{unit.done}/{unit.total}",
        )
    if rest := Counter(unit.phase for unit in ranked[len(shown) :]):
        more = ", ".join(f"{number} {phase}" for phase, number in rest.items())
        table.add_row(f"… {rest.total()} more", "", Text(more, style="dim"), "", "", "")
    return table


def _away(unit: UnitState, now: datetime) -> Text:
    """Return the outage clock; it goes on while the VM is down."""
    if unit.down_since is not None:
        return Text(_span(now - unit.down_since), style="bold yellow")
    return Text(_span(timedelta(seconds=unit.downtime_seconds)) if unit.downtime_seconds is not None else "-")


def _span(span: timedelta) -> str:
    seconds = max(0, int(span.total_seconds()))
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def _rank(unit: UnitState) -> int:
    """Order: what needs a person, what is under way, what failed, what waits, what is done."""
    if unit.phase in (Phase.STRANDED, Phase.UNDECIDED):
        return 0
    if unit.phase in SUCCEEDED:
        return 4
    if unit.phase in FINAL:
        return 2
    return 3 if unit.phase is Phase.WAITING else 1
