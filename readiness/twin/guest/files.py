"""The files of a guest, in memory: paths with content and a mode, and directories.

Guarantees: paths are absolute and normal; what cannot be done is an `OSError` with the errno of a real file
system. Links, owners and times are not held.
"""

import errno
import os
import posixpath
from dataclasses import dataclass, field
from fnmatch import fnmatchcase


@dataclass(slots=True)
class File:
    """A file: what it holds, and who may do what with it."""

    text: str
    mode: int = 0o644


def _failure(code: int, path: str) -> OSError:
    return OSError(code, os.strerror(code), path)


@dataclass(slots=True)
class Files:
    """All files and directories of a guest."""

    held: dict[str, File] = field(default_factory=dict)
    folders: dict[str, int] = field(default_factory=lambda: {"/": 0o755})

    def plant(self, path: str, text: str, mode: int = 0o644) -> None:
        """Put a file, and the folders above it."""
        self.make_folder(posixpath.dirname(path), parents=True)
        self.held[path] = File(text, mode)

    def is_file(self, path: str) -> bool:
        """Tell whether there is a file."""
        return path in self.held

    def is_folder(self, path: str) -> bool:
        """Tell whether there is a directory."""
        return path in self.folders

    def exists(self, path: str) -> bool:
        """Tell whether there is anything."""
        return path in self.held or path in self.folders

    def read(self, path: str) -> str:
        """Return what a file holds."""
        if path in self.folders:
            raise _failure(errno.EISDIR, path)
        if path not in self.held:
            raise _failure(errno.ENOENT, path)
        return self.held[path].text

    def write(self, path: str, text: str, *, appends: bool = False) -> None:
        """Set what a file holds, or add to it; the mode of a file that is there stays."""
        if path == "/dev/null":
            return
        if path in self.folders:
            raise _failure(errno.EISDIR, path)
        self._need_parent(path)
        before = self.held.get(path)
        if before is None:
            self.held[path] = File(text)
        else:
            before.text = before.text + text if appends else text

    def make_folder(self, path: str, *, parents: bool = False) -> None:
        """Make a directory."""
        if path in self.held or (path in self.folders and not parents):
            raise _failure(errno.EEXIST, path)
        above = posixpath.dirname(path)
        if parents and above not in self.folders:
            self.make_folder(above, parents=True)
        self._need_parent(path)
        self.folders.setdefault(path, 0o755)

    def remove(self, path: str, *, recursive: bool = False) -> None:
        """Remove a file, or a directory and what is in it."""
        if path in self.held:
            del self.held[path]
            return
        if path not in self.folders:
            raise _failure(errno.ENOENT, path)
        if not recursive:
            raise _failure(errno.EISDIR, path)
        for each in [*self.under(path), path]:
            self.held.pop(each, None)
            self.folders.pop(each, None)

    def under(self, path: str) -> list[str]:
        """Return everything beneath a directory, in order."""
        prefix = path.rstrip("/") + "/"
        return sorted(each for each in (*self.held, *self.folders) if each.startswith(prefix) and each != "/")

    def names(self, path: str) -> list[str]:
        """Return the names in a directory, in order."""
        cut = len(path.rstrip("/")) + 1
        return [each[cut:] for each in self.under(path) if "/" not in each[cut:]]

    def mode(self, path: str) -> int:
        """Return the mode of a file or directory."""
        return self.held[path].mode if path in self.held else self.folders.get(path, 0)

    def set_mode(self, path: str, mode: int) -> None:
        """Set the mode of a file or directory."""
        if path in self.held:
            self.held[path].mode = mode
        elif path in self.folders:
            self.folders[path] = mode
        else:
            raise _failure(errno.ENOENT, path)

    def matching(self, pattern: str) -> list[str]:
        """Return the paths that a pattern names, in order; a star neither crosses a slash nor finds a dot."""
        words = pattern.split("/")
        found = []
        for each in sorted((*self.held, *self.folders)):
            parts = each.split("/")
            if len(parts) == len(words) and all(map(_matches, parts, words)):
                found.append(each)
        return found

    def _need_parent(self, path: str) -> None:
        above = posixpath.dirname(path)
        if above in self.held:
            raise _failure(errno.ENOTDIR, path)
        if above not in self.folders:
            raise _failure(errno.ENOENT, path)


def _matches(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern) and not (name.startswith(".") and pattern[:1] in "*?[")


def absolute(path: str, folder: str = "/") -> str:
    """Return a path as the file system knows it."""
    return posixpath.normpath(posixpath.join(folder, path)).replace("//", "/")
