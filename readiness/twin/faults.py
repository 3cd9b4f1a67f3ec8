"""Scripted trouble: what the twin is told to do wrong, where and when.

A faults file is `{"format": "readiness/faults/1", "faults": [...]}`. Each fault has a `kind`:

* `fail`: the nth call of an operation on a matching resource is refused (`at: begin`), or is accepted and its
  long-running operation ends Failed (`at: end`).
* `throttle`: the nth call is answered 429 with a Retry-After.
* `agent-silent`: after a boot the machine runs, but its agent never reports Ready: while a security type is
  set (`while_security_type`), while Secure Boot is on (`while_secure_boot`), or for the first `boots` boots.

Guarantees: faults hold no state; the same calls in the same order meet the same trouble. A retry is a call
and counts. What a file gets wrong is a `FaultFileError` that names the place and the remedy.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal, TypeAlias

FORMAT = "readiness/faults/1"

OPERATIONS = (
    "virtualMachines/write",
    "virtualMachines/start",
    "virtualMachines/deallocate",
    "virtualMachines/powerOff",
    "disks/write",
    "snapshots/write",
    "snapshots/delete",
)

# Learn, "Troubleshoot allocation failures": the message a start meets when the region is short of capacity.
_ALLOCATION = (
    409,
    "AllocationFailed",
    "Allocation failed. We do not have sufficient capacity for the requested VM size in this region. Read "
    "more about improving likelihood of allocation success at https://aka.ms/allocation-guidance",
)
_REFUSED = (409, "OperationNotAllowed", "The operation is not allowed at this time. Please try again later.")


class FaultFileError(ValueError):
    """A faults file that cannot be understood, with the place and a remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail:
    """A call that is refused, or an operation that ends badly."""

    operation: str
    resource: str = "*"
    nth: int = 1
    times: int = 1
    at: Literal["begin", "end"] = "begin"
    status: int
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """A call that is answered 429."""

    operation: str
    resource: str = "*"
    nth: int = 1
    times: int = 1
    retry_after: float = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSilent:
    """A boot after which the agent stays silent."""

    resource: str = "*"
    while_security_type: str | None = None
    while_secure_boot: bool | None = None
    boots: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    """A boot, as faults see it."""

    resource_id: str
    nth: int
    security_type: str
    has_secure_boot: bool


Fault = Fail | Throttle | AgentSilent


class Faults:
    """All scripted trouble of a twin."""

    def __init__(self, faults: tuple[Fault, ...] = ()) -> None:
        self.faults = faults

    @classmethod
    def parse(cls, document: object) -> "Faults":
        """Read a faults document."""
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise FaultFileError(f'format: not a faults file; it starts with "format": "{FORMAT}"')
        entries = document.get("faults")
        if not isinstance(entries, list):
            raise FaultFileError("faults: missing; give a list of faults, which may be empty")
        return cls(tuple(_fault(f"faults[{index}]", entry) for index, entry in enumerate(entries)))

    def refusal(self, operation: str, resource_id: str, nth: int) -> Fail | Throttle | None:
        """Return the trouble that meets the nth such call at once."""
        for fault in self.faults:
            if isinstance(fault, AgentSilent) or (isinstance(fault, Fail) and fault.at == "end"):
                continue
            if _meets(fault, operation, resource_id, nth):
                return fault
        return None

    def ending(self, operation: str, resource_id: str, nth: int) -> Fail | None:
        """Return the trouble in which the nth such operation ends."""
        for fault in self.faults:
            if isinstance(fault, Fail) and fault.at == "end" and _meets(fault, operation, resource_id, nth):
                return fault
        return None

    def silences(self, boot: Boot) -> bool:
        """Tell whether the agent stays silent after this boot."""
        return any(isinstance(fault, AgentSilent) and _silences(fault, boot) for fault in self.faults)


