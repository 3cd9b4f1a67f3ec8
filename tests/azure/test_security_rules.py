"""Security rules on a twin: set against their etag, removed, and the proof that the internet is kept out."""

from typing import Any

import pytest
from azure.core.rest import HttpRequest, HttpResponse

from readiness.errors import CloudError
from readiness.model.ids import ResourceId
from readiness.model.steps import ProveClosed, RemoveSecurityRule, SetSecurityRule
from readiness.ports.cloud import Done, Failed, Pending
from readiness.twin.messages import Response
from readiness.twin.transport import TwinResponse
from tests.azure.asking import Before, Process
from tests.twin.network_seeds import NETWORK, NIC, NSG, SUBNET, VNET, interface, network, rule, wired
from tests.twin.seeds import SUBSCRIPTION, VM, Wire, estate, vm

MACHINE = ResourceId(VM)
SSH = ResourceId(f"{NSG}/securityRules/ssh")
CLOSED = rule(sourceAddressPrefix="10.0.0.0/8")["properties"]
CLOSE = SetSecurityRule(vm=MACHINE, rule=SSH, properties=CLOSED, earlier=rule()["properties"])
_PLACE = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Network/locations/westeurope"
GONE = f"{_PLACE}/operations/0b1c2d3e-0000-4000-8000-000000000000?api-version=2024-05-01"
PROVE = ProveClosed(vm=MACHINE, ports=(22, 3389))


def shown(process: Process, name: str = "ssh") -> Any:
    """Return a rule of the group as the twin has it."""
    found = process.wire.get(NSG)["properties"]["securityRules"]
    return next((each["properties"] for each in found if each["name"] == name), None)


def with_rules(*rules: dict[str, Any], subnet_rules: tuple[dict[str, Any], ...] = ()) -> Wire:
    """Return a twin whose interface has a group with these rules, and its subnet one with the others."""
    wire = wired()
    wire.do("PUT", NSG, {"location": "westeurope", "properties": {"securityRules": list(rules)}})
    if subnet_rules:
        other = f"{NETWORK}/networkSecurityGroups/outer"
        wire.do("PUT", other, {"location": "westeurope", "properties": {"securityRules": list(subnet_rules)}})
        subnet = {"addressPrefix": "10.0.1.0/24", "networkSecurityGroup": {"id": other}}
        wire.do("PUT", SUBNET, {"properties": subnet})
    return wire


# Setting and removing ------------------------------------------------------------------------------------


def test_a_rule_is_replaced_and_followed_to_its_end() -> None:
    """A write is begun with a token, and ends done when Azure shows the rule as asked for."""
    process = Process(wired())
    begun = process.begin(CLOSE)
    assert isinstance(begun, Pending)
    assert begun.token is not None
    assert Done("done") == process.finish(CLOSE, begun)
    assert ("10.0.0.0/8", "Succeeded") == (
        shown(process)["sourceAddressPrefix"],
        shown(process)["provisioningState"],
    )


def test_a_rule_in_place_is_not_written_again() -> None:
    """Another process finds the rule as asked for, also where Azure spells its words in another case."""
    first = Process(wired())
    first.do(CLOSE)
    second, before = Process(first.wire), len(first.writes())
    lowered = SetSecurityRule(
        vm=MACHINE, rule=SSH, properties=CLOSED | {"protocol": "tcp", "access": "allow"}
    )
    assert Done("already so") == second.begin(CLOSE)
    assert Done("already so") == second.begin(lowered)
    assert before == len(second.writes())


def test_a_write_under_way_is_waited_for() -> None:
    """Where the token was lost, beginning again waits instead of writing twice."""
    first = Process(wired())
    first.begin(CLOSE)
    second, before = Process(first.wire), len(first.writes())
    again = second.begin(CLOSE)
    assert isinstance(again, Pending)
    assert again.token is None
    assert Done("already so") == second.finish(CLOSE, again)
    assert before == len(second.writes())


def test_a_change_since_the_look_is_not_overwritten() -> None:
    """Whoever changed the group between look and write is seen first: the stale write is refused."""
    wire = wired()
    meddling = [rule("web", destinationPortRange="443", priority=400)]

    def meddle(request: HttpRequest) -> None:
        if request.method == "PUT" and meddling:
            wire.do("PUT", f"{NSG}/securityRules/web", meddling.pop())

    process = Process(wire, meddle)
    first = process.begin(CLOSE)
    assert isinstance(first, Pending)
    assert first.token is None
    assert isinstance(process.finish(CLOSE, first), Done)
    assert "10.0.0.0/8" == shown(process)["sourceAddressPrefix"]
    assert shown(process, "web") is not None


