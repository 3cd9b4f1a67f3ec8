"""Azure Policy assignments that would refuse an upgrade: `RequestDisallowedByPolicy`, 403.

Judged are the built-in definitions below, where an assignment of one is enforced, denies, and acts on what
would be written, without an exemption on the day of the estate. What an initiative or a definition of one's
own demands stands in no assignment: there Azure may still refuse, and changes nothing then.
"""

from collections.abc import Callable, Mapping
from functools import partial

from msgspec import Struct

from readiness.model.assessment import Source
from readiness.model.disk import Disk
from readiness.model.estate import Estate
from readiness.model.governance import PolicyAssignment
from readiness.model.verdict import Dimension, Evidence, Verdict, met, unknown, unmet
from readiness.model.virtual_machine import VirtualMachine
from readiness.rules.rule import Check, Role, rule
from readiness.rules.sightings import list_missing

_SOURCE = Source(
    "Azure Policy definitions deny effect",
    "https://learn.microsoft.com/azure/governance/policy/concepts/effect-deny",
    "2026-11",
)

Written = VirtualMachine | Disk
Parameters = Mapping[str, tuple[str, ...]]
Meets = Callable[[Written, Estate, Parameters], bool | None]
"""Whether what would be written meets a demand; None where that cannot be told."""


class _Demand(Struct, frozen=True):
    """What one built-in definition denies."""

    name: str
    meets: Meets
    always: bool = False
    """It denies without being told to; the others only watch unless their parameter says otherwise."""


def _accepted(dimension: Dimension, vm: VirtualMachine, estate: Estate) -> Verdict:
    """Azure refuses a write after which a resource would not meet a policy that denies, whoever writes.

    An assignment that only watches, leaves the resource out or exempts it refuses nothing. Built-in policies
    on places, sizes, types, tags, encryption and export are judged; what others demand nobody can tell here.
    """
    unsure = []
    for subject in _written(dimension, vm, estate):
        for policy in estate.posture.policies_on(subject.id, _DEMANDS, estate.info.collected_at):
            demand = _DEMANDS[policy.definition]
            if not _denies(policy, demand):
                continue
            answer = demand.meets(subject, estate, policy.parameters)
            at = Evidence(policy.id, "properties.policyDefinitionId", policy.definition_id)
            if answer is False:
                detail = f"{policy.id.name} denies writes to {subject.id.name}: {demand.name}."
                return unmet("PolicyRefuses", detail, at)
            if answer is None:
                unsure.append((f"{policy.id.name} on {subject.id.name} ({demand.name})", at))
    if unsure:
        names = "; ".join(name for name, _ in unsure)
        detail = f"Nobody can tell whether these are met: {names}; see what they demand."
        return unknown("PolicyNotJudged", detail, *(at for _, at in unsure))
    gap = estate.unread(_ASSIGNMENTS, vm.id.subscription)
    if gap is not None:
        detail = f"The policy assignments were not read ({gap.reason})."
        return unknown("PoliciesNotRead", detail, list_missing(gap))
    return met("NoPolicyRefuses")


def _written(dimension: Dimension, vm: VirtualMachine, estate: Estate) -> tuple[Written, ...]:
    if dimension is not Dimension.CMK:
        return (vm,)
    disks = tuple(disk for disk in estate.disks_of(vm) if disk is not None)
    return (vm, *disks) if estate.choice_for(vm).encryption_at_host else disks


def _denies(policy: PolicyAssignment, demand: _Demand) -> bool:
    return demand.always if policy.effect is None else policy.effect.lower() == "deny"


def _in_place(written: Written, _estate: Estate, parameters: Parameters) -> bool | None:
    allowed = parameters.get("listofallowedlocations")
    return None if allowed is None else written.location in {_region(one) for one in allowed}


def _of_size(written: Written, _estate: Estate, parameters: Parameters) -> bool | None:
    if isinstance(written, Disk):
        return True
    allowed = parameters.get("listofallowedskus")
    return None if allowed is None or written.size is None else _holds(allowed, written.size)


def _of_allowed_type(written: Written, _estate: Estate, parameters: Parameters) -> bool | None:
    allowed = parameters.get("listofresourcetypesallowed")
    return None if allowed is None else _holds(allowed, written.id.type)


def _of_no_barred_type(written: Written, _estate: Estate, parameters: Parameters) -> bool | None:
    barred = parameters.get("listofresourcetypesnotallowed")
    return None if barred is None else not _holds(barred, written.id.type)


