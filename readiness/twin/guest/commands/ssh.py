"""The SSH server's own check of its configuration, and the records of who came in."""

import re
from datetime import datetime, timedelta

from readiness.twin.guest import sshd
from readiness.twin.guest.shell.process import CommandCode, Process
from readiness.twin.guest.system import Login

_BROKEN = 255
_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604_800, "month": 2_592_000}


def _sshd(process: Process) -> int:
    args, connection = list(process.args), None
    letters = ""
    while args:
        word = args.pop(0)
        if word == "-C":
            pairs = (each.partition("=") for each in args.pop(0).split(","))
            connection = {name: value for name, _, value in pairs} | (connection or {})
        elif word.startswith("-C"):
            connection = {name: value for name, _, value in [word[2:].partition("=")]}
        elif word.startswith("-"):
            letters += word[1:]
        else:
            return process.fail(f"Extra argument {word}.", 1)
    if not set(letters) & {"t", "T"}:
        return process.fail("the guest knows 'sshd -t' and 'sshd -T' only")
    reading = sshd.read(process.files, connection)
    for line in reading.errors:
        process.err.write(line + "\n")
    if not reading.is_valid:
        return _BROKEN
    return process.say(*(reading.lines() if "T" in letters else ()))


def journal_line(login: Login, host: str) -> str:
    """Return what the SSH server writes when somebody comes in."""
    way = "password" if login.method == "password" else "publickey"
    port = 40_000 + int(login.when.timestamp()) % 20_000
    end = "ssh2"
    if login.method == "publickey":
        end = "ssh2: ED25519 SHA256:tw1nK3yFingerprint"
    elif login.method == "entra":
        end = f"ssh2: RSA-CERT SHA256:tw1nC3rtificate ID {login.user} (serial 0) CA RSA SHA256:tw1nAuthority"
    pid = 1000 + port % 9000
    return (
        f"{login.when:%b %e %H:%M:%S} {host} sshd[{pid}]: Accepted {way} for {login.user} from "
        f"{login.source} port {port} {end}"
    )


_LONG = {"--unit": "-u", "_COMM": "-u", "-t": "-u", "--since": "-S", "--lines": "-n", "--output": "-o"}
_LONG["--grep"] = "-g"


def _journalctl(process: Process) -> int:
    args, given = list(process.args), {"-S": "", "-n": "0", "-o": "short", "-g": ""}
    units: list[str] = []
    while args:
        name, has_value, value = args.pop(0).partition("=")
        name = _LONG.get(name, name)
        if name in given or name == "-u":
            value = value if has_value else args.pop(0)
            if name == "-u":
                units.append(value.removesuffix(".service"))
            given[name] = value
    if units and not set(units) & {"ssh", "sshd"}:
        return process.say("-- No entries --")
    start = _since(process.session.now, given["-S"])
    if start is None:
        return process.fail(f"Failed to parse timestamp: {given['-S']}")
    logins = sorted(process.guest.seen_logins(process.session.now), key=lambda each: each.when)
    lines = [journal_line(each, process.guest.host_name) for each in logins if each.when >= start]
    lines = [each for each in lines if re.search(given["-g"], each)]
    if given["-o"] == "cat":
        lines = [each.partition("]: ")[2] for each in lines]
    return process.say(*(lines[-int(given["-n"]) :] or ["-- No entries --"]))


def _since(now: datetime, text: str) -> datetime | None:
    """Read a time as journalctl takes it: `30 days ago`, `-30d`, `yesterday`, or a date."""
    if not text:
        return now - timedelta(days=3650)
    if text in ("today", "yesterday"):
        start = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return start if text == "today" else start - timedelta(days=1)
    found = re.fullmatch(r"-?(\d+) ?([a-z]+)(?: ago)?", text)
    if found is not None:
        unit = next(
            (seconds for name, seconds in _UNITS.items() if name.startswith(found[2].rstrip("s"))), None
        )
        return None if unit is None else now - timedelta(seconds=int(found[1]) * unit)
    try:
        return datetime.fromisoformat(text).replace(tzinfo=now.tzinfo)
    except ValueError:
        return None


def _last(process: Process) -> int:
    args = process.args
    asked = [
        each for index, each in enumerate(args) if each[0] not in "-" and args[index - 1 : index] != ["-n"]
    ]
    count = next((int(args[index + 1]) for index, each in enumerate(args[:-1]) if each == "-n"), 0)
    count = count or next((int(each.lstrip("-n")) for each in args if re.fullmatch(r"-n?\d+", each)), 0)
    is_full = "-F" in args
    seen = [
        each for each in process.guest.seen_logins(process.session.now) if not asked or each.user in asked
    ]
    for login in seen[: count or None]:
        left = login.when + timedelta(minutes=19)
        form = "%a %b %e %H:%M:%S %Y" if is_full else "%a %b %e %H:%M"
        process.say(
            f"{login.user[:8]:8} pts/0        {login.source:16} {login.when:{form}} - "
            f"{left:{'%a %b %e %H:%M:%S %Y' if is_full else '%H:%M'}}  (00:19)"
        )
    first = process.guest.booted - timedelta(days=90)
    return process.say("", f"wtmp begins {first:%a %b %e %H:%M:%S %Y}")


def _lastlog(process: Process) -> int:
    process.say("Username         Port     From             Latest")
    seen = process.guest.seen_logins(process.session.now)
    for user in ("root", *process.guest.users):
        login = next((each for each in seen if each.user == user), None)
        end = "                          **Never logged in**"
        if login is not None:
            end = f"pts/0    {login.source:16} {login.when:%a %b %e %H:%M:%S +0000 %Y}"
        process.say(f"{user:16} {end}")
    return 0


COMMANDS: dict[str, CommandCode] = {
    "sshd": _sshd,
    "journalctl": _journalctl,
    "last": _last,
    "lastlog": _lastlog,
}
