"""Who is logged in to Azure, as the access token for Resource Manager says of itself.

The token is read, not verified: Azure verifies it with every request. It is never kept, told or logged.
"""

import base64
import binascii

import msgspec
from msgspec import Struct

from readiness.azure.connect import Endpoint
from readiness.azure.faults import translated
from readiness.errors import DeniedError

_PARTS_OF_TOKEN = 3
_NAMES = ("upn", "unique_name", "preferred_username", "app_displayname", "appid", "oid")


class Identity(Struct, frozen=True, kw_only=True):
    """A person or a service principal in Entra."""

    name: str
    """What people know it by: a user principal name, or the name or id of an application."""
    object_id: str
    """What never changes: names may be given to somebody else."""


def whoami(endpoint: Endpoint) -> Identity:
    """Return who is logged in.

    Raises:
        DeniedError: Nobody is logged in, or the token does not say who.
    """
    with translated():
        token = endpoint.credential.get_token(endpoint.token_scope).token
    claims = _claims(token)
    object_id = claims.get("oid")
    if not isinstance(object_id, str) or not object_id:
        raise DeniedError(
            "The access token does not say who is logged in.",
            details="It names no object id of Entra (claim 'oid').",
            remedy="Log in as a person or a service principal: az login",
        )
    name = next(text for claim in _NAMES if isinstance(text := claims.get(claim), str) and text)
    return Identity(name=name, object_id=object_id.lower())


def _claims(token: str) -> dict[str, object]:
    """Return the claims of a JSON web token; none where it is no such token."""
    parts = token.split(".")
    if len(parts) != _PARTS_OF_TOKEN:
        return {}
    try:
        padded = parts[1] + "=" * (-len(parts[1]) % 4)
        return msgspec.json.decode(base64.urlsafe_b64decode(padded), type=dict[str, object])
    except (binascii.Error, ValueError, msgspec.DecodeError):
        return {}
