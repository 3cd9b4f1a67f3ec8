"""Key vaults: GET, lists, PUT, PATCH, DELETE, access policies, and whether a name is free.

Learn, "Azure Key Vault soft-delete overview": a deleted vault keeps its name and its keys until it is
recovered or purged; soft delete and purge protection are never switched off again. From api-version
2026-02-01 on a new vault is opened by roles unless it says otherwise. The vaults that were deleted are
`deleted_vaults`.
"""

import re
from datetime import timedelta

from readiness.twin.arm import deleted_vaults, immediate
from readiness.twin.arm.deleted_vaults import VAULT
from readiness.twin.documents import Json, duplicate, look, merged, same, section
from readiness.twin.messages import ArmError, Response
from readiness.twin.paths import parse
from readiness.twin.state import State
from readiness.twin.world import Call, Routes, World

ROLES_SINCE = "2026-02-01"
DNS_SECONDS = 15.0
"""How long the name of a new vault takes to be known."""

_NAME = re.compile(r"(?!.*--)[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]")
_RETENTION = range(7, 91)


def with_name(state: State, name: str) -> Json | None:
    """Return the vault of a name, which is the only one in the world."""
    return next((vault for vault in state.of_kind(VAULT) if same(parse(vault["id"]).name, name)), None)


def uri_of(name: str) -> str:
    """Return the address of a vault in the public cloud."""
    return f"https://{name.lower()}.vault.azure.net/"


def write(world: World, call: Call) -> Response:
    """Make, recover or replace a vault."""
    before = world.state.find(call.address.resource_id)
    location = immediate.located(call, before)
    given: Json = duplicate(call.body().get("properties") or {})
    mode = given.pop("createMode", "default")
    ticket = world.admit(call, "vaults/write", call.address.resource_id)
    if same(mode, "recover"):
        return world.finished(ticket, Response(200, deleted_vaults.recover(world, call, location)))
    _check(before, given)
    if before is None:
        _check_name(world.state, call.address.name)
    for name in ("tenantId", "sku"):
        if not given.get(name):
            raise ArmError(400, "BadRequest", f"The parameter '{name}' is missing.", unverified=True)
    after = immediate.fresh(call, "Microsoft.KeyVault/vaults")
    if before is not None:
        after["id"] = before["id"]
    after |= {"location": location, "tags": duplicate(call.body().get("tags") or {})}
    after["properties"] = _completed(call, before, given)
    after["systemData"] = immediate.system_data(call, before)
    if before is None:
        after["properties"]["provisioningState"] = "RegisteringDns"
        world.timeline.add(
            call.now + timedelta(seconds=DNS_SECONDS),
            lambda _: after["properties"].update(provisioningState="Succeeded"),
        )
    world.state.put(after)
    # As recorded in Azure/azure-cli, keyvault/tests/latest/recordings/: 200 for a new vault, too.
    return world.finished(ticket, Response(200, duplicate(after)))


def update(world: World, call: Call) -> Response:
    """Change what a PATCH names."""
    vault = world.state.need(call.address)
    given: Json = duplicate(call.body().get("properties") or {})
    given.pop("createMode", None)
    ticket = world.admit(call, "vaults/write", vault["id"])
    _check(vault, given)
    vault["properties"] = merged(vault.get("properties"), given)
    if "tags" in call.body():
        vault["tags"] = duplicate(call.body()["tags"] or {})
    return world.finished(ticket, immediate.get(world, call))


def _check(before: Json | None, given: Json) -> None:
    """Refuse what can never be set, and what is never taken back."""
    if given.get("enablePurgeProtection") is False:
        raise ArmError(
            400,
            "BadRequest",
            'The property "enablePurgeProtection" cannot be set to false. Enabling the purge protection for '
            "a vault is an irreversible action.",
        )
    if before is not None and given.get("enableSoftDelete") is False:
        raise ArmError(
            400,
            "BadRequest",
            'The property "enableSoftDelete" can be set to false only for creating new vault. Enabling the '
            "'soft delete' functionality is an irreversible action.",
        )
    days = given.get("softDeleteRetentionInDays")
    own = look(before, "properties.softDeleteRetentionInDays")
    if None not in (days, own) and days != own:
        raise ArmError(
            400,
            "BadRequest",
            'The property "softDeleteRetentionInDays" has been set already and it can\'t be modified.',
        )
    if days is not None and days not in _RETENTION:
        raise ArmError(
            400,
            "BadRequest",
            'The property "softDeleteRetentionInDays" must be between 7 and 90.',
            unverified=True,
        )


def _check_name(state: State, name: str) -> None:
    if _NAME.fullmatch(name) is None:
        raise _invalid_name(name)
    if deleted_vaults.with_name(state, name) is not None:
        raise ArmError(
            409,
            "ConflictError",
            "A vault with the same name already exists in deleted state. You need to either recover or purge "
            "existing key vault. Follow this link https://go.microsoft.com/fwlink/?linkid=2149745 for more "
            "information on soft delete.",
        )
    if with_name(state, name) is not None:
        raise _taken(name)


