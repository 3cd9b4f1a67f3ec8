"""Which of the sizes that an owner named a VM can run as, where Azure has no room for its own.

A size is taken only if everything is known of it that could keep the VM from booting as it: unknown is never
ready. What is not known otherwise (price, at times how many data disks it takes) is said to whoever agrees.
Quotas, policies and accelerated networking are asked for before each outage; Azure refuses what cannot be,
and then the next size is tried.
"""

from collections.abc import Iterator

from msgspec import Struct

from readiness.model.estate import Estate
from readiness.model.playbook import Target
from readiness.model.sku import Sku
from readiness.model.virtual_machine import Power, VirtualMachine
from readiness.planner.size_needs import Needs, misfits


class Alternatives(Struct, frozen=True, kw_only=True):
    """Sizes a VM may run as, and what is said of those it may not."""

    sizes: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ("price",)
    """What is not known of the sizes."""

    def consent(self, vm: VirtualMachine) -> tuple[str, ...]:
        """Return what its owner agrees to."""
        if not self.sizes:
            return ()
        named = " or ".join(self.sizes)
        return (
            f"if Azure has no room for {vm.size} until its window closes, it runs as {named}, and stays so; "
            f"not checked: {', '.join(self.unchecked)}; asked for again before it goes down, and told then: "
            "offer, quota, policies, accelerated networking",
        )


def alternatives_of(target: Target, estate: Estate) -> Alternatives:
    """Decide which of the named sizes a VM can take; one that is off is never resized for a proof."""
    vm, named = target.vm, target.choice.sizes
    if not named or vm.power is not Power.RUNNING:
        return Alternatives()
    bound = _bound(vm)
    if bound:
        return Alternatives(refusals=(f"{bound}: it is not tried as {' or '.join(named)}",))
    sizes, refusals, unchecked = [], [], Alternatives().unchecked
    for name in named:
        if name.lower() == (vm.size or "").lower():
            continue
        whys = tuple(_whys(name, target, estate))
        if whys:
            refusals.append(f"it is not tried as {name}: {', '.join(whys)}")
        else:
            sizes.append(name)
    skus = [_sku(name, vm, estate) for name in sizes]
    if _data_disks(vm) and any(sku is not None and sku.max_data_disks is None for sku in skus):
        unchecked = (*unchecked, "number of data disks")
    return Alternatives(sizes=tuple(sizes), refusals=tuple(refusals), unchecked=unchecked)


def _bound(vm: VirtualMachine) -> str:
    """Return what ties the VM to its size, if anything does."""
    if vm.is_on_dedicated_host:
        return "on a dedicated host, which carries one family of sizes"
    if vm.capacity_reservation is not None:
        return "in a capacity reservation, which holds room for its own size"
    return ""


def _whys(name: str, target: Target, estate: Estate) -> Iterator[str]:
    """Yield everything that keeps a VM from running as a size, as far as is known when it is planned."""
    vm = target.vm
    own, _ = estate.size_of(vm)
    other = _sku(name, vm, estate)
    if other is None:
        yield f"nothing is known of it in {vm.location}"
        return
    yield from misfits(needs_of(target, own), other)


def needs_of(target: Target, own: Sku | None) -> Needs:
    """Return what a VM needs of another size."""
    vm, choice = target.vm, target.choice
    trusted = choice.trusted_launch is not None or vm.boot.security_type.lower() == "trustedlaunch"
    return Needs(
        zones=vm.zones,
        generations=frozenset({vm.boot.generation, 2} if trusted else {vm.boot.generation}),
        trusted_launch=trusted,
        encryption_at_host=bool(choice.encryption_at_host or vm.boot.encryption_at_host),
        own=own,
        data_disks=_data_disks(vm),
        premium_disks=any((disk.sku or "").lower().startswith("premium") for disk in target.disks),
        nics=len(vm.nics),
        # What it uses itself is not collected; a size that has only NVMe leaves no doubt.
        disk_controller="nvme" if own is not None and own.disk_controllers == ("nvme",) else "scsi",
    )


def _sku(name: str, vm: VirtualMachine, estate: Estate) -> Sku | None:
    """Return what a size can do where the VM runs; the bundled table answers where nothing was collected."""
    if estate.skus:
        return estate.skus.get((name.lower(), vm.location))
    return estate.reference.sizes.get(name.lower())


def _data_disks(vm: VirtualMachine) -> int:
    return sum(1 for entry in vm.disks if entry.lun is not None)
