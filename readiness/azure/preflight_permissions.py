"""Whether all that a campaign does is allowed, asked of each scope on which it has to be.

An action is asked for on the resource group of what it is done to, and where it is missing there on that
resource itself: a role on the VM, on a network security group or on an identity is enough for what concerns
it alone. What is created is asked for on the group it will be in.
"""

from collections.abc import Iterable, Iterator

from readiness.azure.permissions import missing
from readiness.azure.preflight_parts import Asker, Finding, Refusal, Subject, Unknown, group_of, listing
from readiness.azure.protected_items import place_of
from readiness.azure.remembered import Answer
from readiness.azure.wire_values import obj, references
from readiness.errors import DeniedError, MissingError
from readiness.model.disk import Encryption
from readiness.model.ids import ResourceId
from readiness.model.steps import (
    AssignIdentity,
    AssignRole,
    BackUp,
    ChangeBackupPolicy,
    DropTrial,
    ProveBackup,
    ProveClosed,
    RemoveIdentity,
    RemoveRole,
    RemoveSecurityRule,
    SetDiskEncryption,
    SetSecurityRule,
    SwapOsDisk,
    TakeSnapshot,
    TryEncryption,
    Work,
)

_API = "2022-04-01"
_DISK, _SNAPSHOT = "microsoft.compute/disks/", "microsoft.compute/snapshots/"
_SET = "microsoft.compute/diskencryptionsets/"
_NETWORK, _ROLE = "microsoft.network/", "microsoft.authorization/"
_IDENTITY, _VAULT = "microsoft.managedidentity/", "microsoft.recoveryservices/"

Scopes = tuple[ResourceId, ...]


def permissions(asker: Asker, subject: Subject) -> Iterator[Finding]:
    """Find what may not be done."""
    by_group: dict[ResourceId, dict[ResourceId, None]] = {}
    needs = needs_of(subject)
    for scope in needs:
        by_group.setdefault(_upper(scope), {})[scope] = None
    for upper, scopes in by_group.items():
        if not upper.subscription:
            words = f"not known: what may be done on {upper}, which lies above every subscription"
            yield Unknown(words)
            continue
        allowed = _allowed(asker, subject, upper)
        for scope in scopes:
            lacking = _lacking(needs[scope], allowed)
            if lacking and scope != upper:
                own = _allowed(asker, subject, scope)
                lacking, told = _lacking(lacking, own), own
            else:
                told = allowed
            if lacking:
                yield _finding(scope, lacking, told)


def needs_of(subject: Subject) -> dict[ResourceId, tuple[str, ...]]:
    """Return which actions are needed on which scope."""
    found: dict[ResourceId, dict[str, None]] = {}
    for step in subject.all_work:
        places = _places(step, subject)
        for action in step.actions:
            folded = action.lower()
            scopes = next((own for start, own in places.items() if folded.startswith(start)), (subject.vm,))
            for scope in scopes:
                found.setdefault(scope, {})[action] = None
    return {scope: tuple(sorted(actions)) for scope, actions in found.items()}


def _places(step: Work, subject: Subject) -> dict[str, Scopes]:
    """Return where the actions of a step are needed, by how they begin; all others are needed on the VM."""
    places: dict[str, Scopes] = {_DISK: subject.disks}
    match step:
        case TakeSnapshot(disk=disk):
            places |= {_DISK: (disk,), _SNAPSHOT: (group_of(disk),)}
        case SwapOsDisk(disk=disk):
            places |= {_DISK: (group_of(disk),), _SNAPSHOT: (group_of(disk),)}
        case SetDiskEncryption(disk=disk, encryption=encryption):
            places |= {_DISK: (disk,), _SET: _set_of(encryption)}
        case TryEncryption(encryption=encryption) | DropTrial(encryption=encryption):
            places |= {_DISK: (group_of(step.vm),), _SET: _set_of(encryption)}
        case AssignIdentity(user_assigned=named) | RemoveIdentity(user_assigned=named):
            # Azure asks for each identity that a write of the VM names, those that were there included.
            held = (ResourceId(each) for each in obj(obj(subject.body, "identity"), "userAssignedIdentities"))
            places[_IDENTITY] = tuple(dict.fromkeys((*held, *named)))
        case AssignRole(scope=scope) | RemoveRole(scope=scope):
            places[_ROLE] = (scope,)
        case SetSecurityRule(rule=rule) | RemoveSecurityRule(rule=rule):
            places[_NETWORK] = (rule.parent,)
        case ProveClosed():
            profile = obj(obj(subject.body, "properties"), "networkProfile")
            places[_NETWORK] = references({"own": profile.get("networkInterfaces")}, "own")
        case BackUp(item=item) | ProveBackup(item=item) | ChangeBackupPolicy(item=item):
            places[_VAULT] = _vault_of(item)
        case _:
            pass
    return places


def _set_of(encryption: Encryption) -> Scopes:
    own = encryption.disk_encryption_set
    return (own,) if own is not None else ()


def _vault_of(item: ResourceId) -> Scopes:
    try:
        return (place_of(item).vault,)
    except ValueError:
        return (item,)


def _upper(scope: ResourceId) -> ResourceId:
    return group_of(scope) if scope.resource_group else scope


def _allowed(asker: Asker, subject: Subject, scope: ResourceId) -> Answer:
    path = f"{scope}/providers/Microsoft.Authorization/permissions"
    try:
        return asker.listed(subject, "permissions", scope, path, _API)
    except MissingError as error:
        # Whether it is missed later is for the step that needs it: here nobody can say what is allowed on it.
        return DeniedError(error.brief, code=error.code)


def _lacking(needed: Iterable[str], found: Answer) -> tuple[str, ...]:
    return tuple(needed) if isinstance(found, DeniedError) else missing(needed, found)


def _finding(scope: ResourceId, lacking: tuple[str, ...], told: Answer) -> Finding:
    name = scope.name or scope.text
    if isinstance(told, DeniedError):
        return Unknown(f"not known: what may be done on {name} ({told.code or 'asking is not allowed'})")
    return Refusal("PermissionMissing", f"on {name} there is no permission for {listing(lacking)}")
