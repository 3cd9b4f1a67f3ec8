"""By hand: extensions, and scripts in the guest, each from a file beside the runbook."""

import hashlib

from readiness.model.ids import ResourceId
from readiness.model.steps import InstallExtension, RemoveExtension, RunInGuest, words_for
from readiness.model.virtual_machine import OsFamily
from reports.az import Check, Instruction, ScriptFile, Shell, Value, az, compact, placed
from reports.subject import Subject

_OUTCOME = "instanceView.{state: executionState, code: exitCode, output: output, error: error}"
_ONE_LINE = "a whole line of its output fits the pattern"


def extended(step: InstallExtension | RemoveExtension) -> Instruction:
    """Install an extension, or remove it."""
    here = ResourceId(f"{step.vm}/extensions/{step.name}")
    if isinstance(step, RemoveExtension):
        listed = az(
            "vm extension list", **placed(step.vm), vm_name=step.vm.name, query="[].name", output="tsv"
        )
        return Instruction(
            does=words_for(step),
            note=f"Only if it was not there before: the saved state does not name {step.name}.",
            commands=(az("vm extension delete", ids=here),),
            checks=(Check(command=listed, sees=f"no {step.name}"),),
        )
    options: dict[str, Value] = {"settings": compact(step.settings)} if step.settings else {}
    install = az(
        "vm extension set",
        **placed(step.vm),
        vm_name=step.vm.name,
        name=step.kind,
        extension_instance_name=step.name,
        publisher=step.publisher,
        version=step.version,
        **options,
    )
    return Instruction(
        does=words_for(step),
        note="Not where an extension of this publisher and type is there already, under whatever name.",
        commands=(install,),
        checks=(
            Check(
                command=az("vm extension show", ids=here, query="provisioningState", output="tsv"),
                sees="Succeeded",
            ),
        ),
    )


def scripted(step: RunInGuest, subject: Subject) -> Instruction:
    """Run a script in the guest, read what it did, and delete the command's resource."""
    script = file_for(step, subject)
    command = ResourceId(f"{step.vm}/runCommands/readiness-{step.name}")
    create = az(
        "vm run-command create",
        **placed(step.vm),
        vm_name=step.vm.name,
        name=command.name,
        location=subject.location,
        script=Shell(f"@{script.name}"),
        timeout_in_seconds=str(step.timeout),
    )
    show = az(
        "vm run-command show",
        **placed(step.vm),
        vm_name=step.vm.name,
        name=command.name,
        instance_view=(),
        query=_OUTCOME,
    )
    sees = ["state: Succeeded", "code: 0"]
    if step.expects:
        sees.append(f"{_ONE_LINE} {step.expects}")
    if step.refuses:
        sees.append(f"no line, of the errors neither, fits the pattern {step.refuses}")
    note = "That the command was created says nothing of the script: read what it shows."
    if step.courtesy:
        note = f"{note} It only asks: whatever it says, go on."
    return Instruction(
        does=words_for(step),
        note=note,
        commands=(create,),
        checks=(
            Check(command=show, sees="\n".join(sees)),
            Check(
                command=az("vm run-command delete", ids=command, yes=()),
                sees="nothing: Azure keeps the script's text in the command, which is not needed any more",
            ),
        ),
        file=script,
    )


def file_for(step: RunInGuest, subject: Subject) -> ScriptFile:
    """Return the file of a script; VMs that run the same one share it."""
    digest = hashlib.sha256(step.script.encode()).hexdigest()[:8]
    suffix = "ps1" if subject.seen.vm.os_family is OsFamily.WINDOWS else "sh"
    name = "".join(char if char.isascii() and char.isalnum() else "-" for char in step.name)
    return ScriptFile(name=f"{name}-{digest}.{suffix}", text=step.script)
