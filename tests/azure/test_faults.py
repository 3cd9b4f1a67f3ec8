"""Azure's refusals as our errors: by status, by code, and in whatever shape they come."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from azure.core.credentials import AccessTokenInfo
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceModifiedError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.core.rest import HttpRequest
from azure.identity import CredentialUnavailableError
from hypothesis import given, settings
from hypothesis import strategies as st

from readiness.azure.connect import Connection, Endpoint
from readiness.azure.faults import from_response, innermost, is_capacity, is_passing, translated
from readiness.azure.perform import AzureCloud
from readiness.azure.wire_values import MalformedError
from readiness.errors import (
    CapacityError,
    CloudError,
    ConflictError,
    DeniedError,
    Exit,
    LoginError,
    MissingError,
    ThrottledError,
    UnreachableError,
)
from readiness.model.ids import ResourceId
from readiness.model.steps import Deallocate
from readiness.ports.cloud import Done, Pending, StepContext
from readiness.twin.credential import TwinCredential
from readiness.twin.messages import Response
from readiness.twin.transport import TwinResponse, TwinTransport
from tests.twin.seeds import VM, Wire

ODD = [
    None,
    "",
    "text",
    0,
    [],
    ["text"],
    {},
    {"error": None},
    {"error": "text"},
    {"error": []},
    {"error": {"code": None, "message": None}},
    {"error": {"code": 7, "message": ["a"]}},
    {"error": {"details": None}},
    {"error": {"details": "text"}},
    {"error": {"details": [None]}},
    {"error": {"details": [[]]}},
    {"error": {"details": [{}]}},
    {"Message": "capital"},
    {"error": {"error": {"code": "x"}}},
]


def answer(status: int, body: object, kind: type[HttpResponseError] = HttpResponseError) -> HttpResponseError:
    """Return the SDK's exception for an answer of this status with this body."""
    return kind(response=TwinResponse(HttpRequest("GET", "https://twin.invalid"), Response(status, body)))


def error(code: str, message: str, *details: Any) -> dict[str, Any]:
    """Return an ARM error envelope."""
    return {"error": {"code": code, "message": message} | ({"details": list(details)} if details else {})}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (error("Outer", "outer"), ("Outer", "outer")),
        ({"code": "Bare", "message": "bare"}, ("Bare", "bare")),
        (error("Outer", "outer", {"code": "Inner", "message": "inner"}), ("Inner", "inner")),
        (
            error("A", "a", {"code": "B", "message": "b", "details": [{"code": "C", "message": "c"}]}),
            ("C", "c"),
        ),
        (error("Outer", "outer", {"code": "Only"}), ("Outer", "outer")),
        (error("Outer", "outer", {"message": "words"}), ("", "words")),
        (error("Outer", "outer", "text"), ("Outer", "outer")),
        ({"error": {"code": "Outer", "message": "outer", "details": []}}, ("Outer", "outer")),
        ({"error": "access denied"}, ("", "access denied")),
        ({"error": None}, ("", "")),
        ({}, ("", "")),
        (None, ("", "")),
        ([], ("", "")),
        ("text", ("", "")),
    ],
)
def test_the_innermost_error_is_the_cause(body: object, expected: tuple[str, str]) -> None:
    """Of errors within errors the innermost that says something is told."""
    assert expected == innermost(body)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, CloudError),
        (403, DeniedError),
        (404, MissingError),
        (409, ConflictError),
        (412, ConflictError),
        (429, ThrottledError),
        (500, CloudError),
        (502, UnreachableError),
        (503, UnreachableError),
        (504, UnreachableError),
    ],
)
def test_kinds_by_status(status: int, kind: type[CloudError]) -> None:
    """The status decides the kind of error; code and words are Azure's."""
    told = from_response(answer(status, error("Code", "words")))
    assert (kind, "Code", "words", Exit.CLOUD) == (type(told), told.code, told.brief, told.exit_code)


