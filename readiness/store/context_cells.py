"""One column of the context workbook: what its cells mean, and how each kind of cell is checked."""

from collections.abc import Callable
from datetime import timedelta
from enum import Enum

from msgspec import Struct

from readiness.model.ids import ResourceId
from readiness.store.context_access import addresses, object_id, user_identity
from readiness.store.context_values import (
    Resolver,
    check_rrule,
    check_timezone,
    confidence,
    covered_id,
    resource_id,
    size_name,
)
from readiness.store.marked_yaml import Entry

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
    begins: tuple[str, ...] = ()
    """What a cell begins with: whoever writes something else is asked whether it is meant."""


class Sheet(Struct, frozen=True, kw_only=True):
    """One sheet: the section of the context that it fills."""

    title: str
    section: str
    columns: tuple[Column, ...]
    needs_match: bool = False


def as_text(entry: Entry, _resolver: Resolver) -> object:
    """Return a cell as text."""
    return entry.text()


def as_date(entry: Entry, _resolver: Resolver) -> object:
    """Return a cell as a day."""
    return entry.date()


def as_time(entry: Entry, _resolver: Resolver) -> object:
    """Return a cell as a time of day."""
    return entry.time()


def as_flag(entry: Entry, _resolver: Resolver) -> object:
    """Return a cell as true or false."""
    return entry.flag()


def as_duration(entry: Entry, _resolver: Resolver) -> object:
    """Return a cell as a length of time that is not nothing."""
    found = entry.duration()
    if found <= timedelta(0):
        raise entry.error("The window has no length.", "Write how long it lasts, such as PT6H.")
    return found


def as_recurrence(entry: Entry, _resolver: Resolver) -> object:
    """Check that a cell is a recurrence of RFC 5545."""
    check_rrule(entry)
    return entry


def as_zone(entry: Entry, _resolver: Resolver) -> object:
    """Check that a cell is a time zone of IANA."""
    check_timezone(entry)
    return entry


def as_vm(entry: Entry, resolver: Resolver) -> object:
    """Return the VM that a cell names."""
    return resolver.vm(entry)


def as_covered_id(entry: Entry, _resolver: Resolver) -> ResourceId:
    """Return a cell as the id of a VM, or of what holds VMs."""
    return covered_id(entry)


def as_key_set(entry: Entry, _resolver: Resolver) -> ResourceId:
    """Return a cell as the id of a disk encryption set."""
    return resource_id(entry, "Microsoft.Compute/diskEncryptionSets")


def as_tag(entry: Entry, _resolver: Resolver) -> object:
    """Return the value of a tag that a cell writes as name=value."""
    name, sign, value = entry.text().partition("=")
    if not (name.strip() and sign):
        raise entry.error(f"'{entry.text()}' is no tag.", "Write name=value.")
    return value


def as_share(entry: Entry, _resolver: Resolver) -> object:
    """Return a cell as a number from 0 to 1."""
    return confidence(entry)


def as_identity(entry: Entry, _resolver: Resolver) -> object:
    """Return a cell as the id of a user-assigned identity."""
    return user_identity(entry)


def as_group(entry: Entry, _resolver: Resolver) -> object:
    """Return a cell as an object id of Entra."""
    return object_id(entry)


def as_network(entry: Entry, _resolver: Resolver) -> object:
    """Return a cell as a network."""
    return addresses(entry)


def as_size(entry: Entry, _resolver: Resolver) -> object:
    """Return a cell as the name of a VM size."""
    return size_name(entry)


def one_of(kinds: type[Enum]) -> Check:
    """Return the check that a cell is one of the words of an enumeration."""

    def check(entry: Entry, _resolver: Resolver) -> object:
        return entry.kind(kinds)

    return check


def words_of(kinds: type[Enum]) -> tuple[str, ...]:
    """Return the words of an enumeration."""
    return tuple(str(member.value) for member in kinds)


def column(title: str, key: str, meaning: str, example: str, check: Check = as_text) -> Column:
    """Return a column that may stay empty."""
    return Column(title=title, key=key, meaning=meaning, example=example, check=check)


def needed(title: str, key: str, meaning: str, example: str, check: Check = as_text) -> Column:
    """Return a column that has to be filled."""
    return Column(title=title, key=key, meaning=meaning, example=example, check=check, required=True)


def several(title: str, key: str, meaning: str, example: str, check: Check = as_text) -> Column:
    """Return a column whose cells may hold several values."""
    return Column(title=title, key=key, meaning=meaning, example=example, check=check, is_list=True)


def choice(title: str, key: str, meaning: str, choices: tuple[str, ...], check: Check) -> Column:
    """Return a column with the words that it takes."""
    return Column(title=title, key=key, meaning=meaning, example=choices[0], check=check, choices=choices)
