"""Unified diffs of code: byte for byte what a file holds, with paths that git and patch find again."""

import difflib

_QUOTED = frozenset('"\\')


def diff(file: str, before: str, after: str) -> str:
    """Return the unified diff of a file, with paths as `git apply` and `patch -p1` take them."""
    paths = [_path(f"a/{file}"), _path(f"b/{file}")]
    lines = difflib.unified_diff(_lines_of(before), _lines_of(after), paths[0], paths[1])
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _lines_of(text: str) -> list[str]:
    # Not `splitlines`: it ends lines at characters that are none for `patch`.
    pieces = text.split("\n")
    return [f"{piece}\n" for piece in pieces[:-1]] + ([pieces[-1]] if pieces[-1] else [])


def _path(path: str) -> str:
    """Return a path as git and patch read it: in quotes with octal bytes, or with a tab behind blanks."""
    if path.isprintable() and not _QUOTED & set(path):
        return f"{path}\t" if " " in path else path
    plain = (chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}" for byte in path.encode())  # noqa: PLR2004
    return '"' + "".join(f"\\{one}" if one in _QUOTED else one for one in plain) + '"'