@pytest.mark.parametrize(
    "code",
    [
        "AllocationFailed",
        "ZonalAllocationFailed",
        "OverconstrainedAllocationRequest",
        "OverconstrainedZonalAllocationRequest",
        "SkuNotAvailable",
        "SKUNOTAVAILABLE",
    ],
)
@pytest.mark.parametrize("status", [200, 400, 409, 503])
def test_want_of_capacity_is_told_whatever_the_status(code: str, status: int) -> None:
    """No room here and now is recognised by its code, in any spelling."""
    assert is_capacity(code)
    assert isinstance(from_response(answer(status, error(code, "full"))), CapacityError)


@pytest.mark.parametrize("status", [400, 403, 409, 500])
@pytest.mark.parametrize("body", ODD, ids=json.dumps)
def test_odd_shapes_never_crash(body: object, status: int) -> None:
    """Whatever the body is, there is an error with a code and words."""
    told = from_response(answer(status, body))
    assert told.code
    assert told.brief
    assert "None" != told.brief


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["error", "code", "message", "details", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=60)
@given(_JSON)
def test_any_json_is_translated(body: object) -> None:
    """No JSON whatsoever breaks the translation of a refusal."""
    told = from_response(answer(409, body))
    assert told.code
    assert isinstance(told.brief, str)


def test_what_is_no_json_is_translated() -> None:
    """A page of a proxy is told by its status."""
    refused = answer(403, {})
    refused.response._content = b"<html>blocked</html>"  # type: ignore[union-attr]
    told = from_response(refused)
    assert (DeniedError, "Http403") == (type(told), told.code)


def test_an_error_without_an_answer_is_translated() -> None:
    """The SDK also raises response errors that carry no response."""
    told = from_response(HttpResponseError("no answer\nand more"))
    assert ("no answer", "HttpNone") == (told.brief, told.code)


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (answer(404, error("NotFound", "gone")), MissingError),
        (ClientAuthenticationError("token expired"), LoginError),
        (CredentialUnavailableError("nobody has logged in"), LoginError),
        (MalformedError("'id' is a number, not a text"), CloudError),
        (ServiceRequestError("no route"), UnreachableError),
        (ServiceResponseError("cut off"), UnreachableError),
        (AzureError("odd"), CloudError),
        (AzureError(""), CloudError),
    ],
)
def test_only_our_errors_get_out(raised: Exception, kind: type[CloudError]) -> None:
    """Every exception of the SDK leaves as one of ours, with the original as its cause."""
    with pytest.raises(CloudError) as caught, translated():
        raise raised
    assert kind is type(caught.value)
    assert raised is caught.value.__cause__
    assert caught.value.brief
    assert caught.value.code


def test_other_exceptions_pass() -> None:
    """A mistake of ours is not dressed up as one of Azure's."""
    with pytest.raises(ZeroDivisionError), translated():
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("status", "message", "expected"),
    [
        (409, "since another operation is in progress", True),
        (409, "conflict with a concurrent request", True),
        (409, "a conflicting concurrent write", True),
        (409, "the disk has snapshots", False),
        (403, "another operation is in progress", False),
    ],
)
def test_what_passes_by_itself(status: int, message: str, expected: bool) -> None:  # noqa: FBT001
    """Only a conflict with somebody else at work passes by itself; every other refusal stands."""
    assert expected is is_passing(from_response(answer(status, error("Conflict", message))))


@pytest.mark.parametrize("kind", [ResourceModifiedError, HttpResponseError])
def test_a_stale_etag_passes_by_itself(kind: type[HttpResponseError]) -> None:
    """A precondition that failed means to look again, whether the SDK or a plain request met it."""
    with pytest.raises(ConflictError) as caught, translated():
        raise answer(412, error("PreconditionFailed", "etag"), kind)
    assert is_passing(caught.value)


# Nobody logged in ---------------------------------------------------------------------------------------


class Lapsing(TwinCredential):
    """A login that ends and comes back; its tokens live for a moment, so that each request needs another."""

    def __init__(self) -> None:
        self.is_there = True

    def get_token_info(self, *scopes: str, options: Any = None) -> AccessTokenInfo:
        """Return a token, or say like azure-identity that there is nobody to get one for."""
        if not self.is_there:
            raise CredentialUnavailableError("Please run 'az login' to set up an account")
        known = super().get_token_info(*scopes, options=options)
        return AccessTokenInfo(known.token, int(time.time()) + 1)


