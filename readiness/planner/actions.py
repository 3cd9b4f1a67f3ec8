"""Preparation and closure as actions of their own, before and after the outages.

A shared object (a disk encryption set, a vault) stands here once, with every planned VM that hangs on it.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, date, timedelta

from msgspec.structs import replace

from readiness.model.context import Criticality
from readiness.model.estate import Estate
from readiness.model.ids import ResourceId
from readiness.model.outage import plan_steps
from readiness.model.plan import PlanAction, PlannedVm
from readiness.model.playbook import JustInTimeTarget, Playbook, SharedTarget
from readiness.model.steps import Change, PlannedStep, words_for
from readiness.model.virtual_machine import Power
from readiness.planner.clusters import Cluster, clusters_of
from readiness.planner.conflicts import AUTO_SHUTDOWN, UPDATES, clashes
from readiness.planner.just_in_time import PlannedPolicy, planned_policies
from readiness.planner.openings import SharedGroup, shared_groups

SNAPSHOT_DAYS = 30
"""How long the snapshots behind a change are kept."""
_PLATFORM = "platform team"
_CRITICAL = (Criticality.HIGH, Criticality.MISSION_CRITICAL)


def preparation_of(vms: Sequence[PlannedVm], estate: Estate) -> tuple[PlanAction, ...]:
    """Return what has to be done online before the outages."""
    sets: dict[ResourceId, list[PlannedVm]] = defaultdict(list)
    vaults: dict[ResourceId, list[PlannedVm]] = defaultdict(list)
    found = [*_suspensions(vms, estate), *_failovers(vms, estate), *_reservations(vms, estate)]
    for vm in vms:
        if vm.choice.disk_encryption_set is not None:
            sets[vm.choice.disk_encryption_set].append(vm)
        known = estate.vm(vm.id)
        item = estate.backup_of(known) if known and vm.outage else None
        if item is not None:
            vaults[_vault_of(item.id)].append(vm)
        if vm.preparation:
            title = f"{vm.name}: {_told(vm.preparation)}"
            found.append(_action("online-change", title, vm.id, [vm], vm.owner, automatic=True))
    for name, users in sets.items():
        title = f"Prove key, permissions and region of {name.name} with a throwaway disk"
        found.append(_action("disk-encryption-set", title, name, users, _PLATFORM, shared=True))
    for vault, users in vaults.items():
        title = f"Have a finished backup in {vault.name} of each VM, young enough at its window"
        found.append(_action("backup", title, vault, users, _PLATFORM, shared=True))
    return tuple(sorted(found, key=lambda action: (action.due or date.max, action.key)))


def closure_of(
    vms: Sequence[PlannedVm], estate: Estate, playbooks: Sequence[Playbook]
) -> tuple[PlanAction, ...]:
    """Return what has to be done online after the outages and their soak."""
    found = [*_shared_groups(vms, estate, playbooks), *_on_request(vms, estate, playbooks)]
    snapshots: dict[str, list[PlannedVm]] = defaultdict(list)
    for vm in vms:
        if vm.closure:
            title = f"{vm.name}: {_told(vm.closure)}"
            found.append(_action("online-change", title, vm.id, [vm], vm.owner, automatic=True, after=0))
        if vm.snapshot_count:
            snapshots[vm.id.subscription].append(vm)
    for subscription, users in snapshots.items():
        count = sum(vm.snapshot_count for vm in users)
        title = (
            f"Let {count} snapshots of {len(users)} VMs expire, each {SNAPSHOT_DAYS} days after its window"
        )
        scope = ResourceId(f"/subscriptions/{subscription}")
        found.append(_action("snapshot-expiry", title, scope, users, _PLATFORM, after=SNAPSHOT_DAYS))
    return tuple(sorted(found, key=lambda action: (action.due or date.max, action.key)))


def _told(steps: Sequence[PlannedStep]) -> str:
    return ", ".join(words_for(planned.step) for planned in steps)


def _shared_groups(
    vms: Sequence[PlannedVm], estate: Estate, playbooks: Sequence[Playbook]
) -> Iterator[PlanAction]:
    """Yield a security group that others hang on, once: no single VM's closure tightens it."""
    planned = {vm.id: vm for vm in vms if vm.choice.login is not None}
    known = [vm for vm in map(estate.vm, planned) if vm is not None]
    for group in shared_groups(known, estate):
        users = [planned[vm] for vm in group.vms]
        rules = ", ".join(sorted(opening.rule.name for opening in group.openings))
        title = f"Tighten {rules} of {group.id.name}, which other VMs hang on, too"
        found = {book.spec.id: _tightening(group, users, book) for book in playbooks}
        steps = plan_steps((step for each in found.values() for step in each), stage="close")
        action = _action("security-group", title, group.id, users, _PLATFORM, shared=True)
        yield replace(
            action,
            automatic=bool(steps),
            actions=tuple(book for book, each in found.items() if each),
            steps=steps,
            # Not before the last of them was closed.
            due=max(vm.occurrence.closes for vm in users).astimezone(UTC).date(),
            others=tuple(vm.id for vm in group.others),
            consent=tuple(_losses(group, estate)),
        )


