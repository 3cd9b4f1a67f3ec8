"""Cases of policy assignments that would refuse an upgrade; what they write differs by dimension."""

from datetime import UTC, datetime
from typing import Any

from readiness.model.context import Choice, Context, Match, TargetEntry
from readiness.model.estate_info import Gap
from readiness.model.governance import PolicyAssignment, PolicyExemption
from readiness.model.ids import ResourceId
from readiness.model.virtual_machine import VirtualMachine
from tests.builders import CUSTOMER_KEY, ENCRYPTION_SET, REGION, SIZE, SUBSCRIPTION, boot, disk, vm, vm_id
from tests.rules.case import Case

_SCOPE = f"/subscriptions/{SUBSCRIPTION}"
_ID = ResourceId(f"{_SCOPE}/providers/Microsoft.Authorization/policyAssignments/demand")
_PLACES = "e56962a6-4747-49cd-b67b-bf8b01975c4c"
_SIZES = "cccc23c7-8427-4f53-ad12-b6a63eb452b3"
_TYPES = "a08ec900-254a-4555-9bf5-e42af04b5c5c"
_NO_TYPES = "6c112d4e-5bc7-47ae-a041-ea2d9dccd749"
_TAG = "871b6d14-10aa-478d-b590-94f262ecfa99"
_TAG_VALUE = "1e30110a-5ceb-460c-a204-c1c3969c6d62"
_AT_HOST = "fc4d8e41-e223-45ea-9bf5-eada37891d87"
_KEYS = "702dd420-7fcc-42c5-afe8-4026edd20fe0"
_SETS = "d461a302-a187-421a-89ac-84acdb4edc04"
_EXPORT = "8405fdab-1faf-48aa-b702-999c9c172094"
_DENY = ("Deny",)
_MET, _UNMET, _UNKNOWN = "met NoPolicyRefuses", "unmet PolicyRefuses", "unknown PolicyNotJudged"
_NOT_READ = Gap(
    "collect",
    f"{_SCOPE}/providers/Microsoft.Authorization/policyAssignments",
    "Denied",
    "403",
)
_AT_HOST_CHOSEN = {
    "context": Context(targets=(TargetEntry(match=Match(), choice=Choice(encryption_at_host=True)),))
}


def _assigned(definition: str, parameters: dict[str, tuple[str, ...]], **changes: Any) -> PolicyAssignment:
    facts = {"scope": _SCOPE, "definition": definition, "parameters": parameters, **changes}
    return PolicyAssignment(id=_ID, **facts)


def _exempt(scope: str, **changes: Any) -> PolicyExemption:
    own = ResourceId(f"{scope}/providers/Microsoft.Authorization/policyExemptions/e")
    return PolicyExemption(id=own, scope=scope.lower(), assignment=_ID, **changes)


def _boot(
    description: str,
    expected: str,
    definition: str,
    machine: VirtualMachine | None = None,
    estate: dict[str, Any] | None = None,
    **parameters: tuple[str, ...],
) -> Case:
    facts = {"posture": (_assigned(definition, parameters),), **(estate or {})}
    return Case("TL030", description, expected, machine or vm(), facts)


def _keys(description: str, expected: str, definition: str, **more: Any) -> Case:
    parameters = more.pop("parameters", {"effect": _DENY})
    return Case(
        "EN030", description, expected, vm(), {"posture": (_assigned(definition, parameters),), **more}
    )


def _sized(description: str, expected: str, *facts: PolicyExemption, **changes: Any) -> Case:
    """Return a case of a list of sizes that the VM's is not on."""
    policy = _assigned(_SIZES, {"listofallowedskus": ("Standard_B1s",)}, **changes)
    return Case("TL030", description, expected, vm(), {"posture": (policy, *facts)})


