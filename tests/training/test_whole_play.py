"""Many nodes decided at once by a look at the whole graph."""

from __future__ import annotations

import torch

from graphwright.core import from_edges
from graphwright.core.segment import segment_sum
from graphwright.envs.problems.max_cut.environment import MaxCut
from graphwright.envs.problems.max_cut.gains import coupling
from graphwright.envs.registry import SOLVED
from graphwright.nn import EncoderConfig, GraphPolicy, HeadsConfig
from graphwright.training.decode import decode
from graphwright.training.whole_play import play_at_once
from strategies import assert_same, assert_same_batch, seeded

GRAPHS = SOLVED["max-cut"].generator("barabasi-albert", (8, 12))(3, seeded())


def policy_of(environment: MaxCut) -> GraphPolicy:
    torch.manual_seed(0)
    return GraphPolicy(environment.features, environment.actions, EncoderConfig(width=8, depth=1), HeadsConfig())


def apart(state) -> torch.Tensor:
    """The first node of each graph, and the last one that no edge joins to it."""
    found = []
    for first, end in zip(state.node_ptr[:-1].tolist(), state.node_ptr[1:].tolist(), strict=True):
        source, destination = state.edge_index
        joined = set(source[destination == first].tolist())
        found += [first, max(set(range(first + 1, end)) - joined)]
    return torch.tensor(found)


def test_flips_at_once_are_flips_one_after_the_other() -> None:
    environment = MaxCut()
    state = environment.reset(GRAPHS)
    nodes = apart(state)
    together = environment.decide(state, nodes)
    one, other = (nodes[place::2] - state.node_ptr[:-1] for place in (0, 1))
    for order in ((one, other), (other, one)):
        after = state
        for action in order:
            after = environment.step(after, action).state
        assert_same(together.nodes["side"], after.nodes["side"])
        torch.testing.assert_close(together.graphs["cut"], after.graphs["cut"])
        assert_same(together.graphs["time"], after.graphs["time"])
    torch.testing.assert_close(together.graphs["cut"], environment.objective(together))
    assert (together.graphs["best_cut"] == together.graphs["cut"].clamp(min=0)).all()


def test_what_is_flipped_at_once_is_a_cut_and_the_same_each_time() -> None:
    environment = MaxCut()
    policy = policy_of(environment)
    found = decode(policy, environment, GRAPHS, "parallel")
    assert_same_batch(found, decode(policy, environment, GRAPHS, "parallel"))
    torch.testing.assert_close(found.graphs["best_cut"], environment.objective(found))
    assert (found.graphs["time"] >= 2 * found.node_segments.lengths).all()
    coupled = coupling(environment.reset(GRAPHS))
    assert (found.graphs["best_cut"] <= segment_sum(coupled.clamp(min=0), GRAPHS.edge_segments) / 2 + 1e-9).all()


def test_one_at_a_time_where_all_nodes_are_near() -> None:
    """In a complete graph the best node alone is chosen: the greedy decisions."""
    environment = MaxCut()
    policy = policy_of(environment)
    edges, count = torch.combinations(torch.arange(9)).T, torch.tensor([9])
    weight = torch.rand(36, dtype=torch.float64, generator=seeded()) - 0.3
    instance = environment.instance(from_edges(edges, count, undirected=True, edges={"weight": weight}))
    with torch.no_grad():
        found = play_at_once(policy, environment, instance, 1)
    assert_same_batch(found, decode(policy, environment, instance, "greedy"))
