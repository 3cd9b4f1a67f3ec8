"""Streams an estate into a folder: resources, dependencies, and what people would have added."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from sample_estates.generator.catalogue import Json
from sample_estates.generator.estate import COLLECTED_AT, Application, Estate
from sample_estates.generator.landing import Landing
from sample_estates.generator.listing import WHOLE

_STEP = 5000
"""Resources between two reports of progress."""

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode

_HEAD = """\
# What Azure cannot know of this generated estate. All people in here are invented.
format: readiness/context/1

windows:
  - name: saturday-night
    rrule: "FREQ=WEEKLY;BYDAY=SA"
    start: "22:00"
    duration: PT8H
    timezone: Europe/Berlin
  - name: sunday-night
    rrule: "FREQ=WEEKLY;BYDAY=SU"
    start: "20:00"
    duration: PT8H
    timezone: Europe/Berlin
  - name: first-sunday
    rrule: "FREQ=MONTHLY;BYDAY=1SU"
    start: "06:00"
    duration: PT10H
    timezone: Europe/London
  - name: weekday-evening
    rrule: "FREQ=WEEKLY;BYDAY=TU,WE,TH"
    start: "19:00"
    duration: PT5H
    timezone: Europe/Berlin
  - name: weekday-noon
    rrule: "FREQ=WEEKLY;BYDAY=MO,WE"
    start: "12:00"
    duration: PT4H
    timezone: Europe/Berlin
"""


def write_estate(estate: Estate, folder: Path, progress: Callable[[int, int], None] | None = None) -> int:
    """Write the estate into a folder that exists, and return how many resources it has.

    Args:
        estate: What to generate.
        folder: Where to, an empty folder.
        progress: Told now and then how many VMs and resources have been written.
    """
    count = 0
    with (
        (folder / "resources.jsonl").open("w", encoding="utf-8", newline="\n") as lines,
        (folder / "dependencies.csv").open("w", encoding="utf-8", newline="\n") as edges,
    ):
        edges.write("source,target\n")
        for count, resource in enumerate(estate.resources(), start=1):
            lines.write(_encode(resource) + "\n")
            if count % _STEP == 0:
                _flush_edges(estate, edges)
                if progress:
                    progress(estate.made, count)
        _flush_edges(estate, edges)
    names = [{"id": identifier, "name": name} for identifier, name in estate.names]
    name = f"generated-{estate.vms}-{estate.seed}"
    write_info(folder, name, "generated", estate.tenant, names, {"listed_types": WHOLE})
    _write_context(estate, folder)
    return count


def write_info(
    folder: Path, name: str, origin: str, tenant: str, subscriptions: list[dict[str, str]], seen: Json
) -> None:
    """Write `estate.json`; `seen` has its `listed_types`, and its `gaps` if there are any."""
    document: Json = {
        "format": "readiness/estate/1",
        "name": name,
        "origin": origin,
        "collected_at": COLLECTED_AT,
        "cloud": "AzurePublic",
        "tenant": tenant,
        "subscriptions": subscriptions,
        "listed_types": list(seen["listed_types"]),
        "gaps": seen.get("gaps", []),
    }
    text = json.dumps(document, indent=2) + "\n"
    (folder / "estate.json").write_text(text, encoding="utf-8", newline="\n")


def _flush_edges(estate: Estate, edges: TextIO) -> None:
    edges.writelines(f"{source},{target}\n" for source, target in estate.edges)
    estate.edges.clear()


def _write_context(estate: Estate, folder: Path) -> None:
    with (folder / "context.yaml").open("w", encoding="utf-8", newline="\n") as out:
        out.write(_HEAD)
        if estate.applications:
            out.write("\napplications:\n")
            out.writelines(_application(entry) for entry in estate.applications)
        out.write("\ntargets:\n  - match: {}\n    trusted_launch: {secure_boot: true}\n")
        out.write("    identity: {type: system}\n")
        out.writelines(_target(entry) for entry in estate.landings if entry.label in estate.keyed)
        excepted = estate.applications[::40]
        if excepted:
            out.write("\nexceptions:\n")
            out.writelines(_exception(number, entry) for number, entry in enumerate(excepted, start=1))
        assured = [entry for entry in estate.applications if entry.is_assured]
        if assured:
            out.write("\nattestations:\n")
            out.writelines(_attestation(entry) for entry in assured)


def _application(entry: Application) -> str:
    owner = f"{{name: {entry.owner}, email: {entry.owner.lower().replace(' ', '.')}@example.com}}"
    return (
        f"  - name: {entry.name}\n    owner: {owner}\n    criticality: {entry.criticality}\n"
        f"    environment: {entry.environment}\n    match: {{resource_groups: [{entry.group}]}}\n"
        f"    windows: [{entry.window}]\n"
    )


def _target(landing: Landing) -> str:
    return (
        f"  - match: {{tags: {{key-set: {landing.label}}}}}\n"
        f"    disk_encryption_set: {landing.key_set}\n    encryption_at_host: true\n"
    )


def _exception(number: int, entry: Application) -> str:
    return (
        f"  - id: EX-{number:04d}\n    dimension: {('cmk', 'password_access')[number % 2]}\n"
        f"    match: {{resource_groups: [{entry.group}]}}\n    owner: {entry.owner}\n"
        f"    reason: The successor of {entry.name} is on its way.\n    approved_by: Security office\n"
        f"    expires: {'2027-06-30' if number % 4 else '2026-09-30'}\n"
        f"    compensating_control: Reachable from the hub only.\n"
    )


def _attestation(entry: Application) -> str:
    return (
        f"  - control: DP-8\n    match: {{resource_groups: [{entry.group}]}}\n    owner: {entry.owner}\n"
        f"    date: 2026-09-14\n    expires: 2027-03-14\n"
        f"    statement: One VM of {entry.name} was restored into an empty network, and answered.\n"
    )
