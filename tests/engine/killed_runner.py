"""A process that carries a stage of a wave out on a served twin, and kills itself with SIGKILL on the way.

    python -m tests.engine.killed_runner PLAN STATE URL CERTIFICATE WAVE STAGE MOMENT

It is what `readiness run` does, and dies before or after one write of the journal: the one with the number
MOMENT, where 0 is never. With `recover` as STAGE's prefix, as in `recover-outage`, it rebuilds the journal
first. READINESS_SECOND_STATE names a second state folder. Prints how many moments there were, and where every
VM stands, if it outlives them all.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from readiness.app.carrying import RunRequest, prepare_run
from readiness.app.recovering import recover
from readiness.errors import JournalError
from readiness.model.lifecycle import Stage
from readiness.store.artefacts import read_plan
from readiness.store.journal import SqliteJournal
from tests.engine.rig import Fuse, Watcher


def die() -> None:
    """Leave without any chance to tidy up."""
    os.kill(os.getpid(), signal.SIGKILL)


def fuse_journal(fuse: Fuse) -> None:
    """Pass a moment before and after every write of every journal of this process."""
    write = SqliteJournal._write

    def between(journal: SqliteJournal, statement: str, values: Any) -> None:
        fuse.burn()
        write(journal, statement, values)
        fuse.burn()

    SqliteJournal._write = between  # type: ignore[method-assign]


def main(words: list[str]) -> int:
    """Carry the stage out until the appointed moment."""
    plan, state, url, certificate, wave, stage, moment = words
    second = os.environ.get("READINESS_SECOND_STATE", "")
    request = RunRequest(
        plan=Path(plan),
        wave=int(wave),
        approve=read_plan(Path(plan)).digest,
        state=Path(state),
        twin=url,
        certificate=Path(certificate),
        stage=Stage(stage.removeprefix("recover-")),
        second_state=Path(second) if second else None,
    )
    fuse = Fuse(int(moment) or None, die)
    fuse_journal(fuse)
    if stage.startswith("recover-"):
        try:
            recover(request)
        except JournalError as error:
            print(error.brief, file=sys.stderr)  # noqa: T201
    run = prepare_run(request, Watcher())
    try:
        ended = run.execute()
    finally:
        run.close()
    stands = {unit.name: [unit.phase, unit.reason] for unit in ended.units}
    print(json.dumps({"moments": fuse.count, "held": ended.held, "vms": stands}))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
