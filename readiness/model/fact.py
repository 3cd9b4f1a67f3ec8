"""What every observed fact beside the VMs has in common: the resource that says it."""

from msgspec import Struct

from readiness.model.ids import ResourceId


class Fact(Struct, frozen=True, kw_only=True):
    """One resource as far as controls and rules ask about it. See `model.posture`, which files them."""

    id: ResourceId
