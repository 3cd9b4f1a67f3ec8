"""The kinds of CSV files that say who needs whom, each known by its header.

* `source,target`, which people write, with further columns if they like;
* the dependency export of Azure Migrate;
* flow tables of traffic analytics: `NTANetAnalytics`, and the older `AzureNetworkAnalytics_CL`;
* `VMConnection` of VM insights (Service Map).

Only the first says what somebody vouches for; the others tell what was seen. Machines stay as the file names
them: nothing is resolved here. The client of a connection needs its server.
"""

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import cache

from msgspec import Struct

from readiness.errors import EstateError
from readiness.model.plan_parts import Strictness
from readiness.store.dependency_values import COLUMNS, NO_CONFIDENCE, Binding, confidence_of
from readiness.store.marked_yaml import closest

KNOWN = (
    "Known are: source,target - the dependency export of Azure Migrate (Source server name, Destination "
    "server name) - traffic analytics (SrcVM, DestVM or VM1_s, VM2_s) - VM insights (VMConnection: Computer, "
    "Direction, SourceIp, DestinationIp)."
)
MIGRATE, FLOWS, INSIGHTS = "Azure Migrate", "traffic analytics", "VM insights"
_WORDS = {"": None, "false": False, "no": False, "0": False, "true": True, "yes": True, "1": True}
_STRICT = {str(word): word for word in Strictness}
_ALIKE = 0.75
_PORTS = 65535
_PUBLIC = frozenset({"azurepublic", "externalpublic", "maliciousflow"})
_REFUSED = frozenset({"d", "denied"})
_VM = "/providers/microsoft.compute/virtualmachines/"


class Endpoint(Struct, frozen=True):
    """One end of a dependency as a file tells it; whatever the file does not tell is empty."""

    name: str = ""
    """A VM's name or full resource id, or what its system calls itself."""
    group: str = ""
    subscription: str = ""
    address: str = ""

    def __str__(self) -> str:
        return "/".join(filter(None, (self.group, self.name))) or self.address


class Stated(Struct, frozen=True):
    """A line of `source,target`."""

    place: str
    source: Endpoint
    target: Endpoint
    binding: Binding


class Seen(Struct, frozen=True, kw_only=True):
    """A line of a tool that watched traffic: the source spoke to the target."""

    place: str
    tool: str
    source: Endpoint
    target: Endpoint
    times: int = 1
    """Connections that the line stands for; at least one."""
    size: int = 0
    """Bytes, both ways."""
    port: int | None = None
    day: str = ""
    """The day, in whatever form the tool writes days."""
    side: str = ""
    """At which end it was seen: a tool that watches both tells the same traffic twice."""
    refused: bool = False
    """Nothing came of it: it was denied, or it failed."""
    public: bool = False
    """The tool says that one end is outside, on the internet or a service of Azure."""


Line = Stated | Seen
Row = Mapping[str, str]


class Form(Struct, frozen=True):
    """A kind of CSV file: the columns it is known by, and how a row of it is read."""

    columns: frozenset[str]
    read: Callable[[Row, str], Line | None]
    known: tuple[str, ...] = ()
    """All its columns, where one that is spelled almost like them is a mistake."""

    def misspelled(self, title: str) -> str:
        """Return a question for a column that is almost one of those known; empty for any other."""
        if title in self.known or not get_close_matches(title, self.known, n=1, cutoff=_ALIKE):
            return ""
        return closest(title, self.known)


def form_of(titles: list[str], forms: tuple[Form, ...]) -> Form | None:
    """Return the form that a header is of."""
    return next((form for form in forms if form.columns <= set(titles)), None)


def title_of(written: str) -> str:
    """Return a column's name for comparing: Log Analytics adds the zone, as in `TimeGenerated [UTC]`."""
    return re.sub(r"\s*\[[^\]]*\]$", "", written.strip().lower())


def _own(row: Row, place: str) -> Stated:
    source, target = row.get("source", ""), row.get("target", "")
    if not (source and target):
        brief = f"{place}: {'target' if source else 'source'} is missing."
        raise EstateError(brief, remedy="Write two VMs in every line: source,target.")
    binding = Binding(
        hard=_flag(row, "hard", place),
        strict=_strict(row, place),
        observed=bool(_flag(row, "observed", place)),
        evidence=row.get("evidence", ""),
        confidence=_confidence(row, place),
    )
    if wrong := binding.wrong():
        raise EstateError(f"{place}: {wrong.problem}", remedy=wrong.remedy)
    return Stated(place, Endpoint(source), Endpoint(target), binding)


def _flag(row: Row, key: str, place: str) -> bool | None:
    written = row.get(key, "").lower()
    if written not in _WORDS:
        remedy = f"Write true or false under '{key}', or leave it empty."
        raise EstateError(f"{place}: '{written}' is neither true nor false.", remedy=remedy)
    return _WORDS[written]


