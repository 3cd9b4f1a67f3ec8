"""The plan: frozen, hashed, and complete. Every VM of the estate is in a wave or left out, with a reason.

As JSON the VMs stand once, under `vms`; a wave's batches name them by id.
"""

import hashlib
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from readiness.model.codec import decode, encode
from readiness.model.context import Freeze, MaintenanceWindow
from readiness.model.decision import Decision
from readiness.model.ids import ResourceId
from readiness.model.plan_parts import (
    ApartGroup,
    AppWindow,
    Batch,
    Bound,
    Hub,
    LeftOut,
    Manner,
    Occurrence,
    OrderEdge,
    PlanAction,
    PlanException,
    PlannedVm,
    PlanTarget,
    Refusal,
    Strictness,
    TargetKind,
    TogetherGroup,
    Wave,
)
from readiness.model.policy import PinAnswer, Policy

__all__ = [
    "DIGEST_LENGTH",
    "ApartGroup",
    "AppWindow",
    "Batch",
    "Bound",
    "Hub",
    "LeftOut",
    "Manner",
    "Occurrence",
    "OrderEdge",
    "Plan",
    "PlanAction",
    "PlanException",
    "PlanTarget",
    "PlannedVm",
    "Refusal",
    "Strictness",
    "TargetKind",
    "TogetherGroup",
    "Wave",
    "as_json",
    "digest_as_written",
    "digest_of",
    "from_json",
    "is_understood",
]

DIGEST_LENGTH = 12
"""How many characters of the digest are shown and approved."""


