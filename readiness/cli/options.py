"""Options that several commands share."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

state_option: Decorator = click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="READINESS_STATE",
    default=Path(".readiness"),
    show_default=True,
    help="Folder that remembers assessments, runs and twins; never inside an estate.",
)


def _day(_context: click.Context, _parameter: click.Parameter, value: datetime | None) -> date:
    return value.date() if value else datetime.now(UTC).date()


as_of_option: Decorator = click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    callback=_day,
    help="The day the answer is for (default: today, UTC). It is recorded in every output.",
)
