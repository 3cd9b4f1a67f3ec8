"""Reads the section `execution` of `policy.yaml`: limits of a run, and the team's own commands around it."""

from collections.abc import Mapping
from string import Formatter

from readiness.model.execution import Execution, HookCommand, Hooks
from readiness.store.marked_yaml import Entry
from readiness.store.policy_values import decimal, number

MOST = 1_000_000
_DAY = 86_400
_LEAST = {"failure_count": 0, "failure_minimum": 0, "soak_minutes": 0}
_OPTIONAL = ("max_per_subscription", "max_per_region", "max_per_application", "failure_count")
"""What `none` can be written for."""
_PLACEHOLDERS = ("vm", "id", "application", "wave")
_WAVE_ONLY = ("wave",)


def execution_of(entry: Entry) -> Execution:
    """Return the limits of a run; what is left out keeps its default.

    Raises:
        EstateError: Something in it cannot be; the message names the place.
    """
    fields = entry.fields(*Execution.__struct_fields__)
    given: dict[str, object] = {}
    for name, value in fields.items():
        if name == "hooks":
            given[name] = _hooks(value)
        elif name == "failure_percent":
            given[name] = decimal(value, 100.0)
        elif name in _OPTIONAL and value.text().lower() in ("none", "unlimited"):
            given[name] = None
        else:
            given[name] = number(value, _LEAST.get(name, 1), MOST)
    return Execution(**given)  # type: ignore[arg-type]


def _hooks(entry: Entry) -> Hooks:
    fields = entry.fields(*Hooks.__struct_fields__)
    return Hooks(**{name: _commands(name, value) for name, value in fields.items()})


def _commands(moment: str, entry: Entry) -> tuple[HookCommand, ...]:
    known = _WAVE_ONLY if moment.endswith("_wave") else _PLACEHOLDERS
    found: dict[str, HookCommand] = {}
    for one in entry.entries():
        fields = one.fields("name", "command", "timeout", required=("name", "command"))
        name = fields["name"].text()
        if name in found:
            raise fields["name"].error(f"'{name}' stands here twice.", "Give each command its own name.")
        found[name] = _command(name, fields, known)
    return tuple(found.values())


def _command(name: str, fields: Mapping[str, Entry], known: tuple[str, ...]) -> HookCommand:
    words = fields["command"].entries()
    if not words:
        raise fields["command"].error("There is no command here.", 'Write it as ["program", "argument"].')
    for word in words:
        _check_placeholders(word, known)
    command = tuple(word.text() for word in words)
    if "timeout" not in fields:
        return HookCommand(name=name, command=command)
    return HookCommand(name=name, command=command, timeout=number(fields["timeout"], 1, _DAY))


def _check_placeholders(word: Entry, known: tuple[str, ...]) -> None:
    """Refuse a word in braces that stands for nothing: it would reach the command as it is."""
    try:
        names = [name for _, name, _, _ in Formatter().parse(word.text()) if name is not None]
    except ValueError:
        return  # Braces of another language: JSON, for example.
    for name in names:
        if name.isidentifier() and name not in known:
            listed = ", ".join(f"{{{each}}}" for each in known)
            raise word.error(f"'{{{name}}}' stands for nothing here.", f"Known here: {listed}.")
