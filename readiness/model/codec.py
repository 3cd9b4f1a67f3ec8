"""Model values to canonical JSON and back. The only codec: plans, journals and reports all use it.

Canonical means: the same value always gives the same bytes, so that a digest over them means something.
"""

from typing import Any, TypeVar

import msgspec

from readiness.model.ids import ResourceId

T = TypeVar("T")


def encode(value: object) -> bytes:
    """Return the value as compact canonical JSON."""
    return _ENCODER.encode(value)


def encode_pretty(value: object) -> bytes:
    """Return the value as JSON for people, two spaces a level."""
    return msgspec.json.format(encode(value), indent=2) + b"\n"


def decode(data: bytes | str, kind: type[T]) -> T:
    """Return the value of that kind.

    Raises:
        msgspec.DecodeError: The data is not JSON, or not of that kind; the message names the place.
    """
    return msgspec.json.decode(data, type=kind, dec_hook=_read)


def to_builtins(value: object) -> Any:
    """Return the value as plain dicts, lists and scalars."""
    return msgspec.to_builtins(value, enc_hook=_write)


def _write(value: object) -> str:
    if isinstance(value, ResourceId):
        return value.text
    raise NotImplementedError(f"no JSON form for {type(value).__name__}")


def _read(kind: type[Any], value: object) -> object:
    if kind is ResourceId:
        if isinstance(value, str):
            return ResourceId(value)
        raise ValueError(f"expected a resource id, got {type(value).__name__}")
    raise NotImplementedError(f"no model form for {kind.__name__}")


_ENCODER = msgspec.json.Encoder(enc_hook=_write, order="deterministic")
