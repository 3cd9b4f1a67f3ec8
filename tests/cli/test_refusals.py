"""What is refused, with which exit code, and in which words: what happened, and what to do."""

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from readiness.model.estate import MUST_BE_LISTED
from tests.cli.terminal import AS_OF, Terminal, copy_of_starter, digest_of_plan, served

USAGE, ESTATE, PLAN, CLOUD = 2, 3, 4, 5
NOWHERE = "https://127.0.0.1:9"


def edited(file: Path, old: str, new: str) -> None:
    """Replace one passage of a file."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def run_of(plan: Path, state: Path, **changes: object) -> tuple[object, ...]:
    """Return the words of a run that is refused by nothing but what is changed."""
    options = {"wave": 1, "approve": digest_of_plan(plan), "twin": NOWHERE, "state": state} | changes
    return ("run", plan, *(part for name, value in options.items() for part in (f"--{name}", value)))


# Estates ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [("assess",), ("plan", "create"), ("twin", "serve")], ids=" ".join)
def test_an_unknown_estate(terminal: Terminal, command: tuple[str, ...]) -> None:
    """An estate that is neither a folder nor a sample is refused, with the samples there are."""
    words = terminal.refused(ESTATE, *command, "nowhere")
    assert "There is no estate folder 'nowhere'." in words
    assert "starter" in words


def test_a_broken_line(terminal: Terminal, tmp_path: Path) -> None:
    """A line that is not JSON is told by file, line and column, wherever the estate is read."""
    folder = copy_of_starter(tmp_path)
    lines = (folder / "resources.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "resources.jsonl").write_bytes(b"".join([*lines[:41], b'{"id": "/x", \n', *lines[41:]]))
    for command in (("assess",), ("plan", "create")):
        assert "resources.jsonl:42:" in terminal.refused(ESTATE, *command, folder)


def test_an_estate_that_is_too_new(terminal: Terminal, tmp_path: Path) -> None:
    """An estate of a format to come is refused with the advice to use its release."""
    words = terminal.refused(ESTATE, "assess", copy_of_starter(tmp_path, format="readiness/estate/2"))
    assert "readiness/estate/2" in words
    assert "release" in words


def test_a_folder_that_is_no_estate(terminal: Terminal, tmp_path: Path) -> None:
    """A folder without an estate in it is told so."""
    assert "estate.json" in terminal.refused(ESTATE, "assess", tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("target: sf-sql-01}", "target: sf-sqll-01}", ("sf-sqll-01", "sf-sql-01", "context.yaml:")),
        ("criticality: high ", "critikality: high ", ("critikality", "criticality", "context.yaml:")),
        ("expires: 2027-04-30", "expires: 30.04.2027", ("30.04.2027", "2027-12-31", "context.yaml:")),
        ("windows: [weekend-night]", "windows: [weekend-nigth]", ("weekend-nigth", "weekend-night")),
        ("timezone: Europe/Berlin", "timezone: Europe/Berlim", ("Europe/Berlim", "Europe/Berlin")),
        ("format: readiness/context/1", "format: readiness/context/2", ("readiness/context/2", "release")),
        ("\napplications:\n", "\napplications: [\n", ("context.yaml",)),
    ],
    ids=["vm", "key", "date", "window", "zone", "format", "yaml"],
)
@pytest.mark.parametrize("command", [("assess",), ("plan", "create")], ids=" ".join)
def test_a_context_that_is_wrong(
    terminal: Terminal, tmp_path: Path, command: tuple[str, ...], old: str, new: str, words: tuple[str, ...]
) -> None:
    """What a context gets wrong is told with its place and the closest thing there is."""
    folder = copy_of_starter(tmp_path)
    edited(folder / "context.yaml", old, new)
    said = terminal.refused(ESTATE, *command, folder)
    assert [] == [word for word in words if word not in said], said


def test_nothing_is_written_for_a_wrong_estate(terminal: Terminal, tmp_path: Path) -> None:
    """A plan that could not be made leaves no file that looks like one."""
    folder = copy_of_starter(tmp_path, format="readiness/estate/2")
    terminal.refused(ESTATE, "plan", "create", folder, "--to", tmp_path / "out")
    assert not (tmp_path / "out").exists()


# Plans --------------------------------------------------------------------------------------------------


def test_no_plan(terminal: Terminal, tmp_path: Path) -> None:
    """A plan that is not there is told with how to make one."""
    for command in (("rehearse", tmp_path), ("rehearse", tmp_path / "plan.json")):
        assert "plan create" in terminal.refused(PLAN, *command)
    words = terminal.refused(
        PLAN, "run", tmp_path, "--wave", 1, "--approve", "0" * 12, "--twin", NOWHERE, "--state", tmp_path
    )
    assert "plan create" in words


def test_an_edited_plan(terminal: Terminal, plan_folder: Path, tmp_path: Path) -> None:
    """A plan that was edited by hand is refused by rehearse and run, with the advice to plan again."""
    document = json.loads((plan_folder / "plan.json").read_text(encoding="utf-8"))
    document["vms"][0]["undo"] = "none"
    (tmp_path / "plan.json").write_text(json.dumps(document), encoding="utf-8")
    for command in (("rehearse", tmp_path), run_of(tmp_path, tmp_path / "state")):
        words = terminal.refused(PLAN, *command)
        assert "was altered after it was made" in words
        assert "Plan again" in words


@pytest.mark.parametrize("approved", ["0" * 12, "", "0", "x" * 64])
def test_a_wrong_digest(terminal: Terminal, plan_folder: Path, tmp_path: Path, approved: str) -> None:
    """A digest that is not the plan's approves nothing."""
    words = terminal.refused(PLAN, *run_of(plan_folder, tmp_path, approve=approved))
    assert f"The digest '{approved}' does not approve this plan." in words


