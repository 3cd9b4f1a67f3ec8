"""The size of a virtual machine: when Azure refuses to give a machine the size that is asked for.

Sources of the wordings: Learn, "Understand common error messages when you manage virtual machines in Azure";
"Resolve errors for SKU not available"; the recorded refusals of Premium storage and of resource disks.
Guarantees: a size or capability the seed says nothing of is never a reason to refuse, except that a location
of which sizes are known offers no others.
"""

from readiness.twin.documents import Json, look, same
from readiness.twin.machine import Machine, Power, model_disks
from readiness.twin.messages import ArmError, invalid_parameter, not_allowed
from readiness.twin.state import State, capability, is_offered, place

_RESIZING = "Read more on VM resizing strategy at https://aka.ms/azure-resizevm."


def name_of(vm: Json) -> str:
    """Return the size of a machine."""
    return str(look(vm, "properties.hardwareProfile.vmSize") or "")


def check_new(state: State, vm: Json) -> None:
    """Refuse a size the machine's location does not have, or does not have to give."""
    size = state.size(name_of(vm), vm.get("location"))
    if size is None:
        _refuse_unknown(state, vm)
        return
    check_capacity(vm, size)
    _check_disks(state, vm, size)


def check_change(state: State, before: Json, after: Json, machine: Machine) -> None:
    """Refuse another size, where the machine cannot have it, or cannot have it now."""
    if not same(name_of(before), name_of(after)):
        check_new(state, after)
        old, new = (state.size(name_of(vm), vm.get("location")) for vm in (before, after))
        if old is not None and new is not None:
            _check_hardware(state, before, old, new, machine)
        return
    size = state.size(name_of(after), after.get("location"))
    if size is not None and len(model_disks(after)) > len(model_disks(before)):
        _check_disks(state, after, size)


def check_capacity(vm: Json, size: Json) -> None:
    """Refuse a size that Azure restricts in the location or zone of a machine."""
    zones = {str(zone) for zone in vm.get("zones") or []}
    for restriction in size.get("restrictions") or []:
        kind, told = str(restriction.get("type")), restriction.get("restrictionInfo") or {}
        places = [place(each) for each in told.get("locations") or restriction.get("values") or []]
        is_here = place(vm.get("location")) in places
        closed = {str(zone) for zone in told.get("zones") or []}
        if is_here and (same(kind, "Location") or (same(kind, "Zone") and zones & closed)):
            raise ArmError(
                409,
                "SkuNotAvailable",
                f"The requested VM size for resource '{vm['id']}' is currently not available in location "
                f"'{place(vm.get('location'))}'. Please try another size or deploy to a different location "
                "or different zone. See https://aka.ms/azureskunotavailable for details.",
            )


def _refuse_unknown(state: State, vm: Json) -> None:
    offered = [
        str(size["name"])
        for size in state.sizes
        if same(size.get("resourceType"), "virtualMachines") and is_offered(size, vm.get("location"))
    ]
    if offered:
        raise invalid_parameter(
            f"The requested VM size {name_of(vm)} is not available in the current region. The sizes "
            f"available in the current region are: {','.join(offered)}. Find out more on the available VM "
            "sizes in each region at https://aka.ms/azure-regions.",
            "vmSize",
        )


def _check_disks(state: State, vm: Json, size: Json) -> None:
    most = str(capability(size, "MaxDataDiskCount") or "")
    disks = model_disks(vm)
    data = look(vm, "properties.storageProfile.dataDisks") or []
    if most.isdecimal() and len(data) > int(most):
        raise not_allowed(
            f"The maximum number of data disks allowed to be attached to a VM of this size is {most}."
        )
    if not same(capability(size, "PremiumIO"), "False"):
        return
    for disk in disks:
        known = state.find(look(disk, "managedDisk.id"))
        kind = look(known, "sku.name") or look(disk, "managedDisk.storageAccountType")
        if str(kind or "").lower().startswith("premium"):
            raise invalid_parameter(
                f"Requested operation cannot be performed because the VM size {size['name']} does not "
                f"support the storage account type {kind} of disk '{disk.get('name')}'. Consider updating "
                "the VM to a size that supports Premium storage.",
                "osDisk.managedDisk.storageAccountType",
            )


def _check_hardware(state: State, vm: Json, old: Json, new: Json, machine: Machine) -> None:
    """Refuse hardware an allocated machine, or its availability set, cannot reach."""
    is_windows = same(look(vm, "properties.storageProfile.osDisk.osType"), "Windows")
    disks = [capability(size, "MaxResourceVolumeMB") for size in (old, new)]
    if is_windows and None not in disks and (str(disks[0]) == "0") is not (str(disks[1]) == "0"):
        raise not_allowed(
            f"Unable to resize the VM '{vm['name']}' since changing from resource disk to non-resource disk "
            "VM size and vice-versa is not allowed. Please refer to https://aka.ms/AAah4sj for more details."
        )
    family = old.get("family"), new.get("family")
    if None in family or same(*family):
        return
    # That hardware clusters carry whole families is an assumption; which they carry is not public.
    if machine.power is not Power.DEALLOCATED:
        raise not_allowed(
            f"Unable to resize the VM because the requested size {new['name']} is not available in the "
            f"cluster where the VM is currently allocated. To resize your VM to {new['name']} please "
            "deallocate (this is Stop operation in the Azure portal) and try the resize operation again. "
            f"{_RESIZING}"
        )
    set_id = look(vm, "properties.availabilitySet.id")
    if any(state.machine(other).power is not Power.DEALLOCATED for other in peers(state, vm, set_id)):
        sizes = [each for each in state.sizes if same(each.get("family"), old.get("family"))]
        raise not_allowed(
            f"Unable to resize the VM because the requested size {new['name']} is not available in the "
            "cluster where the availability set is currently allocated. The available sizes are: "
            f"{','.join(str(each['name']) for each in sizes)}. {_RESIZING}"
        )


def peers(state: State, vm: Json, set_id: object) -> list[Json]:
    """Return the other machines of an availability set."""
    if not isinstance(set_id, str):
        return []
    return [
        other
        for other in state.of_kind("microsoft.compute/virtualmachines")
        if same(look(other, "properties.availabilitySet.id"), set_id) and not same(other["id"], vm["id"])
    ]
