"""Definitions of policies and initiatives, and exemptions from them, asked of Azure as rarely as possible.

Custom definitions come in one list a subscription, which holds those of the management groups above it: a
role on the subscription is enough to read them. Built-in ones are read one by one. Both are kept for half an
hour.
"""

from collections.abc import Callable
from datetime import timedelta

from msgspec import Struct

from readiness.azure.plain import read
from readiness.azure.policy_effects import is_built_in, is_initiative, selected
from readiness.azure.preflight_parts import Asker, Subject, subscription_of
from readiness.azure.remembered import Answer, Json
from readiness.azure.wire_governance import policy_exemption
from readiness.azure.wire_values import obj, objects, text, texts
from readiness.errors import DeniedError
from readiness.model.governance import PolicyExemption
from readiness.model.ids import ResourceId

_API, _EXEMPTIONS_API = "2023-04-01", "2022-07-01-preview"
_CUSTOM = "?$filter=policyType%20eq%20%27Custom%27"
_LIFE = timedelta(minutes=30)


class Freed(Struct, frozen=True):
    """That a resource is exempt: surely, or perhaps."""

    words: str
    is_sure: bool


class Definitions:
    """Reads definitions, and who is exempt from them."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._filed: dict[str, tuple[list[Json], dict[str, list[Json]]]] = {}

    def read(self, subject: Subject, definition: str) -> Json | DeniedError:
        """Return a definition of a policy or an initiative, or why it cannot be read."""
        if is_built_in(definition):
            return self._one(subject, definition)
        word = "policySetDefinitions" if is_initiative(definition) else "policyDefinitions"
        scope = subscription_of(subject.vm)
        path = f"{scope}/providers/Microsoft.Authorization/{word}{_CUSTOM}"
        listed = self._asker.listed(subject, word, scope, path, _API, life=_LIFE)
        if isinstance(listed, DeniedError):
            return listed
        found = self._of(path, listed, lambda each: text(each, "id"), definition)
        return found[0] if found else self._one(subject, definition)

    def _of(
        self, place: str, listed: list[Json], said: Callable[[Json], str | None], wanted: str
    ) -> list[Json]:
        """Return the entries of a list that say an id: each VM of a wave looks up hundreds of them."""
        kept = self._filed.get(place)
        if kept is None or kept[0] is not listed:
            filed: dict[str, list[Json]] = {}
            for each in listed:
                filed.setdefault((said(each) or "").rstrip("/").lower(), []).append(each)
            kept = self._filed[place] = (listed, filed)
        return kept[1].get(wanted.rstrip("/").lower(), [])

    def _one(self, subject: Subject, definition: str) -> Json | DeniedError:
        def question() -> list[Json]:
            found = read(self._asker.connection, subject.vm.subscription, definition, _API)
            return [] if found is None else [found]

        # An id comes from outside: only a path on the same host is asked for.
        if not definition.startswith("/") or definition.startswith("//"):
            return DeniedError(f"'{definition}' is no id of a definition.", code="InvalidPolicyDefinitionId")
        found = self._asker.ask(subject, "definition", ResourceId(definition), question, life=_LIFE)
        if isinstance(found, DeniedError):
            return found
        return found[0] if found else DeniedError("It is not there.", code="PolicyDefinitionNotFound")

    def exemptions(self, subject: Subject) -> Answer:
        """Return the exemptions of the subscription: its own, those above it and those in it."""
        scope = subscription_of(subject.vm)
        path = f"{scope}/providers/Microsoft.Authorization/policyExemptions"
        return self._asker.listed(subject, "exemptions", scope, path, _EXEMPTIONS_API)

    def freed(self, subject: Subject, assignment: str, reference: str, content: Json) -> Freed | None:
        """Return by what a resource is exempt from a policy of an assignment; None where by nothing."""
        found = self.exemptions(subject)
        if isinstance(found, DeniedError):
            return Freed("exemptions, which may not be asked for", is_sure=False)
        doubtful = None
        place = f"{subscription_of(subject.vm)}/exemptions"
        for each in self._of(place, found, _assignment_of, assignment):
            exemption = policy_exemption(each)
            if not _is_meant(each, reference) or not _holds(exemption, subject):
                continue
            if not exemption.covers(ResourceId(str(content["id"]))):
                continue
            chosen = selected(objects(obj(each, "properties"), "resourceSelectors"), content)
            if chosen:
                return Freed(_words(each, exemption), is_sure=True)
            if chosen is None:
                doubtful = Freed(f"whom the {_words(each, exemption)} means", is_sure=False)
        return doubtful


def _assignment_of(raw: Json) -> str | None:
    return text(obj(raw, "properties"), "policyAssignmentId")


def _is_meant(raw: Json, reference: str) -> bool:
    references = [each.lower() for each in texts(obj(raw, "properties"), "policyDefinitionReferenceIds")]
    return not references or reference.lower() in references


def _holds(exemption: PolicyExemption, subject: Subject) -> bool:
    return exemption.expires is None or exemption.expires > subject.now


def _words(raw: Json, exemption: PolicyExemption) -> str:
    name = text(raw, "name") or exemption.id.name
    until = f"until {exemption.expires:%Y-%m-%d %H:%M} UTC" if exemption.expires else "for good"
    return f"exemption {name}, {exemption.category or 'of no category'}, {until}"
