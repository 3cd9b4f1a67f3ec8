"""Where a run's requests go: a twin in this process, or one over HTTPS on loopback."""

import ipaddress
import json
import ssl
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from readiness.azure.connect import Endpoint
from readiness.errors import EstateError, UsageError
from readiness.store.marked_yaml import compose
from readiness.twin.clock import VirtualClock
from readiness.twin.core import Twin
from readiness.twin.credential import TwinCredential
from readiness.twin.faults import FORMAT as FAULTS_FORMAT
from readiness.twin.faults import FaultFileError, Faults
from readiness.twin.seed import SeedError
from readiness.twin.seed import load as load_seed
from readiness.twin.transport import TwinTransport

_NO_HOST = "https://twin.invalid"


def in_process(
    estate: Path, faults: Path | None, start: datetime, seed: int = 0
) -> tuple[Endpoint, VirtualClock]:
    """Seed a twin in this process and return the way to it, and its clock."""
    clock = VirtualClock(start)
    twin = Twin(seed_of(estate), clock=clock, faults=read_faults(faults), seed=seed)
    endpoint = Endpoint(
        base_url=_NO_HOST, credential=TwinCredential(), make_transport=lambda: TwinTransport(twin)
    )
    return endpoint, clock


def over_https(url: str, certificate: Path | None, state: Path) -> tuple[Endpoint, str]:
    """Return the way to a twin in another process, and the certificate to trust.

    Raises:
        UsageError: The address is not one of this machine, or its certificate is not known.
    """
    port = _port_of_twin(url)
    if port is None:
        raise UsageError(
            f"{url!r} is not the address of a twin.",
            remedy="A twin lives on this machine: give the https://127.0.0.1:PORT that 'twin serve' prints.",
        )
    trusted = certificate or state / f"twin-{port}.pem"
    try:
        ssl.create_default_context(cafile=str(trusted))
    except OSError as error:
        raise UsageError(
            f"There is no certificate of {url} at {trusted}.",
            details=error.strerror or str(error),
            remedy="A twin that was stopped took it along: serve it again. If it still serves, give the file "
            "that 'twin serve' prints with --twin-ca, or the same --state to both.",
        ) from error
    return Endpoint(base_url=url, credential=TwinCredential(), certificate=str(trusted)), str(trusted)


def seed_of(estate: Path) -> list[dict[str, object]]:
    """Read the resources that a twin starts from."""
    try:
        return load_seed(estate)
    except (SeedError, OSError) as error:
        raise EstateError(f"No twin can be made of {estate}.", details=str(error)) from error


def read_faults(path: Path | None) -> Faults | None:
    """Read a file of scripted trouble."""
    if path is None:
        return None
    try:
        return Faults.parse(_parsed(path))
    except (OSError, ValueError, yaml.YAMLError, EstateError) as error:
        known = isinstance(error, FaultFileError)
        raise UsageError(
            f"{path} is no file of faults.",
            details=str(error),
            remedy="" if known else f'It is JSON: {{"format": "{FAULTS_FORMAT}", "faults": [...]}}, or YAML.',
        ) from error


def _parsed(path: Path) -> object:
    text = path.read_text(encoding="utf-8")
    if path.suffix.lower() not in (".yaml", ".yml"):
        return json.loads(text)
    compose(text, str(path))  # refuses anchors, tags and keys given twice
    return yaml.safe_load(text)


def _port_of_twin(url: str) -> int | None:
    """Return the port of an https address on this machine, or None if it is anything else."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    return port if parts.scheme == "https" and _is_loopback(parts.hostname or "") else None


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
