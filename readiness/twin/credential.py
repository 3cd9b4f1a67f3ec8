"""A credential for the twin: a token that says nothing and that nothing checks.

It never refreshes and never reaches for a network. It is of no use against Azure.
"""

from typing import Any

from azure.core.credentials import AccessToken, AccessTokenInfo

_TOKEN = "twin"  # noqa: S105 - not a secret: the twin accepts any
_EXPIRES = 4_102_444_800
"""The first second of the year 2100: azure-core asks again only when a token is about to expire."""


class TwinCredential:
    """A credential that always has the same token."""

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        """Return the token, whatever it is asked for."""
        del scopes
        return AccessToken(_TOKEN, _EXPIRES)

    def get_token_info(self, *scopes: str, options: Any = None) -> AccessTokenInfo:
        """Return the token, whatever it is asked for."""
        del scopes, options
        return AccessTokenInfo(_TOKEN, _EXPIRES)

    def close(self) -> None:
        """Have nothing to close."""
