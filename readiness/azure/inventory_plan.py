"""What has to be asked of Resource Manager one by one, as what Resource Graph told decides it."""

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from urllib.parse import urlsplit

import msgspec
from msgspec import Raw, Struct

from readiness.azure.inventory_sources import ENCRYPTION_SET, LISTS, SKU, VAULT, VM, ArmList


class Seen(Struct):
    """What a plan needs to know of a resource."""

    id: str = ""
    type: str = ""
    location: str | None = None
    properties: Raw = Raw(b"null")


class Ask(Struct, frozen=True):
    """A list that is to be read."""

    source: ArmList
    subscription: str
    path: str

    @property
    def key(self) -> str:
        """Return the name under which its pages are kept: the same in every attempt."""
        digest = blake2b(self.path.lower().encode(), digest_size=8).hexdigest()
        return f"arm-{self.source.kind.rpartition('/')[2].lower()}-{digest}"


def of_subscriptions(subscriptions: Iterable[str]) -> Iterator[Ask]:
    """Yield the lists of each subscription."""
    for subscription in subscriptions:
        for source in LISTS:
            if source.each == "subscription":
                yield Ask(source, subscription, source.path.format(id=f"/subscriptions/{subscription}"))


def of_resources(resources: Iterable[Seen]) -> Iterator[Ask]:
    """Yield the lists of each region with machines, and of single resources."""
    carriers = {source.each.lower() for source in LISTS} | {VAULT.lower()}
    through: dict[str, str] = {}
    found: dict[str, list[str]] = {}
    vaults: set[str] = set()
    for seen in resources:
        kind = seen.type.lower()
        if kind == VM.lower() and seen.location:
            own = subscription_of(seen.id)
            through[seen.location] = min(own, through.get(seen.location, own))
        elif kind == ENCRYPTION_SET.lower():
            vaults.add(_vault_of(seen.properties))
        elif kind in carriers:
            found.setdefault(kind, []).append(seen.id)
    for source in LISTS:
        if source.kind == SKU:
            for region, own in sorted(through.items()):
                path = source.path.format(id=f"/subscriptions/{own}", name=region)
                yield Ask(source, own, path)
        for each in sorted(found.get(source.each.lower(), ()), key=str.lower):
            if source.each != VAULT or each.rpartition("/")[2].lower() in vaults:
                yield Ask(source, subscription_of(each), source.path.format(id=each))


def _vault_of(properties: Raw) -> str:
    """Return the name of the vault whose key an encryption set uses; names of vaults are unique in Azure."""
    try:
        address = msgspec.json.decode(properties)["activeKey"]["keyUrl"]
        return str(urlsplit(address).hostname or "").partition(".")[0].lower()
    except (msgspec.DecodeError, TypeError, KeyError, ValueError):
        return ""


def subscription_of(resource_id: str) -> str:
    """Return the subscription of an id, in lower case."""
    words = resource_id.lower().split("/")
    return words[2] if len(words) > 2 and words[1] == "subscriptions" else ""  # noqa: PLR2004
