"""Carries PowerShell scripts out.

Guarantees: a command that is not known is PowerShell's CommandNotFoundException; an error ends the script
only where `$ErrorActionPreference` or `-ErrorAction` is Stop, and the exit code is then 1. Objects are
written out as lists of their properties.
"""

import re
from collections.abc import Mapping
from typing import Any

from readiness.twin.guest.powershell import values
from readiness.twin.guest.powershell.commands import COMMANDS
from readiness.twin.guest.powershell.invocation import CommandError, Invocation, Runtime
from readiness.twin.guest.powershell.reader import read
from readiness.twin.guest.powershell.syntax import (
    Assigned,
    Binary,
    Block,
    Body,
    Expression,
    ForEach,
    If,
    Index,
    Inner,
    Invoked,
    Leave,
    Literal,
    Member,
    Piped,
    PowerShellSyntaxError,
    Several,
    Statement,
    Table,
    Text,
    Try,
    Unary,
    Variable,
)
from readiness.twin.guest.session import Outcome, Session, TimeIsUp

_STOP = "stop"
_TERMINATING = {"CommandNotFoundException", "MethodNotFound", "RuntimeException"}
"""Errors that end their statement, and that `try` catches without being asked to stop."""


class _Exit(Exception):  # noqa: N818  the end of a script, and no error
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def run_powershell(session: Session, text: str, parameters: Mapping[str, str]) -> Outcome:
    """Carry a script out, as the system account, and return how it ended."""
    evaluator = Evaluator(session, parameters)
    code, is_late = 0, False
    try:
        evaluator.carry_out(read(text))
    except _Exit as end:
        code = end.code
    except PowerShellSyntaxError as error:
        code = 1
        evaluator.report(CommandError(str(error), "ParserError", "UnexpectedToken"))
    except CommandError as error:
        code = 1
        evaluator.report(error)
    except TimeIsUp:
        code, is_late = 1, True
    except RecursionError:
        code = 1
        evaluator.report(
            CommandError("The script is nested too deeply.", "InvalidOperation", "CallDepthOverflow")
        )
    return Outcome(code, "".join(evaluator.out), "".join(evaluator.err), session.elapsed, is_late)