class Plan(Struct, frozen=True, kw_only=True):
    """A proposal for one estate. `digest` is what an approver approves."""

    format: str = "readiness/plan/1"
    digest: str = ""
    release: str
    as_of: date
    target: PlanTarget
    inventory: int
    """Number of VMs in the estate: planned + left out."""
    waves: tuple[Wave, ...]
    left_out: tuple[LeftOut, ...]
    order: tuple[OrderEdge, ...]
    """What this plan keeps."""
    apart: tuple[ApartGroup, ...]
    lower_bound: int
    """No plan within these limits has fewer waves."""
    bound: Bound = Bound()
    proven: bool = False
    """Whether the number of waves is known to be the least."""
    solver: str = "heuristic"
    hints: tuple[OrderEdge, ...] = ()
    """Dependencies that inform and do not bind: observed ones, and those that rings and pilots outrank."""
    together: tuple[TogetherGroup, ...] = ()
    hubs: tuple[Hub, ...] = ()
    preparation: tuple[PlanAction, ...] = ()
    closure: tuple[PlanAction, ...] = ()
    unproven: tuple[str, ...] = ()
    """Strata that no pilot proves."""
    warnings: tuple[str, ...] = ()
    iac_hints: tuple[str, ...] = ()
    """What infrastructure code has to follow: a sentence for many VMs, which name it by its number."""
    pins: tuple[PinAnswer, ...] = ()
    policy: Policy = Policy()
    calendar: tuple[MaintenanceWindow, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    exceptions: tuple[PlanException, ...] = ()
    previous: str = ""
    """Digest of the plan that this one continues."""
    author: str = ""
    """Who made it, where it is for Azure itself; or who edited it after it was planned."""
    decisions: tuple[Decision, ...] = ()
    """What owners answered in their workbooks."""

    def iac_hint(self, vm: PlannedVm) -> str:
        """Return what the infrastructure code of a VM has to follow; empty where no sign of code is known."""
        return self.iac_hints[vm.iac_hint - 1] if 0 < vm.iac_hint <= len(self.iac_hints) else ""

    def wave(self, number: int) -> Wave | None:
        """Return the wave of that number."""
        return next((wave for wave in self.waves if wave.number == number), None)

    @property
    def vms(self) -> tuple[PlannedVm, ...]:
        """Every planned VM in the order of waves and batches."""
        return tuple(vm for wave in self.waves for vm in wave.vms)

    @property
    def ratio(self) -> float:
        """Return how many times the lower bound the plan has waves."""
        return len(self.waves) / self.lower_bound if self.lower_bound else 1.0

    @property
    def approval(self) -> str:
        """The part of the digest that people read out and type."""
        return self.digest[:DIGEST_LENGTH]


def digest_of(plan: Plan) -> str:
    """Return SHA-256 over the plan's canonical JSON without its digest, in hexadecimal."""
    found = hashlib.sha256()
    for piece in as_json(plan, space=b"", leave_out=("digest",)):
        found.update(piece)
    return found.hexdigest()


def digest_as_written(data: bytes) -> str:
    """Return the digest of a plan as its file has it, whatever the release that wrote it knew of plans.

    Raises:
        msgspec.DecodeError: The data is not JSON, or not of a plan's outer form.
    """
    found = hashlib.sha256()
    for piece in _as_written(msgspec.json.decode(data, type=dict[str, Raw])):
        found.update(piece)
    return found.hexdigest()


def is_understood(data: bytes, plan: Plan) -> bool:
    """Tell whether the plan that was read of a file has all it says: a later release may say more."""
    read = msgspec.json.decode(b"".join(as_json(plan, space=b"")))
    return _is_within(msgspec.json.decode(data), read)


def as_json(plan: Plan, space: bytes = b"\n", leave_out: tuple[str, ...] = ()) -> Iterator[bytes]:
    """Yield a plan's canonical JSON piece by piece: that of a large estate takes more memory than the estate.

    Args:
        plan: The plan.
        space: What stands between pieces, for people; the digest is taken without.
        leave_out: Fields that are not written.
    """
    listed: dict[str, object] = {name: getattr(plan, name) for name in plan.__struct_fields__}
    listed |= {"vms": plan.vms, "waves": tuple(_outline(wave) for wave in plan.waves)}
    opening = b"{"
    for name in sorted(listed.keys() - set(leave_out)):
        yield opening + space + encode(name) + b":"
        value = listed[name]
        if isinstance(value, tuple):
            yield from _listed(value, space)
        else:
            yield encode(value)
        opening = b","
    yield space + b"}" + space


def from_json(data: bytes) -> Plan:
    """Return the plan that was written.

    Raises:
        msgspec.DecodeError: The data is not JSON, or not of that kind; the message names the place.
    """
    outline = decode(data, _Outline)
    vms = {vm.id: vm for vm in outline.vms}
    rest = msgspec.json.decode(data, type=dict[str, Raw]) | {"vms": Raw(b"[]"), "waves": Raw(b"[]")}
    plan = decode(encode(rest), Plan)
    try:
        return replace(plan, waves=tuple(_filled(wave, vms) for wave in outline.waves))
    except KeyError as error:
        raise msgspec.ValidationError(f"a wave holds {error.args[0]}, which is not among its vms") from error


class _BatchOutline(Struct, frozen=True, kw_only=True):
    number: int
    vms: tuple[ResourceId, ...]
    start: datetime | None = None


class _WaveOutline(Wave, frozen=True, kw_only=True):
    batches: tuple[_BatchOutline, ...]  # type: ignore[assignment]


class _Outline(Struct, frozen=True, kw_only=True):
    """The part of a written plan that is laid out otherwise: each VM once, and its id in its batch."""

    waves: tuple[_WaveOutline, ...]
    vms: tuple[PlannedVm, ...]


def _outline(wave: Wave) -> _WaveOutline:
    batches = tuple(
        _BatchOutline(number=batch.number, start=batch.start, vms=tuple(vm.id for vm in batch.vms))
        for batch in wave.batches
    )
    return _WaveOutline(**{**_fields(wave), "batches": batches})


def _filled(outline: _WaveOutline, vms: dict[ResourceId, PlannedVm]) -> Wave:
    batches = tuple(
        Batch(number=batch.number, start=batch.start, vms=tuple(vms[vm] for vm in batch.vms))
        for batch in outline.batches
    )
    return Wave(**{**_fields(outline), "batches": batches})


def _fields(wave: Wave) -> dict[str, Any]:
    return {name: getattr(wave, name) for name in wave.__struct_fields__}


def _as_written(document: dict[str, Raw]) -> Iterator[bytes]:
    """Yield a document in pieces, without its layout and its digest: keys in order, lists entry by entry."""
    opening = b"{"
    for name in sorted(document.keys() - {"digest"}):
        yield opening + encode(name) + b":"
        raw = bytes(document[name])
        if raw.startswith(b"["):
            entries = msgspec.json.decode(raw, type=list[Raw])
            for number, entry in enumerate(entries):
                yield (b"," if number else b"[") + msgspec.json.encode(msgspec.json.decode(entry))
            yield b"]" if entries else b"[]"
        else:
            yield msgspec.json.encode(msgspec.json.decode(raw))
        opening = b","
    yield b"}"


def _is_within(written: object, read: object) -> bool:
    if isinstance(written, dict) and isinstance(read, dict):
        return all(name in read and _is_within(value, read[name]) for name, value in written.items())
    if isinstance(written, list) and isinstance(read, list):
        return len(written) == len(read) and all(map(_is_within, written, read))
    return written == read


def _listed(values: tuple[object, ...], space: bytes) -> Iterator[bytes]:
    opening = b"["
    for value in values:
        yield opening + space + encode(value)
        opening = b","
    yield (b"[" if not values else space) + b"]"
