"""What the fields of a dependency may say, wherever they are written: YAML, CSV or a workbook.

Knows no files: complaints are told as a problem and its remedy, and whoever reads the file adds the place.
"""

import math

from msgspec import Struct

from readiness.model.context import Dependency
from readiness.model.ids import ResourceId
from readiness.model.plan_parts import Strictness

COLUMNS = ("source", "target", "hard", "strict", "observed", "evidence", "confidence")
"""What one entry may say: keys in YAML, columns in CSV."""
NO_CONFIDENCE = "Write a number from 0 to 1, such as 0.8."
"""What to do about a confidence that cannot be read."""


class Wrong(Struct, frozen=True):
    """What is wrong with fields that are each right alone, and what to do."""

    problem: str
    remedy: str


class Binding(Struct, frozen=True, kw_only=True):
    """What one entry says of how it binds and how it is known; None where it says nothing."""

    hard: bool | None = None
    strict: Strictness | None = None
    observed: bool = False
    evidence: str = ""
    confidence: float = 1.0

    def wrong(self) -> Wrong | None:
        """Return what contradicts itself, or None."""
        binds = self.strict is not None and self.strict is not Strictness.NONE
        if self.observed and (self.hard or binds):
            return Wrong(
                "What was merely observed binds nothing, so it can be neither hard nor strict.",
                "Remove 'observed' if somebody vouches for it, or else 'hard' and 'strict'.",
            )
        if self.strict is not None and self.hard is not None and self.hard is not binds:
            return Wrong(
                f"'hard: {str(self.hard).lower()}' and 'strict: {self.strict}' contradict one another.",
                "Keep one of them: 'hard: true' is 'strict: same-wave'.",
            )
        return None

    def between(self, source: ResourceId, target: ResourceId) -> Dependency:
        """Return the dependency of these two."""
        return Dependency(
            source=source,
            target=target,
            hard=bool(self.hard) or self.strict in (Strictness.SAME_WAVE, Strictness.NEXT_WAVE),
            strict=self.strict is Strictness.NEXT_WAVE,
            observed=self.observed,
            evidence=self.evidence,
            confidence=self.confidence,
        )


def confidence_of(written: str) -> float:
    """Read a confidence; a decimal comma is understood, as spreadsheets of many countries write one.

    Raises:
        ValueError: It is no number from 0 to 1.
    """
    found = float(written.replace(",", "."))
    if not math.isfinite(found) or not 0 <= found <= 1:
        raise ValueError(written)
    return found


def strictness_of(dependency: Dependency) -> Strictness:
    """Return how a dependency binds, in the word that files have for it."""
    if dependency.strict:
        return Strictness.NEXT_WAVE
    return Strictness.SAME_WAVE if dependency.hard else Strictness.NONE