def _meets(fault: Fail | Throttle, operation: str, resource_id: str, nth: int) -> bool:
    return (
        fault.nth <= nth < fault.nth + fault.times
        and fnmatchcase(operation.lower(), fault.operation.lower())
        and _names(fault.resource, resource_id)
    )


def _names(pattern: str, resource_id: str) -> bool:
    folded, wanted = resource_id.lower(), pattern.lower()
    return fnmatchcase(folded.rsplit("/", 1)[-1], wanted) or fnmatchcase(folded, wanted)


def _silences(fault: AgentSilent, boot: Boot) -> bool:
    wanted = fault.while_security_type
    return (
        _names(fault.resource, boot.resource_id)
        and (wanted is None or wanted.lower() == boot.security_type.lower())
        and (fault.while_secure_boot is None or fault.while_secure_boot == boot.has_secure_boot)
        and (fault.boots is None or boot.nth <= fault.boots)
    )


_Types: TypeAlias = type | tuple[type, ...]

_TIMES: dict[str, _Types] = {"operation": str, "resource": str, "nth": int, "times": int}
_FIELDS: dict[str, dict[str, _Types]] = {
    "fail": _TIMES | {"at": str, "status": int, "code": str, "message": str},
    "throttle": _TIMES | {"retry_after": (int, float)},
    "agent-silent": {"resource": str, "while_security_type": str, "while_secure_boot": bool, "boots": int},
}


def _fault(place: str, entry: object) -> Fault:
    if not isinstance(entry, dict):
        raise FaultFileError(f"{place}: not an object; a fault is an object with a kind")
    fields: dict[str, Any] = dict(entry)
    kind = fields.pop("kind", None)
    if not isinstance(kind, str) or kind not in _FIELDS:
        raise FaultFileError(f"{place}.kind: {kind!r} is unknown; use one of {', '.join(_FIELDS)}")
    for name, value in fields.items():
        _check_field(f"{place}.{name}", _FIELDS[kind].get(name), value, known=_FIELDS[kind])
    if kind == "agent-silent":
        return AgentSilent(**fields)
    _check_operation(place, fields.get("operation"))
    return Throttle(**fields) if kind == "throttle" else _fail(place, fields)


def _check_field(place: str, wanted: _Types | None, value: object, *, known: dict[str, Any]) -> None:
    if wanted is None:
        raise FaultFileError(f"{place}: unknown; this kind of fault has {', '.join(known)}")
    is_number_as_bool = isinstance(value, bool) and wanted is not bool
    if is_number_as_bool or not isinstance(value, wanted):
        raise FaultFileError(f"{place}: {value!r} has the wrong type; see the faults format")
    if isinstance(value, int | float) and not isinstance(value, bool) and value < 1:
        raise FaultFileError(f"{place}: {value!r} is too small; give 1 or more")


def _check_operation(place: str, operation: object) -> None:
    if not isinstance(operation, str):
        raise FaultFileError(f"{place}.operation: missing; use one of {', '.join(OPERATIONS)}")
    if not any(fnmatchcase(known.lower(), operation.lower()) for known in OPERATIONS):
        raise FaultFileError(
            f"{place}.operation: {operation!r} is not modelled; use one of {', '.join(OPERATIONS)}"
        )


def _fail(place: str, fields: dict[str, Any]) -> Fail:
    if fields.get("at", "begin") not in ("begin", "end"):
        raise FaultFileError(f"{place}.at: {fields['at']!r} is unknown; use begin or end")
    if not 400 <= fields.get("status", 409) <= 599:  # noqa: PLR2004 - the range HTTP gives to errors
        raise FaultFileError(f"{place}.status: {fields['status']} is no error; use 400 to 599")
    is_start = fields["operation"].lower().endswith("/start")
    status, code, message = _ALLOCATION if is_start else _REFUSED
    defaults: dict[str, Any] = {"status": status, "code": code, "message": message}
    return Fail(**defaults | fields)
