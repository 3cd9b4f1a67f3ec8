"""Commands that change text line by line: tr, and of awk and sed what administration asks most."""

import re
from dataclasses import dataclass, field

from readiness.twin.guest.commands.text import inputs_of, lines_of, pattern_of, unescaped
from readiness.twin.guest.shell.process import CommandCode, Process


def _tr(process: Process) -> int:
    given, rest = process.options("ds")
    sets = [_set_of(each) for each in rest]
    text = process.source.read()
    if "d" in given:
        text = "".join(each for each in text if each not in sets[0])
    elif len(sets) > 1:
        last = sets[1][-1:]
        table = {ord(each): sets[1][at] if at < len(sets[1]) else last for at, each in enumerate(sets[0])}
        text = text.translate(table)
    if "s" in given:
        text = re.sub(f"([{re.escape(sets[-1])}])\\1+", r"\1", text)
    process.out.write(text)
    return 0


def _set_of(text: str) -> str:
    text = text.replace("[:upper:]", "A-Z").replace("[:lower:]", "a-z").replace("[:space:]", r" \t\n")
    text = text.replace("[:digit:]", "0-9")
    return re.sub(
        r"([A-Za-z0-9])-([A-Za-z0-9])",
        lambda found: "".join(map(chr, range(ord(found[1]), ord(found[2]) + 1))),
        unescaped(text),
    )


_AWK = re.compile(
    r"\s*(?:NR\s*==\s*(\d+)|/((?:[^/\\]|\\.)*)/|\$(\d+)\s*(==|!=)\s*\"([^\"]*)\")?\s*(?:\{\s*print\s*(.*?)\s*;?\s*\})?\s*"
)


def _awk(process: Process) -> int:
    """`awk '[condition] {print fields}'`, with -F; anything more is a program it cannot read."""
    separator, rest, args = None, [], list(process.args)
    while args:
        word = args.pop(0)
        if word.startswith("-F"):
            separator = word[2:] or args.pop(0)
        else:
            rest.append(word)
    found = _AWK.fullmatch(rest[0]) if rest else None
    if found is None or not rest[0].strip():
        return process.fail("syntax error: the guest knows '[condition] {print fields}' only", 2)
    for _, text in inputs_of(process, rest[1:]):
        for number, line in enumerate(lines_of(text), start=1):
            fields = line.split(separator)
            if _awk_holds(found, number, line, fields):
                process.say(_awk_print(found[6], line, fields))
    return 0


def _awk_holds(found: re.Match[str], number: int, line: str, fields: list[str]) -> bool:
    if found[1]:
        return number == int(found[1])
    if found[2] is not None:
        return re.search(found[2], line) is not None
    if found[3]:
        return (_awk_field(f"${found[3]}", line, fields) == found[5]) is (found[4] == "==")
    return True


def _awk_print(what: str | None, line: str, fields: list[str]) -> str:
    if not what:
        return line
    shown = []
    for part in re.split(r"\s*,\s*", what):
        words = re.findall(r'"[^"]*"|\$\w+|NF|NR', part)
        shown.append("".join(_awk_field(each, line, fields) for each in words))
    return " ".join(shown)


def _awk_field(word: str, line: str, fields: list[str]) -> str:
    if word.startswith('"'):
        return word[1:-1]
    if word == "NF":
        return str(len(fields))
    index = len(fields) if word == "$NF" else int(word[1:]) if word[1:].isdigit() else 0
    if not index:
        return line
    return fields[index - 1] if index <= len(fields) else ""


_SED = re.compile(
    r"(?:/(?P<where>(?:[^/\\]|\\.)*)/(?:,(?:(?P<last>\$)|/(?P<until>(?:[^/\\]|\\.)*)/))?)?"
    r"(?:(?P<verb>[dp])|s(?P<mark>.)(?P<old>.*?)(?P=mark)(?P<new>.*?)(?P=mark)(?P<flags>[gIip]*))"
)


def _sed(process: Process) -> int:
    """`sed [-n] [-i] [-E] 's/a/b/g'` and `/a/d`, `/a/p`, with `/a/,/b/` or `/a/,$`; it can read no more."""
    scripts, paths, letters, args = [], [], "", list(process.args)
    while args:
        word = args.pop(0)
        if word == "-e":
            scripts.append(args.pop(0))
        elif word.startswith("-"):
            letters += word[1:]
        elif not scripts:
            scripts.append(word)
        else:
            paths.append(word)
    steps = [_SED.fullmatch(each.strip()) for script in scripts for each in script.split(";") if each.strip()]
    if not steps or None in steps:
        return process.fail(f"-e expression #1, char 1: unknown command: `{scripts[0] if scripts else ''}'")
    is_extended = "E" in letters or "r" in letters
    for name, text in inputs_of(process, paths):
        lines: list[str] = []
        edit = _Editor([each for each in steps if each], is_extended=is_extended, is_quiet="n" in letters)
        for line in lines_of(text):
            lines += edit.line(line)
        changed = "".join(f"{line}\n" for line in lines)
        if "i" in letters:
            process.files.write(process.path(name), changed)
        else:
            process.out.write(changed)
    return 0


@dataclass(slots=True)
class _Editor:
    """Carries the steps out on the lines of one file, and remembers which ranges are open."""

    steps: list[re.Match[str]]
    is_extended: bool
    is_quiet: bool
    ranges: set[int] = field(default_factory=set)
    """Positions of the steps whose range has begun and not ended."""

    def line(self, line: str) -> list[str]:
        """Return what becomes of a line."""
        extra: list[str] = []
        for position, step in enumerate(self.steps):
            if not self._speaks_of(position, step, line):
                continue
            if step["verb"] == "d":
                return extra
            if step["verb"] == "p":
                extra.append(line)
                continue
            flags = step["flags"].lower()
            new = re.sub(r"(?<!\\)&", r"\\g<0>", step["new"])
            count = 0 if "g" in flags else 1
            line = re.sub(self._read(step["old"]), new, line, count=count, flags=re.I if "i" in flags else 0)
        return extra if self.is_quiet else [*extra, line]

    def _speaks_of(self, position: int, step: re.Match[str], line: str) -> bool:
        where, until = step["where"], step["until"]
        if where is None:
            return True
        if position in self.ranges:
            if until is not None and re.search(self._read(until), line):
                self.ranges.discard(position)
            return True
        is_hit = re.search(self._read(where), line) is not None
        if is_hit and (until is not None or step["last"]):
            self.ranges.add(position)
        return is_hit

    def _read(self, pattern: str) -> str:
        return pattern_of(pattern, is_extended=self.is_extended, is_fixed=False)


COMMANDS: dict[str, CommandCode] = {"tr": _tr, "awk": _awk, "sed": _sed}
