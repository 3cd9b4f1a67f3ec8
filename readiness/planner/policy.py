"""A policy applied to an estate: which pins and hub rules speak of which VM, contradictions refused.

Pins are wishes of people. Two that cannot both be meant are an error that names both places; one that
limits, order or windows forbid is refused later, with a reason in the plan.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date

from msgspec import Struct

from readiness.errors import PlanError
from readiness.model.estate import Estate
from readiness.model.ids import ResourceId
from readiness.model.match_index import MatchIndex
from readiness.model.policy import HubHandling, HubRule, Pin, Policy

__all__ = ["Policy", "VmPins", "hub_rules", "resolve_pins"]


class VmPins(Struct, frozen=True, kw_only=True):
    """All wishes for one VM, put together."""

    wave: int | None = None
    not_before: date | None = None
    with_vms: tuple[ResourceId, ...] = ()
    exclude: str = ""
    """Why it is left out, if it is."""
    reason: str = ""


def resolve_pins(policy: Policy, estate: Estate) -> dict[ResourceId, VmPins]:
    """Return what is wished for each VM that some pin speaks of.

    Raises:
        PlanError: Pins contradict one another, match nothing, or name a VM that the estate does not have.
    """
    if not policy.pins:
        return {}
    index = MatchIndex((pin.match, pin) for pin in policy.pins)
    hits: dict[ResourceId, list[Pin]] = defaultdict(list)
    used: set[int] = set()
    for vm in estate.vms:
        application = estate.application_of(vm)
        for pin in index.hits(vm, application.name if application else None):
            hits[vm.id].append(pin)
            used.add(id(pin))
    for pin in policy.pins:
        if id(pin) not in used:
            raise PlanError(
                f"{_place(pin)}: this pin speaks of no VM of the estate.",
                remedy="Correct its 'match', or remove it.",
            )
    found = {vm: _joined(vm, pins, estate) for vm, pins in sorted(hits.items())}
    _refuse_split_couples(found, hits)
    return found


def hub_rules(policy: Policy, estate: Estate) -> dict[ResourceId, HubHandling]:
    """Return the user's word on hubs by VM; a later rule outranks an earlier one."""
    if not policy.hubs:
        return {}
    index: MatchIndex[HubRule] = MatchIndex((rule.match, rule) for rule in policy.hubs)
    found: dict[ResourceId, HubHandling] = {}
    for vm in estate.vms:
        application = estate.application_of(vm)
        for rule in index.hits(vm, application.name if application else None):
            found[vm.id] = rule.handling
    return found


def _joined(vm: ResourceId, pins: list[Pin], estate: Estate) -> VmPins:
    by_wave = {pin.wave: pin for pin in pins if pin.wave is not None}
    if len(by_wave) > 1:
        first, second = list(by_wave.values())[:2]
        raise _contradiction(vm, first, second, f"wave {first.wave} and wave {second.wave}")
    excluding = [pin for pin in pins if pin.exclude]
    placing = [pin for pin in pins if pin.wave is not None or pin.with_vm is not None]
    if excluding and placing:
        raise _contradiction(vm, excluding[0], placing[0], "left out and placed")
    days = [pin.not_before for pin in pins if pin.not_before is not None]
    mates = {_mate(pin, estate) for pin in pins if pin.with_vm is not None} - {vm}
    return VmPins(
        wave=next(iter(by_wave), None),
        not_before=max(days, default=None),
        with_vms=tuple(sorted(mates)),
        exclude=(excluding[0].reason or "the policy leaves it out") if excluding else "",
        reason="; ".join(dict.fromkeys(pin.reason for pin in pins if pin.reason)),
    )


def _mate(pin: Pin, estate: Estate) -> ResourceId:
    written = pin.with_vm or ""
    known = estate.vm(ResourceId(written)) if written.startswith("/") else None
    named = (known,) if known else estate.vms_named(written)
    if len(named) != 1:
        problem = f"is the name of {len(named)} VMs" if named else "is no VM of the estate"
        raise PlanError(
            f"{_place(pin)}: '{written}', which others are to go with, {problem}.",
            remedy="Write the full resource id of one VM.",
        )
    return named[0].id


def _refuse_split_couples(pins: Mapping[ResourceId, VmPins], hits: Mapping[ResourceId, list[Pin]]) -> None:
    for vm, own in pins.items():
        for mate in own.with_vms:
            other = pins.get(mate)
            if other is None:
                continue
            if own.wave is not None and other.wave is not None and own.wave != other.wave:
                text = f"{mate.name} in wave {other.wave}, itself in wave {own.wave}, and both together"
                raise _contradiction(vm, hits[vm][0], hits[mate][0], text)
            if other.exclude:
                raise _contradiction(vm, hits[vm][0], hits[mate][0], f"with {mate.name}, which is left out")


def _contradiction(vm: ResourceId, first: Pin, second: Pin, text: str) -> PlanError:
    return PlanError(
        f"{_place(second)}: pins contradict one another: {vm.name} is wanted {text}.",
        details=f"The other one stands at {_place(first)}.",
        remedy="Keep one of the two.",
    )


def _place(pin: Pin) -> str:
    return pin.place or "the policy"
