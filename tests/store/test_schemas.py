"""The schemas in docs/schemas: they are current, and what the project ships is valid by them."""

import json
import os
from datetime import date
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from readiness.app.assess import as_json, assess, assess_scope
from readiness.app.schemas import assessment_schema
from readiness.model.scope import parse_scope

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "docs" / "schemas"
SAMPLES = sorted(entry.parent for entry in (ROOT / "sample_estates").glob("*/estate.json"))
AS_OF = date(2026, 11, 22)


def problems(schema, document):
    """Return what a document is not valid for, as sentences."""
    found = Draft202012Validator(json.loads((SCHEMAS / schema).read_text(encoding="utf-8")))
    return [f"{error.json_path}: {error.message}" for error in found.iter_errors(document)]


@pytest.mark.parametrize("schema", ["estate", "context", "assessment"])
def test_schemas_are_schemas(schema):
    """Each is a schema itself."""
    Draft202012Validator.check_schema(json.loads((SCHEMAS / f"{schema}.schema.json").read_text()))


def test_the_assessment_schema_is_current():
    """It says what the model says; if this fails, run the tests once with UPDATE_SNAPSHOTS=1."""
    path = SCHEMAS / "assessment.schema.json"
    made = json.dumps(assessment_schema(), indent=2, sort_keys=True) + "\n"
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        path.write_text(made, encoding="utf-8")
    assert made == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_samples_are_valid(sample):
    """Every sample estate is valid by the schemas of its files."""
    info = json.loads((sample / "estate.json").read_text(encoding="utf-8"))
    assert [] == problems("estate.schema.json", info)
    context = sample / "context.yaml"
    if context.exists():
        # JSON has no dates and no times: every value is read as it was written.
        document = yaml.load(context.read_text(encoding="utf-8"), Loader=_AsWritten)  # noqa: S506
        assert [] == problems("context.schema.json", document)


def test_an_assessment_is_valid():
    """What assess writes is valid, with a scope and without."""
    starter = ROOT / "sample_estates" / "starter"
    assert [] == problems("assessment.schema.json", json.loads(b"".join(as_json(assess(starter, AS_OF)))))
    narrowed = assess_scope(starter, AS_OF, parse_scope(["name:sf-*"]))
    document = json.loads(b"".join(as_json(narrowed.assessment, narrowed.scope)))
    assert [] == problems("assessment.schema.json", document)
    assert {"asked", "in_scope", "out_of_scope", "subscriptions"} == set(document["scope"])


def test_a_wrong_context_is_not_valid():
    """The schema finds what the reader refuses."""
    wrong = {"format": "readiness/context/1", "freezes": [{"name": "a", "starts": "soon"}], "extra": 1}
    found = problems("context.schema.json", wrong)
    assert 4 == len(found), found


class _AsWritten(yaml.SafeLoader):
    """Reads true and false, and everything else as text."""


_AsWritten.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in resolvers if tag.endswith((":bool", ":null"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
