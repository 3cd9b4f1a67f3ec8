"""The values of a template: expressions evaluated with the parameters, variables and scope of a deployment.

`reference` reads a resource through `Scope.read`, and hence only while the deployment runs. A function that
is not known is refused by name, as Azure refuses it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from readiness.twin.arm.deployments.functions import FUNCTIONS
from readiness.twin.arm.deployments.language import Call, Literal, Member, Node, invalid, is_expression, parse
from readiness.twin.documents import Json
from readiness.twin.messages import ArmError

Read = Callable[[str, str | None], Json]

_OF_SCOPE = (
    *("and", "copyindex", "deployment", "environment", "extensionresourceid", "if", "or", "parameters"),
    *("reference", "resourcegroup", "resourceid", "subscription", "subscriptionresourceid", "variables"),
)
KNOWN = frozenset({*FUNCTIONS, *_OF_SCOPE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Everything an expression can ask for."""

    subscription_id: str
    tenant_id: str
    group: Json
    deployment: Json
    parameters: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    copies: Mapping[str, int] = field(default_factory=dict)
    """The index of each loop around the expression; the empty name is the innermost one's."""
    read: Read | None = None

    def at(self, loop: str, index: int) -> "Scope":
        """Return the scope inside one turn of a loop."""
        return replace(self, copies={**self.copies, loop.lower(): index, "": index})


def evaluate(value: Any, scope: Scope) -> Any:
    """Evaluate every expression in a value, all the way down."""
    if isinstance(value, dict):
        if "copy" in value and isinstance(value["copy"], list):
            raise invalid("Loops over properties ('copy') are not supported by the twin.", "arm-copy")
        return {name: evaluate(inner, scope) for name, inner in value.items()}
    if isinstance(value, list):
        return [evaluate(inner, scope) for inner in value]
    if is_expression(value):
        return _value(parse(value), scope)
    return value[1:] if isinstance(value, str) and value.startswith("[[") else value


def references(value: Any, scope: Scope) -> list[str]:
    """Return what a value asks `reference` for, as far as it can be told before anything is deployed."""
    if isinstance(value, dict):
        return [found for inner in value.values() for found in references(inner, scope)]
    if isinstance(value, list):
        return [found for inner in value for found in references(inner, scope)]
    return list(_asked(parse(value), scope)) if is_expression(value) else []


def _asked(node: Node, scope: Scope) -> list[str]:
    match node:
        case Call(name, arguments):
            _check_known(name)
            found = [each for argument in arguments for each in _asked(argument, scope)]
            if name.lower() == "reference" and arguments and not found:
                found.append(str(_value(arguments[0], scope)))
            return found
        case Member(of, key):
            return _asked(of, scope) + _asked(key, scope)
        case Literal():
            return []


def _check_known(name: str) -> None:
    if name.lower() not in KNOWN:
        raise invalid(f"The template function '{name}' is not valid.", "arm-template-expressions")


def _value(node: Node, scope: Scope) -> Any:
    match node:
        case Literal(value):
            return value
        case Member(of, key):
            return _member(_value(of, scope), _value(key, scope))
        case Call(name, arguments):
            return _call(name, arguments, scope)


def _member(value: Any, key: Any) -> Any:
    if isinstance(value, list) and isinstance(key, int):
        if key < len(value):
            return value[key]
        raise _unprocessable(f"The language expression property array index '{key}' is out of bounds.")
    if isinstance(value, dict):
        for name, inner in value.items():
            if name.lower() == str(key).lower():
                return inner
    names = ", ".join(value) if isinstance(value, dict) else ""
    raise _unprocessable(
        f"The language expression property '{key}' doesn't exist, available properties are '{names}'."
    )


def _unprocessable(message: str) -> ArmError:
    return ArmError(400, "InvalidTemplate", f"Unable to process template language expressions. '{message}'")


