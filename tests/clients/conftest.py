"""A served twin for each module of tests, and the clients that are led to it."""

from collections.abc import Iterator

import pytest

from tests.clients.cli import CLI, AzureCli, serving


@pytest.fixture(scope="module")
def az(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureCli]:
    """The Azure CLI, logged in to a twin that this module's tests have for themselves."""
    assert (CLI / "az").exists(), "the Azure CLI is not installed: run `make test-clients`"
    with serving(tmp_path_factory.mktemp("clients")) as cli:
        yield cli
