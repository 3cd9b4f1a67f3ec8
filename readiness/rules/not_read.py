"""What several rules answer where a fact that they all need was not read."""

from readiness.model.estate import Estate
from readiness.model.ids import ResourceId
from readiness.model.verdict import Evidence, Verdict, unknown
from readiness.model.virtual_machine import VirtualMachine
from readiness.rules.sightings import extension_of, os_family_missing


def nameless_extensions(vm: VirtualMachine) -> Verdict | None:
    """Return that some extensions of the VM may be anything; None where all of them are known."""
    found = [entry for entry in vm.extensions if not entry.type]
    if not found:
        return None
    detail = f"Nobody can tell what these extensions are: {', '.join(entry.name for entry in found)}."
    return unknown("ExtensionNotRead", detail, *(extension_of(vm, entry) for entry in found))


def extensions_not_listed(vm: VirtualMachine, estate: Estate) -> Verdict | None:
    """Return that the VM may have an extension that nobody asked for; None where all of them would show.

    A VM is shown with all of its extensions or with none: where some are there, it has no others.
    """
    if vm.extensions or estate.was_listed(EXTENSIONS, vm.id.subscription):
        return nameless_extensions(vm)
    detail = f"None was seen, and nobody asked for all of them; collect '{EXTENSIONS}'."
    place = ResourceId(f"/subscriptions/{vm.id.subscription}/providers/{EXTENSIONS}")
    return unknown("NotListed", detail, Evidence(place, "value", None))


def os_not_reported(vm: VirtualMachine) -> Verdict:
    """Return that nobody knows which kind of operating system the VM runs."""
    detail = "The operating system was not reported; read 'osDisk.osType'."
    return unknown("OsNotReported", detail, os_family_missing(vm))


EXTENSIONS = "Microsoft.Compute/virtualMachines/extensions"
