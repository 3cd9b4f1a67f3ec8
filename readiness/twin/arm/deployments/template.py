"""A template, read: parameters settled, loops unrolled, resources in an order that can be followed.

Everything that can be refused before the first resource is touched is refused here, with InvalidTemplate.
The bodies of resources stay as they are: they are evaluated when their turn comes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

from readiness.twin.arm.deployments.evaluation import Scope, evaluate, path_of, references
from readiness.twin.arm.deployments.language import invalid
from readiness.twin.documents import Json, look, same

_SECURE = {"securestring", "secureobject"}
_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "securestring": str,
    "int": int,
    "bool": bool,
    "object": dict,
    "secureobject": dict,
    "array": list,
}
_PROPER = ("String", "SecureString", "Int", "Bool", "Object", "SecureObject", "Array")
_OWN = {"type", "apiVersion", "name", "dependsOn", "condition", "copy", "resources", "comments", "scope",
        "resourceGroup", "subscriptionId", "metadata"}  # fmt: skip
_MOST = 800
"""Learn, "ARM template best practices": resources in a template, loops unrolled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One resource to deploy."""

    resource_id: str
    kind: str
    name: str
    version: str
    body: Json
    """What is PUT, expressions and all."""
    scope: Scope
    loop: str = ""
    is_wanted: bool = True
    """False where its condition is: others may depend on it all the same."""
    depends_on: set[str] = field(default_factory=set)
    """Lower-case ids of what has to be there first."""


def settled(template: Json, given: Json) -> dict[str, tuple[str, Any]]:
    """Return each parameter's declared type, and its value: given, or the default as it stands."""
    declared: Json = template.get("parameters") or {}
    unknown = [name for name in given if not any(same(name, each) for each in declared)]
    if unknown:
        raise invalid(
            f"The template parameters '{', '.join(unknown)}' in the parameters file are not valid; they are "
            "not present in the original template and can therefore not be provided at deployment time. The "
            f"only supported parameters for this template are '{', '.join(declared)}'.",
            "arm-pass-parameter-values",
        )
    found = {}
    for name, told in declared.items():
        kind = str(told.get("type"))
        entry = next((value for key, value in given.items() if same(key, name)), None)
        if isinstance(entry, dict) and "reference" in entry:
            raise invalid(f"The twin reads no Key Vault reference for parameter '{name}': give its value.")
        if entry is None and "defaultValue" not in told:
            raise invalid(
                f"The value for the template parameter '{name}' at line '1' and column '1' is not provided.",
                "arm-create-parameter-file",
            )
        value = told.get("defaultValue") if entry is None else look(entry, "value")
        _check_value(name, kind, value, told.get("allowedValues"), is_given=entry is not None)
        found[name] = (kind, value)
    return found


def _check_value(name: str, kind: str, value: Any, allowed: Any, *, is_given: bool) -> None:
    wanted = _TYPES.get(kind.lower())
    if wanted is None:
        raise invalid(
            f"The type '{kind}' of template parameter '{name}' is not valid.", "arm-parameter-types"
        )
    if not is_given:
        return
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        raise invalid(
            f"Template parameter JToken type is not valid. Expected '{kind}'. Actual "
            f"'{type(value).__name__}'. The parameter is '{name}'.",
            "arm-parameter-types",
        )
    if allowed and value not in allowed:
        raise invalid(
            f"The provided value '{value}' for the template parameter '{name}' is not valid. The value "
            f"'{value}' is not part of the allowed value(s): '{','.join(map(str, allowed))}'.",
            "arm-parameters",
        )


def told(parameters: Mapping[str, tuple[str, Any]]) -> Json:
    """Return parameters as a deployment shows them: nothing secure has a value."""
    shown: Json = {}
    for name, (kind, value) in parameters.items():
        proper = next(word for word in _PROPER if same(word, kind))
        shown[name] = {"type": proper} | ({} if kind.lower() in _SECURE else {"value": value})
    return shown


def planned(template: Json, scope: Scope) -> list[Planned]:
    """Return the resources of a template, each after everything it depends on."""
    listed = template.get("resources")
    if isinstance(listed, dict):
        raise invalid("Symbolic names of resources (languageVersion 2.0) are not supported by the twin.")
    if not isinstance(listed, list):
        raise invalid("The template has no 'resources'.")
    _check_rest(template, scope)
    raw = [each for given in listed for each in _unrolled(given, scope, ("", ""))]
    if len(raw) > _MOST:
        raise invalid(
            f"The number of template resources limit exceeded. Limit: {_MOST} and actual: {len(raw)}."
        )
    by_id: dict[str, Planned] = {}
    for resource, _ in raw:
        if resource.resource_id.lower() in by_id and resource.is_wanted:
            raise invalid(
                f"The resource '{resource.kind}/{resource.name}' at line '1' and column '1' is defined "
                "multiple times in a template.",
                "arm-template/#resources",
            )
        by_id.setdefault(resource.resource_id.lower(), resource)
    for resource, wanted in raw:
        for each in wanted:
            resource.depends_on.update(_matching(each, by_id, is_needed=True))
        for each in references(resource.body, resource.scope) if resource.is_wanted else ():
            own = {resource.resource_id.lower()}
            resource.depends_on.update(_matching(each, by_id, is_needed=False) - own)
    return _ordered(by_id)


