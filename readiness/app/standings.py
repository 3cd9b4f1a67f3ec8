"""Where groups of VMs stand, and which controls hold them back, from counted patterns: pure.

A VM's next level is the one above its raw level; what it misses are the mandatory controls of that level that
are open. A pattern is a set of VMs with the same level and the same open controls: an estate has far fewer of
them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from msgspec import Struct

from readiness.model.assessment import ControlCount, OpenControl, SubscriptionAssessment, Whose
from readiness.model.history import FULL_SCORE, is_open
from readiness.model.levels import Level, LevelReached
from readiness.model.progress import Blocker, Counts, Group, Hold
from readiness.model.verdict import Status

Catalogue = Mapping[str, ControlCount]
_MOST = 5
"""Controls that a group names for each side."""


class Stand(Struct, frozen=True):
    """Some VMs, or one subscription: their level, what they miss for the next one, and how many they are."""

    raw: int
    permitted: int
    held: tuple[OpenControl, ...]
    """The open mandatory controls of the level above."""
    vms: int
    score: int = 0


def missing(raw: int, controls: Iterable[OpenControl], catalogue: Catalogue) -> tuple[OpenControl, ...]:
    """Return the open mandatory controls of the level above."""
    level = raw + 1
    return tuple(
        one
        for one in controls
        if (told := catalogue.get(one.id)) and told.level == level and told.mandatory and is_open(one)
    )


def own_stands(subscriptions: Iterable[SubscriptionAssessment], catalogue: Catalogue) -> list[Stand]:
    """Return where subscriptions stand by their own controls alone."""
    found = []
    for one in subscriptions:
        levels = [
            catalogue[control.id].level
            for control in one.controls
            if is_open(control) and control.id in catalogue and catalogue[control.id].mandatory
        ]
        raw = min(levels, default=Level.FULL + 1) - 1
        found.append(Stand(raw, raw, missing(raw, one.controls, catalogue), 1))
    return found


def blockers(stands: Iterable[Stand], catalogue: Catalogue, scope: str) -> tuple[Blocker, ...]:
    """Return every control that holds somebody back: per level, the one that holds most back first."""
    together: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    excepted: Counter[str] = Counter()
    sets: Counter[frozenset[str]] = Counter()
    for stand in stands:
        held = stand.held
        if not held:
            continue
        for one in held:
            together[one.id] += stand.vms
            unknown[one.id] += stand.vms * (one.verdict is Status.UNKNOWN)
            excepted[one.id] += stand.vms * (one.exception is not None)
        if len(held) == 1:
            alone[held[0].id] += stand.vms
        sets[frozenset(one.id for one in held)] += stand.vms
    ranked = sorted(together, key=lambda one: (catalogue[one].level, -together[one], -alone[one], one))
    unlocked = _unlocked(ranked, sets, catalogue)
    return tuple(
        Blocker(
            control=one,
            title=catalogue[one].title,
            level=catalogue[one].level,
            whose=catalogue[one].whose,
            scope=scope,
            together=together[one],
            alone=alone[one],
            unlocked=unlocked[one],
            unknown=unknown[one],
            excepted=excepted[one],
            remedy=catalogue[one].remedy,
            frameworks=catalogue[one].frameworks,
        )
        for one in ranked
    )


def group(kind: str, name: str, stands: Iterable[Stand]) -> Group:
    """Return where a group stands by its VMs alone; its history is added by whoever knows it."""
    raw, permitted = [0] * len(Level), [0] * len(Level)
    holds: dict[Whose, Counter[str]] = defaultdict(Counter)
    vms = score = 0
    for stand in stands:
        raw[stand.raw] += stand.vms
        permitted[stand.permitted] += stand.vms
        vms += stand.vms
        score += stand.score
        for one in stand.held:
            holds[one.whose][one.id] += stand.vms
    return Group(
        kind=kind,
        name=name,
        vms=vms,
        level=LevelReached(_lowest(raw), _lowest(permitted)),
        raw=_counts(raw),
        permitted=_counts(permitted),
        score=mean(score, vms),
        score_before=None,
        score_first=None,
        vms_first=0,
        ours=_top(holds[Whose.OURS]),
        others=_top(holds[Whose.OTHER_TEAM]),
    )


def mean(score: int, vms: int) -> float | None:
    """Return the mean posture score, 0 to 100, of scores added up in hundredths of a percent."""
    return round(100 * score / FULL_SCORE / vms, 2) if vms else None


def _unlocked(ranked: list[str], sets: Counter[frozenset[str]], catalogue: Catalogue) -> dict[str, int]:
    """Count who reaches the level once a control and all before it on that level are met."""
    place = {one: position for position, one in enumerate(ranked)}
    by_last: Counter[int] = Counter()
    for held, vms in sets.items():
        by_last[max(place[one] for one in held)] += vms
    found: dict[str, int] = {}
    so_far: Counter[Level] = Counter()
    for position, one in enumerate(ranked):
        level = catalogue[one].level
        so_far[level] += by_last[position]
        found[one] = so_far[level]
    return found


def _lowest(counts: list[int]) -> Level:
    return Level(next((level for level, vms in enumerate(counts) if vms), Level.FULL))


def _counts(values: list[int]) -> Counts:
    none, basic, advanced, full = values
    return none, basic, advanced, full


def _top(holds: Counter[str]) -> tuple[Hold, ...]:
    return tuple(
        Hold(one, vms) for one, vms in sorted(holds.items(), key=lambda each: (-each[1], each[0]))[:_MOST]
    )
