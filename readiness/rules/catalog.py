"""All rules, by hand: a rule that is not listed here does not exist."""

from readiness.rules import (
    access,
    boot,
    boot_guest,
    encryption,
    encryption_disks,
    encryption_keys,
    encryption_sets,
    holds,
    identity,
    logins,
    passwords,
    policies,
)
from readiness.rules.rule import Rule

ALL_RULES: tuple[Rule, ...] = (
    *boot.RULES,
    *boot_guest.RULES,
    *holds.RULES,
    *policies.RULES,
    *encryption.RULES,
    *encryption_sets.RULES,
    *encryption_keys.RULES,
    *encryption_disks.RULES,
    *access.RULES,
    *passwords.RULES,
    *logins.RULES,
    *identity.RULES,
)
