"""Seeded draws: the same words in the same order give the same answers on every machine."""

import random
from collections.abc import Sequence
from typing import TypeVar

_One = TypeVar("_One")


class Dice:
    """One stream of draws, named by what it is for, so that parts of an estate do not disturb one another."""

    def __init__(self, *names: object) -> None:
        source = random.Random("/".join(str(name) for name in names))  # noqa: S311  not for secrets
        self._bits = source.getrandbits
        self._fraction = source.random

    def guid(self) -> str:
        """Return a version 4 GUID."""
        digits = f"{self._bits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    def hex(self, length: int) -> str:
        """Return so many hexadecimal digits."""
        return f"{self._bits(length * 4):0{length}x}"

    def chance(self, share: float) -> bool:
        """Answer yes in this share of all cases."""
        return self._fraction() < share

    def between(self, first: int, last: int) -> int:
        """Return a whole number from first to last, both included."""
        return first + int(self._fraction() * (last - first + 1))

    def pick(self, choices: Sequence[_One]) -> _One:
        """Return one of the choices, each as likely as the other."""
        return choices[int(self._fraction() * len(choices))]

    def weighted(self, choices: Sequence[tuple[_One, int]]) -> _One:
        """Return one of the choices, as likely as its weight says."""
        left = self._fraction() * sum(weight for _, weight in choices)
        for choice, weight in choices:
            left -= weight
            if left < 0:
                return choice
        return choices[-1][0]

    def day(self, first_year: int, last_year: int) -> str:
        """Return a day such as `2024-03-11`."""
        year, month = self.between(first_year, last_year), self.between(1, 12)
        return f"{year}-{month:02d}-{self.between(1, 28):02d}"

    def moment(self, day: str) -> str:
        """Return a working hour of that day, as compute resources write it."""
        clock = f"{self.between(6, 17):02d}:{self.between(0, 59):02d}:{self.between(0, 59):02d}"
        return f"{day}T{clock}.{self.between(1, 9999999):07d}+00:00"
