"""What clients ask before their first request: which cloud this is, and who they are."""

import base64
import json

import pytest

from readiness.twin.core import Request
from tests.twin.seeds import SUBSCRIPTION, VM, Wire, estate

HOST = "https://127.0.0.1:8443"
TENANT = "5d1f3a52-0c8e-4d41-9f5b-1d6f0d0a7c11"
FORM = {"grant_type": "client_credentials", "client_id": "somebody", "client_secret": "anything"}


def asked(method: str, path: str, body: object = None, **query: str):
    """Make one request that belongs to no subscription."""
    return Wire().twin.handle(Request(method, path, query, {}, body, HOST))


def claims(token: str) -> dict[str, object]:
    """Read a token's claims, as clients do."""
    header, middle, signature = token.split(".")
    assert ({"alg": "none", "typ": "JWT"}, "") == (
        json.loads(base64.urlsafe_b64decode(header + "==")),
        signature,
    )
    found: dict[str, object] = json.loads(base64.urlsafe_b64decode(middle + "=="))
    return found


def addresses(value: object) -> list[str]:
    """Return every address in a document."""
    if isinstance(value, dict):
        return [each for inner in value.values() for each in addresses(inner)]
    if isinstance(value, list):
        return [each for inner in value for each in addresses(inner)]
    return [value] if isinstance(value, str) and "//" in value else []


@pytest.mark.parametrize(
    ("version", "shape"), [("2019-05-01", list), ("2020-06-01", list), ("2022-09-01", dict)]
)
def test_the_cloud_is_told_in_the_shape_of_its_version(version, shape):
    """Versions of 2019 and 2020 list clouds, later ones tell the one that is asked.

    msrestazure-for-python pull request 165, https://github.com/Azure/msrestazure-for-python/pull/165;
    azure-cli pull request 30682, https://github.com/Azure/azure-cli/pull/30682
    """
    body = asked("GET", "/metadata/endpoints", **{"api-version": version}).body
    assert isinstance(body, shape)
    cloud = body[0] if isinstance(body, list) else body
    assert (HOST, f"{HOST}/") == (cloud["authentication"]["loginEndpoint"], cloud["resourceManager"])


def test_the_oldest_shape_has_other_names():
    """Version 2015-01-01 names every endpoint as one; a request without a version is refused.

    azure-cli pull request 30682, https://github.com/Azure/azure-cli/pull/30682
    """
    body = asked("GET", "/metadata/endpoints", **{"api-version": "2015-01-01"}).body
    assert {"authentication", "portalEndpoint", "graphEndpoint", "galleryEndpoint"} == set(body)
    assert 400 == asked("GET", "/metadata/endpoints").status


@pytest.mark.parametrize("version", ["2015-01-01", "2019-05-01", "2022-09-01"])
def test_no_address_leads_to_azure(version):
    """Whatever a client is led to is the twin, or nowhere at all."""
    found = addresses(asked("GET", "/metadata/endpoints", **{"api-version": version}).body)
    assert found
    assert [] == [each for each in found if not each.startswith(HOST) and ".twin.invalid/" not in each]


def test_images_have_short_names():
    """The document of short names has the parts of an image that clients put together.

    az vm image list, https://learn.microsoft.com/cli/azure/vm/image#az-vm-image-list
    """
    known = asked("GET", "/metadata/imageAliases").body["outputs"]["aliases"]["value"]
    assert {"Linux", "Windows"} == set(known)
    assert "22_04-lts-gen2" == known["Linux"]["Ubuntu2204"]["sku"]


def test_a_tenant_says_where_its_tokens_are_had():
    """Issuer and endpoints are the twin's, and have the tenant that was asked for.

    OpenID Connect on the Microsoft identity platform,
    https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc
    """
    body = asked("GET", f"/{TENANT}/v2.0/.well-known/openid-configuration").body
    assert f"{HOST}/{TENANT}/oauth2/v2.0/token" == body["token_endpoint"]
    assert f"{HOST}/{TENANT}/v2.0" == body["issuer"]
    assert [] == [each for each in addresses(body) if not each.startswith(f"{HOST}/{TENANT}/")]
    known = asked("GET", "/common/discovery/instance").body
    assert ["127.0.0.1:8443"] == known["metadata"][0]["aliases"]


def test_anybody_gets_a_token_that_says_who_they_are():
    """A token names tenant, application and audience, an application is one object, and no secret is in it.

    OAuth 2.0 client credentials flow,
    https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
    """
    answer = asked("POST", f"/{TENANT}/oauth2/v2.0/token", FORM | {"scope": "https://vault.example/.default"})
    assert ("Bearer", 86_399) == (answer.body["token_type"], answer.body["expires_in"])
    own = claims(answer.body["access_token"])
    assert (TENANT, "somebody", "https://vault.example") == (own["tid"], own["appid"], own["aud"])
    again = claims(asked("POST", f"/{TENANT}/oauth2/v2.0/token", FORM).body["access_token"])
    assert (own["oid"], HOST) == (again["oid"], again["aud"])
    assert FORM["client_secret"] not in json.dumps([own, answer.body])


@pytest.mark.parametrize("missing", ["grant_type", "client_id"])
def test_a_request_for_a_token_says_how_and_who(missing):
    """What is missing is named in the form that the identity platform has for errors.

    Error AADSTS900144, https://learn.microsoft.com/entra/identity-platform/reference-error-codes
    """
    form = {name: value for name, value in FORM.items() if name != missing}
    answer = asked("POST", f"/{TENANT}/oauth2/v2.0/token", form)
    assert (400, "invalid_request", True) == (
        answer.status,
        answer.body["error"],
        answer.body["error_description"].startswith("AADSTS900144")
        and missing in answer.body["error_description"],
    )


def test_everything_is_in_the_tenant_of_the_seed():
    """Tenants, and identities that are made, are of the tenant that the seed's subscription names."""
    seed = [{"id": f"/subscriptions/{SUBSCRIPTION}", "tenantId": TENANT}, *estate()]
    wire = Wire(*seed)
    assert TENANT == wire.twin.tenant
    assert [TENANT] == [each["tenantId"] for each in wire.get("/tenants")["value"]]
    wire.do("PATCH", VM, {"identity": {"type": "SystemAssigned"}})
    assert TENANT == wire.get(VM)["identity"]["tenantId"]
