"""Values that occur in many places of a context: matches, resource ids, VMs by name, recurrences, zones."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from dateutil.rrule import rrulestr
from msgspec import Struct

from readiness.model.context import Match, SecureBoot
from readiness.model.ids import ResourceId
from readiness.store.dependency_values import NO_CONFIDENCE, confidence_of
from readiness.store.marked_yaml import Entry, closest

Names = Mapping[str, tuple[ResourceId, ...]]
"""Ids of the estate's VMs by name in lower case."""


class Words(Struct, frozen=True, kw_only=True):
    """The words that a context may name; those that are None are not known here, and not checked."""

    rules: tuple[str, ...] | None = None
    controls: tuple[str, ...] | None = None
    playbooks: tuple[str, ...] | None = None
    applications: tuple[str, ...] | None = None
    """The applications of the same context."""

    def rule(self, entry: Entry) -> str:
        """Return the id of a rule or a control."""
        known = None if self.rules is None else (*self.rules, *(self.controls or ()))
        return _known(entry, known, "rule or control", "Their ids are in rules.md and controls.md.")

    def control(self, entry: Entry) -> str:
        """Return the id of a control."""
        return _known(entry, self.controls, "control", "Their ids are in controls.md.")

    def playbook(self, entry: Entry) -> str:
        """Return the id of a playbook."""
        return _known(entry, self.playbooks, "playbook", "Their ids are in playbooks.md.")

    def application(self, entry: Entry) -> str:
        """Return the name of an application."""
        return _known(entry, self.applications, "application", "Describe it under 'applications'.")


def _known(entry: Entry, known: Sequence[str] | None, kind: str, elsewhere: str) -> str:
    word = entry.text()
    if known is None or word in known:
        return word
    near = get_close_matches(word, known, n=3, cutoff=0.5)
    remedy = f"Did you mean {', '.join(near)}?" if near else closest(word, sorted(known)) or elsewhere
    raise entry.error(f"There is no {kind} '{word}'.", remedy)


def match_of(entry: Entry, words: Words, *, within_applications: bool = False) -> Match:
    """Read which VMs an entry speaks of; applications are not yet known within their own section."""
    known = ("ids", "names", "resource_groups", "tags", "applications")
    fields = entry.fields(*known[: -1 if within_applications else None])
    ids = fields["ids"].entries() if "ids" in fields else []
    applications = fields["applications"].entries() if "applications" in fields else []
    tags = fields["tags"].mapping() if "tags" in fields else {}
    return Match(
        ids=tuple(covered_id(one) for one in ids),
        names=texts_of(fields, "names"),
        resource_groups=texts_of(fields, "resource_groups"),
        tags={key: "" if value.is_empty else value.text() for key, (_, value) in tags.items()},
        applications=tuple(words.application(one) for one in applications),
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


def confidence(entry: Entry) -> float:
    """Read how sure something is."""
    try:
        return confidence_of(entry.text())
    except ValueError as error:
        raise entry.error(f"'{entry.text()}' is no confidence.", NO_CONFIDENCE) from error


def secure_boot(entry: Entry) -> SecureBoot:
    """Read a choice of Secure Boot: `on`, `off` or `staged`; `true` and `false` say the first two."""
    plain = {"true": SecureBoot.ON, "false": SecureBoot.OFF}
    return plain.get(entry.text().lower()) or entry.kind(SecureBoot)


def size_names(entry: Entry) -> tuple[str, ...]:
    """Read names of VM sizes, in the order in which they are to be tried."""
    found: dict[str, str] = {}
    for one in entry.entries():
        name = size_name(one)
        if name.lower() in found:
            raise one.error(f"'{name}' stands here twice.", "Name each size once.")
        found[name.lower()] = name
    return tuple(found.values())


def size_name(entry: Entry) -> str:
    """Read the name of a VM size."""
    name = entry.text()
    if not _SIZE.fullmatch(name):
        raise entry.error(f"'{name}' is no VM size.", "Write its full name, such as Standard_D4s_v5.")
    return name


class Resolver:
    """Finds the VM that a name or id speaks of, and knows the words that may be named."""

    def __init__(self, names: Names, words: Words) -> None:
        self.words = words
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


def covered_id(entry: Entry) -> ResourceId:
    """Read the full id of a subscription, of a resource group, or of a resource."""
    found = ResourceId(entry.text())
    parts = found.key.split("/")[1:]
    is_scope = len(parts) in _SCOPE_LENGTHS and parts[:1] == ["subscriptions"] and all(parts)
    if is_scope and parts[2:3] in ([], ["resourcegroups"]):
        return found
    if not found.subscription or "/providers/" not in found.key or not all(parts):
        remedy = "Write it in full: /subscriptions/<id>[/resourceGroups/<group>[/providers/<type>/<name>]]"
        problem = f"'{entry.text()}' is the id of no subscription, resource group or resource."
        raise entry.error(problem, remedy)
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


_SCOPE_LENGTHS = (2, 4)
_SIZE = re.compile(r"(?i)(standard|basic)_[a-z0-9][a-z0-9_-]*")
_ANY_DAY = datetime(2000, 1, 1)  # noqa: DTZ001  a recurrence is local to its window's zone
