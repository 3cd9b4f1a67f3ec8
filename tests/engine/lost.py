"""Machines that are lost with their state folder, and others that rebuild a run's journal from its marks."""

import shutil
from contextlib import closing

import pytest
from msgspec.structs import replace

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.app.rebuilding import Stands
from readiness.app.recovering import look_for, rebuild_all
from readiness.app.stages import part_of
from readiness.engine.state import campaign_of
from readiness.model.execution import Execution
from readiness.model.lifecycle import Stage
from readiness.model.plan import DIGEST_LENGTH
from readiness.store.journal import SqliteJournal
from tests.engine.rig import Fuse, KilledError, Rig, info_for


def lose(rig: Rig, moment: int, stage: Stage) -> None:
    """Kill a process at a moment, and take everything that it knew with it."""
    with pytest.raises(KilledError):
        rig.process(Fuse(moment), stage)
    shutil.rmtree(rig.folder / stage)


def recovered(rig: Rig, stage: Stage) -> Stands | None:
    """Rebuild the journal of the one VM or group of a rig; return where it stands, None without a trace."""
    info, wave = info_for(rig.wave, stage), part_of(rig.wave, stage)
    with rig.cloud() as cloud:
        found = look_for(cloud._connection, info.plan[:DIGEST_LENGTH], wave, info.id, stage)
    assert {} == found.unreadable
    for trace in found.traces.values():
        instance = trace.lease.instance if trace.lease is not None else info.instance
        info = replace(info, started_at=trace.started, instance=instance)
    if not found.traces:
        return None
    with closing(SqliteJournal.open(rig.folder / stage, info)) as journal:
        limits = rig.execution or Execution()
        campaigns = [campaign_of(vm, ALL_PLAYBOOKS, info, limits) for vm in wave.vms]
        (stands,) = rebuild_all(journal, campaigns, found, None, rig.clock.now()).values()
    return stands


def marked(rig: Rig) -> list[str]:
    """Return the names of what still bears a mark of work under way."""
    marks = ("readiness-lease", "readiness-back", "readiness-rule-01")
    resources = rig.twin.resources()
    return [each["name"] for each in resources if any(mark in (each.get("tags") or {}) for mark in marks)]