def _tightening(group: SharedGroup, users: Sequence[PlannedVm], playbook: Playbook) -> tuple[Change, ...]:
    """Return what a playbook does to a group; nothing where its VMs want different things of it."""
    choices = [vm.choice.login for vm in users if vm.choice.login is not None and vm.id in group.ports]
    wanted = {(frozenset(choice.ports), frozenset(choice.allow_from)) for choice in choices}
    if playbook.close_shared is None or len(wanted) != 1:
        return ()
    target = SharedTarget(group=group.id, choice=choices[0], openings=group.openings, ports=group.ports)
    return playbook.close_shared(target)


def _on_request(
    vms: Sequence[PlannedVm], estate: Estate, playbooks: Sequence[Playbook]
) -> Iterator[PlanAction]:
    """Yield each just-in-time policy that VMs are put into, once, and what people have to do of it."""
    planned = {vm.id: vm for vm in vms}
    for policy in planned_policies(vms, estate):
        where = f"{policy.id.name} of {policy.id.resource_group}"
        users = [planned[vm] for vm in policy.ports]
        if users:
            title = f"Open the ports of {len(users)} VMs on request only, by just-in-time policy {where}"
            target = JustInTimeTarget(policy=policy.id, creates=policy.creates, ports=policy.ports)
            chosen = {book.spec.id: book.open_on_request for book in playbooks}
            found = {book: make(target) for book, make in chosen.items() if make is not None}
            steps = plan_steps((step for each in found.values() for step in each), stage="close")
            yield replace(
                _action("just-in-time-policy", title, policy.id, users, _PLATFORM, shared=True),
                automatic=bool(steps),
                actions=tuple(book for book, each in found.items() if each),
                steps=steps,
                # Not before the last of them was closed: an older rule would stand in front of the policy's.
                due=max(vm.occurrence.closes for vm in users).astimezone(UTC).date(),
                consent=tuple(_terms(policy)),
            )
        left = [planned[vm] for vm in policy.by_hand]
        if left:
            told = "; ".join(f"{vm.name}: {why}" for vm, why in policy.by_hand.items())
            title = f"Put VMs under just-in-time access by policy {where}, or choose otherwise. {told}"
            action = _action("just-in-time-policy", title, policy.id, left, _PLATFORM, shared=True, after=0)
            yield replace(action, key=f"{action.key}:by-hand")


def _terms(policy: PlannedPolicy) -> Iterator[str]:
    """Yield what a just-in-time policy brings beside what was asked for."""
    names = ", ".join(vm.name for vm in policy.ports)
    ports = ", ".join(str(port) for port in sorted({one for each in policy.ports.values() for one in each}))
    yield (
        f"On {names} the ports {ports} are closed to machines of the same network, too, unless a rule from "
        "before lets these in; whoever may ask opens one for three hours at most"
    )
    yield "Defender for Cloud writes rules into their security groups, and may leave them on the way back"
    yield "Azure has no etag for a policy: what somebody else writes to it in the same moment may be lost"
    if policy.others:
        others = ", ".join(vm.name for vm in policy.others)
        yield f"In the policy already, and left as they are: {others}"


