"""The JSON schemas of what commands write with `--output json`, made from the model: both always agree."""

from typing import Any

import msgspec

from readiness.app.run_result import RunResult
from readiness.model.assessment import Assessment
from readiness.model.ids import ResourceId
from readiness.model.scope import ScopeReport
from readiness.model.wave_report import WaveReport


def assessment_schema() -> dict[str, Any]:
    """Return the schema of an assessment; `scope` is there where `--scope` was given."""
    (whole, scope), definitions = msgspec.json.schema_components(
        (Assessment, ScopeReport), schema_hook=_hook, ref_template="#/$defs/{name}"
    )
    definitions["Assessment"]["properties"]["scope"] = scope
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "readiness/assessment/1",
        **whole,
        "$defs": definitions,
    }


def _hook(kind: type[Any]) -> dict[str, Any]:
    if kind is ResourceId:
        return {"type": "string", "description": "An Azure resource id."}
    raise NotImplementedError(kind.__name__)


def run_result_schema() -> dict[str, Any]:
    """Return the schema of what `run`, `prepare`, `close` and `status` write with `--output json`."""
    (whole,), definitions = msgspec.json.schema_components((RunResult,), ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "readiness/run-result/1",
        **whole,
        "$defs": definitions,
    }


def wave_report_schema() -> dict[str, Any]:
    """Return the schema of what `report wave` writes as JSON."""
    (whole,), definitions = msgspec.json.schema_components((WaveReport,), ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "readiness/wave-report/1",
        **whole,
        "$defs": definitions,
    }
