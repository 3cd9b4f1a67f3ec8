"""The life cycle is one table: complete, without dead ends, and without a way out of an end."""

import networkx as nx
import pytest

from readiness.model.lifecycle import FINAL, NEXT, SUCCEEDED, Outcome, Phase

CAN_OCCUR = {
    Phase.WAITING: {Outcome.OK},
    Phase.CHECKING: {Outcome.OK, Outcome.TO_PREPARE, Outcome.TO_CLOSE, Outcome.REFUSED},
    Phase.PREPARING: {Outcome.OK, Outcome.FAILED},
    Phase.READYING: {Outcome.OK, Outcome.FAILED},
    Phase.CONVERTING: {Outcome.OK, Outcome.FAILED},
    Phase.VERIFYING: {Outcome.OK, Outcome.OFF, Outcome.FAILED, Outcome.UNCLEAR, Outcome.RETRY_WEAKER},
    Phase.UNDECIDED: {Outcome.OK, Outcome.FAILED},
    Phase.FALLING_BACK: {Outcome.OK, Outcome.FAILED},
    Phase.CLOSING: {Outcome.OK, Outcome.FAILED},
    Phase.UNDOING: {Outcome.OK, Outcome.FAILED},
}


def _graph() -> "nx.DiGraph[Phase]":
    graph: nx.DiGraph[Phase] = nx.DiGraph()
    graph.add_nodes_from(Phase)
    graph.add_edges_from((phase, following) for (phase, _), following in NEXT.items())
    return graph


def test_every_phase_is_reachable() -> None:
    """From waiting a campaign can come to every phase; it lets go of the VM before any end."""
    assert set(Phase) - {Phase.WAITING, Phase.RELEASING} == nx.descendants(_graph(), Phase.WAITING)


def test_every_outcome_has_its_successor() -> None:
    """Every phase that is no end has exactly one successor for each outcome that can occur in it."""
    found = {phase: {outcome for one, outcome in NEXT if one is phase} for phase in CAN_OCCUR}

    assert set(Phase) - FINAL - {Phase.RELEASING} == set(CAN_OCCUR)
    assert CAN_OCCUR == found


def test_only_a_person_leads_out_of_an_end() -> None:
    """A campaign that has ended stays where it is, unless somebody wants a VM back that was done."""
    assert {(phase, Outcome.RECALLED) for phase in SUCCEEDED} == {key for key in NEXT if key[0] in FINAL}
    assert SUCCEEDED < FINAL


def test_every_way_ends() -> None:
    """No campaign can go in circles."""
    assert nx.is_directed_acyclic_graph(_graph())


@pytest.mark.parametrize("phase", [Phase.CONVERTING, Phase.VERIFYING])
def test_after_the_outage_begins_there_is_only_forward_or_back(phase: Phase) -> None:
    """A failure once the VM may be off leads to the way back, and nowhere else."""
    assert Phase.UNDOING is NEXT[phase, Outcome.FAILED]


def test_only_a_failed_way_back_strands() -> None:
    """A VM is stranded only if taking its changes back failed."""
    assert {(Phase.UNDOING, Outcome.FAILED)} == {key for key, end in NEXT.items() if end is Phase.STRANDED}


def test_before_the_outage_a_refusal_ends_it() -> None:
    """Checking and preparing take nothing from the VM, so nothing has to be undone."""
    ends = {NEXT[Phase.CHECKING, Outcome.REFUSED], NEXT[Phase.PREPARING, Outcome.FAILED]}

    assert {Phase.DECLINED, Phase.BLOCKED} == ends
