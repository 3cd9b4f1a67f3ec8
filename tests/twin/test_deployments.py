"""Template deployments: what `az vm create` sends, the language of templates, and how one fails."""

from typing import Any

import pytest
from azure.core.rest import HttpRequest
from azure.mgmt.compute import ComputeManagementClient

from readiness.twin.arm.deployments.evaluation import Scope, evaluate
from readiness.twin.credential import TwinCredential
from readiness.twin.messages import ArmError
from readiness.twin.transport import TwinTransport
from tests.twin.network_seeds import NETWORK, changed, rule
from tests.twin.seeds import COMPUTE, SUBSCRIPTION, Wire

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app"
PATH = f"{GROUP}/providers/Microsoft.Resources/deployments/first"
SECRET = "aBcD1234!@#$xyz"  # noqa: S105 - made up, and looked for in answers


def template(*resources: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A template with these resources."""
    schema = "https://schema.management.azure.com/schemas/2015-01-01/deploymentTemplate.json#"
    return {"$schema": schema, "contentVersion": "1.0.0.0", "resources": list(resources), **more}


def deployment(given: dict[str, Any], mode: str = "incremental", **parameters: Any) -> dict[str, Any]:
    """The body of a deployment."""
    told = {name: {"value": value} for name, value in parameters.items()}
    return {"properties": {"template": given, "parameters": told, "mode": mode}}


def group(name: str = "web", *needs: str, **more: Any) -> dict[str, Any]:
    """A security group of a template."""
    return {
        "type": "Microsoft.Network/networkSecurityGroups",
        "apiVersion": "2023-09-01",
        "name": name,
        "location": "westeurope",
        "dependsOn": list(needs),
        **more,
    }


def vm_create() -> dict[str, Any]:
    """The template of `az vm create`: five resources, with ids in full and dependencies by type and name."""
    entry = {
        "name": "ipconfigbox",
        "properties": {
            "privateIPAllocationMethod": "Dynamic",
            "subnet": {"id": f"{NETWORK}/virtualNetworks/boxVNET/subnets/boxSubnet"},
            "publicIPAddress": {"id": f"{NETWORK}/publicIPAddresses/boxPublicIP"},
        },
    }
    rule = {
        "protocol": "Tcp",
        "sourcePortRange": "*",
        "destinationPortRange": "22",
        "sourceAddressPrefix": "*",
        "destinationAddressPrefix": "*",
        "access": "Allow",
        "priority": 1000,
        "direction": "Inbound",
    }
    card = {"id": f"{NETWORK}/networkInterfaces/boxVMNic", "properties": {"deleteOption": None}}
    image = {
        "publisher": "Canonical",
        "offer": "0001-com-ubuntu-server-jammy",
        "sku": "22_04-lts-gen2",
        "version": "latest",
    }
    common = {"location": "westeurope", "tags": {}, "dependsOn": []}
    return template(
        common
        | {
            "type": "Microsoft.Compute/virtualMachines",
            "name": "box",
            "apiVersion": "2024-07-01",
            "dependsOn": ["Microsoft.Network/networkInterfaces/boxVMNic"],
            "properties": {
                "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
                "networkProfile": {"networkInterfaces": [card]},
                "storageProfile": {
                    "osDisk": {
                        "createOption": "fromImage",
                        "name": None,
                        "caching": "ReadWrite",
                        "managedDisk": {"storageAccountType": None},
                    },
                    "imageReference": image,
                },
                "osProfile": {
                    "computerName": "box",
                    "adminUsername": "azureuser",
                    "adminPassword": "[parameters('adminPassword')]",
                },
            },
        },
        common
        | {
            "type": "Microsoft.Network/networkInterfaces",
            "name": "boxVMNic",
            "apiVersion": "2015-06-15",
            "dependsOn": [
                "Microsoft.Network/virtualNetworks/boxVNET",
                "Microsoft.Network/networkSecurityGroups/boxNSG",
                "Microsoft.Network/publicIpAddresses/boxPublicIP",
            ],
            "properties": {
                "ipConfigurations": [entry],
                "networkSecurityGroup": {"id": f"{NETWORK}/networkSecurityGroups/boxNSG"},
            },
        },
        common
        | {
            "type": "Microsoft.Network/virtualNetworks",
            "name": "boxVNET",
            "apiVersion": "2015-06-15",
            "properties": {
                "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
                "subnets": [{"name": "boxSubnet", "properties": {"addressPrefix": "10.0.0.0/24"}}],
            },
        },
        common
        | {
            "type": "Microsoft.Network/networkSecurityGroups",
            "name": "boxNSG",
            "apiVersion": "2015-06-15",
            "properties": {"securityRules": [{"name": "default-allow-ssh", "properties": rule}]},
        },
        common
        | {
            "type": "Microsoft.Network/publicIPAddresses",
            "name": "boxPublicIP",
            "apiVersion": "2022-11-01",
            "properties": {"publicIPAllocationMethod": "Static"},
            "sku": {"name": "Standard"},
        },
        parameters={"adminPassword": {"type": "securestring"}},
        variables={"type": "Microsoft.Network/publicIPAddresses"},
        outputs={
            "address": {
                "type": "string",
                "value": "[reference(resourceId(variables('type'), 'boxPublicIP')).ipAddress]",
            }
        },
    )


def ended(wire: Wire, body: dict[str, Any], path: str = PATH) -> Any:
    """Deploy, wait for the end, and return the properties of the deployment."""
    answer = wire.ask("PUT", path, body)
    assert answer.status in (200, 201), answer.body
    while wire.follow(answer)["status"] == "Running":
        wire.clock.sleep(10)
    return wire.get(path)["properties"]


def refused(wire: Wire, body: dict[str, Any]) -> tuple[int, str, str]:
    """The status, code and sentence of a deployment that is not begun."""
    answer = wire.ask("PUT", PATH, body)
    assert answer.status >= 400, answer.body
    told: Any = answer.body
    assert 404 == wire.ask("GET", PATH).status
    return answer.status, told["error"]["code"], told["error"]["message"]


def test_what_az_vm_create_sends_makes_a_machine() -> None:
    """Recorded: github.com/Azure/azure-cli, recordings/test_network_nic_convenience_commands.yaml."""
    wire = Wire()
    answer = wire.ask("PUT", PATH, deployment(vm_create(), adminPassword=SECRET))
    made: Any = answer.body
    assert (201, "Accepted") == (answer.status, made["properties"]["provisioningState"])
    assert f"{PATH}/operationStatuses/" in answer.headers["Azure-AsyncOperation"]
    assert {"adminPassword": {"type": "SecureString"}} == made["properties"]["parameters"]
    assert {"status": "Running"} == wire.follow(answer)
    assert 404 == wire.ask("GET", f"{COMPUTE}/virtualMachines/box").status
    while wire.follow(answer)["status"] == "Running":
        wire.clock.sleep(10)
    assert {"status": "Succeeded"} == wire.follow(answer)
    told = wire.get(PATH)["properties"]
    public = wire.get(f"{NETWORK}/publicIPAddresses/boxPublicIP")["properties"]
    assert {"address": {"type": "String", "value": public["ipAddress"]}} == told["outputs"]
    assert 5 == len(told["outputResources"])
    machine = wire.get(f"{COMPUTE}/virtualMachines/box")
    assert "Succeeded" == machine["properties"]["provisioningState"]
    assert "PowerState/running" == wire.power(f"{COMPUTE}/virtualMachines/box")
    card = wire.get(f"{NETWORK}/networkInterfaces/boxVMNic")["properties"]
    assert {"id": machine["id"]} == card["virtualMachine"]
    assert "10.0.0.4" == card["ipConfigurations"][0]["properties"]["privateIPAddress"]
    listed = wire.get(f"{PATH}/operations")["value"]
    order = [each["properties"]["targetResource"]["resourceName"] for each in listed]
    assert ["boxVMNic", "box"] == order[3:]
    assert {"Succeeded"} == {each["properties"]["provisioningState"] for each in listed}
    assert SECRET not in str((wire.get(PATH), listed, machine, wire.twin.resources()))


def test_the_sdk_pipeline_deploys() -> None:
    """The generic `send_request` of a real client, through its own pipeline: PUT, then the status address."""
    wire = Wire()
    client = ComputeManagementClient(TwinCredential(), SUBSCRIPTION, transport=TwinTransport(wire.twin))
    url = f"https://management.azure.com{PATH}"
    body = deployment(template(group()))
    answer = client.send_request(HttpRequest("PUT", f"{url}?api-version=2022-09-01", json=body))
    assert 201 == answer.status_code
    wire.clock.sleep(30)
    status = client.send_request(HttpRequest("GET", answer.headers["Azure-AsyncOperation"]))
    assert {"status": "Succeeded"} == status.json()


def test_a_refusal_fails_the_deployment_and_what_depends_on_it() -> None:
    """The envelope: github.com/MicrosoftDocs/azure-docs, issue 107757; each operation tells its own error."""
    wire = Wire()
    bad = group("bad", properties={"securityRules": [{"name": "x", "properties": {"protocol": "*"}}]})
    told = ended(wire, deployment(template(bad, group("after", "bad"), group("apart"))))
    assert "Failed" == told["provisioningState"]
    assert "DeploymentFailed" == told["error"]["code"]
    assert ["InvalidRequestFormat"] == [each["code"] for each in told["error"]["details"]]
    assert 200 == wire.ask("GET", f"{NETWORK}/networkSecurityGroups/apart").status
    assert 404 == wire.ask("GET", f"{NETWORK}/networkSecurityGroups/after").status
    states = {
        each["properties"]["targetResource"]["resourceName"]: each["properties"]["provisioningState"]
        for each in wire.get(f"{PATH}/operations")["value"]
    }
    assert {"bad": "Failed", "apart": "Succeeded"} == states


def test_an_operation_that_ends_badly_fails_the_deployment() -> None:
    """An accepted write whose operation fails is told as the deployment's detail."""
    trouble = {"kind": "fail", "operation": "networkSecurityGroups/write", "at": "end", "status": 409}
    wire = Wire(faults=[trouble | {"code": "InternalServerError", "message": "An error occurred."}])
    told = ended(wire, deployment(template(group())))
    assert ("Failed", "InternalServerError") == (
        told["provisioningState"],
        told["error"]["details"][0]["code"],
    )


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (template(group("[nonsense('a')]")), "The template function 'nonsense' is not valid."),
        (template(group("[parameters('gone')]")), "The template parameter 'gone' is not found."),
        (template(group("[variables('gone')]")), "The template variable 'gone' is not found."),
        (template(group("[concat('a']")), "cannot be parsed"),
        (template(group("web", "gone")), "The resource 'gone' is not defined in the template."),
        (template(group("a", "b"), group("b", "a")), "Circular dependency detected on resource"),
        (template(group(), group()), "is defined multiple times in a template."),
        (template(group("a/b")), "has incorrect segment lengths."),
        (template(group(type="Microsoft.Web/sites")), "of type 'Microsoft.Web/sites'"),
        (template(group("[copyIndex()]")), "The template function 'copyIndex' is not expected"),
        (template(group("[reference('x').y]")), "The template function 'reference' is not expected"),
        (template(group(properties={"copy": "[nonsense()]"})), "The template function 'nonsense'"),
        (
            template(group("[variables('a')]"), variables={"a": "[variables('b')]", "b": "[variables('a')]"}),
            "The template variable 'a' is not found.",
        ),
        (template(group("[" + "concat(" * 5000 + ")" * 5000 + "]")), "cannot be parsed"),
        (template(parameters={"size": {"type": "string"}}), "parameter 'size' at line '1'"),
    ],
)
def test_a_template_that_cannot_be_is_refused_before_it_begins(given: dict[str, Any], sentence: str) -> None:
    """Public reports: vscode-azurearmtools#493 and #531, azure-docs#112757."""
    wire = Wire()
    status, code, told = refused(wire, deployment(given))
    assert (400, "InvalidTemplate") == (status, code)
    assert sentence in told
    assert told.startswith("Deployment template validation failed: '")


