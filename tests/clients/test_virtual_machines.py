"""The Azure CLI works on virtual machines of a served twin."""

import re

import pytest

from tests.clients.cli import AzureCli

pytestmark = pytest.mark.clients

GROUP = "--resource-group rg-storefront"
AGENT = "AzureMonitorLinuxAgent"
WEB = f"{GROUP} --name sf-web-01"


def test_every_machine_is_listed_with_its_disks_and_extensions(az: AzureCli) -> None:
    """`az vm list` names each machine of the subscription; of extensions, lists tell the ids alone.

    az vm list, https://learn.microsoft.com/cli/azure/vm#az-vm-list
    """
    found = {each["name"]: each for each in az.ask("vm list")}
    assert {"sf-web-01", "jump-01", "bo-report-01"} < set(found)
    assert "rg-storefront" == found["sf-web-01"]["resourceGroup"]
    extensions = found["bo-report-01"]["resources"]
    assert [True] == [each["id"].endswith("/extensions/AzureDiskEncryption") for each in extensions]
    assert "AzureDiskEncryption" == az.ask("vm show -g rg-backoffice -n bo-report-01")["resources"][0]["name"]


def test_details_come_from_the_network_and_the_instance_view(az: AzureCli) -> None:
    """`--show-details` adds the power state, and the addresses of the network interface.

    az vm show, https://learn.microsoft.com/cli/azure/vm#az-vm-show
    """
    vm = az.ask(f"vm show {GROUP} -n sf-web-02 --show-details")
    assert ("VM running", "10.40.1.5") == (vm["powerState"], vm["privateIps"])
    assert "Standard_D2s_v5" == vm["hardwareProfile"]["vmSize"]


def test_a_conversion_to_trusted_launch_and_back(az: AzureCli) -> None:
    """Deallocated, a machine is given Trusted Launch and started, and is taken back to Standard the same way.

    Enable Trusted launch on existing Azure Gen2 VMs,
    https://learn.microsoft.com/azure/virtual-machines/trusted-launch-existing-vm
    """
    to_trusted = f"vm update {WEB} --security-type TrustedLaunch --enable-secure-boot true --enable-vtpm true"
    code, _ = az.refused(to_trusted)
    assert (1, "running") == (code, az.power("sf-web-01"))
    az.ask(f"vm deallocate {WEB}")
    assert "deallocated" == az.power("sf-web-01")
    profile = az.ask(to_trusted)["securityProfile"]
    assert "TrustedLaunch" == profile["securityType"]
    assert {"secureBootEnabled": True, "vTpmEnabled": True} == profile["uefiSettings"]
    az.ask(f"vm start {WEB}")
    assert "running" == az.power("sf-web-01")
    assert profile == az.truth("/virtualMachines/sf-web-01")["properties"]["securityProfile"]
    az.ask(f"vm deallocate {WEB}")
    assert (
        "Standard" == az.ask(f"vm update {WEB} --security-type Standard")["securityProfile"]["securityType"]
    )
    az.ask(f"vm start {WEB}")
    assert "TrustedLaunch" != az.ask(f"vm show {WEB}")["securityProfile"]["securityType"]


def test_an_update_that_changes_nothing_ends_soon(az: AzureCli) -> None:
    """A PUT without a change is followed by the machine's state alone, at the twin's speed.

    az vm update, https://learn.microsoft.com/cli/azure/vm#az-vm-update
    """
    before = az.ask(f"vm show {GROUP} -n sf-web-02")
    after, talk = az.overheard(f"vm update {GROUP} -n sf-web-02")
    assert before | {"etag": after["etag"]} == after
    assert ["GET", "PUT", "GET"] == re.findall("Request method: '(.*)'", talk)
    # Where nobody tells a client how long to wait, it waits half a minute between two looks.
    assert 1 == len(re.findall("'retry-after-ms': '.*'", talk))


