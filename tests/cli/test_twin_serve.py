"""`readiness twin serve`: the lines it prints work, its trouble happens, and nothing is left when it ends."""

import json
import re
import ssl
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from readiness.app.estates import locate
from tests.cli.terminal import read_until, rest, started

FAULTS = """\
format: readiness/faults/1
faults:
  - {kind: server-error, operation: virtualMachines/read, resource: sf-web-01}
"""
VM = (
    "/subscriptions/63610791-8d8b-4b10-b705-26fc2d8bfdf7/resourceGroups/rg-storefront"
    "/providers/Microsoft.Compute/virtualMachines/sf-web-01?api-version=2026-04-01"
)


def test_the_lines_it_prints_lead_to_the_twin(tmp_path: Path) -> None:
    """Endpoint and bundle work as printed, faults of a YAML file happen, certificate and settings go."""
    file = tmp_path / "faults.yaml"
    file.write_text(FAULTS, encoding="utf-8")
    words = ("twin", "serve", "starter", "--state", tmp_path, "--faults", file, "--speed", "60")
    with started(*words, "--at", "2026-11-24") as process:
        said = read_until(process, "Ctrl-C")
        assert "Its clock: 2026-11-24 00:00:00 UTC, 60 seconds a second" in said
        exported = dict(re.findall(r"(\w+)=(\S+)", said))
        bundle = Path(exported["REQUESTS_CA_BUNDLE"])
        assert str(bundle) == exported["SSL_CERT_FILE"]
        url = exported["AZURE_RESOURCE_MANAGER_ENDPOINT"]
        assert f"az cloud register -n Twin --endpoint-resource-manager {url} " in said
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(bundle))),
        )
        with pytest.raises(urllib.error.HTTPError, match="503"):
            opener.open(url + VM, timeout=10)
        with opener.open(url + VM, timeout=10) as answer:
            assert "sf-web-01" == json.load(answer)["name"]
        settings = Path(exported["AZURE_CONFIG_DIR"])
        settings.mkdir()
        (settings / "clouds.config").write_text("[Twin]", encoding="utf-8")
        process.terminate()
        assert (0, "Twin stopped.\n") == rest(process)
    assert not bundle.exists()
    assert not settings.exists()


def test_the_login_it_prints_is_to_the_tenant_of_the_estate(tmp_path: Path) -> None:
    """The tenant is the one that the estate's subscription names, and the authority is the twin."""
    with started("twin", "serve", "starter", "--state", tmp_path) as process:
        exported = dict(re.findall(r"(\w+)=(\S+)", read_until(process, "Ctrl-C")))
    with (locate("starter") / "resources.jsonl").open(encoding="utf-8") as lines:
        subscription = json.loads(next(lines))
    assert subscription["tenantId"] == exported["AZURE_TENANT_ID"]
    assert exported["AZURE_RESOURCE_MANAGER_ENDPOINT"] == exported["AZURE_AUTHORITY_HOST"]


def test_a_faults_file_in_yaml_that_is_wrong_is_named(tmp_path: Path) -> None:
    """A mistake in a YAML file is told with its place, before anything is served."""
    file = tmp_path / "faults.yaml"
    file.write_text(FAULTS.replace("server-error", "explode"), encoding="utf-8")
    with started("twin", "serve", "starter", "--state", tmp_path, "--faults", file) as process:
        code, said = rest(process)
    assert 2 == code
    assert "faults[0].kind: 'explode' is unknown" in said
    assert str(file) in said.replace("\n", "")