def _strict(row: Row, place: str) -> Strictness | None:
    written = row.get("strict", "").lower()
    if written and written not in _STRICT:
        problem = f"{place}: '{written}' is none of {', '.join(_STRICT)}."
        raise EstateError(problem, remedy=closest(written, _STRICT) or "Use one of them under 'strict'.")
    return _STRICT[written] if written else None


def _confidence(row: Row, place: str) -> float:
    written = row.get("confidence", "")
    try:
        return confidence_of(written) if written else 1.0
    except ValueError as error:
        raise EstateError(f"{place}: '{written}' is no confidence.", remedy=NO_CONFIDENCE) from error


def _migrate(row: Row, place: str) -> Seen:
    return Seen(
        place=place,
        tool=MIGRATE,
        source=Endpoint(row["source server name"], address=row.get("source ip", "")),
        target=Endpoint(row["destination server name"], address=row.get("destination ip", "")),
        times=max(1, _number(row, "connection count")),
        port=_port(row, "destination port"),
        day=_day(row.get("time slot") or row.get("timeslot") or row.get("date") or ""),
    )


def _flow(row: Row, place: str) -> Seen | None:
    return _flows(
        row,
        place,
        _grouped(row["srcvm"], row.get("srcsubscription", ""), row.get("srcip", "")),
        _grouped(row["destvm"], row.get("destsubscription", ""), row.get("destip", "")),
    )


def _old_flow(row: Row, place: str) -> Seen | None:
    plain = {_untyped(key): value for key, value in row.items()}
    return _flows(
        plain,
        place,
        _grouped(plain["vm1"], plain.get("subscription1", ""), plain.get("srcip", "")),
        _grouped(plain["vm2"], plain.get("subscription2", ""), plain.get("destip", "")),
    )


@cache
def _untyped(key: str) -> str:
    """Return a column's name without the letter that custom tables of Log Analytics add for its type."""
    return re.sub(r"_[sdgt]$", "", key)


def _flows(row: Row, place: str, source: Endpoint, target: Endpoint) -> Seen | None:
    if row.get("subtype", "").lower() not in ("", "flowlog"):
        return None
    allowed = _number(row, "allowedinflows") + _number(row, "allowedoutflows")
    denied = _number(row, "deniedinflows") + _number(row, "deniedoutflows")
    sizes = ("bytessrctodest", "bytesdesttosrc", "inboundbytes", "outboundbytes")
    return Seen(
        place=place,
        tool=FLOWS,
        source=source,
        target=target,
        times=max(1, allowed),
        size=sum(_number(row, key) for key in sizes),
        port=_port(row, "destport"),
        day=_day(row.get("flowstarttime") or row.get("timegenerated") or ""),
        side=row.get("flowdirection", "")[:1].lower(),
        refused=row.get("flowstatus", "").lower() in _REFUSED or (denied > 0 and allowed == 0),
        public=row.get("flowtype", "").lower() in _PUBLIC,
    )


def _grouped(written: str, subscription: str, address: str) -> Endpoint:
    """Read `group/vm`, as traffic analytics names machines."""
    group, _, name = written.rpartition("/")
    if name.lower() == "unknown":
        group, name = "", ""
    return Endpoint(name, group=group, subscription=subscription.lower(), address=address)


def _connection(row: Row, place: str) -> Seen:
    """Read a line of `VMConnection`, in which the source is the client whichever side tells of it."""
    direction = row["direction"].lower()
    machine = row.get("_resourceid", "")
    machine = machine if _VM in machine.lower() else row["computer"]
    made = _number(row, "linksestablished")
    lasting = made + _number(row, "linkslive") + _number(row, "linksterminated")
    return Seen(
        place=place,
        tool=INSIGHTS,
        source=Endpoint(machine if direction == "outbound" else "", address=row["sourceip"]),
        target=Endpoint(machine if direction == "inbound" else "", address=row["destinationip"]),
        times=max(1, made),
        size=_number(row, "bytessent") + _number(row, "bytesreceived"),
        port=_port(row, "destinationport"),
        day=_day(row.get("timegenerated", "")),
        side=direction[:1],
        refused=lasting == 0 and _number(row, "linksfailed") > 0,
    )


def _number(row: Row, key: str) -> int:
    """Return a count, or 0 where none can be read: it is evidence and decides nothing alone."""
    try:
        return max(0, int(float(row.get(key) or 0)))
    except (ValueError, OverflowError):
        return 0


def _port(row: Row, key: str) -> int | None:
    found = _number(row, key)
    return found if 0 < found <= _PORTS else None


def _day(written: str) -> str:
    """Return the day of a moment as it is written: days are counted, never compared."""
    return re.split(r"[ ,T]", written, maxsplit=1)[0]


OWN = Form(frozenset({"source", "target"}), _own, COLUMNS)
FORMS = (
    OWN,
    Form(frozenset({"source server name", "destination server name"}), _migrate),
    Form(frozenset({"srcvm", "destvm"}), _flow),
    Form(frozenset({"vm1_s", "vm2_s"}), _old_flow),
    Form(frozenset({"computer", "direction", "sourceip", "destinationip"}), _connection),
)
