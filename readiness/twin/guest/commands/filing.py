"""Commands that make, move, copy and remove files."""

import hashlib
import posixpath
import re

from readiness.twin.guest.shell.process import CommandCode, Process


def _mkdir(process: Process) -> int:
    args, mode = _with_mode(process.args)
    process.args = args
    given, paths = process.options("pv")
    for each in paths:
        path = process.path(each)
        process.files.make_folder(path, parents="p" in given)
        if mode is not None:
            process.files.set_mode(path, mode)
    return 0


def _with_mode(args: list[str]) -> tuple[list[str], int | None]:
    """Take `-m MODE` and `--mode=MODE` out of arguments."""
    rest, mode, waiting = [], None, False
    for each in args:
        if waiting:
            mode, waiting = int(each, 8), False
        elif each == "-m":
            waiting = True
        elif found := re.fullmatch(r"(?:-m|--mode=)([0-7]+)", each):
            mode = int(found[1], 8)
        else:
            rest.append(each)
    return rest, mode


def _target(process: Process, source: str, target: str) -> str:
    path = process.path(target)
    if process.files.is_folder(path):
        return posixpath.join(path, posixpath.basename(source.rstrip("/")))
    return path


def _cp(process: Process) -> int:
    given, paths = process.options("pfarRvn")
    if len(paths) < 2:  # noqa: PLR2004  a source and a target
        return process.fail("missing file operand")
    for each in paths[:-1]:
        source, target = process.path(each), _target(process, each, paths[-1])
        if process.files.is_folder(source):
            if not given & {"a", "r", "R"}:
                return process.fail(f"-r not specified; omitting directory '{each}'")
            for inner in process.files.under(source):
                if process.files.is_file(inner):
                    process.files.plant(target + inner[len(source) :], process.files.read(inner))
            continue
        text = process.files.read(source)
        is_new = not process.files.exists(target)
        process.files.write(target, text)
        if is_new or given & {"p", "a"}:
            process.files.set_mode(target, process.files.mode(source))
    return 0


def _mv(process: Process) -> int:
    _, paths = process.options("fvn")
    if len(paths) < 2:  # noqa: PLR2004  a source and a target
        return process.fail("missing file operand")
    for each in paths[:-1]:
        source, target = process.path(each), _target(process, each, paths[-1])
        text, mode = process.files.read(source), process.files.mode(source)
        process.files.write(target, text)
        process.files.set_mode(target, mode)
        process.files.remove(source)
    return 0


def _rm(process: Process) -> int:
    given, paths = process.options("rRfv")
    status = 0
    for each in paths:
        path = process.path(each)
        if not process.files.exists(path):
            if "f" not in given:
                status = process.fail(f"cannot remove '{each}': No such file or directory")
        elif process.files.is_folder(path) and not given & {"r", "R"}:
            status = process.fail(f"cannot remove '{each}': Is a directory")
        else:
            process.files.remove(path, recursive=True)
    return status


def _chmod(process: Process) -> int:
    given = [each for each in process.args if each not in ("-R", "-v")]
    mode = given[0] if given else ""
    if not re.fullmatch(r"[0-7]{3,4}|[ugoa]*[+=-][rwxX]+", mode):
        return process.fail(f"invalid mode: '{mode}'")
    for each in given[1:]:
        path = process.path(each)
        before = process.files.mode(path)
        process.files.set_mode(path, int(mode, 8) if mode[0] in "01234567" else _changed(before, mode))
    return 0


def _changed(before: int, mode: str) -> int:
    who, operator, what = re.split(r"([+=-])", mode, maxsplit=1)
    bits = sum({"r": 4, "w": 2, "x": 1, "X": 1}[each] for each in set(what))
    mask = sum(bits << {"u": 6, "g": 3, "o": 0}[each] for each in ("ugo" if who in ("", "a") else who))
    return before & ~mask if operator == "-" else before | mask


def _chown(process: Process) -> int:
    """Owners are not held; what is missing is missing all the same."""
    for each in [each for each in process.args if not each.startswith("-")][1:]:
        if not process.files.exists(process.path(each)):
            return process.fail(f"cannot access '{each}': No such file or directory")
    return 0


