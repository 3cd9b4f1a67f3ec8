"""Judging in several processes, and JSON that comes in pieces: nobody can tell either from the result."""

import os
from datetime import date

import pytest

from readiness.app import judging
from readiness.app.assess import as_json, assess_scope
from readiness.app.estates import load, locate
from readiness.app.judging import judge_all
from readiness.model.codec import encode_pretty
from readiness.model.scope import parse_scope
from readiness.rules.evaluate import evaluate, judge

AS_OF = date(2026, 11, 2)


@pytest.fixture(scope="module")
def estate():
    """One estate for all tests: nothing changes it."""
    return load(locate("bank"))


@pytest.mark.parametrize("workers", [2, 3, 7, 1_000])
def test_any_number_of_workers_gives_the_same_assessment(estate, workers):
    """However the VMs are split among processes, the assessment is the same to the byte."""
    alone = evaluate(estate, as_of=AS_OF, release="x")
    together = evaluate(estate, as_of=AS_OF, release="x", judged=judge_all(estate, AS_OF, workers))
    assert encode_pretty(together) == encode_pretty(alone)


def test_the_share_of_a_worker_that_was_killed_is_judged_all_the_same(estate, monkeypatch):
    """A worker that dies (for want of memory, say) costs time and no result."""
    monkeypatch.setattr(judging, "_work", lambda *_: os._exit(137))
    assert judge_all(estate, AS_OF, 2) == judge(estate, AS_OF, estate.vms)


def test_json_in_pieces_is_the_json_of_the_whole(estate):
    """What is written VM by VM is what would have been written at once."""
    whole = evaluate(estate, as_of=AS_OF, release="x")
    assert b"".join(as_json(whole)) == encode_pretty(whole)


def test_json_of_a_scope_differs_by_the_scope_alone():
    """A scope is one more key at the end."""
    narrowed = assess_scope(locate("bank"), AS_OF, parse_scope(["name:*1"]))
    whole = encode_pretty(narrowed.assessment).removesuffix(b"\n}\n")
    found = b"".join(as_json(narrowed.assessment, narrowed.scope))
    assert found.startswith(whole + b',\n  "scope": {\n    "asked": [')