def test_a_digest_that_is_too_short(terminal: Terminal, plan_folder: Path, tmp_path: Path) -> None:
    """Eleven right characters approve nothing: they might be another plan's too."""
    words = terminal.refused(PLAN, *run_of(plan_folder, tmp_path, approve=digest_of_plan(plan_folder)[:11]))
    assert "first 12 characters" in words


def test_an_unknown_wave(terminal: Terminal, plan_folder: Path, tmp_path: Path) -> None:
    """A wave that the plan does not have is refused, with those it has."""
    words = terminal.refused(PLAN, *run_of(plan_folder, tmp_path, wave=9))
    assert "The plan has no wave 9." in words
    assert "1, 2" in words


def test_a_plan_for_live_azure(terminal: Terminal, tmp_path: Path) -> None:
    """A plan of a collected estate does not run on a twin."""
    estate = tmp_path / "estate"
    estate.mkdir()
    copy_of_starter(estate, origin="collected", listed_types=sorted(MUST_BE_LISTED))
    terminal.type("plan", "create", estate, "--to", tmp_path / "plan", "--as-of", AS_OF)
    words = terminal.refused(PLAN, *run_of(tmp_path / "plan", tmp_path / "state"))
    assert "made for Azure itself, not for a twin" in words
    assert "rehearse" in words


def test_nothing_is_remembered_of_a_refused_run(
    terminal: Terminal, plan_folder: Path, tmp_path: Path
) -> None:
    """A run that was refused leaves no trace in the state folder."""
    state = tmp_path / "state"
    terminal.refused(PLAN, *run_of(plan_folder, state, wave=9))
    terminal.refused(USAGE, *run_of(plan_folder, state))
    assert not state.exists()


# Twins --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8443",
        "https://10.0.0.1:8443",
        "https://management.azure.com",
        "https://127.0.0.1.example.com:8443",
        "https://localhost@example.com:8443",
        "https://127.0.0.1",
        "https://127.0.0.1:99999",
        "https://127.0.0.1:port",
        "https://[::1",
        "127.0.0.1:8443",
        "twin",
        "",
    ],
)
def test_what_is_no_address_of_a_twin(
    terminal: Terminal, plan_folder: Path, tmp_path: Path, url: str
) -> None:
    """A twin lives on this machine and speaks HTTPS; nothing else is ever asked."""
    words = terminal.refused(USAGE, *run_of(plan_folder, tmp_path, twin=url))
    assert f"{url!r} is not the address of a twin." in words


@pytest.mark.parametrize("command", ["prepare", "run", "close", "recover"])
@pytest.mark.parametrize("place", [(), ("--live", "--twin", NOWHERE)], ids=["none", "two"])
def test_a_run_names_one_place(
    terminal: Terminal, plan_folder: Path, tmp_path: Path, command: str, place: tuple[str, ...]
) -> None:
    """Nothing is carried out where no place was named, or two."""
    approved = ("--wave", 1, "--approve", digest_of_plan(plan_folder), "--state", tmp_path)
    words = terminal.refused(USAGE, command, plan_folder, *approved, *place)
    assert "either --twin URL or --live" in words
    assert "twin serve" in words


def test_an_invented_estate_never_runs_live(terminal: Terminal, plan_folder: Path, tmp_path: Path) -> None:
    """A plan of a sample estate is refused on Azure itself, before anybody is asked to log in."""
    approved = ("--wave", 1, "--approve", digest_of_plan(plan_folder), "--state", tmp_path)
    words = terminal.refused(PLAN, "run", plan_folder, *approved, "--live")
    assert "made for a twin, not for Azure itself" in words
    assert [] == list(tmp_path.iterdir())


def test_a_missing_certificate(terminal: Terminal, plan_folder: Path, tmp_path: Path) -> None:
    """A twin whose certificate is not known is not spoken to."""
    words = terminal.refused(USAGE, *run_of(plan_folder, tmp_path))
    assert f"{tmp_path / 'twin-9.pem'}" in words
    assert "--twin-ca" in words


