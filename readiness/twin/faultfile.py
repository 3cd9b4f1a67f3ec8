"""Faults files: what stands in them, checked key by key.

Guarantees: what a file gets wrong is a `FaultFileError` that names the place and the remedy. `schema` says
the same as a JSON schema, made from the same table.
"""

import json
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

from readiness.twin.documents import Json
from readiness.twin.troubles import (
    ALLOCATION,
    FOREVER,
    REFUSED,
    AgentSilent,
    BootFails,
    Changed,
    Denied,
    Fail,
    KeyLost,
    Lost,
    NoHeaders,
    Reset,
    Slow,
    SnapshotQuota,
    Stuck,
    Throttle,
    Trouble,
)

FORMAT = "readiness/faults/1"

_Types: TypeAlias = type | tuple[type, ...]
_NUMBER: _Types = (int, float)
_AIM: dict[str, _Types] = {
    "operation": str,
    "resource": str,
    "nth": int,
    "times": int,
    "probability": _NUMBER,
}
_BOOT: dict[str, _Types] = {
    "resource": str,
    "while_security_type": str,
    "while_secure_boot": bool,
    "boots": int,
}
_FAIL: dict[str, _Types] = {"status": int, "code": str, "message": str}
_KINDS: dict[str, tuple[type[Any], dict[str, _Types]]] = {
    "fail": (Fail, _AIM | {"at": str} | _FAIL),
    "server-error": (Fail, _AIM | _FAIL),
    "capacity": (Fail, _AIM | {"at": str, "size": str} | _FAIL),
    "throttle": (Throttle, _AIM | {"retry_after": _NUMBER}),
    "denied": (Denied, _AIM),
    "reset": (Reset, _AIM),
    "lost-answer": (Lost, _AIM),
    "slow": (Slow, _AIM | {"factor": _NUMBER}),
    "stuck": (Stuck, _AIM),
    "no-headers": (NoHeaders, _AIM),
    "changed": (Changed, _AIM | {"change": dict}),
    "snapshot-quota": (SnapshotQuota, {"resource": str, "limit": int}),
    "key-lost": (KeyLost, {"resource": str, "operation": str, "nth": int}),
    "agent-silent": (AgentSilent, _BOOT),
    "boot-fails": (BootFails, _BOOT),
}
_REQUIRED = {"changed": ("change",)}
_WITHOUT_OPERATION = {"agent-silent", "boot-fails", "snapshot-quota", "key-lost", "capacity"}
_DEFAULTS: dict[str, Json] = {
    "server-error": {
        "status": 503,
        "code": "ServiceUnavailable",
        "message": "The service is temporarily unavailable. Please try again later.",
    },
    "capacity": {
        "operation": "virtualMachines/start",
        "status": ALLOCATION[0],
        "code": ALLOCATION[1],
        "message": ALLOCATION[2],
    },
}


class FaultFileError(ValueError):
    """A faults file that cannot be understood, with the place and a remedy."""


def read(document: object, *, operations: tuple[str, ...]) -> tuple[tuple[Trouble, ...], int]:
    """Read a faults document: its faults, and the seed its chances are drawn from."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise FaultFileError(f'format: not a faults file; it starts with "format": "{FORMAT}"')
    unknown = sorted(set(map(str, document)) - {"format", "faults", "seed"})
    if unknown:
        raise FaultFileError(f"{unknown[0]}: unknown; a faults file has format, seed and faults")
    seed = document.get("seed", 0)
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise FaultFileError(f"seed: {seed!r} is no whole number; give one, or leave it out")
    entries = document.get("faults")
    if not isinstance(entries, list):
        raise FaultFileError("faults: missing; give a list of faults, which may be empty")
    faults = (_fault(f"faults[{index}]", entry, operations) for index, entry in enumerate(entries))
    return tuple(faults), seed


def schema() -> Json:
    """Return the JSON schema of a faults file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Faults: scripted trouble for a twin",
        "type": "object",
        "required": ["format", "faults"],
        "additionalProperties": False,
        "properties": {
            "format": {"const": FORMAT},
            "seed": {"type": "integer"},
            "faults": {"type": "array", "items": {"oneOf": [_schema_of(kind) for kind in _KINDS]}},
        },
    }


