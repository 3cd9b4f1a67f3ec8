"""Which of the sizes that an owner named a VM can run as, where Azure has no room for its own.

A size is taken only if everything is known of it that could keep the VM from booting as it: unknown is never
ready. What is not known otherwise (quota, price, accelerated networking, at times how many data disks it
takes) is said to whoever agrees; Azure refuses what cannot be, and then the next size is tried.
"""

from collections.abc import Iterator

from msgspec import Struct

from readiness.model.context import Choice
from readiness.model.estate import Estate
from readiness.model.playbook import Target
from readiness.model.sku import Sku
from readiness.model.virtual_machine import Power, VirtualMachine


class Alternatives(Struct, frozen=True, kw_only=True):
    """Sizes a VM may run as, and what is said of those it may not."""

    sizes: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ("price", "quota", "accelerated networking")
    """What is not known of the sizes."""

    def consent(self, vm: VirtualMachine) -> tuple[str, ...]:
        """Return what its owner agrees to."""
        if not self.sizes:
            return ()
        named = " or ".join(self.sizes)
        return (
            f"if Azure has no room for {vm.size} until its window closes, it runs as {named}, and stays so; "
            f"not checked: {', '.join(self.unchecked)}",
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
    """Yield everything that keeps a VM from running as a size."""
    vm = target.vm
    own, _ = estate.size_of(vm)
    other = _sku(name, vm, estate)
    if other is None:
        yield f"nothing is known of it in {vm.location}"
        return
    if other.restricted or set(vm.zones) & set(other.restricted_zones):
        yield f"it is closed to the subscription ({other.restricted or 'Zone'})"
    yield from _boots(vm, target.choice, other)
    if _differ(_folded(own.architecture if own else None), _folded(other.architecture)):
        yield f"its processor is {other.architecture or 'not known'}"
    if _differ(own.has_temp_disk if own else None, other.has_temp_disk):
        yield "only one of the two sizes has a temporary disk, or that is not known"
    yield from _disks(target, other)


def _sku(name: str, vm: VirtualMachine, estate: Estate) -> Sku | None:
    """Return what a size can do where the VM runs; the bundled table answers where nothing was collected."""
    if estate.skus:
        return estate.skus.get((name.lower(), vm.location))
    return estate.reference.sizes.get(name.lower())


def _boots(vm: VirtualMachine, choice: Choice, other: Sku) -> Iterator[str]:
    trusted = choice.trusted_launch is not None or vm.boot.security_type.lower() == "trustedlaunch"
    generations = {vm.boot.generation, 2} if trusted else {vm.boot.generation}
    missing = sorted(str(one) for one in generations if f"V{one}" not in other.hyper_v_generations)
    if missing:
        yield f"it does not run generation {' and '.join(missing)}"
    if trusted and other.trusted_launch_disabled:
        yield "it has no Trusted Launch"
    if (choice.encryption_at_host or vm.boot.encryption_at_host) and not other.encryption_at_host_supported:
        yield "it has no encryption at host, or that is not known"


def _disks(target: Target, other: Sku) -> Iterator[str]:
    count = _data_disks(target.vm)
    if other.max_data_disks is not None and count > other.max_data_disks:
        yield f"it takes {other.max_data_disks} data disks of {count}"
    premium = any((disk.sku or "").lower().startswith("premium") for disk in target.disks)
    if premium and other.premium_disks is False:
        yield "it takes no Premium disks"


def _data_disks(vm: VirtualMachine) -> int:
    return sum(1 for entry in vm.disks if entry.lun is not None)


def _differ(own: object, other: object) -> bool:
    """Tell whether two facts differ, or one of them is not known."""
    return own is None or other is None or own != other


def _folded(text: str | None) -> str | None:
    return text.lower() if text else None
