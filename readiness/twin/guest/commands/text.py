"""Commands that write, choose and change text."""

import re
from datetime import UTC, datetime

from readiness.twin.guest.shell.process import CommandCode, Process, UsageFailure

_ESCAPES = {"n": "\n", "t": "\t", "\\": "\\", "r": "\r", "0": "\0", "a": "\a"}


def _echo(process: Process) -> int:
    args, ends = list(process.args), "\n"
    is_plain = True
    while args and re.fullmatch(r"-[neE]+", args[0]):
        letters = args.pop(0)
        ends = "" if "n" in letters else ends
        is_plain = is_plain and "e" not in letters
    text = " ".join(args)
    process.out.write((text if is_plain and process.shell.is_bash else unescaped(text)) + ends)
    return 0


def unescaped(text: str) -> str:
    """Return text with its backslash sequences replaced."""
    return re.sub(r"\\([nt\\r0a])", lambda found: _ESCAPES[found[1]], text)


def _printf(process: Process) -> int:
    if not process.args:
        return process.fail("usage: printf format [arg ...]", 2)
    form, args = unescaped(process.args[0]), list(process.args[1:])
    while True:
        before = len(args)
        process.out.write(re.sub(r"%(-?\d*)([sdbq%])", lambda found: _printed(found, args), form))
        if not args or len(args) == before:
            return 0


def _printed(found: re.Match[str], args: list[str]) -> str:
    if found[2] == "%":
        return "%"
    value = args.pop(0) if args else ("0" if found[2] == "d" else "")
    width = found[1] or "0"
    value = unescaped(value) if found[2] == "b" else value
    return value.ljust(-int(width)) if width.startswith("-") else value.rjust(int(width))


def inputs_of(process: Process, paths: list[str]) -> list[tuple[str, str]]:
    """Return the text of each file by its name, or of standard input."""
    if not paths:
        return [("(standard input)", process.source.read())]
    return [
        (each, process.source.read() if each == "-" else process.files.read(process.path(each)))
        for each in paths
    ]


def lines_of(text: str) -> list[str]:
    """Return the lines of a text."""
    return text.removesuffix("\n").split("\n") if text else []


def _cat(process: Process) -> int:
    _, paths = process.options("nsA")
    for _, text in inputs_of(process, paths):
        process.out.write(text)
    return 0


def _grep(process: Process) -> int:
    given, rest = _grep_options(process)
    if not rest:
        return process.fail("usage: grep [OPTION]... PATTERNS [FILE]...", 2)
    pattern = pattern_of(rest[0], is_extended="E" in given or process.name == "egrep", is_fixed="F" in given)
    if "w" in given:
        pattern = rf"\b(?:{pattern})\b"
    if "x" in given:
        pattern = rf"^(?:{pattern})$"
    expression = re.compile(pattern, re.IGNORECASE if "i" in given else 0)
    found, status = 0, 1
    for name, text in _grep_inputs(process, rest[1:], given):
        kept = [each for each in lines_of(text) if bool(expression.search(each)) is not ("v" in given)]
        found += len(kept)
        if "q" in given:
            continue
        head = f"{name}:" if (len(rest) > 2 or "r" in given) and "h" not in given else ""  # noqa: PLR2004
        if "l" in given:
            process.say(*([name] if kept else []))
        elif "c" in given:
            process.say(f"{head}{len(kept)}")
        elif "o" in given:
            process.say(*(head + each[0] for line in kept for each in expression.finditer(line)))
        else:
            process.say(*(head + each for each in kept))
    return 0 if found else status


def _grep_options(process: Process) -> tuple[set[str], list[str]]:
    given: set[str] = set()
    rest: list[str] = []
    args = list(process.args)
    while args:
        word = args.pop(0)
        if word == "-e" and args:
            rest.insert(0, args.pop(0))
        elif word == "--":
            return given, rest + args
        elif word.startswith("-") and len(word) > 1:
            unknown = set(word[1:]) - set("ivqcEFwxolhrRsP")
            if unknown:
                raise UsageFailure(word)
            given |= set(word[1:].replace("R", "r").replace("P", "E"))
        else:
            rest.append(word)
    return given, rest


def _grep_inputs(process: Process, paths: list[str], given: set[str]) -> list[tuple[str, str]]:
    if "r" in given:
        paths = [
            under
            for each in paths
            for under in [process.path(each), *process.files.under(process.path(each))]
            if process.files.is_file(under)
        ]
    if "s" in given or "q" in given:
        paths = [each for each in paths if process.files.is_file(process.path(each))] if paths else []
        if not paths and process.args[-1:] and process.args[-1].startswith("/"):
            return []
    return inputs_of(process, paths)


