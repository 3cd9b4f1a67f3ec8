"""What a plan says of a VM beside its place: stratum, snapshots, consent, conflicts, infrastructure code.

Everything is told from what was observed and declared; what is not known is not claimed.
"""

import re

from msgspec import Struct

from readiness.model.estate import Estate
from readiness.model.playbook import Target
from readiness.model.steps import Undo
from readiness.model.virtual_machine import Power, VirtualMachine
from readiness.planner.clusters import clusters_of
from readiness.planner.topology import placement_group_of


class Facts(Struct, frozen=True, kw_only=True):
    """What is known of a candidate beside its actions."""

    os: str
    stratum: str
    vcpus: int = 0
    snapshot_gb: int = 0
    consent: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    iac: str = ""


def facts_of(target: Target, actions: tuple[str, ...], undo: Undo, estate: Estate) -> Facts:
    """Return what the plan says of a VM that gets these actions."""
    vm = target.vm
    system = _system(vm)
    sku, _ = estate.size_of(vm)
    generation = f"generation {vm.boot.generation}" if vm.boot.generation else "unknown generation"
    return Facts(
        os=system,
        stratum=f"{system}, {generation}: {', '.join(actions)}",
        vcpus=(sku.vcpus or 0) if sku else 0,
        snapshot_gb=sum(disk.size_gb or 0 for disk in target.disks),
        consent=_consent(target, estate, actions, undo),
        conflicts=_conflicts(vm, estate),
        iac=_iac(vm, estate),
    )


def _system(vm: VirtualMachine) -> str:
    if vm.os_name:
        return f"{vm.os_name} {vm.os_version or ''}".strip()
    if vm.image and vm.image.offer:
        return f"{vm.image.offer} {vm.image.sku or ''}".strip()
    return str(vm.os_family) if vm.os_family else "unknown system"


def _consent(target: Target, estate: Estate, actions: tuple[str, ...], undo: Undo) -> tuple[str, ...]:
    found, vm = [], target.vm
    if undo is Undo.REBUILD:
        found.append("the way back is to rebuild it: a new VM around its disks and interfaces")
    elif undo is Undo.NONE:
        found.append("there is no way back")
    if "trusted-launch" in actions:
        found.append("what is sealed in its vTPM afterwards is lost on the way back")
    if vm.power is Power.DEALLOCATED and target.choice.starts_if_off:
        found.append("it is deallocated: it is started to prove its boot, and deallocated again")
    elif vm.power is Power.DEALLOCATED:
        found.append("it is deallocated and stays so: its next start is not proven")
    for cluster in clusters_of(vm, estate):
        if cluster.is_guess:
            found.append(f"it may be a member of a cluster, by {cluster.words}: if so, fail over first")
        else:
            found.append(f"it is a member of {cluster.words}: fail over or drain it first")
    return tuple(found)


def _conflicts(vm: VirtualMachine, estate: Estate) -> tuple[str, ...]:
    found = []
    sku, is_general = estate.size_of(vm)
    if sku is not None and not is_general:
        if sku.restricted:
            found.append(f"{vm.size} is closed to the subscription in {vm.location} ({sku.restricted})")
        closed = sorted(set(vm.zones).intersection(sku.restricted_zones))
        if closed:
            found.append(f"{vm.size} is closed to the subscription in zone {', '.join(closed)}")
    if (vm.priority or "").lower() in ("spot", "low"):
        found.append("a spot VM: Azure may have no room for it when it is started again")
    if vm.is_on_dedicated_host:
        found.append("on a dedicated host, which has to have room for it when it is started again")
    placement = placement_group_of(estate, vm)
    if placement:
        found.append(
            f"in proximity placement group {placement.name}: Azure may have no room beside the others"
        )
    return tuple(found)


def _iac(vm: VirtualMachine, estate: Estate) -> str:
    """Say whose code a VM is: what people declared counts; a tag is enough to suspect it."""
    for entry in estate.ownership_of(vm):
        state = f"confirmed by {entry.confirmed_by}" if entry.confirmed_by else "not confirmed yet"
        return f"{entry.tool} in {entry.repository}: freeze it or merge the change first ({state})"
    for name, value in sorted(vm.tags.items()):
        tool = next(
            (tool for tool in _TOOLS if tool in re.split(r"[^a-z]+", f"{name} {value}".lower())), None
        )
        if tool:
            said = f"its tag {name} says {value[:_LONGEST]}" if value else f"it has the tag {name}"
            return f"{tool}, as {said}: freeze it or merge the change first (not confirmed yet)"
    return ""


_LONGEST = 60
_TOOLS = ("terraform", "opentofu", "bicep", "pulumi")
"""Words that, in a tag's name or value, mean infrastructure code."""
