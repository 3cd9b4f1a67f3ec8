"""The configuration of the SSH server, read as sshd_config(5) has it.

The first value of a keyword wins; `Include` is read where it stands, its files in the order of their names;
what follows `Match` counts for connections it fits, and for nobody while no connection is asked about.
Guarantees: what sshd would refuse is refused with file and line, in its words. Of keywords that are known but
not listed here the values are not looked at.
"""

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from readiness.twin.guest.files import Files, absolute

MAIN = "/etc/ssh/sshd_config"
FOLDER = "/etc/ssh"
_DEEPEST = 16

_YES_NO = ("yes", "no")
_FLAGS: dict[str, tuple[str, tuple[str, ...]]] = {
    "usepam": ("no", _YES_NO),
    "permitrootlogin": (
        "prohibit-password",
        (*_YES_NO, "prohibit-password", "without-password", "forced-commands-only"),
    ),
    "ignorerhosts": ("yes", (*_YES_NO, "shosts-only")),
    "hostbasedauthentication": ("no", _YES_NO),
    "pubkeyauthentication": ("yes", _YES_NO),
    "kerberosauthentication": ("no", _YES_NO),
    "gssapiauthentication": ("no", _YES_NO),
    "passwordauthentication": ("yes", _YES_NO),
    "kbdinteractiveauthentication": ("yes", _YES_NO),
    "printmotd": ("yes", _YES_NO),
    "x11forwarding": ("no", _YES_NO),
    "permitemptypasswords": ("no", _YES_NO),
    "strictmodes": ("yes", _YES_NO),
    "usedns": ("no", _YES_NO),
    "allowtcpforwarding": ("yes", (*_YES_NO, "all", "local", "remote")),
    "allowagentforwarding": ("yes", _YES_NO),
}
_NUMBERS = {"port": "22", "logingracetime": "120", "maxauthtries": "6", "maxsessions": "10"}
_NUMBERS |= {"clientaliveinterval": "0", "clientalivecountmax": "3"}
_TEXTS = {
    "authorizedkeysfile": ".ssh/authorized_keys .ssh/authorized_keys2",
    "authorizedkeyscommand": "none",
    "authorizedkeyscommanduser": "none",
    "trustedusercakeys": "none",
    "authenticationmethods": "any",
    "loglevel": "INFO",
    "syslogfacility": "AUTH",
    "banner": "none",
}
_SHOWN_IF_SET = ("allowusers", "denyusers", "allowgroups", "denygroups", "acceptenv", "subsystem")
_ALSO_KNOWN = {
    *("addressfamily", "listenaddress", "hostkey", "hostkeyalgorithms"),
    *("ciphers", "macs", "kexalgorithms", "pubkeyacceptedalgorithms"),
    *("pubkeyacceptedkeytypes", "casignaturealgorithms", "rekeylimit"),
    *("maxstartups", "tcpkeepalive", "compression", "chrootdirectory"),
    *("forcecommand", "gatewayports", "permitopen", "permitlisten", "permittty"),
    *("permittunnel", "permituserenvironment", "permituserrc", "pidfile"),
    *("printlastlog", "setenv", "streamlocalbindmask"),
    *("streamlocalbindunlink", "versionaddendum", "x11displayoffset"),
    *("x11uselocalhost", "xauthlocation", "authorizedprincipalsfile"),
    *("authorizedprincipalscommand", "authorizedprincipalscommanduser"),
    *("kerberosorlocalpasswd", "kerberosticketcleanup"),
    *("gssapicleanupcredentials", "gssapikeyexchange"),
    *("gssapistrictacceptorcheck", "disableforwarding", "exposeauthinfo"),
    *("fingerprinthash", "ignoreuserknownhosts", "ipqos", "hostcertificate"),
    *("revokedkeys", "requiredrsasize", "usersubsystem"),
    *("persourcemaxstartups", "useprivilegeseparation", "protocol"),
    *("debianbanner", "channeltimeout", "unusedconnectiontimeout"),
    *("refuseconnection"),
}
_ALIASES = {
    "challengeresponseauthentication": "kbdinteractiveauthentication",
    "skeyauthentication": "kbdinteractiveauthentication",
    "dsaauthentication": "pubkeyauthentication",
}
_NEVER_IN_MATCH = {"usepam", "port", "usedns", "strictmodes", "printmotd", "logingracetime", "hostkey"}
_LIST = set(_SHOWN_IF_SET)


@dataclass(slots=True)
class Reading:
    """What reading the configuration came to."""

    values: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)
    bad_options: list[str] = field(default_factory=list)
    """Lines about keywords that there are not: sshd names them all before it ends."""
    refusal: str = ""
    """What ended the reading at once."""

    @property
    def is_valid(self) -> bool:
        """Tell whether sshd would start with it."""
        return not self.bad_options and not self.refusal

    @property
    def errors(self) -> list[str]:
        """Return what sshd says of it."""
        if self.refusal:
            return [*self.bad_options, self.refusal]
        if self.bad_options:
            count = len(self.bad_options)
            return [*self.bad_options, f"{MAIN}: terminating, {count} bad configuration options"]
        return []

    def settings(self) -> dict[str, str]:
        """Return every setting that counts, by its keyword in lower case."""
        usual = {name: default for name, (default, _) in _FLAGS.items()} | _NUMBERS | _TEXTS
        found = usual | {name: value for name, value in self.values.items() if name in usual}
        if found["permitrootlogin"] == "prohibit-password":
            found["permitrootlogin"] = "without-password"  # as `sshd -T` has always shown it
        return found

    def lines(self) -> list[str]:
        """Return what `sshd -T` shows."""
        shown = [f"{name} {value}" for name, value in self.settings().items()]
        return shown + [f"{name} {value}" for name in _SHOWN_IF_SET for value in self.lists.get(name, ())]


