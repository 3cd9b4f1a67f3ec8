"""Changes inside the guest: extensions, and scripts by managed run command that prove what they did."""

from typing import Any, ClassVar

from readiness.model.steps.kinds import COMPUTE, VM_OPERATION, PowerNeed, StepBase

_EXTENSION = (
    *VM_OPERATION,
    f"{COMPUTE}/virtualMachines/extensions/read",
    f"{COMPUTE}/virtualMachines/extensions/write",
    f"{COMPUTE}/virtualMachines/extensions/delete",
)
_RUN_COMMAND = (
    *VM_OPERATION,
    f"{COMPUTE}/virtualMachines/runCommands/read",
    f"{COMPUTE}/virtualMachines/runCommands/write",
    f"{COMPUTE}/virtualMachines/runCommands/delete",
)


class InstallExtension(StepBase, frozen=True, kw_only=True, tag="install-extension"):
    """Install an extension, and wait until it has succeeded; the same type under another name will do."""

    words: ClassVar[str] = "install the extension"
    power: ClassVar[PowerNeed] = PowerNeed.RUNNING
    duration: ClassVar[str] = "extension"
    actions: ClassVar[tuple[str, ...]] = _EXTENSION

    name: str
    publisher: str
    kind: str
    """The extension's type, as its publisher calls it."""
    version: str
    """`typeHandlerVersion`: major and minor."""
    settings: dict[str, Any] = {}  # noqa: RUF012  a Struct copies it


class RemoveExtension(StepBase, frozen=True, kw_only=True, tag="remove-extension"):
    """Delete an extension that bears the plan's mark; any other one is kept, and that is no failure."""

    words: ClassVar[str] = "remove the extension"
    power: ClassVar[PowerNeed] = PowerNeed.RUNNING
    duration: ClassVar[str] = "extension"
    actions: ClassVar[tuple[str, ...]] = _EXTENSION

    name: str


class RunInGuest(StepBase, frozen=True, kw_only=True, tag="run-in-guest"):
    """Run a script in the guest by a managed run command, and hold its output against what is expected.

    What decides is the instance view: `executionState`, the exit code, and the output. The command's resource
    is deleted once its answer was read. The script has to be idempotent: it may be run twice where the first
    answer was lost. On Linux root's `sh` runs it, on Windows PowerShell.
    """

    words: ClassVar[str] = "in the guest:"
    power: ClassVar[PowerNeed] = PowerNeed.RUNNING
    duration: ClassVar[str] = "run-command"
    actions: ClassVar[tuple[str, ...]] = _RUN_COMMAND

    name: str
    """What it does, in a few words with hyphens; part of the command's resource name."""
    script: str
    expects: str = ""
    """Regular expression that has to be found in the standard output, lines apart."""
    refuses: str = ""
    """Regular expression that must not be found, on either stream; what it finds is told.

    Where Azure cut the output, it cannot be proven absent, and the step fails.
    """
    timeout: int = 300
    """Seconds after which the command is ended."""


class AskGuest(RunInGuest, frozen=True, kw_only=True, tag="ask-guest"):
    """The same only to tell: a script that changes nothing, and whose failure changes nothing."""

    words: ClassVar[str] = "ask the guest:"
    courtesy: ClassVar[bool] = True


GuestChange = InstallExtension | RemoveExtension | RunInGuest | AskGuest
