"""Sets of addresses, kept as ranges: what a security rule's source stands for on the internet."""

from functools import lru_cache
from ipaddress import ip_address, ip_network

Spans = tuple[tuple[int, int], ...]
"""Ranges of addresses, each with its first and last one, in order and without overlap."""

EVERYWHERE = ("*", "any", "0.0.0.0/0", "::/0")


def size_of(spans: Spans) -> int:
    """Return how many addresses there are."""
    return sum(last - first + 1 for first, last in spans)


def common(left: Spans, right: Spans) -> Spans:
    """Return the addresses that are in both."""
    if left == right:
        return left
    pairs = ((max(a, c), min(b, d)) for a, b in left for c, d in right)
    return tuple(sorted((first, last) for first, last in pairs if first <= last))


def without(spans: Spans, taken: Spans) -> Spans:
    """Return the addresses that are left when some are taken away."""
    if spans == taken:
        return ()
    left = list(spans)
    for first, last in taken:
        parts = [((a, min(b, first - 1)), (max(a, last + 1), b)) for a, b in left]
        left = [part for pair in parts for part in pair if part[0] <= part[1]]
    return tuple(left)


def merged(spans: list[tuple[int, int]]) -> Spans:
    """Return the same addresses in order, with ranges that touch made one."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return tuple(found)


@lru_cache(maxsize=65536)
def public_part(sources: tuple[str, ...], version: int) -> Spans:
    """Return the public addresses that a rule's sources stand for; a service tag stands for none here."""
    return merged([span for source in sources for span in _public(source, version)])


@lru_cache(maxsize=65536)
def addresses(sources: tuple[str, ...], version: int = 4) -> Spans:
    """Return all addresses that are written out, private ones included; words stand for none."""
    return merged([span for source in sources if (span := _written(source, version))])


@lru_cache(maxsize=65536)
def contains(target: str, address: str) -> bool:
    """Tell whether a rule's destination means this private address."""
    if target.lower() in EVERYWHERE or target.lower() == "virtualnetwork":
        return True
    try:
        own = ip_address(address)
    except ValueError:
        return False
    span = _written(target, own.version)
    return span is not None and span[0] <= int(own) <= span[1]


def _public(source: str, version: int) -> Spans:
    if source.lower() in ("*", "any", "internet"):
        return INTERNET[version]
    span = _written(source, version)
    return common(INTERNET[version], (span,)) if span else ()


def _written(source: str, version: int) -> tuple[int, int] | None:
    first, dash, last = source.partition("-")
    try:
        if dash:
            low, high = ip_address(first.strip()), ip_address(last.strip())
            return (int(low), int(high)) if low.version == high.version == version else None
        network = ip_network(source, strict=False)
    except ValueError:
        return None
    if network.version != version:
        return None
    return int(network.network_address), int(network.broadcast_address)


def _span(text: str) -> tuple[int, int]:
    network = ip_network(text)
    return int(network.network_address), int(network.broadcast_address)


_PRIVATE = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "224.0.0.0/3",
)
INTERNET: dict[int, Spans] = {
    4: without((_span("0.0.0.0/0"),), tuple(_span(text) for text in _PRIVATE)),
    6: (_span("2000::/3"),),
}
"""The public addresses of either version of the internet protocol."""
