"""The Azure SDK for Python logs in to a served twin with nothing but the environment that the twin prints."""

import pytest
from azure.identity import ClientSecretCredential, EnvironmentCredential
from azure.mgmt.compute import ComputeManagementClient

from tests.clients.cli import AzureCli

pytestmark = pytest.mark.clients


def test_credentials_of_the_environment_open_the_twin(az: AzureCli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both credentials get a token from the twin's authority, and a client follows an operation with it.

    azure.identity, https://learn.microsoft.com/python/api/azure-identity/azure.identity.clientsecretcredential
    """
    given = az.environment
    for name, value in given.items():
        if name.startswith(("AZURE_", "REQUESTS_", "SSL_")):
            monkeypatch.setenv(name, value)
    subscription = az.ask("account show")["id"]
    endpoint = given["AZURE_RESOURCE_MANAGER_ENDPOINT"]
    scope = f"{given['AZURE_RESOURCE_MANAGER_AUDIENCE']}/.default"
    credentials = (
        ClientSecretCredential(
            given["AZURE_TENANT_ID"],
            given["AZURE_CLIENT_ID"],
            given["AZURE_CLIENT_SECRET"],
            disable_instance_discovery=True,
        ),
        EnvironmentCredential(disable_instance_discovery=True),
    )
    for credential in credentials:
        with (
            credential,
            ComputeManagementClient(
                credential, subscription, base_url=endpoint, credential_scopes=[scope]
            ) as client,
        ):
            client.virtual_machines.begin_restart("rg-storefront", "sf-web-01").result()
            assert "sf-web-01" == client.virtual_machines.get("rg-storefront", "sf-web-01").name
