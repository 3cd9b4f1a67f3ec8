"""The team's own commands: run as processes of this machine, or only told of in a rehearsal."""

import subprocess

from readiness.azure.evidence import fit_to_keep
from readiness.model.run import StepResult
from readiness.model.steps import Hook


class ProcessHooks:
    """Runs each command as a process, without a shell, and ends it when its time is over."""

    def run(self, hook: Hook) -> StepResult:
        """Run a command; what it prints is shortened and kept as evidence."""
        try:
            done = subprocess.run(
                hook.command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=hook.timeout,
                check=False,
                text=True,
                errors="replace",
                # Ctrl-C is for the run: a command that it ended would block its VM.
                start_new_session=True,
            )
        except subprocess.TimeoutExpired:
            return StepResult(
                ok=False, code="HookTimedOut", detail=f"{hook.name} did not end in {hook.timeout} s"
            )
        except (OSError, ValueError) as error:
            return StepResult(ok=False, code="HookNotRun", detail=f"{hook.name} cannot be run: {error}")
        said = fit_to_keep(done.stdout.strip())
        if done.returncode != 0:
            detail = f"{hook.name} ended with exit code {done.returncode}"
            return StepResult(ok=False, code="HookFailed", detail=detail, evidence=said)
        return StepResult(ok=True, detail=f"{hook.name} ended well", evidence=said)


class ToldHooks:
    """Runs nothing: a rehearsal says what would be run."""

    def run(self, hook: Hook) -> StepResult:
        """Say what would be run."""
        return StepResult(ok=True, detail=f"would run {' '.join(hook.command)}")
