"""What a picture of dependencies consists of, and where each shape stands. Pure; it knows no form."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

NO_WAVE = 0
"""The wave of what is in none; it is drawn last."""

WIDTH, HEIGHT = 184, 28
"""Of one shape."""
TOP, LEFT = 118, 28
_GAP = 9
_LANE = 64
"""Between the columns of a wave: room for edges."""
_BETWEEN = 96
"""Between waves."""
_MOST_IN_COLUMN = 24
"""Shapes in one column; more go on in a next column of the same wave."""
_SWEEPS = 4


@dataclass(frozen=True, slots=True)
class Node:
    """One shape: a VM, or an application with how many of its VMs go in which wave."""

    key: str
    label: str
    waves: tuple[tuple[int, int], ...]
    """Wave and number of VMs, in the order of the waves."""
    batch: int
    application: str
    note: str

    @property
    def wave(self) -> int:
        """Return the wave in which it begins."""
        return self.waves[0][0]


@dataclass(frozen=True, slots=True)
class Edge:
    """`before` is needed by `after` and goes first."""

    before: str
    after: str
    is_binding: bool
    count: int


@dataclass(frozen=True, slots=True)
class Tie:
    """Shapes that go together, or that are never off together."""

    members: tuple[str, ...]
    kind: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Band:
    """The columns of one wave."""

    wave: int
    left: int
    right: int


@dataclass(frozen=True)
class Picture:
    """What is drawn, before any form draws it."""

    title: str
    summary: str
    nodes: Sequence[Node]
    edges: Sequence[Edge]
    ties: Sequence[Tie]
    names: Mapping[int, str]
    """Wave -> its name."""
    places: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Key -> left and top corner."""
    bands: Sequence[Band] = ()
    width: int = 0
    height: int = 0


def arranged(picture: Picture) -> Picture:
    """Return the picture with a place for every shape: waves and batches as columns, few crossings."""
    columns = _columns(picture.nodes)
    rows = _rows(columns, picture)
    places: dict[str, tuple[int, int]] = {}
    bands: list[Band] = []
    left = LEFT
    for (wave, _), keys in columns:
        if bands and bands[-1].wave == wave:
            left += WIDTH + _LANE
            bands[-1] = replace(bands[-1], right=left + WIDTH)
        else:
            left += WIDTH + _BETWEEN if bands else 0
            bands.append(Band(wave, left, left + WIDTH))
        for key in keys:
            places[key] = (left, TOP + round(rows[key] * (HEIGHT + _GAP)))
    bottom = max((top for _, top in places.values()), default=TOP)
    return replace(
        picture,
        places=places,
        bands=bands,
        width=max(left + WIDTH + _BETWEEN, 720),
        height=bottom + HEIGHT + 40,
    )


def _columns(nodes: Sequence[Node]) -> list[tuple[tuple[int, int], list[str]]]:
    """Return the keys of each column, applications side by side; long ones are broken."""
    held: defaultdict[tuple[int, int], list[Node]] = defaultdict(list)
    for node in nodes:
        held[node.wave, node.batch].append(node)
    found = []
    for place in sorted(held, key=lambda place: (place[0] == NO_WAVE, place)):
        listed = [node.key for node in sorted(held[place], key=lambda node: (node.application, node.key))]
        for start in range(0, len(listed), _MOST_IN_COLUMN):
            found.append((place, listed[start : start + _MOST_IN_COLUMN]))
    return found


def _rows(columns: list[tuple[tuple[int, int], list[str]]], picture: Picture) -> dict[str, float]:
    """Return the row of every shape: each column is sorted by the rows of its neighbours, a few times."""
    around: defaultdict[str, list[str]] = defaultdict(list)
    for edge in picture.edges:
        around[edge.before].append(edge.after)
        around[edge.after].append(edge.before)
    rows = {key: float(row) for _, keys in columns for row, key in enumerate(keys)}

    def middle(key: str) -> float:
        near = around[key]
        return sum(rows[other] for other in near) / len(near) if near else rows[key]

    for sweep in range(_SWEEPS):
        for _, keys in columns if sweep % 2 == 0 else reversed(columns):
            keys.sort(key=lambda key: (middle(key), key))
            rows |= {key: float(row) for row, key in enumerate(keys)}
    longest = max((len(keys) for _, keys in columns), default=0)
    for _, keys in columns:
        # A short column moves down beside its neighbours, as far as those below it leave room.
        lowest = -1.0
        for row, key in enumerate(keys):
            lowest = max(lowest + 1, min(middle(key), longest - len(keys) + row))
            rows[key] = lowest
    return rows
