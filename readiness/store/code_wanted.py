"""What code has to say: values, lists and what is within them, apart from any language and place."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts that have to be in a list."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Whole:
    """Texts that a list has to be, and no others."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A value of which only one of several names may say something: `prefix` or `prefixes`."""

    value: "bool | int | str | Whole"
    others: tuple[str, ...]
    """The other names."""


Plain = bool | int | str | tuple[str, ...] | Texts | Whole | Chosen
"""A value, names to list, or texts to list."""
Wanted = Mapping[str, "Plain | Wanted"]
"""What has to be in a block, by name: a value, or what has to be in a block within."""


def nested(path: Sequence[str], value: object, into: dict[str, object]) -> None:
    """Lay a value at a path into nested dictionaries."""
    for name in path[:-1]:
        inner = into.setdefault(name, {})
        assert isinstance(inner, dict)  # noqa: S101  no path of ours is both a value and a block
        into = inner
    into[path[-1]] = value


def told(value: object, path: str = "") -> Iterator[str]:
    """Yield what is wanted in words, one place after another."""
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from told(inner, f"{path}.{name}" if path else str(name))
    else:
        plain = value.value if isinstance(value, Chosen) else value
        texts = plain.texts if isinstance(plain, Texts | Whole) else plain
        shown = ", ".join(texts) if isinstance(texts, tuple) else json.dumps(texts, ensure_ascii=False)
        yield f"{path} = {shown}" if path else shown
