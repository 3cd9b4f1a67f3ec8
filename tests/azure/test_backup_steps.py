"""Azure Backup on a twin: a recovery point that is young enough, a backup on demand, and another policy."""

import json
from datetime import timedelta
from typing import Any

import pytest
from azure.core.rest import HttpRequest, HttpResponse

from readiness.azure.protected_items import place_of
from readiness.errors import MissingError
from readiness.model.ids import ResourceId
from readiness.model.steps import BackUp, ChangeBackupPolicy, ProveBackup
from readiness.ports.cloud import Done, Failed, Pending
from readiness.twin.messages import Response
from readiness.twin.transport import TwinResponse
from tests.azure.asking import Process
from tests.twin.backups import (
    CONTAINER,
    ITEM,
    NAME,
    VAULT,
    back_up,
    client_of,
    finish,
    place,
    points,
    policy_id,
    protect,
)
from tests.twin.seeds import VM, Wire

MACHINE, PROTECTED = ResourceId(VM), ResourceId(ITEM)
TAKE = BackUp(vm=MACHINE, item=PROTECTED, max_age_hours=24, retain_days=40)
PROVE = ProveBackup(vm=MACHINE, item=PROTECTED, max_age_hours=168)
TO_ENHANCED = ChangeBackupPolicy(vm=MACHINE, item=PROTECTED, policy=ResourceId(policy_id("hourly")))
TRIGGERS = "/backup?"


def protected(**more: Any) -> Wire:
    """Return a twin whose machine is protected by the Standard policy, and never backed up."""
    wire = place(**more)
    protect(wire)
    return wire


def backed_up() -> Wire:
    """Return the same with one recovery point in the vault."""
    wire = protected()
    finish(wire, back_up(wire))
    return wire


# Taking one ----------------------------------------------------------------------------------------------


def test_a_backup_is_taken_and_waited_for() -> None:
    """Without a recovery point one is taken; the step ends when it is in the vault, to be kept as asked."""
    process = Process(protected())
    begun = process.begin(TAKE)
    assert isinstance(begun, Pending)
    assert begun.token is not None
    before = process.wire.clock.now()
    answer = process.finish(TAKE, begun)
    assert isinstance(answer, Done)
    assert "Completed" in answer.evidence
    assert process.wire.clock.now() - before > timedelta(minutes=30)
    (point,) = points(process.wire)
    tiers = {row["type"] for row in point["properties"]["recoveryPointTierDetails"]}
    assert {"InstantRP", "HardenedRP"} == tiers
    assert point["properties"]["recoveryPointProperties"]["expiryTime"].startswith("2026-12-11")
    assert 1 == process.count(TRIGGERS)


def test_a_young_backup_is_found() -> None:
    """A recovery point that is young enough is taken as it is, and told with its age."""
    process = Process(backed_up())
    answer = process.begin(TAKE)
    assert isinstance(answer, Done)
    assert "hours old" in answer.detail
    assert 0 == process.count(TRIGGERS)


def test_an_old_backup_does_not_do() -> None:
    """After more than the allowed hours another one is taken."""
    process = Process(backed_up())
    process.wire.clock.sleep(25 * 3600)
    assert isinstance(process.do(TAKE), Done)
    assert 1 == process.count(TRIGGERS)
    assert 2 == len(points(process.wire))


def test_another_process_goes_on() -> None:
    """The token is all that another process needs, in whatever state the job is."""
    first = Process(protected())
    begun = first.begin(TAKE)
    assert isinstance(begun, Pending)
    second = Process(first.wire)
    first.wire.clock.sleep(60)
    asked = second.cloud.poll(TAKE, begun.token or "")
    assert isinstance(asked, Pending)
    assert isinstance(Process(first.wire).finish(TAKE, asked), Done)
    assert 0 == second.count(TRIGGERS)


@pytest.mark.parametrize("seconds", [0, 60, 1200])
def test_begun_again_after_a_crash_no_second_backup_is_taken(seconds: int) -> None:
    """Where the token was lost the backup under way is found, before its job has begun and after."""
    first = Process(protected())
    first.begin(TAKE)
    first.wire.clock.sleep(seconds)
    second = Process(first.wire)
    again = second.begin(TAKE)
    assert isinstance(again, Pending)
    assert again.token is None
    assert isinstance(second.finish(TAKE, again), Done)
    assert 1 == len(points(first.wire))


@pytest.mark.parametrize("operation", ["takeSnapshot", "transferData"])
def test_a_job_that_fails_is_told_in_its_own_words(operation: str) -> None:
    """A backup that fails, early or late, fails the step with the job's code; a retry takes another one."""
    fault = {
        "kind": "fail",
        "operation": f"vaults/backupJobs/{operation}",
        "at": "end",
        "code": "UserErrorSomething",
        "message": "the agent is gone",
    }
    process = Process(protected(faults=[fault]))
    assert Failed("UserErrorSomething", "the agent is gone") == process.do(TAKE)
    retried = process.do(TAKE)
    assert isinstance(retried, Done)


def test_a_request_that_is_refused_is_told() -> None:
    """An item that is not there is missing, and one whose id is another resource's is said to be."""
    process = Process(place())
    with pytest.raises(MissingError):
        process.begin(TAKE)
    answer = process.begin(BackUp(vm=MACHINE, item=MACHINE))
    assert isinstance(answer, Failed)
    assert "InvalidResourceId" == answer.code


