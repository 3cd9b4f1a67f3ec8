"""Applications that contradict one another: which pairs are told, and what makes their order plain."""

from typing import Any

import pytest

from readiness.model.context import Application, Context, Match, Owner
from readiness.planner.contradictions import overlaps, unmatched
from tests.builders import estate, vm

WEB, DB = vm(name="web-01", tags={"tier": "front"}), vm(name="db-01")


def application(name: str, match: Match, **more: Any) -> Application:
    """Return an application of those VMs."""
    return Application(name=name, owner=Owner(name="Ada"), match=match, **more)


def told(*applications: Application) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return the overlaps that these applications have in an estate of two VMs."""
    found = overlaps(estate(WEB, DB, context=Context(applications=applications)))
    return [(entry.first, entry.second, entry.vms) for entry in found]


FRONT = application("Front", Match(tags={"tier": "front"}))
GROUP = application("Group", Match(resource_groups=("rg-app",)))
BASE = application("Base", Match(names=("db-*",)))


def test_applications_with_vms_of_their_own_agree() -> None:
    """Where no VM is matched twice nothing is told."""
    assert [] == told(FRONT, BASE)


def test_every_pair_with_the_first_is_told_with_its_vms() -> None:
    """The first application is paired with each other one that matches its VMs, in the context's order."""
    assert [("Group", "Front", ("web-01",)), ("Group", "Base", ("db-01",))] == told(GROUP, FRONT, BASE)


def test_an_application_that_goes_over_another_has_its_vms() -> None:
    """`over` settles the pair it names, and no other."""
    over = application("Front", FRONT.match, over=("Group",))
    assert [] == told(over, GROUP)
    assert [("Front", "Web", ("web-01",))] == told(over, application("Web", Match(names=("web-*",))), GROUP)


@pytest.mark.parametrize("match", [Match(), Match(names=("*",))], ids=["empty", "star"])
def test_an_application_that_matches_everything_takes_the_rest(match: Match) -> None:
    """It stands last; further up, or beside another of its kind, it leaves nothing and contradicts."""
    rest = application("Rest", match)
    assert [] == told(FRONT, rest)
    assert [("Rest", "Front", ("web-01",))] == told(rest, FRONT)
    assert [("Rest", "All", ("web-01", "db-01"))] == told(rest, application("All", Match()))


def test_an_application_without_vms_is_named_unless_it_may_be_empty() -> None:
    """One whose VMs all belong to another matches them all the same."""
    ghost = application("Ghost", Match(names=("gone-*",)))
    found = estate(WEB, DB, context=Context(applications=(GROUP, FRONT, ghost)))
    assert ("Ghost",) == unmatched(found)
    marked = application("Ghost", ghost.match, may_be_empty=True)
    assert () == unmatched(estate(WEB, DB, context=Context(applications=(GROUP, marked))))
