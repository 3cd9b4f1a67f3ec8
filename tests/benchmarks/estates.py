"""Estates of any size: copies of the starter estate, each with ids, groups and references of its own.

The copies are spread over ten subscriptions. What a subscription has once (sizes, vault, encryption set,
jump host) is not copied within it.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from readiness.app.estates import locate

SUBSCRIPTIONS = 10
COPIED = 15
"""VMs that each copy adds; the jump host is there once in each subscription."""
_NAME = re.compile(r"(?i)\b((?:sf|bo)-[a-z]+(?:-01|-02|_000001))")
_GROUP = re.compile(r"(?i)\b(rg-(?:backoffice|storefront))\b")
_OWN = re.compile(r"63610791-8d8b-4b10-b705-26fc2d8bfdf7")
_DEPENDENCIES = (
    ("sf-web-01", "sf-app-01"),
    ("sf-web-02", "sf-app-02"),
    ("sf-app-01", "sf-sql-01"),
    ("sf-sql-01", "sf-dc-01"),
    ("bo-app-01", "bo-vault-01"),
    ("bo-report-01", "bo-app-01"),
)


def write_estate(folder: Path, copies: int) -> int:
    """Write an estate of so many copies, and return how many VMs it has."""
    source = locate("starter")
    folder.mkdir(parents=True, exist_ok=True)
    lines = (source / "resources.jsonl").read_text(encoding="utf-8").splitlines()
    seen: set[str] = set()
    with (folder / "resources.jsonl").open("w", encoding="utf-8") as out:
        for line, key in ((line, key) for copy in range(copies) for line, key in _copied(lines, copy)):
            if key not in seen:
                seen.add(key)
                out.write(line + "\n")
    info = json.loads((source / "estate.json").read_text(encoding="utf-8"))
    used = [{"id": _subscription(n), "name": f"production-{n}"} for n in range(min(copies, SUBSCRIPTIONS))]
    (folder / "estate.json").write_text(json.dumps(info | {"subscriptions": used}), encoding="utf-8")
    (folder / "context.yaml").write_text(_context(copies), encoding="utf-8")
    return copies * COPIED + len(used)


def _copied(lines: list[str], copy: int) -> Iterator[tuple[str, str]]:
    for line in lines:
        renamed = _renamed(line, copy)
        yield renamed, str(json.loads(renamed)["id"]).lower()


def _renamed(text: str, copy: int) -> str:
    text = _GROUP.sub(rf"\1-{copy:04}", _NAME.sub(rf"\1-{copy:04}", text))
    return _OWN.sub(_subscription(copy), text)


def _subscription(copy: int) -> str:
    return f"63610791-8d8b-4b10-b705-{copy % SUBSCRIPTIONS:012}"


def _context(copies: int) -> str:
    """Return a context in block style: two applications a copy, its dependencies, and a key for each."""
    lines = [
        "format: readiness/context/1",
        "windows:",
        '  - {name: night, rrule: "FREQ=DAILY", start: "20:00", duration: PT8H, timezone: Europe/Berlin}',
        "applications:",
    ]
    for copy in range(copies):
        for name, group in (("Storefront", "rg-storefront"), ("Back office", "rg-backoffice")):
            owner = "owner: {name: Somebody}, windows: [night]"
            lines.append(
                f"  - {{name: {name} {copy}, {owner}, match: {{resource_groups: [{group}-{copy:04}]}}}}"
            )
    lines.append("dependencies:")
    for copy in range(copies):
        lines += [
            f"  - {{source: {source}-{copy:04}, target: {target}-{copy:04}}}"
            for source, target in _DEPENDENCIES
        ]
    lines += ["targets:", "  - {match: {}, trusted_launch: {secure_boot: true}, identity: {type: system}}"]
    for number in range(min(copies, SUBSCRIPTIONS)):
        named = ", ".join(f"Storefront {copy}" for copy in range(number, copies, SUBSCRIPTIONS))
        key = (
            f"/subscriptions/{_subscription(number)}/resourceGroups/rg-security"
            "/providers/Microsoft.Compute/diskEncryptionSets/des-platform-weu"
        )
        lines.append(f"  - {{match: {{applications: [{named}]}}, disk_encryption_set: {key}}}")
    return "\n".join(lines) + "\n"
