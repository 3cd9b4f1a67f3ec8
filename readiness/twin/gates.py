"""The gates before every write: what Azure Resource Manager asks before a provider hears of it.

In this order: is there such a right (`denied` of a faults file: a twin's caller is Owner otherwise), does a
deny assignment hold it, is the resource or a scope above it locked, does a deny policy of the estate refuse
what would come of it, does If-Match name the present state, and has the resource still its key. Each gate
returns, or refuses in ARM's words.
"""

from collections.abc import Iterable
from datetime import datetime

from readiness.twin import deny_assignments, policies
from readiness.twin.documents import Json, look, same
from readiness.twin.messages import ArmError, Request
from readiness.twin.operations import identifier
from readiness.twin.paths import Address
from readiness.twin.state import LOCK, VM, State

CALLER = "twin"
OBJECT = "7a1b6d0e-52c4-4c59-9d0b-5f6a0e1c2d3b"


def denied(method: str, address: Address) -> ArmError:
    """Refuse for want of a right, in the words of Azure RBAC."""
    return ArmError(
        403,
        "AuthorizationFailed",
        f"The client '{CALLER}' with object id '{OBJECT}' does not have authorization to perform action "
        f"'{action(method, address)}' over scope '{address.resource_id}' or the scope is invalid. If access "
        "was recently granted, please refresh your credentials.",
    )


def action(method: str, address: Address) -> str:
    """Return the name Azure RBAC has for a call: `Microsoft.Compute/virtualMachines/start/action`."""
    words = address.path[len(address.scope) :].strip("/").split("/")
    types = "/".join(words[1:3:2] if len(words) <= 3 else [words[1], *words[2::2]])  # noqa: PLR2004
    if method == "POST":
        return f"{types}/action"
    verbs = {"GET": "read", "HEAD": "read", "DELETE": "delete"}
    return f"{types}/{verbs.get(method, 'write')}"


def check_deny_assignments(state: State, method: str, address: Address, resource_id: str) -> None:
    """Refuse what a deny assignment holds for the twin's caller."""
    deny_assignments.check(state, action(method, address), resource_id, caller=CALLER, object_id=OBJECT)


def check_group(state: State, address: Address) -> None:
    """Refuse every write in a resource group that is being deleted."""
    group = state.find(f"/subscriptions/{address.subscription}/resourceGroups/{address.group}")
    if same(look(group, "properties.provisioningState"), "Deleting"):
        raise ArmError(
            409,
            "ResourceGroupBeingDeleted",
            f"The resource group '{address.group}' is in deprovisioning state and cannot perform this "
            "operation.",
        )


def check_locks(state: State, method: str, address: Address, resource_id: str) -> None:
    """Refuse what a management lock forbids: ReadOnly every write and action, CanNotDelete a deletion."""
    if address.kind == LOCK or not state.knows(LOCK):
        return
    is_delete = method == "DELETE"
    locks = state.above(LOCK, resource_id)
    if is_delete:
        locks += state.of_kind(LOCK, resource_id)
    scopes = {
        lock_scope(lock) for lock in locks if is_delete or same(look(lock, "properties.level"), "ReadOnly")
    }
    if scopes:
        listed = ",".join(f"'{scope}'" for scope in sorted(scopes))
        verb = "delete" if is_delete else "write"
        raise ArmError(
            409,
            "ScopeLocked",
            f"The scope '{resource_id}' cannot perform {verb} operation because following scope(s) are "
            f"locked: {listed}. Please remove the lock and try again.",
        )


def lock_scope(lock: Json) -> str:
    """Return what a lock, or any resource that extends another one, is put on."""
    resource_id: str = lock["id"]
    return resource_id[: resource_id.lower().rfind("/providers/")]


def check_policies(
    state: State, request: Request, address: Address, resource_id: str, *, now: datetime
) -> None:
    """Refuse a PUT or PATCH whose outcome a deny policy forbids."""
    is_write = request.method in ("PUT", "PATCH") and not address.kind.startswith("microsoft.authorization/")
    if is_write and state.knows(policies.ASSIGNMENT):
        policies.check(state, request.body, address, resource_id, now=now)


def check_etag(request: Request, resource: Json | None) -> None:
    """Refuse a write whose If-Match or If-None-Match does not hold."""
    wanted = request.headers.get("if-match")
    present = None if resource is None else resource.get("etag")
    if wanted is not None and (resource is None or (wanted != "*" and present not in (None, wanted))):
        name = request.path.rsplit("/", 1)[-1] if resource is None else resource["name"]
        raise ArmError(
            412,
            "PreconditionFailed",
            f"The precondition given in the request headers evaluated to false: the etag of '{name}' is "
            f"{present}, not {wanted}.",
            unverified=True,
        )
    # A part of it is another thing, which may not be there yet.
    if resource is not None and same(request.path, resource["id"]):
        check_absent(request, resource)


def check_absent(request: Request, resource: Json) -> None:
    """Refuse a write that is only to make what is not there."""
    if request.headers.get("if-none-match") == "*":
        raise ArmError(
            412,
            "PreconditionFailed",
            f"The precondition given in the request headers evaluated to false: '{resource['name']}' exists.",
            unverified=True,
        )


def next_etag(resource: Json) -> str:
    """Return the tag after the present one: the next number, or another id where tags are weak."""
    etag = str(resource["etag"])
    if etag.startswith("W/"):
        return f'W/"{identifier(resource["id"], etag)}"'
    return f'"{int(etag.strip(chr(34))) + 1}"'


def encryption_sets(state: State, operation: str, body: object, resource: Json | None) -> Iterable[str]:
    """Return the disk encryption sets whose key a write needs."""
    given = look(body, "properties.encryption.diskEncryptionSetId")
    if isinstance(given, str):
        yield given
    if resource is None or operation not in ("virtualMachines/start", "snapshots/write", "disks/write"):
        return
    for disk in state.disks(resource) if same(resource.get("type"), VM) else [resource]:
        used = look(disk, "properties.encryption.diskEncryptionSetId")
        if isinstance(used, str):
            yield used


def key_lost(set_id: str) -> ArmError:
    """Refuse what needs a key that a disk encryption set cannot reach."""
    name = set_id.rsplit("/", 1)[-1]
    return ArmError(
        400,
        "KeyVaultAccessForbidden",
        f"Unable to access key vault resource of disk encryption set '{name}' to enable encryption at rest. "
        "Please grant get, wrap and unwrap key permissions to disk encryption set. Please visit "
        "https://aka.ms/keyvaultaccessssecmk for more information.",
        unverified=True,
    )


def quota_exceeded(limit: int) -> ArmError:
    """Refuse a snapshot for which there is no room."""
    return ArmError(
        409,
        "QuotaExceeded",
        f"Operation results in exceeding quota limits of snapshots. Maximum allowed: {limit}.",
        unverified=True,
    )
