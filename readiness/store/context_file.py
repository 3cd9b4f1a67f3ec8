"""Reads `context.yaml`: applications, windows, dependencies, targets and exceptions.

Guarantees that whatever refers to something refers to something that exists: windows, VMs by name,
time zones, recurrences. A VM name that two VMs carry is refused, never guessed.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from dateutil.rrule import rrulestr

from readiness.model.context import (
    Application,
    Choice,
    Context,
    Criticality,
    Dependency,
    Environment,
    IdentityChoice,
    IdentityKind,
    MaintenanceWindow,
    Match,
    Owner,
    RuleException,
    TargetEntry,
    TrustedLaunchChoice,
)
from readiness.model.ids import ResourceId
from readiness.model.verdict import Dimension
from readiness.store.marked_yaml import Entry, closest, compose

Names = Mapping[str, tuple[ResourceId, ...]]
"""Ids of the estate's VMs by name in lower case."""

FORMAT = "readiness/context/1"
_Read = TypeVar("_Read")


def parse_context(text: str, names: Names, file: str = "context.yaml") -> Context:
    """Read the text of a context file; `names` resolves the VMs that dependencies speak of."""
    root = compose(text, file)
    if root is None:
        return Context()
    _check_format(root)
    fields = root.fields("format", "applications", "windows", "dependencies", "targets", "exceptions")
    windows = _each(fields, "windows", _window)
    known = {window.name for window in windows}
    resolver = _Resolver(names)
    context = Context(
        applications=_each(fields, "applications", lambda entry: _application(entry, known)),
        windows=windows,
        dependencies=_each(fields, "dependencies", lambda entry: _dependency(entry, resolver)),
        targets=_each(fields, "targets", _target),
        exceptions=_each(fields, "exceptions", _exception),
    )
    _refuse_twins(fields, "applications", [entry.name for entry in context.applications])
    _refuse_twins(fields, "windows", [entry.name for entry in context.windows])
    _refuse_twins(fields, "exceptions", [entry.id for entry in context.exceptions])
    return context


def _check_format(root: Entry) -> None:
    declared = root.mapping().get("format")
    if declared is None:
        raise root.error("'format' is missing.", f"Begin the file with 'format: {FORMAT}'.")
    written = declared[1].text()
    if written == FORMAT:
        return
    kind, _, major = written.rpartition("/")
    if kind == FORMAT.rpartition("/")[0] and major.isdigit():
        remedy = (
            f"Use the release of readiness that writes {written}, or a newer one. This one reads {FORMAT}."
        )
        raise declared[1].error(f"'{written}' is newer than this release reads.", remedy)
    raise declared[1].error(f"'{written}' is not a format of this file.", f"Write 'format: {FORMAT}'.")


def _each(fields: Mapping[str, Entry], section: str, read: Callable[[Entry], _Read]) -> tuple[_Read, ...]:
    return tuple(read(entry) for entry in fields[section].entries()) if section in fields else ()


