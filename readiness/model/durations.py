"""How long each kind of step is assumed to take, in seconds, until live runs say better.

Assumed, not measured: generous readings of what operators report for ordinary VMs with managed disks.
Only live runs may calibrate them; a rehearsal only repeats what it was told.
"""

ASSUMED_SECONDS: dict[str, int] = {
    "look": 5,
    "patch-vm": 45,
    "deallocate": 180,
    "snapshot": 60,
    "encrypt-disk": 60,
    "start": 180,
    "prove-health": 300,
}
"""By duration key of a step. A full snapshot can be used at once; its copy goes on behind."""

LOOK_SECONDS = 3 * ASSUMED_SECONDS["look"]
"""Comparing with the plan, recording the state from before, and proving the change: every campaign looks."""

HEALTH_TIMEOUT = 900
"""Seconds after which a VM that has not answered counts as failed; booting may include disk checks."""
