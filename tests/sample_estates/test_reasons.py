"""The estate in which everything is wrong shows every reason that a rule can give for not being met."""

from datetime import date

from readiness.app.assess import assess
from readiness.app.estates import locate
from tests.rules.test_rules import CASES

ABSENT = {
    ("EN006", "SizeWithoutAtHostFromTable"),
    ("EN017", "GrantedToSomeIdentities"),
    ("TL003", "SizeGeneration1OnlyFromTable"),
    ("TL003", "SizeWithoutTrustedLaunchFromTable"),
    ("PW003", "NotListed"),
    ("TL004", "PolicyOfAnotherVault"),
    ("PW008", "SubnetNotRead"),
}
"""Intentionally not there: the bundled table of sizes answers only in estates without any SKU, no disk
encryption set has several identities, all extensions were asked for, a port is never known to be open on a
subnet that was not read, and nobody chose a policy of another vault."""


def test_every_reason_is_there_at_least_once() -> None:
    """Whatever can stand in a VM's way stands in the way of one, so that every report can show it."""
    wanted = {
        (case.rule, case.expected.partition(" ")[2])
        for case in CASES
        if case.expected.partition(" ")[0] in ("unmet", "unknown")
    }
    assessment = assess(locate("everything_wrong"), date(2026, 11, 2))
    seen = {
        (finding.rule, finding.reason)
        for vm in assessment.vms
        for standing in vm.dimensions.values()
        for finding in standing.reasons
    }
    assert sorted(ABSENT) == sorted(wanted - seen)
