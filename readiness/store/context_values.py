"""Values that occur in many places of a context: matches, resource ids, VMs by name, recurrences, zones."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from dateutil.rrule import rrulestr

from readiness.model.context import Match
from readiness.model.ids import ResourceId
from readiness.store.marked_yaml import Entry, closest

Names = Mapping[str, tuple[ResourceId, ...]]
"""Ids of the estate's VMs by name in lower case."""


def match_of(entry: Entry, *, within_applications: bool = False) -> Match:
    """Read which VMs an entry speaks of; applications are not yet known within their own section."""
    known = ("ids", "names", "resource_groups", "tags", "applications")
    fields = entry.fields(*known[: -1 if within_applications else None])
    if "ids" in fields:
        for one in fields["ids"].entries():
            resource_id(one)
    tags = fields["tags"].mapping() if "tags" in fields else {}
    return Match(
        ids=tuple(ResourceId(text) for text in texts_of(fields, "ids")),
        names=texts_of(fields, "names"),
        resource_groups=texts_of(fields, "resource_groups"),
        tags={key: "" if value.is_empty else value.text() for key, (_, value) in tags.items()},
        applications=texts_of(fields, "applications"),
    )


def check_rrule(entry: Entry) -> None:
    """Refuse what is no recurrence of days."""
    text = entry.text()
    parts = dict(part.partition("=")[::2] for part in text.upper().split(";"))
    remedy = "Write a recurrence of days as in RFC 5545, such as FREQ=WEEKLY;BYDAY=SA."
    if parts.get("FREQ") not in ("DAILY", "WEEKLY", "MONTHLY", "YEARLY"):
        raise entry.error(f"'{text}' does not say on which days (FREQ=...).", remedy)
    if parts.get("INTERVAL", "1").strip("0") == "":
        raise entry.error("INTERVAL=0 never comes to an end.", remedy)
    try:
        rrulestr(text, dtstart=_ANY_DAY)
    except (ValueError, TypeError) as error:
        raise entry.error(f"'{text}' is not a recurrence.", remedy, f"The parser says: {error}.") from error


def check_timezone(entry: Entry) -> None:
    """Refuse what is no time zone."""
    try:
        ZoneInfo(entry.text())
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        remedy = closest(entry.text(), available_timezones()) or "Write an IANA name such as Europe/Berlin."
        raise entry.error(f"There is no time zone '{entry.text()}'.", remedy) from error


class Resolver:
    """Finds the VM that a name or id speaks of."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._ids = {found for ids in names.values() for found in ids}

    def vm(self, entry: Entry) -> ResourceId:
        """Return the one VM of that name or id."""
        written = entry.text()
        found = (resource_id(entry),) if written.startswith("/") else self._names.get(written.lower(), ())
        if len(found) > 1:
            candidates = "Candidates: " + ", ".join(str(candidate) for candidate in found)
            problem = f"'{written}' is the name of {len(found)} VMs."
            raise entry.error(problem, "Write the full resource id.", candidates)
        if not found or found[0] not in self._ids:
            remedy = closest(written.rpartition("/")[2], sorted(self._names))
            raise entry.error(
                f"The estate has no VM '{written}'.", remedy or "Write the name of one of its VMs."
            )
        return found[0]


def resource_id(entry: Entry, kind: str = "") -> ResourceId:
    """Read the full id of a resource, of a type if one is given."""
    found = ResourceId(entry.text())
    if not found.subscription or "/providers/" not in found.key or (kind and found.type != kind.lower()):
        example = "/subscriptions/<id>/resourceGroups/<group>/providers/" + (kind or "<type>") + "/<name>"
        raise entry.error(f"'{entry.text()}' is not such a resource's id.", f"Write it in full: {example}")
    return found


def scope_id(entry: Entry) -> ResourceId:
    """Read a scope: a subscription, a resource group, a resource, or a management group."""
    found = ResourceId(entry.text())
    if not found.subscription and "/managementgroups/" not in found.key:
        remedy = "Write it in full: /subscriptions/<id>[/resourceGroups/<group>[/providers/<type>/<name>]]"
        raise entry.error(f"'{entry.text()}' is no scope.", remedy)
    return found


def text_of(fields: Mapping[str, Entry], key: str) -> str:
    """Return the text under a key, or an empty one."""
    return fields[key].text() if key in fields else ""


def texts_of(fields: Mapping[str, Entry], key: str) -> tuple[str, ...]:
    """Return the texts under a key, or none."""
    return fields[key].texts() if key in fields else ()


_ANY_DAY = datetime(2000, 1, 1)  # noqa: DTZ001  a recurrence is local to its window's zone
