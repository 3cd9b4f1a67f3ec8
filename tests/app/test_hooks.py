"""The team's own commands: run without a shell, ended in time, and what they say is kept short."""

import sys

import pytest

from readiness.app.hooks import ProcessHooks, ToldHooks
from readiness.model.steps import RunHook
from tests.engine import estates

VM = estates.plan().vms[0].id


def hook(*command: str, timeout: int = 20) -> RunHook:
    """Return a hook."""
    return RunHook(vm=VM, name="drain", command=command, timeout=timeout)


def python(program: str, *arguments: str, timeout: int = 20) -> RunHook:
    """Return a hook that is a Python program."""
    return hook(sys.executable, "-c", program, *arguments, timeout=timeout)


def test_a_hook_that_ends_well() -> None:
    """Exit code 0 goes on, and what was printed is evidence."""
    result = ProcessHooks().run(python("print('drained')"))
    assert (True, "drained") == (result.ok, result.evidence)


def test_a_hook_that_fails() -> None:
    """Any other exit code is a failure, with its last words from both streams."""
    result = ProcessHooks().run(python("import sys; print('x' * 9999); sys.exit('pool is unknown')"))
    assert (False, "HookFailed") == (result.ok, result.code)
    assert "exit code 1" in result.detail
    assert result.evidence.endswith("pool is unknown")
    assert len(result.evidence) <= 2000


@pytest.mark.parametrize("words", [("does-not-exist-anywhere",), ("/",), ("a\0b",)])
def test_a_hook_that_cannot_be_run(words: tuple[str, ...]) -> None:
    """A command that is not there is a failure like any other."""
    result = ProcessHooks().run(hook(*words))
    assert (False, "HookNotRun") == (result.ok, result.code)


def test_a_hook_that_hangs_is_ended() -> None:
    """What does not end in its time is ended, and counts as failed."""
    result = ProcessHooks().run(python("import time; time.sleep(60)", timeout=1))
    assert (False, "HookTimedOut") == (result.ok, result.code)


def test_no_shell_reads_it() -> None:
    """Names of VMs come from outside: nothing in them is ever a command."""
    result = ProcessHooks().run(python("import sys; print(sys.argv[1])", "$(id); `id` && id > /tmp/x"))
    assert "$(id); `id` && id > /tmp/x" == result.evidence


def test_a_hook_reads_nothing_from_the_terminal() -> None:
    """A command that asks a question gets no answer, instead of holding the window up."""
    result = ProcessHooks().run(python("input('Really? ')"))
    assert not result.ok


def test_a_rehearsal_only_tells() -> None:
    """In a rehearsal nothing is run on this machine."""
    result = ToldHooks().run(hook("rm", "-rf", "/nowhere"))
    assert (True, "would run rm -rf /nowhere") == (result.ok, result.detail)