def test_a_new_rule_is_made() -> None:
    """A rule that is not there is created, and removed again without touching the others."""
    process = Process(wired())
    deny = rule(sourceAddressPrefix="Internet", access="Deny", priority=200)["properties"]
    new = ResourceId(f"{NSG}/securityRules/readiness-deny")
    assert isinstance(process.do(SetSecurityRule(vm=MACHINE, rule=new, properties=deny)), Done)
    assert "Deny" == shown(process, "readiness-deny")["access"]
    assert isinstance(process.do(RemoveSecurityRule(vm=MACHINE, rule=new, made=deny)), Done)
    assert shown(process, "readiness-deny") is None
    assert shown(process) is not None
    assert Done("it is not there") == process.begin(RemoveSecurityRule(vm=MACHINE, rule=new, made=deny))


def test_a_rule_of_that_name_is_not_written_over() -> None:
    """A rule that was not there when it was planned is somebody's by now: it stays as it is."""
    process = Process(wired())
    answer = process.begin(SetSecurityRule(vm=MACHINE, rule=SSH, properties=CLOSED))
    assert isinstance(answer, Failed)
    assert "RuleChangedSincePlanned" == answer.code
    assert rule()["properties"]["sourceAddressPrefix"] == shown(process)["sourceAddressPrefix"]


GUARD = ResourceId(f"{NSG}/securityRules/readiness-deny-ssh")
DENY = rule(sourceAddressPrefix="Internet", access="Deny", priority=200)["properties"]
MAKE = SetSecurityRule(vm=MACHINE, rule=GUARD, properties=DENY)
TAKE_AWAY = RemoveSecurityRule(vm=MACHINE, rule=GUARD, made=DENY)
THEIRS = rule(GUARD.name, access="Deny", priority=200, sourceAddressPrefix="198.51.100.0/24")


def just_before(wire: Wire, method: str, *others: tuple[str, str, dict[str, Any] | None]) -> Before:
    """Let somebody else write just before our first write of a kind arrives."""
    left = list(others)

    def meddle(request: HttpRequest) -> None:
        while request.method == method and left:
            wire.do(*left.pop())

    return meddle


def test_a_rule_made_by_somebody_else_meanwhile_is_not_written_over() -> None:
    """Who makes a rule of that name between our look and our write keeps it, and we say so."""
    wire = wired()
    process = Process(wire, just_before(wire, "PUT", ("PUT", GUARD.text, THEIRS)))
    answer = process.do(MAKE)
    assert isinstance(answer, Failed)
    assert "RuleChangedSincePlanned" == answer.code
    assert "198.51.100.0/24" == shown(process, GUARD.name)["sourceAddressPrefix"]


def test_a_rule_that_azure_would_not_make_on_that_condition_is_made_all_the_same() -> None:
    """Where Azure holds the condition against the group, which is there, a second look has to do."""
    wire, refusals = wired(), []

    def of_the_group(request: HttpRequest) -> HttpResponse | None:
        if request.method != "PUT" or "If-None-Match" not in request.headers:
            return None
        refusals.append(request.url)
        error = {"error": {"code": "PreconditionFailed", "message": "it exists"}}
        return TwinResponse(request, Response(412, error))

    process = Process(wire, of_the_group)
    assert isinstance(process.do(MAKE), Done)
    assert 1 == len(refusals)
    assert "Deny" == shown(process, GUARD.name)["access"]


def test_a_rule_of_ours_that_somebody_edited_is_left() -> None:
    """What says something else than what we made is not ours to take away: it stays, and we say so."""
    process = Process(wired())
    process.do(MAKE)
    process.wire.do("PUT", GUARD.text, THEIRS)
    answer = process.begin(TAKE_AWAY)
    assert isinstance(answer, Failed)
    assert "RuleChangedSincePlanned" == answer.code
    assert GUARD.name in answer.detail
    assert "left" in answer.detail
    assert "198.51.100.0/24" == shown(process, GUARD.name)["sourceAddressPrefix"]


