"""The bank's places, networks, keys and vaults, and a machine as the bank builds them."""

from sample_estates.generator import network, vaults
from sample_estates.generator.dice import Dice
from sample_estates.generator.machine import Machine, Place
from sample_estates.generator.samples.sample import Sample

REGION, SECOND = "germanywestcentral", "westeurope"
CORE, CHANNELS, SHARED = "kontor-core", "kontor-channels", "kontor-shared"
LINUX = ("AzureMonitorLinuxAgent", "MDE.Linux", "AADSSHLoginForLinux", "GuestAttestation.Linux")
WINDOWS = ("AzureMonitorWindowsAgent", "MDE.Windows", "JsonADDomainExtension", "GuestAttestation.Windows")
"""A Windows server of the bank is in its domain, and cannot join Entra as well."""


class Bank:
    """The bank's places, networks, keys and vaults."""

    def __init__(self) -> None:
        self.sample = Sample("bank", (CORE, CHANNELS, SHARED))
        self.places: dict[str, Place] = {
            name: self.sample.place(f"rg-{name.partition('-')[2]}-platform", REGION, name)
            for name in self.sample.subscriptions
        }
        self.keys = {
            name: vaults.guarded_keys(place, f"{name}-gwc", Dice("bank", name))
            for name, place in self.places.items()
        }
        self.address = 4
        self.fleet: list[Machine] = []
        """Every machine that was made here."""

    def key_set(self, subscription: str) -> str:
        """Return the id of a subscription's disk encryption set."""
        return str(self.keys[subscription][2]["id"])

    def vault(self, subscription: str) -> str:
        """Return the id of a subscription's Recovery Services vault."""
        return self.places[subscription].id(vaults.RECOVERY, f"rsv-{subscription}")

    def machine(self, subscription: str, group: str, name: str, image: str, size: str) -> Machine:
        """Return a machine as the bank builds them today."""
        self.address += 1
        windows = image.startswith("ws")
        network_id = network.network_id(self.places[subscription], f"vnet-{subscription}")
        made = Machine(
            name=name,
            place=self.sample.place(group, REGION, subscription),
            subnet=f"{network_id}/subnets/snet-servers",
            address=f"10.{40 + self.sample.subscriptions.index(subscription)}.0.{self.address}",
            image=image,
            size=size,
            created="2025-03-11",
            os_gb=127 if windows else 64,
            security="TrustedLaunch",
            at_host=True,
            key_set=self.key_set(subscription),
            system_identity=True,
            extensions=WINDOWS if windows else LINUX,
            zone=str(self.address % 3 + 1),
            tags={"data-class": "confidential", "role": name.split("-")[1]},
        )
        self.fleet.append(made)
        return made
