"""A plan's dependencies as a picture that needs no other program: SVG, a page of its own, or DOT.

Time runs from left to right: waves are columns, the batches of a wave follow one another in it, and an edge
runs from the provider to its consumer. Up to 200 VMs are drawn each; above, one shape is an application.
Pure: the same plan gives the same picture.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from readiness.errors import UsageError
from readiness.model.ids import ResourceId
from readiness.model.plan import OrderEdge, Plan
from reports.graph_forms import to_dot, to_html, to_svg
from reports.graph_picture import NO_WAVE, Edge, Node, Picture, Tie, arranged

MOST_VMS = 200
"""Above this, applications are drawn instead of VMs."""
FORMS = {"svg": to_svg, "html": to_html, "dot": to_dot}
_UNCLAIMED = "no application"


def draw(plan: Plan, form: str) -> str:
    """Return the picture of a plan's dependencies.

    Raises:
        UsageError: There is no such form.
    """
    writer = FORMS.get(form)
    if writer is None:
        raise UsageError(f"There is no form {form!r}.", remedy=f"Choose one of {', '.join(FORMS)}.")
    return writer(picture_of(plan))


def picture_of(plan: Plan) -> Picture:
    """Return what is drawn of a plan: its VMs, or its applications where the VMs are too many to read."""
    people = _members(plan)
    is_collapsed = len(people) > MOST_VMS
    nodes = _applications(people) if is_collapsed else _vms(people)
    shape = {one.id: one.application if is_collapsed else one.id.key for one in people}
    edges = _edges(plan.order, shape, is_binding=True) + _edges(plan.hints, shape, is_binding=False)
    ties = () if is_collapsed else tuple(_ties(plan, shape))
    counted = Counter("planned" if one.wave else "in no wave" for one in people)
    shown = "applications" if is_collapsed else "VMs"
    told = (
        f"{counted['planned']} VMs in {len(plan.waves)} waves, {counted['in no wave']} in no wave; "
        f"{len(nodes)} {shown} and {len(edges)} dependencies between them are shown. Waves run from left to "
        "right, arrows from what is needed to what needs it."
    )
    return arranged(
        Picture(
            title=f"Dependencies of the plan for {plan.target.estate} ({plan.approval or 'not sealed'})",
            summary=told,
            nodes=nodes,
            edges=edges,
            ties=ties,
            names={wave.number: wave.name for wave in plan.waves},
        )
    )


@dataclass(frozen=True, slots=True)
class _Member:
    """One VM of the inventory and where it stands."""

    id: ResourceId
    name: str
    application: str
    wave: int
    batch: int
    reason: str


def _members(plan: Plan) -> list[_Member]:
    placed = [_Member(vm.id, vm.name, vm.application, vm.wave, vm.batch, vm.reason) for vm in plan.vms]
    left = [
        _Member(one.id, one.name, one.application or _UNCLAIMED, NO_WAVE, 0, one.detail or one.reason)
        for one in plan.left_out
    ]
    return placed + left


def _vms(people: Iterable[_Member]) -> list[Node]:
    return [
        Node(
            key=one.id.key,
            label=one.name,
            waves=((one.wave, 1),),
            batch=one.batch,
            application=one.application,
            note=one.reason,
        )
        for one in people
    ]


def _applications(people: Iterable[_Member]) -> list[Node]:
    counts: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for one in people:
        counts[one.application][one.wave] += 1
    nodes = []
    for name, waves in counts.items():
        # What is in no wave comes last: an application stands where its first VMs go.
        shares = tuple(sorted(waves.items(), key=lambda item: (item[0] == NO_WAVE, item[0])))
        size = sum(waves.values())
        told = ", ".join(f"{count} in {f'wave {wave}' if wave else 'no wave'}" for wave, count in shares)
        nodes.append(
            Node(
                key=name,
                label=f"{name} · {size}",
                waves=shares,
                batch=0,
                application=name,
                note=f"{size} VMs: {told}",
            )
        )
    return nodes


def _edges(edges: Iterable[OrderEdge], shape: Mapping[ResourceId, str], *, is_binding: bool) -> list[Edge]:
    counts: Counter[tuple[str, str]] = Counter()
    for edge in edges:
        before, after = shape.get(edge.before), shape.get(edge.after)
        if before is not None and after is not None and before != after:
            counts[before, after] += 1
    return [Edge(before, after, is_binding, count) for (before, after), count in sorted(counts.items())]


def _ties(plan: Plan, shape: Mapping[ResourceId, str]) -> Iterable[Tie]:
    for group in plan.together:
        yield Tie(tuple(shape[vm] for vm in group.members if vm in shape), "together", group.evidence)
    for peers in plan.apart:
        yield Tie(tuple(shape[vm] for vm in peers.members if vm in shape), "apart", peers.evidence)
