"""Exceptions as people wrote them: all mistakes with their places, and proposals written back."""

from datetime import date

import pytest

from readiness.errors import EstateError, UsageError
from readiness.store.context_file import parse_context
from readiness.store.context_values import Words
from readiness.store.exceptions import comment, exceptions_yaml, parse_exceptions, put_into

WORDS = Words(rules=("TL001",), controls=("AC-4",), playbooks=())
SOUND = """\
  - id: EX-1
    rule: AC-4
    match: {names: [dc-*]}
    owner: Ada
    reason: It is a domain controller.
    approved_by: Security
    expires: 2027-01-31
    compensating_control: Bastion only.
"""
HEAD = "format: readiness/context/1\n"
HOSTILE = (
    "=1+1",
    "a: b # c",
    "- x",
    "'single' \"double\" \\ backslash",
    "line\nbreak\r\n\ttab",
    "\x00\x07\x1b[31m\x7f\x85\u2028",
    "right\u202eto left\u200f",
    "\ud83d lone",
    "😀 " + "x" * 32_000,
    "{{jinja}} ${bicep} [arm]",
    "& *anchor !tag %",
)


def faults(text: str) -> list[tuple[str, str]]:
    """Return place and detail of everything that is wrong."""
    return [
        (place, fault.detail) for one in parse_exceptions(HEAD + text, WORDS) for place, fault in one.faults
    ]


def test_every_missing_key_is_told_for_every_entry():
    """Not the first mistake of the first entry, but all of all, each with its line."""
    text = "exceptions:\n  - id: EX-1\n    match: {}\n    owner: ~\n  - {id: EX-2}\n" + SOUND.replace(
        "EX-1", "EX-3"
    )
    expected = [
        *(
            ("context.yaml:3:5", f"'{key}' is missing.")
            for key in ("owner", "reason", "approved_by", "expires")
        ),
        *(
            ("context.yaml:6:5", f"'{key}' is missing.")
            for key in ("match", "owner", "reason", "approved_by", "expires")
        ),
    ]
    assert expected == faults(text)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("rule: AC-4", "rule: AC-5", ("context.yaml:4:11", "There is no rule or control 'AC-5'.")),
        ("2027-01-31", "next year", ("context.yaml:9:14", "'next year' is not a date.")),
        ("rule: AC-4", "level: 3", ("context.yaml:4:5", "'level' is not known here.")),
        ("    rule: AC-4\n", "", ("context.yaml:3:5", "An exception is from one dimension or one rule.")),
    ],
    ids=["rule", "date", "key", "neither"],
)
def test_what_cannot_be_read_is_told_with_its_place(before, after, told):
    """An entry that the context would stop at is told, and the others are still read."""
    text = "exceptions:\n" + SOUND.replace(before, after) + SOUND.replace("EX-1", "EX-2")
    assert [told] == faults(text)
    assert [False, True] == [one.entry is not None for one in parse_exceptions(HEAD + text, WORDS)]


def test_the_same_id_twice_is_told():
    """Two exceptions of one id cannot be told apart in any report."""
    assert [("context.yaml:11:9", "context.yaml:3:5 has the same id.")] == faults(
        "exceptions:\n" + SOUND + SOUND
    )


@pytest.mark.parametrize("text", ["", "exceptions:\n", "exceptions: []\n"])
def test_no_exceptions_are_none(text):
    """A context without exceptions has none."""
    assert () == parse_exceptions(HEAD + text, WORDS)


def test_what_is_no_list_is_refused():
    """The whole section cannot be read: that is no fault of an entry."""
    with pytest.raises(EstateError, match=r"context.yaml:2:13: .* where a list is expected"):
        parse_exceptions(HEAD + "exceptions: none\n", WORDS)


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_text_when_it_is_read_back(hostile):
    """Whatever Azure says stands in the YAML as text, and comes back as it was."""
    entry = {
        "id": "EX-9",
        "rule": "AC-4",
        "match": ("/subscriptions/s1/resourceGroups/rg",),
        "owner": f"x{hostile}x",
        "reason": f"x{hostile}x",
        "approved_by": "Security",
        "expires": date(2027, 1, 31),
    }
    text = HEAD + "exceptions:\n" + exceptions_yaml([entry])
    (read,) = parse_context(text, {}, words=WORDS).exceptions
    legal = hostile.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    assert (f"x{legal}x", f"x{legal}x") == (read.owner, read.reason)
    assert f"# {comment(hostile)}".isprintable()


def test_proposals_go_before_the_exceptions_that_are_there(tmp_path):
    """Comments, order and everything else of the file stay; what was in it is kept beside it."""
    file = tmp_path / "context.yaml"
    before = f"{HEAD}# ours\nexceptions:\n# the first\n{SOUND}\nfreezes: []\n"
    file.write_text(before, encoding="utf-8")
    assert put_into(file, "unused", SOUND.replace("EX-1", "EX-2"), WORDS)
    after = file.read_text(encoding="utf-8")
    assert before == after.replace(SOUND.replace("EX-1", "EX-2"), "")
    assert ["EX-2", "EX-1"] == [one.id for one in parse_exceptions(after, WORDS)]
    assert before == (tmp_path / "context.previous.yaml").read_text(encoding="utf-8")


def test_indentation_is_that_of_the_file(tmp_path):
    """A list that is not indented stays one."""
    file = tmp_path / "context.yaml"
    flat = "".join(line[2:] + "\n" for line in SOUND.splitlines())
    file.write_text(f"{HEAD}exceptions:\n{flat}", encoding="utf-8")
    assert put_into(file, "unused", SOUND.replace("EX-1", "EX-2"), WORDS)
    read = parse_exceptions(file.read_text(encoding="utf-8"), WORDS)
    assert [("EX-2", ()), ("EX-1", ())] == [(one.id, one.faults) for one in read]


@pytest.mark.parametrize("text", ["", HEAD, f"{HEAD}freezes: []\n"], ids=["empty", "bare", "other"])
def test_a_file_without_the_section_gets_one(tmp_path, text):
    """The section is added at the end."""
    file = tmp_path / "context.yaml"
    file.write_text(text, encoding="utf-8")
    assert put_into(file, "unused", SOUND, WORDS)
    assert ["EX-1"] == [one.id for one in parse_exceptions(file.read_text(encoding="utf-8"), WORDS)]


def test_a_list_in_brackets_is_left_alone(tmp_path):
    """Nothing is guessed into a list that is written on one line."""
    file = tmp_path / "context.yaml"
    file.write_text(f"{HEAD}exceptions: []\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"context\.yaml:2:13"):
        put_into(file, "unused", SOUND, WORDS)
    assert f"{HEAD}exceptions: []\n" == file.read_text(encoding="utf-8")


def test_an_id_that_is_taken_is_refused_before_anything_is_written(tmp_path):
    """A file that was right stays right."""
    file = tmp_path / "context.yaml"
    file.write_text(f"{HEAD}exceptions:\n{SOUND}", encoding="utf-8")
    with pytest.raises(EstateError, match="has the same id"):
        put_into(file, "unused", SOUND, WORDS)
    assert [file] == list(tmp_path.iterdir())


def test_nothing_complete_changes_no_file(tmp_path):
    """Without an entry there is nothing to add, and no copy is made."""
    file = tmp_path / "context.yaml"
    file.write_text(HEAD, encoding="utf-8")
    assert not put_into(file, "text", "", WORDS)
    assert [file] == list(tmp_path.iterdir())
