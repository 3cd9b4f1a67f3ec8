"""Who may sign in to a VM with an Entra account: where nobody may, closing passwords locks everybody out."""

from readiness.model.assessment import Source
from readiness.model.estate import Estate
from readiness.model.governance import RoleGrant
from readiness.model.ids import ResourceId
from readiness.model.verdict import Dimension, Evidence, Verdict, met, not_applicable, unknown, unmet
from readiness.model.virtual_machine import OsFamily, VirtualMachine
from readiness.rules.not_read import os_not_reported
from readiness.rules.rule import Role, rule

_ENTRA = Source(
    "Sign in to a Linux virtual machine in Azure by using Microsoft Entra ID and OpenSSH",
    "https://learn.microsoft.com/entra/identity/devices/howto-vm-sign-in-azure-ad-linux",
    "2026-11",
)


@rule(
    id="PW009",
    dimension=Dimension.PASSWORD_ACCESS,
    title="Leaves an administrator who may sign in without a password",
    level=1,
    role=Role.WORK,
    remedy="Give a group the role Virtual Machine Administrator Login on the VM, its resource group or its "
    "subscription, and let a member sign in once, before passwords go.",
    source=_ENTRA,
)
def somebody_may_sign_in(vm: VirtualMachine, estate: Estate) -> Verdict:
    """Entra login lets in who holds a login role; Owner and Contributor let nobody in.

    Roles on the VM, its resource group, its subscription and management groups count, for people and groups.
    A role that somebody may activate counts as well; one that ends by itself, and that nobody is known to be
    eligible for, may be gone when it is needed. An assignment without a schedule counts as held for good, as
    roles are activated only by who may do so again. Roles of the customer's own are not looked into. A
    management group may hold any subscription.
    """
    if vm.os_family is None:
        return os_not_reported(vm)
    is_installed = any(entry.type.lower() in _LOGINS for entry in vm.extensions)
    if vm.os_family is OsFamily.WINDOWS and not is_installed:
        return not_applicable("NoEntraLogin", "It has no Entra login; closing its ports takes no login away.")
    held = _login_roles(vm, estate, are_eligible=False)
    eligible = _login_roles(vm, estate, are_eligible=True)
    found = _administrator(held, eligible)
    if found is not None:
        return found
    subscription = vm.id.subscription
    missing = [kind for kind in (_ASSIGNMENTS, _ELIGIBILITIES) if not estate.was_listed(kind, subscription)]
    if not missing and (held or eligible):
        detail = "Only Virtual Machine User Login is given: nobody could sign in as an administrator."
        return unmet("OnlyUserLogin", detail, *map(_granted, (*held, *eligible)))
    if not missing:
        return unmet("LoginRoleMissing", "No role assignment lets anybody sign in to it as an administrator.")
    if not is_installed:
        return not_applicable("NoEntraLogin", "It has no Entra login yet; who may use it is asked then.")
    detail = f"Nobody knows who may sign in: collect all of {' and '.join(map(repr, missing))}."
    places = (ResourceId(f"/subscriptions/{subscription}/providers/{kind}") for kind in missing)
    return unknown("LoginRolesNotRead", detail, *(Evidence(place, "value", None) for place in places))


def _administrator(held: list[RoleGrant], eligible: list[RoleGrant]) -> Verdict | None:
    """Return what is known of those who may sign in as administrators; None where there are none."""
    given = [grant for grant in held if grant.role == _ADMINISTRATOR]
    may_activate = [grant for grant in eligible if grant.role == _ADMINISTRATOR]
    lasting = {grant.key for grant in given if grant.is_scheduled and grant.is_standing}
    # An activated role is a plain assignment too: only its schedule tells that it ends.
    ending = {grant.key for grant in given if grant.is_scheduled} - lasting
    plain = [grant for grant in given if not grant.is_conditional]
    for grant in plain:
        if grant.key not in ending:
            return met("LoginRoleHeld", "", _granted(grant))
    for grant in may_activate:
        if not grant.is_conditional:
            detail = "Administrator login is held by nobody for good, and can be activated."
            return met("LoginRoleEligible", detail, _granted(grant))
    if plain:
        detail = (
            "Administrator login is held for a while only, and nobody was seen who may activate it; give it "
            f"for good, make somebody eligible, or collect '{_ELIGIBILITIES}'."
        )
        return unknown("LoginRoleEnds", detail, *map(_granted, plain))
    if given or may_activate:
        detail = "Administrator login is given under a condition; see whether it lets anybody in here."
        return unknown("LoginRoleConditional", detail, *map(_granted, (*given, *may_activate)))
    return None


def _login_roles(vm: VirtualMachine, estate: Estate, *, are_eligible: bool) -> list[RoleGrant]:
    """Return people's login roles that hold for a VM; they are filed by scope, for there may be many."""
    subscription = vm.id.subscription
    within = estate.protection.eligible_within if are_eligible else estate.protection.grants_within
    key = ("login roles", are_eligible, subscription)
    filed = estate.remembered(key, lambda: _filed((*within(subscription), *within(""))))
    root = f"/subscriptions/{subscription}"
    scopes = (vm.id.key, f"{root}/resourcegroups/{vm.id.resource_group.lower()}", root, "")
    return [grant for scope in scopes for grant in filed.get(scope, ())]


def _filed(grants: tuple[RoleGrant, ...]) -> dict[str, list[RoleGrant]]:
    """Return people's login roles by scope; what lies above the subscription stands under the empty one."""
    found: dict[str, list[RoleGrant]] = {}
    for grant in grants:
        if grant.role in _ROLES and (grant.principal_type or "").lower() in _PEOPLE:
            is_above = "/managementgroups/" in grant.scope
            found.setdefault("" if is_above else grant.scope, []).append(grant)
    return found


def _granted(grant: RoleGrant) -> Evidence:
    return Evidence(grant.id, "properties.roleDefinitionId", grant.role_id)


_ADMINISTRATOR = "1c0163c0-47e6-4577-8991-ea5c82e286e4"
_ROLES = (_ADMINISTRATOR, "fb879df8-f326-4884-b1cf-06f3ad86be52")
"""Virtual Machine Administrator Login and Virtual Machine User Login."""
_PEOPLE = ("user", "group", "foreigngroup", "")
"""Kinds of principals that stand for people; where none was reported it is taken to be one."""
_LOGINS = ("aadsshloginforlinux", "aadloginforwindows")
_ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"
_ELIGIBILITIES = "Microsoft.Authorization/roleEligibilityScheduleInstances"

RULES = (somebody_may_sign_in,)
