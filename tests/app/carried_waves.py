"""Waves that were really carried out on a twin, with their journals in a state folder as runs leave them."""

from collections.abc import Iterator
from contextlib import contextmanager

from msgspec.structs import replace

from readiness.azure.perform import AzureCloud
from readiness.model.lifecycle import Stage
from readiness.model.plan import Wave
from readiness.store.artefacts import write_plan
from readiness.store.journal import SqliteJournal
from readiness.store.runs import folder_of, run_id
from tests.engine import estates
from tests.engine.rig import Rig, info_for

PLAN = estates.plan()


def run_of(wave: Wave, stage: Stage = Stage.OUTAGE) -> str:
    """Return the id of the run of a stage of a wave."""
    return run_id(PLAN, wave.number, stage)


class Carried(Rig):
    """A rig whose folder is a state folder, for waves of the tests' plan."""

    @contextmanager
    def _open(self, stage: Stage) -> Iterator[tuple[SqliteJournal, AzureCloud]]:
        info = replace(info_for(self.wave, stage), id=run_of(self.wave, stage), started_at=self.clock.now())
        folder = folder_of(self.folder, info.id)
        write_plan(folder, PLAN)
        journal = SqliteJournal.open(folder, info)
        try:
            with self.cloud() as cloud:
                yield journal, cloud
        finally:
            journal.close()
