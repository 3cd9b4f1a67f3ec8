"""Reading an estate folder: what comes out, and which mistakes are told how."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from readiness.errors import EstateError
from readiness.model.context import Context
from readiness.model.estate_info import Gap, Origin
from readiness.store.estate_files import read_context, read_gaps, read_info, read_resources

INFO = {
    "format": "readiness/estate/1",
    "name": "shop",
    "origin": "sample",
    "collected_at": "2026-11-02T08:00:00Z",
    "subscriptions": [{"id": "s1", "name": "production"}],
    "seed": 7,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An estate folder with two resources."""
    (tmp_path / "estate.json").write_text(json.dumps(INFO), encoding="utf-8")
    (tmp_path / "resources.jsonl").write_bytes(b'{"id": "/a"}\n\n{"id": "/b"}\n')
    return tmp_path


def _write_info(folder: Path, **changes: Any) -> None:
    (folder / "estate.json").write_text(json.dumps(INFO | changes), encoding="utf-8")


def test_info(folder: Path) -> None:
    """What the collector wrote down arrives; keys of other tools are left alone."""
    info = read_info(folder)

    assert ("shop", Origin.SAMPLE, datetime(2026, 11, 2, 8, tzinfo=UTC)) == (
        info.name,
        info.origin,
        info.collected_at,
    )
    assert "production" == info.subscriptions[0].name


def test_gaps(folder: Path) -> None:
    """What the collector could not read is not forgotten."""
    _write_info(
        folder, gaps=[{"place": "p", "resource": "/r", "reason": "Denied", "detail": "403", "is_vm": True}]
    )

    assert (Gap("p", "/r", "Denied", "403", is_vm=True),) == read_gaps(folder)


def test_no_gaps(folder: Path) -> None:
    """An estate that says nothing of gaps has none."""
    assert () == read_gaps(folder)


def test_resources(folder: Path) -> None:
    """Every resource comes with the line it stands on; empty lines are nothing."""
    assert [("resources.jsonl:1", {"id": "/a"}), ("resources.jsonl:3", {"id": "/b"})] == list(
        read_resources(folder)
    )


def test_packed_resources(folder: Path) -> None:
    """A packed file is read like a plain one, a byte order mark included."""
    content = b"\xef\xbb\xbf" + (folder / "resources.jsonl").read_bytes()
    (folder / "resources.jsonl").unlink()
    (folder / "resources.jsonl.gz").write_bytes(gzip.compress(content))

    assert ["resources.jsonl.gz:1", "resources.jsonl.gz:3"] == [place for place, _ in read_resources(folder)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"id": }', "resources.jsonl:2:8 is not valid JSON."),
        (b'{"id": "/x"} {}', "resources.jsonl:2:15 is not valid JSON."),
        (b'{"id"', "resources.jsonl:2:6 is not valid JSON."),
        (b'{"id": "\xff"}', "resources.jsonl:2:9 is not UTF-8 text."),
        (b"[1]", "resources.jsonl:2 is not a JSON object."),
    ],
)
def test_a_broken_line(folder: Path, line: bytes, expected: str) -> None:
    """A broken line stops the reading and is named with its column."""
    (folder / "resources.jsonl").write_bytes(b'{"id": "/a"}\n' + line + b"\n")

    with pytest.raises(EstateError) as caught:
        list(read_resources(folder))

    assert expected == caught.value.brief
    assert caught.value.remedy.endswith(".")


def test_a_torn_packed_file(folder: Path) -> None:
    """A packed file that ends too early is an error, not a short estate."""
    content = gzip.compress((folder / "resources.jsonl").read_bytes() * 50)
    (folder / "resources.jsonl").unlink()
    (folder / "resources.jsonl.gz").write_bytes(content[:-9])

    with pytest.raises(EstateError, match="cannot be read after line"):
        list(read_resources(folder))


def test_two_resource_files(folder: Path) -> None:
    """Nobody guesses which of two files is the right one."""
    (folder / "resources.jsonl.gz").write_bytes(b"")

    with pytest.raises(EstateError, match="both"):
        list(read_resources(folder))


def test_no_resource_file(folder: Path) -> None:
    """An estate without resources is no estate."""
    (folder / "resources.jsonl").unlink()

    with pytest.raises(EstateError, match=r"has no resources\.jsonl"):
        list(read_resources(folder))


def test_no_folder(tmp_path: Path) -> None:
    """A folder that is not there is named."""
    with pytest.raises(EstateError, match="no estate folder"):
        read_info(tmp_path / "nowhere")


def test_not_an_estate_folder(tmp_path: Path) -> None:
    """A folder that is something else is named."""
    with pytest.raises(EstateError, match="not an estate folder"):
        read_info(tmp_path)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"format": "readiness/estate/2"}, "newer than this release"),
        ({"format": "something/else"}, "not a format"),
        ({"origin": "elsewhere"}, "does not describe an estate"),
        ({"collected_at": "2026-11-02T08:00:00"}, "no time zone"),
        ({"gaps": [{"place": 1}]}, "does not describe an estate"),
    ],
)
def test_broken_info(folder: Path, changes: dict[str, Any], expected: str) -> None:
    """Each mistake in estate.json is told in its own words."""
    _write_info(folder, **changes)

    with pytest.raises(EstateError, match=expected):
        (read_info(folder), read_gaps(folder))


@pytest.mark.parametrize(("content", "expected"), [(b"[]", "not a JSON object"), (b'"\xff"', "not UTF-8")])
def test_info_that_is_no_json(folder: Path, content: bytes, expected: str) -> None:
    """Whatever else stands in estate.json is refused."""
    (folder / "estate.json").write_bytes(content)

    with pytest.raises(EstateError, match=expected):
        read_info(folder)


def test_no_context(folder: Path) -> None:
    """An estate without a context is assessed all the same."""
    assert Context() == read_context(folder, {})


def test_context(folder: Path) -> None:
    """The context is read beside the resources."""
    (folder / "context.yaml").write_text("format: readiness/context/1\n", encoding="utf-8")

    assert Context() == read_context(folder, {})
