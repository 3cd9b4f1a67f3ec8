"""Machines whose chosen key is odd: its disk encryption set, its vault, the key itself, or who may use it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sample_estates.generator import governance, vaults
from sample_estates.generator.catalogue import OWNER, Json
from sample_estates.generator.dice import Dice
from sample_estates.generator.machine import DataDisk
from sample_estates.generator.samples.oddities import REGION, Oddities

_ULTRA: dict[str, Any] = {"data": (DataDisk(gb=512, sku="UltraSSD_LRS", caching="None"),), "zone": "1"}
_NEVER = "8ab2c5f0-3f4f-4c5e-a4b5-6d2f1c7e9b10"
"""A role of the tenant's own, of which nobody here knows what it allows."""


@dataclass(frozen=True, slots=True)
class _Chain:
    """What stands between a disk and its key."""

    vault: Json
    key: Json
    chosen: Json
    role: Json

    def of(self, part: str) -> Json:
        """Return the properties of a part."""
        found: Json = getattr(self, part)["properties"]
        return found


def _set(part: str, **values: Any) -> Callable[[_Chain], object]:
    return lambda chain: chain.of(part).update(values)


def _drop(part: str, name: str) -> Callable[[_Chain], object]:
    return lambda chain: chain.of(part).pop(name)


def _attribute(**values: Any) -> Callable[[_Chain], object]:
    return lambda chain: chain.of("key")["attributes"].update(values)


def _hsm(chain: _Chain) -> None:
    chain.of("chosen")["activeKey"] = {"keyUrl": "https://odd.managedhsm.azure.net/keys/key-disks/1"}


def _by_policies(chain: _Chain) -> None:
    other = {"objectId": Dice("odd", "somebody").guid(), "permissions": {"keys": ["get", "list"]}}
    chain.of("vault").update(enableRbacAuthorization=False, accessPolicies=[other])


def _own_role(chain: _Chain) -> None:
    found = chain.of("role")
    found["roleDefinitionId"] = f"{found['roleDefinitionId'].rpartition('/')[0]}/{_NEVER}"


def _keyless_role(chain: _Chain) -> None:
    found = chain.of("role")
    found["roleDefinitionId"] = f"{found['roleDefinitionId'].rpartition('/')[0]}/{OWNER}"


def _user_identity(chain: _Chain) -> None:
    principal = chain.chosen["identity"]["principalId"]
    name = f"{chain.chosen['id'].partition('/providers/')[0]}/providers/Microsoft.ManagedIdentity"
    users = {f"{name}/userAssignedIdentities/id-odd-keys": {"principalId": principal}}
    chain.chosen["identity"] = {"type": "UserAssigned", "userAssignedIdentities": users}


_FAILED = {"code": "KeyVaultAccessForbidden", "message": "Access to the key was denied."}
_SHUT = {"bypass": "None", "defaultAction": "Deny"}
_ODD: tuple[tuple[str, str, str, Callable[[_Chain], object]], ...] = (
    ("stuck", "B", "Its set cannot reach its newest key.", _set("chosen", autoKeyRotationError=_FAILED)),
    ("far", "B", "Its set is in another region.", lambda chain: chain.chosen.update(location="ukwest")),
    (
        "faceless",
        "B",
        "Its set has no identity.",
        lambda chain: chain.chosen.update(identity={"type": "None"}),
    ),
    ("mute", "U", "Nobody reported its set's identity.", lambda chain: chain.chosen.pop("identity")),
    ("stateless", "U", "Nobody reported its set's state.", _drop("chosen", "provisioningState")),
    ("user", "B", "A user-assigned identity is not enough for Ultra disks.", _user_identity),
    ("keyless", "U", "Nobody reported its set's key.", _drop("chosen", "activeKey")),
    ("hsm", "U", "Its key is in a managed HSM.", _hsm),
    ("purge", "W", "Its vault can be purged.", _drop("vault", "enablePurgeProtection")),
    ("soft", "W", "Its vault forgets what is deleted.", _set("vault", enableSoftDelete=False)),
    ("away", "W", "Its vault is in another region.", lambda chain: chain.vault.update(location="ukwest")),
    ("fence", "U", "A perimeter guards its vault.", _set("vault", publicNetworkAccess="SecuredByPerimeter")),
    ("shut", "W", "Its vault shuts Azure services out.", _set("vault", networkAcls=_SHUT)),
    (
        "dark",
        "U",
        "Its vault is closed, by rules that nobody read.",
        _set("vault", publicNetworkAccess="Disabled", networkAcls=None),
    ),
    ("kind", "U", "Nobody reported what kind of key it is.", _drop("key", "kty")),
    ("size", "U", "Nobody reported how long the key is.", _drop("key", "keySize")),
    ("state", "U", "Nobody reported whether the key is enabled.", _attribute(enabled=None)),
    ("disabled", "W", "The key is disabled.", _attribute(enabled=False)),
    ("old", "W", "The key expired in October.", _attribute(exp=1792022400)),
    ("new", "W", "The key is valid from December on.", _attribute(nbf=1796083200)),
    ("curve", "W", "Disks take RSA keys only.", _set("key", kty="EC")),
    ("long", "W", "Disks take no key of 8192 bits.", _set("key", keySize=8192)),
    ("policy", "W", "Its vault's access policies let somebody else in.", _by_policies),
    ("custom", "U", "Its role is one that nobody here knows.", _own_role),
    ("owner", "W", "Whoever owns a vault may not use its keys.", _keyless_role),
)


def add(odd: Oddities) -> None:
    """Add the machines, each with keys of its own."""
    for name, letter, why, spoil in _ODD:
        chain = _chain(odd, name)
        spoil(chain)
        odd.sample.add(chain.vault, chain.key, chain.chosen, chain.role)
        words = _ULTRA if name == "user" else {}
        if name == "user":
            dice = Dice("odd keys", "user identity")
            place = odd.sample.place("rg-keys", REGION)
            odd.sample.add(governance.user_identity(place, "id-odd-keys", dice.guid(), dice.guid()))
        odd.make(f"ew-key-{name}", f"R{letter}SR", why, tags={"keys": name}, **words)
    gone = _chain(odd, "gone")
    odd.sample.add(gone.chosen, gone.role)
    odd.sample.dangling.append(str(gone.vault["id"]))
    odd.make("ew-key-gone", "RUSR", "Its vault was not read.", tags={"keys": "gone"})
    lost = _chain(odd, "lost")
    odd.sample.add(lost.vault, lost.chosen, lost.role)
    odd.make("ew-key-lost", "RUSR", "Its key was not read.", tags={"keys": "lost"})


def _chain(odd: Oddities, name: str) -> _Chain:
    place = odd.sample.place("rg-keys", REGION)
    chain = _Chain(*vaults.guarded_keys(place, f"odd-{name}", Dice("odd keys", name)))
    odd.chosen[name] = str(chain.chosen["id"])
    return chain
