"""What a client asks before it logs in: which cloud this is. Every address leads back to the twin.

`GET /metadata/endpoints` had three shapes: one object with names on `Endpoint` (2015-01-01), a list of
clouds (2019-05-01 to 2020-06-01, shown in Azure/msrestazure-for-python#165), and the one cloud that was asked
(2022-09-01, Azure/azure-cli#30682). Services the twin does not have are named at addresses of the reserved
domain `.invalid`, so that no client is led to Azure by leaving them out.
"""

from datetime import datetime

from readiness.twin.documents import Json
from readiness.twin.messages import ArmError, Request, Response
from readiness.twin.world import Outside, World

_LIST_SINCE, _OBJECT_SINCE = "2019-05-01", "2022-09-01"
_NOWHERE = "twin.invalid"
_SUFFIXES = {
    "acrLoginServer": f"azurecr.{_NOWHERE}",
    "keyVaultDns": f"vault.{_NOWHERE}",
    "sqlServerHostname": f"database.{_NOWHERE}",
    "storage": f"core.{_NOWHERE}",
}
_ALIASES = {
    "Linux": {
        "Debian11": ("Debian", "debian-11", "11-backports-gen2"),
        "RHEL": ("RedHat", "RHEL", "8-lvm-gen2"),
        "Ubuntu2204": ("Canonical", "0001-com-ubuntu-server-jammy", "22_04-lts-gen2"),
    },
    "Windows": {
        "Win2019Datacenter": ("MicrosoftWindowsServer", "WindowsServer", "2019-datacenter-gensecond"),
        "Win2022Datacenter": ("MicrosoftWindowsServer", "WindowsServer", "2022-datacenter-g2"),
    },
}
"""Short names of images, as the Azure CLI has them."""


def endpoints(world: World, request: Request, names: dict[str, str], now: datetime) -> Response:
    """Answer the endpoints of the cloud that the twin is, in the shape of the version asked for."""
    del world, names, now
    version = request.query.get("api-version", "")
    if not version:
        raise ArmError(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    if version < _LIST_SINCE:
        return Response(200, _oldest(request.base_url))
    cloud = _cloud(request.base_url)
    return Response(200, [cloud] if version < _OBJECT_SINCE else cloud)


def aliases(world: World, request: Request, names: dict[str, str], now: datetime) -> Response:
    """Answer the document in which the Azure CLI looks up an image by its short name."""
    del world, request, names, now
    value = {
        system: {
            alias: {
                "publisher": publisher,
                "offer": offer,
                "sku": sku,
                "version": "latest",
                "architecture": "x64",
            }
            for alias, (publisher, offer, sku) in images.items()
        }
        for system, images in _ALIASES.items()
    }
    return Response(200, {"outputs": {"aliases": {"type": "object", "value": value}}})


def _authentication(url: str) -> Json:
    return {
        "loginEndpoint": url,
        "audiences": [url, f"{url}/"],
        "tenant": "common",
        "identityProvider": "AAD",
    }


def _cloud(url: str) -> Json:
    return {
        "name": "Twin",
        "authentication": _authentication(url),
        "resourceManager": f"{url}/",
        "portal": url,
        "graph": f"{url}/",
        "graphAudience": f"{url}/",
        "microsoftGraphResourceId": f"{url}/",
        "gallery": f"{url}/",
        "vmImageAliasDoc": f"{url}/metadata/imageAliases",
        "batch": f"https://batch.{_NOWHERE}/",
        "media": f"https://media.{_NOWHERE}/",
        "sqlManagement": f"https://sql.{_NOWHERE}/",
        "suffixes": dict(_SUFFIXES),
    }


def _oldest(url: str) -> Json:
    return {
        "authentication": _authentication(url),
        "portalEndpoint": url,
        "graphEndpoint": f"{url}/",
        "galleryEndpoint": f"{url}/",
    }


OUTSIDE: Outside = {
    ("GET", "/metadata/endpoints"): endpoints,
    ("GET", "/metadata/imageAliases"): aliases,
}
