"""What an exception has to say, how long it may run, and where it stands on a day."""

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from readiness.model.context import Match, RuleException
from readiness.model.exceptions import LONGEST, SOON, State, days_left, faults_of, state_of

TODAY = date(2026, 11, 22)
SOUND = RuleException(
    id="EX-1",
    match=Match(),
    owner="Ada",
    reason="The vendor's contract ends in spring.",
    approved_by="Security office",
    expires=TODAY + timedelta(days=90),
    rule="AC-4",
    compensating_control="Two addresses only.",
)


def test_a_complete_exception_has_no_fault():
    """Owner, reason, approver, control and an end within half a year: nothing is missing."""
    assert () == faults_of(SOUND, TODAY)


@pytest.mark.parametrize(
    ("change", "reason", "key"),
    [
        ({"owner": " "}, "NoOwner", "owner"),
        ({"reason": ""}, "NoReason", "reason"),
        ({"approved_by": "\t"}, "NoApprover", "approved_by"),
        ({"compensating_control": ""}, "NoCompensatingControl", "compensating_control"),
        ({"expires": TODAY - timedelta(days=1)}, "Expired", "expires"),
        ({"expires": TODAY + LONGEST + timedelta(days=1)}, "TooLong", "expires"),
    ],
    ids=["owner", "reason", "approver", "control", "expired", "too-long"],
)
def test_each_fault_is_named_with_its_key(change, reason, key):
    """What is blank counts as missing, and every fault says which key mends it and how."""
    (fault,) = faults_of(replace(SOUND, **change), TODAY)
    assert (reason, key) == (fault.reason, fault.key)
    assert fault.detail.endswith(".")
    assert fault.remedy.endswith(".")


def test_all_faults_are_told_at_once():
    """Somebody who mends an exception wants to mend it once."""
    bare = replace(SOUND, owner="", compensating_control="", expires=TODAY + timedelta(days=400))
    expected = ["NoOwner", "NoCompensatingControl", "TooLong"]
    assert expected == [fault.reason for fault in faults_of(bare, TODAY)]


@pytest.mark.parametrize(
    ("left", "state"),
    [
        (-1, State.EXPIRED),
        (0, State.ENDS_SOON),
        (SOON.days, State.ENDS_SOON),
        (SOON.days + 1, State.IN_FORCE),
        (LONGEST.days, State.IN_FORCE),
    ],
)
def test_the_last_day_still_counts(left, state):
    """An exception holds up to and on its last day; a month before it ends soon."""
    entry = replace(SOUND, expires=TODAY + timedelta(days=left))
    assert (left, state) == (days_left(entry, TODAY), state_of(entry, TODAY))
    assert (left < 0) == any(fault.reason == "Expired" for fault in faults_of(entry, TODAY))
    assert entry.covers("AC-4", None, TODAY) == (left >= 0)


def test_how_long_is_too_long_can_be_said():
    """A house that allows less than half a year says so."""
    assert ["TooLong"] == [fault.reason for fault in faults_of(SOUND, TODAY, timedelta(days=60))]
