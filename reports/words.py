"""How the model's terms read in plain words, for people who open a workbook and have read nothing else.

A word that is not listed here is shown as it is: a new playbook or reason never breaks a report.
"""

from readiness.model.assessment import Classification
from readiness.model.context import Choice, Environment, SecureBoot
from readiness.model.plan import Plan, PlannedVm, PlanTarget, Strictness, TargetKind
from readiness.model.steps import Undo
from readiness.model.verdict import Dimension

UNDO: dict[Undo, str] = {
    Undo.CONFIG: "Taken back automatically, by setting the configuration back.",
    Undo.SWAP: "The operating system disk is swapped for one made from its snapshot; "
    "automatic only until the VM has answered after its start.",
    Undo.REBUILD: "The VM is deleted and created again around its disks, by hand from printed steps; "
    "never automatic.",
    Undo.NONE: "A point of no return: it cannot be taken back, and the approval has to say so.",
}

TARGET: dict[TargetKind, str] = {
    TargetKind.TWIN: "Twin: a rehearsal, nothing in Azure is changed",
    TargetKind.LIVE: "Live: running this plan changes real VMs in Azure",
}

ENVIRONMENT: dict[Environment, str] = {
    Environment.PRODUCTION: "Production",
    Environment.TEST: "Test",
    Environment.DEVELOPMENT: "Development",
}

DIMENSION: dict[Dimension, str] = {
    Dimension.TRUSTED_LAUNCH: "Trusted Launch",
    Dimension.CMK: "Customer-managed keys",
    Dimension.PASSWORD_ACCESS: "Password access",
    Dimension.MANAGED_IDENTITY: "Managed identity",
}

CLASSIFICATION: dict[Classification, str] = {
    Classification.SATISFIED: "Nothing to do: the goal is met, or something better is in place.",
    Classification.READY: "Can be upgraded now.",
    Classification.READY_WITH_WORK: "Can be upgraded once the named work is done.",
    Classification.BLOCKED: "Cannot be upgraded as it stands; the reason says who can change that.",
    Classification.EXCEPTED: "An exception that has not expired permits it.",
    Classification.NOT_APPLICABLE: "The question does not arise for this VM.",
    Classification.UNKNOWN: "A fact is missing; unknown never counts as ready.",
}

STRICTNESS: dict[Strictness, str] = {
    Strictness.NEXT_WAVE: "a later wave",
    Strictness.SAME_WAVE: "no earlier wave, a later batch",
    Strictness.NONE: "kept, though not asked for",
}

ASSUMED_DURATIONS = (
    "All durations in this workbook are assumed, not measured: only live runs calibrate them. "
    "Reserved time covers the work, the proof of health and the automatic way back."
)

_PLAYBOOK: dict[str, str] = {
    "disk-encryption": "Customer-managed keys",
    "managed-identity": "Managed identity",
    "passwordless": "Passwordless access",
    "trusted-launch": "Trusted Launch",
}


def playbook(name: str) -> str:
    """Return a playbook's name as people say it."""
    return _PLAYBOOK.get(name, name)


def permitted(covers: str) -> str:
    """Return what an exception is about: a dimension in words; a rule or control by its id."""
    return DIMENSION[Dimension(covers)] if covers in tuple(Dimension) else covers


def actions(vm: PlannedVm) -> str:
    """Return what will be done to a VM, one action a line, with what was chosen for it."""
    return "\n".join(_action(name, vm.choice) for name in vm.actions)


def refusals(vm: PlannedVm) -> str:
    """Return what will not be done to a VM, and why, one refusal a line."""
    return "\n".join(
        f"{playbook(entry.playbook)}: {entry.detail or entry.reason} [{entry.reason}]"
        for entry in vm.refusals
    )


def proof(plan: Plan) -> str:
    """Return how good the number of waves is, in one sentence."""
    if plan.proven or len(plan.waves) == plan.lower_bound:
        return f"{len(plan.waves)} waves; no plan within these limits has fewer: proven."
    gap = f"{len(plan.waves)} waves are {plan.ratio:.2f} times the lower bound of {plan.lower_bound}"
    return f"{gap}; whether fewer are possible is not known."


def place(target: PlanTarget) -> str:
    """Return the subscriptions of a target, however many there are."""
    return ", ".join(target.subscriptions) or "none named"


_NOT_AT_ONCE = (SecureBoot.OFF, SecureBoot.STAGED)


def _action(name: str, choice: Choice) -> str:
    match name:
        case "trusted-launch" if choice.trusted_launch is not None:
            how = choice.trusted_launch.secure_boot
            return f"Trusted Launch, Secure Boot {how}" if how in _NOT_AT_ONCE else "Trusted Launch"
        case "disk-encryption" if choice.disk_encryption_set is not None:
            host = "\nEncryption at host" if choice.encryption_at_host else ""
            return f"Customer-managed keys: {choice.disk_encryption_set.name}{host}"
        case "managed-identity" if choice.identity is not None:
            return f"{choice.identity.type.capitalize()}-assigned managed identity"
        case _:
            return playbook(name)


ASSUMES = {
    "pace": "the share goes on growing as in the snapshots so far; their spread is the range.",
    "plan": "every window is kept, and VMs succeed as often as in recorded runs, or four in five until there "
    "are enough of them.",
}
"""What forecasts take for granted, by what they are made from."""
