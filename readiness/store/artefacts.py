"""Plans and workbooks on disk: written once and whole, refused when they are not what they claim to be."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import msgspec

from readiness.errors import PlanError, UsageError
from readiness.model.plan import Plan, as_json, digest_of, from_json

_FORMAT = "readiness/plan/1"


def write_plan(folder: Path, plan: Plan) -> Path:
    """Write `plan-<digest>.json`, and `plan.json` as a copy of the newest; return the copy's path."""
    for name in (f"plan-{plan.approval}.json", "plan.json"):
        write_whole(folder / name, as_json(plan))
    return folder / "plan.json"


def read_plan(path: Path) -> Plan:
    """Read a plan from its file, or from the folder it was written to, and prove its digest.

    Raises:
        PlanError: There is no plan, it is of another format, or it was altered after it was made.
    """
    file = path / "plan.json" if path.is_dir() else path
    try:
        data = file.read_bytes()
    except OSError as error:
        raise PlanError(
            f"There is no plan at {path}.",
            details=error.strerror or "",
            remedy="Make one: readiness plan create",
        ) from error
    plan = _decoded(data, file)
    if digest_of(plan) != plan.digest:
        raise PlanError(
            f"{file} was altered after it was made.",
            details=f"It says {plan.approval}, its content gives {digest_of(plan)[: len(plan.approval)]}.",
            remedy="Plan again: a plan is changed by planning, not by editing its file.",
        )
    return plan


def write_whole(path: Path, data: bytes | Iterable[bytes]) -> None:
    """Write a file, from one piece or from many: a reader sees the old one or the new one, never half of it.

    Raises:
        UsageError: Nothing can be written there.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as file:
            file.writelines([data] if isinstance(data, bytes) else data)
        draft.replace(path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        remedy = "Give a folder that can be written to, with room in it."
        raise UsageError(f"{path} cannot be written.", details=error.strerror or "", remedy=remedy) from error


def _decoded(data: bytes, file: Path) -> Plan:
    try:
        head = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        kind = msgspec.json.decode(head.get("format", msgspec.Raw(b'""')), type=str)
    except msgspec.DecodeError as error:
        raise PlanError(f"{file} is not a plan.", details=str(error), remedy=_AGAIN) from error
    if kind != _FORMAT:
        remedy = "Use the release that made it, or plan again with this one."
        raise PlanError(f"{file} has format {kind!r}; this release reads {_FORMAT}.", remedy=remedy)
    try:
        return from_json(data)
    except (msgspec.DecodeError, ValueError) as error:
        raise PlanError(f"{file} is damaged.", details=str(error), remedy=_AGAIN) from error


_AGAIN = "Restore the file, or make the plan again: readiness plan create ESTATE --to FOLDER"