def test_what_the_twin_cannot_do_is_said() -> None:
    """Mode Complete and templates behind a link are refused, not ignored."""
    wire = Wire()
    assert "InvalidDeploymentMode" == refused(wire, deployment(template(), mode="Complete"))[1]
    linked = {"properties": {"mode": "Incremental", "templateLink": {"uri": "https://example.org/t.json"}}}
    assert "InvalidRequestContent" == refused(wire, linked)[1]


def test_parameters_are_checked() -> None:
    """An unknown one, a value of another type, and one that is not allowed are each refused by name."""
    wire = Wire()
    declared = {"size": {"type": "string", "allowedValues": ["a", "b"]}}
    given = template(parameters=declared)
    assert "'other' in the parameters file are not valid" in refused(wire, deployment(given, other=1))[2]
    assert "Expected 'string'" in refused(wire, deployment(given, size=1))[2]
    assert "allowed value(s): 'a,b'" in refused(wire, deployment(given, size="c"))[2]


def test_loops_conditions_defaults_and_variables() -> None:
    """A loop makes its resources, a false condition none, and dependencies on either hold."""
    wire = Wire()
    given = template(
        group("[concat(variables('stem'), copyIndex(1))]", copy={"name": "many", "count": 2}),
        group("never", condition="[equals(parameters('color'), 'red')]"),
        group("last", "many", "never", tags={"place": "[resourceGroup().name]"}),
        parameters={"color": {"type": "string", "defaultValue": "[toLower('BLUE')]"}},
        variables={"stem": "[format('{0}-nsg-', parameters('color'))]"},
        outputs={"ids": {"type": "array", "value": "[createArray(subscription().subscriptionId)]"}},
    )
    told = ended(wire, deployment(given))
    assert "Succeeded" == told["provisioningState"], told
    assert {"color": {"type": "String", "value": "blue"}} == told["parameters"]
    assert {"ids": {"type": "Array", "value": [SUBSCRIPTION]}} == told["outputs"]
    names = [each["id"].rsplit("/", 1)[-1] for each in told["outputResources"]]
    assert ["blue-nsg-1", "blue-nsg-2", "last"] == names
    assert {"place": "rg-app"} == wire.get(f"{NETWORK}/networkSecurityGroups/last")["tags"]


