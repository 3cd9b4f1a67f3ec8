"""Generalized machines, images, and where boots are told of."""

import pytest

from tests.twin.seeds import COMPUTE, TRUSTED, VM, Wire, deallocated, estate, vm
from tests.twin.test_sdk import client_of

IMAGE = f"{COMPUTE}/images/golden"
FROM_VM = {"location": "westeurope", "properties": {"sourceVirtualMachine": {"id": VM}}}


def test_a_generalized_machine_never_starts():
    """Generalizing needs a machine that is off, shows in its view, and is for good.

    Understand common error messages when you manage virtual machines in Azure,
    https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/error-messages
    """
    wire = Wire()
    refused = wire.ask("POST", f"{VM}/generalize")
    assert "since the VM is running. Please power off explicitly" in refused.body["error"]["message"]
    wire.do("POST", f"{VM}/deallocate")
    client_of(wire).virtual_machines.generalize("rg-app", "web-1")
    statuses = wire.get(f"{VM}/instanceView")["statuses"]
    assert {"code": "OSState/generalized", "level": "Info", "displayStatus": "VM generalized"} in statuses
    answer = wire.ask("POST", f"{VM}/start")
    assert (409, "Operation 'start' is not allowed on VM 'web-1' since the VM is generalized.") == (
        answer.status,
        answer.body["error"]["message"],
    )


def test_trusted_launch_makes_no_managed_image():
    """A managed image of a Trusted Launch machine is refused in the recorded words.

    packer issue 13189, https://github.com/hashicorp/packer/issues/13189
    """
    wire = Wire(*estate(machine=deallocated(securityProfile=TRUSTED)))
    answer = wire.ask("PUT", IMAGE, FROM_VM)
    assert (409, "OperationNotAllowed") == (answer.status, answer.body["error"]["code"])
    assert "TrustedLaunch security type" in answer.body["error"]["message"]


def test_other_images_are_not_made_either():
    """Without generalizing the refusal is Azure's; afterwards it is the twin's own, and says so."""
    wire = Wire(*estate(machine=deallocated()))
    assert (409, "OperationNotAllowed") == wire.refused("PUT", IMAGE, FROM_VM)
    wire.ask("POST", f"{VM}/generalize")
    answer = wire.ask("PUT", IMAGE, FROM_VM)
    assert (405, "1") == (answer.status, answer.headers["x-twin-unverified"])


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("convertToManagedDisks", "VM 'web-1' is already using managed disks."),
        ("capture", "The Capture action is only supported on a Virtual Machine with blob based disks."),
    ],
)
def test_actions_for_unmanaged_disks_are_refused(action, words):
    """A machine with managed disks is not converted, and not captured in the old way.

    Understand common error messages when you manage virtual machines in Azure,
    https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/error-messages
    """
    answer = Wire(*estate(machine=deallocated())).ask("POST", f"{VM}/{action}")
    assert 409 == answer.status
    assert answer.body["error"]["message"].startswith(words)


def test_unmanaged_machines_are_not_converted_by_the_twin():
    """A machine with unmanaged disks has to be off, and is then refused as not modelled."""
    disks = {"osDisk": {"osType": "Linux", "vhd": {"uri": "https://x.example/os.vhd"}}}
    wire = Wire(vm(storageProfile=disks))
    assert (409, "OperationNotAllowed") == wire.refused("POST", f"{VM}/convertToManagedDisks")
    wire.do("POST", f"{VM}/deallocate")
    assert (405, "MethodNotAllowed") == wire.refused("POST", f"{VM}/convertToManagedDisks")


def test_boot_diagnostics_are_told_where_they_are_enabled():
    """A machine with boot diagnostics has them in its view and gives addresses; another one refuses.

    Virtual Machines - Retrieve Boot Diagnostics Data,
    https://learn.microsoft.com/rest/api/compute/virtual-machines/retrieve-boot-diagnostics-data
    """
    wire = Wire(*estate(machine=vm(diagnosticsProfile={"bootDiagnostics": {"enabled": True}})))
    assert {} == wire.get(f"{VM}/instanceView")["bootDiagnostics"]
    found = client_of(wire).virtual_machines.retrieve_boot_diagnostics_data("rg-app", "web-1")
    assert found.serial_console_log_blob_uri.endswith("web-1.serialconsole.log")
    assert (409, "OperationNotAllowed") == Wire().refused("POST", f"{VM}/retrieveBootDiagnosticsData")
