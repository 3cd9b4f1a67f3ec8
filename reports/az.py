"""Commands of the Azure CLI as text for bash: every value is quoted, and nothing from outside is code.

Guarantees: what is handed over as a value reaches `az` as that value, whatever characters it holds. A value
that `az` itself would take for an option or for the name of a file is refused: no name in Azure begins so.
"""

import json
import shlex
from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from readiness.model.ids import ResourceId

COMPUTE_API = "2025-11-01"
"""The first version that takes a VM back from Trusted Launch to Standard."""
NETWORK_API = "2024-05-01"
SECURITY_API = "2020-01-01"
PRICINGS_API = "2024-01-01"
_WIDEST = 96


class Check(Struct, frozen=True, kw_only=True):
    """A command that only reads, and what it has to show."""

    command: str
    sees: str


class ScriptFile(Struct, frozen=True, kw_only=True):
    """A script for the guest, in a file of its own beside the runbook."""

    name: str
    text: str


class Instruction(Struct, frozen=True, kw_only=True):
    """One step by hand: what is done, the commands for it, how it is proven."""

    does: str
    note: str = ""
    commands: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    file: ScriptFile | None = None


class Shell(str):
    """Text that the shell is to read as it stands: ours alone, never from outside."""

    __slots__ = ()


Value = str | ResourceId | tuple[str | ResourceId, ...]


def quoted(value: str | ResourceId) -> str:
    """Return one word for the shell.

    Raises:
        ValueError: The `az` command would not take it as plain text.
    """
    if isinstance(value, Shell):
        return str(value)
    text = str(value)
    if text.startswith(("@", "-")):
        raise ValueError(f"{text!r} cannot be handed to az: it would be taken for a file or an option")
    if text.isprintable():
        return shlex.quote(text)
    return "$'" + "".join(map(_escaped, text)) + "'"


def az(command: str, **options: Value) -> str:
    """Return a command: each option after the other, on lines of their own where one is too short."""
    words = [f"az {command}"]
    for name, value in options.items():
        several = value if isinstance(value, tuple) else (value,)
        words.append(" ".join((f"--{name.replace('_', '-')}", *map(quoted, several))))
    line = " ".join(words)
    return line if len(line) <= _WIDEST else " \\\n  ".join(words)


def fetched(name: str, command: str, **options: Value) -> str:
    """Return a command that keeps what another one tells in a variable of the shell."""
    return f"{name}=$({az(command, **options, output='tsv')})"


def given(option: str, variable: str) -> str:
    """Return an option that is there only where a variable of the shell holds something."""
    return Shell(f'${{{variable}:+--{option} "${variable}"}}')


def variable(name: str) -> Shell:
    """Return what a variable of the shell holds, as one word."""
    return Shell(f'"${name}"')


def compact(value: Any) -> str:
    """Return JSON for an option."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"), sort_keys=True)


def in_query(text: str) -> str:
    """Return a text for within the quotes of a query (JMESPath)."""
    return text.replace("\\", "\\\\").replace("'", "\\'")


def readable(value: Any) -> str:
    """Return JSON for people."""
    return json.dumps(value, ensure_ascii=True, indent=2, sort_keys=True)


def rest(method: str, resource: ResourceId, version: str, body: Any = None, *, headers: str = "") -> str:
    """Return a request of Resource Manager as it is, for what no command of its own says exactly."""
    options: dict[str, Value] = {"method": method, "url": f"{resource}?api-version={version}"}
    if headers:
        options["headers"] = headers
    if body is not None:
        options["body"] = compact(body)
    return az("rest", **options)


def placed(resource: ResourceId) -> dict[str, Value]:
    """Return where a resource lies, for commands that take no id."""
    return {"subscription": resource.subscription, "resource_group": resource.resource_group}


def ids(resources: Iterable[ResourceId]) -> tuple[str, ...]:
    """Return ids as the words of one option."""
    return tuple(resource.text for resource in resources)


def plain(text: str) -> str:
    """Return text for people in which every character can be seen, ends of lines apart."""
    return "".join(char if char.isprintable() or char == "\n" else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    if char in "'\\":
        return f"\\{char}"
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004  four digits hold it
