"""Access to the data of disks, snapshots and disk restore points: beginGetAccess and endGetAccess.

The twin holds no data: what it hands out is an address on loopback that leads nowhere and carries no secret.
Guarantees: the disk of a running machine cannot be read (as recorded in microsoft/AzureStorageExplorer#6654);
while access lasts the state is ActiveSAS (ActiveUpload while written, ActiveSASFrozen of a hibernated
machine), the machine does not start and the disk cannot be attached or deleted; it ends with endGetAccess, or
when its time is over, which is at most 60 days (Learn, "Download a VHD from Azure").
"""

from datetime import datetime, timedelta

from readiness.twin import paths
from readiness.twin.arm import background_copies
from readiness.twin.arm.encryption import DISK_RESTORE_POINT
from readiness.twin.documents import Json, look
from readiness.twin.messages import ArmError, Response, invalid_parameter, not_allowed
from readiness.twin.plausible import disk_state
from readiness.twin.protocols import DISKS
from readiness.twin.state import DISK, SNAPSHOT, State
from readiness.twin.world import Call, Routes, World

_NAMES = {DISK: "disks", SNAPSHOT: "snapshots", DISK_RESTORE_POINT: "diskRestorePoints"}
_LONGEST = 5_184_000
_UPLOADS = ("ReadyToUpload", "ActiveUpload")
_GRANTS = "data access"
ACTIVE = ("ActiveSAS", "ActiveSASFrozen", "ActiveUpload")
"""States while somebody may read or write the data."""


def begin(world: World, call: Call) -> Response:
    """Hand out access to the data of a resource."""
    found = world.state.need(call.address)
    kind = _NAMES[call.address.kind]
    ticket = world.admit(call, f"{kind}/beginGetAccess", found["id"])
    world.idle(found, "beginGetAccess")
    seconds = _seconds(call)
    is_upload = look(call.body(), "access") == "Write"
    _check(world, found, call.now, is_upload=is_upload)
    answer = {"accessSAS": _address(kind, found, "data")}
    if look(call.body(), "getSecureVMGuestStateSAS") is True:
        if look(found, "properties.securityProfile.securityType") is None:
            raise not_allowed(f"'{found['name']}' has no guest state.", unverified=True)
        answer["securityDataAccessSAS"] = _address(kind, found, "guest-state")
    told: Json = found["properties"]

    def done(when: datetime) -> None:
        if told.get("diskState") in ("Frozen", "ActiveSASFrozen"):
            told["diskState"] = "ActiveSASFrozen"
        else:
            told["diskState"] = "ActiveUpload" if is_upload else "ActiveSAS"
        ends = when + timedelta(seconds=seconds)
        world.state.hidden(_GRANTS)[found["id"].lower()] = ends
        world.timeline.add(ends, lambda _: _expire(world.state, found, ends))

    operation = world.begin(
        call, ticket, done=done, failed=_nothing, protocol=DISKS, output=lambda: dict(answer)
    )
    return world.accepted(call, ticket, operation, Response(202))


def end(world: World, call: Call) -> Response:
    """Take access to the data of a resource back; where there is none, nothing happens."""
    found = world.state.need(call.address)
    ticket = world.admit(call, f"{_NAMES[call.address.kind]}/endGetAccess", found["id"])
    world.idle(found, "endGetAccess")

    def done(_: datetime) -> None:
        _close(world.state, found)

    operation = world.begin(call, ticket, done=done, failed=_nothing, protocol=DISKS, output=lambda: None)
    return world.accepted(call, ticket, operation, Response(202))


def check_free(disk: Json) -> None:
    """Refuse to attach or to use a disk while somebody may read or write it, or before it was written."""
    held = look(disk, "properties.diskState")
    if held in ACTIVE:
        raise not_allowed(
            f"There is an active shared access signature outstanding for disk {disk['name']}. Call "
            "EndGetAccess before attaching or deleting the disk.",
            unverified=True,
        )
    if held == "ReadyToUpload":
        raise not_allowed(
            f"Disk '{disk['name']}' cannot be attached since it is in state 'ReadyToUpload'.", unverified=True
        )


def _nothing(_: datetime) -> None:
    """Leave everything as it is."""


def _seconds(call: Call) -> int:
    access, seconds = (look(call.body(), name) for name in ("access", "durationInSeconds"))
    if access not in ("Read", "Write"):
        raise invalid_parameter(f"The value '{access}' of parameter 'access' is invalid.", "access")
    if not isinstance(seconds, int) or not 1 <= seconds <= _LONGEST:
        raise invalid_parameter(
            f"The value '{seconds}' of parameter 'durationInSeconds' is out of range. The value must be "
            f"between '1' and '{_LONGEST}', inclusive.",
            "durationInSeconds",
            unverified=True,
        )
    return seconds


def _check(world: World, found: Json, now: datetime, *, is_upload: bool) -> None:
    name, held = found["name"], look(found, "properties.diskState")
    if held == "Attached":
        owner = next((vm["id"] for vm in world.state.users(found["id"])), found.get("managedBy"))
        raise ArmError(
            409,
            "Conflict",
            f"Access not permitted because disk {name} is currently attached to running VM {owner}.",
        )
    if is_upload is not (held in _UPLOADS):
        raise not_allowed(
            f"Access to '{name}' is not permitted in state '{held}': Write access is for disks that wait for "
            "an upload, Read access for all others.",
            unverified=True,
        )
    is_closed = look(found, "properties.publicNetworkAccess") == "Disabled"
    policy = look(found, "properties.networkAccessPolicy")
    if policy == "DenyAll" or (is_closed and policy != "AllowPrivate"):
        raise not_allowed(
            f"Access to '{name}' is not permitted by its network access policy.", unverified=True
        )
    if not background_copies.is_complete(world.state, found, now):
        raise not_allowed(
            f"Access to '{name}' is not permitted before its background copy is complete.", unverified=True
        )


def _address(kind: str, found: Json, part: str) -> str:
    return f"https://127.0.0.1/the-twin-holds-no-data/{kind}/{found['name']}/{part}"


def _expire(state: State, found: Json, ends: datetime) -> None:
    """End an access whose time is over, unless another one was handed out since."""
    if state.hidden(_GRANTS).get(found["id"].lower()) == ends:
        _close(state, found)


def _close(state: State, found: Json) -> None:
    state.hidden(_GRANTS).pop(found["id"].lower(), None)
    told: Json = found["properties"]
    if told.get("diskState") not in ACTIVE:
        return
    if paths.parse(found["id"]).kind == DISK:
        del told["diskState"]
        told["diskState"] = disk_state(state, found)
    elif "uniqueId" in told:
        told["diskState"] = "Unattached"
    else:
        del told["diskState"]


ROUTES: Routes = {
    ("POST", kind, action.lower()): answer
    for kind in _NAMES
    for action, answer in (("beginGetAccess", begin), ("endGetAccess", end))
}
