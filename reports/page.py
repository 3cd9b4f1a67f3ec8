"""The progress page: one HTML file that needs nothing beside itself and reaches for nothing.

Its policy forbids every request, and lets run the one style and the one script that are in it, by their
digests. Whatever comes from outside is text: escaped, isolated in its direction of writing, cut to a line.
Aggregates are plain HTML; the script only adds the list of VMs, page by page. At most 5 MB, whatever comes.
"""

from typing import Any

from markupsafe import Markup

from readiness.model.progress import Progress
from reports import progress_words, words
from reports.charts_svg import Chart, lines, ranked, stacked
from reports.page_parts import LARGEST, Shown, cell, policy, shown, source, template_of
from reports.page_rows import legible, vm_rows
from reports.tables.progress import in_words, progress_groups, progress_tables, share_at
from reports.tables.progress_pareto import Pareto, progress_pareto
from reports.tables.table import Kind, Table

_GROUPS = ("application", "owner", "subscription")
_LEVELS = ("Level 3", "Level 2", "Level 1", "Level 0")
_REACHED = ("Level 1 or above", "Level 2 or above", "Level 3 or above")
_TARGETS = ("Target in 12 months", "Target in 18 months")
_MOST = 150
"""Rows of a long table beside the groups: the other files have all of them."""
_MOST_POINTS = 2_000
_LONGEST_LEAD = 600
_MOST_GROUPS = (5_000, 1_000, 100)
"""Rows of a table of groups: as many as there is room for."""
_FOR_VMS = 500_000
"""Bytes that are kept for VMs."""
_APART = frozenset(
    {"VMs", "Summary", "Levels over time", "Burn-up", "By application", "By owner", "By subscription"}
)
"""Tables that are shown in another way."""
_TITLES: dict[str, tuple[str, ...]] = {
    "groups": (
        "VMs",
        *reversed(_LEVELS),
        "Level 3 or above",
        "Posture score",
        "Score before",
        "Missing for the next level: ours",
        "Missing for the next level: other teams'",
    ),
    "Levels over time": ("As of", "VMs", *reversed(_LEVELS), *_REACHED, "Posture score", "Came", "Went"),
    "Blockers": (
        "Level",
        "Control",
        "Title",
        "Whose work",
        "Counted",
        "Held back",
        "Held back by it alone",
        "Rise with all above",
        "What to do",
    ),
    "Controls": (
        "Control",
        "Title",
        "Level",
        "Mandatory",
        "Met",
        "Unmet",
        "Unknown",
        "Share met",
        "Share before",
    ),
    "Drift": ("VM", "Application", "Owner", "Dimension", "Now", "Last satisfied", "Upgraded by run", "Why"),
    "Changes": ("Change", "VM", "Application", "Of", "Before", "After", "Why"),
    "Runs": (
        "Run",
        "Stage",
        "Where",
        "Started (UTC)",
        "Ended (UTC)",
        "VMs",
        "Done",
        "Rolled back",
        "Failed",
        "Stranded",
        "Longest away (minutes)",
        "Median away (minutes)",
        "Snapshots left",
    ),
    "Runs by VM": ("Run", "Where", "VM", "Outcome", "Away (minutes)", "Brought", "Why"),
}


def progress_page(progress: Progress) -> bytes:
    """Return the page as UTF-8."""
    template = template_of("progress.html.j2")
    said = _said(progress)
    bare = b""
    for most in _MOST_GROUPS:
        said["groups"] = [(kind, _groups(progress, kind, most)) for kind in _GROUPS]
        bare = template.render(**said, rows=Markup("{}"), listed=0).encode()
        if len(bare) <= LARGEST - _FOR_VMS:
            break
    rows, listed = vm_rows(progress.vms, LARGEST - len(bare) - len(str(len(progress.vms))))
    # JSON in which no markup can begin or end.
    return template.render(**said, rows=Markup(rows), listed=listed).encode()  # noqa: S704


