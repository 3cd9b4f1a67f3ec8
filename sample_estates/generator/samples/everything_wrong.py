"""Every blocker and every oddity at least once, each on a machine that has nothing else wrong.

The first and the last machine have nothing wrong with them: what stands between them must not change that.
"""

from collections.abc import Callable

from sample_estates.generator import compute, disks, governance, network, vaults
from sample_estates.generator.catalogue import CRYPTO_USER, Json
from sample_estates.generator.dice import Dice
from sample_estates.generator.listing import INVENTORY
from sample_estates.generator.machine import Machine, Place
from sample_estates.generator.network import Rule, Subnet
from sample_estates.generator.samples import (
    odd_boot,
    odd_disks,
    odd_guests,
    odd_keys,
    odd_networks,
    odd_policies,
    odd_states,
    odd_unread,
)
from sample_estates.generator.samples.oddities import REGION, Oddities
from sample_estates.generator.samples.sample import Sample


def build() -> Sample:
    """Return the estate."""
    sample = Sample("everything_wrong", ("curiosities", odd_unread.ATTIC))
    sample.listed = (*(kind for kind in INVENTORY if kind not in _NOT_ASKED), _ELIGIBILITIES)
    odd = Oddities(sample)
    sample.base([REGION], "P1", feature="NotRegistered", only=("curiosities",))
    _surroundings(odd)
    odd.make("ew-a-plain-01", "RRSR", "Nothing is wrong with it.")
    odd_boot.add(odd)
    odd_disks.add(odd)
    odd_networks.add(odd)
    odd_keys.add(odd)
    odd_states.add(odd)
    odd_guests.add(odd)
    odd_policies.add(odd)
    odd_unread.add(odd)
    _access(odd)
    _ownership(odd)
    _not_machines(odd)
    odd.make("ew-z-plain-01", "RRSR", "Nothing is wrong with it, whatever stands above.")
    sample.context = _CONTEXT.format(
        good=odd.key_set("good"),
        failed=odd.key_set("failed"),
        sealed=odd.key_set("sealed"),
        double=odd.key_set("double"),
        missing=odd.missing("Microsoft.Compute/diskEncryptionSets", "des-nowhere"),
        more="".join(_target(name, chosen) for name, chosen in odd.chosen.items()),
    )
    return sample


def _surroundings(odd: Oddities) -> None:
    place, sample = odd.place, odd.sample
    for group in (place, sample.place("rg-keys", REGION)):
        sample.add(governance.group(group))
    admin = Rule(name="admin", priority=310, ports=("22", "3389"), sources=("10.50.9.0/24",))
    sample.add(network.security_group(place, "nsg-closed", [admin]))
    lost = odd.missing(f"{network.NETWORK}/routeTables", "rt-gone")
    subnets = [
        Subnet(name="closed", prefix="10.50.0.0/24", group=network.group_id(place, "nsg-closed")),
        Subnet(name="open", prefix="10.50.1.0/24"),
        Subnet(name="AzureFirewallSubnet", prefix="10.50.2.0/26"),
        Subnet(name="private", prefix="10.50.3.0/24"),
        Subnet(name="routed", prefix="10.50.4.0/24", routes=lost),
    ]
    made = network.virtual_network(place, "vnet-odd", "10.50.0.0/16", subnets)
    made["properties"]["subnets"][3]["properties"]["defaultOutboundAccess"] = False
    sample.add(made)
    keys = sample.place("rg-keys", REGION)
    dice = Dice("everything_wrong", "keys")
    vault = vaults.key_vault(keys, "kv-curiosities")
    held = vaults.key(vault, "key-disks", dice.hex(32))
    sample.add(vault, held)
    kinds = {
        "good": "EncryptionAtRestWithCustomerKey",
        "failed": "EncryptionAtRestWithCustomerKey",
        "sealed": "ConfidentialVmEncryptedWithCustomerKey",
        "double": "EncryptionAtRestWithPlatformAndCustomerKeys",
    }
    for name, kind in kinds.items():
        made = vaults.encryption_set(keys, f"des-{name}", held, dice.guid(), kind)
        if name == "failed":
            made["properties"]["provisioningState"] = "Failed"
        role = CRYPTO_USER
        principal = str(made["identity"]["principalId"])
        sample.add(made, governance.role_assignment(vault["id"], role, principal, keys, dice.guid()))
    sample.add(vaults.recovery_vault(place, "rsv-odd"))
    sample.add(*(vaults.backup_policy(odd.vault, kind) for kind in ("V1", "V2")))


