"""How long work tells whoever waits for it how far it has come."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Tick = Callable[[str, int, int | None], None]
"""Told now and then what is being done, how much of it is done, and of how much (None where nobody knows)."""

_Entry = TypeVar("_Entry")
_EVERY = 5_000


def silent(_what: str, _done: int, _of: int | None) -> None:
    """Tell nobody."""


def counted(entries: Iterable[_Entry], what: str, tick: Tick) -> Iterator[_Entry]:
    """Yield the entries, and tell of them now and then."""
    number = 0
    for number, entry in enumerate(entries, start=1):
        yield entry
        if number % _EVERY == 0:
            tick(what, number, None)
    tick(what, number, number)
