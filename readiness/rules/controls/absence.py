"""What a control says of a thing that is not there: it is missing only where its type was listed."""

from readiness.model.verdict import Verdict, unknown, unmet
from readiness.rules.controls.control import VmFacts
from readiness.rules.not_read import EXTENSIONS, nameless_extensions


def extension_missing(facts: VmFacts, reason: str, detail: str) -> Verdict:
    """Return that an extension is missing, or how to find out."""
    return nameless_extensions(facts.vm) or missing(facts, EXTENSIONS, reason, detail)


def missing(facts: VmFacts, resource_type: str, reason: str, detail: str) -> Verdict:
    """Return that a resource of a type that was listed is missing, or unknown with what to collect."""
    if facts.was_listed(resource_type):
        return unmet(reason, detail)
    return unknown(
        "NotListed", f"None was seen, and nobody asked for all of them; collect '{resource_type}'."
    )
