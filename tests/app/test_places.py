"""Where a plan may be carried out: both the plan and whoever types have to say the same."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from msgspec.structs import replace

from readiness.app.estates import locate
from readiness.app.places import find_place
from readiness.app.plan import create_plan
from readiness.errors import UsageError, WrongTargetError
from readiness.model.plan import Plan, TargetKind
from readiness.store.artefacts import read_plan


@dataclass(frozen=True)
class Typed:
    """What an operator typed."""

    state: Path
    twin: str | None = None
    certificate: Path | None = None
    live: bool = False


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """The plan of the starter estate."""
    folder = tmp_path_factory.mktemp("plan")
    create_plan(locate("starter"), folder, date(2026, 11, 22))
    return read_plan(folder)


@pytest.mark.parametrize(("twin", "live"), [(None, False), ("https://127.0.0.1:9", True)])
def test_a_place_is_named_once(plan: Plan, tmp_path: Path, twin: str | None, *, live: bool) -> None:
    """Neither no place nor two places are guessed at."""
    with pytest.raises(UsageError, match="either --twin URL or --live"):
        find_place(plan, Typed(tmp_path, twin=twin, live=live))


def test_a_plan_of_an_invented_estate_never_runs_live(plan: Plan, tmp_path: Path) -> None:
    """A plan for a twin is refused before anybody is asked to log in."""
    with pytest.raises(WrongTargetError, match="made for a twin, not for Azure itself"):
        find_place(plan, Typed(tmp_path, live=True))


def test_a_plan_for_azure_never_runs_on_a_twin(plan: Plan, tmp_path: Path) -> None:
    """And the other way round."""
    meant = replace(plan, target=replace(plan.target, kind=TargetKind.LIVE))
    with pytest.raises(WrongTargetError, match="made for Azure itself, not for a twin"):
        find_place(meant, Typed(tmp_path, twin="https://127.0.0.1:9"))


def test_a_cloud_that_is_not_known_is_named(plan: Plan, tmp_path: Path) -> None:
    """A plan for a cloud of a later release says so, with those there are."""
    target = replace(plan.target, kind=TargetKind.LIVE, cloud="AzureMoon")
    with pytest.raises(WrongTargetError, match="AzureMoon") as caught:
        find_place(replace(plan, target=target), Typed(tmp_path, live=True))
    assert "AzureUSGovernment" in caught.value.remedy
