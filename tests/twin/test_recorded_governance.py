"""Policies and vaults as recorded: each test names repository and file, and copies neither."""

from tests.twin.backups import ITEM, place, protect
from tests.twin.seeds import SUBSCRIPTION, Wire

HOME = f"/subscriptions/{SUBSCRIPTION}"
GROUP = f"{HOME}/resourceGroups/rg-app"
VAULT = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/rsv"
ASSIGNMENT = f"{GROUP}/providers/Microsoft.Authorization/policyAssignments/tags"
DEFINITION = f"{HOME}/providers/Microsoft.Authorization/policyDefinitions/own"


def test_an_assignment_tells_who_made_it_and_has_its_identity_at_once():
    """Azure/azure-cli, resource/tests/latest/recordings/test_resource_policy_identity_systemassigned.yaml."""
    wire = Wire()
    body = {
        "location": "westeurope",
        "identity": {"type": "SystemAssigned"},
        "properties": {"policyDefinitionId": DEFINITION, "metadata": {"category": "tags"}},
    }
    made = wire.ask("PUT", ASSIGNMENT, body).body
    assert {"type", "principalId", "tenantId"} == set(made["identity"])
    assert ("twin", "tags", None) == (
        made["systemData"]["createdBy"],
        made["properties"]["metadata"]["category"],
        made["properties"]["metadata"]["updatedOn"],
    )
    again = wire.ask("PUT", ASSIGNMENT, body).body
    assert made["identity"] == again["identity"]
    assert made["properties"]["metadata"]["createdOn"] == again["properties"]["metadata"]["createdOn"]
    assert again["properties"]["metadata"]["updatedOn"] is not None


def test_a_definition_has_a_mode():
    """Azure/azure-cli, resource/tests/latest/recordings/test_resource_policyset_grouping.yaml."""
    rule = {"if": {"field": "type", "equals": "x"}, "then": {"effect": "audit"}}
    made = Wire().ask("PUT", DEFINITION, {"properties": {"policyRule": rule}}).body
    assert ("Indexed", "twin") == (made["properties"]["mode"], made["systemData"]["createdBy"])


def test_a_new_vault_is_provisioning_and_tells_its_scores():
    """Azure/azure-cli, backup/tests/latest/recordings/test_afs_backup_container.yaml."""
    wire = Wire()
    body = {"location": "westeurope", "sku": {"name": "Standard"}, "properties": {}}
    answer = wire.ask("PUT", VAULT, body)
    told = answer.body["properties"]
    assert (201, "Provisioning", "Poor", False, False) == (
        answer.status,
        told["provisioningState"],
        told["bcdrSecurityLevel"],
        "securitySettings" in told,
        "Location" in answer.headers,
    )
    status = wire.follow(answer)
    assert ({"id", "name", "status"}, True) == (set(status), status["id"].endswith(status["name"]))
    wire.clock.sleep(60)
    made = wire.get(VAULT)["properties"]
    assert ("V2", "None", "Enabled") == (
        made["backupStorageVersion"],
        made["secureScore"],
        made["restoreSettings"]["crossSubscriptionRestoreSettings"]["crossSubscriptionRestoreState"],
    )


def test_a_change_of_a_vault_is_answered_without_a_body():
    """Azure/azure-cli, backup/tests/latest/recordings/test_backup_vault.yaml."""
    wire = Wire()
    wire.do("PUT", VAULT, {"location": "westeurope", "sku": {"name": "Standard"}, "properties": {}})
    answer = wire.ask("PATCH", VAULT, {"tags": {"a": "b"}})
    assert (202, None, True) == (answer.status, answer.body, "Location" in answer.headers)
    wire.clock.sleep(60)
    assert {"a": "b"} == wire.get(VAULT)["tags"]


def test_a_backup_that_goes_on_tells_its_id_and_no_end_yet():
    """Azure/azure-cli, backup/tests/latest/recordings/test_backup_scenario.yaml: the end is the first day."""
    wire = place()
    protect(wire)
    request = {"properties": {"objectType": "IaasVMBackupRequest"}}
    status = wire.follow(wire.ask("POST", f"{ITEM}/backup", request))
    assert ("InProgress", status["name"], "0001-01-01T00:00:00") == (
        status["status"],
        status["id"],
        status["endTime"],
    )
