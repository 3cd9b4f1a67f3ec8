"""How long each kind of step is assumed to take, in seconds, until live runs say better.

Assumed, not measured: generous readings of what operators report for ordinary VMs with managed disks.
Only live runs may calibrate them; a rehearsal only repeats what it was told.

Windows and reserves are reckoned with them, and the patience of a run is a multiple of them. A step names its
key in `duration`; one that changes what its kind takes belongs to a key of its own.
"""

ASSUMED_SECONDS: dict[str, int] = {
    "look": 5,
    "patch-vm": 45,
    "deallocate": 180,
    "snapshot": 60,
    "encrypt-disk": 60,
    "start": 180,
    "prove-health": 300,
    "extension": 120,
    "run-command": 90,
    "backup": 1800,
    "backup-policy": 120,
    "hook": 30,
}
"""By duration key of a step. A full snapshot can be used at once; its copy goes on behind."""

LOOK_SECONDS = 5 * ASSUMED_SECONDS["look"] + 2 * ASSUMED_SECONDS["patch-vm"]
"""What every campaign does around its work: its checks, its proof, and taking and releasing its lease."""

HEALTH_TIMEOUT = 900
"""Seconds after which a VM that has not answered counts as failed; booting may include disk checks."""
