"""What the shell does itself, and the tests that conditions are made of."""

import shlex
from collections.abc import Callable, Sequence

from readiness.twin.guest.shell.expansion import UnsetVariable
from readiness.twin.guest.shell.process import CommandCode, LoopControl, Process, ShellExit, Streams

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _true(_process: Process) -> int:
    return 0


def _false(_process: Process) -> int:
    return 1


def _exit(process: Process) -> int:
    given = process.args[0] if process.args else str(process.shell.status)
    raise ShellExit(int(given) if given.isdigit() else 2)


def _loop_control(process: Process) -> int:
    raise LoopControl(process.name)


def _set(process: Process) -> int:
    shell, args = process.shell, list(process.args)
    while args:
        word = args.pop(0)
        if word == "--":
            shell.positional = args
            return 0
        is_on, letters = word[0] == "-", word[1:]
        if letters.endswith("o") and args:
            name = args.pop(0)
            if name == "pipefail" and not shell.is_bash:
                return process.fail(f"Illegal option -o {name}", 2)
            if name == "pipefail":
                shell.fails_in_pipes = is_on
            letters = letters[:-1] + {"errexit": "e", "nounset": "u"}.get(name, "")
        for letter in letters:
            if letter == "e":
                shell.stops_on_failure = is_on
            elif letter == "u":
                shell.is_strict = is_on
            elif letter not in "xvfn":
                return process.fail(f"Illegal option -{letter}", 2)
    return 0


def _export(process: Process) -> int:
    for each in process.args:
        name, separator, value = each.partition("=")
        if separator:
            process.shell.variables[name] = value
    return 0


def _unset(process: Process) -> int:
    for each in process.args:
        process.shell.variables.pop(each, None)
    return 0


def _shift(process: Process) -> int:
    del process.shell.positional[: int(process.args[0]) if process.args else 1]
    return 0


def _cd(process: Process) -> int:
    path = process.path(process.args[0] if process.args else "/root")
    if not process.files.is_folder(path):
        return process.fail(f"can't cd to {process.args[0]}", 2)
    process.shell.folder = path
    return 0


def _pwd(process: Process) -> int:
    return process.say(process.shell.folder)


def _read(process: Process) -> int:
    names = [each for each in process.args if not each.startswith("-")] or ["REPLY"]
    line = process.source.line()
    words = (line or "").split(None, len(names) - 1) if len(names) > 1 else [(line or "").strip()]
    for index, name in enumerate(names):
        process.shell.variables[name] = words[index] if index < len(words) else ""
    return 0 if line is not None else 1


def _trap(process: Process) -> int:
    if len(process.args) > 1 and process.args[-1] in ("EXIT", "0"):
        process.shell.on_exit = "" if process.args[0] == "-" else process.args[0]
    return 0


def _command(process: Process) -> int:
    args = process.args
    if args[:1] not in (["-v"], ["-V"]):
        return _call(process, args)
    found = args[-1] in process.shell.commands
    return process.say(f"/usr/bin/{args[-1]}") if found else 127


def _which(process: Process) -> int:
    missing = [each for each in process.args if each not in process.shell.commands]
    process.say(*(f"/usr/bin/{each}" for each in process.args if each not in missing))
    return 1 if missing else 0


def _call(process: Process, args: Sequence[str]) -> int:
    if not args:
        return 0
    return process.shell.call(args, Streams(process.source, process.out, process.err))


def _sudo(process: Process) -> int:
    args = list(process.args)
    while args and args[0].startswith("-"):
        args.pop(0)
    return _call(process, args)


def _timeout(process: Process) -> int:
    """The command's own time is up only where it sleeps, which no known command of a limit does."""
    return _call(process, process.args[1:])


def _shell(process: Process) -> int:
    shell = process.shell.child(Streams(process.source, process.out, process.err))
    shell.is_bash = process.name == "bash" or shell.is_bash
    args = list(process.args)
    while args and args[0].startswith("-") and "c" not in args[0]:
        args.pop(0)
    if args and args[0].startswith("-"):
        letters = args.pop(0)
        shell.stops_on_failure = "e" in letters
        text, shell.positional = args[0], args[2:]
    elif args:
        text, shell.positional = process.files.read(process.path(args[0])), args[1:]
    else:
        text = process.source.read()
    return shell.run(text)