def pattern_of(text: str, *, is_extended: bool, is_fixed: bool) -> str:
    """Return a basic or extended regular expression as Python's."""
    if is_fixed:
        return re.escape(text)
    for name, characters in (("space", r"\s"), ("digit", r"\d"), ("alpha", "A-Za-z"), ("alnum", "A-Za-z0-9")):
        text = text.replace(f"[:{name}:]", characters)
    if is_extended:
        return text
    return re.sub(r"\\?([+?|(){}])", lambda found: found[1] if found[0][0] == "\\" else "\\" + found[1], text)


def _head(process: Process) -> int:
    args = [f"-n{each[1:]}" if re.fullmatch(r"-\d+", each) else each for each in process.args]
    count, paths = "10", []
    while args:
        word = args.pop(0)
        if word == "-n":
            count = args.pop(0)
        elif word.startswith("-n"):
            count = word[2:]
        else:
            paths.append(word)
    for _, text in inputs_of(process, paths):
        lines = lines_of(text)
        if process.name == "tail":
            lines = lines[int(count[1:]) - 1 :] if count.startswith("+") else lines[-int(count) :]
        else:
            lines = lines[: int(count)]
        process.say(*lines)
    return 0


def _cut(process: Process) -> int:
    separator, fields, paths = "\t", "", []
    args = list(process.args)
    while args:
        word = args.pop(0)
        if word[:2] in ("-d", "-f", "-c"):
            value = word[2:] or args.pop(0)
            separator = value if word[1] == "d" else separator
            fields = fields if word[1] == "d" else value
        else:
            paths.append(word)
    for _, text in inputs_of(process, paths):
        for line in lines_of(text):
            parts = line.split(separator)
            process.say(separator.join(_chosen(parts, fields)) if len(parts) > 1 else line)
    return 0


def _chosen(parts: list[str], fields: str) -> list[str]:
    chosen: list[str] = []
    for each in fields.split(","):
        first, dash, last = each.partition("-")
        start = int(first or 1) - 1
        chosen += parts[start : (int(last) if last else len(parts)) if dash else start + 1]
    return chosen


def _wc(process: Process) -> int:
    given, paths = process.options("lwcm")
    for name, text in inputs_of(process, paths):
        counts = {"l": text.count("\n"), "w": len(text.split()), "c": len(text), "m": len(text)}
        shown = [str(counts[each]) for each in "lwcm" if each in (given or {"l", "w", "c"})]
        process.say(" ".join([*shown, *([name] if paths else [])]))
    return 0


def _sort(process: Process) -> int:
    given, paths = process.options("urn")
    lines = [line for _, text in inputs_of(process, paths) for line in lines_of(text)]
    lines = list(dict.fromkeys(lines)) if "u" in given else lines
    if "n" in given:
        lines.sort(key=lambda line: int(found[0]) if (found := re.match(r"\s*-?\d+", line)) else 0)
    else:
        lines.sort()
    return process.say(*(reversed(lines) if "r" in given else lines))


def _uniq(process: Process) -> int:
    given, paths = process.options("c")
    lines = [line for _, text in inputs_of(process, paths) for line in lines_of(text)]
    runs: list[tuple[str, int]] = []
    for line in lines:
        if runs and runs[-1][0] == line:
            runs[-1] = (line, runs[-1][1] + 1)
        else:
            runs.append((line, 1))
    return process.say(*(f"{count:7} {line}" if "c" in given else line for line, count in runs))


def _date(process: Process) -> int:
    """`date [-u] [-d @SECONDS] [+FORMAT]`; other words for a time are not understood."""
    now, args = process.session.now.astimezone(UTC), process.args
    if "-d" in args:
        wanted = args[args.index("-d") + 1]
        if not re.fullmatch(r"@\d+", wanted):
            return process.fail(f"invalid date '{wanted}'")
        now = datetime.fromtimestamp(int(wanted[1:]), UTC)
    form = next((each[1:] for each in process.args if each.startswith("+")), "%a %b %e %H:%M:%S UTC %Y")
    return process.say(now.strftime(form.replace("%s", str(int(now.timestamp())))))


def _seq(process: Process) -> int:
    numbers = [int(each) for each in process.args]
    first, last = (1, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[-1])
    return process.say(*map(str, range(first, last + 1)))


COMMANDS: dict[str, CommandCode] = {
    "echo": _echo,
    "printf": _printf,
    "cat": _cat,
    "grep": _grep,
    "egrep": _grep,
    "head": _head,
    "tail": _head,
    "cut": _cut,
    "wc": _wc,
    "sort": _sort,
    "uniq": _uniq,
    "date": _date,
    "seq": _seq,
}
