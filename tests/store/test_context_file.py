"""Reading context.yaml: the whole form, and every mistake with its place and remedy."""

from datetime import date, time, timedelta

import pytest

from readiness.errors import EstateError
from readiness.model.context import (
    Application,
    Choice,
    Context,
    Criticality,
    Dependency,
    Environment,
    IdentityChoice,
    MaintenanceWindow,
    Match,
    Owner,
    RuleException,
    SecureBoot,
    TargetEntry,
    TrustedLaunchChoice,
)
from readiness.model.ids import ResourceId
from readiness.model.verdict import Dimension
from readiness.store.context_file import parse_context
from readiness.store.context_values import Words
from tests.builders import ENCRYPTION_SET, vm_id

WEB, DB = vm_id("web"), vm_id("db")
TWINS = (vm_id("twin"), vm_id("twin", group="rg-other"))
NAMES = {"web": (WEB,), "db": (DB,), "twin": TWINS}

WHOLE = f"""\
format: readiness/context/1
applications:
  - name: Shop
    owner: {{name: Ada, email: ada@example.com}}
    criticality: mission-critical
    environment: test
    match: {{resource_groups: [rg-app], names: ["web*"], ids: [{WEB}], tags: {{no: 010, on: ~}}}}
    windows: [night]
windows:
  - {{name: night, rrule: "FREQ=WEEKLY;BYDAY=SA", start: 22:00, duration: P1DT2H30M, timezone: Europe/Berlin}}
dependencies:
  - {{source: WEB, target: {DB}, hard: true}}
targets:
  - match: {{}}
    trusted_launch: {{secure_boot: false}}
    disk_encryption_set: {ENCRYPTION_SET}
    encryption_at_host: true
    identity: {{type: system}}
  - match: {{applications: [Shop]}}
    trusted_launch: {{}}
exceptions:
  - id: EX-1
    rule: TL001
    match: {{names: [web]}}
    owner: Ada
    reason: vendor
    approved_by: Bo
    expires: 2027-12-31
    compensating_control: none
"""


def test_the_whole_form() -> None:
    """Every field of every section arrives, and plain values stay what was written."""
    match = Match(resource_groups=("rg-app",), names=("web*",), ids=(WEB,), tags={"no": "010", "on": ""})
    expected = Context(
        applications=(
            Application(
                name="Shop",
                owner=Owner(name="Ada", email="ada@example.com"),
                match=match,
                criticality=Criticality.MISSION_CRITICAL,
                environment=Environment.TEST,
                windows=("night",),
            ),
        ),
        windows=(
            MaintenanceWindow(
                name="night",
                rrule="FREQ=WEEKLY;BYDAY=SA",
                start=time(22),
                duration=timedelta(days=1, hours=2, minutes=30),
                timezone="Europe/Berlin",
            ),
        ),
        dependencies=(Dependency(source=WEB, target=DB, hard=True),),
        targets=(
            TargetEntry(
                match=Match(),
                choice=Choice(
                    trusted_launch=TrustedLaunchChoice(secure_boot=SecureBoot.OFF),
                    disk_encryption_set=ENCRYPTION_SET,
                    encryption_at_host=True,
                    identity=IdentityChoice(),
                ),
            ),
            TargetEntry(
                match=Match(applications=("Shop",)), choice=Choice(trusted_launch=TrustedLaunchChoice())
            ),
        ),
        exceptions=(
            RuleException(
                id="EX-1",
                rule="TL001",
                match=Match(names=("web",)),
                owner="Ada",
                reason="vendor",
                approved_by="Bo",
                expires=date(2027, 12, 31),
                compensating_control="none",
            ),
        ),
    )

    assert expected == parse_context(WHOLE, NAMES)


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "format: readiness/context/1\napplications:\n"])
def test_an_empty_context(text: str) -> None:
    """Nothing written is an empty context."""
    assert Context() == parse_context(text, NAMES)


def test_defaults() -> None:
    """What is not said of an application is medium and production."""
    text = "format: readiness/context/1\napplications: [{name: A, owner: {name: B}, match: {}}]\n"
    application = parse_context(text, NAMES).applications[0]

    assert (Criticality.MEDIUM, Environment.PRODUCTION) == (application.criticality, application.environment)


def test_an_exception_from_a_dimension() -> None:
    """An exception names a dimension or a rule."""
    text = WHOLE.replace("rule: TL001", "dimension: password_access")

    assert Dimension.PASSWORD_ACCESS == parse_context(text, NAMES).exceptions[0].dimension


