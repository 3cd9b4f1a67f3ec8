"""What a plan has to keep beside the estate's own facts: limits, pilots, rings, windows, pins.

The same for every estate until somebody writes a `policy.yaml`. A limit that is None does not limit.
"""

from datetime import date
from enum import StrEnum

from msgspec import Struct

from readiness.model.context import Environment, Match
from readiness.model.execution import Execution
from readiness.model.ids import ResourceId


class Limits(Struct, frozen=True, kw_only=True):
    """What one wave may hold. A move group that is larger than a limit goes alone, and the plan says so."""

    max_vms_per_wave: int | None = 100
    max_work_minutes_per_wave: int | None = None
    """Minutes of work and proof, added up over the VMs of a wave."""
    max_vms_per_subscription: int | None = None
    max_vms_per_region: int | None = None
    max_vms_per_application: int | None = None
    max_snapshots_per_subscription: int | None = None
    max_vcpus_per_region: int | None = None
    """A region has to find capacity for what is started again."""


class Pilot(Struct, frozen=True, kw_only=True):
    """How many VMs prove a change before the rest of their ring follows."""

    max_vms: int = 10
    max_percent: float = 1.0
    """The larger of both counts: at most `max(max_vms, max_percent of all planned VMs)`."""


class ApartScope(StrEnum):
    """How far redundant peers are kept from one another."""

    BATCH = "batch"
    """Different batches of one wave are enough."""
    WAVE = "wave"
    """Different waves."""


class HubHandling(StrEnum):
    """What is done about a VM that a great many others hang on."""

    KEEP = "keep"
    CUT = "cut"


class HubRule(Struct, frozen=True, kw_only=True):
    """The user's word on some hubs."""

    match: Match
    handling: HubHandling
    place: str = ""


class Pin(Struct, frozen=True, kw_only=True):
    """A wish for the VMs it matches: honoured, or refused with a reason."""

    match: Match
    wave: int | None = None
    not_before: date | None = None
    with_vm: str | None = None
    """Name or id of a VM whose wave they are to share."""
    exclude: bool = False
    reason: str = ""
    place: str = ""
    """Where it was written: file, line and column."""


class Policy(Struct, frozen=True, kw_only=True):
    """Limits and preferences of a plan."""

    limits: Limits = Limits()
    max_vms_per_batch: int = 20
    pilot: Pilot | None = Pilot()
    """None: no pilots."""
    rings: tuple[tuple[Environment, ...], ...] = (
        (Environment.DEVELOPMENT, Environment.TEST),
        (Environment.PRODUCTION,),
    )
    """Environments in the order in which they go; empty: all at once."""
    windows: bool = True
    """Whether maintenance windows are kept. Without them waves simply follow one another."""
    lockout_minutes: int = 0
    """Nothing begins in the last minutes of a window."""
    waves_at_once: int | None = None
    """How many waves may be under way at a time; those share no application and no redundant group.

    None: one, and more only for a ring that would take more than about two dozen one after another.
    """
    apart: ApartScope = ApartScope.BATCH
    max_unavailable_percent: int = 25
    """Of a redundant group so many may be off at a time, rounded down, and always at least one."""
    hub_degree: int = 20
    """A VM with fewer neighbours is never taken for a hub."""
    hubs: tuple[HubRule, ...] = ()
    pins: tuple[Pin, ...] = ()
    snapshot_price: float = 0.05
    """Of a gigabyte of full snapshot for a month, to tell what protection costs."""
    currency: str = "USD"
    execution: Execution = Execution()
    """How its waves are carried out."""


class PinAnswer(Struct, frozen=True, kw_only=True):
    """What became of a wish for one VM."""

    vm: ResourceId
    wish: str
    honoured: bool
    reason: str
