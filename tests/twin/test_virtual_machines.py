"""Virtual machines: what a model shows, and what a write does to it."""

from threading import Thread

from tests.twin.seeds import COMPUTE, OS_DISK, SUBSCRIPTION, TRUSTED, VM, Wire, deallocated, disk, estate, vm

IDENTITIES = COMPUTE.replace("Microsoft.Compute", "Microsoft.ManagedIdentity")
ONE = f"{IDENTITIES}/userAssignedIdentities/one"
TWO = ONE.replace("/one", "/two")


def test_ids_are_compared_without_case():
    """A machine is found by its id in any case, and keeps the case it was seeded in."""
    assert VM == Wire().get(VM.upper().replace("/SUBSCRIPTIONS", "/subscriptions"))["id"]


def test_instance_view_comes_only_on_request():
    """The instance view is in the answer only where it is expanded."""
    wire = Wire()
    assert "instanceView" not in wire.get(VM)["properties"]
    assert "instanceView" in wire.get(VM, query={"$expand": "instanceView"})["properties"]


def test_status_only_lists_carry_power():
    """A list with statusOnly carries instance views, so that one call reads every power state."""
    wire = Wire(*estate(vm("web-2")))
    path = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/virtualMachines"
    listed = wire.get(path, query={"statusOnly": "true"})["value"]
    assert ["web-1", "web-2"] == sorted(each["name"] for each in listed)
    assert all("instanceView" in each["properties"] for each in listed)


def test_standard_is_told_from_its_api_version_on():
    """A machine without a security type says Standard from 2025-11-01 on, and nothing before."""
    wire = Wire()
    assert "securityProfile" not in wire.get(VM, version="2025-04-01")["properties"]
    assert {"securityType": "Standard"} == wire.get(VM, version="2025-11-01")["properties"]["securityProfile"]


def test_etag_steps_when_a_write_is_accepted():
    """The etag is a quoted number in body and header, and steps at acceptance, not at the end."""
    wire = Wire()
    assert '"1"' == wire.ask("GET", VM).headers["ETag"]
    answer = wire.ask("PATCH", VM, {"tags": {"app": "shop", "step": "1"}})
    assert ('"2"', '"2"') == (answer.headers["ETag"], answer.body["etag"])
    assert '"2"' == wire.get(VM)["etag"]
    assert "ETag" not in wire.ask("GET", VM, query={"$expand": "instanceView"}).headers


def test_if_match_refuses_a_stale_writer():
    """A write that names an older etag is refused with 412, and one that names the present one is not."""
    wire = Wire()
    stale = wire.refused("PATCH", VM, {"tags": {}}, headers={"if-match": '"7"'})
    assert (412, "PreconditionFailed") == stale
    assert 200 == wire.ask("PATCH", VM, {"tags": {}}, headers={"if-match": '"1"'}).status


def test_patch_echoes_the_new_model_while_it_is_updating():
    """A PATCH answers 200 with an operation to follow and the new model, still Updating."""
    wire = Wire(*estate(machine=deallocated()))
    answer = wire.ask("PATCH", VM, {"properties": {"securityProfile": TRUSTED}})
    assert 200 == answer.status
    assert "Updating" == answer.body["properties"]["provisioningState"]
    assert TRUSTED == answer.body["properties"]["securityProfile"]
    assert answer.headers["Azure-AsyncOperation"].startswith("https://twin.example/subscriptions/")
    assert "InProgress" == wire.follow(answer)["status"]
    wire.clock.sleep(11)
    assert "Succeeded" == wire.follow(answer)["status"]
    assert "Succeeded" == wire.get(VM)["properties"]["provisioningState"]


def test_partial_put_keeps_what_it_leaves_out():
    """A PUT with only a security profile keeps the rest of the model and its siblings."""
    machine = deallocated(securityProfile={"encryptionAtHost": True})
    wire = Wire(*estate(machine=machine))
    wire.do("PUT", VM, {"location": "westeurope", "properties": {"securityProfile": TRUSTED}})
    after = wire.get(VM)
    assert {**TRUSTED, "encryptionAtHost": True} == after["properties"]["securityProfile"]
    assert machine["properties"]["osProfile"] == after["properties"]["osProfile"]
    assert {"app": "shop"} == after["tags"]


def test_a_full_put_of_what_was_read_changes_nothing():
    """What GET answers can be PUT back, as the az CLI does, without any change but the etag."""
    wire = Wire()
    before = wire.get(VM)
    wire.do("PUT", VM, before)
    assert before | {"etag": '"2"'} == wire.get(VM)


def test_password_authentication_is_fixed_at_creation():
    """Changing disablePasswordAuthentication is refused with the recorded code, message and target."""
    change = {"properties": {"osProfile": {"linuxConfiguration": {"disablePasswordAuthentication": True}}}}
    answer = Wire().ask("PATCH", VM, change)
    target = "linuxConfiguration.disablePasswordAuthentication"
    assert 409 == answer.status
    assert {
        "error": {
            "code": "PropertyChangeNotAllowed",
            "message": f"Changing property '{target}' is not allowed.",
            "target": target,
        }
    } == answer.body


