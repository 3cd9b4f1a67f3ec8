"""Builds plans by hand: a VM is named, everything else has a default that a test can change."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from readiness.model.context import Choice, Environment, IdentityChoice, SecureBoot, TrustedLaunchChoice
from readiness.model.ids import ResourceId
from readiness.model.outage import Outage
from readiness.model.plan import (
    ApartGroup,
    Batch,
    Hub,
    LeftOut,
    Occurrence,
    OrderEdge,
    Plan,
    PlanAction,
    PlanException,
    PlannedVm,
    PlanTarget,
    Refusal,
    Strictness,
    TargetKind,
    TogetherGroup,
    Wave,
)
from readiness.model.policy import PinAnswer
from readiness.model.steps import Undo

SUBSCRIPTION = "7c1d3a52-0f5e-4b1e-9a57-1f2e3d4c5b6a"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-estate/providers/Microsoft.Compute"
KEY_SET = ResourceId(f"{GROUP}/diskEncryptionSets/des-weu-prod")

EVERYTHING = Choice(
    trusted_launch=TrustedLaunchChoice(secure_boot=SecureBoot.ON),
    disk_encryption_set=KEY_SET,
    encryption_at_host=True,
    identity=IdentityChoice(),
)
ALL_ACTIONS = ("managed-identity", "trusted-launch", "disk-encryption")


@dataclass(frozen=True)
class App:
    """An application of the sample: where it lives, who owns it, and its window."""

    name: str
    owner: str
    environment: Environment
    occurrence: Occurrence


def vm_id(name: str) -> ResourceId:
    """Return the id of a VM of that name."""
    return ResourceId(f"{GROUP}/virtualMachines/{name}")


def occurrence(window: str, opens: datetime, hours: float = 4, timezone: str = "Europe/Berlin") -> Occurrence:
    """Return one occurrence of a window."""
    closes = opens + timedelta(hours=hours)
    return Occurrence(window=window, opens=opens, closes=closes, timezone=timezone)


def outage(disks: int = 2) -> Outage:
    """Return an outage without its steps, as long as one of a VM with so many disks."""
    work = 180 + 60 * disks + 45 + 60 * disks + 180
    return Outage(steps=(), work_seconds=work, verify_seconds=300, undo_seconds=705 + 60 * disks)


SATURDAY = occurrence("saturday-night", datetime(2026, 12, 5, 21, tzinfo=UTC))
SUNDAY = occurrence("sunday-early", datetime(2026, 12, 6, 1, tzinfo=UTC), hours=1.25)
LATER = occurrence("saturday-night", datetime(2026, 12, 12, 21, tzinfo=UTC))
NEW_YORK = occurrence(
    "us-sunday", datetime(2026, 12, 13, 7, tzinfo=UTC), hours=6, timezone="America/New_York"
)

WIKI = App("wiki", "Mara Lindqvist", Environment.DEVELOPMENT, SATURDAY)
SHOP_TEST = App("shop-test", "Jonas Okafor", Environment.TEST, SUNDAY)
SHOP = App("shop", "Jonas Okafor", Environment.PRODUCTION, LATER)
LEDGER = App("ledger", "Priya Raman", Environment.PRODUCTION, NEW_YORK)


def planned(name: str, app: App = WIKI, **changes: Any) -> PlannedVm:
    """Return a planned VM that gets all three upgrades."""
    vm = PlannedVm(
        id=vm_id(name),
        name=name,
        application=app.name,
        owner=app.owner,
        environment=app.environment,
        actions=ALL_ACTIONS,
        refusals=(),
        choice=EVERYTHING,
        fingerprint="f" * 64,
        preparation=(),
        outage=outage(),
        undo=Undo.CONFIG,
        occurrence=app.occurrence,
        reason=f"{app.name} is {app.environment}: it goes with its ring",
    )
    return replace(vm, **changes)


def left_out(name: str, reason: str, detail: str, who: str, application: str | None = None) -> LeftOut:
    """Return a VM that is in no wave."""
    return LeftOut(
        id=vm_id(name), name=name, application=application, reason=reason, detail=detail, unblocked_by=who
    )


def plan(*waves: Wave, left: tuple[LeftOut, ...] = (), **changes: Any) -> Plan:
    """Return a plan of these waves."""
    made = Plan(
        digest="9f3ac41b70de5a2286c1d0f4b7e8a93c5d6071f2e3b4c5d6e7f8091a2b3c4d5e",
        release="0.1.0",
        as_of=date(2026, 11, 22),
        target=PlanTarget(
            kind=TargetKind.TWIN,
            cloud="AzurePublic",
            tenant="contoso.example",
            subscriptions=(SUBSCRIPTION,),
            estate="starter",
        ),
        inventory=sum(len(wave.vms) for wave in waves) + len(left),
        waves=waves,
        left_out=left,
        order=(),
        apart=(),
        lower_bound=len(waves),
    )
    return replace(made, **changes)


def wave(number: int, name: str, *batches: tuple[PlannedVm, ...]) -> Wave:
    """Return a wave of these batches."""
    numbered = tuple(
        Batch(number=index, vms=tuple(replace(vm, wave=number, batch=index) for vm in vms))
        for index, vms in enumerate(batches, start=1)
    )
    return Wave(number=number, name=name, batches=numbered)


def small_estate() -> Plan:
    """Return a plan for sixteen VMs in three waves, with every way back and every kind of reason."""
    no_backup = Refusal(
        playbook="trusted-launch",
        reason="StandardBackupPolicy",
        detail="its backup policy is Standard; Trusted Launch needs an Enhanced one",
    )
    not_chosen = Refusal(
        playbook="disk-encryption", reason="NotChosen", detail="no target in the context asks for it"
    )
    first = wave(
        1,
        "Non-production: shop-test, wiki",
        (planned("vm-wiki-01"), planned("vm-wiki-02", refusals=(not_chosen,), actions=ALL_ACTIONS[:2])),
        (planned("vm-shop-test-web", SHOP_TEST), planned("vm-shop-test-db", SHOP_TEST, outage=outage(4))),
        (planned("vm-shop-test-jobs", SHOP_TEST, outage=outage(3)),),
    )
    second = wave(
        2,
        "Production: shop",
        (planned("vm-shop-db-01", SHOP, outage=outage(6), undo=Undo.SWAP),),
        (
            planned(
                "vm-shop-web-01",
                SHOP,
                reason="shop is production: production goes after the rest; after vm-shop-db-01, which it "
                "needs; apart from its peers in availability set avset-shop-web",
            ),
        ),
        (
            planned(
                "vm-shop-web-02",
                SHOP,
                refusals=(no_backup, not_chosen),
                actions=ALL_ACTIONS[:1],
                outage=None,
            ),
        ),
    )
    third = wave(
        3,
        "Production: ledger",
        (planned("vm-ledger-db", LEDGER, undo=Undo.REBUILD, outage=outage(8)),),
        (planned("vm-ledger-app", LEDGER), planned("vm-ledger-legacy", LEDGER, undo=Undo.NONE)),
    )
    left = (
        left_out("aks-nodepool1-0", "Excluded", "managed by AKS", "the service that manages it"),
        left_out("vm-dc-01", "DomainController", "goes alone", "directory team", "directory"),
        left_out(
            "vm-ledger-old",
            "Generation1",
            "trusted-launch: vm-ledger-old boots through BIOS; disk-encryption: under Azure Disk Encryption",
            "Priya Raman",
            "ledger",
        ),
        left_out("vm-lost-01", "NoApplication", "no application claims it", "migration team"),
        left_out("vm-lost-02", "NoApplication", "no application claims it", "migration team"),
    )
    return plan(first, second, third, left=left, lower_bound=2, **_around())


def _around() -> dict[str, Any]:
    """Return graphs, actions and answers for the small estate, one of each kind."""
    database, web = vm_id("vm-shop-db-01"), (vm_id("vm-shop-web-01"), vm_id("vm-shop-web-02"))
    return {
        "order": (
            OrderEdge(
                before=database, after=web[0], hard=True, evidence="declared", strict=Strictness.SAME_WAVE
            ),
        ),
        "hints": (
            OrderEdge(
                before=vm_id("vm-wiki-01"),
                after=vm_id("vm-wiki-02"),
                hard=False,
                evidence="observed flow to port 5432",
                confidence=0.6,
            ),
        ),
        "together": (
            TogetherGroup(
                members=(vm_id("vm-wiki-01"), vm_id("vm-wiki-02")), evidence="proximity group ppg-wiki"
            ),
        ),
        "apart": (ApartGroup(members=web, max_unavailable=1, evidence="availability set avset-shop-web"),),
        "hubs": (Hub(id=database, name=database.name, degree=24, cut=True, reason="many depend on it"),),
        "preparation": (
            PlanAction(
                key="backup-policy",
                kind="backup-policy",
                title="Move the backups of vault-shop to an Enhanced policy",
                target=ResourceId(f"{GROUP}/vaults/vault-shop"),
                shared=True,
                vms=(database, *web),
                waves=(2,),
                owner="Jonas Okafor",
                due=date(2026, 12, 10),
                automatic=False,
            ),
        ),
        "exceptions": (
            PlanException(
                id="EX-7",
                covers="cmk",
                owner="Priya Raman",
                approved_by="Security board",
                reason="Its successor is ordered",
                expires=date(2026, 12, 12),
                compensating_control="Reachable from one subnet only",
                vms=(vm_id("vm-ledger-legacy"), vm_id("vm-ledger-old")),
            ),
        ),
        "warnings": ("Consumers that go before what they use: vm-wiki-02 goes before vm-wiki-01.",),
        "pins": (
            PinAnswer(vm=web[1], wish="wave 1", honoured=False, reason="production goes after the rest"),
        ),
    }
