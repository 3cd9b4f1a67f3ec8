"""Seeds: the ARM resources a twin starts from, one JSON object a line in `resources.jsonl` (or `.jsonl.gz`).

Guarantees: every line is an object with an id (a compute size, which Azure gives no id, needs a name), or a
`SeedError` names the file and the line. Does not judge what the resources say: `plausible` completes them.
"""

import gzip
import json
import zlib
from pathlib import Path

from readiness.twin.documents import Json

FILE_NAME = "resources.jsonl"


class SeedError(ValueError):
    """A seed that cannot be read, with the place and a remedy."""


def load(folder: Path) -> list[Json]:
    """Read the resources of an estate folder."""
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
    return [_resource(file, number, line) for number, line in enumerate(lines, start=1) if line.strip()]


def _resource(file: Path, number: int, line: str) -> Json:
    place = f"{file}, line {number}"
    try:
        resource = json.loads(line)
    except ValueError as error:
        raise SeedError(f"{place}: not JSON ({error}); each line is one whole ARM resource") from error
    if not isinstance(resource, dict):
        raise SeedError(f"{place}: a {type(resource).__name__}, not an object; each line is one ARM resource")
    if not isinstance(resource.get("id"), str) and not is_size(resource):
        raise SeedError(f"{place}: no id; an ARM resource has a text 'id'")
    return resource


def is_size(resource: Json) -> bool:
    """Tell whether this is a compute size, which Azure lists without an id."""
    kind = str(resource.get("type") or "").lower()
    return bool(resource.get("name")) and ("resourceType" in resource or kind == "microsoft.compute/skus")