def test_restart_stop_and_resize(az: AzureCli) -> None:
    """A machine restarts, stops without being deallocated, and takes another size.

    az vm, https://learn.microsoft.com/cli/azure/vm
    """
    name = f"{GROUP} -n sf-web-02"
    az.ask(f"vm restart {name}")
    assert "running" == az.power("sf-web-02")
    az.ask(f"vm stop {name}")
    assert "stopped" == az.power("sf-web-02")
    assert (
        "Standard_D4s_v5" == az.ask(f"vm resize {name} --size Standard_D4s_v5")["hardwareProfile"]["vmSize"]
    )
    assert (
        "Standard_D4s_v5" == az.truth("/virtualMachines/sf-web-02")["properties"]["hardwareProfile"]["vmSize"]
    )


def test_identities_come_and_go(az: AzureCli) -> None:
    """A system-assigned identity is a principal of the tenant, beside the user-assigned one that stays.

    az vm identity, https://learn.microsoft.com/cli/azure/vm/identity
    """
    name = f"{GROUP} -n sf-app-02"
    principal = az.ask(f"vm identity assign {name}")["systemAssignedIdentity"]
    shown = az.ask(f"vm identity show {name}")
    assert "SystemAssigned, UserAssigned" == shown["type"]
    assert (principal, az.environment["AZURE_TENANT_ID"]) == (shown["principalId"], shown["tenantId"])
    assert principal == az.truth("/virtualMachines/sf-app-02")["identity"]["principalId"]
    az.ask(f"vm identity remove {name}")
    left = az.truth("/virtualMachines/sf-app-02")["identity"]
    assert ("UserAssigned", ["id-sf-orders"]) == (
        left["type"],
        [each.rpartition("/")[2] for each in left["userAssignedIdentities"]],
    )


def test_an_extension_is_found_installed_and_removed(az: AzureCli) -> None:
    """Without a version the newest one is looked up; the extension is there until it is deleted.

    az vm extension, https://learn.microsoft.com/cli/azure/vm/extension
    """
    vm = f"{GROUP} --vm-name sf-web-01"
    one = f"{vm} --name AzureMonitorLinuxAgent"
    newest = az.ask(
        "vm extension image list-versions -l westeurope -p Microsoft.Azure.Monitor -n {name}", name=AGENT
    )
    made = az.ask(f"vm extension set {one} --publisher Microsoft.Azure.Monitor")
    assert ("Succeeded", AGENT) == (made["provisioningState"], made["typePropertiesType"])
    assert newest[-1]["name"].startswith(made["typeHandlerVersion"] + ".")
    assert [AGENT] == [each["name"] for each in az.ask(f"vm extension list {vm}")]
    assert az.truth(f"/virtualMachines/sf-web-01/extensions/{AGENT}") is not None
    az.ask(f"vm extension delete {one}")
    assert az.truth(f"/virtualMachines/sf-web-01/extensions/{AGENT}") is None


def test_scripts_run_in_the_machine(az: AzureCli) -> None:
    """An action answers what a script said; a managed run command keeps it, with its exit code.

    Run scripts in your Linux VM by using managed Run Commands,
    https://learn.microsoft.com/azure/virtual-machines/linux/run-command-managed
    """
    said = az.ask(
        f"vm run-command invoke {WEB} --command-id RunShellScript --scripts {{script}}",
        script="echo this is $(hostname)",
    )
    assert "[stdout]\nthis is sf-web-01\n" in said["value"][0]["message"]
    one = f"{GROUP} --vm-name sf-web-01 --run-command-name said"
    made = az.ask(f"vm run-command create {one} --script {{script}}", script="echo kept; exit 3")
    assert "said" == made["name"]
    view = az.ask(f"vm run-command show {one} --instance-view")["instanceView"]
    assert ("kept\n", 3) == (view["output"], view["exitCode"])
    az.ask(f"vm run-command delete {one} --yes")
    assert [] == az.ask(f"vm run-command list {GROUP} --vm-name sf-web-01")


def test_what_is_not_there_is_exit_code_3(az: AzureCli) -> None:
    """A machine nobody has is refused in Azure's words, with the exit code for what was not found.

    Azure CLI exit codes, https://learn.microsoft.com/cli/azure/use-azure-cli-successfully-troubleshooting
    """
    assert (3, "ResourceNotFound") == az.refused(f"vm show {GROUP} -n nobody")
    assert (3, "ResourceGroupNotFound") == az.refused("group show -n rg-nobody")
