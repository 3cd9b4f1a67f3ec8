"""Writes every sample estate into its folder beside this package, and prints what is expected anew.

Read what it prints: each line is a change of an expectation, and right only if somebody says so.
"""

import json
import sys
from collections import Counter
from pathlib import Path

from sample_estates.generator.catalogue import Json
from sample_estates.generator.samples.catalog import ALL_SAMPLES, STARTER
from sample_estates.generator.samples.expectation import changes, disagreements, expectation, renewed, write


def main() -> None:
    """Write the folders."""
    home = Path(__file__).parents[2]
    for build in ALL_SAMPLES:
        sample = build()
        folder = home / sample.name
        sample.write(folder)
        _renew(folder, expectation(sample, folder))
    _renew(home / STARTER, renewed(_before(home / STARTER), home / STARTER))


def _before(folder: Path) -> Json:
    path = folder / "expected.json"
    found: Json = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def _renew(folder: Path, after: Json) -> None:
    _say(f"{folder.name}: {len(after['vms'])} VMs; {_levels(after)}")
    for line in changes(_before(folder), after):
        _say(f"  {line}")
    for line in disagreements(after, folder):
        _say(f"  DISAGREES {line}")
    write(after, folder / "expected.json")


def _levels(expected: Json) -> str:
    raw = Counter(entry["level"][0] for entry in expected["vms"].values() if entry.get("level"))
    return ", ".join(f"{count} on Level {level}" for level, count in sorted(raw.items()))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
