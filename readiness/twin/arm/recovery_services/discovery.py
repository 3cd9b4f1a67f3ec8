"""What a vault could protect and what it knows already: protectable items, containers, and a machine's state.

Learn, "Back up Azure VMs using REST API": discovery is asked for by `refreshContainers` and read from
`backupProtectableItems`. The twin has nothing to discover: its lists are always fresh. Protection intents are
not modelled; a write to one is refused as unknown.
"""

from dataclasses import replace

from readiness.twin.arm import progress
from readiness.twin.arm.paging import page
from readiness.twin.arm.recovery_services.filters import fits, terms
from readiness.twin.arm.recovery_services.kinds import (
    COMPUTE_VM,
    CONTAINER,
    FABRIC,
    ITEM,
    VAULT,
    Place,
    find_place,
    listed_in,
    need_item,
    need_vault,
    place_of,
    vault_id,
)
from readiness.twin.documents import Json, duplicate, look, same
from readiness.twin.messages import ArmError, Response
from readiness.twin.paths import parse
from readiness.twin.protocols import BACKUP
from readiness.twin.state import VM, place
from readiness.twin.world import Call, Routes, World

_FILTERS = {
    "backupmanagementtype": "properties.backupManagementType",
    "friendlyname": "properties.friendlyName",
}


def refresh(world: World, call: Call) -> Response:
    """Look for machines that could be protected."""
    need_vault(world.state, call.address)
    ticket = world.admit(call, "vaults/backupFabrics/refreshContainers", call.address.resource_id)
    operation = world.begin(call, ticket, done=lambda _: None, failed=lambda _: None, protocol=BACKUP)
    return world.accepted(call, ticket, operation, Response(202))


def protectable(world: World, call: Call) -> Response:
    """Answer the machines of the vault's subscription and region that no vault protects."""
    vault, state = need_vault(world.state, call.address), world.state
    taken = {str(look(item, "properties.sourceResourceId")).lower() for item in state.of_kind(ITEM)}
    found = [
        _protectable(vault, vm)
        for vm in state.of_kind(VM, f"/subscriptions/{call.address.subscription}")
        if vm["id"].lower() not in taken and place(vm.get("location")) == place(vault.get("location"))
    ]
    wanted = terms(call)
    return page(call, [each for each in found if fits(each, wanted, _FILTERS)], duplicate)


def _protectable(vault: Json, vm: Json) -> Json:
    own = parse(vm["id"])
    where = Place(vault=vault["id"], group=own.group, machine=own.name)
    return {
        "id": f"{where.container_id}/protectableItems/{where.item}",
        "name": f"iaasvmcontainerv2;{own.group};{own.name}",
        "type": "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectableItems",
        "properties": {
            "protectableItemType": COMPUTE_VM,
            "virtualMachineId": vm["id"],
            "virtualMachineVersion": "Compute",
            "resourceGroup": own.group,
            "backupManagementType": "AzureIaasVM",
            "workloadType": "VM",
            "friendlyName": own.name,
            "protectionState": "NotProtected",
        },
    }


def containers(world: World, call: Call) -> Response:
    """Answer the containers of a vault."""
    wanted = terms(call)
    machines = [(each, find_place(parse(each["id"]))) for each in listed_in(world.state, call.address, ITEM)]
    found = [_container(item, where) for item, where in machines if where is not None]
    return page(call, [each for each in found if fits(each, wanted, _FILTERS)], duplicate)


def container(world: World, call: Call) -> Response:
    """Answer one container."""
    where = place_of(call.address)
    return Response(200, _container(need_item(world.state, call.address), where))


def _container(item: Json, where: Place) -> Json:
    source = str(look(item, "properties.sourceResourceId"))
    return {
        "id": where.container_id,
        "name": where.container,
        "type": "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers",
        "properties": {
            "containerType": COMPUTE_VM,
            "protectableObjectType": COMPUTE_VM,
            "virtualMachineId": source,
            "virtualMachineVersion": "Compute",
            "resourceGroup": where.group,
            "friendlyName": look(item, "properties.friendlyName"),
            "backupManagementType": "AzureIaasVM",
            "registrationStatus": "Registered",
            "healthStatus": "Healthy",
        },
    }


def status(world: World, call: Call) -> Response:
    """Answer whether, and where, a machine is protected."""
    source = call.body().get("resourceId")
    if not same(call.body().get("resourceType"), "VM") or not isinstance(source, str):
        raise ArmError(
            400,
            "BMSUserErrorInvalidInput",
            "The backup status is told of resources of type VM, by their resourceId.",
            unverified=True,
        )
    for item in world.state.of_kind(ITEM):
        where = find_place(parse(item["id"]))
        if where is not None and same(look(item, "properties.sourceResourceId"), source):
            return Response(200, _status(item, where))
    return Response(200, {"protectionStatus": "NotProtected", "fabricName": "Invalid"})


def _status(item: Json, where: Place) -> Json:
    words = {"irpending": "Protecting", "protectionerror": "ProtectionFailed"}
    return {
        "protectionStatus": words.get(str(look(item, "properties.protectionState")).lower(), "Protected"),
        "vaultId": where.vault,
        "fabricName": "Azure",
        "containerName": where.container,
        "protectedItemName": where.item,
        "policyName": look(item, "properties.policyName"),
    }


def result(world: World, call: Call) -> Response:
    """Answer an operation's result at its vault, where clients that know only its name ask for it."""
    address = parse(f"{vault_id(call.address)}/operationResults/{call.address.name}")
    return progress.poll(world, replace(call, address=address))


ROUTES: Routes = {
    ("POST", FABRIC, "refreshcontainers"): refresh,
    ("GET", VAULT, "backupprotectableitems"): protectable,
    ("GET", VAULT, "backupprotectioncontainers"): containers,
    ("GET", CONTAINER, ""): container,
    ("POST", "microsoft.recoveryservices/locations", "backupstatus"): status,
    ("GET", f"{VAULT}/backupoperations", ""): progress.poll,
    ("GET", f"{VAULT}/backupoperationresults", ""): result,
}
