"""The face in process: the real Azure SDK, from its own polling to its own retries, in virtual time."""

from datetime import timedelta

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.core.rest import HttpRequest
from azure.mgmt.compute import ComputeManagementClient

from readiness.twin.credential import TwinCredential
from readiness.twin.transport import TwinTransport
from tests.twin.seeds import (
    CUSTOMER_KEY,
    OS_DISK,
    START,
    SUBSCRIPTION,
    TRUSTED,
    Wire,
    deallocated,
    disk,
    estate,
)


def client_of(wire: Wire) -> ComputeManagementClient:
    """A real client, on a twin."""
    return ComputeManagementClient(TwinCredential(), SUBSCRIPTION, transport=TwinTransport(wire.twin))


def upgrade(client: ComputeManagementClient) -> None:
    """Take web-1 to Trusted Launch and a customer key, with a snapshot behind it."""
    machines = client.virtual_machines
    machines.begin_deallocate("rg-app", "web-1").result()
    creation = {"createOption": "Copy", "sourceResourceId": OS_DISK}
    body = {"location": "westeurope", "properties": {"creationData": creation, "incremental": False}}
    client.snapshots.begin_create_or_update("rg-app", "before", body).result()
    machines.begin_update("rg-app", "web-1", {"properties": {"securityProfile": TRUSTED}}).result()
    client.disks.begin_update("rg-app", "web-1-os", {"properties": {"encryption": CUSTOMER_KEY}}).result()
    machines.begin_start("rg-app", "web-1").result()


def test_the_whole_upgrade():
    """Deallocate, snapshot, security type, customer key and start through the SDK, in two virtual minutes."""
    wire = Wire()
    client = client_of(wire)
    upgrade(client)
    view = client.virtual_machines.instance_view("rg-app", "web-1")
    assert "PowerState/running" == view.statuses[1].code
    assert "TrustedLaunch" == client.virtual_machines.get("rg-app", "web-1").security_profile.security_type
    assert "Succeeded" == client.snapshots.get("rg-app", "before").provisioning_state
    assert CUSTOMER_KEY["type"] == client.disks.get("rg-app", "web-1-os").encryption.type
    assert timedelta(seconds=100) < wire.clock.now() - START < timedelta(seconds=180)
    assert ["POST", "PUT", "PATCH", "PATCH", "POST"] == [each.method for each in wire.twin.log]


def test_the_agent_is_awaited_in_virtual_time():
    """A client that sleeps on the transport sees the agent become Ready."""
    wire = Wire(*estate(machine=deallocated()))
    client = client_of(wire)
    client.virtual_machines.begin_start("rg-app", "web-1").result()
    wire.clock.sleep(40)
    agent = client.virtual_machines.instance_view("rg-app", "web-1").vm_agent
    assert "Ready" == agent.statuses[0].display_status


def test_refusals_reach_the_client_as_its_own_errors():
    """A refusal arrives as the SDK's exception with Azure's code; a missing machine as not found."""
    client = client_of(Wire())
    with pytest.raises(ResourceExistsError) as caught:
        client.virtual_machines.begin_update("rg-app", "web-1", {"properties": {"securityProfile": TRUSTED}})
    assert "OperationNotAllowed" == caught.value.error.code
    with pytest.raises(ResourceNotFoundError):
        client.virtual_machines.get("rg-app", "none")


def test_a_failed_operation_reaches_the_client():
    """An operation that ends Failed raises from the poller, with the code it ended with."""
    fault = {"kind": "fail", "operation": "virtualMachines/start", "at": "end"}
    client = client_of(Wire(*estate(machine=deallocated()), faults=[fault]))
    with pytest.raises(HttpResponseError) as caught:
        client.virtual_machines.begin_start("rg-app", "web-1").result()
    assert "AllocationFailed" == caught.value.error.code


def test_throttling_is_retried_in_virtual_time():
    """azure-core waits out a 429 by itself: the call succeeds, a virtual half minute later."""
    fault = {"kind": "throttle", "operation": "virtualMachines/deallocate", "retry_after": 30}
    wire = Wire(faults=[fault])
    client_of(wire).virtual_machines.begin_deallocate("rg-app", "web-1", polling=False)
    assert START + timedelta(seconds=30) == wire.clock.now()
    assert "PowerState/deallocating" == wire.power()


def test_paging_is_followed():
    """A pager walks every page of a long list."""
    client = client_of(Wire(*(disk(f"d{number}") for number in range(1001))))
    assert 1001 == len(list(client.disks.list()))


def test_an_operation_survives_its_client():
    """A continuation token taken from one client is resumed by another."""
    wire = Wire()
    poller = client_of(wire).virtual_machines.begin_deallocate("rg-app", "web-1", polling=True)
    token = poller.continuation_token()
    poller.result()
    resumed = client_of(wire).virtual_machines.begin_deallocate("rg-app", "web-1", continuation_token=token)
    assert resumed.result() is None


def test_any_path_can_be_asked():
    """A raw request through the client's own pipeline reads what the SDK has no method for."""
    path = f"/subscriptions/{SUBSCRIPTION}/resourcegroups?api-version=2021-04-01"
    response = client_of(Wire()).send_request(HttpRequest("GET", path))
    response.raise_for_status()
    assert ["rg-app"] == [each["name"] for each in response.json()["value"]]
