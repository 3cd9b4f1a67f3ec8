"""The VMs of a page as compact JSON: every place and every standing once, and numbers for each VM.

The page stays below a size whatever the estate holds: when the room is used up, VMs of higher levels are left
out, and the page says how many. Text is cut to what a line can show; the other files have all of it.
"""

import json
from collections.abc import Hashable, Iterable
from typing import Any

from readiness.model.progress import VmLevel
from reports.excel.cells import plain

LONGEST = 160
"""Characters of a text that a page shows."""


def legible(text: str, longest: int = LONGEST) -> str:
    """Return text as a page may hold it: cut, and without what is no character."""
    return legal(text if len(text) <= longest else f"{text[: longest - 1]}…")


def legal(text: str) -> str:
    """Replace what is no character, and what only steers a terminal."""
    return text if text.isprintable() else plain(text).translate(_STEERING)


def vm_rows(vms: Iterable[VmLevel], room: int) -> tuple[str, int]:
    """Return VMs as JSON that fits into so many bytes, and how many VMs it holds; lowest levels first."""
    controls, places, standings = Numbered(), Numbered(), Numbered()
    names: list[str] = []
    place_of: list[int] = []
    standing_of: list[int] = []
    used = _SPARE
    for vm in sorted(vms, key=lambda one: (one.level.raw, one.application or "", one.name)):
        place = places.number(
            (legible(vm.application or ""), legible(vm.owner or ""), legible(vm.subscription))
        )
        standing = standings.number(
            (
                vm.level.raw.value,
                vm.level.with_exceptions.value,
                vm.score,
                tuple(controls.number(legible(one)) for one in vm.ours),
                tuple(controls.number(legible(one)) for one in vm.others),
            )
        )
        name = legible(vm.name)
        used += size_of(name) + len(str(place)) + len(str(standing)) + 3
        if used + controls.bytes + places.bytes + standings.bytes > room:
            break
        names.append(name)
        place_of.append(place)
        standing_of.append(standing)
    rows = {
        "controls": list(controls.known),
        "places": list(places.known),
        "standings": list(standings.known),
        "names": names,
        "place": place_of,
        "standing": standing_of,
    }
    return script_json(rows), len(names)


class Numbered:
    """Values by number, in the order in which they were first seen, and the bytes that they take."""

    def __init__(self) -> None:
        self.known: dict[Hashable, int] = {}
        self.bytes = 0

    def number(self, value: Hashable) -> int:
        """Return the number of a value."""
        found = self.known.get(value)
        if found is None:
            found = self.known[value] = len(self.known)
            self.bytes += size_of(value) + 1
        return found


def size_of(value: Any) -> int:
    """Return how many bytes a value takes on a page."""
    return len(script_json(value))


def script_json(value: Any) -> str:
    """Return ASCII JSON that cannot end the element in which it stands, nor begin another."""
    text = _ENCODER.encode(value)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


_ENCODER = json.JSONEncoder(separators=(",", ":"))
_SPARE = 512
_STEERING = dict.fromkeys((*range(0x7F, 0xA0), 0xFEFF, *range(0xFFF9, 0xFFFC)), "\ufffd")
