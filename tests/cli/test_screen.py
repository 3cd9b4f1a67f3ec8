"""The live screen of a run fits into any terminal, and says who is under way and what is left."""

import io
from datetime import timedelta

import pytest
from msgspec.structs import replace
from rich.console import Console

from readiness.app.outlook import Outlook
from readiness.cli.screen import Screen, screen
from readiness.model.lifecycle import Phase
from readiness.model.run import Event, EventKind, RunState
from tests.app.synthetic_runs import AT, run_with, under_way, unit

MANY = [
    *(unit(number, Phase.DONE, downtime_seconds=130) for number in range(60)),
    *(unit(number, Phase.WAITING) for number in range(60, 150)),
    *(under_way(number) for number in range(150, 190)),
    unit(190, Phase.STRANDED, reason="no capacity in westeurope"),
    *(unit(number, Phase.ROLLED_BACK, reason="agent silent") for number in range(191, 200)),
]


def outlook(state: RunState, **changes: object) -> Outlook:
    """Return a run as it is seen."""
    made = Outlook(
        state=state,
        at=AT,
        rate=1.0,
        place="twin at https://127.0.0.1:8443",
        closes=AT + timedelta(hours=3),
        failures_allowed=2,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def drawn(
    seen: Outlook, *news: Event, width: int = 100, height: int = 24, note: str = "", after: int = 0
) -> str:
    """Return the screen as plain text, some seconds after it was seen."""
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=False)
    now = seen.at + timedelta(seconds=after)
    with console.capture() as caught:
        console.print(screen(seen, news, now, height=height, note=note))
    return caught.get()


def failure(text: str = "NotHealthyInTime: not healthy within 15 minutes") -> Event:
    """Return bad news."""
    return Event(at=AT, kind=EventKind.FAILURE, vm="vm1", text=text)


def test_everything_at_a_glance() -> None:
    """Phase, step, since when, the outage clock, the window and the budget of every VM stand there."""
    state = replace(run_with(), units=(under_way(1), unit(2, Phase.ROLLED_BACK), unit(3, Phase.DONE)))
    text = drawn(outlook(state), failure(), after=5)
    for words in (
        "5ebc4fd5f9f7-wave-1  Non-production: Back office",
        "twin at https://127.0.0.1:8443",
        "2026-11-28 21:00:05 UTC",
        "window: 2:59:55 left",
        "1 of 2 failures used",
        "1 converting   1 done   1 rolled-back",
        "21:00:00  vm1",
        "Ctrl-C: start nothing more.",
    ):
        assert words in text, text
    (row,) = [line for line in text.splitlines() if line.startswith("vm1")]
    assert ["vm1", "converting", "deallocate", "3:05", "3:05", "1/12"] == row.split()


def test_a_window_that_has_closed() -> None:
    """What goes on after the end of its window is said, not hidden."""
    text = drawn(outlook(run_with(Phase.UNDOING), closes=AT - timedelta(minutes=2)))
    assert "window closed 2:00 ago" in text


@pytest.mark.parametrize(("width", "height"), [(80, 24), (80, 10), (40, 8), (132, 50), (300, 100), (20, 5)])
def test_it_fits_into_any_terminal(width: int, height: int) -> None:
    """200 VMs: no line is wider than the terminal, and there are no more of them than it has."""
    state = replace(run_with(held="the failure budget is used up"), units=tuple(MANY))
    lines = drawn(outlook(state), *[failure("x" * 300)] * 6, width=width, height=height).splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) <= max(height, 12)


def test_what_has_no_room_is_counted() -> None:
    """What needs a person stands first, then what is under way; the rest is counted by phase."""
    state = replace(run_with(), units=tuple(MANY))
    lines = drawn(outlook(state), height=30).splitlines()
    rows = [line for line in lines if line.startswith("vm")]
    assert rows[0].startswith("vm190")
    assert "no capacity in westeurope" in rows[0]
    assert all("converting" in row for row in rows[1:])
    (more,) = [line for line in lines if line.startswith("…")]
    assert f"… {200 - len(rows)} more" in more
    assert "90 waiting" in more


def test_a_word_to_whoever_pressed_a_key_stands_in_the_screen() -> None:
    """What Ctrl-C came to is told within the screen, in the place of the help."""
    text = drawn(outlook(run_with(Phase.CONVERTING)), note="Nothing more is started")
    assert "Nothing more is started" in text
    assert "Ctrl-C" not in text


def test_text_from_outside_steers_nothing() -> None:
    """Names and messages from Azure are text: no markup, no control characters."""
    state = replace(run_with(), units=(unit(1, Phase.BLOCKED, name="[red]a\x1b[2J", reason="b\nc"),))
    text = drawn(outlook(state), failure("[bold]d\x1b]0;title\x07"))
    assert "[red]a" in text
    assert "[bold]d" in text
    assert "\x1b" not in text


def test_the_terminal_is_given_back() -> None:
    """The screen has its own page of the terminal, and leaves what was there before."""
    xterm = {"TERM": "xterm"}
    console = Console(file=io.StringIO(), width=80, height=24, force_terminal=True, _environ=xterm)
    with Screen(console) as shown:
        assert shown.is_stale
        shown.show(outlook(run_with(Phase.WAITING)))
        shown.told(failure())
    written = console.file.getvalue()  # type: ignore[attr-defined]
    assert "\x1b[?1049h" in written
    assert written.rindex("\x1b[?1049l") > written.rindex("\x1b[?1049h")
