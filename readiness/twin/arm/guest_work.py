"""What run commands and extensions share: whether a machine takes work inside it, and how such work fails.

Templates of the wordings: Learn, "Understand common error messages when you manage virtual machines in
Azure"; what is refused where extension operations are not allowed is as recorded by clients.
"""

from readiness.twin.documents import Json, look
from readiness.twin.machine import Machine, Power
from readiness.twin.messages import not_allowed
from readiness.twin.operations import Operation, Status

OUTPUT_BYTES = 4096
"""Of what a script writes, the last so many bytes are kept."""

UNREADY = (80.0, 100.0)
"""Seconds until an agent that was not Ready when it was asked is given up."""


def check_allowed(vm: Json, machine: Machine, *, stopped: str) -> None:
    """Refuse work inside a machine that has no agent, takes no extensions, or does not run."""
    if not machine.has_agent or look(vm, "properties.osProfile.allowExtensionOperations") is False:
        raise not_allowed(
            "This operation cannot be performed when extension operations are disallowed. To allow, please "
            "ensure VM Agent is installed on the VM and the osProfile.allowExtensionOperations property is "
            "true."
        )
    if machine.power is not Power.RUNNING:
        raise not_allowed(stopped)


def silence_of(vm: Json, machine: Machine) -> Json | None:
    """Return the error of work that a machine's agent never took up, or None where the agent is there."""
    if machine.power is Power.RUNNING and machine.is_ready:
        return None
    return {
        "code": "VMAgentStatusCommunicationError",
        "message": f"VM '{vm['name']}' has not reported status for VM agent or extensions. Verify that the "
        "OS is up and healthy, the VM has a running VM agent, and that it can establish outbound "
        "connections to Azure storage. Please refer to https://aka.ms/vmextensionlinuxtroubleshoot for "
        "additional VM agent troubleshooting information.",
    }


def end_badly(operation: Operation, error: Json) -> None:
    """Let an operation end Failed because of what happened inside the machine."""
    operation.status = Status.FAILED
    operation.error = error


def kept(text: str) -> str:
    """Return the end of what was written, as much as is kept."""
    return text.encode()[-OUTPUT_BYTES:].decode(errors="ignore")
