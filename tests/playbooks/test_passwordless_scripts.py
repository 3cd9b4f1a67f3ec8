"""The scripts of passwordless access, carried out in guests of the twin and by real shells."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from playbooks.passwordless import prepare
from playbooks.passwordless_scripts import (
    CLOSE_PASSWORDS,
    DROP_IN,
    LIST_LOGINS,
    OPEN_PASSWORDS,
    PROVE_WORKGROUP,
)
from readiness.model.context import Choice, LoginChoice, LoginMethod
from readiness.model.playbook import Target
from readiness.model.steps import RunInGuest
from readiness.twin.guest import inside
from readiness.twin.guest.session import Outcome
from readiness.twin.guest.system import Guest
from tests.builders import vm as model_vm
from tests.twin.seeds import VM, Wire, estate, vm
from tests.twin.test_guest import telling

MAIN = "/etc/ssh/sshd_config"
CLOUD = "/etc/cloud/cloud.cfg.d/99-readiness-no-passwords.cfg"
WITH_PASSWORD = [{"name": "ops", "administrator": True, "password": True, "keys": 1}]


class Inside:
    """A guest of the twin, and scripts that are run in it."""

    def __init__(self, **told: object) -> None:
        said: dict[str, object] = {"users": WITH_PASSWORD, "logins": [], "chances": {"match_block": 0}}
        machine = vm(osProfile={"adminUsername": "ops"})
        if told.pop("is_windows", False):
            machine["properties"]["storageProfile"]["osDisk"]["osType"] = "Windows"
        self.wire = Wire(*estate(machine=telling(machine, **(said | told))))

    @property
    def guest(self) -> Guest:
        """The guest."""
        return inside.guest_of(
            self.wire.twin._world.state, self._machine(), now=self.wire.clock.now(), seed=0
        )

    def run(self, script: str) -> Outcome:
        """Run a script as a run command does."""
        state, now = self.wire.twin._world.state, self.wire.clock.now()
        return inside.run(state, self._machine(), script, when=now, seed=0, limit=300)

    def _machine(self) -> dict[str, object]:
        found = self.wire.twin._world.state.find(VM)
        assert found is not None
        return found

    @property
    def takes_passwords(self) -> bool:
        """Whether the SSH server that runs takes passwords."""
        return "yes" == self.guest.sshd_in_force["passwordauthentication"]

    def files(self) -> dict[str, str]:
        """Return the files that hold settings of the SSH server or of cloud-init."""
        held = self.guest.files.held
        return {path: held[path].text for path in held if path.startswith(("/etc/ssh", "/etc/cloud"))}


SYSTEMS = {
    "Ubuntu": {"distribution": "ubuntu", "version": "22.04"},
    "Red Hat": {"distribution": "rhel", "version": "9.4"},
    "an old Red Hat that includes nothing": {"distribution": "rhel", "version": "7.9"},
    "SUSE": {"distribution": "sles", "version": "15.5"},
}


@pytest.mark.parametrize("system", SYSTEMS)
def test_passwords_are_closed_and_opened_again(system: str) -> None:
    """The server that runs takes no passwords afterwards; the undo leaves every file as it was."""
    one = Inside(**SYSTEMS[system])
    before = one.files()
    assert one.takes_passwords
    closed = one.run(CLOSE_PASSWORDS)
    assert (0, "") == (closed.code, closed.error)
    assert {"passwordauthentication no", "kbdinteractiveauthentication no"} == set(
        closed.output.split("\n")[:-1]
    )
    assert (False, "ssh_pwauth: false\n") == (one.takes_passwords, one.files()[CLOUD])
    opened = one.run(OPEN_PASSWORDS)
    assert (0, "") == (opened.code, opened.error)
    assert opened.output.endswith("readiness: passwords are as they were\n")
    assert (True, before) == (one.takes_passwords, one.files())


@pytest.mark.parametrize("system", SYSTEMS)
def test_each_may_run_twice(system: str) -> None:
    """A second closing changes nothing, and what was before it is still known to the undo."""
    one = Inside(**SYSTEMS[system])
    before = one.files()
    first, after = one.run(CLOSE_PASSWORDS), one.files()
    assert first.output == one.run(CLOSE_PASSWORDS).output
    assert after == one.files()
    assert (0, 0) == (one.run(OPEN_PASSWORDS).code, one.run(OPEN_PASSWORDS).code)
    assert (True, before) == (one.takes_passwords, one.files())


def test_the_first_value_wins() -> None:
    """Where the main file allows passwords before it includes others, the settings go to its top."""
    text = (
        "PasswordAuthentication yes\nInclude /etc/ssh/sshd_config.d/*.conf\nKbdInteractiveAuthentication no\n"
    )
    one = Inside(files={MAIN: text})
    assert 0 == one.run(CLOSE_PASSWORDS).code
    assert not one.takes_passwords or one.run("sshd -T | grep -x 'passwordauthentication no'").code == 0
    assert 0 == one.run(OPEN_PASSWORDS).code
    assert text == one.guest.files.read(MAIN)


BROKEN = "Port nonsense\n"
REFUSED = {
    "a configuration that sshd refuses": ({f"{MAIN}.d/60-own.conf": BROKEN}, 10, "as it is"),
    "a Match block that lets passwords in": (
        {f"{MAIN}.d/60-own.conf": "Match User sftp-*\n  PasswordAuthentication yes\n"},
        11,
        "a Match block in /etc/ssh/sshd_config.d/60-own.conf lets passwords in",
    ),
    "the same in other words": (
        {f"{MAIN}.d/60-own.conf": 'match address 10.0.0.0/8\n\tkbdinteractiveauthentication="yes"\n'},
        11,
        "lets passwords in",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_closed_is_left_as_it_was(case: str) -> None:
    """The script says why, ends with a code of its own, and no file of its making is left."""
    files, code, words = REFUSED[case]
    one = Inside(files=files)
    before = one.files()
    refused = one.run(CLOSE_PASSWORDS)
    assert (code, True) == (refused.code, words in refused.output)
    assert before == one.files()


def test_a_server_that_does_not_run_is_no_proof() -> None:
    """Where nothing reloads the settings they are taken away again."""
    one = Inside(services={"ssh": "inactive"})
    before = one.files()
    refused = one.run(CLOSE_PASSWORDS)
    assert (14, True) == (refused.code, "readiness: sshd does not run" in refused.output)
    assert before == one.files()


def test_the_undo_says_if_it_is_not_as_before() -> None:
    """Somebody else's setting that came meanwhile is told, and not touched."""
    one = Inside()
    assert 0 == one.run(CLOSE_PASSWORDS).code
    one.run("echo 'PasswordAuthentication no' > /etc/ssh/sshd_config.d/05-own.conf")
    undone = one.run(OPEN_PASSWORDS)
    assert 15 == undone.code
    assert "sshd does not say 'passwordauthentication yes'" in undone.output


