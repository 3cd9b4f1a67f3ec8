"""By hand, too, a rule of somebody else is neither written over nor taken away."""

from readiness.model.ids import ResourceId
from readiness.model.steps import RemoveSecurityRule, SetSecurityRule
from reports.commands_access import ruled

GROUP = ResourceId(
    "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg"
    "/providers/Microsoft.Network/networkSecurityGroups/web"
)
RULE = ResourceId(f"{GROUP}/securityRules/readiness-deny-ssh")
DENY = {"access": "Deny", "priority": 299}


def test_a_new_rule_is_only_made_where_there_is_none() -> None:
    """The write is sent on that condition, as the run sends it, and the note says when to stop."""
    told = ruled(SetSecurityRule(vm=GROUP, rule=RULE, properties=DENY))
    assert "--headers 'If-None-Match=*'" in told.commands[0]
    assert "if there is one, stop" in told.note
    assert "PreconditionFailed" in told.note


def test_a_rule_that_is_replaced_is_sent_without_that_condition() -> None:
    """It is there: the note says what it has to say before."""
    told = ruled(SetSecurityRule(vm=GROUP, rule=RULE, properties=DENY, earlier={"access": "Allow"}))
    assert not any("If-None-Match" in command for command in told.commands)
    assert "Allow" in told.note


def test_a_rule_is_only_taken_away_as_it_was_made() -> None:
    """The note holds what was made; whatever else it says is somebody's."""
    told = ruled(RemoveSecurityRule(vm=GROUP, rule=RULE, made=DENY))
    assert "leave it to whoever changed it" in told.note
    assert '"priority": 299' in told.note
