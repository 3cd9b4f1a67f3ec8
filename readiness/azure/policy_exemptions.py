"""Exceptions as Azure Policy exemptions: ARM templates and Bicep files out of them, proposals back from them.

Nothing here talks to Azure: files are written for people to review and deploy. Text from people or from Azure
stays text: in a template it never becomes an expression, in Bicep never an interpolation.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from msgspec import Struct

from readiness.azure.wire_values import Json, any_id, moment, obj, resource_id, scope_of, text, texts
from readiness.model.ids import ResourceId

KIND = "microsoft.authorization/policyexemptions"
API = "2022-07-01-preview"
MOST_RESOURCES = 800
"""Resources that one template may have."""
WAIVER, MITIGATED = "Waiver", "Mitigated"
VM = "microsoft.compute/virtualmachines"
DISK = "microsoft.compute/disks"
NIC = "microsoft.network/networkinterfaces"
EXISTING = {
    VM: "Microsoft.Compute/virtualMachines@2024-07-01",
    DISK: "Microsoft.Compute/disks@2024-03-02",
    NIC: "Microsoft.Network/networkInterfaces@2024-05-01",
}
"""Types of resources that an exemption can be written for, with the API version Bicep names them by."""
JUDGES: dict[str, tuple[str, ...]] = {
    "702dd420-7fcc-42c5-afe8-4026edd20fe0": (VM, DISK),
    "d461a302-a187-421a-89ac-84acdb4edc04": (VM, DISK),
    "8405fdab-1faf-48aa-b702-999c9c172094": (DISK,),
    "b03bb370-5249-4ea4-9fce-2552e87e45fa": (DISK,),
    "83a86a26-fd1f-447c-b59d-e51f44264114": (NIC,),
    "ca91455f-eace-4f96-be59-e6e2c35b4816": (),
    "0b60c0b2-2dc2-4e1c-b5c9-abbed971de53": (),
    "1e66c121-a66a-4b1f-9b83-0fd99bf0fc2d": (),
    "d8cf8476-a2ec-4916-896e-992351803c44": (),
    "4da35fc9-c9e7-4960-aec9-797fe7d9051d": (),
    "5f57b753-04b4-4e5e-aa31-c8888984497a": (),
    "da56d295-2889-41ce-a4cd-6f50fb93aa68": (),
    "48666c5d-cec1-4043-ab6b-1be05abb24f2": (),
    "8c19196d-7fd7-45b2-a9b4-7288f47c769a": (),
    "da79a7e2-8aa1-45ed-af81-ba050c153564": (),
    "fc5e4038-4584-4632-8c85-c0448d374b2c": (),
    "94de2ad3-e0c1-4caf-ad78-5d47bbc83d3d": (),
    "4c3c6c5f-0d47-4402-99b8-aa543dd8bcee": (),
    "27960feb-a23c-4577-8d36-ef8b5f35e0be": (),
    "2f080164-9f4d-497e-9db6-416dc9f7b48a": (),
    "7bca8353-aa3b-429b-904a-9229c4385837": (),
}
"""Which of a VM's resources a built-in policy judges, where it is not the VM alone; empty where none."""

_LONGEST_NAME = 64
_LONGEST_DISPLAY = 128
_LONGEST_DESCRIPTION = 512


class Exemption(Struct, frozen=True, kw_only=True):
    """One exemption as it is to be deployed."""

    exception: str
    """Id of the exception it stands for."""
    scope: ResourceId
    """A subscription, a resource group, or a resource."""
    assignment: ResourceId
    category: str
    expires: date
    """The last day on which it holds."""
    display_name: str
    description: str
    metadata: dict[str, str]

    @property
    def name(self) -> str:
        """The resource's own name: the same for the same exception, assignment and scope."""
        told = "|".join((self.exception, self.assignment.key, self.scope.key))
        tail = hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()[:12]
        slug = re.sub(r"[^a-z0-9]+", "-", self.exception.lower()).strip("-")
        return f"{slug[: _LONGEST_NAME - len(tail) - 1]}-{tail}".strip("-")

    @property
    def properties(self) -> Json:
        """What the resource says."""
        return {
            "policyAssignmentId": self.assignment.text,
            "exemptionCategory": self.category,
            "expiresOn": f"{self.expires.isoformat()}T23:59:59Z",
            "displayName": _cut(self.display_name, _LONGEST_DISPLAY),
            "description": _cut(self.description, _LONGEST_DESCRIPTION),
            "metadata": {key: _legal(value) for key, value in self.metadata.items() if value},
        }


