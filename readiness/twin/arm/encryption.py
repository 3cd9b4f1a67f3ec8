"""Disk encryption: which changes of a disk's key Azure refuses.

Learn, "Server-side encryption of Azure managed disks", restrictions: the encryption set lies in the
subscription and region of the disk; the disk is unattached or its machines are deallocated; a disk that Azure
Disk Encryption ever touched can never have a customer-managed key; a disk and its incremental snapshots share
one key.
"""

from typing import Any

from readiness.twin import paths
from readiness.twin.documents import Json, look, same
from readiness.twin.messages import invalid_parameter, not_allowed
from readiness.twin.state import ENCRYPTION_SET, SNAPSHOT, State, missing, place

PLATFORM_KEY = "EncryptionAtRestWithPlatformKey"
_TYPES = (
    PLATFORM_KEY,
    "EncryptionAtRestWithCustomerKey",
    "EncryptionAtRestWithPlatformAndCustomerKeys",
)


def check(state: State, before: Json | None, after: Json) -> None:
    """Refuse an encryption a disk or snapshot cannot have, or cannot have now."""
    wanted: Any = look(after, "properties.encryption") or {}
    _check_wanted(state, after, wanted)
    was: Any = look(before, "properties.encryption") or {}
    if before is None or same_key(was, wanted):
        return
    if paths.parse(after["id"]).kind != SNAPSHOT:
        _check_disk(state, before, wanted)


def same_key(one: Json, other: Json) -> bool:
    """Tell whether two encryptions are the same."""
    return same(one.get("type") or PLATFORM_KEY, other.get("type") or PLATFORM_KEY) and same(
        one.get("diskEncryptionSetId"), other.get("diskEncryptionSetId")
    )


def _check_wanted(state: State, after: Json, wanted: Json) -> None:
    kind, set_id = wanted.get("type") or PLATFORM_KEY, wanted.get("diskEncryptionSetId")
    if kind not in _TYPES:
        raise invalid_parameter(
            f"The value '{kind}' of parameter 'encryption.type' is invalid.", "encryption.type"
        )
    if kind == PLATFORM_KEY:
        if set_id is not None:
            raise invalid_parameter(
                f"Resource {after['name']} encrypted with platform key has disk encryption set id specified"
            )
        return
    if set_id is None:
        # The wording is an assumption.
        raise invalid_parameter(
            f"Resource {after['name']} encrypted with customer key has no disk encryption set id specified"
        )
    found = state.find(set_id)
    if found is None or paths.parse(found["id"]).kind != ENCRYPTION_SET:
        raise missing(set_id)
    _check_set(after, kind, found)


def _check_set(after: Json, kind: str, found: Json) -> None:
    """The rules are Learn's; the wordings are assumptions."""
    here, there = paths.parse(after["id"]), paths.parse(found["id"])
    if not same(here.subscription, there.subscription):
        raise invalid_parameter(
            f"Disk encryption set '{there.name}' is in another subscription than resource '{here.name}'."
        )
    if place(after.get("location")) != place(found.get("location")):
        raise invalid_parameter(
            f"Disk encryption set '{there.name}' is in another region than resource '{here.name}'."
        )
    if (own := look(found, "properties.encryptionType")) not in (None, kind):
        raise invalid_parameter(
            f"Encryption type '{kind}' of resource '{here.name}' does not match type '{own}' of disk "
            f"encryption set '{there.name}'."
        )


def _check_disk(state: State, disk: Json, wanted: Json) -> None:
    name = disk["name"]
    if disk["properties"]["diskState"] not in ("Unattached", "Reserved"):
        # The sentence is the portal's; that the API refuses in the same words is an assumption.
        raise not_allowed(
            "Changes to encryption settings can only be made when the disk is unattached or the managing "
            "virtual machine(s) are deallocated."
        )
    if wanted.get("type") != PLATFORM_KEY and disk["id"].lower() in state.ever_ade:
        raise not_allowed(
            f"Disk '{name}' was previously encrypted with Azure Disk Encryption. Server-side encryption with "
            "customer managed keys cannot be enabled on this disk at this time."
        )
    if any(_is_copy_of(disk, state.find(snapshot_id)) for snapshot_id in state.increments):
        # The rule is Learn's; only the beginning of the sentence is on public record.
        raise not_allowed(
            f"Cannot update encryption properties for disk '{name}' because it already has incremental "
            "snapshots."
        )


def _is_copy_of(disk: Json, snapshot: Json | None) -> bool:
    """Match by unique id, which survives a reused name, and by source where there is none."""
    creation: Any = look(snapshot, "properties.creationData") or {}
    if creation.get("sourceUniqueId"):
        return same(creation["sourceUniqueId"], disk["properties"]["uniqueId"])
    return same(creation.get("sourceResourceId"), disk["id"])


def with_upper_group(resource_id: str) -> str:
    """Return an id the way the disk provider echoes it: its resource group in upper case (recorded)."""
    words = resource_id.split("/")
    for index, word in enumerate(words[:-1]):
        if word.lower() == "resourcegroups":
            words[index + 1] = words[index + 1].upper()
    return "/".join(words)