def test_a_deployment_inside_a_deployment() -> None:
    """A nested template is a deployment of its own, and its failure the outer one's."""
    wire = Wire()
    inner = {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "2022-09-01",
        "name": "inner",
        "properties": {"mode": "Incremental", "template": template(group("deep"))},
    }
    told = ended(wire, deployment(template(inner, group("after", "inner"))))
    assert "Succeeded" == told["provisioningState"], told
    assert 200 == wire.ask("GET", f"{NETWORK}/networkSecurityGroups/deep").status
    listed = wire.get(f"{GROUP}/providers/Microsoft.Resources/deployments")["value"]
    assert {"first", "inner"} == {each["name"] for each in listed}


def test_a_resource_whose_parent_is_busy_waits_its_turn() -> None:
    """Rules of one group that do not wait for each other are written one after the other."""
    wire = Wire()
    rules = [
        group(
            f"web/{name}",
            "Microsoft.Network/networkSecurityGroups/web",
            type="Microsoft.Network/networkSecurityGroups/securityRules",
            properties=rule(priority=priority)["properties"],
        )
        for name, priority in (("a", 100), ("b", 200), ("c", 300))
    ]
    told = ended(wire, deployment(template(group(), *rules)))
    assert "Succeeded" == told["provisioningState"], told
    listed = wire.get(f"{NETWORK}/networkSecurityGroups/web/securityRules")["value"]
    assert {"a", "b", "c"} == {each["name"] for each in listed}