def _refuse_twins(fields: Mapping[str, Entry], section: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for position, name in enumerate(names):
        if name in seen:
            entry = fields[section].entries()[position]
            raise entry.error(
                f"'{name}' occurs twice under {section}.", "Give each its own name, or merge them."
            )
        seen.add(name)


def _application(entry: Entry, windows: set[str]) -> Application:
    fields = entry.fields(
        "name", "owner", "criticality", "environment", "match", "windows", required=("name", "owner", "match")
    )
    owner = fields["owner"].fields("name", "email", required=("name",))
    chosen = fields["windows"].entries() if "windows" in fields else []
    for window in chosen:
        if window.text() not in windows:
            remedy = closest(window.text(), sorted(windows)) or "Describe it under 'windows'."
            raise window.error(f"There is no window '{window.text()}'.", remedy)
    return Application(
        name=fields["name"].text(),
        owner=Owner(name=owner["name"].text(), email=_text(owner, "email")),
        match=_match(fields["match"], within_applications=True),
        criticality=fields["criticality"].kind(Criticality)
        if "criticality" in fields
        else Criticality.MEDIUM,
        environment=fields["environment"].kind(Environment)
        if "environment" in fields
        else Environment.PRODUCTION,
        windows=tuple(window.text() for window in chosen),
    )


def _match(entry: Entry, *, within_applications: bool = False) -> Match:
    known = ("ids", "names", "resource_groups", "tags", "applications")
    fields = entry.fields(*known[: -1 if within_applications else None])
    if "ids" in fields:
        for one in fields["ids"].entries():
            _resource_id(one)
    tags = fields["tags"].mapping() if "tags" in fields else {}
    return Match(
        ids=tuple(ResourceId(text) for text in _texts(fields, "ids")),
        names=_texts(fields, "names"),
        resource_groups=_texts(fields, "resource_groups"),
        tags={key: "" if value.is_empty else value.text() for key, (_, value) in tags.items()},
        applications=_texts(fields, "applications"),
    )


def _window(entry: Entry) -> MaintenanceWindow:
    keys = ("name", "rrule", "start", "duration", "timezone")
    fields = entry.fields(*keys, required=keys)
    duration = fields["duration"].duration()
    if duration <= timedelta(0):
        raise fields["duration"].error("The window has no length.", "Write how long it lasts, such as PT6H.")
    _check_rrule(fields["rrule"])
    _check_timezone(fields["timezone"])
    return MaintenanceWindow(
        name=fields["name"].text(),
        rrule=fields["rrule"].text(),
        start=fields["start"].time(),
        duration=duration,
        timezone=fields["timezone"].text(),
    )


def _check_rrule(entry: Entry) -> None:
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


def _check_timezone(entry: Entry) -> None:
    try:
        ZoneInfo(entry.text())
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        remedy = closest(entry.text(), available_timezones()) or "Write an IANA name such as Europe/Berlin."
        raise entry.error(f"There is no time zone '{entry.text()}'.", remedy) from error


def _dependency(entry: Entry, resolver: "_Resolver") -> Dependency:
    fields = entry.fields("source", "target", "hard", required=("source", "target"))
    source, target = resolver.vm(fields["source"]), resolver.vm(fields["target"])
    if source == target:
        raise entry.error(f"'{source.name}' cannot depend on itself.", "Remove the entry or name another VM.")
    return Dependency(source=source, target=target, hard=fields["hard"].flag() if "hard" in fields else False)


class _Resolver:
    """Finds the VM that a name or id speaks of."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._ids = {found for ids in names.values() for found in ids}

    def vm(self, entry: Entry) -> ResourceId:
        """Return the one VM of that name or id."""
        written = entry.text()
        found = (_resource_id(entry),) if written.startswith("/") else self._names.get(written.lower(), ())
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


def _target(entry: Entry) -> TargetEntry:
    fields = entry.fields(
        "match",
        "trusted_launch",
        "disk_encryption_set",
        "encryption_at_host",
        "identity",
        required=("match",),
    )
    return TargetEntry(match=_match(fields["match"]), choice=_choice(fields))


def _choice(fields: Mapping[str, Entry]) -> Choice:
    trusted_launch = identity = None
    if "trusted_launch" in fields:
        parts = fields["trusted_launch"].fields("secure_boot")
        trusted_launch = TrustedLaunchChoice(
            secure_boot=parts["secure_boot"].flag() if "secure_boot" in parts else True
        )
    if "identity" in fields:
        parts = fields["identity"].fields("type", required=("type",))
        identity = IdentityChoice(type=parts["type"].kind(IdentityKind))
    key = fields.get("disk_encryption_set")
    at_host = fields.get("encryption_at_host")
    return Choice(
        trusted_launch=trusted_launch,
        disk_encryption_set=_resource_id(key, "Microsoft.Compute/diskEncryptionSets") if key else None,
        encryption_at_host=at_host.flag() if at_host else None,
        identity=identity,
    )


def _exception(entry: Entry) -> RuleException:
    needed = ("id", "match", "owner", "reason", "approved_by", "expires")
    fields = entry.fields(*needed, "dimension", "rule", "compensating_control", required=needed)
    if ("dimension" in fields) == ("rule" in fields):
        raise entry.error(
            "An exception is from one dimension or one rule.", "Name either 'dimension' or 'rule'."
        )
    return RuleException(
        id=fields["id"].text(),
        match=_match(fields["match"]),
        owner=fields["owner"].text(),
        reason=fields["reason"].text(),
        approved_by=fields["approved_by"].text(),
        expires=fields["expires"].date(),
        dimension=fields["dimension"].kind(Dimension) if "dimension" in fields else None,
        rule=fields["rule"].text() if "rule" in fields else None,
        compensating_control=_text(fields, "compensating_control"),
    )


def _resource_id(entry: Entry, kind: str = "") -> ResourceId:
    found = ResourceId(entry.text())
    if not found.subscription or "/providers/" not in found.key or (kind and found.type != kind.lower()):
        example = "/subscriptions/<id>/resourceGroups/<group>/providers/" + (kind or "<type>") + "/<name>"
        raise entry.error(f"'{entry.text()}' is not such a resource's id.", f"Write it in full: {example}")
    return found


def _text(fields: Mapping[str, Entry], key: str) -> str:
    return fields[key].text() if key in fields else ""


def _texts(fields: Mapping[str, Entry], key: str) -> tuple[str, ...]:
    return fields[key].texts() if key in fields else ()


_ANY_DAY = datetime(2000, 1, 1)  # noqa: DTZ001  a recurrence is local to its window's zone
