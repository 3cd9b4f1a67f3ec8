"""Cases of the rule on who may sign in to a VM with an Entra account."""

from typing import Any

from readiness.model.estate_info import Gap
from readiness.model.governance import RoleGrant
from readiness.model.ids import ResourceId
from readiness.model.virtual_machine import OsFamily
from tests.builders import SUBSCRIPTION, extension, protection, vm, vm_id
from tests.rules.case import Case

_ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"
_ELIGIBILITIES = "Microsoft.Authorization/roleEligibilityScheduleInstances"
_BOTH = [_ASSIGNMENTS, _ELIGIBILITIES]
_ROOT = f"/subscriptions/{SUBSCRIPTION}"
_ADMINISTRATOR = "1c0163c0-47e6-4577-8991-ea5c82e286e4"
_USER = "fb879df8-f326-4884-b1cf-06f3ad86be52"
_OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
_ENTRA = "Microsoft.Azure.ActiveDirectory"
_WITH_LOGIN = vm(extensions=(extension(_ENTRA, "AADSSHLoginForLinux"),))


def _given(scope: str, role: str = _ADMINISTRATOR, **changes: Any) -> dict[str, Any]:
    return {"protected": protection(grants=(_grant(scope, role, **changes),)), "listed": _BOTH}


def _grant(scope: str = _ROOT, role: str = _ADMINISTRATOR, **changes: Any) -> RoleGrant:
    place = "" if "managementgroups" in scope else _ROOT
    grant = ResourceId(f"{place}/providers/{_ASSIGNMENTS}/login")
    facts = {"principal_type": "Group", **changes}
    return RoleGrant(id=grant, scope=scope, role=role, principal="somebody", **facts)


def _eligible(*held: RoleGrant, role: str = _ADMINISTRATOR, **changes: Any) -> dict[str, Any]:
    found = _grant(role=role, **changes)
    return {"protected": protection(grants=held, eligible=(found,)), "listed": _BOTH}


def _held(*grants: RoleGrant, listed: list[str]) -> dict[str, Any]:
    return {"protected": protection(grants=grants), "listed": listed}


_FOR_HOURS = _grant(is_scheduled=True, is_standing=False)
_FOR_GOOD = _grant(is_scheduled=True)
_NOBODY = {"protected": protection(grants=()), "listed": _BOTH}
_NOT_LISTED = {"protected": protection(grants=())}
_REFUSED = Gap("estate.json", f"{_ROOT}/providers/{_ASSIGNMENTS}", "Forbidden", "The reader may not list it.")

CASES = (
    Case("PW009", "on the VM", "met LoginRoleHeld", vm(), _given(vm_id().key)),
    Case("PW009", "on its group", "met LoginRoleHeld", vm(), _given(f"{_ROOT}/resourcegroups/rg-app")),
    Case("PW009", "on its subscription", "met LoginRoleHeld", vm(), _given(_ROOT)),
    Case("PW009", "above it", "met LoginRoleHeld", vm(), _given("/providers/x/managementgroups/root")),
    Case("PW009", "at the root", "met LoginRoleHeld", vm(), _given("")),
    Case("PW009", "on another VM", "unmet LoginRoleMissing", vm(), _given(vm_id("vm10").key)),
    Case("PW009", "an owner only", "unmet LoginRoleMissing", vm(), _given(_ROOT, _OWNER)),
    Case(
        "PW009", "a program", "unmet LoginRoleMissing", vm(), _given(_ROOT, principal_type="ServicePrincipal")
    ),
    Case(
        "PW009",
        "somebody gone",
        "unmet LoginRoleMissing",
        vm(),
        _given(_ROOT, principal_type="Unknown"),
    ),
    Case("PW009", "users only", "unmet OnlyUserLogin", vm(), _given(_ROOT, _USER)),
    Case(
        "PW009", "under a condition", "unknown LoginRoleConditional", vm(), _given(_ROOT, is_conditional=True)
    ),
    Case("PW009", "eligible only", "met LoginRoleEligible", vm(), _eligible()),
    Case("PW009", "eligible for a year", "met LoginRoleEligible", vm(), _eligible(is_standing=False)),
    Case(
        "PW009",
        "eligible above it",
        "met LoginRoleEligible",
        vm(),
        _eligible(scope="/providers/x/managementgroups/r"),
    ),
    Case("PW009", "eligible elsewhere", "unmet LoginRoleMissing", vm(), _eligible(scope=vm_id("vm10").key)),
    Case("PW009", "eligible as a user", "unmet OnlyUserLogin", vm(), _eligible(role=_USER)),
    Case(
        "PW009",
        "eligible under a condition",
        "unknown LoginRoleConditional",
        vm(),
        _eligible(is_conditional=True),
    ),
    Case(
        "PW009",
        "activated for hours",
        "unknown LoginRoleEnds",
        vm(),
        _held(_grant(), _FOR_HOURS, listed=_BOTH),
    ),
    Case(
        "PW009",
        "activated for hours, and eligible",
        "met LoginRoleEligible",
        vm(),
        _eligible(_grant(), _FOR_HOURS),
    ),
    Case("PW009", "for good, by its schedule", "met LoginRoleHeld", vm(), _held(_FOR_GOOD, listed=_BOTH)),
    Case(
        "PW009",
        "activated by one, and held for good by another",
        "met LoginRoleHeld",
        vm(),
        _held(_grant(), _FOR_HOURS, _grant(principal_type="User", scope=vm_id().key), listed=_BOTH),
    ),
    Case(
        "PW009",
        "users only, and not everything was listed",
        "unknown LoginRolesNotRead",
        _WITH_LOGIN,
        _held(_grant(role=_USER), listed=[_ELIGIBILITIES]),
    ),
    Case(
        "PW009",
        "an owner was seen, and not everything was listed",
        "unknown LoginRolesNotRead",
        _WITH_LOGIN,
        _held(_grant(role=_OWNER), listed=[]),
    ),
    Case(
        "PW009",
        "nobody asked who is eligible",
        "unknown LoginRolesNotRead",
        _WITH_LOGIN,
        _held(listed=[_ASSIGNMENTS]),
    ),
    Case("PW009", "nobody", "unmet LoginRoleMissing", _WITH_LOGIN, _NOBODY),
    Case("PW009", "not listed", "unknown LoginRolesNotRead", _WITH_LOGIN, _NOT_LISTED),
    Case("PW009", "refused", "unknown LoginRolesNotRead", _WITH_LOGIN, {**_NOBODY, "gaps": [_REFUSED]}),
    Case("PW009", "not listed, and no Entra login yet", "not-applicable NoEntraLogin", vm(), _NOT_LISTED),
    Case("PW009", "no system reported", "unknown OsNotReported", vm(os_family=None), _NOBODY),
    Case("PW009", "Windows", "not-applicable NoEntraLogin", vm(os_family=OsFamily.WINDOWS), _NOBODY),
    Case(
        "PW009",
        "Windows with Entra login",
        "unmet LoginRoleMissing",
        vm(os_family=OsFamily.WINDOWS, extensions=(extension(_ENTRA, "AADLoginForWindows"),)),
        _NOBODY,
    ),
)
