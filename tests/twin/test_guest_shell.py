"""The shell of a Linux guest: scripts are read and carried out, whatever their text."""

from datetime import UTC, datetime

import pytest

from readiness.twin.guest.commands import COMMANDS
from readiness.twin.guest.session import Outcome, Session
from readiness.twin.guest.shell.interpreter import run_script
from readiness.twin.guest.system import Account, Disk, Guest, Service

NOW = datetime(2026, 11, 1, 20, 0, tzinfo=UTC)


def guest(distribution: str = "ubuntu") -> Guest:
    """A guest with an SSH server whose main file includes its folder."""
    made = Guest(
        family="linux",
        distribution=distribution,
        version="22.04",
        title="Ubuntu 22.04 LTS",
        kernel="6.8.0-azure",
        host_name="web-1",
        booted=NOW,
        disks=[Disk(device="sda", number=0, size_mb=30720, style="gpt", partitions=[])],
    )
    made.files.plant("/etc/ssh/sshd_config", "Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n")
    made.files.plant("/etc/ssh/sshd_config.d/50-cloud-init.conf", "PasswordAuthentication yes\n")
    made.files.make_folder("/tmp")  # noqa: S108  a folder of the guest
    made.users["ann"] = Account(name="ann", number=1000, home="/home/me", has_password=True)
    made.services[made.ssh_unit] = Service(name=made.ssh_unit, description="SSH")
    return made


def run(script: str, machine: Guest | None = None, *, limit: float = 60, **more: object) -> Outcome:
    """Carry a script out."""
    session = Session(guest=machine or guest(), began=NOW, limit=limit)
    return run_script(session, script, COMMANDS, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("script", "output"),
    [
        ("echo a 'b  c' \"d $((1 + 2))\"", "a b  c d 3\n"),
        ("x=1; y=$x$x; echo ${y} ${z:-none} ${#y}", "11 none 2\n"),
        ("x='a  b'; echo $x; echo \"$x\"", "a b\na  b\n"),
        ("false || echo or; true && echo and; ! false && echo not", "or\nand\nnot\n"),
        ("if [ -f /none ]; then echo yes; elif test 2 -gt 1; then echo two; else echo no; fi", "two\n"),
        ("for x in a b; do for y in 1 2; do echo $x$y; done; done | tail -n 2", "b1\nb2\n"),
        ("n=0; while [ $n -lt 9 ]; do n=$((n+1)); [ $n -eq 3 ] && break; done; echo $n", "3\n"),
        ("printf 'b\\na\\nb\\n' | sort -u | tr a-z A-Z | wc -l", "2\n"),
        ("cat <<EOF\nx=$((2*3))\nEOF\ncat <<'EOF'\n$x\nEOF", "x=6\n$x\n"),
        ("(cd /etc; pwd); pwd", "/etc\n/\n"),
        ("echo a:b:c | cut -d: -f2-; echo 'a b c' | awk '{print $3, $1}'", "b:c\nc a\n"),
        ("seq 6 | sed '/2/,/4/d'", "1\n5\n6\n"),
        ("seq 9 | sed -n '/8/,$p'", "8\n9\n"),
        ("printf '1\\n2\\n1\\n' | sed '/1/,/2/s/^/x/'", "x1\nx2\nx1\n"),
        ("date -u -d @86400 '+%b %e %Y-%m-%d'", "Jan  2 1970-01-02\n"),
        ("date -d 'next week' || echo no", "no\n"),
        ("echo keep > /tmp/f; echo more >> /tmp/f; sed -i 's/keep/kept/' /tmp/f; cat /tmp/f", "kept\nmore\n"),
        ("ls /etc/ssh/sshd_config.d/*.conf | head -1", "/etc/ssh/sshd_config.d/50-cloud-init.conf\n"),
        ("trap 'echo bye' EXIT; echo hi; exit 0", "hi\nbye\n"),
        ("printf 'a b\\nc d\\n' | while read -r x y; do echo $y; done", "b\nd\n"),
        ("echo err 1>&2; echo out", "out\n"),
        ("echo x > /tmp/y; install -m 600 /tmp/y /tmp/x; stat -c %a /tmp/x", "600\n"),
        ("v=/a/b.conf; echo ${v##*/} ${v%.conf}", "b.conf /a/b\n"),
    ],
)
def test_scripts_mean_what_posix_says(script, output):
    """Quotes, variables, conditions, loops, pipes, here-documents and redirections act as in any shell."""
    assert output == run(script).output


def test_what_is_not_known_is_not_found():
    """A command that is not modelled ends with 127 and its name, and a script goes on after it."""
    outcome = run("apt-get install x\necho $?")
    assert ("127\n", 0) == (outcome.output, outcome.code)
    assert outcome.error.endswith("apt-get: command not found\n")