def _install(process: Process) -> int:
    args, mode = _with_mode(process.args)
    rest: list[str] = []
    while args:
        word = args.pop(0)
        if word in ("-o", "-g"):
            args.pop(0)
        else:
            rest.append(word)
    process.args = rest
    given, paths = process.options("dDvpC")
    if "d" in given:
        for each in paths:
            process.files.make_folder(process.path(each), parents=True)
            process.files.set_mode(process.path(each), 0o755 if mode is None else mode)
        return 0
    if len(paths) < 2:  # noqa: PLR2004  a source and a target
        return process.fail("missing file operand")
    target = _target(process, paths[0], paths[-1])
    text = process.source.read() if paths[0] == "/dev/stdin" else process.files.read(process.path(paths[0]))
    if "D" in given:
        process.files.make_folder(posixpath.dirname(target), parents=True)
    process.files.write(target, text)
    process.files.set_mode(target, 0o755 if mode is None else mode)
    return 0


def _tee(process: Process) -> int:
    given, paths = process.options("a")
    text = process.source.read()
    for each in paths:
        process.files.write(process.path(each), text, appends="a" in given)
    process.out.write(text)
    return 0


def _touch(process: Process) -> int:
    _, paths = process.options("am")
    for each in paths:
        if not process.files.exists(process.path(each)):
            process.files.write(process.path(each), "")
    return 0


def _ls(process: Process) -> int:
    given, paths = process.options("la1AdhRt")
    status = 0
    for each in paths or ["."]:
        path = process.path(each)
        if not process.files.exists(path):
            process.err.write(f"ls: cannot access '{each}': No such file or directory\n")
            status = 2
            continue
        is_folder = process.files.is_folder(path) and "d" not in given
        names = process.files.names(path) if is_folder else [each]
        for name in names:
            full = posixpath.join(path, name) if is_folder else path
            process.say(_long(process, full, name) if "l" in given else name)
    return status


def _long(process: Process, path: str, name: str) -> str:
    letters = "".join(
        letter if process.files.mode(path) >> shift & 1 else "-"
        for shift, letter in zip(range(8, -1, -1), "rwxrwxrwx", strict=True)
    )
    kind = "d" if process.files.is_folder(path) else "-"
    size = 4096 if kind == "d" else len(process.files.read(path))
    return f"{kind}{letters} 1 root root {size:6} {process.session.now:%b %e %H:%M} {name}"


def _stat(process: Process) -> int:
    args = list(process.args)
    form = "%n"
    if args[:1] == ["-c"]:
        form, args = args[1], args[2:]
    for each in args:
        path = process.path(each)
        if not process.files.exists(path):
            return process.fail(f"cannot statx '{each}': No such file or directory")
        mode = f"{process.files.mode(path):o}"
        shown = form.replace("%a", mode).replace("%n", each).replace("%U", "root").replace("%G", "root")
        process.say(shown)
    return 0


def _mktemp(process: Process) -> int:
    is_folder = "-d" in process.args
    given = next((each for each in process.args if not each.startswith("-")), "/tmp/tmp.XXXXXXXXXX")  # noqa: S108
    digest = hashlib.sha256(f"{process.session.now}{process.session.commands}".encode()).hexdigest()
    path = process.path(re.sub("X{3,}", lambda found: digest[: len(found[0])], given))
    if is_folder:
        process.files.make_folder(path)
    else:
        process.files.write(path, "")
        process.files.set_mode(path, 0o600)
    return process.say(path)


def _basename(process: Process) -> int:
    name = posixpath.basename(process.args[0].rstrip("/")) if process.args else ""
    return process.say(name.removesuffix(process.args[1]) if len(process.args) > 1 else name)


def _dirname(process: Process) -> int:
    return process.say(posixpath.dirname(process.args[0]) or "." if process.args else ".")


def _diff(process: Process) -> int:
    paths = [each for each in process.args if not each.startswith("-")]
    one, other = (process.files.read(process.path(each)) for each in paths[:2])
    if one == other:
        return 0
    if process.name == "diff":
        process.say(f"Files {paths[0]} and {paths[1]} differ")
    return 1


def _sha256sum(process: Process) -> int:
    for each in process.args:
        digest = hashlib.sha256(process.files.read(process.path(each)).encode()).hexdigest()
        process.say(f"{digest}  {each}")
    return 0


COMMANDS: dict[str, CommandCode] = {
    "mkdir": _mkdir,
    "cp": _cp,
    "mv": _mv,
    "rm": _rm,
    "chmod": _chmod,
    "chown": _chown,
    "install": _install,
    "tee": _tee,
    "touch": _touch,
    "ls": _ls,
    "stat": _stat,
    "mktemp": _mktemp,
    "basename": _basename,
    "dirname": _dirname,
    "diff": _diff,
    "cmp": _diff,
    "sha256sum": _sha256sum,
}
