"""Whether a wave may go on starting VMs, given how those went that it started. Pure.

*Failed* is a VM that passed its first effect and did not end upgraded; one that was brought back counts once.
So does one that waits for a person's decision. Declined and blocked VMs never lost anything and never count.
"""

from collections import Counter
from collections.abc import Iterable

from readiness.engine.advance import Position
from readiness.model.execution import Execution
from readiness.model.lifecycle import Phase

_FAILED = (Phase.ROLLED_BACK, Phase.STRANDED, Phase.UNDECIDED)


def exhausted(positions: Iterable[Position], execution: Execution, *, raised: int = 0) -> str | None:
    """Return which budget is used up, in words, or None.

    Args:
        positions: Where every VM of the wave stands.
        execution: The limits.
        raised: How many failures a person has accepted beyond the budget.
    """
    listed = list(positions)
    ends = [(position.end or position.phase, position) for position in listed]
    stranded = sum(1 for phase, _ in ends if phase is Phase.STRANDED)
    if stranded > 0:
        return f"{stranded} VM{'s are' if stranded > 1 else ' is'} stranded, and the stranded budget is 0"
    failed = [position for phase, position in ends if phase in _FAILED]
    allowed = execution.failures_allowed(len(listed)) + raised
    if len(failed) > allowed:
        return f"{len(failed)} of {len(listed)} VMs failed, and {allowed} may"
    reasons = Counter(position.code for position in failed if position.code)
    for code, count in reasons.most_common(1):
        if count >= execution.same_reason + raised:
            return f"{count} VMs failed for the same reason, {code}"
    return None