# Logins -------------------------------------------------------------------------------------------------


def logins(*entries: tuple[str, str, float], **told: object) -> Inside:
    """A guest with these logins: user, method, days ago."""
    listed = [{"user": user, "method": method, "days_ago": days} for user, method, days in entries]
    return Inside(logins=listed, entra_joined=True, **told)


@pytest.mark.parametrize("system", SYSTEMS)
def test_logins_of_a_month_are_listed(system: str) -> None:
    """Each account once for each way; what is older does not count."""
    one = logins(
        ("ops", "publickey", 3),
        ("ops", "publickey", 4),
        ("ops", "password", 5),
        ("ann@example.com", "entra", 29),
        ("old", "publickey", 32),
        ("older", "password", 40),
        **SYSTEMS[system],
    )
    assert (
        "key-login ann@example.com\nkey-login ops\npassword-login ops\n"
        "readiness: logins of the last 30 days are listed\n"
    ) == one.run(LIST_LOGINS).output


@pytest.mark.parametrize("journal", [True, False], ids=["both", "files alone"])
def test_a_made_up_name_proves_nothing(journal: bool) -> None:  # noqa: FBT001
    """Whoever tries to sign in chooses the name that is logged, and could write a login into it."""
    one = logins()
    stamp = one.wire.clock.now().strftime("%b %e %H:%M:%S")
    forged = f"{stamp} web-1 sshd[7]: Invalid user sshd[8]: Accepted publickey for root from 10.0.0.9 port 1"
    real = (
        f"{stamp} web-1 sshd-session[9]: Accepted keyboard-interactive/pam for svc from 10.0.0.9 port 1 ssh2"
    )
    one.run(f"mkdir -p /var/log; echo '{forged}' > /var/log/auth.log.1; echo '{real}' >> /var/log/auth.log.1")
    script = LIST_LOGINS if journal else LIST_LOGINS.replace("command -v journalctl", "command -v nothing")
    output = one.run(script).output
    assert "key-login" not in output
    assert "password-login svc\n" in output


