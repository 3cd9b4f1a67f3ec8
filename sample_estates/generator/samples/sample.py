"""A sample estate while it is made: its resources, and for every VM what an assessor may expect of it.

What is expected is written beside each machine as four letters, one for each dimension in the order Trusted
Launch, customer-managed keys, password access, managed identity. It rests on Azure's public documents, never
on what the rules of this release happen to say. Levels and controls are recorded: see
`expectation`.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sample_estates.generator import compute, governance, network, vaults
from sample_estates.generator.catalogue import SIZES, Json
from sample_estates.generator.dice import Dice
from sample_estates.generator.disks import disk_id
from sample_estates.generator.listing import WHOLE
from sample_estates.generator.machine import Machine, Place
from sample_estates.generator.writing import write_info

AS_OF = "2026-11-02"
DIMENSIONS = ("trusted_launch", "cmk", "password_access", "managed_identity")
LETTERS = {
    "S": "satisfied",
    "R": "ready",
    "W": "ready-with-work",
    "B": "blocked",
    "E": "excepted",
    "N": "not-applicable",
    "U": "unknown",
}
_SERVICES = {"AKS": "ManagedByService", "SET": "ScaleSetMember"}


@dataclass(slots=True)
class Sample:
    """One sample estate."""

    name: str
    subscriptions: tuple[str, ...]
    """Names of its subscriptions; ids are drawn from them."""
    context: str = ""
    resources: list[Json] = field(default_factory=list)
    expected: dict[str, Json] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    """Ids of VMs that nobody can understand: found, and counted as unknown."""
    dangling: list[str] = field(default_factory=list)
    """Ids that resources refer to on purpose although nothing has them."""
    listed: tuple[str, ...] = WHOLE
    gaps: list[Json] = field(default_factory=list)
    """What could not be read, as `estate.json` says it."""

    @property
    def tenant(self) -> str:
        """The id of the tenant."""
        return Dice("tenant", self.name).guid()

    def subscription(self, name: str) -> str:
        """Return the id of a subscription by its name."""
        return Dice("subscription", self.name, name).guid()

    def place(self, group: str, region: str, subscription: str | None = None) -> Place:
        """Return a resource group, in the first subscription if none is named."""
        chosen = self.subscription(subscription or self.subscriptions[0])
        return Place(chosen, group, region, self.tenant)

    def add(self, *resources: Json) -> None:
        """Add resources."""
        self.resources += resources

    def base(
        self,
        regions: Sequence[str],
        plan: str | None,
        *,
        feature: str = "Registered",
        only: Sequence[str] = (),
    ) -> None:
        """Add what every subscription has: itself, a feature, its Defender plan and the sizes it may use.

        `only` names subscriptions that have it, where not all of them do.
        """
        for name in only or self.subscriptions:
            place = self.place("", regions[0], name)
            self.add(governance.subscription(place, name))
            self.add(governance.feature(place, "EncryptionAtHost", feature))
            self.add(governance.defender(place, plan))
            self.add(*(compute.size(place.subscription, size, list(regions)) for size in SIZES))

    def vm(
        self,
        vm: Machine,
        expect: str,
        why: str = "",
        *,
        backup: tuple[str, str] | None = None,
        alter: Callable[[Json], object] | None = None,
    ) -> list[Json]:
        """Add a VM with all that is its own, and what is expected of it.

        Args:
            vm: The machine.
            expect: Four letters of `LETTERS`, or `AKS` or `SET` for a VM that somebody else rebuilds.
            why: What makes this VM different from an ordinary one.
            backup: Vault and kind of policy that protect it.
            alter: Changes the VM's resource into something that the words of a machine cannot say.
        """
        dice = Dice(self.name, vm.name, vm.place.group)
        made = [*compute.compute_of(vm, dice), network.interface(vm, dice)]
        if alter:
            alter(made[0])
        if vm.public_ip:
            user, address = f"{vm.nic_id}/ipConfigurations/primary", f"203.0.113.{dice.between(10, 250)}"
            made.append(network.public_ip(vm.place, vm.public_ip, address, user, basic=vm.basic_ip))
        if vm.ephemeral:
            # The VM names its OS disk, but there is no such resource.
            self.dangling.append(disk_id(vm, None))
        if backup:
            made.append(vaults.backup_item(backup[0], vm, backup[1]))
        self.add(*made)
        self._expect(vm, expect, why)
        return made

    def _expect(self, vm: Machine, expect: str, why: str) -> None:
        if expect in _SERVICES:
            found: Json = {"excluded": _SERVICES[expect]}
        else:
            found = dict(zip(DIMENSIONS, (LETTERS[letter] for letter in expect), strict=True))
        self.expected[vm.id] = found | {"why": why} if why else found

    def write(self, folder: Path) -> None:
        """Write the estate's own three files; `expectation` writes the fourth."""
        folder.mkdir(exist_ok=True)
        names = [{"id": self.subscription(name), "name": name} for name in self.subscriptions]
        seen: Json = {"listed_types": sorted(self.listed), "gaps": self.gaps}
        write_info(folder, self.name, "sample", self.tenant, names, seen)
        lines = [json.dumps(entry, separators=(",", ":"), ensure_ascii=False) for entry in self.resources]
        _write(folder / "resources.jsonl", "\n".join(lines) + "\n")
        _write(folder / "context.yaml", self.context)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
