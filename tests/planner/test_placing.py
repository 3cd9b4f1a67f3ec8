"""Where VMs stand: waves, batches, cycles, rings, and the sentences that say why."""

from datetime import UTC, datetime

from msgspec.structs import replace

from readiness.model.codec import encode
from readiness.model.context import Dependency, Environment
from readiness.model.ids import ResourceId
from readiness.model.plan import TargetKind
from readiness.model.policy import Limits, Policy
from tests.builders import rid
from tests.planner.plans import (
    application,
    context,
    machine,
    names,
    needs,
    only_planned,
    places,
    plan,
    window,
)

SET = rid("Microsoft.Compute/availabilitySets", "set")


def test_a_chain_goes_provider_first() -> None:
    """What others need goes in an earlier batch of the same wave, and the consumers say so."""
    given = context(application("shop", "*"), dependencies=(needs("web", "app"), needs("app", "db")))
    made = plan(machine("web"), machine("app"), machine("db"), given=given)

    assert [[["db"], ["app"], ["web"]]] == names(made)
    assert (
        "shop is production: production goes after the rest; after app, which it needs"
        == made.waves[0].vms[2].reason
    )


def test_a_cycle_is_one_move_group() -> None:
    """VMs that need one another stay in one wave, even one that is over its cap."""
    given = context(
        application("shop", "*"),
        dependencies=(needs("b1", "b2"), needs("b2", "b3"), needs("b3", "b1"), needs("c", "b1")),
    )
    vms = [machine(name) for name in ("a", "b1", "b2", "b3", "c")]
    made = plan(*vms, given=given, policy=Policy(limits=Limits(max_vms_per_wave=2), pilot=None))
    waves = [sorted(vm.name for vm in wave.vms) for wave in made.waves]

    assert [["b1", "b2", "b3"], ["a", "c"]] == waves
    assert 2 == made.lower_bound


def test_peers_go_one_after_another() -> None:
    """Members of an availability set are not off together, and say so."""
    made = plan(machine("a", availability_set=SET), machine("b", availability_set=SET), machine("c"))

    assert [[["a", "c"], ["b"]]] == names(made)
    assert made.waves[0].vms[0].reason.endswith("apart from its peers in availability set set")


def test_a_quarter_of_a_large_group_may_be_off() -> None:
    """Eight peers spare two at a time."""
    made = plan(*(machine(f"vm{number}", availability_set=SET) for number in range(8)))

    assert [2] == [group.max_unavailable for group in made.apart]
    assert [2, 2, 2, 2] == [len(batch.vms) for batch in made.waves[0].batches]


def test_test_before_production() -> None:
    """Test and development share the first wave, production follows."""
    given = context(
        application("live", "live*"),
        application("try", "try*", environment=Environment.TEST),
        application("make", "make*", environment=Environment.DEVELOPMENT),
    )
    made = plan(machine("live1"), machine("try1"), machine("make1"), given=given)

    assert ["Non-production: make, try", "Production: live"] == [wave.name for wave in made.waves]
    assert "try is test: not production, so it goes first" == made.waves[0].vms[1].reason


def test_production_alone_is_called_production() -> None:
    """A wave is named for what is in it, also where there is nothing before it."""
    assert "Production: shop" == plan(machine("vm1")).waves[0].name


def test_a_hard_dependency_holds_a_test_vm_back() -> None:
    """A test VM that hard-needs production goes with it, and does not claim to go first."""
    given = context(
        application("live", "db"),
        application("try", "web", environment=Environment.TEST),
        dependencies=(needs("web", "db", hard=True),),
    )
    made = plan(machine("db"), machine("web"), given=given)

    assert [[["db"], ["web"]]] == names(made)
    assert (
        "try is test: not production, but production that it cannot go before holds it back; "
        "after db, which it needs" == made.waves[0].vms[1].reason
    )


def test_a_soft_dependency_does_not_drag_production_first() -> None:
    """A test VM that merely uses production goes before it."""
    given = context(
        application("live", "db"),
        application("try", "web", environment=Environment.TEST),
        dependencies=(needs("web", "db"),),
    )

    assert [[["web"]], [["db"]]] == names(plan(machine("db"), machine("web"), given=given))


def test_environments_may_go_together() -> None:
    """Without that preference nobody goes first, and no sentence says so."""
    given = context(application("live", "a"), application("try", "b", environment=Environment.TEST))
    made = plan(machine("a"), machine("b"), given=given, policy=Policy(rings=(), pilot=None))

    assert [[["a", "b"]]] == names(made)
    assert "live, try" == made.waves[0].name
    assert "try is test: no environment goes before another" == made.waves[0].vms[1].reason


def test_overlapping_windows_share_the_time() -> None:
    """Batches run one after another, so two applications cannot both fill the same two hours."""
    early, late = window("early", 0.9), window("late", 0.9)
    given = context(
        application("one", "a", windows=("early",)),
        application("two", "b", windows=("late",)),
        windows=(early, late),
    )
    made = plan(machine("a"), machine("b"), given=given)
    longer = plan(machine("a"), machine("b"), given=replace(given, windows=(early, window("late", 2))))

    assert [[["a"]], [["b"]]] == names(made)
    assert [[["a"], ["b"]]] == names(longer)


def test_the_estate_says_how_ids_are_spelled() -> None:
    """A context that shouts an id changes no spelling in the plan, and a double entry counts once."""
    loud = Dependency(
        source=ResourceId(machine("a").id.text.upper()), target=ResourceId(machine("b").id.text.upper())
    )
    given = context(
        application("shop", "*"), dependencies=(loud, needs("a", "b", hard=True), needs("a", "a"))
    )
    made = plan(machine("a"), machine("b"), given=given)

    assert [(machine("b").id.text, machine("a").id.text, True)] == [
        (edge.before.text, edge.after.text, edge.hard) for edge in made.order
    ]
    assert {machine("a").id.text, machine("b").id.text} == {entry.id.text for _, _, entry in places(made)}


def test_double_entries_in_any_order() -> None:
    """Two declarations of one dependency make the same plan either way round."""
    twice = (needs("a", "b"), needs("a", "b", hard=True))
    given = context(application("shop", "*"), dependencies=twice)
    turned = replace(given, dependencies=twice[::-1])

    assert encode(plan(machine("a"), machine("b"), given=given)) == encode(
        plan(machine("a"), machine("b"), given=turned)
    )


def test_an_invented_estate_never_runs_live() -> None:
    """A sample estate is planned for a twin."""
    assert TargetKind.TWIN == plan(machine("vm1")).target.kind


def test_the_first_saturday() -> None:
    """The earliest occurrence after the day of the plan is used."""
    assert datetime(2026, 11, 21, 21, tzinfo=UTC) == only_planned(plan(machine("vm1"))).occurrence.opens