def _access(odd: Oddities) -> None:
    odd.make("ew-password-01", "RRWR", "Set up with a password.", keys_only=False)

    def forbids(profile: Json) -> None:
        profile["allowExtensionOperations"] = False

    def lacks_agent(profile: Json) -> None:
        profile["linuxConfiguration"]["provisionVMAgent"] = False

    for name, why, change in (
        ("ew-noext-01", "Nothing may be installed on it, and it has a password.", forbids),
        ("ew-noagent-01", "It was set up without an agent, and with a password.", lacks_agent),
    ):
        odd.make(name, "RRBR", why, alter=_within("osProfile", change), keys_only=False)
    odd.make("ew-noprofile-01", "RRUR", "No osProfile was reported.", alter=_without("osProfile"))
    odd.make("ew-special-01", "URUR", "A specialised disk of nobody knows what.", **odd.appliance())
    name = odd.place.id("Microsoft.ManagedIdentity/userAssignedIdentities", "id-odd")
    dice = Dice("everything_wrong", "identity")
    odd.sample.add(governance.user_identity(odd.place, "id-odd", dice.guid(), dice.guid()))
    odd.make("ew-uami-01", "RRSS", "One user-assigned identity is an identity.", user_identities=(name,))
    odd.make("ew-mma-01", "RRSW", "An extension with a key of its own.", extensions=("OmsAgentForLinux",))
    odd.make("ew-idtype-01", "RRSS", "Its identity is written as policies write it.", alter=_policy_identity)
    made = odd.make(
        "ew-nameless-01",
        "UUSU",
        "Nobody can tell what its extension is: it might encrypt, or hold a key.",
        extensions=("LinuxDiagnostic",),
    )
    made[-2]["properties"] = {"provisioningState": "Succeeded", "publisher": None, "type": None}


def _within(section: str, change: Callable[[Json], None]) -> Callable[[Json], None]:
    return lambda vm: change(vm["properties"][section])


def _without(section: str) -> Callable[[Json], object]:
    return lambda vm: vm["properties"].pop(section)


def _policy_identity(vm: Json) -> None:
    vm["identity"] = {"type": "UserAssigned,SystemAssigned", "principalId": Dice("odd").guid()}


def _ownership(odd: Oddities) -> None:
    """Add machines that somebody else owns, and resource groups that own each other."""
    first, second = (odd.sample.place(f"rg-circle-{number}", REGION) for number in (1, 2))
    for own, other in ((first, second), (second, first)):
        manager = other.id("Microsoft.Solutions/applications", f"app-{other.group[-1]}")
        odd.sample.add(governance.group(own, managed_by=manager))
        odd.make(f"ew-circle-{own.group[-1]}", "AKS", "Its group's manager is managed from here.", place=own)
    gone = odd.missing("Invented.Service/things", "nobody")
    odd.make(
        "ew-managed-01",
        "AKS",
        "An unknown service says it is its own.",
        alter=lambda vm: vm.update(managedBy=gone),
    )
    nowhere = odd.missing("Microsoft.Compute/virtualMachineScaleSets", "vmss-gone")
    odd.make("ew-member-01", "SET", "Its scale set was not read.", scale_set=nowhere)
    locked = odd.make(
        "ew-locked-01", "BBSB", "Locked against any write, and locks are never lifted for anybody."
    )
    odd.sample.add(governance.lock(str(locked[0]["id"]), "hands-off", "ReadOnly", "Ask first."))
    twice = odd.make("ew-twice-01", "RRSR", "It occurs twice, in different case; nothing is lost.")
    again: Json = {**twice[0], "id": str(twice[0]["id"]).upper(), "properties": dict(twice[0]["properties"])}
    again["properties"].pop("instanceView")
    odd.sample.add(again)
    odd.make("ew-tags-01", "RRSR", "Its tags look like formulas.", alter=_formulas)
    for name, why, change in (
        ("ew-list-01", "properties is a list", lambda vm: vm.update(properties=["no", "object"])),
        (
            "ew-text-01",
            "securityProfile is a text",
            lambda vm: vm["properties"].update(securityProfile="yes, please"),
        ),
    ):
        odd.unread(name, why, change)


