"""The hooks port: the team's own commands, run on the machine of the runner."""

from typing import Protocol

from readiness.model.run import StepResult
from readiness.model.steps import Hook


class Hooks(Protocol):
    """Runs commands. Never raises: a command that cannot be run has failed."""

    def run(self, hook: Hook) -> StepResult:
        """Run a command to its end, or to the end of its time."""
