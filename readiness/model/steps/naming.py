"""What steps are called: in a journal, on a screen, and in Azure."""

import hashlib

from readiness.model.ids import ResourceId
from readiness.model.steps import vocabulary as steps

_LONGEST_NAME = 80


def name_of(step: steps.Step, *, in_full: bool = False) -> str:  # noqa: PLR0911  one name a kind
    """Return a step's name: what it does, and to what; in full with where that lies."""
    kind = str(step.__struct_config__.tag)
    match step:
        case steps.TakeSnapshot() | steps.SetDiskEncryption() | steps.SwapOsDisk():
            group = f"{step.disk.resource_group}/" if in_full else ""
            moment = "" if isinstance(step, steps.SetDiskEncryption) or not step.moment else f"@{step.moment}"
            return f"{kind}:{group}{step.disk.name}{moment}"
        case steps.AssignRole() | steps.RemoveRole():
            tail = hashlib.sha256(f"{step.scope.key} {step.principal}".encode()).hexdigest()[:6]
            return f"{kind}:{step.role.rsplit('/', 1)[-1]}-{tail}".replace(" ", "-").lower()
        case steps.SetSecurityRule() | steps.RemoveSecurityRule():
            group = f"{step.rule.parent.name}/" if in_full else ""
            return f"{kind}:{group}{step.rule.name}"
        case steps.InstallExtension() | steps.RemoveExtension() | steps.RunInGuest():
            return f"{kind}:{step.name}"
        case steps.RunHook():
            return f"{kind}:{step.name}"
        case steps.Resize() | steps.StartAs():
            return f"{kind}:{step.size}"
        case steps.MarkGroup() | steps.UnmarkGroup():
            return "take-lease" if isinstance(step, steps.MarkGroup) else "release-lease"
        case steps.ProveClosedBehind():
            group = f"{step.vm.resource_group}/" if in_full else ""
            return f"{kind}:{group}{step.vm.name}"
        case steps.ProveClosed():
            return f"{kind}:{'-'.join(str(port) for port in step.ports)}"
        case _:
            return kind


def words_for(step: steps.Step) -> str:  # noqa: C901, PLR0911, PLR0912  one sentence a kind
    """Return what a step does, for people watching it."""
    match step:
        case steps.TakeSnapshot():
            moment = f" ({step.moment})" if step.moment else ""
            return f"{step.words} of {step.disk.name}{moment}"
        case steps.SwapOsDisk():
            return f"{step.words} {step.disk.name}"
        case steps.SetDiskEncryption():
            owner = "customer-managed" if step.encryption.uses_customer_key else "platform-managed"
            return f"{owner} {step.words} for {step.disk.name}"
        case steps.Resize() | steps.StartAs():
            return f"{step.words} {step.size}"
        case steps.PatchVm():
            settings = (key for part in step.properties.values() if isinstance(part, dict) for key in part)
            return f"{step.words} {', '.join(sorted(settings))}"
        case steps.AssignRole() | steps.RemoveRole():
            return f"{step.words} {step.role.rsplit('/', 1)[-1]} on {step.scope.name or step.scope.text}"
        case steps.SetSecurityRule() | steps.RemoveSecurityRule():
            return f"{step.words} {step.rule.name}"
        case steps.InstallExtension() | steps.RemoveExtension():
            return f"{step.words} {step.name}"
        case steps.RunInGuest() | steps.RunHook():
            return f"{step.words} {step.name.replace('-', ' ')}"
        case steps.ChangeBackupPolicy():
            return f"{step.words} {step.policy.name}"
        case steps.ProveRules() | steps.ProveJustInTime():
            return f"{step.words} {step.vm.name}"
        case steps.SetJustInTime() | steps.RemoveJustInTime():
            return f"{step.words} {', '.join(each.vm.name for each in step.machines)}"
        case steps.ProveClosedBehind():
            return f"{step.words} {', '.join(str(port) for port in step.ports)} of {step.vm.name}"
        case steps.ProveClosed():
            return f"{step.words} {', '.join(str(port) for port in step.ports)}"
        case _:
            return step.words


def snapshot_id(step: steps.TakeSnapshot | steps.SwapOsDisk, plan: str, started: str) -> ResourceId:
    """Return the snapshot's deterministic id beside its disk: `<vm>-<disk>-<hash>-<plan>`, cut to fit.

    The hash keeps disk `1-data` of VM `web` apart from disk `data` of VM `web-1`, and a run begun anew from
    a snapshot that an earlier one took: an old snapshot protects nothing.
    """
    text = f"{step.disk.key} {started}" + (f" {step.moment}" if step.moment else "")
    tail = f"-{hashlib.sha256(text.encode()).hexdigest()[:8]}-{plan}"
    name = f"{step.vm.name}-{step.disk.name}"[: _LONGEST_NAME - len(tail)] + tail
    return step.disk.sibling("Microsoft.Compute/snapshots", name)