def _tagged(written: Written, _estate: Estate, parameters: Parameters) -> bool | None:
    names, values = parameters.get("tagname"), parameters.get("tagvalue")
    if not names or isinstance(written, Disk):
        return None  # The tags of disks are not kept.
    tags = {name.lower(): value for name, value in written.tags.items()}
    found = tags.get(names[0].lower())
    return found is not None and (values is None or _holds(values, found))


def _encrypted_at_host(written: Written, estate: Estate, _parameters: Parameters) -> bool | None:
    if isinstance(written, Disk):
        return True
    return bool(written.boot.encryption_at_host or estate.choice_for(written).encryption_at_host)


def _under_customer_keys(written: Written, estate: Estate, _parameters: Parameters) -> bool | None:
    if isinstance(written, Disk):
        return True
    disk = estate.os_disk_of(written)
    return None if disk is None else disk.encryption.disk_encryption_set is not None


def _under_listed_set(written: Written, estate: Estate, parameters: Parameters) -> bool | None:
    if isinstance(written, Disk):
        return True  # It asks disks only while no VM holds them.
    disk, allowed = estate.os_disk_of(written), parameters.get("allowedencryptionsets")
    if disk is None or allowed is None:
        return None
    found = disk.encryption.disk_encryption_set
    return found is not None and _holds(allowed, found.text)


def _closed_to_export(written: Written, _estate: Estate, _parameters: Parameters) -> bool | None:
    if isinstance(written, VirtualMachine):
        return True
    if written.network_access is None and written.public_access is None:
        return None
    is_closed = (written.network_access or "").lower() in ("denyall", "allowprivate")
    return is_closed or (written.public_access or "").lower() == "disabled"


def _holds(listed: tuple[str, ...], wanted: str) -> bool:
    return wanted.lower() in {one.lower() for one in listed}


def _region(written: str) -> str:
    return written.replace(" ", "").lower()


_ASSIGNMENTS = "Microsoft.Authorization/policyAssignments"
_DEMANDS: dict[str, _Demand] = {
    "e56962a6-4747-49cd-b67b-bf8b01975c4c": _Demand("Allowed locations", _in_place, always=True),
    "cccc23c7-8427-4f53-ad12-b6a63eb452b3": _Demand(
        "Allowed virtual machine size SKUs", _of_size, always=True
    ),
    "a08ec900-254a-4555-9bf5-e42af04b5c5c": _Demand("Allowed resource types", _of_allowed_type, always=True),
    "6c112d4e-5bc7-47ae-a041-ea2d9dccd749": _Demand(
        "Not allowed resource types", _of_no_barred_type, always=True
    ),
    "871b6d14-10aa-478d-b590-94f262ecfa99": _Demand("Require a tag on resources", _tagged, always=True),
    "1e30110a-5ceb-460c-a204-c1c3969c6d62": _Demand(
        "Require a tag and its value on resources", _tagged, always=True
    ),
    "fc4d8e41-e223-45ea-9bf5-eada37891d87": _Demand(
        "Virtual machines should have encryption at host", _encrypted_at_host
    ),
    "702dd420-7fcc-42c5-afe8-4026edd20fe0": _Demand(
        "OS and data disks should be under a customer-managed key", _under_customer_keys
    ),
    "d461a302-a187-421a-89ac-84acdb4edc04": _Demand(
        "Managed disks should use one of certain disk encryption sets", _under_listed_set
    ),
    "8405fdab-1faf-48aa-b702-999c9c172094": _Demand(
        "Managed disks should disable public network access", _closed_to_export
    ),
}
"""By definition, as release 3.2026.0417.1 of the built-in policies writes them; compared in 2026-11."""

_policy_rule = partial(
    rule,
    title="Is refused by no policy",
    role=Role.WORK,
    remedy="Let the owner of the policy assignment that is named exempt the resource for the time of the "
    "change, or bring it in line with the policy first.",
    source=_SOURCE,
)


def _for(dimension: Dimension) -> Check:
    def check(vm: VirtualMachine, estate: Estate) -> Verdict:
        return _accepted(dimension, vm, estate)

    check.__doc__ = _accepted.__doc__
    return check


accepted_for_boot = _policy_rule(id="TL030", dimension=Dimension.TRUSTED_LAUNCH, level=2)(
    _for(Dimension.TRUSTED_LAUNCH)
)
accepted_for_keys = _policy_rule(id="EN030", dimension=Dimension.CMK, level=3)(_for(Dimension.CMK))
accepted_for_identity = _policy_rule(id="MI030", dimension=Dimension.MANAGED_IDENTITY, level=2)(
    _for(Dimension.MANAGED_IDENTITY)
)

RULES = (accepted_for_boot, accepted_for_keys, accepted_for_identity)
