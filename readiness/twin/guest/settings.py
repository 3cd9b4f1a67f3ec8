"""What a seed says of guests: `guest.json` in an estate folder, or `twin.guest` on a machine's own line.

`{"format": "readiness/guest/1", "chances": {...}, "guests": [{"resource": "web-*", ...}]}`: entries are laid
over each other in the order of the file. Guarantees: what is wrong is a `GuestFileError` with the place and a
remedy. What is not said is drawn by `birth`, with the chances below or those given.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from readiness.twin.documents import Json, same

FORMAT = "readiness/guest/1"
FILE_NAME = "guest.json"

CHANCES: dict[str, float] = {
    "bitlocker": 0.0,
    "certificates_of_2011": 0.5,
    "entra_login": 0.5,
    "key_login": 0.6,
    "match_block": 0.05,
    "password_login": 0.6,
    "reboot_required": 0.1,
    "unsigned_boot_component": 0.0,
    "unsigned_module": 0.05,
}
"""How likely what a seed does not say is, where it can be at all. What stops a boot has no chance of its own:
trouble comes from files."""


class GuestFileError(ValueError):
    """A statement about guests that cannot be understood, with the place and a remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is said of one guest; None is not said."""

    unsigned_boot_component: bool | None = None
    unsigned_modules: list[str] | None = None
    partition_style: str | None = None
    primary_partitions: int | None = None
    bitlocker: bool | None = None
    luks: bool | None = None
    domain: str | None = None
    domain_controller: bool | None = None
    cluster: str | None = None
    reboot_required: bool | None = None
    certificates: str | None = None
    remote_desktop: bool | None = None
    entra_joined: bool | None = None
    distribution: str | None = None
    version: str | None = None
    files: dict[str, Any] | None = None
    """Text by path, put last of all; null removes a file."""
    users: list[Any] | None = None
    logins: list[Any] | None = None
    services: dict[str, Any] | None = None
    """State by name: active, inactive or failed."""
    chances: dict[str, float] = field(default_factory=dict)

    def chance(self, name: str) -> float:
        """Return how likely a thing is."""
        return self.chances.get(name, CHANCES[name])


_WORDS = {"partition_style": ("gpt", "mbr"), "certificates": ("2011", "2023")}
_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("unsigned_boot_component", "bitlocker", "luks", "domain_controller"), (bool,)),
    **dict.fromkeys(("reboot_required", "remote_desktop", "entra_joined"), (bool,)),
    **dict.fromkeys(("partition_style", "domain", "cluster", "certificates"), (str,)),
    **dict.fromkeys(("distribution", "version"), (str,)),
    **dict.fromkeys(("unsigned_modules", "users", "logins"), (list,)),
    **dict.fromkeys(("files", "services", "chances"), (dict,)),
    "primary_partitions": (int,),
}
_ENTRIES: dict[str, dict[str, tuple[type, ...]]] = {
    "users": {"name": (str,), "password": (bool,), "keys": (int,), "administrator": (bool,)},
    "logins": {"user": (str,), "method": (str,), "days_ago": (int, float), "source": (str,)},
}
_METHODS = ("password", "publickey", "entra")


def read(place: str, given: object) -> Settings:
    """Read what is said of one guest."""
    if not isinstance(given, Mapping):
        raise GuestFileError(f"{place}: not an object; give what is true of the guest by name")
    for name, value in given.items():
        _check(f"{place}.{name}", str(name), value)
    return Settings(**given)


def _check(place: str, name: str, value: object) -> None:
    wanted = _TYPES.get(name)
    if wanted is None:
        known = ", ".join(each.name for each in fields(Settings))
        raise GuestFileError(f"{place}: unknown; a guest has {known}")
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        raise GuestFileError(f"{place}: {value!r} has the wrong type; give {wanted[0].__name__}")
    if name in _WORDS and value not in _WORDS[name]:
        raise GuestFileError(f"{place}: {value!r} is unknown; use one of {', '.join(_WORDS[name])}")
    if name == "chances":
        for key, chance in dict(value).items():  # type: ignore[call-overload]
            _check_chance(f"{place}.{key}", str(key), chance)
    if name in _ENTRIES:
        for index, entry in enumerate(value):  # type: ignore[arg-type,var-annotated]
            _check_entry(f"{place}[{index}]", name, entry)


def _check_chance(place: str, name: str, chance: object) -> None:
    if name not in CHANCES:
        raise GuestFileError(f"{place}: unknown; there are chances of {', '.join(CHANCES)}")
    if isinstance(chance, bool) or not isinstance(chance, int | float) or not 0 <= chance <= 1:
        raise GuestFileError(f"{place}: {chance!r} is no chance; give a number from 0 to 1")


def _check_entry(place: str, name: str, entry: object) -> None:
    known = _ENTRIES[name]
    if not isinstance(entry, Mapping):
        raise GuestFileError(f"{place}: not an object; it has {', '.join(known)}")
    for key, value in entry.items():
        if key not in known:
            raise GuestFileError(f"{place}.{key}: unknown; it has {', '.join(known)}")
        if not isinstance(value, known[key]) or (isinstance(value, bool) and bool not in known[key]):
            raise GuestFileError(f"{place}.{key}: {value!r} has the wrong type")
    first = next(iter(known))
    if first not in entry:
        raise GuestFileError(f"{place}.{first}: missing; every entry needs it")
    if name == "logins" and entry.get("method", "publickey") not in _METHODS:
        raise GuestFileError(f"{place}.method: {entry['method']!r} is unknown; use {', '.join(_METHODS)}")


def lay_over(folder: Path, resources: list[Json]) -> None:
    """Put what `guest.json` of an estate folder says onto the lines of the machines it names."""
    file = folder / FILE_NAME
    if not file.exists():
        return
    try:
        document = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise GuestFileError(f"{file}: not JSON ({error}); give {{'format': '{FORMAT}'}}") from error
    for pattern, said in _entries(str(file), document):
        for resource in resources:
            if same(resource.get("type"), "Microsoft.Compute/virtualMachines") and _is_named(
                pattern, str(resource.get("id"))
            ):
                hidden = resource.setdefault("twin", {})
                hidden["guest"] = {**(hidden.get("guest") or {}), **said}


def _entries(place: str, document: object) -> list[tuple[str, Json]]:
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise GuestFileError(f'{place}: no file of guests; it starts with "format": "{FORMAT}"')
    unknown = sorted(set(document) - {"format", "chances", "guests"})
    if unknown:
        raise GuestFileError(f"{place}: {unknown[0]} is unknown; it has format, chances and guests")
    found: list[tuple[str, Json]] = []
    if "chances" in document:
        _check(f"{place}: chances", "chances", document["chances"])
        found.append(("*", {"chances": document["chances"]}))
    guests = document.get("guests", [])
    if not isinstance(guests, list):
        raise GuestFileError(f"{place}: guests is not a list; give a list of guests, which may be empty")
    for index, entry in enumerate(guests):
        said = dict(entry) if isinstance(entry, dict) else {}
        pattern = said.pop("resource", None)
        if not isinstance(pattern, str):
            raise GuestFileError(f"{place}: guests[{index}].resource: missing; name machines, as in 'web-*'")
        read(f"{place}: guests[{index}]", said)
        found.append((pattern, said))
    return found


def _is_named(pattern: str, resource_id: str) -> bool:
    folded, wanted = resource_id.lower(), pattern.lower()
    return fnmatchcase(folded.rsplit("/", 1)[-1], wanted) or fnmatchcase(folded, wanted)
