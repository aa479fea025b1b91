"""A state table gives back every state exactly, and stores of each only what `reset` added."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from environments import ENVIRONMENTS, PAIR
from graphwright.core import GraphBatch
from graphwright.data.states import StateTable
from graphwright.envs.environment import Environment
from graphwright.envs.problem import random_choice
from graphwright.envs.problems.vertex_cover.environment import VertexCover
from graphwright.envs.rollouts import Transition, unroll
from strategies import alone, assert_same_batch, cover_instances, seeded, seeds, some_of

environments = st.sampled_from(list(ENVIRONMENTS.values()))


def record(environment: Environment, instances: GraphBatch, seed: int) -> tuple[StateTable, list[GraphBatch]]:
    """The table of random episodes' states, first states included, and the states one by one."""
    start = environment.reset(instances)
    choose = random_choice(environment, seeded(seed))
    played: list[Transition] = list(unroll(environment, start, choose))
    rows = [torch.arange(instances.num_graphs), *(transition.episode for transition in played)]
    states = [start, *(transition.step.state for transition in played)]
    singles = [alone(state, index) for state in states for index in range(state.num_graphs)]
    return StateTable.of(instances, rows, states), singles


@given(environments, cover_instances(graphs=(1, 4)), seeds, st.data())
def test_every_state_comes_back_exactly(
    environment: Environment, instances: GraphBatch, seed: int, data: st.DataObject
) -> None:
    table, singles = record(environment, instances, seed)
    assert table.num_states == len(singles)
    rows = data.draw(some_of(len(singles)))
    chosen = table.select(torch.tensor(rows, dtype=torch.int64))
    chosen.validate()
    for index, row in enumerate(rows):
        assert_same_batch(alone(chosen, index), singles[row])


@given(environments, cover_instances(graphs=(1, 4)), seeds)
def test_only_added_columns_are_stored_for_each_state(
    environment: Environment, instances: GraphBatch, seed: int
) -> None:
    table, singles = record(environment, instances, seed)
    assert_same_batch(table.instances, instances)
    per_state = 4  # the row of its instance, int32
    nodes, edges = (sum(getattr(state, name) for state in singles) for name in ("num_nodes", "num_edges"))
    added = nodes if isinstance(environment, VertexCover) else 4 * nodes + edges + 8 * len(singles)
    assert table.num_bytes == added + per_state * len(singles)


def test_a_state_of_vertex_cover_is_one_byte_a_node() -> None:
    table, _ = record(VertexCover(), PAIR, seed=0)
    assert list(table.nodes) == ["selected"]
    assert table.nodes["selected"].element_size() == 1
    assert not table.edges
    assert not table.graphs
