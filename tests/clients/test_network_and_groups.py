"""The Azure CLI works on security rules, resource groups, templates and Resource Graph of a served twin."""

import pytest

from tests.clients.cli import AzureCli

pytestmark = pytest.mark.clients

RULE = "-g rg-shared --nsg-name nsg-web -n deny-more"
QUERY = (
    '{"query": "Resources | where type =~ \'microsoft.compute/virtualmachines\' | project name '
    '| order by name asc | limit 2"}'
)


def test_a_security_rule_comes_changes_and_goes(az: AzureCli) -> None:
    """A rule is made, listed beside the others, given another priority and deleted.

    az network nsg rule, https://learn.microsoft.com/cli/azure/network/nsg/rule
    """
    made = az.ask(
        f"network nsg rule create {RULE} --priority 345 --access Deny --protocol Tcp "
        "--source-address-prefixes Internet --destination-port-ranges 22"
    )
    assert ("Succeeded", "Inbound", "22") == (
        made["provisioningState"],
        made["direction"],
        made["destinationPortRange"],
    )
    rules = {each["name"] for each in az.ask("network nsg rule list -g rg-shared --nsg-name nsg-web")}
    assert {"deny-more", "allow-ssh-from-mgmt"} < rules
    assert 346 == az.ask(f"network nsg rule update {RULE} --priority 346")["priority"]
    assert "nsg-web" in {each["name"] for each in az.ask("network nsg list -g rg-shared")}
    az.ask(f"network nsg rule delete {RULE}")
    assert (3, "NotFound") == az.refused(f"network nsg rule show {RULE}")


def test_a_group_comes_and_goes_with_what_is_in_it(az: AzureCli) -> None:
    """A group is made, lists only what is its own, and takes it along when it is deleted.

    az group, https://learn.microsoft.com/cli/azure/group
    """
    assert "Succeeded" == az.ask("group create -n rg-brief -l westeurope")["properties"]["provisioningState"]
    az.ask("disk create -g rg-brief -n brief --size-gb 4")
    assert ["brief"] == [each["name"] for each in az.ask("resource list -g rg-brief")]
    az.ask("group delete -n rg-brief --yes")
    assert az.ask("group exists -n rg-brief") is False
    assert az.truth("/disks/brief") is None


def test_a_new_machine_with_everything_around_it(az: AzureCli) -> None:
    """`az vm create` makes network, address and Trusted Launch machine through one deployment; it runs.

    Quickstart: Create a Linux virtual machine with the Azure CLI,
    https://learn.microsoft.com/azure/virtual-machines/linux/quick-create-cli
    """
    az.ask("group create -n rg-quick -l westeurope")
    made = az.ask(
        "vm create -g rg-quick -n quick-01 --image Ubuntu2204 --size Standard_D2s_v5 "
        "--admin-username azureuser --generate-ssh-keys"
    )
    assert "VM running" == made["powerState"]
    vm = az.truth("/virtualMachines/quick-01")["properties"]
    assert "TrustedLaunch" == vm["securityProfile"]["securityType"]
    assert vm["osProfile"]["linuxConfiguration"]["disablePasswordAuthentication"] is True
    address = az.ask("vm show -g rg-quick -n quick-01 --show-details")["publicIps"]
    assert made["publicIpAddress"] == address
    kinds = {each["type"].lower() for each in az.ask("resource list -g rg-quick")}
    assert {"microsoft.network/virtualnetworks", "microsoft.network/networksecuritygroups"} < kinds
    az.ask("vm delete -g rg-quick -n quick-01 --yes")
    assert az.truth("/virtualMachines/quick-01") is None


def test_resource_graph_is_asked_through_rest(az: AzureCli) -> None:
    """A query is answered with as many rows as it asks for.

    az rest, https://learn.microsoft.com/cli/azure/reference-index#az-rest
    """
    url = "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01"
    found = az.ask("rest --method post --url {url} --body {body}", url=url, body=QUERY)
    assert [{"name": "bo-app-01"}, {"name": "bo-app-02"}] == found["data"]
