"""Traffic that tools saw, put together: one observed dependency for each pair of VMs, with its evidence.

Confidence says how regular the traffic was: with *n* connections in *d* days it is n / (n + d), and so a half
for one a day, and at most 0.95, as nothing that was merely observed is certain. Ports are evidence and no
verdict: what is a directory, a name server or a backup is for the planner's hubs to find.
"""

from collections import Counter, defaultdict

from readiness.model.context import Dependency
from readiness.model.ids import ResourceId
from readiness.store.dependency_forms import Seen

_DAYS = 30
"""Of a file that tells no days: no export of Azure Migrate reaches further back, so it promises least."""
_MOST = 0.95
_PORTS = 5
_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")
_THOUSAND = 1000
Pair = tuple[ResourceId, ResourceId]


class _Tally:
    """What one tool saw between two VMs, by the side at which it was seen."""

    def __init__(self) -> None:
        self.times: Counter[str] = Counter()
        self.size: Counter[str] = Counter()
        self.ports: Counter[int] = Counter()


class Traffic:
    """Gathers lines of traffic between VMs."""

    def __init__(self) -> None:
        self._tallies: defaultdict[tuple[Pair, str], _Tally] = defaultdict(_Tally)
        self._days: defaultdict[str, set[str]] = defaultdict(set)

    def watched(self, line: Seen) -> None:
        """Remember that the tool watched on that day, whatever it saw."""
        if line.day:
            self._days[line.tool].add(line.day)

    def add(self, line: Seen, source: ResourceId, target: ResourceId) -> None:
        """Count a line between two VMs."""
        tally = self._tallies[(source, target), line.tool]
        tally.times[line.side] += line.times
        tally.size[line.side] += line.size
        if line.port is not None:
            tally.ports[line.port] += line.times

    def dependencies(self) -> dict[Pair, Dependency]:
        """Return one observed dependency for each pair, with what all tools saw of it."""
        told: defaultdict[Pair, list[tuple[str, float]]] = defaultdict(list)
        for (pair, tool), tally in sorted(self._tallies.items()):
            told[pair].append(self._told(tool, tally))
        return {
            (source, target): Dependency(
                source=source,
                target=target,
                observed=True,
                evidence="; ".join(evidence for evidence, _ in entries),
                confidence=max(confidence for _, confidence in entries),
            )
            for (source, target), entries in told.items()
        }

    def _told(self, tool: str, tally: _Tally) -> tuple[str, float]:
        # Where both ends are watched, the same traffic is told twice: the fuller side counts.
        times, size = max(tally.times.values()), max(tally.size.values())
        days = len(self._days[tool])
        seen = f"{times} {'connection' if times == 1 else 'connections'}"
        period = f" in {days} {'day' if days == 1 else 'days'}" if days else ""
        parts = (f"{tool}: {seen}{period}", _size(size), _ports(tally.ports))
        confidence = min(_MOST, round(times / (times + (days or _DAYS)), 2))
        return ", ".join(filter(None, parts)), confidence


def _size(size: int) -> str:
    if not size:
        return ""
    amount, unit = float(size), 0
    while amount >= _THOUSAND and unit < len(_UNITS) - 1:
        amount, unit = amount / _THOUSAND, unit + 1
    return f"{amount:.3g} {_UNITS[unit]}"


def _ports(ports: Counter[int]) -> str:
    if not ports:
        return ""
    busiest = sorted(ports, key=lambda port: (-ports[port], port))[:_PORTS]
    listed = ", ".join(str(port) for port in sorted(busiest))
    more = f" and {len(ports) - _PORTS} more" if len(ports) > _PORTS else ""
    return f"{'port' if len(ports) == 1 else 'ports'} {listed}{more}"
