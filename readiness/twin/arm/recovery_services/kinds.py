"""Names and kinds of Azure Backup: vaults, policies, protected items, jobs, recovery points, and their tiers.

A virtual machine's container is `IaasVMContainer;iaasvmcontainerv2;{group};{machine}` and its item
`VM;iaasvmcontainerv2;{group};{machine}` (Learn, "Back up Azure VMs using REST API"). Guarantees: both are
found in whatever case and with whatever prefix a client writes them, and told in one form.
"""

from dataclasses import dataclass
from datetime import datetime

from readiness.twin.documents import Json, look, same
from readiness.twin.messages import ArmError
from readiness.twin.paths import Address, parse
from readiness.twin.state import State, missing

VAULT = "microsoft.recoveryservices/vaults"
POLICY = f"{VAULT}/backuppolicies"
FABRIC = f"{VAULT}/backupfabrics"
CONTAINER = f"{FABRIC}/protectioncontainers"
ITEM = f"{CONTAINER}/protecteditems"
POINT = f"{ITEM}/recoverypoints"
JOB = f"{VAULT}/backupjobs"

ITEM_TYPE = "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems"
COMPUTE_VM = "Microsoft.Compute/virtualMachines"
STANDARD, ENHANCED = "V1", "V2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a path beneath a fabric names: a vault, and one virtual machine in it."""

    vault: str
    group: str
    machine: str

    @property
    def container(self) -> str:
        """Return the container's name."""
        return f"IaasVMContainer;iaasvmcontainerv2;{self.group};{self.machine}"

    @property
    def item(self) -> str:
        """Return the item's name."""
        return f"VM;iaasvmcontainerv2;{self.group};{self.machine}"

    @property
    def container_id(self) -> str:
        """Return the container's id."""
        return f"{self.vault}/backupFabrics/Azure/protectionContainers/{self.container}"

    @property
    def item_id(self) -> str:
        """Return the item's id."""
        return f"{self.container_id}/protectedItems/{self.item}"


def find_place(address: Address) -> Place | None:
    """Return what a path names, or None for what is no virtual machine's container or item."""
    words = (address.names[2] if len(address.names) > 2 else "").split(";")  # noqa: PLR2004 - the container
    if len(words) < 3 or not same(words[-3], "iaasvmcontainerv2") or not same(address.names[1], "Azure"):  # noqa: PLR2004
        return None
    return Place(vault=vault_id(address), group=words[-2], machine=words[-1])


def place_of(address: Address) -> Place:
    """Return what a path names, or refuse."""
    found = find_place(address)
    if found is None:
        raise invalid_request()
    return found


def invalid_request() -> ArmError:
    """Refuse what does not say which machine is to be protected, or how."""
    return ArmError(
        400,
        "BMSUserErrorInvalidConfigureProtectionRequest",
        "Input for configure protection is not in proper format\r\nPlease ensure that container exists "
        "and other parameters are in valid format",
    )


def vault_id(address: Address) -> str:
    """Return the id of the vault a path lies in."""
    words = address.path.split("/")
    at = [word.lower() for word in words].index("vaults")
    return "/".join(words[: at + 2])


def need_vault(state: State, address: Address) -> Json:
    """Return the vault a path lies in, or refuse."""
    found = state.find(vault_id(address))
    if found is None:
        raise missing(vault_id(address))
    return found


def listed_in(state: State, address: Address, kind: str) -> list[Json]:
    """Return what a vault holds of a kind; a seed may hold it without its vault."""
    found = state.of_kind(kind, vault_id(address))
    if not found:
        need_vault(state, address)
    return found


def seen_item(state: State, address: Address) -> Json:
    """Return the item a path names, also where the seed has it under another name or without its vault."""
    words = address.path.split("/")
    at = [word.lower() for word in words].index("protecteditems")
    return state.find("/".join(words[: at + 2])) or need_item(state, address)


def need_item(state: State, address: Address) -> Json:
    """Return the protected item a path names, or refuse."""
    need_vault(state, address)
    found = state.find(place_of(address).item_id)
    if found is None:
        # Recorded by clients as a 404 of this code; the sentence is an assumption.
        raise ArmError(
            404,
            "BMSUserErrorObjectNotFound",
            "Specified object not found. Please verify the inputs and retry the operation.",
            unverified=True,
        )
    return found


def vault_of(state: State, resource: Json) -> Json:
    """Return the vault of something in it."""
    found = state.find(vault_id(parse(resource["id"])))
    if found is None:
        raise missing(vault_id(parse(resource["id"])))
    return found


def tier(policy: Json | None) -> str:
    """Return `V1` for a Standard policy and `V2` for an Enhanced one; one that does not say is Standard."""
    told = look(policy, "properties.policyType")
    enhanced = same(look(policy, "properties.schedulePolicy.schedulePolicyType"), "SimpleSchedulePolicyV2")
    return ENHANCED if same(told, ENHANCED) or (told is None and enhanced) else STANDARD


def has_soft_delete(vault: Json) -> bool:
    """Tell whether backup data that is deleted can still be recovered."""
    state = look(vault, "properties.securitySettings.softDeleteSettings.softDeleteState")
    return not same(state, "Disabled")


def retention_days(vault: Json) -> int:
    """Return for how many days deleted backup data can be recovered."""
    days = look(vault, "properties.securitySettings.softDeleteSettings.softDeleteRetentionPeriodInDays")
    return days if isinstance(days, int) else 14


def is_deleted(item: Json) -> bool:
    """Tell whether an item is only waiting for its end."""
    return look(item, "properties.isScheduledForDeferredDelete") is True


def stamp(when: datetime) -> str:
    """Return a time as Azure Backup writes it."""
    return when.isoformat().replace("+00:00", "Z")
