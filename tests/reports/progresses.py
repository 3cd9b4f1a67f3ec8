"""Builds the progress of an estate that rises month by month, with any text wherever there is some."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from itertools import cycle

from readiness.model.assessment import Classification, ControlCount, ExceptionStanding, Whose
from readiness.model.history import Change, ChangeKind, RunRecord, VmRun
from readiness.model.ids import ResourceId
from readiness.model.levels import Level, LevelReached
from readiness.model.progress import (
    Blocker,
    ControlTrend,
    DimensionShare,
    ExceptionLeft,
    Forecast,
    Group,
    Hold,
    Lost,
    Point,
    Progress,
    VmLevel,
)
from readiness.model.verdict import Dimension

Say = Callable[[str], str]
"""Gives the text for a place: what is usual there, or something else."""

MONTHS = [date(2026 + (month > 12), (month - 1) % 12 + 1, 1) for month in range(4, 16)]
AT = datetime(2027, 3, 1, 20, tzinfo=UTC)
NASTY = (
    '=HYPERLINK("https://example.invalid";"x")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "-2+3",
    "<script>window.hit = 1</script>",
    "</script><script>window.hit = 2</script>",
    '"><img src=x onerror="window.hit = 3">',
    "' onmouseover='window.hit = 4",
    "<!--",
    "]]>",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:window.hit=5",
    "\u202egnp.exe",
    "\u2066\u2067isolated",
    "\x00\x07\x1b[31mred\x7f\x9b",
    "_x0041_",
    "👩‍👩‍👧‍👦 🇩🇪",
    "a\r\nb\tc\u2028d\ufffe",
    "مرحبا",
    "z" * 32_768,
    "😀" * 20_000,
    "&amp;&#60;",
    "|`*_~[x](y)",
)


def rising(say: Say = str, vms: int = 24) -> Progress:
    """Return progress over a year; `say` is given what is usual in a place."""
    machines = tuple(_vm(number, say) for number in range(vms))
    months = len(MONTHS)
    points = tuple(_point(number, vms, months) for number in range(months))
    raw = points[-1].raw
    return Progress(
        estate=say("fleet"),
        as_of=MONTHS[-1],
        release="1.0",
        points=points,
        groups=(
            _group("estate", say("fleet"), raw),
            _group("subscription", say("Production"), raw),
            *(_group("application", say(f"shop {number}"), raw) for number in range(3)),
            _group("owner", say("Ada"), raw),
        ),
        dimensions=tuple(
            DimensionShare(
                dimension=one,
                counts={Classification.SATISFIED: 12, Classification.READY: 12},
                share=0.5,
                share_before=0.45,
                share_first=0.1,
            )
            for one in Dimension
        ),
        blockers=tuple(_blocker(number, say) for number in range(4)),
        controls=tuple(_trend(number, say) for number in range(4)),
        exceptions=tuple(_exception(number, say) for number in (-3, 12, 90)),
        drift=(_lost(say),),
        forecasts=(
            Forecast(
                subject="All VMs on Level 3 or above",
                basis="pace",
                now=0.25,
                pace=3.0,
                pace_low=2.0,
                pace_high=4.0,
                earliest=date(2027, 9, 1),
                latest=date(2028, 2, 1),
                method="The slope.",
            ),
            Forecast(
                subject="All VMs on Level 2 or above", basis="pace", now=0.5, note="Not enough history."
            ),
        ),
        changes=(_change(ChangeKind.DRIFT, say), _change(ChangeKind.FIXED, say)),
        runs=(_run(say),),
        vms=machines,
    )


def saying(texts: list[str]) -> Say:
    """Return what puts these texts, one after another, wherever there is text."""
    rest: Iterator[str] = cycle(texts)
    return lambda _: next(rest)


def _point(number: int, vms: int, months: int) -> Point:
    up = [vms * max(number - lag, 0) // (months + 2) for lag in (0, 3, 6)]
    raw = (vms - up[0], up[0] - up[1], up[1] - up[2], up[2])
    return Point(
        snapshot=f"{number:012x}",
        as_of=MONTHS[number],
        release="1.0",
        vms=vms,
        excluded=2,
        unread=1,
        raw=raw,
        permitted=raw,
        satisfied=dict.fromkeys(Dimension, up[0]),
        applicable=dict.fromkeys(Dimension, vms),
        score=40.0 + 4 * number,
        came=1 if number else 0,
        risen=2 if number else 0,
    )


def _vm(number: int, say: Say) -> VmLevel:
    level = Level(number % 4)
    return VmLevel(
        id=ResourceId(
            "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg"
            f"/providers/Microsoft.Compute/virtualMachines/vm-{number}"
        ),
        name=say(f"vm-{number}"),
        application=say(f"shop {number % 3}"),
        owner=say("Ada"),
        subscription=say("Production"),
        level=LevelReached(level, level),
        score=25.0 * level + 0.5,
        ours=("AA-1",) if level < Level.FULL else (),
        others=("BB-2",) if level < Level.ADVANCED else (),
    )


def _group(kind: str, name: str, raw: tuple[int, int, int, int]) -> Group:
    return Group(
        kind=kind,
        name=name,
        vms=sum(raw),
        level=LevelReached(Level.NONE, Level.BASIC),
        raw=raw,
        permitted=raw,
        score=61.25,
        score_before=58.0,
        score_first=40.0,
        vms_first=sum(raw),
        ours=(Hold("AA-1", 6),),
        others=(Hold("BB-2", 3),),
    )


def _blocker(number: int, say: Say) -> Blocker:
    return Blocker(
        control=f"AA-{number}",
        title=say("Starts with Secure Boot"),
        level=Level.BASIC,
        whose=Whose.OURS if number % 2 else Whose.OTHER_TEAM,
        scope="vm",
        together=6 - number,
        alone=number % 2,
        unlocked=number + 1,
        unknown=number,
        excepted=0,
        remedy=say("Switch it on."),
        frameworks={"NIST SP 800-53": ("SI-7",)},
    )


def _trend(number: int, say: Say) -> ControlTrend:
    now = ControlCount(
        id=f"AA-{number}",
        title=say("Starts with Secure Boot"),
        level=Level.BASIC,
        mandatory=number != 3,
        scope="vm",
        evidence="ARG",
        whose=Whose.OURS,
        remedy=say("Switch it on."),
        frameworks={"NIST SP 800-53": ("SI-7",)},
        met=18,
        unmet=6 - number,
        unknown=number,
    )
    return ControlTrend(now=now, share=0.75, share_before=0.5)


def _exception(days_left: int, say: Say) -> ExceptionLeft:
    standing = ExceptionStanding(
        id=say(f"EX-{days_left}"),
        covers="trusted-launch",
        owner=say("Ada"),
        reason=say("The vendor does not support it."),
        approved_by=say("Bo"),
        expires=date(2027, 6, 1),
        is_expired=days_left < 0,
        compensating_control=say("Its subnet is closed."),
        vms=2,
    )
    return ExceptionLeft(exception=standing, days_left=days_left)


def _lost(say: Say) -> Lost:
    return Lost(
        vm="/subscriptions/1/vm",
        name=say("vm-7"),
        application=say("shop 1"),
        owner=say("Ada"),
        dimension=Dimension.TRUSTED_LAUNCH,
        classification=Classification.BLOCKED,
        last_satisfied=date(2027, 1, 1),
        upgraded_by=say("run-1"),
        reason=say("TL001 SecureBootOff"),
    )


def _change(kind: ChangeKind, say: Say) -> Change:
    return Change(
        kind=kind,
        vm="/subscriptions/1/vm",
        name=say("vm-7"),
        application=say("shop 1"),
        owner=say("Ada"),
        subject=say("AA-1"),
        title=say("Starts with Secure Boot"),
        before=say("met"),
        after=say("unmet"),
        reason=say("SecureBootOff"),
    )


def _run(say: Say) -> RunRecord:
    vm = _vm(7, say)
    return RunRecord(
        id=say("run-1"),
        estate=say("fleet"),
        plan="0" * 64,
        wave=1,
        wave_name=say("pilots"),
        place=say("live"),
        is_rehearsal=False,
        approved_by=say("Bo"),
        started_at=AT,
        ended_at=AT,
        vms=(
            VmRun(
                vm=vm.id,
                name=vm.name,
                outcome="done",
                succeeded=True,
                reason=say(""),
                actions=("trusted-launch",),
                downtime_seconds=420,
            ),
        ),
    )
