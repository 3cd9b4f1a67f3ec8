"""By hand: looks at a VM and its disks, and what has to be seen for the work to go on."""

from datetime import UTC
from typing import Any, assert_never

from readiness.model.disk import EncryptionType
from readiness.model.observation import before_of
from readiness.model.steps import (
    AssignIdentity,
    HandOver,
    InstallExtension,
    PatchVm,
    ProveHealth,
    ProveModel,
    ProvePrepared,
    ProveRestored,
    ProveTime,
    Recheck,
    RecordBefore,
    SetDiskEncryption,
    Step,
    words_for,
)
from reports.az import Check, Instruction, Shell, az, ids, quoted
from reports.commands_disks import encrypted, under
from reports.commands_guest import extended
from reports.commands_machine import identified, shown
from reports.subject import Subject

_VM = (
    "{size: hardwareProfile.vmSize, securityType: securityProfile.securityType, "
    "secureBoot: securityProfile.uefiSettings.secureBootEnabled, "
    "vTpm: securityProfile.uefiSettings.vTpmEnabled, "
    "encryptionAtHost: securityProfile.encryptionAtHost, power: powerState, state: provisioningState}"
)
_HEALTH = (
    "{power: instanceView.statuses[?starts_with(code, 'PowerState/')].code | [0], "
    "agent: instanceView.vmAgent.statuses[0].displayStatus, "
    "failed: resources[?provisioningState=='Failed'].name}"
)
_MINUTE = 60

JudgedByHand = Recheck | RecordBefore | ProvePrepared | ProveHealth | ProveModel | ProveRestored


def looked(step: JudgedByHand, subject: Subject) -> Instruction:
    """Look, and say what has to be seen."""
    does = words_for(step)
    match step:
        case Recheck():
            note = "If anything differs, stop: it was changed since it was planned. Plan it again."
            return Instruction(does=does, note=note, checks=as_planned(subject))
        case RecordBefore():
            return Instruction(
                does=does,
                note="Keep these files until the work is accepted: the way back leads to what they say.",
                commands=saved(subject),
                checks=(
                    Check(
                        command=f"ls -l {_stem(subject)}*.json",
                        sees="a file for each command, none of them empty",
                    ),
                ),
            )
        case ProveHealth():
            return Instruction(does=does, note=_patience(step, subject), checks=(_health(subject),))
        case ProvePrepared():
            checks = tuple(check for one in subject.prepared for check in _lasting(one))
            return Instruction(
                does=does, note="" if checks else "Nothing that a command could show.", checks=checks
            )
        case ProveModel():
            checks = tuple(_shown_at_the_end(subject.wanted))
            return Instruction(
                does=does, note="" if checks else "Nothing that a command could show.", checks=checks
            )
        case ProveRestored():
            note = f"It has to say what {_stem(subject)}.json says; its identities may have grown."
            return Instruction(does=does, note=note, checks=as_planned(subject))
        case _:
            assert_never(step)


def timed(step: ProveTime) -> Instruction:
    """Look at the clock."""
    latest = step.until.astimezone(UTC)
    return Instruction(
        does=words_for(step),
        note="Later than that, leave this VM out: change and way back no longer fit into the window.",
        checks=(
            Check(command="date -u '+%Y-%m-%d %H:%M UTC'", sees=f"at the latest {latest:%Y-%m-%d %H:%M} UTC"),
        ),
    )


def handed_over(step: HandOver) -> Instruction:
    """Say what a person has to decide and do: nothing leads back by itself."""
    return Instruction(
        does=words_for(step),
        note=f"{step.reason}. Nothing of this is done without the written consent of its owner, and never "
        "in a hurry: the VM is off, its disks and snapshots are kept.",
    )


def saved(subject: Subject) -> tuple[str, ...]:
    """Return the commands that keep the state from before."""
    vm, stem = subject.seen.vm.id, _stem(subject)
    disks = ids(disk.id for disk in subject.seen.disks)
    commands = [
        f"{az('vm show', ids=vm, show_details=(), output='json')} > {stem}.json",
        f"{az('vm get-instance-view', ids=vm, output='json')} > {stem}-view.json",
    ]
    if disks:
        commands.append(f"{az('disk show', ids=disks, output='json')} > {stem}-disks.json")
    return tuple(commands)


def as_planned(subject: Subject) -> tuple[Check, ...]:
    """Return the checks that a VM and its disks are what they were when it was planned."""
    vm = az("vm show", ids=subject.seen.vm.id, show_details=(), query=_VM)
    known = [disk for disk in subject.seen.disks if disk.encryption.type is not EncryptionType.OTHER]
    if not known:
        return (Check(command=vm, sees=facts(subject)),)
    fields = "{disk: name, type: encryption.type, set: encryption.diskEncryptionSetId}"
    query = f"[].{fields}" if len(known) > 1 else fields
    disks = az("disk show", ids=ids(disk.id for disk in known), query=query)
    sees = "\n".join(f"disk: {disk.id.name}\n{under(disk.encryption)}" for disk in known)
    return (Check(command=vm, sees=facts(subject)), Check(command=disks, sees=sees))


def facts(subject: Subject) -> str:
    """Return what a VM was planned on, in words."""
    before = before_of(subject.seen)
    told = {
        "size": before.size or "not known",
        "securityType": f"{before.security_type} (null stands for Standard)",
        "secureBoot": _yes(before.secure_boot),
        "vTpm": _yes(before.vtpm),
        "encryptionAtHost": _yes(before.encryption_at_host),
        "power": f"VM {before.power}",
        "state": "Succeeded",
    }
    return "\n".join(f"{name}: {value}" for name, value in told.items())


def _health(subject: Subject) -> Check:
    ready = subject.seen.vm.agent_ready
    agent = "Ready" if ready else "whatever it says: it was not ready before, and proves nothing"
    return Check(
        command=az("vm get-instance-view", ids=subject.seen.vm.id, query=_HEALTH),
        sees=f"power: PowerState/running\nagent: {agent}\nfailed: no extension that worked before",
    )


def _patience(step: ProveHealth, subject: Subject) -> str:
    told = f"Look again every 15 seconds, for {step.timeout // _MINUTE} minutes at most."
    if not subject.seen.vm.agent_ready:
        told += " No agent can prove its boot: its owner has to say that it works."
    return f"{told} Then ask its owner. What is not proven in that time has failed: take the way back."


def _lasting(step: Step) -> tuple[Check, ...]:
    """Return the checks of what stays of a preparation."""
    match step:
        case AssignIdentity():
            return identified(step).checks
        case InstallExtension():
            return extended(step).checks
        case _:
            return ()


def _shown_at_the_end(steps: tuple[Step, ...]) -> list[Check]:
    """Return the checks of everything an outage brought; of two settings of one thing the later one holds."""
    properties: dict[str, Any] = {}
    for step in steps:
        if isinstance(step, PatchVm):
            _lay_over(properties, step.properties)
    model = [shown(steps[0].vm, properties)] if properties else []
    disks = [
        check for step in steps if isinstance(step, SetDiskEncryption) for check in encrypted(step).checks
    ]
    return [*model, *disks]


def _lay_over(below: dict[str, Any], above: dict[str, Any]) -> None:
    for name, value in above.items():
        if isinstance(value, dict) and isinstance(below.get(name), dict):
            _lay_over(below[name], value)
        else:
            below[name] = dict(value) if isinstance(value, dict) else value


def _yes(value: bool | None) -> str:  # noqa: FBT001  three answers, not a switch
    return "true" if value else "false or null"


def _stem(subject: Subject) -> str:
    return quoted(Shell(f"before-{subject.slug}"))
