"""Tables that Azure changes from time to time, each with the day they were checked.

They are data beside the code: the app loads them and hands them to the rules on the estate.
"""

from msgspec import Struct

from readiness.model.sku import Sku


class SystemEntry(Struct, frozen=True, kw_only=True):
    """An operating system and its versions that Azure lists for Trusted Launch."""

    system: str
    """The key that the rules know it by, such as `rhel`."""
    name: str
    current: tuple[str, ...]
    """Versions on the newest list."""
    earlier: tuple[str, ...] = ()
    """Versions on an older list that the newest one does not name any more."""
    generation1: tuple[str, ...] | None = None
    """Versions that can be upgraded from generation 1; None where all listed ones can."""


class Risk(Struct, frozen=True, kw_only=True):
    """An extension that is known to bring kernel modules or drivers of its own."""

    publisher: str
    type: str
    what: str


class Framework(Struct, frozen=True, kw_only=True):
    """A catalogue of security controls, as a built-in initiative of Azure Policy maps policies to it."""

    name: str
    address: str
    """Where the initiative can be read."""
    controls: dict[str, tuple[str, ...]]
    """Ids of the framework's controls by policy definition, for the policies that are named here."""


class Reference(Struct, frozen=True, kw_only=True):
    """Everything the rules look up that is neither observed nor decided by people."""

    sizes: dict[str, Sku] = {}
    """Common VM sizes by name in lower case, for estates without any SKU data."""
    sizes_verified_on: str = ""
    systems: tuple[SystemEntry, ...] = ()
    systems_verified_on: str = ""
    secure_boot_risks: tuple[Risk, ...] = ()
    key_roles: dict[str, str] = {}
    """Built-in roles that let an identity unwrap keys: their ids in lower case, and names."""
    keyless_roles: dict[str, str] = {}
    """Built-in roles that are known not to."""
    frameworks: tuple[Framework, ...] = ()
    frameworks_verified_on: str = ""
    time_zones: dict[str, str] = {}
    """Zones of the tz database by the name that Windows has for them, in lower case."""