@pytest.mark.parametrize(
    ("script", "code", "output"),
    [
        ("set -e; false; echo on", 1, ""),
        ("set -e; if false; then :; fi; false || true; echo on", 0, "on\n"),
        ("set -eu; echo $none; echo on", 2, ""),
        ("set -o pipefail", 2, ""),
        ("#!/bin/bash\nset -o pipefail\nfalse | true", 1, ""),
        ("exit 9", 9, ""),
        ("if true; then echo", 2, ""),
        ("echo 'open", 2, ""),
    ],
)
def test_scripts_end_as_posix_says(script, code, output):
    """`set -e`, `-u`, pipefail, exit and syntax errors end a script with their code."""
    outcome = run(script)
    assert (code, output) == (outcome.code, outcome.output)


def test_a_script_has_its_time_and_no_more():
    """A script that sleeps or turns in circles beyond its time is stopped, and keeps what it wrote."""
    late = run("echo a; sleep 90; echo b")
    assert (True, "a\n", 60) == (late.is_timed_out, late.output, late.seconds)
    assert run("while true; do :; done").is_timed_out


def test_the_first_value_wins():
    """A drop-in read before another one decides; `sshd -T` shows what counts (sshd_config(5))."""
    script = (
        "sshd -T | grep -i ^passwordauthentication\n"
        "printf 'PasswordAuthentication no\\n' > /etc/ssh/sshd_config.d/00-a.conf\n"
        "sshd -t && sshd -T | grep -i ^passwordauthentication"
    )
    assert "passwordauthentication yes\npasswordauthentication no\n" == run(script).output


def test_match_counts_only_where_it_fits():
    """What stands under Match is for the connections it names (sshd_config(5))."""
    machine = guest()
    machine.files.plant(
        "/etc/ssh/sshd_config",
        "PasswordAuthentication no\nMatch User sftp-*\n  PasswordAuthentication yes\n"
        "Match User vip\n  PermitRootLogin yes\n",
    )
    script = "sshd -T {} | grep -E '^(passwordauthentication|permitrootlogin)'"
    plain = "permitrootlogin without-password\npasswordauthentication no\n"
    assert plain == run(script.format(""), machine).output
    assert plain == run(script.format("-C user=sftp-a"), machine).output  # the first value wins here, too
    assert "permitrootlogin yes" in run(script.format("-C user=vip,host=h,addr=10.0.0.1"), machine).output


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("Bogus yes", "/etc/ssh/sshd_config.d/10-x.conf: line 1: Bad configuration option: bogus"),
        (
            "PasswordAuthentication maybe",
            '/etc/ssh/sshd_config.d/10-x.conf line 1: unsupported option "maybe".',
        ),
        ("PermitRootLogin", "/etc/ssh/sshd_config.d/10-x.conf line 1: missing argument."),
        ("Match all\nUsePAM no", "line 2: Directive 'UsePAM' is not allowed within a Match block"),
    ],
)
def test_broken_configuration_is_refused(line, words):
    """`sshd -t` names file and line, ends with 255, and a reload leaves the server as it was."""
    machine = guest()
    machine.files.plant("/etc/ssh/sshd_config.d/10-x.conf", f"{line}\n")
    outcome = run("sshd -t; echo $?; systemctl reload ssh || echo refused; systemctl is-active ssh", machine)
    assert "255\nrefused\nactive\n" == outcome.output
    assert words in outcome.error
    run("systemctl restart ssh", machine)
    assert "failed" == machine.services["ssh"].state


def test_red_hats_reload_does_not_look():
    """On Red Hat a reload is a signal: it succeeds, and a server with a broken configuration is gone."""
    machine = guest("rhel")
    machine.files.plant("/etc/ssh/sshd_config.d/10-x.conf", "Bogus yes\n")
    assert "0\nfailed\n" == run("systemctl reload sshd; echo $?; systemctl is-active sshd", machine).output


def test_what_is_in_force_is_what_was_loaded():
    """A file that was written and never loaded changes nothing that the server does."""
    machine = guest()
    run("systemctl restart ssh", machine)
    run("echo 'PasswordAuthentication no' > /etc/ssh/sshd_config.d/00-a.conf", machine)
    assert "yes" == machine.sshd_in_force["passwordauthentication"]
    run("systemctl reload ssh", machine)
    assert "no" == machine.sshd_in_force["passwordauthentication"]


def test_locked_accounts_stay_locked():
    """`passwd -l` locks an account, which `passwd -S` and /etc/shadow show."""
    machine = guest()
    script = "passwd -l ann; passwd -S ann | cut -d' ' -f2; getent shadow ann | cut -d: -f2 | cut -c1-1"
    assert run(script, machine).output.startswith("L\n!")
    assert 6 == run("usermod -L nobody-here", machine).code


def test_files_fail_as_files_do():
    """What is not there, or is a directory, is an error with the words of the system."""
    outcome = run("cat /none; rm /tmp; echo x > /none/f; mkdir /tmp; mv /none /tmp")
    assert 5 == len(outcome.error.splitlines())
    assert "cat: /none: No such file or directory" in outcome.error
    assert "rm: cannot remove '/tmp': Is a directory" in outcome.error
