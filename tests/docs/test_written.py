"""What people wrote holds: commands exist, examples parse, links lead somewhere."""

import json
import re
from datetime import date

import click
import pytest

from readiness.app.assess import assess
from readiness.app.estates import load
from readiness.cli.main import readiness
from readiness.model.assessment import Classification
from readiness.model.levels import LADDER
from readiness.twin.faults import OPERATIONS, Faults
from readiness.twin.seed import load as load_seed
from tests.docs.pages import DOCS, PAGES, ROOT, anchors, blocks, links, text

ESTATE_EXAMPLES = {"estate.json": "json", "resources.jsonl": "jsonl", "context.yaml": "yaml"}


def called(page):
    """Return the words after `readiness` wherever a page shows the command in code."""
    lines = "\n".join(re.findall(r"`([^`\n]+)`", text(page)))
    return [found.split() for found in re.findall(r"^(?:\.venv/bin/)?readiness ([a-z][^\n]*)", lines, re.M)]


WITH_COMMANDS = [page for page in (str(path.relative_to(ROOT)) for path in PAGES) if called(page)]


def resolve(words):
    """Walk down to the command that words call; None where there is none."""
    command, rest = readiness, list(words)
    while isinstance(command, click.Group) and rest:
        command = command.commands.get(rest.pop(0))
    return command, rest


def make_targets(page):
    """Return the targets of make that a page tells people to use."""
    return set(re.findall(r"\bmake ([a-z-]+)", text(page)))


@pytest.fixture
def example(tmp_path):
    """The estate folder that docs/estate.md shows."""
    for name, language in ESTATE_EXAMPLES.items():
        (tmp_path / name).write_text(blocks("docs/estate.md", language)[0], encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("page", WITH_COMMANDS)
def test_commands_exist(page):
    """Every command that a page shows is one that the command line has, with the options it is given."""
    missing = []
    for words in called(page):
        command, rest = resolve(words)
        known = {option for parameter in getattr(command, "params", ()) for option in parameter.opts}
        if command is None or any(word.startswith("--") and word not in known for word in rest):
            missing.append(" ".join(words))
    assert [] == missing


def test_the_readme_names_every_command():
    """The table of commands leaves none out."""
    leaves = [
        f"{name} {child}" if isinstance(command, click.Group) else name
        for name, command in readiness.commands.items()
        for child in (command.commands if isinstance(command, click.Group) else [""])
    ]
    assert [] == [leaf for leaf in leaves if f"| `readiness {leaf}" not in text("README.md")]


def test_every_level_is_explained():
    """The page of levels has a row for each rung, in the words of the code."""
    rows = text("docs/levels.md").lower()
    wanted = [f"| {rung.level.value} | {rung.name} | {rung.means.rstrip('.')} |".lower() for rung in LADDER]
    assert [] == [row for row in wanted if row not in rows]


def test_every_class_is_explained():
    """The page of levels has a row for each class."""
    assert [] == [one for one in Classification if f"| `{one}` |" not in text("docs/levels.md")]


def test_every_sample_estate_is_named():
    """The readme names every sample estate."""
    samples = [entry.parent.name for entry in (ROOT / "sample_estates").glob("*/estate.json")]
    assert [] == [name for name in samples if f"`{name}`" not in text("README.md")]


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_make_targets_exist(page):
    """Whatever people are told to make can be made."""
    known = set(re.findall(r"^([a-z-]+):", text("Makefile"), re.M))
    assert set() == make_targets(page) - known


def test_fault_examples_parse():
    """Every example of a faults file is read by the twin's own parser, with all its faults."""
    documents = [json.loads(block) for block in blocks("docs/faults.md", "json")]
    wanted = [len(document["faults"]) for document in documents]
    assert wanted == [len(Faults.parse(document).faults) for document in documents]


def test_every_fault_operation_is_documented():
    """The faults page lists every operation that can meet trouble."""
    assert [] == [entry for entry in OPERATIONS if f"| `{entry}` |" not in text("docs/faults.md")]


def test_the_estate_example_is_read(example):
    """The three files of the estate page make an estate whose coverage adds up."""
    assessment = assess(example, date(2026, 11, 22))
    assert [(3, 2, 0, 1)] == [
        (entry.discovered, entry.classified, entry.excluded, entry.unknown) for entry in assessment.coverage
    ]


def test_the_estate_example_seeds_a_twin(example):
    """A twin can be made of the resources on the estate page."""
    assert len(blocks("docs/estate.md", "jsonl")[0].splitlines()) == len(load_seed(example))


def test_the_context_example_uses_every_section(example):
    """The context example fills each section, so that each is parsed."""
    context = load(example).context
    assert [] == [name for name in context.__struct_fields__ if not getattr(context, name)]


def test_every_context_key_is_documented():
    """The estate page names every key and section that the context reader takes."""
    source = "".join(
        (ROOT / f"readiness/store/context_{name}.py").read_text(encoding="utf-8")
        for name in ("file", "entries", "access", "values")
    )
    calls = re.findall(r"\.fields\((.*?)\)", source, re.DOTALL) + re.findall(
        r"(?:keys|known|needed|SECTIONS) = \((.*?)\)", source, re.DOTALL
    )
    keys = {key for call in calls for key in re.findall(r'"([a-z_]+)"', call)}
    assert [] == sorted(key for key in keys if not re.search(rf"\b{key}\b", text("docs/estate.md")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_internal_links_resolve(page):
    """A link within the project leads to a file that is there, and to a heading that it has."""
    broken = []
    for link in links(page):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert [] == broken


def test_paths_in_the_glossary_exist():
    """Every module that the glossary names is there."""
    named = re.findall(r"`((?:readiness|playbooks|reports|sample_estates)/[^`]*)`", text("docs/glossary.md"))
    assert [] == [path for path in named if not (ROOT / path).exists()]


@pytest.mark.parametrize(
    "page", sorted((DOCS / "adr").glob("[0-9]*.md")), ids=lambda page: page.name.partition("-")[0]
)
def test_decisions_are_whole(page):
    """A decision has its status, context, options and outcome, and says what it costs."""
    written = page.read_text(encoding="utf-8")
    wanted = ("**Status**", "## Context", "## Options", "## Outcome", "## What it costs")
    assert [] == [part for part in wanted if part not in written]


def test_every_decision_is_listed():
    """The list of decisions names every page of them."""
    listed = text("docs/adr/README.md")
    assert [] == [page.name for page in (DOCS / "adr").glob("[0-9]*.md") if page.name not in listed]