def test_validate_touches_nothing() -> None:
    """POST validate answers what would be made, or the same refusal as a PUT, and makes nothing."""
    wire = Wire()
    answer = wire.ask("POST", f"{PATH}/validate", deployment(template(group())))
    told: Any = answer.body
    assert [{"id": f"{NETWORK}/networkSecurityGroups/web"}] == told["properties"]["validatedResources"]
    assert 404 == wire.ask("GET", f"{NETWORK}/networkSecurityGroups/web").status
    assert (404, "DeploymentNotFound") == wire.refused("GET", PATH)
    bad = deployment(template(group("x", "gone")))
    assert (400, "InvalidTemplate") == wire.refused("POST", f"{PATH}/validate", bad)


def test_a_deployment_under_way_is_not_replaced() -> None:
    """Learn, "Resolve errors for deployment active"; the template can be read back at any time."""
    wire = Wire()
    body = deployment(template(group()))
    wire.ask("PUT", PATH, body)
    assert (409, "DeploymentActive") == wire.refused("PUT", PATH, body)
    wire.clock.sleep(60)
    assert 200 == wire.ask("PUT", PATH, body).status
    exported: Any = wire.ask("POST", f"{PATH}/exportTemplate").body
    assert body["properties"]["template"] == exported["template"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[[literal]", "[literal]"),
        ("[concat('it''s ', 1)]", "it's 1"),
        ("[if(true(), 'a', first(1))]", "a"),
        ("[and(equals(1, 1), not(empty('x')))]", True),
        ("[json('{\"a\": [1, 2]}').a[1]]", 2),
        ("[replace(toUpper(trim(' ab ')), 'B', 'c')]", "Ac"),
        ("[union(createArray(1), createArray(1, 2))]", [1, 2]),
        ("[split('a,b;c', createArray(',', ';'))]", ["a", "b", "c"]),
        ("[resourceId('other', 'Microsoft.Network/virtualNetworks/subnets', 'v', 's')]",
         "/subscriptions/s/resourceGroups/other/providers/Microsoft.Network/virtualNetworks/v/subnets/s"),
        ("[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'r')]",
         "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/r"),
        ("[equals(uniqueString('a'), uniqueString('a'))]", True),
        ("[length(uniqueString('a'))]", 13),
        ("[coalesce(null(), substring('abc', 1, 1))]", "b"),
    ],
)  # fmt: skip
def test_expressions(text: str, value: object) -> None:
    """Learn, "ARM template functions": the values of a few."""
    scope = Scope(subscription_id="s", tenant_id="t", group={"name": "g"}, deployment={})
    assert value == evaluate(text, scope)


def test_a_function_that_cannot_be_evaluated_is_refused() -> None:
    """A substring beyond the end of its string is InvalidTemplate, like every error of an expression."""
    scope = Scope(subscription_id="s", tenant_id="t", group={"name": "g"}, deployment={})
    for text in ("[substring('abc', 2, 5)]", "[int('x')]", "[resourceId('Microsoft.Network/x', 'a', 'b')]"):
        with pytest.raises(ArmError) as caught:
            evaluate(text, scope)
        assert "InvalidTemplate" == caught.value.code


@pytest.mark.parametrize("junk", [None, 5, "x", "[", "[a.b]", [], {}, [5], [{}]])
def test_nothing_in_a_template_breaks_the_twin(junk: object) -> None:
    """Whatever stands anywhere in a deployment is deployed, refused or fails: the twin goes on."""
    given = vm_create()
    given["resources"] = given["resources"][1:]
    for count, body in enumerate(changed(deployment(given, adminPassword=SECRET), junk)):
        if count % 3 == 0:
            wire = Wire()
            assert 500 > wire.ask("PUT", PATH, body).status
            wire.clock.sleep(300)
            wire.ask("GET", PATH)
