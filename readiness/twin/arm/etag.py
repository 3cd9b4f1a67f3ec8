"""Entity tags of virtual machines: a quoted number that steps when a write is accepted, not at its end.

Learn, "Virtual Machines - Get": `etag` and the conditional headers exist since api-version 2023-09-01.
"""

from readiness.twin.documents import Json
from readiness.twin.messages import ArmError
from readiness.twin.world import Call

SINCE = "2023-09-01"


def bump(resource: Json) -> None:
    """Step the tag of a resource."""
    resource["etag"] = f'"{int(resource["etag"].strip(chr(34))) + 1}"'


def check(call: Call, resource: Json) -> None:
    """Refuse a write whose If-Match names another state than the present one."""
    wanted = call.request.headers.get("if-match", "*")
    if wanted not in ("*", resource["etag"]):
        raise ArmError(
            412,
            "PreconditionFailed",
            f"The precondition given in the request headers evaluated to false: the etag of "
            f"'{resource['name']}' is {resource['etag']}, not {wanted}.",
        )
