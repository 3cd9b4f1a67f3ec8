"""What several generated pages share: the titles of dimensions, and links to rules."""

from readiness.model.verdict import Dimension

DIMENSIONS = {
    Dimension.TRUSTED_LAUNCH: "Trusted Launch",
    Dimension.CMK: "Customer-managed keys for disks",
    Dimension.PASSWORD_ACCESS: "Password access",
    Dimension.MANAGED_IDENTITY: "Managed identity",
}


def rule_link(rule: str, page: str = "") -> str:
    """Return a link to the section of a rule; without a page, on the same one."""
    return f"[{rule}]({page}#{rule.lower()})"
