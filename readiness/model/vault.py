"""Key vaults, their keys, and the locks and roles that decide who may use what."""

from datetime import datetime

from msgspec import Struct

from readiness.model.ids import ResourceId


class AccessPolicy(Struct, frozen=True, kw_only=True):
    """One entry of a vault's `accessPolicies`."""

    principal: str
    """The object id in lower case."""
    keys: tuple[str, ...] = ()
    """What it may do with keys, in lower case, such as `wrapkey`."""


class Vault(Struct, frozen=True, kw_only=True):
    """One key vault; `None` where Azure did not report a property, which for switches mostly means off."""

    id: ResourceId
    location: str
    soft_delete: bool | None = None
    purge_protection: bool | None = None
    uses_roles: bool = False
    """`enableRbacAuthorization`: roles decide, and access policies are ignored."""
    policies: tuple[AccessPolicy, ...] = ()
    default_action: str | None = None
    bypass: str | None = None
    public_access: str | None = None
    """`publicNetworkAccess`: `Enabled`, `Disabled` or `SecuredByPerimeter`."""


class VaultKey(Struct, frozen=True, kw_only=True):
    """A key of a vault, or one version of it."""

    id: ResourceId
    kind: str | None = None
    """`kty`, such as `RSA` or `RSA-HSM`."""
    size: int | None = None
    enabled: bool | None = None
    expires: datetime | None = None
    starts: datetime | None = None
    version: str | None = None


class Lock(Struct, frozen=True, kw_only=True):
    """A management lock on a subscription, a resource group or a resource; what lies below inherits it."""

    id: ResourceId
    scope: ResourceId
    level: str
    """`ReadOnly` or `CanNotDelete`."""


class GalleryImage(Struct, frozen=True, kw_only=True):
    """An image definition of a compute gallery."""

    id: ResourceId
    security: str | None = None
    """The feature `SecurityType`, such as `TrustedLaunchSupported`."""
