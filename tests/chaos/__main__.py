"""Kills hundreds of processes and tries every trouble at every step; tables, and exit code 1 if any hurt.

    python -m tests.chaos [--minutes 30] [--kills 330] [--seed 1]

The kills come first and are all done, whatever time they take; of the troubles, as many as the minutes allow,
in an order that mixes cases and kinds.
"""

import argparse
import random
import sys
import time
from collections import Counter, defaultdict

from tests.chaos.kills import ROUNDS, carried_out
from tests.engine import troubles
from tests.engine.cases import CASES

FEWEST = 0.9
"""Of the kills that were asked for; with fewer the campaign proves too little, and fails."""


def main() -> int:
    """Run both campaigns; return 1 if any promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30, help="how long all of it may take (default 30)")
    parser.add_argument("--kills", type=int, default=330, help="how many processes are killed (default 330)")
    parser.add_argument("--seed", type=int, default=1, help="another seed kills elsewhere")
    options = parser.parse_args()
    ends = time.monotonic() + 60 * options.minutes
    broken = _kill(options.kills, options.seed) + _trouble(ends, options.seed)
    print(f"\n{broken} promises were broken" if broken else "\nevery promise was kept")
    return 1 if broken else 0


def _kill(kills: int, seed: int) -> int:
    print("kills      wave  stage          kills  lost  seconds  broken", flush=True)
    broken = total = 0
    for number, each in enumerate(ROUNDS):
        for result in carried_out(each, -(-(kills - total) // (len(ROUNDS) - number)), seed):
            total, broken = total + result.kills, broken + len(result.broken)
            row = f"{each.name:10} {each.wave:4}  {result.stage:13} {result.kills:6} {result.losses:5}"
            print(f"{row} {result.seconds:8.0f} {len(result.broken):7}", flush=True)
            for sentence in result.broken:
                print(f"    {sentence}", flush=True)
    print(f"{total} processes were killed")
    return broken if total >= FEWEST * kills else broken + 1


def _trouble(ends: float, seed: int) -> int:
    every = [trouble for case in CASES if not case.faults for trouble in troubles.troubles_of(case)]
    random.Random(seed).shuffle(every)  # noqa: S311  an order, no secret
    found: dict[str, Counter[str]] = defaultdict(Counter)
    broken = tried = 0
    for trouble in every:
        if time.monotonic() > ends:
            break
        rig, unit = troubles.carried_out(trouble)
        sentences = troubles.violations(trouble, rig, unit)
        tried, broken = tried + 1, broken + len(sentences)
        found[trouble.name][unit.phase] += 1
        for sentence in sentences:
            print(f"    {trouble}: {unit.phase}: {sentence}", flush=True)
    phases = sorted({phase for counts in found.values() for phase in counts})
    print("\ntrouble                            " + " ".join(f"{phase:>12.12}" for phase in phases))
    for name in sorted(found):
        print(f"{name:35}" + " ".join(f"{found[name][phase]:12}" for phase in phases))
    print(f"{tried} of {len(every)} troubles were tried")
    return broken


if __name__ == "__main__":
    sys.exit(main())
