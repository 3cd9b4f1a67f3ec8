"""Seeds: the ARM resources a twin starts from, one JSON object a line in `resources.jsonl` (or `.jsonl.gz`).

Beside it, `guest.json` may say what is true inside the machines. Guarantees: every line is an object with an
id (a compute size, which Azure gives no id, needs a name), or a `SeedError` names the file and the line. Does
not judge what the resources say: `plausible` completes them.
"""

import gzip
import json
import zlib
from pathlib import Path

from readiness.twin.bulk import uncollected
from readiness.twin.documents import Json, look
from readiness.twin.guest import settings

FILE_NAME = "resources.jsonl"


class SeedError(ValueError):
    """A seed that cannot be read, with the place and a remedy."""


def load(folder: Path) -> list[Json]:
    """Read the resources of an estate folder."""
    with uncollected():
        resources = _load(folder)
    try:
        settings.lay_over(folder, resources)
        for resource in resources:
            said = look(resource, "twin.guest")
            if said is not None:
                settings.read(f"{resource.get('id')}: twin.guest", said)
    except settings.GuestFileError as error:
        raise SeedError(str(error)) from error
    return resources


def _load(folder: Path) -> list[Json]:
    file = folder / FILE_NAME
    packed = folder / f"{FILE_NAME}.gz"
    try:
        if packed.exists() and not file.exists():
            file = packed
            lines = gzip.decompress(file.read_bytes()).decode("utf-8-sig").split("\n")
        else:
            lines = file.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise SeedError(f"{file}: cannot be read as UTF-8 text ({error}); give an estate folder") from error
    numbered = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    try:
        # All at once is twice as fast as line by line, which is only needed to name a broken one.
        parsed = json.loads(f"[{','.join(line for _, line in numbered)}]")
    except ValueError:
        parsed = []
    if len(parsed) != len(numbered):
        parsed = [_parsed(_place(file, number), line) for number, line in numbered]
    return [_resource(_place(file, number), each) for (number, _), each in zip(numbered, parsed, strict=True)]


def _place(file: Path, number: int) -> str:
    return f"{file}, line {number}"


def _parsed(place: str, line: str) -> object:
    try:
        return json.loads(line)
    except ValueError as error:
        raise SeedError(f"{place}: not JSON ({error}); each line is one whole ARM resource") from error


def _resource(place: str, resource: object) -> Json:
    if not isinstance(resource, dict):
        raise SeedError(f"{place}: a {type(resource).__name__}, not an object; each line is one ARM resource")
    if not isinstance(resource.get("id"), str) and not is_size(resource):
        raise SeedError(f"{place}: no id; an ARM resource has a text 'id'")
    return resource


def is_size(resource: Json) -> bool:
    """Tell whether this is a compute size, which Azure lists without an id."""
    kind = str(resource.get("type") or "").lower()
    return bool(resource.get("name")) and ("resourceType" in resource or kind == "microsoft.compute/skus")