def arm_template(exemptions: Iterable[Exemption]) -> str:
    """Return a template for one subscription or resource group, which holds the scopes of all of them."""
    listed, resources = list(exemptions), []
    for one in listed:
        resource: Json = {
            "type": "Microsoft.Authorization/policyExemptions",
            "apiVersion": API,
            "name": one.name,
        }
        if one.scope.type in EXISTING:
            resource["scope"] = one.scope.text
        resources.append(resource | {"properties": _literal(one.properties)})
    is_group = all(one.scope.resource_group for one in listed)
    schema = "2019-04-01/deploymentTemplate" if is_group else "2018-05-01/subscriptionDeploymentTemplate"
    template = {
        "$schema": f"https://schema.management.azure.com/schemas/{schema}.json#",
        "contentVersion": "1.0.0.0",
        "resources": resources,
    }
    return json.dumps(template, indent=2, ensure_ascii=False) + "\n"


def bicep(exemptions: Iterable[Exemption]) -> str:
    """Return the same as a Bicep file."""
    listed = list(exemptions)
    is_group = all(one.scope.resource_group for one in listed)
    lines = [f"targetScope = '{'resourceGroup' if is_group else 'subscription'}'", ""]
    symbols: dict[ResourceId, str] = {}
    for one in listed:
        if one.scope.type in EXISTING and one.scope not in symbols:
            symbols[one.scope] = f"scope{len(symbols) + 1}"
            lines += [
                f"resource {symbols[one.scope]} '{EXISTING[one.scope.type]}' existing = {{",
                f"  name: {bicep_text(one.scope.name)}",
                "}",
                "",
            ]
    for number, one in enumerate(listed, start=1):
        kind = f"Microsoft.Authorization/policyExemptions@{API}"
        lines += [f"resource exemption{number} '{kind}' = {{", f"  name: {bicep_text(one.name)}"]
        if one.scope in symbols:
            lines.append(f"  scope: {symbols[one.scope]}")
        lines += ["  properties: {", *_bicep_lines(one.properties, "    "), "  }", "}", ""]
    return "\n".join(lines)


def bicep_text(value: str) -> str:
    """Return text as a Bicep string, in which nothing is interpolated and nothing ends it early."""
    shown = value.replace("\\", "\\\\").replace("'", "\\'").replace("${", "\\${")
    shown = "".join(one if one.isprintable() else f"\\u{{{ord(one):x}}}" for one in _legal(shown))
    return f"'{shown}'"


class Granted(Struct, frozen=True, kw_only=True):
    """An exemption that is there, as far as an exception can be made of it."""

    id: ResourceId
    scope: str
    """In lower case: a management group, subscription, resource group or resource."""
    assignment: ResourceId | None
    references: tuple[str, ...]
    """Policies of an initiative that it is limited to."""
    category: str
    expires: date | None
    """The last day on which it holds until the end of the day."""
    display_name: str
    description: str
    owner: str
    approved_by: str
    compensating_control: str
    exception: str
    """Id of the exception that it was exported from; empty where it was made otherwise."""


def granted(resource: Json) -> Granted:
    """Read an exemption of an estate.

    Raises:
        MalformedError: It is none.
    """
    properties = obj(resource, "properties")
    notes = obj(properties, "metadata")
    return Granted(
        id=any_id(resource),
        scope=scope_of(resource),
        assignment=resource_id(properties, "policyAssignmentId"),
        references=tuple(texts(properties, "policyDefinitionReferenceIds")),
        category=text(properties, "exemptionCategory") or "",
        expires=_last_day(moment(properties, "expiresOn")),
        display_name=text(properties, "displayName") or "",
        description=text(properties, "description") or "",
        owner=_note(notes, "owner"),
        approved_by=_note(notes, "approvedBy", "approver"),
        compensating_control=_note(notes, "compensatingControls", "compensatingControl"),
        exception=_note(notes, "readinessException"),
    )


def _note(notes: Json, *keys: str) -> str:
    """Return what stands under the first of these keys, in whatever form people gave it."""
    for key in keys:
        value = notes.get(key)
        if isinstance(value, list):
            value = ", ".join(str(one) for one in value)
        if value:
            return str(value).strip()
    return ""


def _last_day(ends: datetime | None) -> date | None:
    # What ends at midnight holds for the last time on the day before.
    return None if ends is None else (ends - timedelta(microseconds=1)).date()


def _cut(value: str, longest: int) -> str:
    legal = _legal(value)
    return legal if len(legal) <= longest else f"{legal[: longest - 1]}…"


def _legal(value: str) -> str:
    return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _literal(value: Json | str) -> Json | str:
    """Keep text in brackets from being an expression: a second bracket in front makes it text again."""
    if isinstance(value, dict):
        return {key: _literal(inner) for key, inner in value.items()}
    return f"[{value}" if value.startswith("[") and value.endswith("]") else value


def _bicep_lines(values: Json, pad: str) -> list[str]:
    lines = []
    for key, value in values.items():
        if isinstance(value, dict):
            lines += [f"{pad}{key}: {{", *_bicep_lines(value, f"{pad}  "), f"{pad}}}"]
        else:
            lines.append(f"{pad}{key}: {bicep_text(str(value))}")
    return lines