def _said(progress: Progress) -> dict[str, Any]:
    """Return everything the template shows."""
    tables = {table.name: table for table in progress_tables(progress)}
    heavy = progress_pareto(progress)
    style, script = source("progress.css"), source("progress.js")
    return {
        "progress": progress,
        "lead": [legible(said, _LONGEST_LEAD) for said in _lead(progress) if said],
        "estate": legible(progress.estate),
        "said": progress_words,
        "style": style,
        "script": script,
        "policy": policy(style, script),
        "tiles": _tiles(progress),
        "charts": _charts(tables, heavy),
        "heavy": heavy,
        "forecasts": [(one, in_words(one)) for one in progress_words.first_forecasts(progress)],
        "tables": {
            **{
                name: shown(table, _TITLES.get(name), _MOST)
                for name, table in tables.items()
                if name not in _APART
            },
            **_behind_charts(tables, heavy),
        },
    }


def _lead(progress: Progress) -> tuple[str, str]:
    return progress_words.road_in_words(progress), progress_words.next_in_words(progress)


def _behind_charts(tables: dict[str, Table], heavy: Pareto | None) -> dict[str, Shown]:
    """Return the tables that say what the charts show."""
    levels = tables["Levels over time"]
    found = {
        "levels": shown(levels, _TITLES["Levels over time"], _MOST_POINTS),
        "burn_up": shown(tables["Burn-up"], None, _MOST_POINTS),
        "dimensions": shown(levels, ("As of", *words.DIMENSION.values()), _MOST_POINTS),
    }
    return found | ({"heavy": shown(heavy.table(), None, _MOST)} if heavy else {})


def _tiles(progress: Progress) -> list[tuple[str, str, str]]:
    """Return the big numbers: label, number, and a small word below."""
    now, first, estate = progress.latest, progress.points[0], progress.of_kind("estate")[0]
    shares = [
        (
            f"Level {level} or above",
            cell(share_at(now.raw, level), Kind.SHARE),
            f"{cell(share_at(first.raw, level), Kind.SHARE) or '-'} at first; "
            f"{cell(share_at(now.permitted, level), Kind.SHARE) or '-'} with exceptions",
        )
        for level in (1, 2, 3)
    ]
    moved = progress_words.change_in_points(now.score, first.score)
    return [
        ("VMs", f"{now.vms:,}", f"{first.vms:,} in the first snapshot"),
        (
            "Level of the estate",
            str(estate.level.raw.value),
            f"{estate.level.with_exceptions.value} with exceptions",
        ),
        *shares,
        (
            "Posture score",
            cell(now.score, Kind.MONEY) or "-",
            f"{moved} since the first" if moved else "of 100",
        ),
        ("Drift", f"{len(progress.drift):,}", "lost again after it was reached"),
    ]


def _charts(tables: dict[str, Table], heavy: Pareto | None) -> dict[str, Chart]:
    levels, burn_up = tables["Levels over time"], tables["Burn-up"]
    charts = {
        "levels": stacked(
            "VMs on each level over time",
            "Whatever grows from below has reached a level; what is on top has not reached the first.",
            levels,
            _LEVELS,
            ("level-3", "level-2", "level-1", "level-0"),
        ),
        "burn_up": lines(
            "Share of VMs on each level, against full alignment in 12 and 18 months",
            "Level 3 is to reach 100% between the two straight lines.",
            burn_up,
            (*_REACHED, *_TARGETS),
            ("level-1", "level-2", "level-3", "ink", "muted"),
        ),
        "dimensions": lines(
            "Share of VMs that satisfy each dimension",
            "Dimensions move before levels do: a level needs all of its controls.",
            levels,
            tuple(words.DIMENSION.values()),
            ("level-3", "level-0", "level-1", "ink"),
        ),
    }
    if heavy:
        charts["heavy"] = ranked(
            heavy.title,
            "Bars count VMs that a control holds back; the line is the share that rises once it and all "
            "above it are met.",
            heavy.table(),
            name="Control",
            bar="VMs held back",
            line="Rise with all above",
        )
    return charts


def _groups(progress: Progress, kind: str, most: int) -> Shown:
    """Return the groups of a kind, the ones with most to do first."""
    table = progress_groups(progress, kind)
    by_name = {row[0]: row for row in table.rows}
    rows = [by_name[one.name] for one in progress_words.heaviest(progress, kind)]
    titles = (kind.capitalize(), *_TITLES["groups"])
    return shown(Table(table.name, table.columns, rows), titles, most)