def test_a_job_of_a_namesake_is_told_from_ours() -> None:
    """A job that says its container is ours only if group and name agree."""
    ours, other = f"iaasvmcontainerv2;RG-APP;{MACHINE.name}", f"iaasvmcontainerv2;rg-other;{MACHINE.name}"
    answers = []
    for container in (ours, other):

        def tell(request: HttpRequest, container: str = container) -> HttpResponse | None:
            if "backupJobs?" not in request.url:
                return None
            job = {"properties": {"containerName": container, "entityFriendlyName": MACHINE.name}}
            return TwinResponse(request, Response(200, {"value": [job]}))

        begun = Process(protected(), tell).begin(TAKE)
        assert isinstance(begun, Pending)
        answers.append(begun.token is None)
    assert [True, False] == answers


def test_an_unreadable_token_is_no_error() -> None:
    """A token of another release means to look again."""
    process = Process(protected())
    for token in ("rubbish", "{}", '{"job":"00000000-0000-4000-8000-000000000000"}'):
        answer = process.cloud.poll(TAKE, token)
        assert isinstance(answer, Pending)
        assert answer.token is None


def test_the_names_in_an_id() -> None:
    """An item's id is read in any case, and names vault, container and item as they are written."""
    for text in (ITEM, ITEM.upper()):
        found = place_of(ResourceId(text))
        assert (ResourceId(VAULT), CONTAINER.lower(), NAME.lower(), ("rg-app", "web-1")) == (
            found.vault,
            found.container.lower(),
            found.name.lower(),
            found.vm,
        )
    with pytest.raises(ValueError, match="not the id of a protected item"):
        place_of(ResourceId(f"{VAULT}/backupFabrics/Azure"))


# Proving one ---------------------------------------------------------------------------------------------


def test_a_young_point_is_proof() -> None:
    """A recovery point within the allowed hours proves the backup; the proof writes nothing."""
    process = Process(backed_up())
    before = len(process.writes())
    answer = process.begin(PROVE)
    assert isinstance(answer, Done)
    assert before == len(process.writes())


def test_an_old_point_is_none() -> None:
    """A recovery point that is too old fails with its age."""
    process = Process(backed_up())
    process.wire.clock.sleep(8 * 24 * 3600)
    answer = process.begin(PROVE)
    assert isinstance(answer, Failed)
    assert ("BackupTooOld", True) == (answer.code, "8 days" in answer.detail)


def test_no_point_is_none_either() -> None:
    """An item that was never backed up proves nothing."""
    answer = Process(protected()).begin(PROVE)
    assert isinstance(answer, Failed)
    assert "NoRecoveryPoint" == answer.code


@pytest.mark.parametrize(
    "properties",
    [
        {"recoveryPointTime": None},
        {"recoveryPointTime": "yesterday"},
        {"recoveryPointTime": "2026-11-01T20:00:00Z", "recoveryPointProperties": {"isSoftDeleted": True}},
    ],
)
def test_a_point_that_cannot_be_used_does_not_count(properties: dict[str, Any]) -> None:
    """A point without a time that can be read, or one that is deleted, is no backup."""

    def tell(request: HttpRequest) -> HttpResponse | None:
        if "recoveryPoints?" not in request.url:
            return None
        return TwinResponse(request, Response(200, {"value": [{"name": "1", "properties": properties}]}))

    answer = Process(protected(), tell).begin(PROVE)
    assert isinstance(answer, Failed)
    assert "NoRecoveryPoint" == answer.code


# Its policy ----------------------------------------------------------------------------------------------


def test_an_item_goes_to_the_enhanced_policy() -> None:
    """The step ends once the item shows the policy; disks that were left out stay left out."""
    wire = place()
    exclusion = {"diskExclusionProperties": {"diskLunList": [0], "isInclusionList": False}}
    protect(wire, extendedProperties=exclusion)
    sent: list[Any] = []

    def listen(request: HttpRequest) -> None:
        if request.method == "PUT":
            sent.append(json.loads(request.content)["properties"].get("extendedProperties"))

    process = Process(wire, listen)
    begun = process.begin(TO_ENHANCED)
    assert isinstance(begun, Pending)
    assert begun.token is not None
    assert Done("already under it") == process.finish(TO_ENHANCED, begun)
    item = wire.get(ITEM)["properties"]
    assert (policy_id("hourly"), "V2") == (item["policyId"], item["policyType"])
    assert [exclusion] == sent
    assert Done("already under it") == Process(wire).begin(TO_ENHANCED)


def test_a_change_of_policy_under_way_is_waited_for() -> None:
    """Begun again after a crash, the step waits for the change instead of failing over it."""
    first = Process(protected())
    first.begin(TO_ENHANCED)
    second = Process(first.wire)
    again = second.begin(TO_ENHANCED)
    assert isinstance(again, Pending)
    assert again.token is None
    assert isinstance(second.finish(TO_ENHANCED, again), Done)


def test_a_change_of_policy_waits_for_a_backup() -> None:
    """Azure refuses the way to Enhanced while a backup runs: the step waits for its end."""
    wire = protected()
    back_up(wire)
    process = Process(wire)
    first = process.begin(TO_ENHANCED)
    assert isinstance(first, Pending)
    assert first.token is None
    assert isinstance(process.finish(TO_ENHANCED, first), Done)


def test_a_policy_that_is_not_there_is_refused() -> None:
    """A policy nobody knows is an error in Azure's words, and the item stays under its own."""
    process = Process(protected())
    other = ChangeBackupPolicy(vm=MACHINE, item=PROTECTED, policy=ResourceId(policy_id("none")))
    with pytest.raises(Exception, match="none"):
        process.begin(other)
    assert (
        policy_id("daily")
        == client_of(process.wire)
        .protected_items.get("rsv", "rg-app", "Azure", CONTAINER, NAME)
        .as_dict()["properties"]["policyId"]
    )
