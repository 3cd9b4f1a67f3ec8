"""Who is logged in is read from the access token, and the token goes nowhere."""

import base64
import json
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from readiness.azure.connect import Endpoint
from readiness.azure.whoami import Identity, whoami
from readiness.errors import DeniedError, UnreachableError

OID = "4F0E1C64-7DD5-4B52-9E44-2F8F5A5B7A10"


class Credential:
    """Gives out one token, whatever it is asked for."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        """Return the token."""
        return AccessToken(self._token, 0)


class Nobody:
    """A credential of somebody who is not logged in."""

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        """Refuse."""
        raise ClientAuthenticationError("Please run 'az login' to set up an account.")


def token(**claims: object) -> str:
    """Return an unsigned token with these claims."""
    parts = ({"alg": "none"}, claims)
    return (
        ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
        + ".signature"
    )


def asked(credential: Any) -> Identity:
    """Return who is logged in by a credential."""
    return whoami(Endpoint(base_url="https://management.azure.com", credential=credential))


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"upn": "ann@example.com", "unique_name": "other"}, "ann@example.com"),
        ({"unique_name": "live.com#ann@example.com"}, "live.com#ann@example.com"),
        (
            {"appid": "11111111-0000-0000-0000-000000000000", "idtyp": "app"},
            "11111111-0000-0000-0000-000000000000",
        ),
        ({}, OID),
        ({"upn": 7}, OID),
    ],
)
def test_who_is_logged_in(claims: dict[str, object], name: str) -> None:
    """People are known by their principal name, applications by their id, and both by what never changes."""
    assert Identity(name=name, object_id=OID.lower()) == asked(Credential(token(oid=OID, **claims)))


@pytest.mark.parametrize(
    "text", ["opaque", "a.b.c", "", "a.!!!.c", token(upn="ann@example.com"), token(oid=""), token(oid=7)]
)
def test_a_token_that_says_nothing(text: str) -> None:
    """Without an object id nobody is known; the token itself is not told."""
    with pytest.raises(DeniedError) as caught:
        asked(Credential(text))
    assert "az login" in caught.value.remedy
    assert not text or text not in str(caught.value)


def test_nobody_is_logged_in() -> None:
    """Whoever is not logged in is told so."""
    with pytest.raises(UnreachableError, match="az login"):
        asked(Nobody())
