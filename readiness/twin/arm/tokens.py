"""Logging in to a twin: the addresses of the Microsoft identity platform that clients ask for a token.

Learn, "OAuth 2.0 client credentials flow" and "OpenID Connect on the Microsoft identity platform". Whoever
asks is given a token: no secret is looked at, kept or written anywhere, and the token is signed by nobody, so
it opens nothing but a twin, which does not look at it either. Clients read out of it who they are.
"""

import base64
import json
from datetime import datetime

from readiness.twin.documents import Json
from readiness.twin.messages import Request, Response
from readiness.twin.operations import identifier
from readiness.twin.world import Outside, World

LIFETIME = 86_399
_EXPIRES = 4_102_444_800
"""The first second of the year 2100, on any clock: a twin's runs faster than that of its clients."""


def configuration(world: World, request: Request, names: dict[str, str], now: datetime) -> Response:
    """Answer where a tenant's tokens are had."""
    del world, now
    own = f"{request.base_url}/{names['tenant']}"
    return Response(
        200,
        {
            "issuer": f"{own}/v2.0",
            "authorization_endpoint": f"{own}/oauth2/v2.0/authorize",
            "token_endpoint": f"{own}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{own}/oauth2/v2.0/devicecode",
            "jwks_uri": f"{own}/discovery/v2.0/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            "response_types_supported": ["code", "token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
        },
    )


def discovery(world: World, request: Request, names: dict[str, str], now: datetime) -> Response:
    """Answer that the twin's own authority is one: clients ask before they trust an address."""
    del world, names, now
    host = request.base_url.removeprefix("https://")
    return Response(
        200,
        {
            "tenant_discovery_endpoint": f"{request.base_url}/common/v2.0/.well-known/openid-configuration",
            "api-version": "1.1",
            "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
        },
    )


def token(world: World, request: Request, names: dict[str, str], now: datetime) -> Response:
    """Hand out a token, to any client that says how it asks."""
    del now
    form = request.body if isinstance(request.body, dict) else {}
    for parameter in ("grant_type", "client_id"):
        if not form.get(parameter):
            return _incomplete(parameter)
    scopes = str(form.get("scope") or f"{request.base_url}/.default").split()
    application, own = str(form["client_id"]), names["tenant"]
    claims = {
        "aud": scopes[0].removesuffix(".default").removesuffix("/"),
        "iss": f"{request.base_url}/{own}/v2.0",
        "exp": _EXPIRES,
        "tid": own,
        "appid": application,
        "oid": identifier(world.seed, "principal", application),
        "idtyp": "app",
    }
    return Response(
        200,
        {
            "token_type": "Bearer",
            "expires_in": LIFETIME,
            "ext_expires_in": LIFETIME,
            "access_token": ".".join((_encoded({"alg": "none", "typ": "JWT"}), _encoded(claims), "")),
        },
    )


def _incomplete(parameter: str) -> Response:
    """Refuse as the identity platform does, whose errors have another form than Resource Manager's."""
    said = f"AADSTS900144: The request body must contain the following parameter: '{parameter}'."
    return Response(400, {"error": "invalid_request", "error_description": said, "error_codes": [900144]})


def _encoded(part: Json) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


OUTSIDE: Outside = {
    ("GET", "/{tenant}/v2.0/.well-known/openid-configuration"): configuration,
    ("GET", "/common/discovery/instance"): discovery,
    ("POST", "/{tenant}/oauth2/v2.0/token"): token,
}