def read(files: Files, connection: dict[str, str] | None = None) -> Reading:
    """Read the configuration; a connection is what `-C` says of it: user, host, addr."""
    reading = Reading()
    if not files.is_file(MAIN):
        reading.refusal = f"{MAIN}: No such file or directory"
        return reading
    _Reader(files, reading, connection).file(MAIN, is_counted=True, in_match=False, depth=0)
    return reading


class _Reader:
    def __init__(self, files: Files, reading: Reading, connection: dict[str, str] | None) -> None:
        self._files, self._reading, self._connection = files, reading, connection

    def file(self, path: str, *, is_counted: bool, in_match: bool, depth: int) -> None:
        """Read a file; what a Match in it says ends with the file."""
        for number, line in enumerate(self._files.read(path).split("\n"), start=1):
            words = _words(line)
            if not words or self._reading.refusal:
                continue
            keyword, args = words[0].lower(), words[1:]
            if keyword == "match":
                in_match, is_counted = True, self._fits(args, f"{path} line {number}")
            elif keyword == "include":
                self._include(args, f"{path} line {number}", is_counted, in_match, depth)
            else:
                self._set(path, number, words, is_counted=is_counted, in_match=in_match)

    def _include(self, args: list[str], place: str, is_counted: bool, in_match: bool, depth: int) -> None:  # noqa: FBT001
        if not args:
            self._reading.refusal = f"{place}: Include missing filename argument"
        if depth >= _DEEPEST:
            self._reading.refusal = "Too many recursive configuration includes"
            return
        for pattern in args:
            for found in self._files.matching(absolute(pattern, FOLDER)):
                if self._files.is_file(found):
                    self.file(found, is_counted=is_counted, in_match=in_match, depth=depth + 1)

    def _set(self, path: str, number: int, words: list[str], *, is_counted: bool, in_match: bool) -> None:
        keyword = _ALIASES.get(words[0].lower(), words[0].lower())
        known = keyword in _FLAGS or keyword in _NUMBERS or keyword in _TEXTS or keyword in _LIST
        if not known and keyword not in _ALSO_KNOWN:
            self._reading.bad_options.append(
                f"{path}: line {number}: Bad configuration option: {words[0].lower()}"
            )
            return
        refusal = _refusal(keyword, words, in_match=in_match)
        if refusal:
            self._reading.refusal = f"{path} line {number}: {refusal}"
        elif is_counted and keyword in _LIST:
            self._reading.lists.setdefault(keyword, []).append(" ".join(words[1:]))
        elif is_counted:
            self._reading.values.setdefault(keyword, " ".join(words[1:]))

    def _fits(self, args: list[str], place: str) -> bool:
        if not args:
            self._reading.refusal = f"{place}: missing argument."
            return False
        if args[0].lower() == "all":
            return True
        if len(args) % 2:
            self._reading.refusal = f"Missing Match criteria for {args[-1]}"
            return False
        asked = self._connection
        pairs = zip(args[::2], args[1::2], strict=True)
        return asked is not None and all(_criterion(name.lower(), value, asked) for name, value in pairs)


def _criterion(name: str, patterns: str, connection: dict[str, str]) -> bool:
    key = {"address": "addr", "localport": "lport", "localaddress": "laddr"}.get(name, name)
    value = connection.get(key)
    if value is None:
        return False
    listed = patterns.split(",")
    if any(each.startswith("!") and fnmatchcase(value, each[1:]) for each in listed):
        return False
    return any(fnmatchcase(value, each) for each in listed if not each.startswith("!"))


def _refusal(keyword: str, words: list[str], *, in_match: bool) -> str:
    if len(words) == 1:
        return "missing argument."
    value = words[1]
    if in_match and keyword in _NEVER_IN_MATCH:
        return f"Directive '{words[0]}' is not allowed within a Match block"
    if keyword in _FLAGS and value.lower() not in _FLAGS[keyword][1]:
        return f'unsupported option "{value}".'
    if keyword in _NUMBERS and not re.fullmatch(r"\d+[smhdw]?", value):
        return "Badly formatted port number." if keyword == "port" else "invalid time value."
    if keyword in _FLAGS and len(words) > 2:  # noqa: PLR2004  a keyword and its one value
        return f"keyword {words[0]} extra arguments at end of line"
    return ""


def _words(line: str) -> list[str]:
    """Take a line apart: quotes hold words together, `=` may follow the keyword, `#` begins a comment."""
    plain = re.sub(r"^(\s*\w+)\s*=\s*", r"\1 ", line.strip())
    words = []
    for found in re.finditer(r'"([^"]*)"|(\S+)', plain):
        word = found[1] if found[2] is None else found[2]
        if found[2] is not None and word.startswith("#"):
            break
        words.append(word)
    return words