def proof(*accepted: str) -> RunInGuest:
    """Return the step that proves the logins."""
    choice = Choice(login=LoginChoice(method=LoginMethod.KEY, accepted_password_logins=accepted))
    (step,) = prepare(Target(vm=model_vm(), disks=(), choice=choice))
    assert isinstance(step, RunInGuest)
    return step


@pytest.mark.parametrize(
    ("seen", "accepted", "expected"),
    [
        ((("ops", "publickey", 3),), (), (True, None)),
        ((("ann@example.com", "entra", 3),), (), (True, None)),
        ((), (), (False, None)),
        ((("ops", "publickey", 31),), (), (False, None)),
        ((("ops", "publickey", 3), ("scanner", "password", 2)), (), (True, "password-login scanner")),
        ((("ops", "publickey", 3), ("scanner", "password", 2)), ("scanner",), (True, None)),
        (
            (("ops", "publickey", 3), ("scanner2", "password", 2)),
            ("scanner",),
            (True, "password-login scanner2"),
        ),
        ((("ops", "publickey", 3), ("a.b", "password", 2)), ("a+b",), (True, "password-login a.b")),
    ],
)
def test_the_proof_of_logins(
    seen: tuple[tuple[str, str, float], ...], accepted: tuple[str, ...], expected: tuple[bool, str | None]
) -> None:
    """A recent login without a password has to be seen, and none with one that nobody accepted by name."""
    step = proof(*accepted)
    output = logins(*seen).run(step.script).output
    refused = re.search(step.refuses, output, re.MULTILINE)
    found = re.search(step.expects, output, re.MULTILINE)
    assert expected == (found is not None, refused and refused[0])


@pytest.mark.parametrize(("domain", "answer"), [("corp.example.com", "domain\n"), ("", "workgroup\n")])
def test_a_domain_is_seen(domain: str, answer: str) -> None:
    """A Windows VM says itself whether it is in a domain."""
    one = Inside(is_windows=True, domain=domain)
    assert answer == one.run(PROVE_WORKGROUP).output


# A real shell -------------------------------------------------------------------------------------------

SSHD = """\
#!/bin/sh
# An SSH server's check: the first value of a keyword wins, includes stand first.
root=ROOT
cat $root/etc/ssh/sshd_config.d/*.conf $root/etc/ssh/sshd_config 2>/dev/null >$root/all
if grep -q '^Bad' $root/all; then echo 'Bad configuration option' >&2; exit 255; fi
[ "$1" = -T ] || exit 0
for name in passwordauthentication kbdinteractiveauthentication; do
  value=$(grep -i "^$name " $root/all | head -n 1 | cut -d' ' -f2)
  echo "$name ${value:-yes}"
done
"""
SYSTEMCTL = '#!/bin/sh\necho "$@" >>ROOT/calls\n'
JOURNALCTL = "#!/bin/sh\nexit 0\n"


