"""Refuses to plan with a context that says of a VM whose it is twice, or names applications of no VM.

Every contradiction is told at once, with the place in `context.yaml` where each application stands.
"""

from pathlib import Path

from readiness.app.context_warnings import CONTEXT, may_speak_of_unread
from readiness.errors import EstateError
from readiness.model.estate import Estate
from readiness.planner.contradictions import Overlap, overlaps, unmatched
from readiness.store.context_file import application_places
from readiness.store.plain_text import read_text

_SHOWN = 20
_NARROW = "narrow one 'match', or write 'over: [{second}]' under {first}"
_MARK = "correct the 'match', remove the application, or write 'may_be_empty: true' under it"


def refuse_contradictions(folder: Path, estate: Estate) -> None:
    """Let a context pass in which every VM has at most one application, and every application a VM.

    An application that may mean a VM which was found and could not be read passes.

    Raises:
        EstateError: The context contradicts itself; both applications, their places and some VMs are named.
    """
    twice = overlaps(estate)
    matches = {entry.name: entry.match for entry in estate.context.applications}
    empty = [name for name in unmatched(estate) if not may_speak_of_unread(matches[name], estate)]
    if not (twice or empty):
        return
    places = application_places(read_text(folder / CONTEXT), CONTEXT)
    problems = [_twice(entry, places) for entry in twice] + [_empty(name, places) for name in empty]
    more = f"\n... and {len(problems) - _SHOWN} more." if len(problems) > _SHOWN else ""
    remedies = [_NARROW.format(first=twice[0].first, second=twice[0].second)] if twice else []
    remedies += [_MARK] if empty else []
    raise EstateError(
        problems[0],
        details="\n".join(problems[1:_SHOWN]) + more,
        remedy=f"Look at {CONTEXT}: {'; '.join(remedies)}.",
    )


def _twice(entry: Overlap, places: dict[str, str]) -> str:
    where = f"{places[entry.first]}, {places[entry.second]}"
    return f"{where}: {entry.sentence}, and nothing says whose they are."


def _empty(name: str, places: dict[str, str]) -> str:
    return f"{places[name]}: The application {name} matches no VM of the estate."
