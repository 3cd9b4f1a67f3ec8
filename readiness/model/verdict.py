"""The answer of one rule about one VM: met, unmet, unknown or not applicable, with a reason and evidence."""

from enum import StrEnum

from msgspec import Struct

from readiness.model.ids import ResourceId

JsonScalar = str | int | float | bool | None


class Dimension(StrEnum):
    """The four things a VM is brought to."""

    TRUSTED_LAUNCH = "trusted_launch"
    CMK = "cmk"
    PASSWORD_ACCESS = "password_access"  # noqa: S105  a dimension's name, no secret
    MANAGED_IDENTITY = "managed_identity"

    __hash__ = str.__hash__  # an enum's own is a Python call, and these are keys


class Status(StrEnum):
    """What a rule answered."""

    MET = "met"
    UNMET = "unmet"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not-applicable"

    __hash__ = str.__hash__


class Evidence(Struct, frozen=True):
    """Where a fact was read: the resource, the JSON path in it, and the value there."""

    resource: ResourceId
    path: str
    value: JsonScalar


class Verdict(Struct, frozen=True, kw_only=True):
    """A rule's answer. `reason` is a stable CamelCase word for machines, `detail` a sentence for people."""

    status: Status
    reason: str
    detail: str = ""
    evidence: tuple[Evidence, ...] = ()


def met(reason: str, detail: str = "", *evidence: Evidence) -> Verdict:
    """Return a verdict that the rule holds."""
    return Verdict(status=_MET, reason=reason, detail=detail, evidence=evidence)


def unmet(reason: str, detail: str = "", *evidence: Evidence) -> Verdict:
    """Return a verdict that the rule does not hold."""
    return Verdict(status=_UNMET, reason=reason, detail=detail, evidence=evidence)


def unknown(reason: str, detail: str = "", *evidence: Evidence) -> Verdict:
    """Return a verdict that a fact is missing; the detail says which, and how to get it."""
    return Verdict(status=_UNKNOWN, reason=reason, detail=detail, evidence=evidence)


def not_applicable(reason: str, detail: str = "", *evidence: Evidence) -> Verdict:
    """Return a verdict that the question does not arise for this VM."""
    return Verdict(status=_NOT_APPLICABLE, reason=reason, detail=detail, evidence=evidence)


# Python 3.11 takes ten times as long to find a member of an enumeration as a name of a module.
_MET, _UNMET, _UNKNOWN, _NOT_APPLICABLE = Status.MET, Status.UNMET, Status.UNKNOWN, Status.NOT_APPLICABLE
