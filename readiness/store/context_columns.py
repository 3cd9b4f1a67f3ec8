"""The context workbook as data: its sheets and columns, what they mean, and how each cell is checked.

The template and the reader both come from these tables, so that they cannot disagree.
"""

from collections.abc import Callable
from datetime import timedelta
from enum import Enum

from msgspec import Struct

from readiness.model.context import Criticality, Environment, IdentityKind
from readiness.model.ids import ResourceId
from readiness.model.plan_parts import Strictness
from readiness.model.verdict import Dimension
from readiness.store.context_values import (
    Resolver,
    check_rrule,
    check_timezone,
    confidence,
    covered_id,
    resource_id,
)
from readiness.store.marked_yaml import Entry

FORMAT = "readiness/context-workbook/1"
README = "Read me"
Check = Callable[[Entry, Resolver], object]


class Column(Struct, frozen=True, kw_only=True):
    """One column: its title, the key in the context that it fills, and how a cell is checked."""

    title: str
    key: str
    """Dots lead into mappings: `owner.name`, `match.tags`."""
    meaning: str
    example: str
    check: Check
    required: bool = False
    choices: tuple[str, ...] = ()
    is_list: bool = False
    """Several values in one cell, one a line or with semicolons between."""


class Sheet(Struct, frozen=True, kw_only=True):
    """One sheet: the section of the context that it fills."""

    title: str
    section: str
    columns: tuple[Column, ...]
    needs_match: bool = False


def _text(entry: Entry, _resolver: Resolver) -> object:
    return entry.text()


def _date(entry: Entry, _resolver: Resolver) -> object:
    return entry.date()


def _time(entry: Entry, _resolver: Resolver) -> object:
    return entry.time()


def _flag(entry: Entry, _resolver: Resolver) -> object:
    return entry.flag()


def _duration(entry: Entry, _resolver: Resolver) -> object:
    found = entry.duration()
    if found <= timedelta(0):
        raise entry.error("The window has no length.", "Write how long it lasts, such as PT6H.")
    return found


def _rrule(entry: Entry, _resolver: Resolver) -> object:
    check_rrule(entry)
    return entry


def _zone(entry: Entry, _resolver: Resolver) -> object:
    check_timezone(entry)
    return entry


def _vm(entry: Entry, resolver: Resolver) -> object:
    return resolver.vm(entry)


def _id(entry: Entry, _resolver: Resolver) -> ResourceId:
    return covered_id(entry)


def _key_set(entry: Entry, _resolver: Resolver) -> ResourceId:
    return resource_id(entry, "Microsoft.Compute/diskEncryptionSets")


def _tag(entry: Entry, _resolver: Resolver) -> object:
    name, sign, value = entry.text().partition("=")
    if not (name.strip() and sign):
        raise entry.error(f"'{entry.text()}' is no tag.", "Write name=value.")
    return value


def _share(entry: Entry, _resolver: Resolver) -> object:
    return confidence(entry)


def _kind(kinds: type[Enum]) -> Check:
    def check(entry: Entry, _resolver: Resolver) -> object:
        return entry.kind(kinds)

    return check


def _enumerated(kinds: type[Enum]) -> tuple[str, ...]:
    return tuple(str(member.value) for member in kinds)


_TRUTH = ("true", "false")
_NAMES = Column(
    title="VM names",
    key="match.names",
    meaning="Names of VMs; * and ? stand for anything. * alone is every VM.",
    example="sf-web-*",
    check=_text,
    is_list=True,
)
_MATCH = (
    _NAMES,
    Column(
        title="Resource groups",
        key="match.resource_groups",
        meaning="Names of resource groups.",
        example="rg-storefront",
        check=_text,
        is_list=True,
    ),
    Column(
        title="Tags",
        key="match.tags",
        meaning="Tags as name=value; all of them have to be there.",
        example="role=web",
        check=_tag,
        is_list=True,
    ),
    Column(
        title="VM ids",
        key="match.ids",
        meaning="Full ids of VMs, or of subscriptions and resource groups: then of every VM in them.",
        example="/subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.Compute/virtualMachines/<name>",
        check=_id,
        is_list=True,
    ),
)
_WIDE_MATCH = (
    *_MATCH,
    Column(
        title="Applications",
        key="match.applications",
        meaning="Names from the sheet Applications.",
        example="Storefront",
        check=_text,
        is_list=True,
    ),
)


def _column(title: str, key: str, meaning: str, example: str, check: Check = _text) -> Column:
    return Column(title=title, key=key, meaning=meaning, example=example, check=check)


def _needed(title: str, key: str, meaning: str, example: str, check: Check = _text) -> Column:
    return Column(title=title, key=key, meaning=meaning, example=example, check=check, required=True)


def _choice(title: str, key: str, meaning: str, choices: tuple[str, ...], check: Check) -> Column:
    return Column(title=title, key=key, meaning=meaning, example=choices[0], check=check, choices=choices)


