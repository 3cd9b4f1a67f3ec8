"""A policy file says exactly what it means, or is refused with the place."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from readiness.errors import EstateError, UsageError
from readiness.model.context import Environment
from readiness.model.execution import Execution, HookCommand, Hooks
from readiness.model.policy import Limits, Policy
from readiness.store.policy_file import TEMPLATE, parse_policy, read_policy

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "policy.schema.json"


def test_the_first_policy_is_the_default() -> None:
    """What `plan policy --init` writes changes nothing until somebody changes it, and keeps its schema."""
    assert Policy() == parse_policy(TEMPLATE) == parse_policy("")
    jsonschema.validate(yaml.safe_load(TEMPLATE), json.loads(SCHEMA.read_text(encoding="utf-8")))


def test_limits_alone_are_a_policy() -> None:
    """Pilots, rings and windows can each be switched off."""
    read = parse_policy("limits: {max_vms_per_wave: 7}\npilot: false\nrings: false\nwindows: false\n")

    assert Policy(limits=Limits(max_vms_per_wave=7), pilot=None, rings=(), windows=False) == read


def test_how_waves_are_carried_out() -> None:
    """Limits of a run, budgets and the team's own commands stand in the policy, and so in the plan."""
    read = parse_policy("""
execution:
  max_concurrency: 5
  max_per_subscription: none
  failure_count: 0
  failure_minimum: 0
  hooks:
    before_vm:
      - {name: drain, command: [./pool, drain, "{vm}", '{"json": 1}'], timeout: 60}
""")
    drain = HookCommand(name="drain", command=("./pool", "drain", "{vm}", '{"json": 1}'), timeout=60)
    expected = Execution(
        max_concurrency=5,
        max_per_subscription=None,
        failure_count=0,
        failure_minimum=0,
        hooks=Hooks(before_vm=(drain,)),
    )

    assert Policy(execution=expected) == read


def test_rings_in_another_order() -> None:
    """People choose what goes first."""
    read = parse_policy("rings: [[test], [production, development]]")

    assert ((Environment.TEST,), (Environment.PRODUCTION, Environment.DEVELOPMENT)) == read.rings


@pytest.mark.parametrize(
    ("text", "place", "remedy"),
    [
        ("limits: {max_vm_per_wave: 3}", "policy.yaml:1:10", "max_vms_per_wave"),
        ("limits: {max_vms_per_wave: 0}", "policy.yaml:1:28", "Write such a number"),
        ("max_vms_per_batch: -1", "policy.yaml:1:20", "Write such a number"),
        ("lockout: 3", "policy.yaml:1:1", "lockout_minutes"),
        ("windows: no", "policy.yaml:1:10", "true or false"),
        ("rings: [[test], [test]]", "policy.yaml:1:18", "once"),
        ("pins:\n  - {match: {names: [a]}}", "policy.yaml:2:5", "wave"),
        ("pins:\n  - {match: {names: [a]}, exclude: true, wave: 2}", "policy.yaml:2:5", "Keep"),
        ("hubs:\n  - {match: {names: [a]}, handling: split}", "policy.yaml:2:37", "keep"),
        ("format: readiness/policy/9", "policy.yaml:1:9", "readiness/policy/1"),
        ("execution: {max_concurency: 3}", "policy.yaml:1:13", "max_concurrency"),
        ("execution: {max_concurrency: none}", "policy.yaml:1:30", "whole number"),
        ("execution: {failure_percent: 101}", "policy.yaml:1:30", "0 to 100"),
        ("execution: {hooks: {before: []}}", "policy.yaml:1:21", "before_vm"),
        ("execution: {hooks: {before_vm: [{name: a, command: []}]}}", "policy.yaml:1:52", "program"),
        ("execution: {hooks: {before_vm: [{name: a, command: ['{host}']}]}}", "policy.yaml:1:53", "{vm}"),
        ("execution: {hooks: {after_wave: [{name: a, command: ['{vm}']}]}}", "policy.yaml:1:54", "{wave}"),
        (
            "execution: {hooks: {before_vm: [{name: a, command: [x]}, {name: a, command: [y]}]}}",
            "policy.yaml:1:65",
            "its own name",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(text: str, place: str, remedy: str) -> None:
    """Each complaint names file, line and column, and what to do."""
    with pytest.raises(EstateError) as caught:
        parse_policy(text)

    assert caught.value.brief.startswith(f"{place}:")
    assert remedy in f"{caught.value.brief} {caught.value.remedy}"


def test_what_is_wrong_with_a_policy_is_wrong_with_the_command(tmp_path: Path) -> None:
    """A policy is given to a command and is no part of an estate: its errors are errors of usage."""
    file = tmp_path / "policy.yaml"
    with pytest.raises(UsageError, match="There is no policy"):
        read_policy(file)
    file.write_text("max_vm_per_batch: 3\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"policy.yaml:1:1: 'max_vm_per_batch' is not known") as caught:
        read_policy(file)
    assert "max_vms_per_batch" in caught.value.remedy