def _check_rest(template: Json, scope: Scope) -> None:
    """Refuse variables and outputs that could never be evaluated."""
    for name, value in (template.get("variables") or {}).items():
        if same(name, "copy"):
            raise invalid("Loops over variables ('copy') are not supported by the twin.", "arm-copy")
        references(value, scope)
    for name, output in (template.get("outputs") or {}).items():
        if not isinstance(output, dict) or "value" not in output:
            raise invalid(f"The template output '{name}' has no value.", "arm-template/#outputs")
        references(output["value"], scope)


def _unrolled(given: Json, scope: Scope, above: tuple[str, str]) -> list[tuple[Planned, list[str]]]:
    """Return a resource of a template, or the several that its loop makes, with those inside it."""
    _check_form(given)
    copy = given.get("copy")
    if copy is None:
        return _one(given, scope, above, "")
    loop = str(evaluate(look(copy, "name"), scope))
    count = evaluate(look(copy, "count"), scope)
    if type(count) is not int or not 0 <= count <= _MOST:
        raise invalid(f"The template resource copy '{loop}' has no valid count.", "arm-copy")
    return [each for index in range(count) for each in _one(given, scope.at(loop, index), above, loop)]


def _check_form(given: Any) -> None:
    if not isinstance(given, dict):
        raise invalid("A template resource is no object.")
    for name in ("dependsOn", "resources"):
        if not isinstance(given.get(name), list | None):
            raise invalid(f"The '{name}' of a template resource is no list.")
    for name in ("properties", "tags", "identity", "sku"):
        # An expression may stand for any of them.
        if not isinstance(given.get(name), dict | str | None):
            raise invalid(f"The '{name}' of a template resource is no object.")


def _one(given: Json, scope: Scope, above: tuple[str, str], loop: str) -> list[tuple[Planned, list[str]]]:
    kind, name = str(evaluate(given.get("type"), scope)), str(evaluate(given.get("name"), scope))
    if above[0] and not kind.lower().startswith(above[0].lower() + "/"):
        kind, name = f"{above[0]}/{kind}", f"{above[1]}/{name}"
    version = str(evaluate(given.get("apiVersion") or "", scope))
    if not version:
        raise invalid(f"The template resource '{name}' of type '{kind}' has no apiVersion.")
    base = str(evaluate(given.get("scope") or "", scope)) or (
        f"/subscriptions/{evaluate(given.get('subscriptionId'), scope) or scope.subscription_id}"
        f"/resourceGroups/{evaluate(given.get('resourceGroup'), scope) or scope.group['name']}"
    )
    try:
        resource_id = path_of(base, kind, name.split("/"))
    except ValueError:
        raise invalid(
            f"The template resource '{name}' for type '{kind}' at line '1' and column '1' has incorrect "
            "segment lengths. A nested resource type must have identical number of segments as its "
            "resource name. A root resource type must have segment length one greater than its resource "
            "name.",
            "arm-template/#resources",
        ) from None
    resource = Planned(
        resource_id=resource_id,
        kind=kind,
        name=name,
        version=version,
        body={key: value for key, value in given.items() if key not in _OWN},
        scope=scope,
        loop=loop,
        is_wanted=bool(evaluate(given.get("condition", True), scope)),
    )
    wanted = [str(evaluate(each, scope)) for each in given.get("dependsOn") or []]
    inner = [each for child in given.get("resources") or [] for each in _unrolled(child, scope, (kind, name))]
    return [(resource, wanted), *inner]


def _matching(wanted: str, by_id: dict[str, Planned], *, is_needed: bool) -> set[str]:
    """Return the resources that a dependency names: by id, by type and name, by name, or by loop."""
    word = wanted.lower()
    found = {
        key
        for key, each in by_id.items()
        if word in (key, each.name.lower(), each.loop.lower() or None)
        or key.endswith("/providers/" + word)
        or word == f"{each.kind}/{each.name}".lower()
    }
    if not found and is_needed:
        name = wanted.rpartition("/providers/")[2]
        raise invalid(f"The resource '{name}' is not defined in the template.")
    return found


def _ordered(by_id: dict[str, Planned]) -> list[Planned]:
    sorter = TopologicalSorter({key: each.depends_on & set(by_id) for key, each in by_id.items()})
    try:
        return [by_id[key] for key in sorter.static_order() if by_id[key].is_wanted]
    except CycleError as error:
        circle = " ".join(by_id[key].name for key in error.args[1])
        raise invalid(
            f"Circular dependency detected on resource: '{circle}'.", "arm-syntax-resources"
        ) from None
