"""Machines that a policy or a role assignment stands in the way of: it refuses, undoes, or lets nobody in.

Each policy is assigned to a resource group with one machine in it, so that it concerns nobody else.
"""

from typing import Any

from sample_estates.generator import governance, posture
from sample_estates.generator.catalogue import VM_ADMINISTRATOR_LOGIN, VM_USER_LOGIN, Json
from sample_estates.generator.dice import Dice
from sample_estates.generator.machine import DataDisk, Place
from sample_estates.generator.samples.oddities import REGION, Oddities

_LATER = {"keys": "good", "secure-boot": "later"}
_ON_THIS_HOST = (
    "@Resource[Microsoft.Compute/virtualMachines:name] StringEqualsIgnoreCase 'ew-login-10'"
    " AND @Principal[Microsoft.Directory/CustomSecurityAttributes/Id:oncall_duty] StringEquals 'yes'"
)


def add(odd: Oddities) -> None:
    """Add the machines."""
    _refusals(odd)
    _secure_boot(odd)
    _roles(odd)
    _sealed(odd)


def _refusals(odd: Oddities) -> None:
    place = _group(odd, "place")
    why = "A policy came after it, by which nothing may be in its region any more."
    odd.make("ew-policy-place", "WWSW", why, place=place)
    _assign(odd, place, posture.ALLOWED_LOCATIONS, listOfAllowedLocations=["westeurope", "northeurope"])
    place = _group(odd, "tag")
    why = "A policy refuses disks that carry no tag, and nobody knows which tags its disks carry."
    odd.make("ew-policy-tag", "RUSR", why, place=place)
    _assign(odd, place, posture.REQUIRED_TAG, tagName="keys")
    place = _group(odd, "mute")
    why = "A policy names the regions that are allowed, and nobody reported which they are."
    odd.make("ew-policy-mute", "UUSU", why, place=place)
    _assign(odd, place, posture.ALLOWED_LOCATIONS)


def _secure_boot(odd: Oddities) -> None:
    why = "Its owner leaves Secure Boot off, which is half of the protection."
    odd.make("ew-secureboot-01", "WRSR", why, tags=_LATER)
    place = _group(odd, "boot")
    why = "Its owner leaves Secure Boot off, and a policy would switch it on."
    odd.make("ew-secureboot-02", "WRSR", why, tags=_LATER, place=place)
    _assign(odd, place, posture.SECURE_BOOT_ON_LINUX, effect="DeployIfNotExists")


def _roles(odd: Oddities) -> None:
    for name, expect, why, role, condition in (
        ("ew-login-09", "RRWR", "Whoever may sign in to it is no administrator.", VM_USER_LOGIN, ""),
        (
            "ew-login-10",
            "RRUR",
            "Its administrators may sign in under a condition that nobody can tell from here.",
            VM_ADMINISTRATOR_LOGIN,
            _ON_THIS_HOST,
        ),
    ):
        vm = odd.make(name, expect, why, keys_only=False)[0]
        dice = Dice("odd logins", name)
        given = governance.role_assignment(
            str(vm["id"]), role, dice.guid(), odd.place, dice.guid(), to="Group"
        )
        if condition:
            given["properties"] |= {"condition": condition, "conditionVersion": "2.0"}
        odd.sample.add(given)
    why = "Its administrator is one until noon, and was not seen to be eligible for more."
    vm = odd.make("ew-login-11", "RRUR", why, keys_only=False)[0]
    until_noon = posture.activated_role(
        str(vm["id"]), VM_ADMINISTRATOR_LOGIN, Dice("odd logins", "ew-login-11").guid(), odd.place
    )
    odd.sample.add(*until_noon[:2])


def _sealed(odd: Oddities) -> None:
    """Add a confidential VM whose own key serves its OS disk, and not the data disk it got later."""
    words: dict[str, Any] = {"security": "ConfidentialVM", "image": "cvm", "size": "Standard_DC4as_v5"}
    words |= {"key_set": odd.key_set("sealed"), "data": (DataDisk(gb=128),), "tags": {"keys": "undecided"}}
    made = odd.make("ew-sealed-03", "SWSR", "Nobody chose a key for its data disk.", **words)
    made[0]["properties"]["storageProfile"]["dataDisks"][0]["managedDisk"].pop("diskEncryptionSet")
    made[2]["properties"]["encryption"] = {"type": "EncryptionAtRestWithPlatformKey"}


def _group(odd: Oddities, name: str) -> Place:
    found = odd.sample.place(f"rg-policy-{name}", REGION)
    odd.sample.add(governance.group(found))
    return found


def _assign(odd: Oddities, place: Place, definition: str, **parameters: Any) -> None:
    found: Json = posture.policy(place.group_id(), "house-rule", definition, effect="Deny")
    found["properties"]["parameters"] = {name: {"value": value} for name, value in parameters.items()}
    odd.sample.add(found)
