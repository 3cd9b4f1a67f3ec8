"""Cmdlets that choose, order, change and write values."""

from typing import Any

from readiness.twin.guest.powershell import values
from readiness.twin.guest.powershell.invocation import Command, CommandError, Invocation
from readiness.twin.guest.powershell.syntax import Block


def _written(run: Invocation) -> list[Any]:
    given = run.parameter("inputobject", 0)
    return values.as_list(given) if given is not None else run.given


def _host(run: Invocation) -> list[Any]:
    """What goes to the host goes to the output of a script that nobody watches."""
    run.evaluator.out.append(" ".join(map(values.shown, run.args or run.given)) + "\n")
    return []


def _error(run: Invocation) -> list[Any]:
    raise CommandError(run.text("message", 0), "NotSpecified", "WriteErrorException")


def _nothing(_run: Invocation) -> list[Any]:
    return []


def _filtered(run: Invocation) -> list[Any]:
    block = run.parameter("filterscript", 0)
    if isinstance(block, Block):
        return [each for each in run.given if values.truth(_applied(run, block, each))]
    name = values.shown(run.parameter("property", 0))
    wanted = [(key, value) for key, value in run.parameters.items() if key != "property"]
    if not wanted:
        return [each for each in run.given if values.truth(values.member(each, name))]
    operator, operand = wanted[0]
    return [each for each in run.given if values.compare(f"-{operator}", values.member(each, name), operand)]


def _each(run: Invocation) -> list[Any]:
    block = run.parameter("process", 0)
    if not isinstance(block, Block):
        return [
            found for each in run.given for found in values.as_list(values.member(each, values.shown(block)))
        ]
    return [found for each in run.given for found in values.as_list(_applied(run, block, each))]


def _applied(run: Invocation, block: Block, value: Any) -> Any:
    before = run.evaluator.variables.get("_")
    run.evaluator.variables["_"] = value
    try:
        return values.one(run.evaluator.gathered(block.body))
    finally:
        run.evaluator.variables["_"] = before


def _selected(run: Invocation) -> list[Any]:
    found = list(run.given)
    first, last = run.parameter("first"), run.parameter("last")
    if first is not None:
        found = found[: int(first)]
    if last is not None:
        found = found[-int(last) :]
    expanded = run.parameter("expandproperty")
    if expanded is not None:
        return [
            inner for each in found for inner in values.as_list(values.member(each, values.shown(expanded)))
        ]
    names = values.as_list(run.parameter("property", 0))
    if names and names != ["*"]:
        return [
            {values.shown(name): values.member(each, values.shown(name)) for name in names} for each in found
        ]
    return found


def _sorted(run: Invocation) -> list[Any]:
    name = run.text("property", 0)
    key = (lambda each: values.shown(values.member(each, name))) if name else values.shown
    return sorted(run.given, key=key, reverse=run.parameter("descending") is True)


def _measured(run: Invocation) -> list[Any]:
    return [{"Count": len(run.given)}]


def _json(run: Invocation) -> list[Any]:
    value = (
        run.parameter("inputobject") if run.parameter("inputobject") is not None else values.one(run.given)
    )
    return [values.json_of(value, is_compressed=run.parameter("compress") is True)]


def _string(run: Invocation) -> list[Any]:
    return ["\n".join(line for each in run.given for line in values.lines_of(each)) + "\n"]


def _formatted(run: Invocation) -> list[Any]:
    return _selected(run)


def _matched(run: Invocation) -> list[Any]:
    pattern = run.text("pattern", 0)
    lines = [line for each in run.given for line in values.shown(each).split("\n")]
    return [line for line in lines if values.compare("-match", line, pattern)]


def _slept(run: Invocation) -> list[Any]:
    milliseconds = run.parameter("milliseconds")
    seconds = (
        float(milliseconds) / 1000 if milliseconds is not None else float(run.parameter("seconds", 0) or 0)
    )
    run.session.sleep(seconds)
    return []


def _date(run: Invocation) -> list[Any]:
    form = run.text("format", 0)
    now = run.session.now
    return [now.isoformat() if form.lower() == "o" else f"{now:%m/%d/%Y %H:%M:%S}"]


COMMANDS: dict[str, Command] = {
    "write-output": _written,
    "echo": _written,
    "write-host": _host,
    "write-verbose": _nothing,
    "write-warning": _host,
    "write-error": _error,
    "out-null": _nothing,
    "set-strictmode": _nothing,
    "where-object": _filtered,
    "where": _filtered,
    "?": _filtered,
    "foreach-object": _each,
    "%": _each,
    "select-object": _selected,
    "select": _selected,
    "sort-object": _sorted,
    "measure-object": _measured,
    "convertto-json": _json,
    "out-string": _string,
    "format-list": _formatted,
    "format-table": _formatted,
    "select-string": _matched,
    "start-sleep": _slept,
    "get-date": _date,
}
