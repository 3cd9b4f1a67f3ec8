"""What the pages and the schema say of the twin is what the twin does."""

import ast
import json
import os
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

import readiness.twin
from readiness.twin import faultfile, router
from readiness.twin.durations import SECONDS
from readiness.twin.faults import Faults

ROOT = Path(__file__).parents[2]
TWIN = Path(readiness.twin.__file__).parent
SCHEMA = ROOT / "docs" / "schemas" / "faults.schema.json"
FAULTS = ROOT / "docs" / "faults.md"
PAGE = ROOT / "docs" / "twin.md"


def calls() -> list[tuple[Path, ast.Call]]:
    """Every call in the twin's code."""
    return [
        (file, node)
        for file in sorted(TWIN.rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    ]


def written(node: ast.expr) -> str:
    """A text as the code writes it: what is filled in stands as an ellipsis."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(written(each) for each in values)
        case ast.IfExp(body=body, orelse=other):
            return f"{written(body)} or {written(other)}"
        case _:
            return "…"


def unverified() -> list[str]:
    """Every refusal that calls itself unverified, as a row of a table."""
    rows = []
    for _, node in calls():
        if not any(each.arg == "unverified" and written_true(each.value) for each in node.keywords):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        match name:
            case "ArmError":
                status, code, message = (node.args[index] for index in range(3))
                shown = str(status.value) if isinstance(status, ast.Constant) else "…"
                rows.append(f"| {shown} | `{written(code)}` | {written(message)} |")
            case "not_allowed":
                rows.append(f"| 409 | `OperationNotAllowed` | {written(node.args[0])} |")
            case "invalid_parameter":
                rows.append(f"| 400 | `InvalidParameter` | {written(node.args[0])} |")
            case "property_change_not_allowed":
                rows.append(
                    f"| 409 | `PropertyChangeNotAllowed` | Changing property '{written(node.args[0])}' "
                    "is not allowed. |"
                )
            case _:
                rows.append(f"| … | … | by `{name}` |")
    return ["| Status | Code | Message |", "|---|---|---|", *sorted(set(rows))]


def written_true(node: ast.expr) -> bool:
    """Whether a keyword says so in the code."""
    return isinstance(node, ast.Constant) and node.value is True


def operations() -> list[str]:
    """The table of operations and their durations."""
    rows = [
        f"| `{name}` | {'at once' if not longest else f'{shortest:g} to {longest:g} s'} |"
        for name, (shortest, longest) in sorted(SECONDS.items())
    ]
    return ["| Operation | Takes |", "|---|---|", *rows]


def routes() -> list[str]:
    """The table of what is answered, by type."""
    found: dict[str, list[str]] = {}
    for method, kind, tail in router.ROUTES:
        verb = f"POST {tail}" if method == "POST" else method
        if method == "GET" and tail:
            is_list = any(other == f"{kind}/{tail}" for _, other, _ in router.ROUTES)
            found.setdefault(f"{kind}/{tail}" if is_list or "/" not in kind else kind, []).append(
                "list" if is_list or "/" not in kind else f"GET {tail}"
            )
        else:
            found.setdefault(kind, []).append(verb)
    rows = [f"| `{kind}` | {', '.join(sorted(set(verbs)))} |" for kind, verbs in sorted(found.items())]
    return [
        "| Type | Answers |",
        "|---|---|",
        *rows,
        "",
        "Any other type of the estate can be read and listed.",
    ]


@pytest.mark.parametrize(
    ("page", "name", "make"),
    [(FAULTS, "operations", operations), (PAGE, "routes", routes), (PAGE, "unverified", unverified)],
    ids=["operations", "routes", "unverified"],
)
def test_generated_parts_of_pages_are_current(page, name, make):
    """A table says what the code says; if this fails, run the tests once with UPDATE_SNAPSHOTS=1."""
    text = page.read_text(encoding="utf-8")
    start, end = f"<!-- generated: {name} -->\n", "<!-- /generated -->"
    before, _, rest = text.partition(start)
    present, _, after = rest.partition(end)
    made = "\n".join(make()) + "\n"
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        page.write_text(before + start + made + end + after, encoding="utf-8")
        present = made
    assert made == present


def test_the_schema_is_current():
    """The schema of faults files is the one the reader's own table makes; UPDATE_SNAPSHOTS=1 renews it."""
    made = json.dumps(faultfile.schema(), indent=2, sort_keys=True) + "\n"
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        SCHEMA.write_text(made, encoding="utf-8")
    assert made == SCHEMA.read_text(encoding="utf-8")
    Draft202012Validator.check_schema(json.loads(made))


def test_examples_are_valid():
    """Every example of the faults page is valid by the schema, and is read with all its faults."""
    examples = re.findall(r"```json\n(.*?)```", FAULTS.read_text(encoding="utf-8"), flags=re.DOTALL)
    validator = Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert len(examples) >= 5
    for example in map(json.loads, examples):
        assert [] == [error.message for error in validator.iter_errors(example)]
        assert len(example["faults"]) == len(Faults.parse(example).faults)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "slow", "operation": "disks/write", "factor": 0},
        {"kind": "reset", "operation": "disks/write", "probability": 2},
        {"kind": "changed", "operation": "disks/write"},
        {"kind": "stuck"},
        {"kind": "lost-answer", "operation": "disks/write", "factor": 2},
    ],
)
def test_schema_and_reader_refuse_the_same(fault):
    """What the reader refuses, the schema refuses, too."""
    document = {"format": "readiness/faults/1", "faults": [fault]}
    validator = Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert not validator.is_valid(document)
    with pytest.raises(faultfile.FaultFileError):
        Faults.parse(document)


def test_every_operation_that_is_let_in_is_listed():
    """Each operation that a type admits has a duration, so that faults files can name it."""
    admitted = {
        node.args[1].value
        for _, node in calls()
        if isinstance(node.func, ast.Attribute)
        and node.func.attr == "admit"
        and len(node.args) > 1
        and isinstance(node.args[1], ast.Constant)
    }
    assert admitted
    assert set() == admitted - set(SECONDS)


def test_operations_are_sorted():
    """The table of durations is in order, so that nothing stands in it twice."""
    assert sorted(SECONDS) == list(SECONDS)
