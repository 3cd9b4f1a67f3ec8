"""Recordings of HTTP traffic, in the formats in which open-source projects publish them.

* vcrpy, YAML or JSON: `interactions[]` of `request` {method, uri, body} and `response` {status {code},
  headers {name: [value]}, body {string | base64 | data}}.
* VCR for Ruby, YAML: `http_interactions[]` of the same, with `body.string` on both sides.
* The .NET test recorder, JSON: `Entries[]` of RequestUri, RequestMethod, RequestBody, ResponseHeaders
  {name: [value]}, ResponseBody and StatusCode.

Guarantees: a file is one of these, or a `RecordingError` names it; header names are lower case; a body that
is no JSON, or that a recorder cut, is `UNREAD` and never compared. Formats that keep no request bodies
cannot be replayed.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

_HOSTS = ("management.azure.com", "management.chinacloudapi.cn", "localhost")
_SUFFIXES = (".json", ".yaml", ".yml")
UNREAD = "(unread)"
"""Stands for a body that is there and cannot be read."""


class RecordingError(ValueError):
    """A file that is no recording, with its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and the answer Azure gave to it."""

    method: str
    target: str
    """Path and query."""
    body: Any
    status: int
    headers: Mapping[str, str]
    answer: Any
    at: datetime | None
    """When Azure answered, where the recording says."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What one file holds of the management endpoint, in order."""

    name: str
    exchanges: tuple[Exchange, ...]


def read_folder(folder: Path) -> Iterator[Recording | RecordingError]:
    """Read every recording of a folder and the folders in it, by name; one that is broken stops no other."""
    for file in sorted(each for each in folder.rglob("*") if each.suffix in _SUFFIXES):
        try:
            yield read(file, name=str(file.relative_to(folder)))
        except RecordingError as error:
            yield error


def read(file: Path, *, name: str = "") -> Recording:
    """Read one recording."""
    try:
        text = file.read_text(encoding="utf-8-sig")
        # The loader in C does in seconds what the other one does in minutes.
        found = json.loads(text) if file.suffix == ".json" else yaml.load(text, yaml.CSafeLoader)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise RecordingError(
            f"{file}: neither JSON nor YAML ({error}); give a folder of recordings"
        ) from error
    if not isinstance(found, dict):
        raise RecordingError(f"{file}: no recording; see tests/replay/recordings.py for the formats")
    if "Entries" in found:
        parts = [_of_dotnet(each) for each in found["Entries"]]
    elif "interactions" in found or "http_interactions" in found:
        parts = [_of_vcr(each) for each in found.get("interactions") or found.get("http_interactions") or ()]
    else:
        raise RecordingError(f"{file}: no recording; see tests/replay/recordings.py for the formats")
    return Recording(name or file.name, tuple(each for each in parts if each is not None))


def _of_vcr(each: dict[str, Any]) -> Exchange | None:
    request, response = each["request"], each["response"]
    return _exchange(
        request["method"],
        request["uri"],
        request.get("body"),
        response["status"]["code"],
        response.get("headers") or {},
        response.get("body"),
    )


def _of_dotnet(each: dict[str, Any]) -> Exchange | None:
    return _exchange(
        each["RequestMethod"],
        each["RequestUri"],
        each.get("RequestBody"),
        each["StatusCode"],
        each.get("ResponseHeaders") or {},
        each.get("ResponseBody"),
    )


def _exchange(
    method: str, uri: str, sent: object, status: object, headers: Mapping[str, Any], got: object
) -> Exchange | None:
    """Return an exchange with the management endpoint, or None for any other host."""
    parts = urlsplit(uri)
    if parts.netloc and parts.hostname not in _HOSTS:
        return None
    folded = {name.lower(): _first(value) for name, value in headers.items()}
    return Exchange(
        method=method.upper(),
        target=parts.path.replace("//", "/") + (f"?{parts.query}" if parts.query else ""),
        body=_parsed(sent),
        status=int(str(status)),
        headers=folded,
        answer=_parsed(got),
        at=_time(folded.get("date")),
    )


def _first(value: object) -> str:
    return str(value[0]) if isinstance(value, list) and value else str(value)


def _time(date: str | None) -> datetime | None:
    try:
        return None if date is None else parsedate_to_datetime(date).astimezone(UTC)
    except ValueError:
        return None


def _parsed(body: Any) -> Any:
    if isinstance(body, dict):
        if "data" in body:
            return body["data"] or None
        packed = body.get("base64_string")
        body = base64.b64decode(packed) if packed else body.get("string")
    if isinstance(body, bytes):
        body = body.decode("utf-8", errors="replace")
    if body is None or not str(body).strip():
        return None
    try:
        return json.loads(str(body).lstrip("\ufeff"))
    except ValueError:
        return UNREAD
