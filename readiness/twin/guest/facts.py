"""What is known of a machine from outside, as far as its guest is made from it."""

from dataclasses import dataclass
from datetime import datetime

from readiness.twin.documents import Json, look, same
from readiness.twin.guest.settings import Settings
from readiness.twin.operations import draw


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a machine from outside."""

    vm: Json
    disks: tuple[Json, ...]
    """Its managed disks that are known, operating system disk first."""
    extensions: tuple[Json, ...]
    reported: Json
    """What its agent reports: osName, osVersion."""
    generation: str | None
    is_gpt: bool
    """Whether its operating system disk is known to carry a GUID partition table."""
    had_ade: bool
    seed: int
    now: datetime

    def chance(self, settings: Settings, name: str) -> bool:
        """Draw whether something is so."""
        return draw(self.seed, self.vm["id"], "guest", name) < settings.chance(name)

    def number(self, name: str, below: int) -> int:
        """Draw a number."""
        return int(draw(self.seed, self.vm["id"], "guest", name) * below)

    def has_extension(self, kind: str) -> bool:
        """Tell whether an extension of a type is installed."""
        return any(same(look(each, "properties.type"), kind) for each in self.extensions)


def is_windows(vm: Json) -> bool:
    """Tell whether a machine runs Windows."""
    return same(look(vm, "properties.storageProfile.osDisk.osType"), "Windows")
