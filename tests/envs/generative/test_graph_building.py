"""Building graphs, attributes of nodes and links included: steps by hand, laws on random walks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import networkx as nx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from flow_exact import coloured, legal_moves
from graphwright.core import Choice, GraphBatch
from graphwright.envs.conformance import check_environment
from graphwright.envs.generative.context import TYPE, GraphContext
from graphwright.envs.generative.enumeration import enumerate_states
from graphwright.envs.generative.environment import blank
from graphwright.envs.generative.exports import node_link_lines
from graphwright.envs.generative.graph_building import GraphBuilding
from strategies import assert_same_batch, seeded


@dataclass(frozen=True)
class Marked(GraphContext):
    """Nodes with a charge and a tag, links with an order; a node of type 1 takes no second link."""

    node_types: int = 2
    max_nodes: int = 4

    @property
    def node_attributes(self) -> Mapping[str, int]:
        return {"charge": 2, "tag": 1}

    @property
    def edge_attributes(self) -> Mapping[str, int]:
        return {"order": 3}

    def may_add(self, state: GraphBatch) -> Tensor:
        return self._free(state).unsqueeze(1).expand(-1, self.node_types)

    def may_join(self, state: GraphBatch, one: Tensor, other: Tensor) -> Tensor:
        free = self._free(state)
        return free[one] & free[other]

    def may_stop(self, state: GraphBatch) -> Tensor:
        return state.node_segments.lengths > 1

    def _free(self, state: GraphBatch) -> Tensor:
        return (state.nodes[TYPE] == 0) | (state.in_degree == 0)


@dataclass(frozen=True)
class OneMark(Marked):
    """Small enough to be enumerated."""

    node_types: int = 1
    max_nodes: int = 3

    @property
    def node_attributes(self) -> Mapping[str, int]:
        return {"charge": 1}

    @property
    def edge_attributes(self) -> Mapping[str, int]:
        return {"order": 1}


CONTEXTS: dict[str, GraphContext] = {
    "two colours": GraphContext(node_types=2, max_nodes=6),
    "one colour": GraphContext(max_nodes=5),
    "trees": GraphContext(node_types=3, max_nodes=6, cycles=False),
    "few links": GraphContext(max_nodes=6, max_links=6),
    "one node": GraphContext(node_types=2, max_nodes=1),
    "attributes": Marked(),
    "one of each": OneMark(),
}
every_context = pytest.mark.parametrize("context", CONTEXTS.values(), ids=CONTEXTS)


def walk(environment: GraphBuilding, count: int, seed: int) -> list[GraphBatch]:
    """States of random walks, step by step, of those that are not finished yet."""
    state, states = environment.reset(blank(count)), []
    while state.num_graphs:
        states.append(state)
        segments = environment.actions.segments(state)
        mask = environment.actions.arrange(state, environment.observe(state).masks).clone()
        mask[segments.ptr[:-1]] = False
        state = state.select(torch.bincount(segments.index[mask], minlength=state.num_graphs) > 0)
        if state.num_graphs:
            owner, action = legal_moves(environment.actions, state, environment.observe(state).masks, but_first=True)
            draw = torch.rand(owner.shape, generator=seeded(seed + len(states)))
            best = torch.stack([torch.where(owner == g, draw, -1).argmax() for g in range(state.num_graphs)])
            state = environment.advance(state, action[best]).state
    return states


@cache
def walked(environment: GraphBuilding) -> GraphBatch:
    """The states of a few walks."""
    return GraphBatch.concat(walk(environment, 4, 2))


@every_context
def test_every_context_conforms(context: GraphContext) -> None:
    check_environment(GraphBuilding(context), blank(16))


@every_context
def test_every_legal_action_leads_to_a_valid_graph_and_back(context: GraphContext) -> None:
    environment = GraphBuilding(context)
    for state in walk(environment, 4, 0):
        state.validate()
        assert_connected_and_simple(state, context)
        owner, action = legal_moves(environment.actions, state, environment.observe(state).masks, but_first=True)
        if owner.numel():
            before = state.select(owner)
            after, reverse = environment.advance(before, action)
            after.validate()
            back = environment.backward_actions
            legal = back.arrange(after, environment.backward_masks(after))
            assert bool(legal[back.segments(after).ptr[:-1] + reverse].all())
            again, forward = environment.undo(after, reverse)
            assert_same_batch(again, before)  # what is added is the last, and so the numbering stays
            assert forward.tolist() == action.tolist()


@every_context
def test_everything_that_may_be_taken_back_can_be_done_again(context: GraphContext) -> None:
    environment = GraphBuilding(context)
    for state in walk(environment, 4, 1):
        masks = environment.backward_masks(state)
        owner, action = legal_moves(environment.backward_actions, state, masks, but_first=False)
        is_first = state.node_segments.lengths == 0
        assert sorted(set(owner.tolist())) == (~is_first).nonzero().squeeze(1).tolist()
        if owner.numel():
            after = state.select(owner)
            before, forward = environment.undo(after, action)
            before.validate()
            assert_connected_and_simple(before, context)
            legal = environment.actions.arrange(before, environment.observe(before).masks)
            assert bool(legal[environment.actions.segments(before).ptr[:-1] + forward].all())
            again = environment.advance(before, forward).state
            assert environment.keys(again) == environment.keys(after)


def assert_connected_and_simple(state: GraphBatch, context: GraphContext) -> None:
    assert bool((state.node_segments.lengths <= context.max_nodes).all())
    for place in range(state.num_graphs):
        one = state.select(torch.tensor([place]))
        graph = nx.Graph(one.edge_index.T.tolist())
        graph.add_nodes_from(range(one.num_nodes))
        assert 2 * graph.number_of_edges() == one.num_edges
        assert not one.num_nodes or nx.is_connected(graph)
        assert context.cycles or graph.number_of_edges() == max(len(graph) - 1, 0)
        assert context.max_links is None or graph.number_of_edges() <= context.max_links
    for name in context.edge_attributes:
        opposite = state.edges["reverse"] + state.edge_ptr[:-1][state.edge_graph]
        assert torch.equal(state.edges[name], state.edges[name][opposite])


@every_context
@given(draw=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=1, max_size=5))
@settings(max_examples=10)
def test_graphs_of_a_batch_do_not_affect_each_other(context: GraphContext, draw: list[tuple[int, int]]) -> None:
    """Graphs at different stages, edited in different ways at once."""
    environment = GraphBuilding(context)
    states = walked(environment)
    mixed = GraphBatch.concat([states.select(torch.tensor([one % states.num_graphs])) for one, _ in draw])
    masks = environment.observe(mixed).masks
    owner, action = legal_moves(environment.actions, mixed, masks, but_first=True)
    possible: dict[int, list[int]] = {}
    for graph, place in zip(owner.tolist(), action.tolist(), strict=True):
        possible.setdefault(graph, []).append(place)
    if not possible:
        return
    chosen = torch.tensor(sorted(possible))
    taken = torch.tensor([possible[graph][draw[graph][1] % len(possible[graph])] for graph in sorted(possible)])
    after, reverse = environment.advance(mixed.select(chosen), taken)
    for place, graph in enumerate(chosen.tolist()):
        alone = environment.advance(mixed.select(torch.tensor([graph])), taken[place : place + 1])
        assert_same_batch(alone.state, after.select(torch.tensor([place])))
        assert alone.reverse.tolist() == reverse[place : place + 1].tolist()


def test_a_triangle_by_hand() -> None:
    """Stop, begin (2), add (2 a node), join (a pair)."""
    environment = coloured(3)
    state = environment.reset(blank(1))
    masks = [[False], [[True, True]], [], []]
    assert [mask.tolist() for mask in environment.observe(state).masks] == masks
    state, reverse = environment.advance(state, torch.tensor([2]))  # begin with the second colour
    assert (state.nodes[TYPE].tolist(), reverse.tolist()) == ([1], [0])
    assert [mask.tolist() for mask in environment.observe(state).masks] == [
        [True],
        [[False, False]],
        [[True, True]],
        [],
    ]
    state, reverse = environment.advance(state, torch.tensor([3]))  # a node of the first, joined to node 0
    assert (state.nodes[TYPE].tolist(), state.edge_index.tolist(), reverse.tolist()) == ([1, 0], [[1, 0], [0, 1]], [2])
    state, reverse = environment.advance(state, torch.tensor([3 + 2 + 1]))  # one of the second, joined to node 1
    choice = environment.backward_actions.locate(state, reverse)
    assert (state.nodes[TYPE].tolist(), [int(part) for part in choice]) == ([1, 0, 1], [1, 2, 0])
    stop, begin, add, join = environment.observe(state).masks
    assert (stop.tolist(), begin.any(), add.any(), join.tolist()) == ([True], False, False, [False, True, False])
    end, remove, cut = environment.backward_masks(state)
    assert (end.tolist(), remove.tolist(), cut.tolist()) == ([False], [True, False, True], [False, False])
    action = environment.actions.compose(state, Choice(torch.tensor([3]), torch.tensor([1]), torch.tensor([0])))
    state, reverse = environment.advance(state, action)
    assert environment.backward_actions.locate(state, reverse).block.tolist() == [2]
    end, remove, cut = environment.backward_masks(state)
    assert (end.any(), remove.any(), cut.tolist()) == (False, False, [True, True, True])


def test_a_walk_through_all_values_of_attributes() -> None:
    """States with one of each mark, against a count of them: nothing can be reached in two ways that differ."""
    environment = GraphBuilding(OneMark())
    space = enumerate_states(environment, blank(1))
    expected = sum(
        count
        for graph in nx.graph_atlas_g()
        if 0 < len(graph) <= 3 and nx.is_connected(graph)
        for count in [markings(graph)]
    )
    assert space.num_states == 1 + expected
    assert int(space.may_finish.sum()) == expected - 2  # one node alone, marked or not, is not finished


def markings(graph: nx.Graph) -> int:
    """Ways to mark nodes and edges of a graph, alike ones counted once, by listing them."""
    found: list[nx.Graph] = []
    cells = [*graph.nodes, *graph.edges]
    for bits in range(2 ** len(cells)):
        one = graph.copy()
        for place, cell in enumerate(cells):
            (one.edges if isinstance(cell, tuple) else one.nodes)[cell]["mark"] = bits >> place & 1

        def alike(a: dict[str, int], b: dict[str, int]) -> bool:
            return a["mark"] == b["mark"]

        if not any(nx.is_isomorphic(one, other, node_match=alike, edge_match=alike) for other in found):
            found.append(one)
    return len(found)


def test_what_a_network_sees_of_attributes() -> None:
    environment = GraphBuilding(Marked())
    state = walk(environment, 1, 3)[-1]
    seen = environment.observe(state).graph
    for name, count in (("charge", 2), ("tag", 1)):
        assert seen.nodes[name].argmax(1).tolist() == state.nodes[name].tolist()
        assert seen.nodes[name].shape[1] == count + 1
    assert seen.edges["order"].argmax(1).tolist() == state.edges["order"].tolist()
    assert environment.features.nodes == {"size": 1, "degree": 1, "charge": 3, "tag": 2}


def test_graph_columns_stay_on_the_way() -> None:
    environment = coloured(4)
    instances = blank(3).with_graphs(beta=torch.tensor([1.0, 2, 3]))
    state, _ = environment.advance(environment.reset(instances), torch.tensor([1, 2, 1]))
    state, _ = environment.advance(state, torch.tensor([3, 3, 4]))
    assert state.graphs["beta"].tolist() == [1, 2, 3]


def test_graphs_are_written_as_documents() -> None:
    environment = coloured(3)
    state, _ = environment.advance(environment.reset(blank(2)), torch.tensor([1, 2]))
    state, _ = environment.advance(state, torch.tensor([4, 3]))
    lines = node_link_lines(environment, state)
    kind, edges = '{"directed":false,"multigraph":false,', '"edges":[{"source":1,"target":0}]}'
    assert lines == [
        f'{kind}"nodes":[{{"id":0,"type":0}},{{"id":1,"type":1}}],{edges}',
        f'{kind}"nodes":[{{"id":0,"type":1}},{{"id":1,"type":0}}],{edges}',
    ]
    graph = nx.node_link_graph(json.loads(lines[1]), edges="edges")
    assert type(graph) is nx.Graph
    assert (dict(graph.nodes(data="type")), list(graph.edges)) == ({0: 1, 1: 0}, [(0, 1)])
