"""Approvals of waves and of shared actions: one line each in a file, appended and never changed."""

from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from readiness.errors import JournalError
from readiness.model.codec import encode

_FILE = "approvals.jsonl"


class Approval(Struct, frozen=True, kw_only=True):
    """Somebody's word for one wave of one plan, or for one of its actions on shared objects."""

    digest: str
    wave: int
    """0 where it is an action that is approved."""
    by: str
    at: datetime
    object_id: str = ""
    """The approver's object id in Entra, where somebody is logged in to Azure."""
    note: str = ""
    evidence: str = ""
    """Head of the audit chain of what the approver was shown, such as a rehearsal."""
    action: str = ""
    """Key of the action."""
    owners_agreed: bool = False
    """Whether the owners of VMs that the plan does not close have agreed, as the approver says."""


def approvals_of(state: Path, digest: str, wave: int, action: str = "") -> tuple[Approval, ...]:
    """Return the approvals of a wave; of wave 0 those of an action.

    Raises:
        JournalError: The file is damaged; the line is named.
    """
    path = state / _FILE
    if not path.exists():
        return ()
    found = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            found.append(msgspec.json.decode(line, type=Approval))
        except msgspec.DecodeError as error:
            raise JournalError(
                f"Line {number} of {path} is no approval.",
                details=str(error),
                remedy="Take the line away: what it said has to be approved again.",
            ) from error
    return tuple(one for one in found if (one.digest, one.wave, one.action) == (digest, wave, action))


def add_approval(state: Path, approval: Approval) -> None:
    """Append an approval."""
    state.mkdir(parents=True, exist_ok=True)
    with (state / _FILE).open("ab") as file:
        file.write(encode(approval) + b"\n")
