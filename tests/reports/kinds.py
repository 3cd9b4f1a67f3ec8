"""The reports that come as a page and as a workbook, for the tests that hold for each of them."""

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from lxml import html
from msgspec.structs import replace

from readiness.model.progress import Progress
from readiness.model.wave_report import WaveReport
from reports.page import progress_page
from reports.progress_workbook import progress_workbook
from reports.tables.progress import progress_tables
from reports.tables.wave import wave_tables
from reports.wave_page import wave_page
from reports.wave_workbook import wave_workbook
from tests.reports.progresses import rising
from tests.reports.wave_reports import after_the_window

_ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Kind:
    """One kind of report."""

    name: str
    """As its snapshots begin."""
    shape: type
    made: Callable[..., Any]
    """Makes one; `say` gives the text for each place where there is some."""
    page: Callable[..., bytes]
    workbook: Callable[..., bytes]
    tables: Callable[..., Any]
    figures: int
    """Charts on its page."""
    alike: Callable[[Any], Any] = lambda report: report
    """Takes out what becomes more elements on the page only because texts differ."""


def _with_one_consent(report: WaveReport) -> WaveReport:
    """Return a report whose owners agreed to the same: each sentence more is a row of a table."""
    one = {"consents": report.vms[0].consents, "exceptions": report.vms[0].exceptions}
    return replace(report, vms=tuple(replace(vm, **one) for vm in report.vms))


KINDS = (
    Kind(
        name="progress",
        shape=Progress,
        made=rising,
        page=progress_page,
        workbook=progress_workbook,
        tables=progress_tables,
        figures=4,
    ),
    Kind(
        name="wave",
        shape=WaveReport,
        made=after_the_window,
        page=wave_page,
        workbook=wave_workbook,
        tables=wave_tables,
        figures=2,
        alike=_with_one_consent,
    ),
)

each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


def digest_elsewhere(form: Callable[..., bytes], made: Callable[..., Any], seed: str) -> str:
    """Return the SHA-256 of a form made in another process, elsewhere, with sets in another order."""
    script = (
        "import hashlib\n"
        f"from {form.__module__} import {form.__name__} as form\n"
        f"from {made.__module__} import {made.__name__} as made\n"
        "print(hashlib.sha256(form(made())).hexdigest())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=_ROOT,
        env=os.environ | {"PYTHONHASHSEED": seed, "TZ": "America/Lima", "PYTHONPATH": str(_ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def digest(data: bytes) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(data).hexdigest()


def parsed(page: bytes) -> Any:
    """Return a page as a tree."""
    return html.document_fromstring(page, parser=html.HTMLParser(encoding="utf-8", huge_tree=True))


def drawings(page: bytes) -> list[str]:
    """Return every drawing of a page as it stands there."""
    return re.findall(r"<svg xmlns.*?</svg>", page.decode(), re.DOTALL)


def charts(workbook: bytes) -> list[str]:
    """Return the XML of every chart of a workbook."""
    with ZipFile(BytesIO(workbook)) as archive:
        names = sorted(name for name in archive.namelist() if name.startswith("xl/charts/chart"))
        return [archive.read(name).decode() for name in names]


def drawn(chart: str) -> list[list[str]]:
    """Return the numbers that each series of a chart carries."""
    return [re.findall(r"<v>([^<]*)</v>", one) for one in re.findall(r"<val>.*?</val>", chart)]
