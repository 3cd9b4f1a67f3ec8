"""Built-in policies that the twin knows, with Azure's own ids, rules and defaults.

Source: Azure/azure-policy, built-in-policies/policyDefinitions: General/AllowedLocations_Deny.json,
Compute/VMSkusAllowed_Deny.json, Compute/ManagedDiskEncryptionSetsAllowed_Deny.json and
Tags/RequireTag_Deny.json. Of the third only the parts on disks and virtual machines are kept.
"""

from typing import Any

from readiness.twin.documents import Json

_PLACE = "/providers/Microsoft.Authorization/policyDefinitions/"


def _definition(guid: str, name: str, parameters: Json, rule: Json, effect: str) -> Json:
    return {
        "id": f"{_PLACE}{guid}",
        "name": guid,
        "type": "Microsoft.Authorization/policyDefinitions",
        "properties": {
            "displayName": name,
            "policyType": "BuiltIn",
            "mode": "Indexed",
            "parameters": parameters,
            "policyRule": {"if": rule, "then": {"effect": effect}},
        },
    }


def _type(kind: str) -> Json:
    return {"field": "type", "equals": kind}


def _not_in(field: str, parameter: str) -> Json:
    return {"field": field, "notIn": f"[parameters('{parameter}')]"}


def _effect(default: str) -> dict[str, Any]:
    return {
        "effect": {"type": "String", "defaultValue": default, "allowedValues": ["Audit", "Deny", "Disabled"]}
    }


_DISK, _VM = "Microsoft.Compute/disks", "Microsoft.Compute/virtualMachines"
_OWN_SET = f"{_VM}/storageProfile.osDisk.managedDisk.diskEncryptionSet.id"
_LIST: Json = {"type": "Array"}

BUILT_IN: dict[str, Json] = {
    each["name"]: each
    for each in (
        _definition(
            "e56962a6-4747-49cd-b67b-bf8b01975c4c",
            "Allowed locations",
            {"listOfAllowedLocations": _LIST} | _effect("Deny"),
            {
                "allOf": [
                    _not_in("location", "listOfAllowedLocations"),
                    {"field": "location", "notEquals": "global"},
                    {"field": "type", "notEquals": "Microsoft.AzureActiveDirectory/b2cDirectories"},
                ]
            },
            "[parameters('effect')]",
        ),
        _definition(
            "cccc23c7-8427-4f53-ad12-b6a63eb452b3",
            "Allowed virtual machine size SKUs",
            {"listOfAllowedSKUs": _LIST},
            {
                "allOf": [
                    _type(_VM),
                    {"not": {"field": f"{_VM}/sku.name", "in": "[parameters('listOfAllowedSKUs')]"}},
                ]
            },
            "Deny",
        ),
        _definition(
            "d461a302-a187-421a-89ac-84acdb4edc04",
            "Managed disks should use a specific set of disk encryption sets for the customer-managed key "
            "encryption",
            {"allowedEncryptionSets": _LIST} | _effect("Audit"),
            {
                "anyOf": [
                    {
                        "allOf": [
                            _type(_DISK),
                            {"field": f"{_DISK}/managedBy", "exists": "False"},
                            _not_in(f"{_DISK}/encryption.diskEncryptionSetId", "allowedEncryptionSets"),
                        ]
                    },
                    {"allOf": [_type(_VM), _not_in(_OWN_SET, "allowedEncryptionSets")]},
                ]
            },
            "[parameters('effect')]",
        ),
        _definition(
            "871b6d14-10aa-478d-b590-94f262ecfa99",
            "Require a tag on resources",
            {"tagName": {"type": "String"}},
            {"field": "[concat('tags[', parameters('tagName'), ']')]", "exists": "false"},
            "deny",
        ),
    )
}
"""By their names, GUIDs in lower case."""
