"""A journal that an earlier state of this release wrote stands where it stood."""

import sqlite3
from contextlib import closing
from pathlib import Path

from readiness.model.lifecycle import Phase
from tests.engine.lost import marked
from tests.engine.test_shared_group import CLOSED, Group


def test_a_journal_from_before_marks_is_what_it_was(tmp_path: Path) -> None:
    """A run that wrote its rules without a mark is done, and is taken back, as ever."""
    rig = Group(tmp_path)
    rig.run()
    with closing(sqlite3.connect(tmp_path / CLOSED / "journal.sqlite")) as journal:
        journal.execute("DELETE FROM step WHERE name LIKE '%-lease'")
        journal.commit()
    rig.twin.log.clear()
    assert (Phase.DONE, "") == rig.ends()
    assert [] == rig.twin.log
    assert [Phase.ROLLED_BACK] == [unit.phase for unit in rig.take_back().units]
    assert (rig.before, []) == (rig.rules(), marked(rig))
