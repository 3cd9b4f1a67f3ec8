"""What people decided for a VM, as `explain` tells it; and how large a screen that takes."""

from datetime import date

import pytest

from readiness.app.decisions import decided_for
from readiness.model.context import Context
from readiness.model.virtual_machine import VirtualMachine
from readiness.store.context_file import parse_context
from tests.builders import ENCRYPTION_SET, estate, rid, vm

IDENTITY = rid("Microsoft.ManagedIdentity/userAssignedIdentities", "id1")
GROUP = "2b1d4a52-0c8e-4d41-9f5b-1d6f0d0a7c11"
TEXT = f"""\
format: readiness/context/1
applications:
  - {{name: Shop, owner: {{name: Ada, email: ada@example.com}}, match: {{names: [vm*]}}, windows: [night]}}
  - {{name: All, owner: {{name: Bo}}, match: {{}}}}
windows:
  - {{name: night, rrule: FREQ=DAILY, start: "22:00", duration: PT1H30M, timezone: Europe/Berlin}}
freezes:
  - {{name: Christmas, match: {{applications: [Shop]}}, starts: 2026-12-10, ends: 2027-01-06, reason: Busy.}}
targets:
  - match: {{}}
    trusted_launch: {{secure_boot: false}}
    disk_encryption_set: {ENCRYPTION_SET}
    encryption_at_host: true
  - match: {{names: [other]}}
    encryption_at_host: false
  - match: {{applications: [Shop]}}
    identity:
      type: system
      user_assigned: [{IDENTITY}]
      roles: [{{role: Reader, scope: /subscriptions/s1}}]
    login: {{method: entra, admin_groups: [{GROUP}], accepted_password_logins: [scanner],
            management_access: just-in-time}}
iac:
  - {{match: {{}}, tool: terraform, repository: git/shop}}
estimates:
  - {{match: {{}}, playbook: disk-encryption, duration: PT45M, effort: PT2H}}
attestations:
  - {{control: DP-8, match: {{}}, owner: Ada, date: 2026-01-01, expires: 2026-06-30, statement: So.}}
"""


def told(context: Context, day: date, machine: VirtualMachine | None = None) -> dict[str, tuple[str, ...]]:
    """Return what is told of a VM of an estate with this context."""
    one = machine or vm()
    return decided_for(one, estate(one, context=context), day)


def test_everything_that_speaks_of_the_vm_is_told() -> None:
    """Sections that do not act yet are told as well."""
    found = told(parse_context(TEXT, {}), date(2026, 12, 24))
    assert {
        "Application": (
            "Shop, production, medium; owner Ada ada@example.com. "
            "Claimed by All as well: the first in context.yaml has it",
        ),
        "Windows": ("night: FREQ=DAILY at 22:00 for 1 h 30 min, Europe/Berlin",),
        "Targets": (
            f"number 1: Trusted Launch without Secure Boot, disk encryption set {ENCRYPTION_SET.name}, "
            "encryption at host",
            "number 3: system-assigned identity, identity id1, role Reader on s1, "
            f"sign-in by entra without passwords, administrators of group {GROUP}, "
            "no more password for scanner, ports opened on request (just-in-time access)",
        ),
        "Freezes": ("Christmas, 2026-12-10 to 2027-01-06, in force: Busy.",),
        "Code": ("terraform in git/shop, confirmed by nobody yet",),
        "Estimates": ("disk-encryption: 45 min of the outage, 2 h of people's time",),
        "Attested": ("DP-8 by Ada, not on this day: until 2026-06-30",),
    } == found


@pytest.mark.parametrize(
    ("day", "when"),
    [
        (date(2026, 12, 9), "not begun"),
        (date(2026, 12, 10), "in force"),
        (date(2027, 1, 6), "in force"),
        (date(2027, 1, 7), "over"),
    ],
)
def test_a_freeze_stands_in_its_time(day: date, when: str) -> None:
    """The first and the last day are included."""
    (freeze,) = told(parse_context(TEXT, {}), day)["Freezes"]
    assert f", {when}: Busy." in freeze


def test_without_an_application() -> None:
    """A VM that nobody claims is told to be never planned."""
    assert {"Application": ("none: it is never planned",)} == told(Context(), date(2026, 12, 24))
