"""Which tags other policies may write before one judges a resource: Azure applies them first.

Policies that modify or append are evaluated before those that deny (Learn, "Azure Policy definitions effect
basics"). So a denial that rests on a tag which is missing is not certain where one of them may add it. Values
that they would write are not worked out. What cannot be read may change any tag.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from readiness.azure.policy_effects import (
    CHANGES,
    Part,
    is_initiative,
    judge,
    may_have,
    parts_of,
    tags_written,
)
from readiness.azure.policy_rules import UNCLEAR
from readiness.azure.preflight_definitions import Definitions
from readiness.azure.preflight_parts import Subject
from readiness.azure.remembered import Json
from readiness.azure.wire_governance import policy_assignment
from readiness.azure.wire_values import MalformedError, obj, text
from readiness.errors import DeniedError
from readiness.model.ids import ResourceId


class Tagging:
    """Knows what the enforced assignments of a subscription may write into the tags of a resource."""

    def __init__(self, definitions: Definitions, subject: Subject, assignments: Sequence[Json]) -> None:
        self._definitions, self._subject = definitions, subject
        self._assignments = assignments

    def tagged(self, content: Json) -> Json:
        """Return a resource with each tag `UNCLEAR` that a policy may write before others judge it."""
        tags: dict[str, Any] = dict(content.get("tags") or {})
        try:
            for name in self._written(content):
                if name is None:
                    return {**content, "tags": UNCLEAR}
                known = next((tag for tag in tags if tag.lower() == name.lower()), name)
                tags[known] = UNCLEAR
        except MalformedError:
            return {**content, "tags": UNCLEAR}
        return {**content, "tags": tags}

    def _written(self, content: Json) -> Iterator[str | None]:
        """Yield the tags that may be written; None for any."""
        resource = ResourceId(str(content["id"]))
        for assignment in self._assignments:
            if not policy_assignment(assignment).covers(resource):
                continue
            assigned = text(obj(assignment, "properties"), "policyDefinitionId") or ""
            initiative = self._definitions.read(self._subject, assigned) if is_initiative(assigned) else None
            if isinstance(initiative, DeniedError):
                yield None
                continue
            for part in parts_of(assignment, initiative):
                yield from self._of_part(assignment, part, content)

    def _of_part(self, assignment: Json, part: Part, content: Json) -> Iterator[str | None]:
        if not may_have(assignment, part, CHANGES):
            return
        definition = self._definitions.read(self._subject, part.definition)
        if isinstance(definition, DeniedError):
            yield None
        elif judge(assignment, part, definition, {**content, "tags": UNCLEAR}, CHANGES).holds is not False:
            yield from tags_written(part, definition)
