"""What has to come out of a sample estate: `expected.json`, and what has changed in it.

The classes come from the letters in the samples' modules. Levels and the controls that are not met are taken
from an assessment, because there are too many to write by hand: whoever writes them again reads `changes` and
decides whether each of them is right. A VM is named by its subscription, resource group and name.
"""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from readiness.app.assess import assess
from readiness.model.assessment import Assessment, OpenControl
from readiness.model.ids import ResourceId
from readiness.model.levels import LevelReached
from sample_estates.generator.catalogue import Json
from sample_estates.generator.samples.sample import AS_OF, DIMENSIONS, Sample

FORMAT = "readiness/expected/2"
_RECORDED = ("level", "unmet", "unknown", "not_eligible")
"""What is taken from an assessment; everything else is written by hand."""
_SHOWN = 4


def expectation(sample: Sample, folder: Path) -> Json:
    """Return what is expected of a sample whose folder has been written."""
    vms = {name_of(ResourceId(vm), dict(_names(sample))): written for vm, written in sample.expected.items()}
    return renewed({"vms": vms, "unread": sample.unread, "dangling": sample.dangling}, folder)


def renewed(written: Json, folder: Path) -> Json:
    """Return an expectation with what people wrote in it, and all the rest as it is found now."""
    found = observed(assess(folder, date.fromisoformat(AS_OF)))
    return {
        "format": FORMAT,
        "as_of": AS_OF,
        "level": found["level"],
        "subscriptions": found["subscriptions"],
        "vms": {name: _in_order(entry, found["vms"].get(name, {})) for name, entry in written["vms"].items()},
        "unread": written["unread"],
        "dangling": written["dangling"],
    }


def observed(assessment: Assessment) -> Json:
    """Return an assessment in the words of `expected.json`: all of it but what only people can say."""
    names = {entry.id.lower(): entry.name for entry in assessment.estate.subscriptions}
    vms: Json = {}
    for vm in assessment.vms:
        if vm.excluded:
            vms[name_of(vm.id, names)] = {"excluded": vm.excluded.partition(":")[0]}
            continue
        classes = {found.value: standing.classification.value for found, standing in vm.dimensions.items()}
        vms[name_of(vm.id, names)] = classes | _standing(vm.level, vm.controls)
    subscriptions = {entry.name: _standing(entry.level, entry.controls) for entry in assessment.subscriptions}
    return {"level": _levels(assessment.summary.level), "subscriptions": subscriptions, "vms": vms}


def name_of(vm: ResourceId, names: dict[str, str]) -> str:
    """Return a VM's name in `expected.json`; `names` has the subscriptions' names by their ids."""
    return f"{names[vm.subscription]}/{vm.resource_group.lower()}/{vm.name.lower()}"


def changes(before: Json, after: Json) -> Iterator[str]:
    """Yield a line for everything that two expectations say differently, and how many say it."""
    if before.get("format") != after["format"]:
        yield f"the format is {after['format']} now, so everything is new"
        return
    for part in ("level", "unread", "dangling"):
        if before[part] != after[part]:
            yield f"{part}: {before[part]} -> {after[part]}"
    found: dict[str, list[str]] = {}
    for part in ("subscriptions", "vms"):
        for name in sorted(before[part].keys() | after[part].keys()):
            for line in _changed(before[part].get(name, {}), after[part].get(name, {})):
                found.setdefault(line, []).append(name)
    for line, names in found.items():
        yield f"{line}: {len(names)}, {', '.join(names[:_SHOWN])}{' ...' if len(names) > _SHOWN else ''}"


def disagreements(expected: Json, folder: Path) -> Iterator[str]:
    """Yield a line for each class that the rules give, and that the sample's module does not say."""
    found = observed(assess(folder, date.fromisoformat(AS_OF)))["vms"]
    for name, written in expected["vms"].items():
        for key in (*DIMENSIONS, "excluded"):
            if written.get(key) != found.get(name, {}).get(key):
                yield f"{name}: {key} should be {written.get(key)}, and is {found.get(name, {}).get(key)}"


def write(expected: Json, path: Path) -> None:
    """Write an expectation with a VM or a subscription a line."""
    lines = []
    for key, value in expected.items():
        if isinstance(value, dict):
            inner = (f"  {_text(name)}: {_text(entry)}" for name, entry in value.items())
            lines.append(f" {_text(key)}: {{\n" + ",\n".join(inner) + "\n }")
        elif isinstance(value, list) and value and isinstance(value[0], str):
            lines.append(f" {_text(key)}: [\n" + ",\n".join(f"  {_text(entry)}" for entry in value) + "\n ]")
        else:
            lines.append(f" {_text(key)}: {_text(value)}")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8", newline="\n")


def _names(sample: Sample) -> Iterator[tuple[str, str]]:
    for name in sample.subscriptions:
        yield sample.subscription(name).lower(), name


def _in_order(written: Json, found: Json) -> Json:
    recorded = {key: found[key] for key in _RECORDED if key in found}
    why = {"why": written["why"]} if "why" in written else {}
    own = {key: value for key, value in written.items() if key not in (*_RECORDED, "why")}
    return own | recorded | why


def _standing(level: LevelReached | None, controls: tuple[OpenControl, ...]) -> Json:
    found: Json = {"level": _levels(level)}
    for key, status in zip(_RECORDED[1:], ("unmet", "unknown", "not-applicable"), strict=True):
        names = [entry.id for entry in controls if entry.verdict.value == status]
        if names:
            found[key] = " ".join(names)
    return found


def _levels(level: LevelReached | None) -> list[int] | None:
    return [level.raw.value, level.with_exceptions.value] if level else None


def _changed(before: Json, after: Json) -> Iterator[str]:
    for key in dict.fromkeys((*before, *after)):
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        if key in _RECORDED[1:]:
            earlier, later = set((old or "").split()), set((new or "").split())
            signed = [f"+{entry}" for entry in sorted(later - earlier)]
            signed += [f"-{entry}" for entry in sorted(earlier - later)]
            yield f"{key} {' '.join(signed)}"
        else:
            yield f"{key} {old} -> {new}"


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
