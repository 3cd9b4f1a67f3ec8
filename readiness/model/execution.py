"""How waves are carried out: how many VMs at once, when a run stops by itself, and the team's commands."""

from msgspec import Struct


class HookCommand(Struct, frozen=True, kw_only=True):
    """A command of the team on the machine of the runner.

    `{vm}`, `{id}`, `{application}` and `{wave}` in its arguments stand for what it is run for.
    """

    name: str
    command: tuple[str, ...]
    """Program and arguments; no shell reads them."""
    timeout: int = 300
    """Seconds after which it is ended and counts as failed."""


class Hooks(Struct, frozen=True, kw_only=True):
    """Commands around waves and VMs. One that fails before them blocks; one after them is only told."""

    before_wave: tuple[HookCommand, ...] = ()
    after_wave: tuple[HookCommand, ...] = ()
    before_vm: tuple[HookCommand, ...] = ()
    after_vm: tuple[HookCommand, ...] = ()


class Execution(Struct, frozen=True, kw_only=True):
    """Limits of a run."""

    max_concurrency: int = 20
    """VMs under way at once."""
    max_per_subscription: int | None = 10
    max_per_region: int | None = None
    max_per_application: int | None = None
    failure_percent: float = 10.0
    """Of the VMs of a wave so many may fail, rounded down; one more stops the wave."""
    failure_count: int | None = None
    """The same as a number; where both are given, the smaller holds."""
    failure_minimum: int = 1
    """So many may always fail; 0 makes the first failure stop the wave."""
    same_reason: int = 3
    """So many failures for one reason stop the wave."""
    soak_minutes: int = 120
    """So long after its proof of health a VM is left alone before its logins are closed."""
    backup_max_age_hours: int = 72
    """A VM of Azure Backup goes down only with a recovery point that is no older."""
    hooks: Hooks = Hooks()

    def failures_allowed(self, size: int) -> int:
        """Return how many VMs of a wave of that size may fail before it stops."""
        share = int(size * self.failure_percent / 100)
        allowed = share if self.failure_count is None else min(share, self.failure_count)
        return max(allowed, self.failure_minimum)
