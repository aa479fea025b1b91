"""Each network against a loop in plain Python that is fed with the same random numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.problem import random_choice
from graphwright.envs.queueing.conflict_graph.environment import ConflictGraph
from graphwright.envs.queueing.multi_hop.environment import MultiHop, back_pressure, shortest_path_bias
from graphwright.envs.queueing.multi_hop.packets import sent_over
from graphwright.envs.queueing.multi_hop.problem import MULTI_HOP
from graphwright.envs.queueing.multipath.environment import Multipath, expected_wait, shortest_queue
from graphwright.envs.queueing.network import ARRIVALS, SERVICES
from graphwright.envs.queueing.single_hop.environment import SingleHop, longest_queue, max_weight
from graphwright.envs.randomness import graph_streams, node_streams, poisson, uniform
from queueing_networks import DIAMOND, FOUR_QUEUES, instance_of, queues


def drawn(instances: GraphBatch, slots: int, which: int) -> np.ndarray:
    """[slots, N] the uniform numbers of each node."""
    streams = node_streams(instances)
    return np.stack([uniform(streams, torch.full_like(streams, slot), which).numpy() for slot in range(slots)])


def test_the_random_numbers_are_uniform_and_their_counts_poisson() -> None:
    instances = instance_of(SingleHop(), FOUR_QUEUES, 50)
    numbers = drawn(instances, 200, ARRIVALS)
    assert stats.kstest(numbers.ravel(), "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(numbers[:-1].ravel(), numbers[1:].ravel())[0, 1]) < 0.02
    assert abs(np.corrcoef(numbers[:, :-1].ravel(), numbers[:, 1:].ravel())[0, 1]) < 0.02
    means = torch.tensor([0.0, 0.3, 4.0, 60.0], dtype=torch.float64).repeat_interleave(500)
    some = torch.from_numpy(numbers.ravel()[:2000].copy())
    assert torch.equal(poisson(some, means), torch.from_numpy(stats.poisson.ppf(some, means)).clamp(min=0).long())


def test_single_hop_is_the_loop_that_its_docstring_says() -> None:
    environment, slots = SingleHop(), 60
    instances = instance_of(environment, FOUR_QUEUES, 3)
    mean = np.tile([2, 3, 2, 1], 3), np.tile([8, 12, 6, 4], 3)
    arrivals = stats.poisson.ppf(drawn(instances, slots + 1, ARRIVALS), mean[0])
    services = stats.poisson.ppf(drawn(instances, slots + 1, SERVICES), mean[1])
    state, queue = environment.reset(instances), np.zeros(12)
    for slot in range(slots):
        assert (state.nodes["capacity"].numpy() == services[slot]).all()
        action = max_weight(environment, state)
        for graph in range(3):
            own = slice(4 * graph, 4 * graph + 4)
            weight = queue[own] * services[slot][own]
            assert int(action[graph]) == (int(np.argmax(weight)) if weight.max() > 0 else 4)
            if weight.max() > 0:
                row = 4 * graph + int(np.argmax(weight))
                queue[row] = max(queue[row] - services[slot][row], 0)
        queue += arrivals[slot]
        step = environment.step(state, action)
        state = step.state
        assert (state.nodes["queue"].numpy() == queue).all()
        assert step.reward.tolist() == [-queue[4 * graph : 4 * graph + 4].sum() for graph in range(3)]


def test_what_may_be_served() -> None:
    environment = SingleHop()
    state = environment.reset(instance_of(environment, FOUR_QUEUES))
    assert environment.observe(state).masks[1].tolist() == [True]  # all is empty: to idle
    state = state.with_nodes(queue=torch.tensor([1, 5, 9, 0]), capacity=torch.tensor([0, 4, 2, 3]))
    assert [mask.tolist() for mask in environment.observe(state).masks] == [[False, True, True, False], [False]]
    hidden = SingleHop(hide_capacity=True)
    assert hidden.observe(state).masks[0].tolist() == [True, True, True, False]
    assert "capacity" not in hidden.observe(state).graph.nodes
    assert max_weight(environment, state).item() == 1
    assert longest_queue(environment, state).item() == 2
    assert max_weight(hidden, state).item() == 1  # 5 · 12 against 9 · 6


def test_multipath_routes_all_of_a_slot() -> None:
    environment = Multipath()
    document = queues([0, 0], [3, 1], "fixed", stream=2)
    state = environment.reset(instance_of(environment, document))
    state = state.with_nodes(queue=torch.tensor([4, 1]))
    assert shortest_queue(environment, state).item() == 1
    assert expected_wait(environment, state).item() == 0 + (5 / 3 > 2 / 1)
    step = environment.step(state, torch.tensor([1]))
    assert step.state.nodes["queue"].tolist() == [1, 2]
    assert step.reward.item() == -3.0
    stream = instance_of(environment, queues([0, 0], [3, 1], stream=2.5))
    came = stats.poisson.ppf(uniform(graph_streams(stream), torch.zeros(1, dtype=torch.int64), ARRIVALS).numpy(), 2.5)
    assert environment.step(environment.reset(stream), torch.tensor([0])).state.nodes["queue"].tolist() == [came[0], 0]


def test_links_that_conflict_send_in_vain() -> None:
    environment = ConflictGraph(collision_cost=2.0)
    document = queues([0, 0, 0], [2, 1, 1], "fixed") | {
        "links": [{"source": 0, "target": 1}, {"source": 1, "target": 2}]
    }
    state = environment.reset(instance_of(environment, document)).with_nodes(queue=torch.tensor([5, 3, 2]))
    step = environment.step(state, torch.tensor([1, 1, 0]))
    assert step.state.nodes["queue"].tolist() == [5, 3, 2]
    assert step.reward.item() == -10.0 - 4.0
    step = environment.step(state, torch.tensor([1, 0, 1]))
    assert step.state.nodes["queue"].tolist() == [3, 3, 1]
    assert step.reward.item() == -7.0
    with pytest.raises(ValueError, match=r"environment.collision-cost -2.0: give at least 0"):
        ConflictGraph(collision_cost=-2.0)  # which paid for sending in vain


def test_back_pressure_is_the_loop_that_its_docstring_says() -> None:
    """By hand: Δ of 0 → 1 → 3 and 0 → 2 → 3, d(3) = 0, d(1) = 1, d(2) = 0.5, d(0) = 1.5."""
    environment = MultiHop()
    state = environment.reset(instance_of(environment, DIAMOND))
    first = state.nodes["layer"] == 0  # to node 3, the first class of the file
    assert state.nodes["distance"][first].tolist() == [1.5, 1.0, 0.5, 0.0]
    links = {}
    for edge, (one, other) in enumerate(state.edge_index.T.tolist()):
        if bool(first[one]):
            links[state.nodes["place"][one].item(), state.nodes["place"][other].item()] = edge
    bias = shortest_path_bias(state)
    assert [round(bias[links[link]].item(), 9) for link in ((0, 1), (0, 2), (1, 3), (2, 3), (2, 1))] == [2, 1, 1, 2, -2]
    queue = torch.zeros_like(state.nodes["queue"])
    queue[first] = torch.tensor([2, 1, 1, 0])
    state = state.with_nodes(queue=queue)
    chosen, weight = back_pressure(state, bias)
    assert {link for link, edge in links.items() if chosen[edge]} == {(0, 1), (0, 2), (1, 3), (2, 3)}
    assert weight[links[0, 1]] == 3
    assert weight[links[0, 2]] == 2
    sent = sent_over(state, chosen, weight * state.edges["rate"])
    assert {link: int(sent[edge]) for link, edge in links.items()} == {
        (0, 1): 2,
        (0, 2): 0,
        (1, 3): 1,
        (2, 3): 1,
        (2, 1): 0,
    }
    after = environment.send(state, chosen, weight * state.edges["rate"])
    assert after.graphs["departed"].item() == 2
    assert after.graphs["backlog"].item() == 2


def test_packets_are_neither_lost_nor_made() -> None:
    """Whatever is decided, what came less what left is what waits."""
    environment = MultiHop()
    instances = MULTI_HOP.generator()(6, torch.Generator().manual_seed(0))
    for name, baseline in MULTI_HOP.baselines.items():
        played = baseline.environment(environment)
        rule = baseline.rule if name != "back-pressure" else _random(environment)
        state, total = played.reset(instances), torch.zeros(6, dtype=torch.float64)
        for _ in range(50):
            before = total
            state = played.step(state, rule(played, state)).state
            total = total + state.graphs["arrived"] - state.graphs["departed"]
            counted = total if name == "shortest-path" else before - state.graphs["departed"]
            assert torch.equal(state.graphs["backlog"], counted)


def test_a_bias_that_is_held_is_set_anew_in_every_slot() -> None:
    """Holding is what comes of the same bias slot after slot; its cost is the mean; evaluation does not hold."""
    instances = MULTI_HOP.generator()(5, torch.Generator().manual_seed(3))
    held, anew = MultiHop(hold=7, reward="log"), MultiHop()
    bias = torch.rand(int((~instances.nodes["destination"]).sum()), 1, generator=torch.Generator().manual_seed(4)) - 0.5
    step, state, backlog = held.step(held.reset(instances), bias), anew.reset(instances), 0.0
    for _ in range(7):
        state = anew.step(state, bias).state
        backlog = backlog + state.graphs["backlog"]
    assert step.state.nodes["queue"].equal(state.nodes["queue"])
    assert torch.allclose(step.reward.double(), -torch.log1p(backlog / 7))
    assert held.without_cuts().hold == 1


def test_a_hop_counts_sixteen_packets_whoever_sets_the_bias() -> None:
    instances = MULTI_HOP.generator()(5, torch.Generator().manual_seed(5))
    potential = instances.nodes["hops"][~instances.nodes["destination"]].float().unsqueeze(1)
    ours, named = MultiHop(bias="none", strength=16.0), MultiHop(bias="hops")
    one, other = ours.reset(instances), named.reset(instances)
    for _ in range(30):
        one, other = ours.step(one, potential).state, named.step(other, torch.zeros_like(potential)).state
        assert one.nodes["queue"].equal(other.nodes["queue"])


def _random(environment: MultiHop) -> object:
    choose = random_choice(environment, torch.Generator().manual_seed(0))

    def rule(_: object, state: GraphBatch) -> Tensor:
        return choose(environment.observe(state))

    return rule