SHEETS = (
    Sheet(
        title="Applications",
        section="applications",
        needs_match=True,
        columns=(
            _needed("Name", "name", "The application's name; each only once.", "Storefront"),
            _needed("Owner", "owner.name", "Who answers for it.", "Mirelle Okonjo-Tarn"),
            _column("Owner's email", "owner.email", "Where to reach the owner.", "owner@example.com"),
            _choice(
                "Criticality",
                "criticality",
                "How much hangs on it; medium if empty.",
                _enumerated(Criticality),
                _kind(Criticality),
            ),
            _choice(
                "Environment",
                "environment",
                "Where it lives; production if empty.",
                _enumerated(Environment),
                _kind(Environment),
            ),
            Column(
                title="Windows",
                key="windows",
                meaning="Names from the sheet Windows.",
                example="weekend-night",
                check=_text,
                is_list=True,
            ),
            *_MATCH,
            Column(
                title="Over",
                key="over",
                meaning="Applications further down whose VMs it has where both match.",
                example="Platform",
                check=_text,
                is_list=True,
            ),
            _choice("May be empty", "may_be_empty", "true: it need not match a VM.", _TRUTH, _flag),
        ),
    ),
    Sheet(
        title="Windows",
        section="windows",
        columns=(
            _needed("Name", "name", "The window's name; each only once.", "weekend-night"),
            _needed("Recurrence", "rrule", "The days, as in RFC 5545.", "FREQ=WEEKLY;BYDAY=SA", _rrule),
            _needed("Start", "start", "Local time of day.", "22:00", _time),
            _needed("Duration", "duration", "ISO 8601.", "PT6H", _duration),
            _needed("Time zone", "timezone", "IANA name.", "Europe/Berlin", _zone),
        ),
    ),
    Sheet(
        title="Dependencies",
        section="dependencies",
        columns=(
            _needed("Source", "source", "The VM that needs the target: name or full id.", "sf-web-01", _vm),
            _needed("Target", "target", "The VM that is needed: name or full id.", "sf-app-01", _vm),
            _choice("Hard", "hard", "true: the target is never in a later wave.", _TRUTH, _flag),
            _choice(
                "Strict",
                "strict",
                "next-wave: the target is in an earlier wave. same-wave: as hard. none: as if not hard.",
                ("next-wave", "same-wave", "none"),
                _kind(Strictness),
            ),
            _choice("Observed", "observed", "true: seen in traffic; it binds nothing.", _TRUTH, _flag),
            _column("Evidence", "evidence", "Where it is known from.", "The runbook of 2026-09"),
            _column("Confidence", "confidence", "How sure it is, from 0 to 1; 1 if empty.", "0.8", _share),
        ),
    ),
    Sheet(
        title="Exceptions",
        section="exceptions",
        needs_match=True,
        columns=(
            _needed("Id", "id", "The exception's own id; each only once.", "EX-2026-014"),
            _choice(
                "Dimension",
                "dimension",
                "What need not be met: a dimension, or else a rule.",
                _enumerated(Dimension),
                _kind(Dimension),
            ),
            _column("Rule", "rule", "A rule's id, where no dimension is given.", "TL001"),
            *_WIDE_MATCH,
            _needed("Owner", "owner", "Who carries the risk.", "Joren Vasquelle"),
            _needed("Reason", "reason", "Why it cannot be met now.", "Its successor is ordered for 2027."),
            _needed("Approved by", "approved_by", "Who permitted it.", "Security office"),
            _needed("Expires", "expires", "The last day on which it holds.", "2027-12-31", _date),
            _column(
                "Compensating control", "compensating_control", "What protects it meanwhile.", "A firewall."
            ),
        ),
    ),
    Sheet(
        title="Targets",
        section="targets",
        needs_match=True,
        columns=(
            *_WIDE_MATCH,
            _choice(
                "Secure Boot",
                "trusted_launch.secure_boot",
                "Trusted Launch with (true) or without (false) Secure Boot; empty: not wanted here.",
                _TRUTH,
                _flag,
            ),
            _column(
                "Disk encryption set",
                "disk_encryption_set",
                "Full id; empty: platform keys stay.",
                "/subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.Compute/diskEncryptionSets/<name>",
                _key_set,
            ),
            _choice("Encryption at host", "encryption_at_host", "true or false.", _TRUTH, _flag),
            _choice(
                "Identity",
                "identity.type",
                "The identity to add.",
                _enumerated(IdentityKind),
                _kind(IdentityKind),
            ),
        ),
    ),
    Sheet(
        title="Attestations",
        section="attestations",
        needs_match=True,
        columns=(
            _needed("Control", "control", "The control's id.", "DF-4"),
            *_WIDE_MATCH,
            _needed("Owner", "owner", "Who gives their word.", "Adaeze Lindqvarn"),
            _needed("Date", "date", "When it was given.", "2026-11-02", _date),
            _needed("Expires", "expires", "The last day on which it holds.", "2027-05-02", _date),
            _needed("Statement", "statement", "What is so, in a sentence.", "Sessions are recorded."),
        ),
    ),
)
