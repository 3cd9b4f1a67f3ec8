"""Local accounts, the domain and the cluster a machine belongs to."""

from datetime import UTC, datetime

from readiness.twin.guest.shell.process import CommandCode, Process, not_found
from readiness.twin.guest.system import Account, Guest


def _id(process: Process) -> int:
    args = [each for each in process.args if not each.startswith("-")]
    letters = "".join(each[1:] for each in process.args if each.startswith("-"))
    name = args[0] if args else "root"
    user = process.guest.users.get(name)
    if user is None and name != "root":
        return process.fail(f"'{name}': no such user")
    number = user.number if user else 0
    if letters:
        return process.say(name if "n" in letters else str(number))
    groups = ",27(sudo)" if user and user.is_administrator else ""
    return process.say(f"uid={number}({name}) gid={number}({name}) groups={number}({name}){groups}")


def _whoami(process: Process) -> int:
    return process.say("root")


def passwd_lines(guest: Guest) -> list[str]:
    """Return the lines of /etc/passwd."""
    lines = ["root:x:0:0:root:/root:/bin/bash", "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin"]
    return lines + [
        f"{user.name}:x:{user.number}:{user.number}::{user.home}:{user.shell}"
        for user in guest.users.values()
    ]


def shadow_lines(guest: Guest) -> list[str]:
    """Return the lines of /etc/shadow; what stands for a hash is none."""
    lines = ["root:*:19000:0:99999:7:::", "daemon:*:19000:0:99999:7:::"]
    return lines + [f"{user.name}:{_hash(user)}:19000:0:99999:7:::" for user in guest.users.values()]


def _hash(user: Account) -> str:
    if not user.has_password:
        return "!"
    return "!$y$j9T$twin" if user.is_locked else "$y$j9T$twin"


def _getent(process: Process) -> int:
    table, names = (process.args[0], process.args[1:]) if process.args else ("", [])
    guest = process.guest
    lines = {"passwd": passwd_lines, "shadow": shadow_lines, "group": _group_lines}.get(table)
    if lines is None:
        return process.fail(f"Unknown database: {table}")
    found = [each for each in lines(guest) if not names or each.partition(":")[0] in names]
    process.say(*found)
    return 0 if found else 2


def _group_lines(guest: Guest) -> list[str]:
    administrators = ",".join(user.name for user in guest.users.values() if user.is_administrator)
    own = [f"{user.name}:x:{user.number}:" for user in guest.users.values()]
    return ["root:x:0:", f"{'wheel:x:10' if guest.is_red_hat else 'sudo:x:27'}:{administrators}", *own]


def _passwd(process: Process) -> int:
    given, rest = process.options("Sluda")
    names = list(process.guest.users) if "a" in given else rest
    for name in names:
        user = process.guest.users.get(name)
        if user is None:
            return process.fail(f"user '{name}' does not exist")
        if "S" in given:
            state = "L" if user.is_locked or not user.has_password else "P"
            process.say(f"{name} {state} {datetime(2025, 1, 1, tzinfo=UTC):%Y-%m-%d} 0 99999 7 -1")
        elif given:
            _set_lock(process, user, "l" if "l" in given else "u" if "u" in given else "d")
    return 0 if given else process.fail("Authentication token manipulation error", 10)


def _set_lock(process: Process, user: Account, letter: str) -> None:
    if letter == "d":
        user.has_password = False
    else:
        user.is_locked = letter == "l"
    write_accounts(process.guest)


def _usermod(process: Process) -> int:
    args, name, is_locked, shell, groups = list(process.args), "", None, "", ""
    while args:
        word = args.pop(0)
        match word:
            case "-L" | "--lock" | "-U" | "--unlock":
                is_locked = word in ("-L", "--lock")
            case "-s" | "--shell":
                shell = args.pop(0)
            case "-aG" | "-G":
                groups = args.pop(0)
            case _ if word.startswith("-"):
                return process.fail(f"invalid option -- '{word[1:]}'", 2)
            case _:
                name = word
    user = process.guest.users.get(name)
    if user is None:
        return process.fail(f"user '{name}' does not exist", 6)
    user.is_locked = user.is_locked if is_locked is None else is_locked
    user.shell = shell or user.shell
    user.is_administrator |= bool(set(groups.split(",")) & {"sudo", "wheel"})
    write_accounts(process.guest)
    return 0


def write_accounts(guest: Guest) -> None:
    """Let the files of accounts say what is true of them."""
    for path, lines, mode in (
        ("/etc/passwd", passwd_lines(guest), 0o644),
        ("/etc/group", _group_lines(guest), 0o644),
        ("/etc/shadow", shadow_lines(guest), 0o640),
    ):
        guest.files.plant(path, "\n".join(lines) + "\n", mode)


def _who(_process: Process) -> int:
    """Nobody is in while a script runs: sessions are not modelled."""
    return 0


def _realm(process: Process) -> int:
    domain = process.guest.domain
    if process.args[:1] == ["list"] and domain:
        process.say(
            domain,
            f"  realm-name: {domain.upper()}",
            f"  domain-name: {domain}",
            "  configured: kerberos-member",
        )
    return 0


def _pcs(process: Process) -> int:
    if not process.guest.cluster:
        return not_found(process)
    nodes = f"    * Online: [ {process.guest.host_name} ]"
    return process.say(f"Cluster name: {process.guest.cluster}", "", "Node List:", nodes)


COMMANDS: dict[str, CommandCode] = {
    "id": _id,
    "whoami": _whoami,
    "getent": _getent,
    "passwd": _passwd,
    "usermod": _usermod,
    "who": _who,
    "w": _who,
    "realm": _realm,
    "pcs": _pcs,
    "crm_mon": _pcs,
}
