"""A process that carries a wave out on a served twin, and kills itself with SIGKILL at one journal write.

    python -m tests.engine.killed_runner FOLDER VM URL CERTIFICATE MOMENT

Prints how many moments there were if it outlives them all.
"""

import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.app.clocks import RemoteTwinClock
from readiness.app.endpoints import over_https
from readiness.azure.connect import Connection
from readiness.azure.perform import AzureCloud
from readiness.engine.run import Ports, WaveRun
from readiness.model.lifecycle import FINAL
from readiness.store.journal import SqliteJournal
from tests.engine.rig import Fuse, FusedJournal, Watcher, info_for, wave_of


def die() -> None:
    """Leave without any chance to tidy up."""
    os.kill(os.getpid(), signal.SIGKILL)


def main(folder: Path, vm: str, url: str, certificate: Path, moment: int) -> int:
    """Carry the wave out until the appointed moment."""
    wave = wave_of(vm)
    endpoint, trusted = over_https(url, certificate, folder)
    fuse = Fuse(moment or None, die)
    journal = SqliteJournal.open(folder, info_for(wave))
    connection = Connection(endpoint)
    with ThreadPoolExecutor(2) as executor:
        ports = Ports(
            cloud=AzureCloud(connection),
            journal=FusedJournal(journal, fuse),
            clock=RemoteTwinClock(url, trusted),
            observer=Watcher(),
            executor=executor,
        )
        state = WaveRun(journal.info(), wave, ALL_PLAYBOOKS, ports).execute()
    connection.close()
    journal.close()
    print(fuse.count)  # noqa: T201
    return 0 if state.units[0].phase in FINAL else 1


if __name__ == "__main__":
    arguments = sys.argv[1:]
    sys.exit(main(Path(arguments[0]), arguments[1], arguments[2], Path(arguments[3]), int(arguments[4])))
