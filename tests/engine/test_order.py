"""Across a wave, providers go before consumers, and peers are never away together."""

from pathlib import Path

import pytest

from readiness.model.lifecycle import Stage
from readiness.model.plan import Wave
from tests.engine.estates import plan
from tests.engine.rig import Rig


def outages(rig: Rig) -> dict[str, tuple[float, float]]:
    """Return for each VM when it was taken down and when it was started again, in seconds."""
    found: dict[str, tuple[float, float]] = {}
    for exchange in rig.twin.log:
        name, _, verb = exchange.path.rsplit("/", 2)[-2], "", exchange.path.rsplit("/", 1)[-1]
        if verb == "deallocate":
            found[name] = (exchange.at.timestamp(), float("inf"))
        elif verb == "start":
            found[name] = (found[name][0], exchange.at.timestamp())
    return found


@pytest.fixture(scope="module")
def storefront(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    """Return the twin after the wave of the Storefront."""
    wave: Wave = plan().waves[1]
    rig = Rig(tmp_path_factory.mktemp("run"), wave, after=Stage.PREPARATION)
    rig.process()
    return rig


def test_providers_are_back_before_consumers_go(storefront: Rig) -> None:
    """No VM is taken down before those it needs were started again."""
    away = outages(storefront)
    early = [
        (edge.after.name, edge.before.name)
        for edge in plan().order
        if edge.after.name in away and edge.before.name in away
        if away[edge.after.name][0] < away[edge.before.name][1]
    ]
    assert [] == early
    assert away["sf-sql-01"][1] < away["sf-app-01"][0] < away["sf-web-01"][0]


def test_peers_are_never_away_together(storefront: Rig) -> None:
    """The web servers of one availability set are taken down one after the other."""
    away = outages(storefront)
    (down1, up1), (down2, up2) = away["sf-web-01"], away["sf-web-02"]
    assert up1 < down2 or up2 < down1


def test_a_wave_stays_in_its_window(storefront: Rig) -> None:
    """Nothing is written before the window opens, and everything is up again before it closes."""
    occurrence = plan().waves[1].vms[0].occurrence
    first, last = storefront.twin.log[0].at, storefront.twin.log[-1].at
    assert occurrence.opens <= first
    assert last <= occurrence.closes


def test_a_run_that_comes_too_late_starts_nothing(tmp_path: Path) -> None:
    """When the rest of the window does not hold the change and the way back, the wave is held."""
    rig = Rig(tmp_path, plan().waves[1], after=Stage.PREPARATION)
    rig.clock.skip_to(plan().waves[1].vms[0].occurrence.closes)
    state = rig.process()
    assert "window" in str(state.held)
    assert [] == rig.twin.log