def _sleep(process: Process) -> int:
    for each in process.args:
        number, unit = (each[:-1], each[-1]) if each[-1:] in _SECONDS else (each, "s")
        try:
            process.session.sleep(float(number) * _SECONDS[unit])
        except ValueError:
            return process.fail(f"invalid time interval '{each}'")
    return 0


def _test(process: Process) -> int:
    args = list(process.args)
    if process.name == "[":
        if args[-1:] != ["]"]:
            return process.fail("missing ]", 2)
        args.pop()
    try:
        return 0 if _holds(process, args) else 1
    except ValueError as error:
        return process.fail(str(error), 2)


def _holds(process: Process, args: list[str]) -> bool:
    for word, combine in (("-o", any), ("-a", all)):
        if word in args[1:-1]:
            cut = args.index(word, 1)
            return combine([_holds(process, args[:cut]), _holds(process, args[cut + 1 :])])
    if args[:1] == ["!"] and len(args) > 1:
        return not _holds(process, args[1:])
    match args:
        case []:
            return False
        case [text]:
            return bool(text)
        case [operator, operand] if operator in _UNARY:
            return _UNARY[operator](process, operand)
        case [left, operator, right] if operator in _NUMBERS:
            return _NUMBERS[operator](_number(left), _number(right))
        case [left, operator, right] if operator in ("=", "==", "!="):
            return (left == right) is (operator != "!=")
    raise ValueError(f"{args[0] if len(args) == 2 else args[1]}: unexpected operator")  # noqa: PLR2004


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"Illegal number: {text}") from None


_UNARY: dict[str, Callable[[Process, str], bool]] = {
    "-z": lambda _, text: not text,
    "-n": lambda _, text: bool(text),
    "-e": lambda process, path: process.files.exists(process.path(path)),
    "-f": lambda process, path: process.files.is_file(process.path(path)),
    "-d": lambda process, path: process.files.is_folder(process.path(path)) or _is_firmware(process, path),
    "-r": lambda process, path: process.files.exists(process.path(path)),
    "-w": lambda process, path: process.files.exists(process.path(path)),
    "-x": lambda process, path: (
        bool(process.files.mode(process.path(path)) & 0o111)
        or (path[:1] == "/" and path.rsplit("/", 1)[-1] in process.shell.commands)
    ),
    "-s": lambda process, path: (
        process.files.is_file(process.path(path)) and bool(process.files.read(process.path(path)))
    ),
    "-L": lambda _process, _path: False,
}
_NUMBERS: dict[str, Callable[[int, int], bool]] = {
    "-eq": lambda left, right: left == right,
    "-ne": lambda left, right: left != right,
    "-lt": lambda left, right: left < right,
    "-le": lambda left, right: left <= right,
    "-gt": lambda left, right: left > right,
    "-ge": lambda left, right: left >= right,
}


def _is_firmware(process: Process, path: str) -> bool:
    return path == "/sys/firmware/efi" and process.guest.is_uefi


def _eval(process: Process) -> int:
    shell = process.shell
    before, shell.streams = shell.streams, Streams(process.source, process.out, process.err)
    try:
        return shell.run(" ".join(process.args))
    except UnsetVariable:
        return 2
    finally:
        shell.streams = before


def _xargs(process: Process) -> int:
    args = [each for each in process.args if each not in ("-r", "-0")]
    words = shlex.split(process.source.read())
    if not words and "-r" in process.args:
        return 0
    return _call(process, [*(args or ["echo"]), *words])


COMMANDS: dict[str, CommandCode] = {
    ":": _true,
    "true": _true,
    "false": _false,
    "exit": _exit,
    "break": _loop_control,
    "continue": _loop_control,
    "set": _set,
    "export": _export,
    "unset": _unset,
    "shift": _shift,
    "cd": _cd,
    "pwd": _pwd,
    "read": _read,
    "trap": _trap,
    "command": _command,
    "which": _which,
    "sudo": _sudo,
    "timeout": _timeout,
    "sh": _shell,
    "bash": _shell,
    "eval": _eval,
    "sleep": _sleep,
    "test": _test,
    "[": _test,
    "sync": _true,
    "xargs": _xargs,
}