def test_a_rule_of_ours_that_somebody_edits_meanwhile_is_left() -> None:
    """Also where it is edited between our look and our delete: the delete is held against the etag."""
    wire = wired()
    Process(wire).do(MAKE)
    process = Process(wire, just_before(wire, "DELETE", ("PUT", GUARD.text, THEIRS)))
    answer = process.do(TAKE_AWAY)
    assert isinstance(answer, Failed)
    assert "198.51.100.0/24" == shown(process, GUARD.name)["sourceAddressPrefix"]


def test_a_rule_of_ours_as_we_made_it_is_taken_away() -> None:
    """Also where its write had ended badly, and whichever fields Azure keeps its values in."""
    process = Process(wired())
    process.do(MAKE)
    plural = {**DENY, "sourceAddressPrefix": "", "sourceAddressPrefixes": ["Internet"]}
    assert isinstance(process.do(RemoveSecurityRule(vm=MACHINE, rule=GUARD, made=plural)), Done)
    assert shown(process, GUARD.name) is None


def test_a_write_of_ours_that_ended_badly_is_written_again() -> None:
    """Azure shows what was asked for and did not apply it: that is nobody else's change."""
    failed = rule(sourceAddressPrefix="10.0.0.0/8", provisioningState="Failed")

    def show(request: HttpRequest) -> HttpResponse | None:
        is_look = request.method == "GET" and "/securityRules/ssh" in request.url
        return TwinResponse(request, Response(200, failed)) if is_look else None

    assert isinstance(Process(wired(), show).begin(CLOSE), Pending)


def test_a_write_that_ends_badly_is_told() -> None:
    """An operation that fails in the end is a failure in Azure's words, not an endless wait."""
    wire = Wire(
        *estate(machine=vm(networkProfile={"networkInterfaces": [{"id": NIC}]})),
        faults=[
            {
                "kind": "fail",
                "operation": "networkSecurityGroups/securityRules/write",
                "at": "end",
                "code": "InternalServerError",
                "message": "oh",
            }
        ],
    )
    wire.do("PUT", VNET, network())
    wire.do("PUT", NSG, {"location": "westeurope", "properties": {"securityRules": [rule()]}})
    assert Failed("InternalServerError", "oh") == Process(wire).do(CLOSE)


@pytest.mark.parametrize("token", ["rubbish", GONE, "{}"])
def test_a_token_that_leads_nowhere_is_no_error(token: str) -> None:
    """A token of another release, or of an operation long gone, means to look at the resource itself."""
    process = Process(wired())
    for change in (CLOSE, PROVE):
        answer = process.cloud.poll(change, token)
        assert isinstance(answer, Pending)
        assert answer.token is None


# Proving -------------------------------------------------------------------------------------------------


def test_a_port_open_to_everybody_is_found() -> None:
    """The proof names the port, the rule, its group and the interface."""
    process = Process(wired())
    answer = process.do(PROVE)
    assert isinstance(answer, Failed)
    assert "StillOpen" == answer.code
    assert all(word in answer.detail for word in ("22", "ssh of web", "web-1-nic")), answer.detail
    assert "3389" not in answer.detail


def test_a_closed_port_is_proven() -> None:
    """After the rule was narrowed nothing lets the internet in, and the proof has written nothing."""
    process = Process(wired())
    process.do(CLOSE)
    assert isinstance(process.do(PROVE), Done)
    # The question itself is a POST, which changes nothing.
    assert ["PUT 201", "PUT 201", "PUT 201", "PUT 200", "POST 202"] == process.writes()


def test_the_answer_is_followed_by_its_last_address() -> None:
    """Azure hands out another address with each answer: the token changes with it, and is all one needs."""
    first = Process(wired())
    begun = first.begin(PROVE)
    assert isinstance(begun, Pending)
    asked = first.cloud.poll(PROVE, begun.token or "")
    assert isinstance(asked, Pending)
    assert None not in (begun.token, asked.token)
    assert begun.token != asked.token
    assert isinstance(Process(first.wire).finish(PROVE, asked), Failed)


