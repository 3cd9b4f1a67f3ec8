"""A command while it runs: its arguments, where it reads, where it writes, and the shell that started it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from readiness.twin.guest.files import Files, absolute
from readiness.twin.guest.session import Session
from readiness.twin.guest.system import Guest


class Sink:
    """Where a stream is written to."""

    def __init__(self) -> None:
        self._parts: list[str] = []

    def write(self, text: str) -> None:
        """Write."""
        self._parts.append(text)

    @property
    def text(self) -> str:
        """Return everything that was written."""
        return "".join(self._parts)


class FileSink(Sink):
    """A stream that ends in a file."""

    def __init__(self, files: Files, path: str) -> None:
        super().__init__()
        self._files, self._path = files, path

    def write(self, text: str) -> None:
        """Add to the file."""
        self._files.write(self._path, text, appends=True)


class Source:
    """Where a stream is read from: once, and no further than it goes."""

    def __init__(self, text: str = "") -> None:
        self._rest = text

    def read(self) -> str:
        """Return what is left."""
        rest, self._rest = self._rest, ""
        return rest

    def line(self) -> str | None:
        """Return the next line, or None at the end."""
        if not self._rest:
            return None
        line, _, self._rest = self._rest.partition("\n")
        return line


class ShellExit(Exception):  # noqa: N818  the end of a shell, and no error
    """The shell ends."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class LoopControl(Exception):  # noqa: N818  `break` and `continue`
    """A loop ends, or goes on with its next turn."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


@dataclass(slots=True)
class Streams:
    """Where a command reads and writes."""

    source: Source
    out: Sink
    err: Sink


@dataclass(slots=True, kw_only=True)
class Process:
    """A command that runs."""

    name: str
    args: list[str]
    source: Source
    out: Sink
    err: Sink
    shell: "ShellState"

    @property
    def session(self) -> Session:
        """Return the run it belongs to."""
        return self.shell.session

    @property
    def guest(self) -> Guest:
        """Return the machine it runs on."""
        return self.session.guest

    @property
    def files(self) -> Files:
        """Return the files it sees."""
        return self.guest.files

    def path(self, given: str) -> str:
        """Return a path as the file system knows it."""
        return absolute(given, self.shell.folder)

    def say(self, *lines: str) -> int:
        """Write lines to standard output, and succeed."""
        for line in lines:
            self.out.write(line + "\n")
        return 0

    def fail(self, message: str, code: int = 1) -> int:
        """Write a line to standard error, headed by the command's name, and fail."""
        self.err.write(f"{self.name}: {message}\n")
        return code

    def options(self, letters: str) -> tuple[set[str], list[str]]:
        """Return which one-letter options are given, and the other arguments.

        Raises:
            UsageFailure: An option that the command has not got, in the twin or at all.
        """
        given: set[str] = set()
        for index, each in enumerate(self.args):
            if each == "--":
                return given, self.args[index + 1 :]
            if not each.startswith("-") or each == "-":
                return given, self.args[index:]
            for letter in each[1:]:
                if letter not in letters or each.startswith("--"):
                    raise UsageFailure(each if each.startswith("--") else letter)
                given.add(letter)
        return given, []


NOT_FOUND = 127


def not_found(process: Process) -> int:
    """Answer as for a command that there is not."""
    shell = process.shell
    process.err.write(f"{shell.name}: line {shell.line}: {process.name}: command not found\n")
    return NOT_FOUND


class UsageFailure(Exception):  # noqa: N818  a command's own failure, not one of the twin
    """An option that a command does not know."""


CommandCode: TypeAlias = Callable[[Process], int]
"""What a command does: it returns its exit code."""


@dataclass(slots=True, kw_only=True)
class ShellState(ABC):
    """What commands see of the shell that started them."""

    session: Session
    commands: Mapping[str, CommandCode]
    name: str = "script.sh"
    variables: dict[str, str] = field(default_factory=dict)
    positional: list[str] = field(default_factory=list)
    folder: str = "/"
    status: int = 0
    is_bash: bool = False
    stops_on_failure: bool = False
    is_strict: bool = False
    fails_in_pipes: bool = False
    on_exit: str = ""
    """What `trap ... EXIT` left to be done."""
    line: int = 1
    streams: Streams = field(default_factory=lambda: Streams(Source(), Sink(), Sink()))

    @abstractmethod
    def run(self, text: str) -> int:
        """Carry a script out and return its exit code."""

    @abstractmethod
    def call(self, args: Sequence[str], streams: Streams) -> int:
        """Carry one command out."""

    @abstractmethod
    def captured(self, text: str) -> str:
        """Return what a command substitution writes."""

    @abstractmethod
    def child(self, streams: Streams) -> "ShellState":
        """Return a subshell."""

    def variable(self, name: str) -> str | None:
        """Return what a variable holds, or None where it is not set."""
        match name:
            case "?":
                return str(self.status)
            case "#":
                return str(len(self.positional))
            case "@" | "*":
                return " ".join(self.positional)
            case "0":
                return self.name
            case "$" | "!":
                return "4711"
            case "-":
                return "e" if self.stops_on_failure else ""
            case _:
                pass
        if name.isdigit():
            index = int(name) - 1
            return self.positional[index] if index < len(self.positional) else None
        return self.variables.get(name)
