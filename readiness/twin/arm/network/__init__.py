"""Microsoft.Network: interfaces, security groups, public addresses, virtual networks and what goes with them.

`kinds` knows the types, `writes` and `reads` answer for all of them, `links` keeps references and references
back in step, `rules` knows security rules, and `effective` what a machine's interface makes of them.
"""

from readiness.twin.arm.network import effective, reads, writes
from readiness.twin.arm.network.kinds import KINDS
from readiness.twin.arm.network.links import INTERFACE
from readiness.twin.world import Handler, Routes

__all__ = ["ROUTES"]


def _routes() -> Routes:
    table: Routes = {
        ("POST", INTERFACE, "effectivenetworksecuritygroups"): effective.security_groups,
        ("POST", INTERFACE, "effectiveroutetable"): effective.routes,
    }
    whole: dict[str, Handler] = {
        "GET": reads.get,
        "PUT": writes.put,
        "PATCH": writes.update_tags,
        "DELETE": writes.delete,
    }
    for name, kind in KINDS.items():
        table["GET", "microsoft.network", kind.word.lower()] = reads.listed
        table |= {(method, name, ""): handler for method, handler in whole.items()}
        for part in kind.parts:
            table["GET", name, part.lower()] = reads.listed_parts
            table["GET", f"{name}/{part.lower()}", ""] = reads.get_part
        for part in kind.writable:
            table["PUT", f"{name}/{part.lower()}", ""] = writes.put_part
            table["DELETE", f"{name}/{part.lower()}", ""] = writes.delete_part
    return table


ROUTES = _routes()
