"""Instants as people read them: local time with its zone in a column of its own, and UTC beside it."""

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


@lru_cache(maxsize=256)
def _zone_of(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def local(moment: datetime, zone: str) -> datetime:
    """Return a moment as the clock on the wall shows it; UTC where the zone is unknown."""
    return moment.astimezone(_zone_of(zone) or UTC).replace(tzinfo=None)


def utc(moment: datetime) -> datetime:
    """Return a moment in UTC, without saying so: the title of the column does."""
    return moment.astimezone(UTC).replace(tzinfo=None)


@lru_cache(maxsize=4096)
def zone_name(zone: str, *moments: datetime) -> str:
    """Return a zone with its offset, all of them where the clock is changed between the moments."""
    known = _zone_of(zone)
    if known is None:
        return f"UTC ({zone} is not known here)"
    offsets = dict.fromkeys(_offset(moment.astimezone(known)) for moment in moments)
    return f"{zone} ({' to '.join(offsets)})"


def minutes(seconds: float) -> int:
    """Round up: a reservation is never shown shorter than it is."""
    return -(-int(seconds) // 60)


def _offset(moment: datetime) -> str:
    return f"UTC{moment:%z}"[:6] + ":" + f"{moment:%z}"[3:5]
