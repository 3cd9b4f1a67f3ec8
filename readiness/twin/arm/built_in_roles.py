"""Built-in roles: the ones that matter to virtual machines, keys and access, with Azure's own ids.

Learn, "Azure built-in roles". Actions are given as far as they decide anything here; descriptions are left
out.
"""

from dataclasses import dataclass

_AUTHORIZATION = ("Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write")
_VMS = "Microsoft.Compute/virtualMachines"
_VAULTS = "Microsoft.KeyVault/vaults"


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A role Azure brings along."""

    guid: str
    name: str
    actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()


BUILT_IN = (
    BuiltIn("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Owner", ("*",)),
    BuiltIn("b24988ac-6180-42a0-ab88-20f7382dd24c", "Contributor", ("*",), not_actions=_AUTHORIZATION),
    BuiltIn("acdd72a7-3385-48ef-bd42-f606fba81ae7", "Reader", ("*/read",)),
    BuiltIn(
        "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
        "User Access Administrator",
        ("*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"),
    ),
    BuiltIn(
        "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
        "Role Based Access Control Administrator",
        (
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.Authorization/roleAssignments/delete",
            "*/read",
            "Microsoft.Support/*",
        ),
    ),
    BuiltIn(
        "9980e02c-c2be-4d73-94e8-173b1dc7cf3c",
        "Virtual Machine Contributor",
        (f"{_VMS}/*", "Microsoft.Compute/disks/write", "Microsoft.Compute/disks/read"),
    ),
    BuiltIn(
        "1c0163c0-47e6-4577-8991-ea5c82e286e4",
        "Virtual Machine Administrator Login",
        (f"{_VMS}/*/read",),
        (f"{_VMS}/login/action", f"{_VMS}/loginAsAdmin/action"),
    ),
    BuiltIn(
        "fb879df8-f326-4884-b1cf-06f3ad86be52",
        "Virtual Machine User Login",
        (f"{_VMS}/*/read",),
        (f"{_VMS}/login/action",),
    ),
    BuiltIn("602da2ba-a5c2-41da-b01d-5360126ab525", "Virtual Machine Local User Login"),
    BuiltIn("a6333a3e-0164-44c3-b281-7a577aff287f", "Windows Admin Center Administrator Login"),
    BuiltIn(
        "7efff54f-a5b4-42b5-a1c5-5411624893ce",
        "Disk Snapshot Contributor",
        ("Microsoft.Compute/snapshots/*",),
    ),
    BuiltIn("4d97b98b-1d4f-4787-a291-c67834d212e7", "Network Contributor", ("Microsoft.Network/*",)),
    BuiltIn(
        "00482a5a-887f-4fb3-b363-3b7fe8e74483",
        "Key Vault Administrator",
        (f"{_VAULTS}/*/read",),
        (f"{_VAULTS}/*",),
    ),
    BuiltIn("f25e0fa2-a7c8-4377-a976-54943a77a395", "Key Vault Contributor", ("Microsoft.KeyVault/*",)),
    BuiltIn(
        "21090545-7ca7-4776-b22c-e363652d74d2",
        "Key Vault Reader",
        (f"{_VAULTS}/*/read",),
        (f"{_VAULTS}/*/read", f"{_VAULTS}/secrets/readMetadata/action"),
    ),
    BuiltIn(
        "14b46e9e-c2b7-41b4-b07b-48a6ebf60603",
        "Key Vault Crypto Officer",
        (f"{_VAULTS}/*/read",),
        (f"{_VAULTS}/keys/*", f"{_VAULTS}/keyrotationpolicies/*"),
    ),
    BuiltIn(
        "12338af0-0e69-4776-bea7-57ae8d297424",
        "Key Vault Crypto User",
        (),
        tuple(
            f"{_VAULTS}/keys/{word}"
            for word in (
                *("read", "update/action", "backup/action", "encrypt/action", "decrypt/action"),
                *("wrap/action", "unwrap/action", "sign/action", "verify/action"),
            )
        ),
    ),
    BuiltIn(
        "e147488a-f6f5-4113-8e2d-b22465e65bf6",
        "Key Vault Crypto Service Encryption User",
        (),
        (f"{_VAULTS}/keys/read", f"{_VAULTS}/keys/wrap/action", f"{_VAULTS}/keys/unwrap/action"),
    ),
    BuiltIn(
        "4633458b-17de-408a-b874-0445c86b69e6",
        "Key Vault Secrets User",
        (),
        (f"{_VAULTS}/secrets/getSecret/action", f"{_VAULTS}/secrets/readMetadata/action"),
    ),
    BuiltIn(
        "b86a8fe4-44ce-4948-aee5-eccb2c155cd7", "Key Vault Secrets Officer", (), (f"{_VAULTS}/secrets/*",)
    ),
    BuiltIn(
        "f1a07417-d97a-45cb-824c-7a7467783830",
        "Managed Identity Operator",
        (
            "Microsoft.ManagedIdentity/userAssignedIdentities/*/read",
            "Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action",
        ),
    ),
    BuiltIn(
        "e40ec5ca-96e0-45a2-b4ff-59039f2c2b59",
        "Managed Identity Contributor",
        ("Microsoft.ManagedIdentity/userAssignedIdentities/*",),
    ),
    BuiltIn("39bc4728-0917-49c7-9d2c-d95423bc2eb4", "Security Reader", ("Microsoft.Security/*/read",)),
    BuiltIn("fb1c8493-542b-48eb-b624-b4c8fea62acd", "Security Admin", ("Microsoft.Security/*",)),
    BuiltIn("5e467623-bb1f-42f4-a55d-6e525e11384b", "Backup Contributor", ("Microsoft.RecoveryServices/*",)),
    BuiltIn(
        "00c29273-979b-4161-815c-10b084fb9324", "Backup Operator", ("Microsoft.RecoveryServices/*/read",)
    ),
)
