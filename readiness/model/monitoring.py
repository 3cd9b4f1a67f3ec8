"""What Azure's own services say of VMs: Defender for Cloud, guest configuration, monitoring and updates."""

from datetime import datetime

from msgspec import Struct

from readiness.model.fact import Fact
from readiness.model.ids import ResourceId
from readiness.model.schedules import ScopeFilter


class DefenderPlan(Fact, frozen=True, kw_only=True):
    """The Defender for Servers plan of a subscription, or of one VM that departs from it."""

    tier: str | None = None
    """`Free` or `Standard`."""
    plan: str | None = None
    """`P1` or `P2`."""
    coverage: str | None = None
    """`FullyCovered`, `PartiallyCovered` or `NotCovered`."""

    @property
    def is_on(self) -> bool:
        """Whether Defender for Servers is switched on here."""
        return (self.tier or "").lower() == "standard"


class Recommendation(Fact, frozen=True, kw_only=True):
    """One assessment of Defender for Cloud: what it found on one resource for one key."""

    key: str
    resource: ResourceId
    code: str | None = None
    """`Healthy`, `Unhealthy` or `NotApplicable`."""
    cause: str | None = None
    severity: str | None = None


class GuestAssignment(Fact, frozen=True, kw_only=True):
    """A guest configuration assignment: what the agent inside a VM found."""

    vm: ResourceId
    configuration: str
    """Its name in lower case, without the suffix that a second policy adds: `linuxnopasswordforssh`."""
    status: str = "Pending"
    """`Compliant`, `NonCompliant`, `Pending`, or whatever else Azure says."""
    kind: str | None = None
    """`assignmentType`, such as `ApplyAndAutoCorrect`."""


class PatchResult(Fact, frozen=True, kw_only=True):
    """What the last look for updates found on a VM."""

    vm: ResourceId
    missing: int | None = None
    """Critical and security updates that are not installed."""
    at: datetime | None = None


class PatchSettings(Struct, frozen=True, kw_only=True):
    """`patchSettings` of a VM's operating system profile. None means not reported."""

    assessment_mode: str | None = None
    patch_mode: str | None = None
    own_schedule: bool | None = None
    """`bypassPlatformSafetyChecksOnUserSchedule`: the VM waits for a maintenance configuration."""


class VmLink(Fact, frozen=True, kw_only=True):
    """Something that is attached to a VM by its id: a maintenance or a data collection rule association."""

    vm: ResourceId
    """Or a scope that holds VMs, where a filter says which of them."""
    target: ResourceId | None = None
    filter: ScopeFilter | None = None


class FlowLog(Fact, frozen=True, kw_only=True):
    """A flow log of Network Watcher."""

    target: ResourceId | None = None
    is_enabled: bool = False


class SecuritySetting(Fact, frozen=True, kw_only=True):
    """A switch of Defender for Cloud, such as `WDATP`."""

    is_enabled: bool | None = None


class LogHub(Fact, frozen=True, kw_only=True):
    """A workspace that Microsoft Sentinel watches."""
