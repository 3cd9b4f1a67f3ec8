"""Long-running operations: each protocol leads a client from the answer to the result."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from readiness.twin import protocols, router
from readiness.twin.faults import Ending
from readiness.twin.following import headers_of
from readiness.twin.messages import Request
from readiness.twin.operations import Outcome
from readiness.twin.protocols import PROTOCOLS, Protocol
from tests.twin.seeds import OS_DISK, SUBSCRIPTION, VM, Wire, estate

NAMES = {id(value): name for name, value in vars(protocols).items() if isinstance(value, Protocol)}
OTHER = "99999999-2222-3333-4444-555555555555"


def begun(wire: Wire, protocol: Protocol) -> dict[str, str]:
    """Begin an operation on the machine, and return the headers its client gets."""
    world = wire.twin._world
    outcome = Outcome(
        done=lambda _: None, failed=lambda _: None, ending=Ending(), output=lambda: {"made": True}
    )
    operation = world.operations.begin(
        "virtualMachines/write",
        VM,
        now=wire.clock.now(),
        outcome=outcome,
        place="westeurope",
        protocol=protocol,
    )
    return headers_of(Request("PUT", VM, base_url="https://twin.example"), "2025-01-01", operation)


def follow(wire: Wire, url: str):
    """Read an address that a header gave."""
    assert url.startswith("https://twin.example/subscriptions/")
    parts = urlsplit(url)
    return wire.twin.handle(
        Request("GET", parts.path, dict(parse_qsl(parts.query)), {}, None, "https://twin.example")
    )


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=[NAMES[id(each)] for each in PROTOCOLS])
def test_every_protocol_ends_in_its_result(protocol):
    """The status says InProgress and then Succeeded; the monitor answers 202 and then the result."""
    wire = Wire()
    headers = begun(wire, protocol)
    assert bool(protocol.status) == ("Azure-AsyncOperation" in headers)
    assert bool(protocol.monitor) == ("Location" in headers)
    if protocol.status:
        assert "InProgress" == follow(wire, headers["Azure-AsyncOperation"]).body["status"]
    if protocol.monitor:
        waiting = follow(wire, headers["Location"])
        assert (202, None) == (waiting.status, waiting.body)
        assert int(waiting.headers["Retry-After"]) >= 1
        assert protocol.rotates == (waiting.headers["Location"] != headers["Location"])
        headers["Location"] = waiting.headers["Location"]
    wire.clock.sleep(20)
    if protocol.status:
        body = follow(wire, headers["Azure-AsyncOperation"]).body
        assert "Succeeded" == body["status"]
        assert body["properties"] == ({"output": {"made": True}} if protocol.wraps_output else {"made": True})
    if protocol.monitor:
        assert {"made": True} == follow(wire, headers["Location"]).body


def test_an_operation_of_another_subscription_is_not_found():
    """An operation is found beneath its own subscription only, though its name be known."""
    other = OS_DISK.replace(SUBSCRIPTION, OTHER)
    wire = Wire(*estate({"id": other, "location": "westeurope", "properties": {}}))
    url = begun(wire, protocols.COMPUTE)["Azure-AsyncOperation"]
    assert 200 == follow(wire, url).status
    assert 404 == follow(wire, url.replace(SUBSCRIPTION, OTHER)).status


def test_durations_differ_between_resources_and_calls_but_not_between_twins():
    """How long an operation takes is drawn from seed, resource, operation and count."""

    def drawn() -> list[float]:
        wire = Wire()
        operations = wire.twin._world.operations
        found = []
        for name in ("a", "b", "a"):
            outcome = Outcome(done=lambda _: None, failed=lambda _: None, ending=Ending())
            made = operations.begin(
                "virtualMachines/deallocate", f"{VM}-{name}", now=wire.clock.now(), outcome=outcome
            )
            found.append((made.ends - made.started).total_seconds())
        return found

    first = drawn()
    assert 3 == len(set(first))
    assert all(54 <= each <= 66 for each in first)
    assert first == drawn()


def test_no_path_is_answered_twice():
    """Two modules that answer the same path are an error, which names it."""
    table = {("GET", "microsoft.compute/disks", ""): len}
    with pytest.raises(ValueError, match=r"microsoft\.compute/disks"):
        router.merge([table, dict(table)])


@pytest.mark.parametrize(
    ("version", "code"),
    [
        ("", "MissingApiVersionParameter"),
        ("banana", "InvalidApiVersionParameter"),
        ("2026-04-01&x=1", "InvalidApiVersionParameter"),
        ("2018-10-01", "NoRegisteredProviderFound"),
    ],
)
def test_api_versions_that_are_not_served(version, code):
    """A version that is missing, malformed or too old is refused in ARM's words."""
    assert (400, code) == Wire().refused("GET", VM, version=version)


@pytest.mark.parametrize("version", ["2019-03-01", "2024-07-01", "2026-04-01", "2025-01-01-preview"])
def test_api_versions_from_2019_on_are_served(version):
    """Any dated version from 2019 on is answered."""
    assert "web-1" == Wire().get(VM, version=version)["name"]
