"""A second subscription of which little was read: its gaps make unknown what depends on them, no more."""

from typing import Any

from sample_estates.generator import governance, network, posture, vaults
from sample_estates.generator.dice import Dice
from sample_estates.generator.network import Subnet
from sample_estates.generator.samples.oddities import REGION, Oddities

ATTIC = "attic"
_UNREAD = (
    "Microsoft.Authorization/locks",
    "Microsoft.Authorization/policyAssignments",
    "Microsoft.Authorization/roleAssignments",
    "Microsoft.Authorization/roleEligibilityScheduleInstances",
    "Microsoft.Compute/restorePointCollections",
    "Microsoft.Compute/snapshots",
    "Microsoft.GuestConfiguration/guestConfigurationAssignments",
    "Microsoft.RecoveryServices/vaults",
)
_ADDS_IDENTITIES = "12794019-7a00-42cf-95c2-882eed337cc8"
"""The initiative that gives VMs what guest configuration needs, a system identity included."""


def add(odd: Oddities) -> None:
    """Add the subscription, and a machine that may not use the keys that are in it."""
    sample = odd.sample
    place = sample.place("rg-attic", REGION, ATTIC)
    own = f"/subscriptions/{place.subscription}"
    sample.gaps += [
        {
            "place": "collector",
            "resource": f"{own}/providers/{kind}",
            "reason": "Forbidden",
            "detail": "The reader has no access to this type.",
            "is_vm": False,
        }
        for kind in _UNREAD
    ]
    sample.add(governance.subscription(place, ATTIC), governance.group(place))
    group = network.security_group(place, "nsg-attic", [])
    subnet = Subnet(name="closed", prefix="10.51.0.0/24", group=str(group["id"]))
    sample.add(group, network.virtual_network(place, "vnet-attic", "10.51.0.0/16", [subnet]))
    keys = vaults.guarded_keys(place, "odd-attic", Dice("odd", "attic"))
    sample.add(*keys[:3])
    odd.chosen["attic"] = str(keys[2]["id"])
    inside: dict[str, Any] = {
        "place": place,
        "subnet": f"{network.network_id(place, 'vnet-attic')}/subnets/closed",
    }
    why = "What could stand in its way was not read, in no dimension."
    tags = {"keys": "attic", "host": "wanted"}
    odd.make("ew-unread-01", "UUUU", why, keys_only=False, tags=tags, **inside)
    user = place.id("Microsoft.ManagedIdentity/userAssignedIdentities", "id-attic")
    dice = Dice("odd", "id-attic")
    sample.add(governance.user_identity(place, "id-attic", dice.guid(), dice.guid()))
    # The group's own policies could be read, those of the whole subscription could not.
    sample.add(posture.policy(place.group_id(), "guest-configuration", _ADDS_IDENTITIES))
    why = "A policy will give it a system identity, which takes the other one's place."
    words: dict[str, Any] = {"user_identities": (user,), "extensions": ("AADSSHLoginForLinux",)}
    odd.make("at-policy-01", "UUUU", why, tags={"keys": "attic"}, **words, **inside)
    odd.make("ew-key-attic", "RBSR", "The set is in another subscription.", tags={"keys": "attic"})