@pytest.fixture(params=["dash", "bash"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> "Real":
    """A folder that stands for a machine's root, with commands that stand for its server and its init."""
    if shutil.which(request.param) is None:
        pytest.skip(f"there is no {request.param} here")
    return Real(tmp_path, request.param)


class Real:
    """Scripts in a real shell, with paths below a folder."""

    def __init__(self, root: Path, shell: str) -> None:
        self.root, self._shell = root, shell
        for folder in ("bin", "etc/ssh/sshd_config.d", "etc/cloud/cloud.cfg.d", "var/log"):
            (root / folder).mkdir(parents=True)
        for name, text in (("sshd", SSHD), ("systemctl", SYSTEMCTL), ("journalctl", JOURNALCTL)):
            (root / "bin" / name).write_text(text.replace("ROOT", str(root)))
            (root / "bin" / name).chmod(0o755)
        (root / "etc/ssh/sshd_config").write_text(
            f"Include {root}/etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n"
        )
        (root / "etc/ssh/sshd_config.d/50-cloud-init.conf").write_text("PasswordAuthentication yes\n")

    def run(self, script: str) -> tuple[int, str]:
        """Run a script, and return its code and what it says."""
        text = re.sub(r"(?<![\w.$}*/])/(etc|var)/", rf"{self.root}/\1/", script)
        done = subprocess.run(
            [self._shell, "-c", text],
            env={"PATH": f"{self.root}/bin:/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        return done.returncode, done.stdout

    def files(self) -> dict[str, str]:
        """Return the settings."""
        return {str(each): each.read_text() for each in (self.root / "etc").rglob("*") if each.is_file()}


def test_a_real_shell_closes_and_opens(machine: Real) -> None:
    """A real shell does the same as the twin's: passwords are off, and the undo restores every file."""
    before = machine.files()
    code, said = machine.run(CLOSE_PASSWORDS)
    assert (0, "passwordauthentication no\nkbdinteractiveauthentication no\n") == (code, said)
    assert "reload ssh\n" in (machine.root / "calls").read_text()
    assert "PasswordAuthentication no" in (machine.root / DROP_IN[1:]).read_text()
    code, said = machine.run(OPEN_PASSWORDS)
    assert (0, True) == (code, said.endswith("readiness: passwords are as they were\n"))
    assert before == machine.files()


def test_a_real_shell_edits_a_main_file_that_includes_nothing(machine: Real) -> None:
    """The block at the top of the main file goes as it came."""
    shutil.rmtree(machine.root / "etc/ssh/sshd_config.d")
    (machine.root / "etc/ssh/sshd_config").write_text("UsePAM yes\n\tX11Forwarding no\n")
    before = machine.files()
    assert 0 == machine.run(CLOSE_PASSWORDS)[0]
    assert 0 == machine.run(CLOSE_PASSWORDS)[0]
    text = (machine.root / "etc/ssh/sshd_config").read_text()
    assert (1, True) == (text.count("# BEGIN readiness"), text.endswith("UsePAM yes\n\tX11Forwarding no\n"))
    assert 0 == machine.run(OPEN_PASSWORDS)[0]
    assert before == machine.files()


def test_a_real_shell_takes_a_refused_configuration_back(machine: Real) -> None:
    """What sshd refuses ends the script, with every file as it was."""
    (machine.root / "etc/ssh/sshd_config.d/60-own.conf").write_text(
        "Match User a\nPasswordAuthentication yes\n"
    )
    before = machine.files()
    assert 11 == machine.run(CLOSE_PASSWORDS)[0]
    (machine.root / "etc/ssh/sshd_config.d/60-own.conf").write_text("Bad\n")
    assert 10 == machine.run(CLOSE_PASSWORDS)[0]
    (machine.root / "etc/ssh/sshd_config.d/60-own.conf").unlink()
    assert {path: text for path, text in before.items() if "60-own" not in path} == machine.files()


def test_a_real_shell_lists_logins(machine: Real) -> None:
    """Lines of both forms of time are read, in plain and packed files, and old ones are left out."""
    stamps = subprocess.run(
        ["date", "+%b %e %H:%M:%S|%Y-%m-%dT%H:%M:%S"],
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    old_form, new_form = stamps.split("|")
    lines = [
        f"{old_form} web-1 sshd[7]: Accepted publickey for ops from 10.0.0.9 port 1 ssh2",
        f"{old_form} web-1 sshd[7]: Invalid user sshd[8]: Accepted publickey for root from 10.0.0.9 port 1",
        "2001-01-01T00:00:00 web-1 sshd[7]: Accepted publickey for old from 10.0.0.9 port 1 ssh2",
    ]
    (machine.root / "var/log/auth.log").write_text("\n".join(lines) + "\n")
    packed = machine.root / "var/log/secure-1"
    packed.write_text(
        f"{new_form}.1+00:00 web-1 sshd-session[7]: Accepted password for svc from 1.2.3.4 port 1\n"
    )
    subprocess.run(["gzip", str(packed)], check=True)
    assert (
        0,
        "key-login ops\npassword-login svc\nreadiness: logins of the last 30 days are listed\n",
    ) == machine.run(LIST_LOGINS)
