"""Whether Azure's quotas hold what a campaign takes, counted together with the VMs before it in its wave.

A quota is told for a region and a subscription, and the VMs of a wave ask for it at nearly the same moment:
each counts what those before it in the wave will still take. So where there is room for ninety snapshots, the
VMs that need the first ninety go, whoever asks first. Cores are not added up: what is deallocated gives its
own back before it takes them again.
"""

import re
from collections import Counter
from collections.abc import Iterator

from msgspec import Struct

from readiness.azure.marks import RUN, relative
from readiness.azure.preflight_parts import Asker, Finding, Refusal, Subject, Unknown, subscription_of
from readiness.azure.remembered import Answer, Json
from readiness.azure.wire_values import location_of, number, obj, tags_of, text
from readiness.errors import DeniedError
from readiness.model.ids import ResourceId
from readiness.model.plan import Wave
from readiness.model.sku import Sku
from readiness.model.steps import Start, TakeSnapshot

_COMPUTE_API = "2024-07-01"
SNAPSHOTS_API = "2024-03-02"
_SNAPSHOTS = ("standardsnapshotcount", "zrssnapshotcount")
_SPOT = "lowprioritycores"
_CORES = {"cores": "cores", _SPOT: "cores of Spot VMs"}
_SIZE = re.compile(r"standard_([a-z]+)\d+(?:-\d+)?([a-z]*)(?:_(v\d+))?")


class Claim(Struct, frozen=True, kw_only=True):
    """The snapshots that the outage of one VM of a wave takes."""

    vm: ResourceId
    region: str
    disks: tuple[ResourceId, ...]


def claims_of(wave: Wave) -> tuple[Claim, ...]:
    """Return what the VMs of a wave take, in its order."""
    return tuple(
        Claim(
            vm=vm.id,
            region=vm.region.replace(" ", "").lower(),
            disks=tuple(
                each.step.disk
                for each in (vm.outage.steps if vm.outage else ())
                if isinstance(each.step, TakeSnapshot)
            ),
        )
        for batch in wave.batches
        for vm in batch.vms
    )


def quotas(asker: Asker, subject: Subject, claims: tuple[Claim, ...]) -> Iterator[Finding]:
    """Find what there is no room for."""
    takes, starts = len(subject.each(TakeSnapshot)), subject.each(Start)
    if not (takes or starts):
        return
    location = location_of(subject.body)
    found = usages_of(asker, subject)
    if isinstance(found, DeniedError) or not found:
        yield Unknown(f"not known: quotas in {location}")
        return
    families = ("cores", _family(subject))
    for usage in found:
        name = (text(obj(usage, "name"), "value") or "").lower()
        used, limit = number(usage, "currentValue"), number(usage, "limit")
        if used is None or limit is None:
            continue
        if takes and name in _SNAPSHOTS:
            yield from _snapshots(asker, subject, claims, takes, limit - used)
        # What is deallocated gives its cores back first: a start fails where the limit was lowered.
        if starts and name in families and used > limit:
            what = "cores" if name == "cores" else f"cores of {name}"
            words = f"more {what} are in use in {location} than allowed ({used} of {limit})"
            yield Refusal("QuotaExceeded", f"{words}: what was deallocated would not start again")


def usages_of(asker: Asker, subject: Subject) -> Answer:
    """Return the quotas of compute where a VM runs, each with what is used of it."""
    location = location_of(subject.body)
    path = f"{subscription_of(subject.vm)}/providers/Microsoft.Compute/locations/{location}/usages"
    return asker.listed(subject, "usages", ResourceId(path), path, _COMPUTE_API)


def cores_left(usages: list[Json], own: Sku | None, other: Sku, subject: Subject) -> Iterator[str]:
    """Yield which quotas do not hold another size; a deallocated VM has given the cores of its own back."""
    if other.vcpus is None:
        return
    back = (own.vcpus or 0) if own is not None else 0
    family = (other.family or "").lower()
    is_same = own is not None and (own.family or "").lower() == family
    needed = {"cores": other.vcpus - back, family: other.vcpus - (back if is_same else 0)}
    location, properties = location_of(subject.body), obj(subject.body, "properties")
    if (text(properties, "priority") or "").lower() in ("spot", "low"):
        # All sizes of Spot VMs share one quota.
        needed = {_SPOT: other.vcpus - back}
    for usage in usages:
        name = (text(obj(usage, "name"), "value") or "").lower()
        used, limit = number(usage, "currentValue"), number(usage, "limit")
        if name in needed and used is not None and limit is not None and needed[name] > limit - used:
            what = f"cores of {other.family}" if name == family else _CORES[name]
            left = max(0, limit - used)
            yield f"only {left} more {what} are allowed in {location}, and {needed[name]} are needed"


def snapshots_in(asker: Asker, subject: Subject, subscription: ResourceId) -> Answer:
    """Return the snapshots of a subscription."""
    path = f"{subscription}/providers/Microsoft.Compute/snapshots"
    return asker.listed(subject, "snapshots", subscription, path, SNAPSHOTS_API)


def _snapshots(
    asker: Asker, subject: Subject, claims: tuple[Claim, ...], takes: int, left: int
) -> Iterator[Finding]:
    location = location_of(subject.body)
    words = f"only {max(0, left)} more snapshots are allowed in {location}, and {takes} are needed"
    if takes > left:
        yield Refusal("QuotaExceeded", words)
        return
    ahead = _ahead(subject, claims)
    if takes + sum(len(claim.disks) for claim in ahead) <= left:
        return
    # Only now it matters which of them are there already, and so in what is used.
    found = snapshots_in(asker, subject, subscription_of(subject.vm))
    if isinstance(found, DeniedError):
        yield Unknown("not known: how many snapshots the VMs before it in the wave still take")
        return
    before = _still_to_take(ahead, found, subject.context.run)
    if takes + before > left:
        yield Refusal("QuotaExceeded", f"{words} beside {before} for the VMs before it in the wave")


def _ahead(subject: Subject, claims: tuple[Claim, ...]) -> tuple[Claim, ...]:
    """Return what the VMs before this one take of the same quota."""
    at = next((index for index, claim in enumerate(claims) if claim.vm == subject.vm), 0)
    location = location_of(subject.body)
    return tuple(
        claim
        for claim in claims[:at]
        if claim.region == location and claim.vm.subscription == subject.vm.subscription
    )


def _still_to_take(ahead: tuple[Claim, ...], snapshots: list[Json], run: str) -> int:
    ours = [tags for each in snapshots if (tags := tags_of(each)).get(RUN) == run]
    taken = Counter(tags.get("readiness-disk", "").lower() for tags in ours)
    return sum(
        max(0, count - taken[relative(disk).lower()])
        for claim in ahead
        for disk, count in Counter(claim.disks).items()
    )


def _family(subject: Subject) -> str:
    """Return what Azure calls the quota of a VM's size; nothing where its name does not follow the rule.

    `Standard_D4s_v5` counts as `standardDSv5Family`. Families that are named otherwise are not told apart.
    """
    size = text(obj(obj(subject.body, "properties"), "hardwareProfile"), "vmSize") or ""
    found = _SIZE.fullmatch(size.lower())
    return f"standard{found[1]}{found[2]}{found[3] or ''}family" if found else ""