def _losses(group: SharedGroup, estate: Estate) -> Iterator[str]:
    """Yield who loses the way in beside the VMs that the plan closes."""
    for vm in group.others:
        application = estate.application_of(vm)
        owner = application.owner.name if application else "its owner, who is not known"
        yield f"{vm.name} is not closed by this plan, and loses the way in: {owner} has to know another"
    names = ", ".join(subnet.name for subnet in group.subnets)
    if names:
        yield f"Whatever else stands in subnet {names} loses it, too"


def _suspensions(vms: Sequence[PlannedVm], estate: Estate) -> Iterator[PlanAction]:
    """Yield what has to be suspended or moved, since it would come between VMs and their windows."""
    found: dict[tuple[str, ResourceId], list[PlannedVm]] = defaultdict(list)
    for vm in vms:
        for clash in clashes(vm, estate):
            found[clash.kind, clash.source].append(vm)
    for (kind, source), users in found.items():
        if kind == AUTO_SHUTDOWN:
            title = f"{users[0].name}: suspend its auto-shutdown over its window"
            yield _action(kind, title, source, users, users[0].owner)
        elif kind == UPDATES:
            title = f"Move update schedule {source.name} out of the windows of its VMs, or suspend it"
            yield _action(kind, title, source, users, _PLATFORM, shared=True)
        else:
            title = f"Take the VMs out of scaling plan {source.name} by its exclusion tag over their windows"
            yield _action(kind, title, source, users, _PLATFORM, shared=True)


def _failovers(vms: Sequence[PlannedVm], estate: Estate) -> Iterator[PlanAction]:
    """Yield the step by hand for each cluster that loses a member for a while."""
    found: dict[Cluster, list[PlannedVm]] = defaultdict(list)
    for vm in vms:
        known = estate.vm(vm.id)
        for cluster in clusters_of(known, estate) if known and vm.outage else ():
            found[cluster].append(vm)
    for cluster, users in found.items():
        target = users[0].id if cluster.target is None else cluster.target
        guess = "If it is a cluster: have" if cluster.is_guess else "Have"
        title = f"{guess} somebody fail {cluster.words} over before each of its VMs goes, and prove it after"
        yield _action("failover", title, target, users, users[0].owner)


def _reservations(vms: Sequence[PlannedVm], estate: Estate) -> Iterator[PlanAction]:
    """Yield the advice to reserve capacity for what must not stay off, by size, region and zone."""
    found: dict[ResourceId, list[PlannedVm]] = defaultdict(list)
    for vm in vms:
        known = estate.vm(vm.id)
        if known is None or vm.outage is None or vm.criticality not in _CRITICAL:
            continue
        has_place = known.is_on_dedicated_host or known.capacity_reservation is not None
        if known.power is Power.RUNNING and not has_place and vm.size:
            place = f"/subscriptions/{vm.id.subscription}/providers/Microsoft.Compute/locations/{vm.region}"
            zone = f"/zones/{vm.zone}" if vm.zone else ""
            found[ResourceId(f"{place}{zone}/vmSizes/{vm.size}")].append(vm)
    for size, users in found.items():
        where = f"{users[0].region}, zone {users[0].zone}" if users[0].zone else users[0].region
        title = (
            f"Reserve capacity for {size.name} in {where} (critical VMs: {len(users)}), "
            "or name sizes that they may take instead"
        )
        yield _action("capacity-reservation", title, size, users, _PLATFORM)


def _vault_of(item: ResourceId) -> ResourceId:
    """Return the vault that a protected item lies in."""
    head, _, _ = item.text.partition("/backupFabrics/")
    return ResourceId(head)


def _action(  # noqa: PLR0913  an action is told by all of these
    kind: str,
    title: str,
    target: ResourceId,
    vms: Sequence[PlannedVm],
    owner: str,
    *,
    shared: bool = False,
    automatic: bool = False,
    after: int | None = None,
) -> PlanAction:
    """Return an action, due the day before the first window, or so many days after the first start."""
    first = min(vm.occurrence.opens for vm in vms).astimezone(UTC).date()
    days = -1 if after is None else after
    return PlanAction(
        key=f"{kind}:{target.key}",
        kind=kind,
        title=title,
        target=target,
        shared=shared,
        vms=tuple(sorted(vm.id for vm in vms)),
        waves=tuple(sorted({vm.wave for vm in vms})),
        owner=owner,
        due=first + timedelta(days=days),
        automatic=automatic,
    )