def _formulas(vm: Json) -> None:
    vm["tags"] = {
        "keys": "good",
        "=1+1": '=HYPERLINK("https://example.com")',
        "@owner": None,
        "-note": "+49 30 0000",
    }


def _not_machines(odd: Oddities) -> None:
    """Add what is no VM, and odd in itself."""
    place: Place = odd.place
    head = f"/subscriptions/{place.subscription}/resourceGroups/{place.group}/providers"
    odd.sample.add(
        {"id": f"{head}/Invented.Service/things/one", "name": "one", "type": "Invented.Service/things"},
        {
            "id": f"{head}/Microsoft.Compute/disks/disk-list",
            "type": "Microsoft.Compute/disks",
            "properties": [],
        },
        {
            "id": f"{head}/Microsoft.Compute/disks/disk-null",
            "type": "Microsoft.Compute/disks",
            "properties": None,
        },
        {"id": f"{head}/Microsoft.Compute/snapshots/no-source", "type": "Microsoft.Compute/snapshots"},
        {
            "id": f"{head}/Microsoft.Network/loadBalancers/lb-null",
            "type": "Microsoft.Network/loadBalancers",
            "properties": {"frontendIPConfigurations": None, "loadBalancingRules": [None]},
        },
        {
            "id": f"{odd.vault}/backupFabrics/Azure/protectionContainers/c/protectedItems/nothing",
            "type": "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems",
            "properties": {"backupManagementType": "AzureIaasVM"},
        },
        {**compute.size(place.subscription, "Standard_B2s", [REGION]), "capabilities": None},
    )
    orphan = Machine(name="ew-orphan", place=place, subnet=odd.subnet("closed"), address="10.50.0.250")
    odd.sample.add(disks.disk(orphan, None, Dice("orphan")))
    odd.sample.dangling.append(orphan.id)


def _target(name: str, chosen: str) -> str:
    return f"  - match: {{tags: {{keys: {name}}}}}\n    disk_encryption_set: {chosen}\n"


_ELIGIBILITIES = "Microsoft.Authorization/roleEligibilityScheduleInstances"
_NOT_ASKED = (
    "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems",
    "Microsoft.Security/pricings",
)
"""What nobody asked for in full, so that its absence says nothing."""

_CONTEXT = """\
# What Azure cannot know of the curiosities. All people and addresses in here are invented.
format: readiness/context/1

windows:
  - {{name: any-night, rrule: "FREQ=DAILY", start: "22:00", duration: PT8H, timezone: Europe/Berlin}}

applications:
  - name: Cabinet
    owner: {{name: Odile Farkas, email: odile.farkas@example.com}}
    criticality: low
    environment: test
    match: {{names: [ew-*, at-*]}}
    windows: [any-night]

dependencies:
  - {{source: ew-a-plain-01, target: ew-z-plain-01}}
  # a circle, and one through a machine that has nothing but nulls
  - {{source: ew-z-plain-01, target: ew-nulls-01}}
  - {{source: ew-nulls-01, target: ew-a-plain-01}}

targets:
  - match: {{}}
    trusted_launch: {{secure_boot: true}}
  - match: {{tags: {{secure-boot: later}}}}
    trusted_launch: {{secure_boot: false}}
  - match: {{names: [ew-*]}}
    identity: {{type: system}}
  - match: {{tags: {{host: wanted}}}}
    encryption_at_host: true
  - match: {{tags: {{keys: good}}}}
    disk_encryption_set: {good}
  - match: {{tags: {{keys: failed}}}}
    disk_encryption_set: {failed}
  - match: {{tags: {{keys: sealed}}}}
    disk_encryption_set: {sealed}
  - match: {{tags: {{keys: double}}}}
    disk_encryption_set: {double}
  - match: {{tags: {{keys: missing}}}}
    disk_encryption_set: {missing}
{more}"""