MISTAKES = [
    ("criticality: mission-critical", "criticality: hihg", "5:18: 'hihg' is none of low, medium", "'high'"),
    ("criticality: mission-critical", "critcality: high", "5:5: 'critcality' is not known", "'criticality'"),
    ("environment: test", "criticality: low", "6:5: 'criticality' stands here for the second", "5:5"),
    ("owner: {name: Ada, email", "owner: {email", "4:12: 'name' is missing", "name: ..."),
    (
        "owner: {name: Ada, email: ada@example.com}",
        "owner: Ada",
        "4:12: A single value stands where keys",
        "key: value",
    ),
    ("windows: [night]", "windows: [nigth]", "8:15: There is no window 'nigth'", "'night'"),
    ("windows: [night]", "windows: night", "8:14: A single value stands where a list", "[a, b]"),
    ("windows: [night]", "windows: [[night]]", "8:15: A list stands where a text", "one value"),
    ("windows: [night]", "windows: &w [night]", "8:14: anchors and aliases", "Write the value out"),
    ("windows: [night]", "windows: !!set [night]", "8:14: tags", "Remove"),
    (
        "FREQ=WEEKLY;BYDAY=SA",
        "FREQ=WEEKLY;BYDAY=XX",
        "10:26: 'FREQ=WEEKLY;BYDAY=XX' is not a recur",
        "FREQ=WEEKLY",
    ),
    ("FREQ=WEEKLY;BYDAY=SA", "BYDAY=SA", "10:26: 'BYDAY=SA' does not say", "FREQ=WEEKLY"),
    ("FREQ=WEEKLY;BYDAY=SA", "FREQ=DAILY;INTERVAL=0", "10:26: INTERVAL=0 never", "FREQ=WEEKLY"),
    ("start: 22:00", "start: 25:00", "10:57: '25:00' is not a time", "22:00"),
    ("start: 22:00", "start: 22", "10:57: '22' is not a time", "22:00"),
    ("P1DT2H30M", "6h", "10:74: '6h' is not a duration", "PT6H"),
    ("P1DT2H30M", "PT", "10:74: 'PT' is not a duration", "PT6H"),
    ("P1DT2H30M", "PT0H", "10:74: The window has no length", "PT6H"),
    ("Europe/Berlin", "Europe/Berlinn", "10:95: There is no time zone", "Europe/Berlin"),
    ("Europe/Berlin", "../etc", "10:95: There is no time zone", "Europe/Berlin"),
    ("source: WEB", "source: wbe", "12:14: The estate has no VM 'wbe'", "'web'"),
    ("source: WEB", "source: twin", "12:14: 'twin' is the name of 2 VMs", "full resource id"),
    ("source: WEB", f"source: {WEB}x", "12:14: The estate has no VM", "'web'"),
    ("source: WEB", "source: /web", "12:14: '/web' is not such a resource's id", "/subscriptions/"),
    ("source: WEB", "source: db", "12:5: 'db' cannot depend on itself", "another VM"),
    ("hard: true", "hard: yes", "neither true nor false", "true or false"),
    (
        f"disk_encryption_set: {ENCRYPTION_SET}",
        f"disk_encryption_set: {WEB}",
        "16:26: ",
        "diskEncryptionSets",
    ),
    ("type: system", "type: person", "18:22: 'person' is none of system, user", "Known here: system"),
    ("applications: [Shop]", "aplications: [Shop]", "19:13: 'aplications' is not known", "'applications'"),
    (f"ids: [{WEB}]", "ids: [web]", "'web' is the id of no subscription", "/subscriptions/<id>"),
    (f"ids: [{WEB}]", "ids: [/subscriptions]", "is the id of no subscription", "/subscriptions/<id>"),
    (f"ids: [{WEB}]", "ids: [/subscriptions/s/things/x]", "is the id of no subscr", "/subscriptions/<id>"),
    (f"ids: [{WEB}]", "ids: [/subscriptions/s//providers/x/y/z]", "is the id of no", "/subscriptions/<id>"),
    ("applications: [Shop]", "applications: [Shpo]", "There is no application 'Shpo'", "Shop"),
    ("rule: TL001", "rule: TL001\n    dimension: cmk", "22:5: An exception is from one", "either"),
    ("    rule: TL001\n", "", "22:5: An exception is from one", "either"),
    ("    approved_by: Bo\n", "", "22:5: 'approved_by' is missing", "approved_by: ..."),
    ("owner: Ada\n", "owner:\n", "22:5: 'owner' is missing", "owner: ..."),
    ("2027-12-31", "31.12.2027", "28:14: '31.12.2027' is not a date", "2027-12-31"),
    ("context/1", "context/2", "1:9: 'readiness/context/2' is newer", "release of readiness"),
    ("readiness/context/1", "other", "1:9: 'other' is not a format", "readiness/context/1"),
    ("format: readiness/context/1\n", "", "1:1: 'format' is missing", "Begin the file"),
]


