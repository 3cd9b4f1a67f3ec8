"""Policy exemptions as files: what they say, and that text in them stays text."""

import json
import re
from datetime import date

import pytest

from readiness.azure.policy_exemptions import Exemption, arm_template, bicep, bicep_text, granted
from readiness.azure.wire_values import MalformedError
from readiness.model.ids import ResourceId
from readiness.twin.arm.deployments.evaluation import Scope, evaluate
from tests.builders import SUBSCRIPTION, rid, vm_id

ASSIGNMENT = ResourceId(
    f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/policyAssignments/boot"
)
GROUP = ResourceId(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app")
HOSTILE = (
    "it's ${subscription().id} \\ 'quoted'",
    "[resourceGroup().location]",
    "[[already]",
    "]]><script>",
    "tab\tline\nbreak\u2028\u202e",
    "=cmd|' /C calc'!A0",
    "\ud83d lone 😀",
)


def exemption(scope: ResourceId = GROUP, text: str = "Because.", **changes: object) -> Exemption:
    """Return an exemption that says a text wherever people write."""
    told = {
        "exception": "EX-1",
        "scope": scope,
        "assignment": ASSIGNMENT,
        "category": "Mitigated",
        "expires": date(2027, 1, 31),
        "display_name": text,
        "description": text,
        "metadata": {"owner": text, "ticket": ""},
    }
    return Exemption(**{**told, **changes})


def resources(*exemptions: Exemption) -> list[dict]:
    """Return the resources of their template."""
    return json.loads(arm_template(exemptions))["resources"]


def test_an_exemption_says_what_azure_needs():
    """Type, version, assignment, category, end of the last day, and who answers for it."""
    (made,) = resources(exemption(vm_id()))
    name = made["name"]
    assert {
        "type": "Microsoft.Authorization/policyExemptions",
        "apiVersion": "2022-07-01-preview",
        "name": name,
        "scope": vm_id().text,
        "properties": {
            "policyAssignmentId": ASSIGNMENT.text,
            "exemptionCategory": "Mitigated",
            "expiresOn": "2027-01-31T23:59:59Z",
            "displayName": "Because.",
            "description": "Because.",
            "metadata": {"owner": "Because."},
        },
    } == made
    assert re.fullmatch(r"[a-z0-9-]{1,64}", name)


def test_what_is_deployed_to_is_no_scope_of_its_own():
    """A group's or a subscription's exemption stands at the place of deployment, and says its schema."""
    assert "scope" not in resources(exemption())[0]
    assert "/deploymentTemplate.json" in arm_template([exemption()])
    whole = exemption(ResourceId(f"/subscriptions/{SUBSCRIPTION}"))
    assert "/subscriptionDeploymentTemplate.json" in arm_template([whole])
    assert bicep([whole]).startswith("targetScope = 'subscription'\n")
    assert bicep([exemption()]).startswith("targetScope = 'resourceGroup'\n")


def test_a_name_is_stable_and_its_own():
    """The same exception, assignment and place in any spelling give the same name; others another."""
    same = exemption(ResourceId(GROUP.text.upper()))
    assert exemption().name == same.name
    names = {exemption().name, exemption(vm_id()).name, exemption(exception="ex_1").name}
    assert 3 == len(names)
    assert len(exemption(exception="é/" * 400).name) <= 64


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_text_is_never_an_expression(hostile):
    """What ARM makes of the template is what people wrote."""
    (made,) = resources(exemption(text=hostile))
    scope = Scope(subscription_id=SUBSCRIPTION, tenant_id="t", group={"name": "g"}, deployment={})
    legal = hostile.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    read = evaluate(made["properties"], scope)
    assert (legal, legal, legal) == (read["displayName"], read["description"], read["metadata"]["owner"])


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_text_in_bicep_ends_no_string_and_interpolates_nothing(hostile):
    """A Bicep string holds on one line whatever people wrote, and reads back as it was."""
    shown = bicep_text(hostile)
    assert re.fullmatch(r"'(?:[^'\\\n\r$]|\$(?!\{)|\\['\\$]|\\u\{[0-9a-f]+\})*'", shown)
    read = re.sub(r"\\u\{([0-9a-f]+)\}", lambda found: chr(int(found[1], 16)), shown[1:-1])
    read = re.sub(r"\\(['\\$])", r"\1", read)
    assert hostile.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace") == read


def test_bicep_names_the_resources_it_exempts():
    """Each resource once, as one that exists; every exemption of it refers to it."""
    disk = rid("Microsoft.Compute/disks", "vm1-os")
    other = ResourceId(f"{ASSIGNMENT.text}-2")
    text = bicep([exemption(vm_id()), exemption(disk), exemption(vm_id(), assignment=other)])
    assert 1 == text.count("'Microsoft.Compute/virtualMachines@2024-07-01' existing = {\n  name: 'vm1'")
    assert 1 == text.count("'Microsoft.Compute/disks@2024-03-02' existing = {\n  name: 'vm1-os'")
    assert ["scope1", "scope2", "scope1"] == re.findall(r"^  scope: (\w+)$", text, re.M)


def test_long_text_is_cut_to_what_azure_takes():
    """128 characters of a display name, 512 of a description."""
    (made,) = resources(exemption(text="x" * 2000))
    assert (128, 512) == (len(made["properties"]["displayName"]), len(made["properties"]["description"]))


def test_what_was_exported_reads_back():
    """The last day, the people and the exception survive the way to Azure and back."""
    told = exemption(vm_id(), metadata={"owner": "Ada", "approvedBy": "Bo", "readinessException": "EX-1"})
    made = resources(told)[0]
    kind = "Microsoft.Authorization/policyExemptions"
    read = granted(made | {"id": f"{vm_id()}/providers/{kind}/{made['name']}"})
    assert (vm_id().key, ASSIGNMENT, date(2027, 1, 31)) == (read.scope, read.assignment, read.expires)
    assert ("Ada", "Bo", "EX-1") == (read.owner, read.approved_by, read.exception)


def test_an_end_at_midnight_is_the_day_before():
    """What ends as a day begins does not hold on it."""
    ends = {"expiresOn": "2027-03-31T00:00:00Z", "metadata": {"compensatingControls": ["jit", "bastion"]}}
    read = granted(
        {"id": f"{GROUP}/providers/Microsoft.Authorization/policyExemptions/e", "properties": ends}
    )
    assert (date(2027, 3, 30), "jit, bastion") == (read.expires, read.compensating_control)


def test_what_is_no_exemption_is_refused():
    """A date that is none is never guessed."""
    given = {"id": f"{GROUP}/providers/Microsoft.Authorization/policyExemptions/e"}
    with pytest.raises(MalformedError):
        granted(given | {"properties": {"expiresOn": "soon"}})
