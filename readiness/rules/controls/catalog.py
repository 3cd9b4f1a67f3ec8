"""All controls, by hand: a control that is not listed here does not exist."""

from readiness.rules.controls import (
    access,
    compute,
    data,
    defender,
    governance,
    network,
    perimeter,
    roles,
    updates,
)
from readiness.rules.controls.control import SubscriptionControl, VmControl

ALL_CONTROLS: tuple[VmControl | SubscriptionControl, ...] = (
    *access.CONTROLS,
    *roles.CONTROLS,
    *network.CONTROLS,
    *perimeter.CONTROLS,
    *compute.CONTROLS,
    *defender.CONTROLS,
    *updates.CONTROLS,
    *data.CONTROLS,
    *governance.CONTROLS,
)
VM_CONTROLS = tuple(entry for entry in ALL_CONTROLS if isinstance(entry, VmControl))
SUBSCRIPTION_CONTROLS = tuple(entry for entry in ALL_CONTROLS if isinstance(entry, SubscriptionControl))
