"""Filters of Azure Backup's lists: `name eq 'value'`, joined by `and`, and nothing else.

Learn, "Backup Jobs - List" and "Backup Protected Items - List": times are written `2016-01-01 04:00:15 AM`. A
filter that cannot be read is refused; a name that a list does not know is passed over.
"""

import re
from datetime import UTC, datetime

from readiness.twin.documents import Json, look, same
from readiness.twin.messages import ArmError
from readiness.twin.world import Call

_TERM = re.compile(r"\s*([A-Za-z]+)\s+eq\s+(?:'([^']*)'|(\{[^}]*\}|[^\s']+))\s*", re.IGNORECASE)
_AND = re.compile(r"\s+and\s+(?=[A-Za-z]+\s+eq\s)", re.IGNORECASE)
_TIME = "%Y-%m-%d %I:%M:%S %p"


def terms(call: Call) -> dict[str, str]:
    """Return what a call filters by, names in lower case."""
    text = call.request.query.get("$filter", "").strip()
    found = {}
    for part in _AND.split(text) if text else ():
        match = _TERM.fullmatch(part)
        if match is None:
            raise _refused(text)
        found[match[1].lower()] = match[2] if match[2] is not None else match[3]
    return found


def moment(value: str) -> datetime:
    """Return the time a filter names."""
    try:
        return datetime.strptime(value, _TIME).replace(tzinfo=UTC)
    except ValueError:
        pass
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        raise _refused(value) from None
    return read if read.tzinfo is not None else read.replace(tzinfo=UTC)


def fits(resource: Json, wanted: dict[str, str], names: dict[str, str]) -> bool:
    """Tell whether a resource has the values a filter asks for; `names` says where each one stands."""
    return all(
        same(str(look(resource, names[name]) or ""), value) for name, value in wanted.items() if name in names
    )


def _refused(text: str) -> ArmError:
    return ArmError(
        400, "BMSUserErrorInvalidFilter", f"The filter '{text}' is not valid for this list.", unverified=True
    )
