"""Carries shell scripts out: lists, pipelines, conditions, redirections, variables.

Guarantees: a script changes nothing but the guest of its session; `set -e`, `-u` and, in bash, `pipefail`
act as POSIX has them. A pipeline's commands run one after the other, each to its end.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from readiness.twin.guest.files import absolute
from readiness.twin.guest.session import Outcome, Session, TimeIsUp
from readiness.twin.guest.shell.expansion import UnsetVariable, fields_of, text_of
from readiness.twin.guest.shell.lexer import ShellSyntaxError, Word
from readiness.twin.guest.shell.parser import (
    Chain,
    Command,
    For,
    Group,
    If,
    List,
    Pipeline,
    Redirection,
    Simple,
    While,
    parse,
)
from readiness.twin.guest.shell.process import (
    CommandCode,
    FileSink,
    LoopControl,
    Process,
    ShellExit,
    ShellState,
    Sink,
    Source,
    Streams,
    UsageFailure,
    not_found,
)

_SYNTAX = 2
_KILLED = 124
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")


@dataclass(slots=True, kw_only=True)
class Shell(ShellState):
    """A shell, or a subshell with its own variables and folder."""

    def run(self, text: str) -> int:
        """Carry a script out and return its exit code."""
        try:
            code = self._run(text)
        except ShellExit as end:
            code = end.code
        if self.on_exit:
            rest, self.on_exit = self.on_exit, ""
            self.run(rest)
        return code

    def _run(self, text: str) -> int:
        try:
            return self.carry_out(parse(text), self.streams)
        except ShellSyntaxError as error:
            self.streams.err.write(f"{self.name}: {error}\n")
        except UnsetVariable as error:
            self.streams.err.write(f"{self.name}: {self.line}: {error}\n")
        except LoopControl:
            return self.status
        return _SYNTAX

    def captured(self, text: str) -> str:
        """Return what a command substitution writes."""
        out = Sink()
        inner = self.child(Streams(Source(), out, self.streams.err))
        self.status = inner.run(text)
        return out.text.rstrip("\n")

    def child(self, streams: Streams) -> "Shell":
        """Return a subshell."""
        return Shell(
            session=self.session,
            commands=self.commands,
            name=self.name,
            variables=dict(self.variables),
            positional=list(self.positional),
            folder=self.folder,
            is_bash=self.is_bash,
            stops_on_failure=self.stops_on_failure,
            is_strict=self.is_strict,
            fails_in_pipes=self.fails_in_pipes,
            line=self.line,
            streams=streams,
        )

    def carry_out(self, commands: List, streams: Streams, *, is_condition: bool = False) -> int:
        """Carry commands out one after the other; a condition may fail without ending the shell."""
        status = 0
        for chain in commands:
            self.status = status = self._chain(chain, streams, is_condition=is_condition)
        return status

    def _chain(self, chain: Chain, streams: Streams, *, is_condition: bool) -> int:
        pipelines = [("", chain.first), *chain.rest]
        status = 0
        for index, (operator, pipeline) in enumerate(pipelines):
            if (operator == "&&" and status) or (operator == "||" and not status):
                continue
            is_guarded = is_condition or index < len(pipelines) - 1 or pipeline.is_negated
            self.status = status = self._pipeline(pipeline, streams, is_condition=is_guarded)
            if status and self.stops_on_failure and not is_guarded:
                raise ShellExit(status)
        return status

    def _pipeline(self, pipeline: Pipeline, streams: Streams, *, is_condition: bool) -> int:
        if len(pipeline.commands) == 1:
            status = self.command(pipeline.commands[0], streams, is_condition=is_condition)
            return int(not status) if pipeline.is_negated else status
        source, statuses = streams.source, []
        for index, command in enumerate(pipeline.commands):
            is_last = index == len(pipeline.commands) - 1
            out = streams.out if is_last else Sink()
            inner = self.child(Streams(source, out, streams.err))
            try:
                statuses.append(inner.command(command, inner.streams, is_condition=is_condition))
            except ShellExit as end:
                statuses.append(end.code)
            source = Source(out.text if not is_last else "")
        failures = [each for each in statuses if each]
        status = failures[-1] if self.fails_in_pipes and failures else statuses[-1]
        return int(not status) if pipeline.is_negated else status

    def command(self, command: Command, streams: Streams, *, is_condition: bool) -> int:
        """Carry one command of a pipeline out."""
        self.session.count()
        try:
            inner = self._redirected(command.redirections, streams)
        except OSError as error:
            streams.err.write(f"{self.name}: {self.line}: cannot open {error.filename}: {error.strerror}\n")
            return 2
        match command:
            case Simple():
                return self._simple(command, inner)
            case Group(body=body, is_subshell=True):
                return self._subshell(body, inner, is_condition=is_condition)
            case Group(body=body):
                return self.carry_out(body, inner, is_condition=is_condition)
            case If():
                return self._if(command, inner, is_condition=is_condition)
            case For() | While():
                return self._loop(command, inner, is_condition=is_condition)

    def _subshell(self, body: List, streams: Streams, *, is_condition: bool) -> int:
        inner = self.child(streams)
        try:
            return inner.carry_out(body, streams, is_condition=is_condition)
        except ShellExit as end:
            return end.code

    def _if(self, command: If, streams: Streams, *, is_condition: bool) -> int:
        for condition, body in command.branches:
            if self.carry_out(condition, streams, is_condition=True) == 0:
                return self.carry_out(body, streams, is_condition=is_condition)
        if command.otherwise is None:
            return 0
        return self.carry_out(command.otherwise, streams, is_condition=is_condition)

    def _loop(self, command: For | While, streams: Streams, *, is_condition: bool) -> int:
        status = 0
        for value in self._turns(command, streams):
            if isinstance(command, For):
                self.variables[command.name] = value
            try:
                status = self.carry_out(command.body, streams, is_condition=is_condition)
            except LoopControl as control:
                if control.word == "break":
                    return 0
        return status

    def _turns(self, command: For | While, streams: Streams) -> Iterator[str]:
        if isinstance(command, For):
            yield from fields_of(self, command.words)
            return
        while (self.carry_out(command.condition, streams, is_condition=True) != 0) is command.until:
            self.session.count()
            yield ""

    def _redirected(self, redirections: Sequence[Redirection], streams: Streams) -> Streams:
        result = Streams(streams.source, streams.out, streams.err)
        for each in redirections:
            target = text_of(self, each.target)
            match each.operator:
                case "<<" | "<<-":
                    result.source = Source(target)
                case "<":
                    result.source = Source(
                        "" if target == "/dev/null" else self.session.guest.files.read(self.path(target))
                    )
                case ">&" | "<&":
                    found = result.out if target == "1" else result.err
                    result = _with(result, each.stream, found)
                case "&>" | "&>>":
                    result.out = result.err = self._file(target, appends=each.operator == "&>>")
                case _:
                    result = _with(result, each.stream, self._file(target, appends=each.operator == ">>"))
        return result

    def path(self, given: str) -> str:
        """Return a path as the file system knows it."""
        return absolute(given, self.folder)

    def _file(self, target: str, *, appends: bool) -> Sink:
        path = self.path(target)
        self.session.guest.files.write(path, "", appends=appends)
        return FileSink(self.session.guest.files, path)

    def _simple(self, command: Simple, streams: Streams) -> int:
        self.line = command.line
        assignments, words = _split(command.words)
        before, self.streams = self.streams, streams  # substitutions write their errors here
        try:
            values = {name: text_of(self, word) for name, word in assignments}
            args = fields_of(self, words)
            if not args:
                self.variables |= values
                has_run = any(piece.kind == "command" for _, word in assignments for piece in word)
                return self.status if has_run else 0
            kept = {name: self.variables.get(name) for name in values}
            self.variables |= values
            status = self.call(args, streams)
            for name, value in kept.items():
                if value is None:
                    self.variables.pop(name, None)
                else:
                    self.variables[name] = value
            return status
        finally:
            self.streams = before

    def call(self, args: Sequence[str], streams: Streams) -> int:
        """Carry one command out."""
        name = args[0]
        found = self.commands.get(name.rsplit("/", 1)[-1] if name.startswith("/") else name)
        process = Process(
            name=name if found is None else name.rsplit("/", 1)[-1],
            args=list(args[1:]),
            source=streams.source,
            out=streams.out,
            err=streams.err,
            shell=self,
        )
        try:
            return not_found(process) if found is None else found(process)
        except UsageFailure as failure:
            return process.fail(f"invalid option -- '{failure}'")
        except OSError as error:
            return process.fail(f"{error.filename}: {error.strerror}")
        except (LookupError, ValueError, re.error):
            return process.fail("invalid arguments", 2)


def _with(streams: Streams, number: int, sink: Sink) -> Streams:
    if number == 1:
        return Streams(streams.source, sink, streams.err)
    return Streams(streams.source, streams.out, sink)


def _split(words: tuple[Word, ...]) -> tuple[list[tuple[str, Word]], tuple[Word, ...]]:
    """Part the assignments before a command from its words."""
    assignments: list[tuple[str, Word]] = []
    for index, word in enumerate(words):
        first = word[0] if word else None
        if first is None or first.kind != "text" or first.is_quoted or not _ASSIGNMENT.match(first.text):
            return assignments, words[index:]
        name, _, rest = first.text.partition("=")
        value = (type(first)("text", rest, is_quoted=False), *word[1:]) if rest else word[1:]
        assignments.append((name, value))
    return assignments, ()


def run_script(
    session: Session,
    text: str,
    commands: Mapping[str, CommandCode],
    *,
    named: Mapping[str, str] | None = None,
    positional: Sequence[str] = (),
) -> Outcome:
    """Carry a whole script out, as root, and return how it ended."""
    variables = {"HOME": "/root", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "USER": "root"}
    shell = Shell(
        session=session,
        commands=commands,
        variables=variables | dict(named or {}),
        positional=list(positional),
        is_bash="bash" in text.partition("\n")[0] or session.guest.is_red_hat,
    )
    try:
        code = shell.run(text)
        is_late = False
    except TimeIsUp:
        code, is_late = _KILLED, True
    except RecursionError:
        shell.streams.err.write(f"{shell.name}: maximum nesting level exceeded\n")
        code, is_late = _SYNTAX, False
    streams = shell.streams
    return Outcome(code & 255, streams.out.text, streams.err.text, session.elapsed, is_late)
