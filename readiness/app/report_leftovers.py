"""Which files of a folder an earlier report left there, so that nobody reads them beside a later one.

Beside a report stands `<stem>.sha256`: the SHA-256 of every file that belongs to it, in the form that
`sha256sum --check` reads, below a line that says which report it is. By it a later report tells apart

* files that an earlier one wrote and nobody touched since: they are removed, unless it says the same,
* files that somebody changed since, and whatever else is named like ours: they are left, and named.

Nothing is removed that is not listed there with the very content it has. Who writes two reports into one
folder at once gets one after the other.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import Struct

from readiness.store.artefacts import write_whole

_HEAD = "# readiness report "
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


class Listed(Struct, frozen=True):
    """What stands in a list of files: the report they are of, and their digests by name."""

    report: str
    files: Mapping[str, str]


class Kept(Struct, frozen=True, kw_only=True):
    """What became of the files of earlier reports."""

    removed: tuple[Path, ...]
    left: tuple[Path, ...]
    """They look like files of this report and are not: somebody has to look."""


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Wait until nobody else writes a report into a folder, and keep it until this one is written.

    Where the folder cannot be made, or its file system knows no locks, nothing is waited for.
    """
    import fcntl

    place = None
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        place = os.open(folder, os.O_RDONLY)
        fcntl.flock(place, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if place is not None:
            os.close(place)


def settle(folder: Path, stem: str, report: str, written: Iterable[Path]) -> Kept:
    """Remove what an earlier report left in a folder, and list what belongs to this one.

    Args:
        folder: Where this report was written.
        stem: What the names of its files begin with.
        report: Digest of everything it says: files of the same report, in other forms, stay.
        written: The files that were written just now.

    Raises:
        UsageError: The list cannot be written.
    """
    place = folder / f"{stem}.sha256"
    earlier = _read(place, stem)
    now = {path.name: _digest(path) for path in written}
    others = {name: digest for name, digest in earlier.files.items() if name not in now}
    ours = {name: digest for name, digest in others.items() if _is(folder / name, digest)}
    kept = now | (ours if earlier.report == report else {})
    removed = [folder / name for name in sorted(ours.keys() - kept.keys())]
    for path in removed:
        with suppress(OSError):
            path.unlink()
    lines = (f"{digest}  {name}\n" for name, digest in sorted(kept.items()))
    write_whole(place, f"{_HEAD}{report}\n{''.join(lines)}".encode())
    looks = [path for path in _alike(folder, stem) if path.name not in kept]
    return Kept(removed=tuple(path for path in removed if not path.exists()), left=tuple(looks))


def _read(place: Path, stem: str) -> Listed:
    """Return a list of files; an empty one where there is none, or none that can be told to be ours."""
    try:
        head, *lines = place.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return Listed("", {})
    found = [_LINE.fullmatch(line) for line in lines]
    if not head.startswith(_HEAD):
        return Listed("", {})
    files = {line[2]: line[1] for line in found if line and _is_named(line[2], stem)}
    return Listed(head.removeprefix(_HEAD), files)


def _is_named(name: str, stem: str) -> bool:
    """Tell whether a name is that of a file of such a report, in its own folder."""
    return bool(re.fullmatch(rf"{re.escape(stem)}(\.(json|md|xlsx|html)|-[\w-]+\.csv)", name))


def _alike(folder: Path, stem: str) -> list[Path]:
    return sorted(path for path in folder.iterdir() if _is_named(path.name, stem) and path.is_file())


def _is(path: Path, digest: str) -> bool:
    """Tell whether a file has the content that was written; what a link leads to was not."""
    try:
        return path.is_file() and not path.is_symlink() and _digest(path) == digest
    except OSError:
        return False


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
