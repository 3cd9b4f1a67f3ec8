"""Use case: serve a twin of an estate over HTTPS on loopback."""

import gc
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from readiness.app.endpoints import read_faults, seed_of
from readiness.errors import UsageError
from readiness.twin.clock import ScaledClock
from readiness.twin.core import Twin
from readiness.twin.server import TwinServer


class TwinRequest(Struct, frozen=True, kw_only=True):
    """What kind of twin is wanted."""

    estate: Path
    port: int
    speed: float
    faults: Path | None
    start: datetime
    state: Path


def open_twin(request: TwinRequest) -> TwinServer:
    """Seed a twin and open its port; `serve_forever` answers until it is stopped.

    Raises:
        EstateError: The estate cannot seed a twin.
        UsageError: The port is taken, or the faults are malformed.
    """
    clock = ScaledClock(request.start, rate=request.speed)
    twin = Twin(seed_of(request.estate), clock=clock, faults=read_faults(request.faults))
    gc.freeze()  # a seed is never garbage: a large one would be walked again and again
    try:
        return TwinServer(twin, port=request.port, certificate_folder=request.state)
    except OSError as error:
        if error.filename is not None:
            raise UsageError(
                f"{error.filename} cannot be written.",
                details=error.strerror or "",
                remedy="Give a folder for the twin's certificate with --state.",
            ) from error
        raise UsageError(
            f"Port {request.port} cannot be opened on 127.0.0.1.",
            details=error.strerror or "",
            remedy="Give another one with --port, or leave it out to get a free one.",
        ) from error