def test_nobody_logged_in_refuses_nothing() -> None:
    """Without a login no change was refused: the error passes, has its own code, and names the remedy."""
    told = from_response(answer(401, error("ExpiredAuthenticationToken", "its expiry has passed")))
    assert isinstance(told, LoginError)
    assert ("Credentials", "az login", False) == (told.code, told.remedy, told.is_lasting)
    assert "az login" in told.brief
    assert "expiry" in told.details


def test_the_tenant_to_log_in_to_is_named() -> None:
    """Resource Manager says with a refusal whose tokens it takes: the command names that tenant."""
    refused = answer(401, error("ExpiredAuthenticationToken", "its expiry has passed"))
    uri = f"https://login.microsoftonline.com/{TENANT}"
    refused.response.headers["WWW-Authenticate"] = f'Bearer authorization_uri="{uri}", error="invalid_token"'  # type: ignore[union-attr]
    assert f"az login --tenant {TENANT}" == from_response(refused).remedy


TENANT, OTHER = "aaaaaaaa-0000-4000-8000-00000000000a", "bbbbbbbb-0000-4000-8000-00000000000b"


def test_another_tenant_never_passes() -> None:
    """A token of another tenant is told apart from none, with the tenant that is meant."""
    message = (
        f"The access token is from the wrong issuer 'https://sts.windows.net/{OTHER}/'. It must match the "
        f"tenant 'https://sts.windows.net/{TENANT}/' associated with this subscription."
    )
    told = from_response(answer(401, error("InvalidAuthenticationTokenTenant", message)))
    assert isinstance(told, LoginError)
    assert told.is_lasting
    assert "InvalidAuthenticationTokenTenant" == told.code
    assert f"whoever is logged in is of another tenant: az login --tenant {TENANT}" == told.brief


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry-After": "17"}, 17.0),
        ({"retry-after-ms": "250", "Retry-After": "1"}, 0.25),
        ({"x-ms-retry-after-ms": "1500"}, 1.5),
        (
            {"Retry-After": "Sun, 22 Nov 2026 10:02:00 GMT", "Date": "Sun, 22 Nov 2026 10:00:00 GMT"},
            120.0,
        ),
        ({"Retry-After": "Sun, 22 Nov 2026 09:00:00 GMT", "Date": "Sun, 22 Nov 2026 10:00:00 GMT"}, 0.0),
        ({"Retry-After": "999999"}, 3600.0),
        ({"Retry-After": "soon"}, 0.0),
        ({"Retry-After": "-5"}, 0.0),
        ({}, 0.0),
    ],
    ids=lambda each: str(each)[:40],
)
@pytest.mark.parametrize("status", [429, 503])
def test_how_long_to_wait_is_kept(status: int, headers: dict[str, str], expected: float) -> None:
    """What Azure says of the next try is part of the error; nonsense counts as none."""
    refused = answer(status, error("Busy", "later"))
    refused.response.headers.update(headers)  # type: ignore[union-attr]
    assert expected == from_response(refused).retry_after


def test_a_login_that_ends_is_waited_for() -> None:
    """While nobody is logged in looks, changes and questions only cannot be asked; afterwards they go on."""
    wire, login = Wire(), Lapsing()
    transport = TwinTransport(wire.twin)
    endpoint = Endpoint(
        base_url="https://twin.invalid", credential=login, make_transport=lambda: transport, scope="s"
    )
    cloud = AzureCloud(Connection(endpoint))
    machine, change = ResourceId(VM), Deallocate(vm=ResourceId(VM))
    now = StepContext(
        plan="p",
        run="r",
        instance="i",
        now=wire.clock.now(),
        started="s",
        expires=wire.clock.now().date(),
        before=None,
    )
    begun = cloud.begin(change, now)
    assert isinstance(begun, Pending)
    login.is_there = False
    questions: list[Callable[[], object]] = [
        lambda: cloud.observe(machine),
        lambda: cloud.begin(change, now),
        lambda: cloud.poll(change, begun.token or ""),
    ]
    for question in questions:
        with pytest.raises(UnreachableError) as caught:
            question()
        assert "Credentials" == caught.value.code
    login.is_there = True
    wire.clock.sleep(300)
    assert Done("done") == cloud.poll(change, begun.token or "")
