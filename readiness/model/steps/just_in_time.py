"""Changes of just-in-time access: VMs put into a policy of several, taken out of it, and the proof of both.

A policy opens no port by itself: it closes the ports of its VMs to everybody, and opens one for a while to
whoever asks and may. In each of these steps `vm` is the policy, the unit of the campaign.
"""

from typing import ClassVar

from msgspec import Struct

from readiness.model.ids import ResourceId
from readiness.model.steps.access import ProveClosedBehind
from readiness.model.steps.kinds import COMPUTE, StepBase

_POLICIES = "Microsoft.Security/locations/jitNetworkAccessPolicies"
_READ = f"{_POLICIES}/read"
_ENTRIES = (
    _READ,
    f"{_POLICIES}/write",
    f"{COMPUTE}/virtualMachines/read",
    f"{COMPUTE}/virtualMachines/write",
)


class RequestedAccess(Struct, frozen=True, kw_only=True):
    """One VM in a policy, and the ports that open on request."""

    vm: ResourceId
    ports: tuple[int, ...]
    longest: str = "PT3H"
    """How long a request lasts at most, as ISO 8601 writes it: Azure's own default."""


class SetJustInTime(StepBase, frozen=True, kw_only=True, tag="set-just-in-time"):
    """Put VMs into a policy beside those that it holds; every other VM of it stays as it is."""

    words: ClassVar[str] = "open on request only"
    duration: ClassVar[str] = "look"
    actions: ClassVar[tuple[str, ...]] = _ENTRIES

    machines: tuple[RequestedAccess, ...]
    creates: bool
    """Whether there was no such policy when it was planned on."""


class RemoveJustInTime(StepBase, frozen=True, kw_only=True, tag="remove-just-in-time"):
    """Take the VMs out of a policy that `SetJustInTime` put in; one that it made goes with the last."""

    words: ClassVar[str] = "no longer open on request"
    duration: ClassVar[str] = "look"
    actions: ClassVar[tuple[str, ...]] = (*_ENTRIES, f"{_POLICIES}/delete")

    machines: tuple[RequestedAccess, ...]
    creates: bool


class ProveJustInTime(StepBase, frozen=True, kw_only=True, tag="prove-just-in-time"):
    """Look whether a policy says of VMs what it may; before a change also whether it may be written."""

    words: ClassVar[str] = "look at just-in-time policy"
    duration: ClassVar[str] = "look"
    actions: ClassVar[tuple[str, ...]] = (
        _READ,
        "Microsoft.Security/pricings/read",
        "Microsoft.Authorization/permissions/read",
        "Microsoft.Authorization/locks/read",
        "Microsoft.Authorization/denyAssignments/read",
    )

    machines: tuple[RequestedAccess, ...]
    creates: bool
    is_back: bool = False
    """After a way back: none of them may be in it. Before a change they may be in it as they are to be."""
    needed: tuple[str, ...] = ()
    """What permissions and locks have to allow; nothing where it is only looked at."""


class ProveOnRequest(ProveClosedBehind, frozen=True, kw_only=True, tag="prove-on-request"):
    """Ask for the rules in force at a VM of the policy: rules from before it may still let everybody in."""


JustInTimeChange = SetJustInTime | RemoveJustInTime | ProveJustInTime | ProveOnRequest
