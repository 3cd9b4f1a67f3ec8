"""What is said of an answer that rests on the bundled table of sizes instead of on collected facts."""

from msgspec.structs import replace

from readiness.model.estate import Estate
from readiness.model.verdict import Verdict
from readiness.model.virtual_machine import VirtualMachine
from readiness.rules.sightings import size_of


def with_table_said(verdict: Verdict, vm: VirtualMachine, estate: Estate) -> Verdict:
    """Return the verdict with a reason and a sentence that name the bundled table as what it rests on.

    The VM's size is the only evidence that is left: the table is nothing that Azure answered.
    """
    source = (
        f"No SKU data was collected; this is from the bundled table of {estate.reference.sizes_verified_on}."
    )
    return replace(
        verdict,
        reason=f"{verdict.reason}FromTable",
        detail=" ".join(filter(None, (verdict.detail, source))),
        evidence=(size_of(vm),),
    )
