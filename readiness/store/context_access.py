"""Reads what a context asks of identities and sign-in: managed identities, roles, groups, addresses."""

import ipaddress
from collections.abc import Mapping
from uuid import UUID

from msgspec import UNSET

from readiness.model.context import (
    IdentityChoice,
    IdentityKind,
    LoginChoice,
    LoginMethod,
    ManagementAccess,
    RoleWish,
)
from readiness.model.ids import ResourceId
from readiness.store.context_values import resource_id, scope_id, texts_of
from readiness.store.marked_yaml import Entry

_IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities"
_PRIVATE = tuple(
    ipaddress.ip_network(one)
    for one in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)
_SHORTEST = {4: 17, 6: 33}
"""By version of the protocol: a shorter prefix means so many public addresses that nobody is named."""
_LAST_PORT = 65535


def identity(entry: Entry) -> IdentityChoice:
    """Read which managed identities a VM is to get, and what its own one may do."""
    keys = ("type", "user_assigned", "roles", "accept_new_default")
    fields = entry.fields(*keys, required=("type",))
    named = fields["user_assigned"].entries() if "user_assigned" in fields else []
    roles = fields["roles"].entries() if "roles" in fields else []
    accepted = fields.get("accept_new_default")
    choice = IdentityChoice(
        type=fields["type"].kind(IdentityKind),
        user_assigned=tuple(user_identity(one) for one in named),
        roles=tuple(_role(one) for one in roles),
        accept_new_default=accepted.flag() if accepted else False,
    )
    if not choice.wants_system and not choice.user_assigned:
        raise entry.error("No identity is named.", "Name its full id under 'user_assigned'.")
    if not choice.wants_system and choice.roles:
        problem = "Roles are given to the VM's own identity, and it gets none."
        raise fields["roles"].error(problem, "Write 'type: system', or give the named identity its roles.")
    return choice


def login(entry: Entry) -> LoginChoice:
    """Read how people sign in to a VM once passwords are off."""
    keys = ("method", "admin_groups", "user_groups", "accepted_password_logins", "allow_from", "ports")
    fields = entry.fields(*keys, "management_access", required=("method",))
    method = fields["method"].kind(LoginMethod)
    listed: Mapping[str, list[Entry]] = {
        key: fields[key].entries() if key in fields else [] for key in keys[1:]
    }
    if method is LoginMethod.ENTRA and not listed["admin_groups"]:
        problem = "Nobody could sign in as an administrator."
        raise entry.error(problem, "Name the object ids of Entra groups under 'admin_groups'.")
    if "ports" in fields and not listed["ports"]:
        raise fields["ports"].error("No port is named.", "Name at least one, or leave 'ports' out.")
    ports = tuple(_port(one) for one in listed["ports"]) or LoginChoice(method=method).ports
    said = fields.get("management_access")
    access = said.kind(ManagementAccess) if said else ManagementAccess.CLOSED
    return LoginChoice(
        method=method,
        admin_groups=tuple(object_id(one) for one in listed["admin_groups"]),
        user_groups=tuple(object_id(one) for one in listed["user_groups"]),
        accepted_password_logins=texts_of(fields, "accepted_password_logins"),
        allow_from=tuple(addresses(one) for one in listed["allow_from"]),
        ports=ports,
        # What stands for the usual is left out, so that saying it changes no plan.
        management_access=UNSET if access is ManagementAccess.CLOSED else access,
    )


def user_identity(entry: Entry) -> ResourceId:
    """Read the full id of a user-assigned identity."""
    return resource_id(entry, _IDENTITY)


def object_id(entry: Entry) -> str:
    """Read the object id of an Entra group."""
    try:
        return str(UUID(entry.text()))
    except ValueError as error:
        remedy = "Write the group's object id, such as 11111111-1111-1111-1111-111111111111, not its name."
        raise entry.error(f"'{entry.text()}' is no object id.", remedy) from error


def addresses(entry: Entry) -> str:
    """Read addresses that may reach a VM's management ports: few, if they are public."""
    try:
        network = ipaddress.ip_network(entry.text())
    except ValueError as error:
        remedy = "Write an address, or a network with its first address, such as 203.0.113.0/24."
        raise entry.error(f"'{entry.text()}' is no network.", remedy) from error
    inside = any(network.version == one.version and network.subnet_of(one) for one in _PRIVATE)  # type: ignore[arg-type]
    if not inside and network.prefixlen < _SHORTEST[network.version]:
        problem = f"'{entry.text()}' are so many public addresses that the port would stay open."
        raise entry.error(problem, "Name the few networks that people come from.")
    return str(network)


def _port(entry: Entry) -> int:
    written = entry.text()
    if not written.isascii() or not written.isdigit() or not 0 < int(written) <= _LAST_PORT:
        raise entry.error(f"'{written}' is no port.", "Write a number from 1 to 65535.")
    return int(written)


def _role(entry: Entry) -> RoleWish:
    fields = entry.fields("role", "scope", required=("role", "scope"))
    return RoleWish(role=fields["role"].text(), scope=scope_id(fields["scope"]))
