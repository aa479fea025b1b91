"""What learning needs of queueing networks: experts that can be seen, starts, the distance to an optimum."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from graphwright.distributions import RaggedCategorical
from graphwright.envs.experts import find_expert
from graphwright.envs.queueing.conflict_graph.environment import SEND
from graphwright.envs.queueing.conflict_graph.problem import max_weight, max_weight_in_turn
from graphwright.envs.queueing.multiclass import rules
from graphwright.envs.queueing.multiclass.environment import Multiclass
from graphwright.envs.queueing.multiclass.problem import criss_cross
from graphwright.envs.queueing.multiclass.regret import regret
from graphwright.envs.queueing.multiclass.value_iteration import chain, value_iteration
from graphwright.envs.registry import CONTROLLED
from graphwright.training.config import TrainConfig
from strategies import relabelled, seeded


@pytest.mark.parametrize("name", ["conflict-graph", "conflict-graph-sequential"])
def test_what_max_weight_takes_among_equals_is_seen_and_does_not_depend_on_the_numbering(name: str) -> None:
    environment = CONTROLLED[name].environment
    instances = CONTROLLED[name].generator(sizes=(6, 7))(8, seeded(0))
    state = environment.reset(instances).with_nodes(queue=torch.ones(instances.num_nodes, dtype=torch.int64))
    moved, place = relabelled(state, seeded(1))
    if name == "conflict-graph":
        assert torch.equal(max_weight(environment, moved)[place], max_weight(environment, state))
    else:
        here = max_weight_in_turn(environment, state) + state.node_ptr[:-1]
        assert torch.equal(max_weight_in_turn(environment, moved) + state.node_ptr[:-1], place[here])


def test_any_order_of_the_links_that_max_weight_approves_of_leads_to_its_set() -> None:
    """And the order of its own, which takes the heaviest first, is one of them."""
    problem = CONTROLLED["conflict-graph-sequential"]
    environment = replace(problem.environment, initial_queue=20)
    expert, generator = find_expert(problem, environment, "max-weight"), seeded(0)
    for topology in ("grid", "watts-strogatz:k=2,p=0"):
        instances = problem.generator(topology, sizes=(9, 16))(20, seeded(1))
        state = environment.reset(instances)
        wanted = max_weight(environment, state) == SEND
        over = state.node_segments.lengths == 0
        sent = torch.zeros_like(wanted)
        for _ in range(16):
            approved = expert.advise(environment, state, state).best
            segments = environment.actions.segments(state)
            assert bool(approved[segments.ptr[:-1] + max_weight_in_turn(environment, state)].all())
            action = RaggedCategorical(torch.rand(len(approved), generator=generator), segments, approved).mode
            chosen = (state.node_segments.position == action[state.node_graph]) & ~over[state.node_graph]
            sent |= chosen
            step = environment.step(state, action)
            over = over | (step.state.graphs["slot"] > 0)
            state = step.state
        assert bool(over.all())
        assert torch.equal(sent, wanted)


@pytest.mark.parametrize("name", CONTROLLED)
def test_episodes_begin_with_packets_where_packets_wait_and_runs_with_none(name: str) -> None:
    environment = replace(CONTROLLED[name].environment, initial_queue=100)
    instances = CONTROLLED[name].generator(sizes=CONTROLLED[name].sizes[:1])(40, seeded(0))
    start = environment.reset(instances)
    queue, able = start.nodes["queue"], environment.has_queue(instances)
    assert int(queue.max()) <= 100
    assert not bool(queue[~able].any())
    most = torch.zeros(40, dtype=torch.int64).scatter_reduce(0, start.node_graph, queue, "amax")
    assert bool((most <= 3).any())
    assert bool((most > 30).any())
    assert not bool(environment.without_cuts().reset(instances).nodes["queue"].any())


def test_the_distance_to_the_optimum_is_that_of_the_stationary_distributions() -> None:
    """Of queues of up to 4 jobs, so that a dense system of equations says how often each state is met."""
    network, environment, most = criss_cross(0.6, 1.0), Multiclass(), (4, 4, 4)
    optimal = value_iteration(network, most)
    gap, simulated = regret(
        network, optimal, lambda state: rules.last_buffer_first(environment, state), decided=4, slots=1 << 21
    )
    arrival, service = chain(network, most).arrival, chain(network, most).service
    move = np.zeros((125, 125))
    index = {state: place for place, state in enumerate(np.ndindex(5, 5, 5))}
    for (a, b, c), place in index.items():
        events = [
            ((min(a + 1, 4), b, c), arrival[0]),
            ((a, min(b + 1, 4), c), arrival[1]),
            ((a, b, max(c - 1, 0)), service[1, 2]),
            # Server 0 prefers class 1, whose jobs leave; those of class 0 go on to class 2, if there is room.
            ((a, b - 1, c) if b else (max(a - 1, 0), b, min(c + (a > 0), 4)), service[0, 0]),
        ]
        for state, chance in events:
            move[place, index[state]] += chance
        move[place, place] += 1 - sum(chance for _, chance in events)
    share = np.linalg.lstsq(np.vstack([move.T - np.eye(125), np.ones(125)]), np.append(np.zeros(125), 1.0), rcond=None)[
        0
    ]
    mean = sum(share[place] * sum(state) for state, place in index.items())
    assert abs(optimal.gain + gap - mean) < 3e-3
    assert abs(simulated - mean) < 0.05


@pytest.mark.parametrize("name", CONTROLLED)
def test_the_networks_that_a_run_is_watched_on_by_default_can_be_observed(name: str) -> None:
    """Those of `multi-hop-links` had twice and five times the nodes, and more classes than there are columns for."""
    problem, config = CONTROLLED[name], TrainConfig.for_problem(name)
    sizes = config.validation.sizes or tuple(times * max(config.collection.sizes) for times in (2, 5))
    environment = problem.environment
    for size in sizes:
        instances = problem.generator(sizes=(size,))(4, seeded(0))
        assert environment.observe(environment.reset(instances)).graph.num_graphs == 4
