"""Where an estate comes from, and what of it could not be read."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct


class Origin(StrEnum):
    """Where an estate comes from. Sample and generated estates never run live."""

    SAMPLE = "sample"
    GENERATED = "generated"
    COLLECTED = "collected"
    IMPORTED = "imported"


class Subscription(Struct, frozen=True):
    """One subscription of the estate."""

    id: str
    name: str = ""


class Gap(Struct, frozen=True):
    """Something that could not be read, where, and why."""

    place: str
    resource: str
    reason: str
    detail: str
    is_vm: bool = False
    """The resource is a VM: it is part of the coverage proof as *unknown*."""


class EstateInfo(Struct, frozen=True, kw_only=True):
    """When, from where and by whom the estate was collected."""

    name: str
    origin: Origin
    collected_at: datetime
    cloud: str = "AzurePublic"
    tenant: str = ""
    subscriptions: tuple[Subscription, ...] = ()
    listed_types: tuple[str, ...] = ()
    """Resource types of which everything was asked for: what is absent and is no gap does not exist."""
