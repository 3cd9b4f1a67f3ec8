"""The pages of a collection under way, in `.collecting` inside the estate's folder, until it is whole.

Each page is a file that is there whole or not at all, so a collection that was interrupted goes on behind its
last page. A folder remembers what it was begun for: pages of another place or another day are not mixed in.
"""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from readiness.errors import UsageError
from readiness.store.artefacts import write_whole

NAME = ".collecting"
FORMAT = "readiness/collecting/1"
OLDEST = timedelta(days=1)
"""Pages further apart than this would not show one instant."""
_Entry = TypeVar("_Entry")


class Job(Struct, frozen=True, kw_only=True):
    """What a collection was begun for, and when."""

    format: str = FORMAT
    asked: dict[str, Any]
    started_at: datetime


class Head(Struct, frozen=True):
    """The first line of a page."""

    rows: int
    next: str | None = None


class WorkFolder:
    """The pages of one collection."""

    def __init__(self, folder: Path, job: Job) -> None:
        self._folder = folder
        self.job = job
        self._heads: dict[str, list[Head]] = {}

    @classmethod
    def open(cls, estate: Path, job: Job, *, resume: bool) -> "WorkFolder":
        """Begin a collection, or go on with the one that is there.

        Raises:
            UsageError: What is there was begun for something else, or too long ago, or cannot be written.
        """
        folder = estate / NAME
        if resume:
            earlier = _read_job(folder)
            _check(earlier, job)
            job = earlier
        else:
            shutil.rmtree(folder, ignore_errors=True)
            write_whole(folder / "job.json", msgspec.json.encode(job) + b"\n")
        opened = cls(folder, job)
        for page in sorted(folder.glob("*.jsonl")):
            with page.open("rb") as file:
                head = msgspec.json.decode(file.readline(), type=Head)
            opened._heads.setdefault(page.name.partition(".")[0], []).append(head)
        return opened

    def heads(self, key: str) -> tuple[Head, ...]:
        """Return the first line of each page of a question."""
        return tuple(self._heads.get(key, ()))

    def save(self, key: str, rows: list[dict[str, Any]], next_page: str | None) -> None:
        """Keep one more page."""
        heads = self._heads.setdefault(key, [])
        head = Head(len(rows), next_page)
        encode = msgspec.json.Encoder().encode
        write_whole(
            self._folder / f"{key}.{len(heads):06}.jsonl", (encode(each) + b"\n" for each in (head, *rows))
        )
        heads.append(head)

    def forget(self, key: str) -> None:
        """Drop the pages of a question."""
        for number in range(len(self._heads.pop(key, ()))):
            (self._folder / f"{key}.{number:06}.jsonl").unlink(missing_ok=True)

    def lines(self, key: str) -> Iterator[bytes]:
        """Yield the resources of a question, as they were written."""
        for number in range(len(self._heads.get(key, ()))):
            with (self._folder / f"{key}.{number:06}.jsonl").open("rb") as file:
                next(file)
                yield from file

    def rows(self, key: str, kind: type[_Entry]) -> Iterator[_Entry]:
        """Yield the resources of a question, each read as a type."""
        decode = msgspec.json.Decoder(kind).decode
        return (decode(line) for line in self.lines(key))

    def remove(self) -> None:
        """Drop everything: the collection is whole."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def remove_if_empty(self) -> None:
        """Drop a collection of which there is no page, and the estate's folder if nothing else is in it."""
        if not any(self._heads.values()):
            self.remove()
            with suppress(OSError):
                self._folder.parent.rmdir()


def is_unfinished(estate: Path) -> bool:
    """Tell whether a collection into an estate's folder was begun and not finished."""
    return (estate / NAME / "job.json").is_file()


def _read_job(folder: Path) -> Job:
    try:
        job = msgspec.json.decode((folder / "job.json").read_bytes(), type=Job)
    except (OSError, msgspec.DecodeError) as error:
        brief = f"There is no collection to go on with in '{folder.parent}'."
        raise UsageError(brief, remedy="Leave --resume out to begin one.") from error
    if job.format != FORMAT:
        brief = f"Another release began the collection in '{folder.parent}'."
        raise UsageError(brief, remedy="Leave --resume out to begin anew.")
    return job


def _check(earlier: Job, job: Job) -> None:
    if earlier.asked != job.asked:
        changed = ", ".join(sorted(name for name in job.asked if earlier.asked.get(name) != job.asked[name]))
        raise UsageError(
            "The collection that was interrupted was begun for something else.",
            details=f"Another {changed}.",
            remedy="Ask for the same again, or leave --resume out to begin anew.",
        )
    if job.started_at - earlier.started_at > OLDEST:
        raise UsageError(
            f"The collection that was interrupted began on {earlier.started_at:%Y-%m-%d %H:%M} UTC.",
            details="What is older than a day does not show the same estate any more.",
            remedy="Leave --resume out to begin anew.",
        )
