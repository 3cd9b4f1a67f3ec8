"""All rules, by hand: a rule that is not listed here does not exist."""

from readiness.rules import access, boot, encryption, identity
from readiness.rules.rule import Rule

ALL_RULES: tuple[Rule, ...] = (*boot.RULES, *encryption.RULES, *access.RULES, *identity.RULES)
