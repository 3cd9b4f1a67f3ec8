"""The result of a run: a partition of its VMs, and commands that can be pasted as they are."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from msgspec.structs import replace

from readiness.app.next_steps import Words, next_steps, words_of
from readiness.app.run_result import OUTCOMES, Counts, outcome_of, run_result
from readiness.app.run_status import exit_of
from readiness.app.schemas import run_result_schema
from readiness.cli.main import readiness
from readiness.errors import Exit
from readiness.model.codec import encode
from readiness.model.lifecycle import FINAL, Phase, Stage
from readiness.model.run import RunState
from tests.app.synthetic_runs import INFO, run_with, unit
from tests.engine import estates

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "run-result.schema.json"
WORDS = Words(plan="out/june plan", place=INFO.way, state=("--state", "/var/runs"))


def result_of(state: RunState, **options: Any) -> dict[str, Any]:
    """Return the result of a run as it is written."""
    found: dict[str, Any] = json.loads(encode(run_result(estates.plan(), state, (), **options)))
    return found


def commands(state: RunState) -> list[str]:
    """Return the commands that are advised, without what follows their first words."""
    return [" ".join(shlex.split(each.command)[1:2]) for each in next_steps(state, WORDS)]


def test_counts_are_a_partition() -> None:
    """Whatever the VMs stand in, every one is counted once."""
    state = run_with(*Phase, *Phase, Phase.DONE)
    counts = result_of(state)["counts"]
    assert 2 * len(Phase) + 1 == sum(counts.values())
    assert 5 == counts["done"]
    assert set(Counts.__struct_fields__) == set(counts) == {outcome_of(each) for each in state.units}


def test_every_end_is_an_outcome() -> None:
    """No way a VM can end, nor a VM that waits for a person, is among those that remain."""
    assert FINAL | {Phase.UNDECIDED} == OUTCOMES.keys()


def test_the_result_keeps_its_schema() -> None:
    """The schema is made from the model, is current, and finds what is wrong."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    assert run_result_schema() == schema, "write docs/schemas/run-result.schema.json anew"
    Draft202012Validator.check_schema(schema)
    document = result_of(run_with(Phase.STRANDED, Phase.DONE), head="ab", words=WORDS)
    assert [] == list(Draft202012Validator(schema).iter_errors(document))
    wrong = document | {"counts": {"done": "many"}}
    assert [] != list(Draft202012Validator(schema).iter_errors(wrong))


@pytest.mark.parametrize(
    ("place", "durations"),
    [("live AzurePublic", "measured"), ("twin 1", "assumed"), ("rehearsal", "assumed")],
)
def test_only_azure_measures(place: str, durations: str) -> None:
    """Times of a twin or a rehearsal are called assumed."""
    state = run_with(Phase.DONE)
    assert durations == result_of(replace(state, info=replace(INFO, place=place)))["durations"]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (run_with(Phase.DONE, stage=Stage.PREPARATION), ["run"]),
        (run_with(Phase.DONE), ["close"]),
        (run_with(Phase.DONE, stage=Stage.CLOSURE), []),
        (run_with(), []),
        (run_with(Phase.ROLLED_BACK), ["retry"]),
        (run_with(Phase.DONE, Phase.WAITING), ["run"]),
        (run_with(Phase.WAITING, stage=Stage.PREPARATION), ["prepare"]),
        (run_with(Phase.CLOSING, stage=Stage.CLOSURE), ["close"]),
        (run_with(Phase.UNDECIDED, Phase.UNDECIDED), ["approve", "approve"]),
        (
            run_with(Phase.WAITING, Phase.BLOCKED, Phase.UNDECIDED, Phase.STRANDED),
            ["status", "approve", "retry", "run"],
        ),
    ],
)
def test_what_to_do_now(state: RunState, expected: list[str]) -> None:
    """What needs a person comes first; then what was not begun; then the next stage."""
    assert expected == commands(state)


def test_advice_can_be_pasted() -> None:
    """Each advised command is one that this release takes, whatever stands in its paths."""
    state = run_with(Phase.WAITING, Phase.BLOCKED, Phase.UNDECIDED, Phase.STRANDED)
    for stage in Stage:
        for advice in next_steps(replace(state, info=replace(INFO, stage=stage)), WORDS):
            name, *rest = shlex.split(advice.command)[1:]
            command = readiness.commands[name]
            context = command.make_context(name, rest, parent=readiness.make_context("readiness", [name]))
            assert Path("/var/runs") == context.params["state"]
            assert context.params.get("twin") in (None, "https://127.0.0.1:8443")
    assert 0 == CliRunner().invoke(readiness, ["--help"]).exit_code


def test_the_usual_state_folder_is_not_spelled_out(tmp_path: Path) -> None:
    """Commands stay short where nothing unusual was asked for."""
    assert () == words_of(INFO, Path(".readiness"), tmp_path).state
    assert ("--state", "elsewhere") == words_of(INFO, Path("elsewhere"), tmp_path).state


def test_a_rehearsal_advises_nothing() -> None:
    """A run that is not on record cannot be gone on with."""
    assert [] == result_of(run_with(Phase.UNDECIDED))["next"]


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ((), Exit.DONE),
        ((run_with(),), Exit.DONE),
        ((run_with(Phase.DONE, Phase.DONE_UNPROVEN_BOOT),), Exit.DONE),
        ((run_with(Phase.DONE, Phase.ROLLED_BACK),), Exit.SOME_ROLLED_BACK),
        ((run_with(Phase.WAITING, held="a stop"),), Exit.HELD),
        ((run_with(Phase.WAITING),), Exit.HELD),
        ((run_with(Phase.ROLLED_BACK, held="a stop"),), Exit.HELD),
        ((run_with(Phase.STRANDED, Phase.ROLLED_BACK, held="stranded"),), Exit.NEEDS_A_PERSON),
        ((run_with(Phase.BLOCKED),), Exit.NEEDS_A_PERSON),
        ((run_with(Phase.DECLINED, Phase.DONE),), Exit.NEEDS_A_PERSON),
        ((run_with(Phase.UNDECIDED),), Exit.NEEDS_A_PERSON),
        ((run_with(Phase.DONE), run_with(Phase.ROLLED_BACK)), Exit.SOME_ROLLED_BACK),
        ((run_with(Phase.STRANDED), run_with(Phase.DONE)), Exit.NEEDS_A_PERSON),
    ],
)
def test_the_worst_outcome_decides(states: tuple[RunState, ...], expected: Exit) -> None:
    """The exit code is that of the worst that happened to any VM of any stage."""
    assert expected is exit_of(*states)


def test_reasons_are_told() -> None:
    """Why a VM ended so stands beside it, or what has to be known although it is done."""
    state = replace(
        run_with(),
        units=(unit(1, Phase.BLOCKED, reason="why"), unit(2, Phase.DONE, note="Secure Boot is off")),
    )
    assert ["why", "Secure Boot is off"] == [vm["reason"] for vm in result_of(state)["vms"]]
