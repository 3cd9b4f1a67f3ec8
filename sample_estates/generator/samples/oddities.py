"""The workshop of the estate in which everything is wrong: an ordinary machine, and ways to spoil it."""

from collections.abc import Callable
from typing import Any

from sample_estates.generator import network, vaults
from sample_estates.generator.catalogue import Json
from sample_estates.generator.disks import COMPUTE
from sample_estates.generator.machine import Machine, Place
from sample_estates.generator.samples.sample import Sample

REGION = "uksouth"


class Oddities:
    """Makes one odd machine after the other."""

    def __init__(self, sample: Sample) -> None:
        self.sample = sample
        self.place: Place = sample.place("rg-odd", REGION)
        self.vault = self.place.id(vaults.RECOVERY, "rsv-odd")
        self._count = 3
        self.chosen: dict[str, str] = {}
        """Ids of disk encryption sets by the tag `keys` of the machines that they are chosen for."""

    def subnet(self, name: str) -> str:
        """Return the id of a subnet: `closed` has a security group, `open` has none."""
        return f"{network.network_id(self.place, 'vnet-odd')}/subnets/{name}"

    def key_set(self, name: str) -> str:
        """Return the id of one of the disk encryption sets."""
        return self.sample.place("rg-keys", REGION).id(f"{COMPUTE}/diskEncryptionSets", f"des-{name}")

    def missing(self, kind: str, *names: str) -> str:
        """Return the id of something that does not exist, and note that this is on purpose."""
        found = self.place.id(kind, *names)
        self.sample.dangling.append(found)
        return found

    def appliance(self) -> dict[str, Any]:
        """Return what makes a machine one that was built from a vendor's specialised disk."""
        return {"image": None, "specialised": True, "agent": "Not Ready"}

    def machine(self, name: str, **given: Any) -> Machine:
        """Return an ordinary machine, but for what is given."""
        self._count += 1
        words: dict[str, Any] = {
            "place": self.place,
            "subnet": self.subnet("closed"),
            "address": f"10.50.0.{self._count}",
            "patching": "ImageDefault",
            "tags": {"keys": "good"},
        }
        return Machine(name=name, **(words | given))

    def make(
        self,
        name: str,
        expect: str,
        why: str,
        *,
        alter: Callable[[Json], object] | None = None,
        backup: str | None = None,
        **given: Any,
    ) -> list[Json]:
        """Add an odd machine; `given` are words of `Machine`. Its resources may still be spoilt."""
        vm = self.machine(name, **given)
        kept = (self.vault, backup) if backup else None
        return self.sample.vm(vm, expect, why, backup=kept, alter=alter)

    def unread(self, name: str, why: str, alter: Callable[[Json], object]) -> None:
        """Add a VM that nobody can understand: found, not classified, and not lost."""
        vm = self.machine(name)
        self.sample.vm(vm, "UUUU", why, alter=alter)
        del self.sample.expected[vm.id]
        self.sample.unread.append(vm.id)
