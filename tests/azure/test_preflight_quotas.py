"""Quotas asked before the first effect, for a whole wave at once: who is refused, and who is not."""

from typing import Any

import pytest
from msgspec.structs import replace

from readiness.azure.connect import Connection, Endpoint
from readiness.azure.perform import AzureCloud
from readiness.model.ids import ResourceId
from readiness.model.outage import compose
from readiness.model.plan import Batch, Wave
from readiness.model.steps import PatchVm, Preflight, Start, TakeSnapshot, Work
from readiness.ports.cloud import Done, Failed, Progress
from readiness.twin.credential import TwinCredential
from tests.azure.asking import Listening, Process
from tests.reports.plans import planned
from tests.twin.seeds import COMPUTE, SUBSCRIPTION, VM, Wire, disk, estate, vm

NAMES = ("web-1", "web-2", "web-3")
QUOTAS = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/locations/westeurope/usages"
SNAPSHOTS = "StandardSnapshotCount"


def usage(name: str, used: int, limit: int) -> dict[str, Any]:
    """A seeded quota."""
    return {
        "id": f"{QUOTAS}/{name}",
        "type": "Microsoft.Compute/locations/usages",
        "name": {"value": name},
        "currentValue": used,
        "limit": limit,
    }


def of(name: str) -> ResourceId:
    """The id of a machine."""
    return ResourceId(f"{COMPUTE}/virtualMachines/{name}")


def disks_of(name: str) -> tuple[ResourceId, ...]:
    """The ids of its two disks."""
    return tuple(ResourceId(f"{COMPUTE}/disks/{name}-{part}") for part in ("os", "data"))


def wave(*names: str, region: str = "West Europe") -> Wave:
    """A wave of machines with two disks each, each machine in a batch of its own."""
    batches = []
    for number, name in enumerate(names, start=1):
        patch = PatchVm(vm=of(name), properties={"securityProfile": {"encryptionAtHost": True}})
        outage = compose(of(name), disks_of(name), [patch])
        one = replace(planned(name), id=of(name), name=name, region=region, outage=outage)
        batches.append(Batch(number=number, vms=(one,)))
    return Wave(number=1, name="test", batches=tuple(batches))


def process(*seed: dict[str, Any], of_wave: Wave | None = None, **more: Any) -> Process:
    """A process that carries a wave out on a twin of its machines."""
    others = [vm(name) for name in NAMES[1:]]
    others += [disk(f"{name}-{part}") for name in NAMES[1:] for part in ("os", "data")]
    made = Process(Wire(*estate(*others, *seed), **more))
    endpoint = Endpoint(
        base_url="https://twin.invalid",
        credential=TwinCredential(),
        make_transport=lambda: Listening(made.wire, made.asked, None),
    )
    made.cloud = AzureCloud(Connection(endpoint), of_wave)
    return made


def step(name: str = "web-1") -> Preflight:
    """What is asked before the outage of a machine."""
    snapshots: tuple[Work, ...] = tuple(TakeSnapshot(vm=of(name), disk=each) for each in disks_of(name))
    return Preflight(vm=of(name), work=(*snapshots, Start(vm=of(name))))


def answers(made: Process) -> list[str]:
    """Return whether each machine of the wave is refused, asked at the same moment."""
    return [_word(made.begin(step(name))) for name in NAMES]


def _word(progress: Progress) -> str:
    return progress.code if isinstance(progress, Failed) else type(progress).__name__


@pytest.mark.parametrize(("used", "expected"), [(98, "Done"), (99, "QuotaExceeded")])
def test_a_quota_of_snapshots_is_found(used: int, expected: str) -> None:
    """Fewer snapshots left than the VM takes would refuse one of them in the outage."""
    answer = process(usage(SNAPSHOTS, used, 100)).begin(step())
    assert expected == _word(answer)
    if isinstance(answer, Failed):
        assert "only 1 more snapshots are allowed in westeurope, and 2 are needed" in answer.detail


def test_the_vms_of_a_wave_share_what_is_left() -> None:
    """Of three VMs with two disks each two fit into four: the third is refused, whoever asks first."""
    made = process(usage(SNAPSHOTS, 96, 100), of_wave=wave(*NAMES))
    assert ["Done", "Done", "QuotaExceeded"] == answers(made)
    refused = made.begin(step("web-3"))
    assert isinstance(refused, Failed)
    assert "only 4 more snapshots are allowed" in refused.detail
    assert "2 are needed beside 4 for the VMs before it in the wave" in refused.detail


def test_snapshots_that_are_there_are_not_counted_twice() -> None:
    """What the VMs before it have taken is in what is used already: only what they still take is added."""
    made = process(usage(SNAPSHOTS, 98, 100), of_wave=wave(*NAMES))
    assert ["Done", "QuotaExceeded", "QuotaExceeded"] == answers(made)
    taken = process(usage(SNAPSHOTS, 98, 100), of_wave=wave("web-2", "web-1"))
    assert "QuotaExceeded" == _word(taken.begin(step()))
    fresh = process(usage(SNAPSHOTS, 98, 100), of_wave=wave("web-2", "web-1"))
    for each in disks_of("web-2"):
        fresh.do(TakeSnapshot(vm=of("web-2"), disk=each))
    assert "Done" == _word(fresh.begin(step()))


@pytest.mark.parametrize(
    "of_wave",
    [wave(*NAMES, region="northeurope"), wave("web-3", "web-2"), None],
    ids=["region", "after", "none"],
)
def test_only_what_shares_the_quota_counts(of_wave: Wave | None) -> None:
    """VMs of another region, later VMs, and a VM that is asked about by itself take nothing away."""
    assert "Done" == _word(process(usage(SNAPSHOTS, 98, 100), of_wave=of_wave).begin(step()))


def test_where_all_fits_nothing_more_is_asked() -> None:
    """The snapshots of a subscription are only listed where it is close."""
    made = process(usage(SNAPSHOTS, 94, 100), of_wave=wave(*NAMES))
    assert ["Done"] * 3 == answers(made)
    assert 0 == made.count("/snapshots")
    assert 1 == made.count("/usages")


def test_who_may_not_list_snapshots_is_told() -> None:
    """Where it is close and nobody may look, the question stays open and blocks nothing."""
    denied = [{"kind": "denied", "operation": "snapshots/read"}]
    told = process(usage(SNAPSHOTS, 98, 100), of_wave=wave("web-2", "web-1"), faults=denied).begin(step())
    assert isinstance(told, Done)
    assert "not known: how many snapshots the VMs before it in the wave still take" in told.detail


@pytest.mark.parametrize(
    ("name", "used", "expected"),
    [
        ("cores", 100, "Done"),
        ("cores", 101, "QuotaExceeded"),
        ("standardDSv5Family", 101, "QuotaExceeded"),
        ("standardDSv5Family", 100, "Done"),
        ("standardESv5Family", 101, "Done"),
    ],
)
def test_a_quota_of_cores_is_found(name: str, used: int, expected: str) -> None:
    """Where more cores are in use than allowed, in all or of its family, what is deallocated stays off."""
    assert expected == _word(process(usage(name, used, 100)).begin(step()))


def test_a_vm_that_is_not_started_needs_no_cores() -> None:
    """Work without a start asks for no cores."""
    online = Preflight(vm=ResourceId(VM), work=step().work[:-1])
    assert isinstance(process(usage("cores", 101, 100)).begin(online), Done)
