"""Clocks that never go back, and seeds that say where they are broken."""

import json
from datetime import UTC, timedelta

import pytest

from readiness.twin.clock import ScaledClock, VirtualClock
from readiness.twin.seed import SeedError, load
from tests.twin.seeds import START, size, vm


def test_virtual_time_passes_only_on_request():
    """Virtual time stands still until somebody sleeps or skips, and never goes back."""
    clock = VirtualClock(START)
    assert START == clock.now()
    clock.sleep(90)
    assert START + timedelta(seconds=90) == clock.now()
    clock.skip_to(START)
    assert START + timedelta(seconds=90) == clock.now()
    clock.skip_to(START + timedelta(days=7))
    assert START + timedelta(days=7) == clock.now()


def test_scaled_time_passes_by_itself():
    """Scaled time runs ahead of the wall, can be skipped forward, and never goes back."""
    clock = ScaledClock(START, rate=10_000)
    clock.sleep(0.002)
    first = clock.now()
    assert first >= START + timedelta(seconds=20)
    clock.skip_to(START)
    assert clock.now() >= first
    clock.skip_to(START + timedelta(days=7))
    assert clock.now() >= START + timedelta(days=7)


@pytest.mark.parametrize(
    "make", [lambda: VirtualClock(START.replace(tzinfo=None)), lambda: ScaledClock(START, rate=0)]
)
def test_clocks_refuse_what_makes_no_time(make):
    """A start without a time zone and a rate of nothing are refused."""
    with pytest.raises(ValueError, match="give a"):
        make()


def test_moments_are_utc():
    """Whatever zone a clock is started in, it tells UTC."""
    assert UTC == VirtualClock(START.astimezone()).now().tzinfo


def test_a_seed_is_one_resource_a_line(tmp_path):
    """An estate's resources are read in order, blank lines and a byte order mark passed over."""
    lines = [json.dumps(vm()), "", json.dumps(size())]
    (tmp_path / "resources.jsonl").write_text("\ufeff" + "\n".join(lines), encoding="utf-8")
    assert [vm(), size()] == load(tmp_path)


@pytest.mark.parametrize(
    ("line", "message"),
    [("{", "not JSON"), ("[]", "a list, not an object"), ('{"name": "x"}', "no id")],
)
def test_a_broken_line_is_named(tmp_path, line, message):
    """A broken line is named by file and number."""
    file = tmp_path / "resources.jsonl"
    file.write_text(json.dumps(vm()) + "\n" + line)
    with pytest.raises(SeedError) as caught:
        load(tmp_path)
    assert str(caught.value).startswith(f"{file}, line 2: {message}")


def test_a_missing_seed_is_named(tmp_path):
    """A folder without a seed is named, with what to give instead."""
    with pytest.raises(SeedError, match="give an estate folder"):
        load(tmp_path)
