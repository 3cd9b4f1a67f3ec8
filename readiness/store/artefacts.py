"""Plans and workbooks on disk: written once and whole, refused when they are not what they claim to be.

A plan's digest is that of its file: what an earlier release made and people approved stays what they
approved, and is read with the defaults of whatever it could not say yet. What a later release added is never
passed over.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import msgspec

from readiness.errors import JournalError, PlanError, UsageError
from readiness.model.plan import (
    DIGEST_LENGTH,
    Plan,
    as_json,
    digest_as_written,
    digest_of,
    from_json,
    is_understood,
)

_FORMAT = "readiness/plan/1"


def write_plan(folder: Path, plan: Plan) -> Path:
    """Write `plan-<digest>.json`, and `plan.json` as a copy of the newest; return the copy's path."""
    for name in (f"plan-{plan.approval}.json", "plan.json"):
        write_whole(folder / name, as_json(plan))
    return folder / "plan.json"


def keep_plan(path: Path, plan: Plan, folder: Path) -> None:
    """Copy a plan that was read from a file to where `write_plan` would write it: as it stands, byte by byte.

    Raises:
        PlanError: The file does not hold that plan any more.
    """
    _, data = _read(path)
    if digest_as_written(data) != plan.digest:
        raise PlanError(f"{path} was changed while it was read.", remedy="Run the command again.")
    for name in (f"plan-{plan.approval}.json", "plan.json"):
        write_whole(folder / name, data)


def read_plan(path: Path) -> Plan:
    """Read a plan from its file, or from the folder it was written to, and prove its digest.

    Raises:
        PlanError: There is no plan, it is of another format, it was altered after it was made, or it says
            what this release does not know.
    """
    file, data = _read(path)
    plan = _decoded(data, file)
    found = digest_as_written(data)
    if found != plan.digest:
        raise PlanError(
            f"{file} was altered after it was made.",
            details=f"It says {plan.approval}, its content gives {found[: len(plan.approval)]}.",
            remedy="Plan again: a plan is changed by planning, not by editing its file.",
        )
    if digest_of(plan) != plan.digest and not is_understood(data, plan):
        raise _of_another_release(file, plan.release, "It says more than this release knows of plans.")
    return plan


def read_kept_plan(folder: Path, run: str, digest: str) -> Plan:
    """Read the plan that lies beside the journal of a run.

    Raises:
        JournalError: It is not there any more.
        PlanError: It was altered.
    """
    approval = digest[:DIGEST_LENGTH]
    for file in (folder / "plan.json", folder / f"plan-{approval}.json"):
        if file.exists():
            return read_plan(file)
    raise JournalError(
        f"The plan of the run {run} is not beside its journal any more.",
        details=f"It was begun with the plan {approval}.",
        remedy=f"Copy that plan from where it was made, or approved, to {folder / 'plan.json'}.",
    )


def _read(path: Path) -> tuple[Path, bytes]:
    file = path / "plan.json" if path.is_dir() else path
    try:
        return file, file.read_bytes()
    except OSError as error:
        raise PlanError(
            f"There is no plan at {path}.",
            details=error.strerror or "",
            remedy="Make one: readiness plan create",
        ) from error


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
        written = {name: _text(head.get(name)) for name in ("digest", "release")}
        if written["release"] and digest_as_written(data) == written["digest"]:
            raise _of_another_release(file, written["release"], str(error)) from error
        raise PlanError(f"{file} is damaged.", details=str(error), remedy=_AGAIN) from error


def _of_another_release(file: Path, release: str, why: str) -> PlanError:
    return PlanError(
        f"{file} was made by release {release}, and this release cannot read it as it was meant.",
        details=why,
        remedy=f"Make it anew with this release (readiness plan create), or go on with release {release}.",
    )


def _text(raw: msgspec.Raw | None) -> str:
    found = msgspec.json.decode(raw) if raw is not None else ""
    return found if isinstance(found, str) else ""


_AGAIN = "Restore the file, or make the plan again: readiness plan create ESTATE --to FOLDER"
