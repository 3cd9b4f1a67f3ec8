"""Stages of campaigns that between them use every playbook, how each ends undisturbed, and what it leaves."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from readiness.model.lifecycle import Phase, Stage
from readiness.twin.core import Exchange
from tests.engine.rig import Fuse, Rig, Truth, wave_of

_PASSING = re.compile(
    r"(?i)etag|time|date|(created|updated)on$|^(tags|uniqueId|instanceView|provisioningState|principalId|lastRecoveryPoint)$"
)
"""Keys whose values tell of when and how often, not of what."""
_NAMED_BY_TIME = re.compile(r"/(restorepoints|recoverypoints|backupjobs)/")
"""Resources that Azure Backup names after the moment it made them."""


class Case(NamedTuple):
    """A stage of a VM's campaign, with what troubles it, and how it ends."""

    vm: str
    stage: Stage
    end: Phase = Phase.DONE
    faults: tuple[tuple[tuple[str, object], ...], ...] = ()

    def rig(self, folder: Path, more: Sequence[dict[str, object]] = ()) -> Rig:
        """Return a twin just before the stage, with the case's own trouble and more."""
        earlier = list(Stage)[: list(Stage).index(self.stage)]
        after = earlier[-1] if earlier else None
        return Rig(folder, wave_of(self.vm), [*(dict(fault) for fault in self.faults), *more], after=after)


def fault(kind: str, resource: str, **fields: object) -> tuple[tuple[str, object], ...]:
    """Return a scripted trouble of one resource."""
    return (("kind", kind), ("resource", resource), *fields.items())


SILENT = (fault("agent-silent", "sf-web-01", while_security_type="TrustedLaunch"),)
NO_BOOT = (fault("boot-fails", "sf-web-01"),)
UNDONE_TOO = (
    fault("agent-silent", "sf-app-01", while_security_type="TrustedLaunch"),
    fault("fail", "*sf-app-01*", operation="disks/write", nth=2, times=99, code="InternalError"),
)
CASES = (
    Case("bo-app-01", Stage.PREPARATION),
    Case("bo-app-01", Stage.OUTAGE),
    Case("bo-app-01", Stage.CLOSURE),
    Case("bo-nightly-01", Stage.PREPARATION),
    Case("bo-nightly-01", Stage.CLOSURE),
    Case("bo-app-02", Stage.OUTAGE, Phase.DONE_UNPROVEN_BOOT),
    Case("bo-appliance-01", Stage.OUTAGE, Phase.UNDECIDED),
    Case("sf-legacy-01", Stage.PREPARATION),
    Case("sf-legacy-01", Stage.OUTAGE),
    Case("sf-web-02", Stage.OUTAGE),
    Case("sf-web-01", Stage.OUTAGE, Phase.ROLLED_BACK, SILENT),
    Case("sf-web-01", Stage.OUTAGE, Phase.DONE, NO_BOOT),
    Case("sf-app-01", Stage.OUTAGE, Phase.STRANDED, UNDONE_TOO),
)
"""Every playbook in every stage, and every end that a crash could spoil."""


def lasting(value: Any) -> Any:
    """Return the part of a resource that tells what it is, without when it came to be so."""
    if isinstance(value, dict):
        return {key: lasting(part) for key, part in value.items() if not _PASSING.search(key)}
    return [lasting(part) for part in value] if isinstance(value, list) else value


def truth_of(rig: Rig) -> dict[str, Any]:
    """Return everything the twin holds once it has come to rest, as far as it lasts, and each VM's power."""
    rig.clock.sleep(3600)
    return resources_of(rig)


def resources_of(rig: Rig) -> dict[str, Any]:
    """Return what the twin holds now, as far as it lasts, and each VM's power."""
    every = {resource["id"].lower(): lasting(resource) for resource in rig.twin.resources()}
    found = {key: value for key, value in every.items() if not _NAMED_BY_TIME.search(key)}
    found["recovery points and jobs"] = len(every) - len(found)
    names = [vm.name for vm in rig.wave.vms]
    return found | {name: Truth(rig.twin.resources(), name).power for name in names}


class Quiet(NamedTuple):
    """An undisturbed run."""

    moments: int
    before: dict[str, Any]
    after: dict[str, Any]
    log: tuple[Exchange, ...]
    """The writes that the twin accepted."""


@cache
def undisturbed(case: Case) -> Quiet:
    """Carry a case out with nothing but its own trouble."""
    with TemporaryDirectory() as folder:
        rig, fuse = case.rig(Path(folder)), Fuse(None)
        before = resources_of(rig)
        state = rig.process(fuse, case.stage)
        assert case.end is state.units[0].phase, state.units[0].reason
        log = tuple(rig.twin.log)
        return Quiet(fuse.count, before, truth_of(rig), log)
