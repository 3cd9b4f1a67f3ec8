"""What a context may say of Trusted Launch and of backup policies."""

import pytest

from readiness.errors import EstateError
from readiness.model.codec import encode
from readiness.model.context import Choice, Generation1, SecureBoot, TrustedLaunchChoice, overlay
from readiness.store.context_file import parse_context
from tests.builders import rid

POLICY = rid("Microsoft.RecoveryServices/vaults", "rsv1/backupPolicies/enhanced")


def _choice(line: str) -> Choice:
    text = f"format: readiness/context/1\ntargets:\n  - match: {{}}\n    {line}\n"
    return parse_context(text, {}).targets[0].choice


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("{}", TrustedLaunchChoice()),
        ("{secure_boot: true}", TrustedLaunchChoice(secure_boot=SecureBoot.ON)),
        ("{secure_boot: on}", TrustedLaunchChoice(secure_boot=SecureBoot.ON)),
        ("{secure_boot: False}", TrustedLaunchChoice(secure_boot=SecureBoot.OFF)),
        ("{secure_boot: off}", TrustedLaunchChoice(secure_boot=SecureBoot.OFF)),
        ("{secure_boot: staged}", TrustedLaunchChoice(secure_boot=SecureBoot.STAGED)),
        ("{fall_back: false}", TrustedLaunchChoice(fall_back=False)),
        ("{generation_1: convert}", TrustedLaunchChoice(generation_1=Generation1.CONVERT)),
    ],
)
def test_trusted_launch(written: str, expected: TrustedLaunchChoice) -> None:
    """Secure Boot takes three words and both truths; what was not said stays unsaid."""
    assert expected == _choice(f"trusted_launch: {written}").trusted_launch


def test_what_is_done_in_need_and_for_a_proof() -> None:
    """Sizes keep their order; what nobody said stays unsaid, so that a plan without it is written as ever."""
    choice = _choice("alternative_sizes: [Standard_D4s_v5, Standard_D2as_v5]\n    start_if_off: true")
    assert (("Standard_D4s_v5", "Standard_D2as_v5"), True) == (choice.sizes, choice.starts_if_off)
    assert b"alternative" not in encode(_choice("encryption_at_host: true"))


def test_a_later_entry_takes_sizes_back() -> None:
    """An empty list, laid over one that was chosen earlier, approves none."""
    earlier = _choice("alternative_sizes: [Standard_D4s_v5]")
    assert () == overlay((earlier, _choice("alternative_sizes: []"))).sizes
    assert ("Standard_D4s_v5",) == overlay((earlier, _choice("encryption_at_host: true"))).sizes


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("alternative_sizes: [D4s_v5]", "'D4s_v5' is no VM size"),
        ("alternative_sizes: [Standard_D4s_v5, standard_d4s_v5]", "stands here twice"),
        ("alternative_sizes: Standard_D4s_v5", "a list is expected"),
        ("start_if_off: perhaps", "neither true nor false"),
        ("trusted_launch: {secure_boot: maybe}", "'maybe' is none of on, off, staged"),
        ("trusted_launch: {fall_back: later}", "neither true nor false"),
        ("trusted_launch: {generation_1: yes}", "'yes' is none of convert"),
        ("trusted_launch: {generation: 2}", "'generation' is not known here"),
        ("backup_policy: enhanced", "not such a resource's id"),
        (f"backup_policy: {POLICY.parent}", "not such a resource's id"),
    ],
)
def test_a_mistake(line: str, problem: str) -> None:
    """Anything else is named with its place."""
    with pytest.raises(EstateError, match=r"context\.yaml:4:") as caught:
        _choice(line)
    assert problem in caught.value.brief


def test_a_backup_policy() -> None:
    """A policy is named by its full id."""
    assert POLICY == _choice(f"backup_policy: {POLICY}").backup_policy