CASES = (
    Case("TL030", "no policy", _MET),
    Case(
        "TL030", "policies that could not be listed", "unknown PoliciesNotRead", vm(), {"gaps": [_NOT_READ]}
    ),
    _sized("a size that is not on the list", _UNMET),
    _sized("an assignment that only watches", _MET, is_enforced=False),
    _sized("an assignment elsewhere", _MET, scope=f"{_SCOPE}/resourcegroups/other"),
    _sized(
        "an assignment of a management group",
        _UNMET,
        scope="/providers/microsoft.management/managementgroups/m",
    ),
    _sized("an assignment that leaves its group out", _MET, excluded=(f"{_SCOPE}/resourcegroups/rg-app",)),
    _sized("an exemption of the VM", _MET, _exempt(vm_id().text)),
    _sized("an exemption of another VM", _UNMET, _exempt(vm_id("vm2").text)),
    _sized(
        "an exemption of the subscription", _MET, _exempt(_SCOPE, expires=datetime(2026, 12, 1, tzinfo=UTC))
    ),
    _sized("an exemption that is over", _UNMET, _exempt(_SCOPE, expires=datetime(2026, 11, 1, tzinfo=UTC))),
    _sized("an exemption from other policies of an initiative", _UNMET, _exempt(_SCOPE, is_partial=True)),
    _boot("a definition of one's own", _MET, "mine", effect=_DENY),
    _boot("a size on the list", _MET, _SIZES, listofallowedskus=(SIZE.upper(),)),
    _boot("a list of sizes that is not reported", _UNKNOWN, _SIZES),
    _boot("a size that is not reported", _UNKNOWN, _SIZES, vm(size=None), listofallowedskus=(SIZE,)),
    _boot("a place on the list", _MET, _PLACES, listofallowedlocations=("West Europe",)),
    _boot("another place", _UNMET, _PLACES, listofallowedlocations=("northeurope",)),
    _boot("places that are not reported", _UNKNOWN, _PLACES),
    _boot(
        "a denial that was switched to watching", _MET, _PLACES, effect=("Audit",), listofallowedlocations=()
    ),
    _boot(
        "a type on the list", _MET, _TYPES, listofresourcetypesallowed=("microsoft.compute/virtualmachines",)
    ),
    _boot("a type that is not on the list", _UNMET, _TYPES, listofresourcetypesallowed=("a/b",)),
    _boot("types that are not reported", _UNKNOWN, _TYPES),
    _boot(
        "a barred type",
        _UNMET,
        _NO_TYPES,
        listofresourcetypesnotallowed=("Microsoft.Compute/virtualMachines",),
    ),
    _boot("another barred type", _MET, _NO_TYPES, listofresourcetypesnotallowed=("a/b",)),
    _boot("barred types that are not reported", _UNKNOWN, _NO_TYPES),
    _boot("a tag it carries", _MET, _TAG, vm(tags={"CostCentre": "7"}), tagname=("costcentre",)),
    _boot("a tag it lacks", _UNMET, _TAG, tagname=("costcentre",)),
    _boot("a tag that is not reported", _UNKNOWN, _TAG),
    _boot("a tag's value", _MET, _TAG_VALUE, vm(tags={"a": "1"}), tagname=("a",), tagvalue=("1",)),
    _boot("another value", _UNMET, _TAG_VALUE, vm(tags={"a": "2"}), tagname=("a",), tagvalue=("1",)),
    _boot("encryption at host that is watched", _MET, _AT_HOST),
    _boot("encryption at host that is off", _UNMET, _AT_HOST, effect=_DENY),
    _boot(
        "encryption at host that is on", _MET, _AT_HOST, vm(boot=boot(encryption_at_host=True)), effect=_DENY
    ),
    _boot("encryption at host that is chosen", _MET, _AT_HOST, None, _AT_HOST_CHOSEN, effect=_DENY),
    _boot("a platform key", _UNMET, _KEYS, effect=_DENY),
    _boot(
        "a customer-managed key", _MET, _KEYS, None, {"disks": [disk(encryption=CUSTOMER_KEY)]}, effect=_DENY
    ),
    _boot("a disk that was not read", _UNKNOWN, _KEYS, None, {"disks": []}, effect=_DENY),
    _boot(
        "a set on the list",
        _MET,
        _SETS,
        None,
        {"disks": [disk(encryption=CUSTOMER_KEY)]},
        effect=_DENY,
        allowedencryptionsets=(ENCRYPTION_SET.text.upper(),),
    ),
    _boot("no set at all", _UNMET, _SETS, effect=_DENY, allowedencryptionsets=("/x",)),
    _boot("sets that are not reported", _UNKNOWN, _SETS, effect=_DENY),
    _boot("an open disk, which is not written", _MET, _EXPORT, effect=_DENY),
    _keys("an open disk", _UNMET, _EXPORT, disks=[disk(network_access="AllowAll")]),
    _keys("a disk without a public way out", _MET, _EXPORT, disks=[disk(public_access="Disabled")]),
    _keys("a disk with a private way out", _MET, _EXPORT, disks=[disk(network_access="AllowPrivate")]),
    _keys("a disk that does not say", _UNKNOWN, _EXPORT),
    _keys("a platform key, which is about to go", _MET, _KEYS),
    _keys("a list of sets, which asks no disk of a VM", _MET, _SETS),
    _keys("a list of sizes, which asks no disk", _MET, _SIZES, parameters={"listofallowedskus": ()}),
    _keys("encryption at host, which asks no disk", _MET, _AT_HOST),
    _keys("a tag, which is not kept of disks", _UNKNOWN, _TAG, parameters={"tagname": ("a",)}),
    _keys(
        "a size that is not on the list, of a VM that is written for encryption at host",
        _UNMET,
        _SIZES,
        parameters={"listofallowedskus": ()},
        **_AT_HOST_CHOSEN,
    ),
    Case(
        "MI030",
        "a place that is not on the list",
        _UNMET,
        vm(location=REGION),
        {"posture": (_assigned(_PLACES, {"listofallowedlocations": ()}),)},
    ),
)