def _schema_of(kind: str) -> Json:
    properties: Json = {"kind": {"const": kind}}
    properties |= {name: _schema_of_field(name, wanted) for name, wanted in _KINDS[kind][1].items()}
    required = ["kind", *(() if kind in _WITHOUT_OPERATION else ("operation",)), *_REQUIRED.get(kind, ())]
    return {"type": "object", "required": required, "additionalProperties": False, "properties": properties}


def _schema_of_field(name: str, wanted: _Types) -> Json:
    words = {str: "string", int: "integer", bool: "boolean", dict: "object", _NUMBER: "number"}
    said: Json = {"type": words[wanted]}
    if name == "at":
        return {"enum": ["begin", "end"]}
    if name == "status":
        return said | {"minimum": 400, "maximum": 599}
    if name == "probability":
        return said | {"exclusiveMinimum": 0, "maximum": 1}
    return said | {"minimum": _least(name)} if wanted in (int, _NUMBER) else said


def _least(name: str) -> int:
    return 0 if name == "limit" else 1


def _fault(place: str, entry: object, operations: tuple[str, ...]) -> Trouble:
    if not isinstance(entry, dict):
        raise FaultFileError(f"{place}: not an object; a fault is an object with a kind")
    given: dict[str, Any] = dict(entry)
    kind = given.pop("kind", None)
    if not isinstance(kind, str) or kind not in _KINDS:
        raise FaultFileError(f"{place}.kind: {kind!r} is unknown; use one of {', '.join(_KINDS)}")
    made, known = _KINDS[kind]
    for name, value in given.items():
        _check_field(f"{place}.{name}", name, known.get(name), value, known=known)
    for name in _REQUIRED.get(kind, ()):
        if name not in given:
            raise FaultFileError(f"{place}.{name}: missing; this kind of fault needs it")
    if "operation" in known and (kind not in _WITHOUT_OPERATION or "operation" in given):
        _check_operation(place, given.get("operation"), operations)
    if "probability" in given:
        given.setdefault("times", FOREVER)  # each call has its own chance
    given = _DEFAULTS.get(kind, {}) | given
    fault: Trouble = _fail(place, given) if made is Fail else made(**given)
    return fault


def _check_field(place: str, name: str, wanted: _Types | None, value: object, *, known: Json) -> None:
    if wanted is None:
        raise FaultFileError(f"{place}: unknown; this kind of fault has {', '.join(known)}")
    is_number_as_bool = isinstance(value, bool) and wanted is not bool
    if is_number_as_bool or not isinstance(value, wanted):
        raise FaultFileError(f"{place}: {value!r} has the wrong type; see the faults format")
    if name == "change" and not _is_json(value):
        raise FaultFileError(f"{place}: holds what JSON cannot say; quote dates and times")
    if not isinstance(value, int | float) or isinstance(value, bool):
        return
    if name == "probability":
        if not 0 < value <= 1:
            raise FaultFileError(f"{place}: {value!r} is no probability; give more than 0 and at most 1")
    elif value < _least(name):
        raise FaultFileError(f"{place}: {value!r} is too small; give {_least(name)} or more")


def _is_json(value: object) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True


def _check_operation(place: str, operation: object, operations: tuple[str, ...]) -> None:
    if not isinstance(operation, str):
        raise FaultFileError(f"{place}.operation: missing; use one of {', '.join(operations)}")
    if operation.lower().endswith("/read"):
        return  # every type can be read, whether or not it can be written
    if not any(fnmatchcase(known.lower(), operation.lower()) for known in operations):
        raise FaultFileError(
            f"{place}.operation: {operation!r} is not modelled; use one of {', '.join(operations)}"
        )


def _fail(place: str, given: dict[str, Any]) -> Fail:
    if given.get("at", "begin") not in ("begin", "end"):
        raise FaultFileError(f"{place}.at: {given['at']!r} is unknown; use begin or end")
    if not 400 <= given.get("status", 409) <= 599:  # noqa: PLR2004 - the range HTTP gives to errors
        raise FaultFileError(f"{place}.status: {given['status']} is no error; use 400 to 599")
    is_start = given["operation"].lower().endswith("/start")
    status, code, message = ALLOCATION if is_start else REFUSED
    defaults: dict[str, Any] = {"status": status, "code": code, "message": message}
    return Fail(**defaults | given)