OPEN_TO: tuple[tuple[str, tuple[dict[str, Any], ...], tuple[dict[str, Any], ...], bool], ...] = (
    ("the tag", (rule(sourceAddressPrefix="Internet"),), (), True),
    ("all addresses", (rule(sourceAddressPrefix="0.0.0.0/0"),), (), True),
    (
        "two halves",
        (rule(sourceAddressPrefix=None, sourceAddressPrefixes=["0.0.0.0/1", "128.0.0.0/1"]),),
        (),
        True,
    ),
    ("a range of ports", (rule(destinationPortRange="20-30"),), (), True),
    ("a list of ports", (rule(destinationPortRange=None, destinationPortRanges=["80", "22"]),), (), True),
    ("every protocol", (rule(protocol="*"),), (), True),
    ("all of Azure", (rule(sourceAddressPrefix="AzureCloud"),), (), True),
    ("another port", (rule(destinationPortRange="443"),), (), False),
    ("another protocol", (rule(protocol="Udp"),), (), False),
    ("one office", (rule(sourceAddressPrefix="203.0.113.7"),), (), False),
    ("its network", (rule(sourceAddressPrefix="VirtualNetwork"),), (), False),
    (
        "denied before",
        (rule(), rule("no", priority=200, access="Deny", sourceAddressPrefix="Internet")),
        (),
        False,
    ),
    ("denied after", (rule(), rule("no", priority=400, access="Deny")), (), True),
    (
        "denied another port",
        (rule(), rule("no", priority=200, access="Deny", destinationPortRange="23")),
        (),
        True,
    ),
    ("a subnet that denies", (rule(),), (rule("web", destinationPortRange="443"),), False),
    ("a subnet that allows", (rule(),), (rule("both"),), True),
)


@pytest.mark.parametrize(
    ("_name", "rules", "subnet_rules", "expected"), OPEN_TO, ids=[each[0] for each in OPEN_TO]
)
def test_rules_are_judged_as_azure_applies_them(
    _name: str,
    rules: tuple[dict[str, Any], ...],
    subnet_rules: tuple[dict[str, Any], ...],
    expected: bool,  # noqa: FBT001
) -> None:
    """By priority, in all groups before the interface, for ports, protocols and sources however written."""
    answer = Process(with_rules(*rules, subnet_rules=subnet_rules)).do(PROVE)
    assert expected is isinstance(answer, Failed), answer
    assert not isinstance(answer, Failed) or "StillOpen" == answer.code


def test_every_interface_is_asked() -> None:
    """An opening at the second interface is found, too."""
    second = f"{NETWORK}/networkInterfaces/web-1-other"
    cards = [{"id": NIC}, {"id": second}]
    wire = Wire(*estate(machine=vm(networkProfile={"networkInterfaces": cards})))
    wire.do("PUT", VNET, network())
    shut = rule(sourceAddressPrefix="10.0.0.0/8")
    for group, held, card in ((NSG, shut, NIC), (f"{NSG}-other", rule("wide"), second)):
        wire.do("PUT", group, {"location": "westeurope", "properties": {"securityRules": [held]}})
        body = interface()
        body["properties"]["networkSecurityGroup"] = {"id": group}
        wire.do("PUT", card, body)
    answer = Process(wire).do(PROVE)
    assert isinstance(answer, Failed)
    assert "wide of web-other" in answer.detail
    assert "web-1-other" in answer.detail


def test_without_any_group_nothing_is_proven() -> None:
    """Where no group stands before an interface, no rule keeps anybody out."""
    wire = wired()
    wire.do("PUT", NIC, interface())
    answer = Process(wire).do(PROVE)
    assert isinstance(answer, Failed)
    assert "StillOpen" == answer.code
    assert "no network security group" in answer.detail


def test_a_vm_that_is_off_cannot_be_proven() -> None:
    """Azure refuses to tell the rules in force of a VM that does not run: that is said, with the remedy."""
    wire = wired()
    wire.do("POST", f"{VM}/deallocate")
    answer = Process(wire).do(PROVE)
    assert isinstance(answer, Failed)
    assert "NotRunning" == answer.code
    assert "start it" in answer.detail


def test_an_answer_that_cannot_be_understood_proves_nothing() -> None:
    """What Azure never sends in that place is an error of ours, neither a crash nor a proof."""

    def garble(request: HttpRequest) -> HttpResponse | None:
        if "operationResults" not in request.url:
            return None
        return TwinResponse(request, Response(200, {"value": [{"networkSecurityGroup": "web"}]}))

    process = Process(wired(), garble)
    with pytest.raises(CloudError) as caught:
        process.do(PROVE)
    assert "Malformed" == caught.value.code