def test_secrets_are_never_kept():
    """A password in a body is refused, and custom data is dropped: neither is ever in the ground truth."""
    wire = Wire()
    body = {"properties": {"osProfile": {"adminPassword": "hunter2-not-real"}}}
    assert (409, "PropertyChangeNotAllowed") == wire.refused("PATCH", VM, body)
    wire.do("PATCH", VM, {"properties": {"osProfile": {"customData": "hunter2-not-real"}}})
    assert "hunter2" not in str(wire.twin.resources())


def test_one_operation_at_a_time():
    """A second write is refused while the first is carried out, and accepted after it."""
    wire = Wire()
    wire.ask("POST", f"{VM}/deallocate")
    assert (409, "OperationNotAllowed") == wire.refused("PATCH", VM, {"tags": {}})
    wire.clock.sleep(70)
    assert 200 == wire.ask("PATCH", VM, {"tags": {}}).status


def test_system_assigned_identity_has_a_principal():
    """Switching on a system-assigned identity makes a principal, the same one in every rehearsal."""
    first, second = Wire(), Wire()
    for wire in (first, second):
        wire.do("PATCH", VM, {"identity": {"type": "SystemAssigned"}})
    identity = first.get(VM)["identity"]
    assert {"type", "principalId", "tenantId"} == set(identity)
    assert identity == second.get(VM)["identity"]


def test_system_assigned_alone_drops_user_assigned_identities():
    """The trap of the identity PATCH: SystemAssigned alone takes every user-assigned identity away."""
    wire = Wire()
    wire.do("PATCH", VM, {"identity": {"type": "UserAssigned", "userAssignedIdentities": {ONE: {}}}})
    wire.do("PATCH", VM, {"identity": {"type": "SystemAssigned"}})
    assert "userAssignedIdentities" not in wire.get(VM)["identity"]


def test_user_assigned_identities_add_up_and_null_removes():
    """A PATCH adds to the identities that are there; a null removes one, in any case of its id."""
    wire = Wire()
    both = "SystemAssigned, UserAssigned"
    wire.do("PATCH", VM, {"identity": {"type": both, "userAssignedIdentities": {ONE: {}}}})
    wire.do("PATCH", VM, {"identity": {"type": both, "userAssignedIdentities": {TWO: {}}}})
    assert {ONE, TWO} == set(wire.get(VM)["identity"]["userAssignedIdentities"])
    wire.do("PATCH", VM, {"identity": {"type": both, "userAssignedIdentities": {ONE.lower(): None}}})
    left = wire.get(VM)["identity"]["userAssignedIdentities"]
    assert {TWO} == set(left)
    assert {"principalId", "clientId"} == set(left[TWO])


def test_identity_none_leaves_no_identity():
    """After None there is no identity in the answer at all, and the next principal is a new one."""
    wire = Wire()
    wire.do("PATCH", VM, {"identity": {"type": "SystemAssigned"}})
    before = wire.get(VM)["identity"]["principalId"]
    wire.do("PATCH", VM, {"identity": {"type": "None"}})
    assert "identity" not in wire.get(VM)
    wire.do("PATCH", VM, {"identity": {"type": "SystemAssigned"}})
    assert before != wire.get(VM)["identity"]["principalId"]


def test_an_os_disk_can_be_swapped():
    """Naming another disk lets go of the old one and takes the new one."""
    wire = Wire(*estate(disk("web-1-new"), machine=deallocated()))
    new = f"{COMPUTE}/disks/web-1-new"
    swap = {"storageProfile": {"osDisk": {"name": "web-1-new", "managedDisk": {"id": new}}}}
    wire.do("PATCH", VM, {"properties": swap})
    assert "Unattached" == wire.get(OS_DISK)["properties"]["diskState"]
    assert ("Reserved", VM) == (wire.get(new)["properties"]["diskState"], wire.get(new)["managedBy"])


def test_bad_bodies_are_refused():
    """A body of the wrong shape is a 400 in the ARM envelope, not an accident."""
    wire = Wire()
    for body in (None, [], {"properties": "all"}, {"identity": 1}):
        assert (400, "InvalidRequestContent") == wire.refused("PATCH", VM, body)


def test_many_clients_at_once():
    """Clients on many threads each get their own write through, and no tag step is lost."""
    names = [f"m-{number}" for number in range(8)]
    wire = Wire(*(vm(name) for name in names))

    def write(name: str) -> None:
        for step in range(10):
            wire.ask("PATCH", f"{COMPUTE}/virtualMachines/{name}", {"tags": {"step": str(step)}})
            wire.clock.sleep(15)

    threads = [Thread(target=write, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {'"11"'} == {wire.get(f"{COMPUTE}/virtualMachines/{name}")["etag"] for name in names}