def _invalid_name(name: str) -> ArmError:
    return ArmError(
        400,
        "VaultNameNotValid",
        f"The vault name '{name}' is invalid. A vault's name must be between 3-24 alphanumeric characters. "
        "The name must begin with a letter, end with a letter or digit, and not contain consecutive hyphens.",
    )


def _taken(name: str) -> ArmError:
    return ArmError(
        409,
        "VaultAlreadyExists",
        f"The vault name '{name}' is already in use. Vault names are globally unique so it is possible that "
        "the name is already taken. If you are sure that the vault name was not taken then it is possible "
        "that a vault with the same name was recently deleted but not purged after being placed in a "
        "recoverable state.",
    )


def _completed(call: Call, before: Json | None, given: Json) -> Json:
    own: Json = look(before, "properties") or {}
    kept = ("enableSoftDelete", "softDeleteRetentionInDays", "enablePurgeProtection", "vaultUri")
    properties = {name: own[name] for name in kept if name in own} | given
    properties.setdefault("accessPolicies", [])
    properties.setdefault("enabledForDeployment", False)
    if call.version >= ROLES_SINCE:
        properties.setdefault("enableRbacAuthorization", True)
    # Soft delete is on for every new vault, whatever is asked for (Learn).
    properties["enableSoftDelete"] = True
    properties.setdefault("softDeleteRetentionInDays", 90)
    properties.setdefault("publicNetworkAccess", "Enabled")
    properties.setdefault("vaultUri", uri_of(call.address.name))
    return properties | {"provisioningState": "Succeeded"}


def delete(world: World, call: Call) -> Response:
    """Delete a vault, which can be recovered from now on."""
    vault = world.state.find(call.address.resource_id)
    ticket = world.admit(call, "vaults/delete", call.address.resource_id)
    if vault is None:
        return world.finished(ticket, Response(204))
    deleted_vaults.put_away(world, vault, call.now)
    return world.finished(ticket, Response(200))


def change_policies(world: World, call: Call) -> Response:
    """Add, replace or remove access policies: `PUT .../accessPolicies/{add|replace|remove}`."""
    vault = immediate.need_parent(world, call.address.path.rsplit("/", 2)[0])
    word = call.address.name.lower()
    if word not in ("add", "replace", "remove"):
        raise ArmError(
            400,
            "BadRequest",
            f"The access policy operation '{call.address.name}' is not valid.",
            unverified=True,
        )
    ticket = world.admit(call, "vaults/accessPolicies/write", vault["id"])
    given: list[Json] = duplicate(look(call.body(), "properties.accessPolicies") or [])
    policies: list[Json] = section(vault, "properties").get("accessPolicies") or []
    if word == "replace":
        policies = []
    for policy in given:
        other = next((each for each in policies if _same_holder(each, policy)), None)
        if other is None:
            policies += [policy] if word != "remove" else []
            continue
        other["permissions"] = _combined(
            other.get("permissions") or {}, policy.get("permissions") or {}, word
        )
    held = [each for each in policies if any((each.get("permissions") or {}).values())]
    vault["properties"]["accessPolicies"] = held
    body = {
        "id": f"{vault['id']}/accessPolicies/",
        "type": "Microsoft.KeyVault/vaults/accessPolicies",
        "location": vault.get("location"),
        "properties": {"accessPolicies": duplicate(held)},
    }
    return world.finished(ticket, Response(200, body))


def _same_holder(one: Json, other: Json) -> bool:
    return same(one.get("objectId"), other.get("objectId")) and same(
        one.get("applicationId"), other.get("applicationId")
    )


def _combined(own: Json, change: Json, word: str) -> Json:
    result: Json = {}
    for area in {*own, *change}:
        has = {str(each).lower(): each for each in own.get(area) or []}
        named = {str(each).lower(): each for each in change.get(area) or []}
        left = {key: value for key, value in has.items() if key not in named}
        result[area] = list((left if word == "remove" else has | named).values())
    return result


def check_name(world: World, call: Call) -> Response:
    """Answer whether a name is free."""
    name = str(call.body().get("name") or "")
    if _NAME.fullmatch(name) is None:
        error, reason = _invalid_name(name), "AccountNameInvalid"
    elif with_name(world.state, name) is not None or deleted_vaults.with_name(world.state, name) is not None:
        error, reason = _taken(name), "AlreadyExists"
    else:
        return Response(200, {"nameAvailable": True})
    return Response(200, {"nameAvailable": False, "reason": reason, "message": error.message})


ROUTES: Routes = {
    ("GET", "microsoft.keyvault", "vaults"): immediate.listed(VAULT),
    ("GET", VAULT, ""): immediate.get,
    ("PUT", VAULT, ""): write,
    ("PATCH", VAULT, ""): update,
    ("DELETE", VAULT, ""): delete,
    ("PUT", f"{VAULT}/accesspolicies", ""): change_policies,
    ("POST", "microsoft.keyvault", "checknameavailability"): check_name,
}
