"""What policies that management groups assign would deny, read from their definitions.

Azure's own answer (`checkPolicyRestrictions`) leaves such policies out, so each that is enforced is read:
what its initiative holds, with which effect, who is exempt, and what its rule says of what is written. What
follows from types, names, regions and tags alone is certain, unless another policy may write those tags
first. What depends on more, or could not be read, is told as not known, with what it depends on. An effect
that is not deny says nothing here.
"""

from collections.abc import Iterator, Sequence

from readiness.azure.policy_effects import Part, is_initiative, judge, may_have, parts_of
from readiness.azure.policy_rules import UNCLEAR, Told
from readiness.azure.preflight_bodies import Written
from readiness.azure.preflight_definitions import Definitions
from readiness.azure.preflight_parts import Subject, Unknown, listing
from readiness.azure.preflight_tags import Tagging
from readiness.azure.remembered import Json
from readiness.azure.wire_values import MalformedError, obj, text
from readiness.errors import DeniedError

MOST_READ = 100
"""Policies of one initiative whose definitions are read: those that surely do not deny are passed over."""
_MOST_NAMED = 4
_BY_OTHERS = "tags that other policies write first"


class Inherited:
    """Judges what one assignment of a management group would deny of what is written for one VM."""

    def __init__(
        self, definitions: Definitions, subject: Subject, assignment: Json, title: str, tagging: Tagging
    ) -> None:
        self._definitions, self._subject, self._tagging = definitions, subject, tagging
        self._assignment, self._title = assignment, title
        self.denied: dict[str, bool] = {}
        """What it surely denies, in words, and whether that is only written if something else goes wrong."""
        self._doubts: dict[str, dict[str, None]] = {}
        self._reasons: dict[str, None] = {}
        self._freed: dict[str, dict[str, None]] = {}
        self._unread: list[str] = []

    def judge(self, resources: Sequence[Written]) -> Iterator[Unknown]:
        """Judge what is written, and tell what is not known; what is surely denied is in `denied`."""
        try:
            for part in self._parts():
                self._judge_part(part, resources)
        except MalformedError as error:
            self._unread.append(str(error))
        yield from self._told()

    def _parts(self) -> list[Part]:
        assigned = text(obj(self._assignment, "properties"), "policyDefinitionId") or ""
        initiative = None
        if is_initiative(assigned):
            found = self._definitions.read(self._subject, assigned)
            if isinstance(found, DeniedError):
                self._unread.append(found.code or "asking is not allowed")
                return []
            initiative = found
        parts = [part for part in parts_of(self._assignment, initiative) if may_have(self._assignment, part)]
        if len(parts) > MOST_READ:
            self._unread += ["too many to read"] * (len(parts) - MOST_READ)
        return parts[:MOST_READ]

    def _judge_part(self, part: Part, resources: Sequence[Written]) -> None:
        definition = self._definitions.read(self._subject, part.definition)
        if isinstance(definition, DeniedError):
            self._unread.append(definition.code or "asking is not allowed")
            return
        for resource in resources:
            content = {**resource.content, "id": resource.id.text}
            told = self._held(part, definition, content)
            if told.holds is False:
                continue
            assignment = text(self._assignment, "id") or ""
            freed = self._definitions.freed(self._subject, assignment, part.reference, content)
            if freed is not None and freed.is_sure:
                self._freed.setdefault(freed.words, {})[resource.words] = None
            elif told.holds and freed is None:
                was_spare = self.denied.get(resource.words, True)
                self.denied[resource.words] = was_spare and resource.is_spare
            else:
                reasons = (*told.unclear, *((freed.words,) if freed else ()))
                self._doubts.setdefault(resource.words, {})
                self._reasons |= dict.fromkeys(reasons)

    def _held(self, part: Part, definition: Json, content: Json) -> Told:
        told = judge(self._assignment, part, definition, content)
        if not told.holds or judge(self._assignment, part, definition, {**content, "tags": UNCLEAR}).holds:
            return told
        again = judge(self._assignment, part, definition, self._tagging.tagged(content))
        return again if again.holds else Told(again.holds, (*again.unclear, _BY_OTHERS))

    def _told(self) -> Iterator[Unknown]:
        for words, things in self._freed.items():
            yield Unknown(f"the policy {self._title} lets {listing(things)} pass ({words})")
        doubtful = [words for words in self._doubts if words not in self.denied]
        if doubtful:
            yield Unknown(
                f"not known: whether the policy {self._title} of a management group would deny "
                f"{listing(doubtful)}: that depends on {_shortened(list(self._reasons))}, which "
                "Azure does not tell beforehand"
            )
        if self._unread:
            reasons = _shortened(list(dict.fromkeys(self._unread)))
            what = "1 definition" if len(self._unread) == 1 else f"{len(self._unread)} definitions"
            yield Unknown(
                f"not known: what the policy {self._title} of a management group denies: {what} could not be "
                f"read ({reasons})"
            )


def _shortened(words: list[str]) -> str:
    more = len(words) - _MOST_NAMED
    return listing(words) if more <= 0 else f"{listing(words[:_MOST_NAMED])} and {more} more"