def test_no_twin_answers(terminal: Terminal, plan_folder: Path, tmp_path: Path) -> None:
    """Where the twin is gone, nothing is begun, and it is said how to start one."""
    with served(tmp_path, rate=1) as twin:
        certificate = next(tmp_path.glob("twin-*.pem")).read_bytes()
    (tmp_path / "kept.pem").write_bytes(certificate)
    options = {"twin": twin.url, "twin-ca": tmp_path / "kept.pem"}
    words = terminal.refused(CLOUD, *run_of(plan_folder, tmp_path, **options))
    assert f"No twin answers at {twin.url}" in words
    assert "twin serve" in words
    assert not (tmp_path / "runs").exists()


def test_a_certificate_of_another_twin(terminal: Terminal, plan_folder: Path, tmp_path: Path) -> None:
    """A twin that cannot prove itself is not spoken to."""
    with served(tmp_path / "one", rate=1), served(tmp_path / "two", rate=1) as twin:
        other = next((tmp_path / "one").glob("*.pem"))
        options = {"twin": twin.url, "twin-ca": other}
        assert "No twin answers" in terminal.refused(CLOUD, *run_of(plan_folder, tmp_path, **options))


def test_a_file_that_is_no_certificate(terminal: Terminal, plan_folder: Path, tmp_path: Path) -> None:
    """A certificate that is none is told by its file."""
    (tmp_path / "twin-9.pem").write_text("not a certificate")
    assert "twin-9.pem" in terminal.refused(USAGE, *run_of(plan_folder, tmp_path))


def test_a_port_that_is_taken(terminal: Terminal, tmp_path: Path) -> None:
    """A port that another process has is told, and how to take another one."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        words = terminal.refused(USAGE, "twin", "serve", "starter", "--port", port, "--state", tmp_path)
    assert f"Port {port} cannot be opened" in words
    assert "--port" in words


def test_a_folder_for_the_certificate_that_is_none(terminal: Terminal, tmp_path: Path) -> None:
    """A certificate that cannot be written is not taken for a port that is taken."""
    (tmp_path / "file").write_text("")
    state = tmp_path / "file" / "state"
    words = terminal.refused(USAGE, "twin", "serve", "starter", "--state", state)
    assert str(state) in words
    assert "--state" in words


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, ("No such file",)),
        ("[1", ("JSON",)),
        ("\udcff", ("JSON",)),
        ("[]", ("format",)),
        ('{"format": "readiness/faults/1"}', ("faults",)),
        ([{"kind": "fail", "operation": "disks/write", "colour": 1}], ("faults[0].colour",)),
        ([{"kind": "fail"}], ("faults[0].operation",)),
        ([{"kind": "agent-silent"}, {"kind": "meteor"}], ("faults[1].kind", "agent-silent")),
    ],
    ids=["missing", "json", "bytes", "format", "list", "key", "operation", "kind"],
)
def test_malformed_faults(
    terminal: Terminal, plan_folder: Path, tmp_path: Path, content: Any, words: tuple[str, ...]
) -> None:
    """A file of faults that cannot be used is told with the place of what is wrong."""
    file = tmp_path / "faults.json"
    if isinstance(content, list):
        content = json.dumps({"format": "readiness/faults/1", "faults": content})
    if content is not None:
        file.write_bytes(content.encode(errors="surrogateescape"))
    for command in (("rehearse", plan_folder), ("twin", "serve", "starter", "--state", tmp_path)):
        ended = terminal.type(*command, "--faults", file)
        assert USAGE == ended.code
        assert "Traceback" not in ended.err
        assert [] == [word for word in (str(file), *words) if word not in ended.err], ended.err


# The command line itself --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("assess",),
        ("asess", "starter"),
        ("assess", "starter", "--as-of", "yesterday"),
        ("assess", "starter", "--output", "xml"),
        ("run", "x", "--wave", "0", "--approve", "a"),
        ("twin", "serve", "starter", "--speed", "0"),
        ("twin", "serve", "starter", "--port", "70000"),
    ],
    ids=" ".join,
)
def test_what_is_typed_wrong(terminal: Terminal, words: tuple[str, ...]) -> None:
    """A command that is typed wrong ends with 2 and says where help is, without a traceback."""
    ended = terminal.type(*words)
    assert USAGE == ended.code
    assert "Usage: readiness" in ended.err
    assert "Traceback" not in ended.err


def test_a_place_that_cannot_be_written(terminal: Terminal, tmp_path: Path) -> None:
    """A folder that is a file is told in words."""
    (tmp_path / "file").write_text("")
    place = tmp_path / "file" / "plan"
    assert str(place) in terminal.refused(USAGE, "plan", "create", "starter", "--to", place)


def test_a_reader_that_leaves_early() -> None:
    """Output that is piped into something that reads only its head ends quietly."""
    command = [sys.executable, "-m", "readiness", "assess", "starter"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
    assert "Traceback" not in said


def test_an_exception_for_a_rule_that_does_not_exist(terminal: Terminal, tmp_path: Path) -> None:
    """A misspelt rule in an exception is named with what comes near it, instead of permitting nothing."""
    copy_of_starter(tmp_path)
    edited(tmp_path / "context.yaml", "    dimension: cmk\n", "    rule: EN0O1\n")
    words = terminal.refused(ESTATE, "assess", tmp_path)
    assert "'EN0O1'" in words
    assert "Did you mean EN0" in words