class Evaluator(Runtime):
    """A script while it runs."""

    def __init__(self, session: Session, parameters: Mapping[str, str]) -> None:
        self.session = session
        self._tries = 0
        self.out: list[str] = []
        self.err: list[str] = []
        windows = r"C:\Windows"
        self.variables: dict[str, Any] = {"true": True, "false": False, "null": None, "?": True}
        self.variables |= {"lastexitcode": 0, "erroractionpreference": "Continue"}
        self.variables |= {"env:computername": session.guest.host_name, "env:windir": windows}
        self.variables |= {"env:systemroot": windows, "env:systemdrive": "C:"}
        self.variables |= {name.lower(): value for name, value in parameters.items()}

    def report(self, error: CommandError) -> None:
        """Write an error to standard error, as the console shows it."""
        head = f"{error.command} : " if error.command else ""
        category = f"{error.category}: (:) [{error.command}], {error.kind}"
        self.err.append(
            f"{head}{error}\n"
            f"    + CategoryInfo          : {category}\n"
            f"    + FullyQualifiedErrorId : {error.kind}\n"
        )

    def carry_out(self, body: Body) -> None:
        """Carry statements out and write what they give."""
        for statement in body:
            for value in self._guarded(statement):
                self.out += [f"{line}\n" for line in values.lines_of(value)]

    def gathered(self, body: Body) -> list[Any]:
        """Carry statements out and return what they give."""
        return [value for statement in body for value in self._guarded(statement)]

    def _guarded(self, statement: Statement) -> list[Any]:
        self.session.count()
        try:
            return self._attempted(statement)
        except CommandError as error:
            is_caught = self._tries > 0 and error.kind in _TERMINATING
            preference = values.shown(self.variables["erroractionpreference"]).lower()
            if is_caught or error.stops or preference == _STOP:
                raise error.stopping() from None
            self.variables["?"] = False
            self.report(error)
            return []

    def _attempted(self, statement: Statement) -> list[Any]:
        """Carry a statement out; values it cannot work with are an error record, too."""
        try:
            return self.statement(statement)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, re.error) as error:
            raise CommandError(
                "Cannot convert value to the type that the operation needs.",
                "InvalidArgument",
                "RuntimeException",
            ) from error

    def statement(self, statement: Statement) -> list[Any]:
        """Carry one statement out and return what it gives."""
        match statement:
            case Piped():
                return self._piped(statement)
            case Assigned():
                return self._assign(statement)
            case If():
                return self._if(statement)
            case ForEach():
                return self._for_each(statement)
            case Try():
                return self._try(statement)
            case Leave():
                return self._leave(statement)

    def _assign(self, statement: Assigned) -> list[Any]:
        found = values.one(self.statement(statement.value))
        if statement.operator == "+=":
            found = values.added(self.variables.get(statement.name), found)
        self.variables[statement.name] = found
        return []

    def _if(self, statement: If) -> list[Any]:
        for condition, body in statement.branches:
            if values.truth(values.one(self.statement(condition))):
                return self.gathered(body)
        return self.gathered(statement.otherwise)

    def _for_each(self, statement: ForEach) -> list[Any]:
        result = []
        for value in values.as_list(values.one(self.statement(statement.values))):
            self.variables[statement.name] = value
            result += self.gathered(statement.body)
        return result

    def _try(self, statement: Try) -> list[Any]:
        self._tries += 1
        caught: CommandError | None = None
        result: list[Any] = []
        try:
            result = self.gathered(statement.body)
        except CommandError as error:
            caught = error
        finally:
            self._tries -= 1
        if caught is not None:
            self.variables["_"] = {"Exception": {"Message": str(caught)}}
            result = self.gathered(statement.caught)
        self.carry_out(statement.finally_)
        return result

    def _leave(self, statement: Leave) -> list[Any]:
        value = None if statement.value is None else values.one(self.statement(statement.value))
        if statement.word == "throw":
            raise CommandError(values.shown(value), "OperationStopped", "RuntimeException", stops=True)
        if statement.word == "return":
            self.out += [f"{line}\n" for each in values.as_list(value) for line in values.lines_of(each)]
            raise _Exit(0)
        raise _Exit(int(value or 0))

    def _piped(self, statement: Piped) -> list[Any]:
        given: list[Any] = []
        for position, stage in enumerate(statement.stages):
            if isinstance(stage, Invoked):
                given = self._invoke(stage, given, is_first=position == 0)
            else:
                given = values.as_list(self.value(stage))
        return given

    def _invoke(self, call: Invoked, given: list[Any], *, is_first: bool) -> list[Any]:
        self.session.count()
        word = values.shown(self.value(call.name))
        name = word.rsplit("\\", 1)[-1].lower().removesuffix(".exe")
        found = COMMANDS.get(name)
        if found is None:
            raise CommandError(
                f"The term '{word}' is not recognized as the name of a cmdlet, function, script file, "
                "or operable program. Check the spelling of the name, or if a path was included, verify that "
                "the path is correct and try again.",
                "ObjectNotFound",
                "CommandNotFoundException",
                command=word,
            )
        invocation = Invocation(name=word, given=given, is_first=is_first, evaluator=self)
        for each in call.args:
            if isinstance(each, tuple):
                invocation.parameters[each[0]] = True if each[1] is None else self.value(each[1])
            else:
                invocation.args.append(self.value(each))
        action = values.shown(invocation.parameters.get("erroraction")).lower()
        try:
            result = found(invocation)
        except CommandError as error:
            error.command = error.command or word
            self.variables["?"] = False
            if action == _STOP:
                raise error.stopping() from None
            if action in ("silentlycontinue", "ignore") or call.drops_errors:
                return []
            raise
        self.variables["?"] = True
        return [] if call.drops_output else result

    def value(self, expression: Expression) -> Any:  # noqa: PLR0911, C901  one line for each kind
        """Return what an expression stands for."""
        match expression:
            case Literal(value=value):
                return value
            case Text(parts=parts):
                return "".join(values.shown(self.value(each)) for each in parts)
            case Variable(name=name):
                return self.variables.get(name.removeprefix("global:").removeprefix("script:"))
            case Member(args=None):
                return values.member(self.value(expression.target), expression.name)
            case Member():
                return self._method(expression)
            case Index(target=target, at=at):
                return values.indexed(self.value(target), self.value(at))
            case Unary(operator=operator, operand=operand):
                return values.unary(operator, self.value(operand))
            case Binary():
                return self._binary(expression)
            case Several(items=items):
                return [self.value(each) for each in items]
            case Table(pairs=pairs):
                return {name: self.value(each) for name, each in pairs}
            case Inner(body=body, is_list=is_list):
                found = self.gathered(body)
                return found if is_list else values.one(found)
            case Block():
                return expression

    def _binary(self, expression: Binary) -> Any:
        left, operator = self.value(expression.left), expression.operator
        if operator == "-and":
            return values.truth(left) and values.truth(self.value(expression.right))
        if operator == "-or":
            return values.truth(left) or values.truth(self.value(expression.right))
        right = self.value(expression.right)
        match operator:
            case "+":
                return values.added(left, right)
            case "-":
                return (left or 0) - (right or 0)
            case "*":
                return (left or 0) * (right or 0)
            case "/" | "%":
                if not right:
                    raise CommandError("Attempted to divide by zero.", "NotSpecified", "RuntimeException")
                return left / right if operator == "/" else left % right
            case _:
                return values.compare(operator, left, right)

    def _method(self, expression: Member) -> Any:
        target = self.value(expression.target)
        args = [self.value(each) for each in expression.args or ()]
        name = expression.name.lower()
        if name == "contains" and isinstance(target, list):
            return args[0] in target
        found = values.METHODS.get(name)
        if found is not None:
            return found(values.shown(target), *map(values.shown, args))
        raise CommandError(
            f"Method invocation failed because [{type(target).__name__}] does not contain a method named "
            f"'{expression.name}'.",
            "InvalidOperation",
            "MethodNotFound",
        )
