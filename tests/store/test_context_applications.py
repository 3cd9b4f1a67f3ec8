"""Which application goes over which, as a context says it, and where each stands."""

import pytest

from readiness.errors import EstateError
from readiness.store.context_file import application_places, parse_context

HEAD = "format: readiness/context/1\napplications:\n"


def application(name: str, more: str = "") -> str:
    """Return a line of one application."""
    return f"  - {{name: {name}, owner: {{name: Ada}}, match: {{}}{more}}}\n"


def test_an_application_goes_over_others_below_it() -> None:
    """Both keys arrive; without them an application goes over none and has to match."""
    text = HEAD + application("Shop", ", over: [Base, Rest], may_be_empty: true")
    first, *others = parse_context(text + application("Base") + application("Rest"), {}).applications
    assert (("Base", "Rest"), True) == (first.over, first.may_be_empty)
    assert {((), False)} == {(entry.over, entry.may_be_empty) for entry in others}


@pytest.mark.parametrize(
    ("text", "problem", "remedy"),
    [
        (
            application("Base") + application("Shop", ", over: [Base]"),
            "context.yaml:4:56: 'Shop' cannot go over 'Base', which does not stand below it.",
            "move one",
        ),
        (application("Shop", ", over: [Shop]"), "'Shop' cannot go over 'Shop'", "move one"),
        (
            application("Shop", ", over: [Bsae]") + application("Base"),
            "There is no application 'Bsae' below this one.",
            "Did you mean 'Base'?",
        ),
        (application("Shop", ", over: [Base]"), "There is no application 'Base'", "Describe it"),
        (application("Shop", ", may_be_empty: perhaps"), "'perhaps' is neither true nor false", "true"),
    ],
    ids=["above", "itself", "misspelled", "unknown", "flag"],
)
def test_an_order_that_cannot_be_is_refused(text: str, problem: str, remedy: str) -> None:
    """The first application that matches has a VM, so `over` names only those below; the place is told."""
    with pytest.raises(EstateError) as caught:
        parse_context(HEAD + text, {})
    assert (True, True) == (problem in caught.value.brief, remedy in caught.value.remedy), caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD + application("Shop") + application("Base"), {"Shop": "c:3:5", "Base": "c:4:5"}),
        ("format: readiness/context/1\napplications:\n", {}),
        ("format: readiness/context/1\n", {}),
        ("", {}),
    ],
    ids=["two", "empty", "none", "nothing"],
)
def test_where_applications_stand(text: str, expected: dict[str, str]) -> None:
    """Each by its name, with file, line and column."""
    assert expected == application_places(text, "c")