@pytest.mark.parametrize(("old", "new", "problem", "remedy"), MISTAKES, ids=lambda value: value[:40])
def test_a_mistake(old: str, new: str, problem: str, remedy: str) -> None:
    """Each mistake is told with file, line and column, what is wrong, and what to do."""
    with pytest.raises(EstateError) as caught:
        parse_context(WHOLE.replace(old, new, 1), NAMES)

    assert problem in caught.value.brief
    assert caught.value.brief.startswith("context.yaml:")
    assert remedy in caught.value.remedy


def test_a_tab() -> None:
    """A tab is named, because nobody sees it."""
    with pytest.raises(EstateError) as caught:
        parse_context("format: readiness/context/1\nwindows:\n\t- {}\n", NAMES)

    assert ("context.yaml:3:1: this is not valid YAML.", "Indent with spaces.") == (
        caught.value.brief,
        caught.value.remedy,
    )


@pytest.mark.parametrize(
    "text", ["format: [", "a: b: c", "format: 'x", "a: \x01", "- format", "a: *x", "? {a: b}\n: c"]
)
def test_what_is_no_context_at_all(text: str) -> None:
    """Any text is a context or an error of ours, never a crash."""
    with pytest.raises(EstateError, match=r"context\.yaml"):
        parse_context(text, NAMES)


@pytest.mark.parametrize(
    ("section", "entry"),
    [
        ("applications", "{name: A, owner: {name: B}, match: {}}"),
        ("windows", '{name: w, rrule: "FREQ=DAILY", start: "01:00", duration: PT1H, timezone: UTC}'),
        (
            "exceptions",
            "{id: E, rule: TL001, match: {}, owner: a, reason: b, approved_by: c, expires: 2027-01-01}",
        ),
    ],
)
def test_twins(section: str, entry: str) -> None:
    """Two entries of one name would shadow one another."""
    with pytest.raises(EstateError, match=r"context\.yaml:2:.*occurs twice"):
        parse_context(f"format: readiness/context/1\n{section}: [{entry}, {entry}]\n", NAMES)


def test_ids_are_compared_without_case() -> None:
    """An id in other letters is the same VM."""
    text = f"format: readiness/context/1\ndependencies: [{{source: web, target: {DB.text.upper()}}}]\n"

    assert ResourceId(DB.text) == parse_context(text, NAMES).dependencies[0].target


@pytest.mark.parametrize(
    ("entry", "problem", "remedy"),
    [
        (
            "estimates: [{match: {}, playbook: x, effort: P1D}]",
            "There is no playbook 'x'",
            "Known here: pb-a.",
        ),
        (
            "attestations: [{control: X, match: {}, owner: a, date: 2027-01-01, expires: 2027-01-01, "
            "statement: s}]",
            "There is no control 'X'",
            "Known here: C-1.",
        ),
        (
            "exceptions: [{id: E, rule: R-2, match: {}, owner: a, reason: b, approved_by: c, "
            "expires: 2027-01-01}]",
            "There is no rule or control 'R-2'",
            "Did you mean R-1?",
        ),
    ],
)
def test_words_that_do_not_exist(entry: str, problem: str, remedy: str) -> None:
    """An id that no rule, control or playbook has is told with what there is; it would have no effect."""
    words = Words(rules=("R-1",), controls=("C-1",), playbooks=("pb-a",))
    with pytest.raises(EstateError) as caught:
        parse_context(f"format: readiness/context/1\n{entry}\n", NAMES, words=words)

    assert caught.value.brief.startswith("context.yaml:2:")
    assert problem in caught.value.brief
    assert remedy == caught.value.remedy


@pytest.mark.parametrize("scope", ["/subscriptions/s", "/subscriptions/s/resourceGroups/g", f"{WEB}/"])
def test_a_match_of_a_scope(scope: str) -> None:
    """A match may name a subscription, a group, or a resource."""
    text = f"format: readiness/context/1\ntargets: [{{match: {{ids: [{scope}]}}}}]\n"

    assert (ResourceId(scope),) == parse_context(text, NAMES).targets[0].match.ids