def _call(name: str, arguments: tuple[Node, ...], scope: Scope) -> Any:
    _check_known(name)
    word = name.lower()
    if word == "if":
        chosen = arguments[1] if _value(arguments[0], scope) else arguments[2]
        return _value(chosen, scope)
    if word in ("and", "or"):
        return (all if word == "and" else any)(bool(_value(each, scope)) for each in arguments)
    given = [_value(each, scope) for each in arguments]
    own = _SCOPED.get(word)
    try:
        return own(scope, *given) if own is not None else FUNCTIONS[word](*given)
    except (TypeError, ValueError, AttributeError, IndexError, ZeroDivisionError) as error:
        raise invalid(
            f"Unable to evaluate template language function '{name}': {error}.", "arm-function-reference"
        ) from None


def _parameter(scope: Scope, name: str) -> Any:
    return _named(scope.parameters, name, "parameter", "arm-template/#parameters")


def _variable(scope: Scope, name: str) -> Any:
    found = _named(scope.variables, name, "variable", "arm-template/#variables")
    # Without itself: a variable that asks for its own value finds none.
    rest = {each: value for each, value in scope.variables.items() if each.lower() != name.lower()}
    return evaluate(found, replace(scope, variables=rest))


def _named(values: Mapping[str, Any], name: str, what: str, usage: str) -> Any:
    for each, value in values.items():
        if each.lower() == name.lower():
            return value
    raise invalid(f"The template {what} '{name}' is not found.", usage)


def _resource_id(scope: Scope, *parts: str) -> str:
    """Accept a type with its names, after an optional subscription and group."""
    at = next(index for index, part in enumerate(parts) if "/" in part)
    subscription = parts[0] if at > 1 else scope.subscription_id
    group = parts[at - 1] if at > 0 else scope.group["name"]
    base = f"/subscriptions/{subscription}/resourceGroups/{group}"
    return path_of(base, parts[at], parts[at + 1 :])


def path_of(base: str, kind: str, names: tuple[str, ...] | list[str]) -> str:
    """Return the id of a resource beneath a scope."""
    namespace, *types = kind.split("/")
    if len(types) != len(names):
        raise ValueError(f"the type '{kind}' requires '{len(types)}' resource name argument(s)")
    words = [word for pair in zip(types, names, strict=True) for word in pair]
    return "/".join([base, "providers", namespace, *words])


def _subscription_id(scope: Scope, *parts: str) -> str:
    at = next(index for index, part in enumerate(parts) if "/" in part)
    base = f"/subscriptions/{parts[0] if at else scope.subscription_id}"
    return path_of(base, parts[at], parts[at + 1 :])


def _reference(scope: Scope, name: str, version: str | None = None, form: str = "") -> Any:
    if scope.read is None:
        raise invalid(
            "The template function 'reference' is not expected at this location.", "arm-template-expressions"
        )
    found = scope.read(name, version)
    return found if form.lower() == "full" else found.get("properties", {})


def _copy_index(scope: Scope, name: Any = "", offset: int = 0) -> int:
    if isinstance(name, int):
        name, offset = "", name
    if name.lower() not in scope.copies:
        raise invalid(
            "The template function 'copyIndex' is not expected at this location. The function can only be "
            "used in a resource with copy specified.",
            "arm-copy",
        )
    return scope.copies[name.lower()] + offset


def _subscription(scope: Scope) -> Json:
    own = scope.subscription_id
    return {
        "id": f"/subscriptions/{own}",
        "subscriptionId": own,
        "tenantId": scope.tenant_id,
        "displayName": own,
    }


_SCOPED: dict[str, Callable[..., Any]] = {
    "copyindex": _copy_index,
    "deployment": lambda scope: scope.deployment,
    "environment": lambda _: {"name": "AzureCloud"},
    "extensionresourceid": lambda _, base, kind, *names: path_of(base, kind, names),
    "parameters": _parameter,
    "reference": _reference,
    "resourcegroup": lambda scope: scope.group,
    "resourceid": _resource_id,
    "subscription": _subscription,
    "subscriptionresourceid": _subscription_id,
    "variables": _variable,
}
