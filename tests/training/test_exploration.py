"""Exploration: how often each action is drawn, against the mixture that the settings say."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from graphwright.core import ActionSpec, from_edges, per_graph, per_node
from graphwright.distributions import RaggedCategorical
from graphwright.training.exploration import ExplorationConfig, explore
from strategies import seeded

LOGITS = [torch.tensor([1.0, 2, 3, 0, -1, 1]), torch.tensor([0.5, 2, 0, 1])]
SPEC = ActionSpec(per_graph("stop"), per_node("add", 2))
STOPS = torch.tensor([1.5, 0.0])
TIMES = 20_000


def drawn(config: ExplorationConfig, mask: list[Tensor] | None = None) -> list[Tensor]:
    """How often each candidate of graphs with 3 and 2 nodes is drawn."""
    one = from_edges(torch.zeros(2, 0), torch.tensor([3, 2]), undirected=True)
    graph = one.select(torch.arange(2).repeat(TIMES))
    nodes = torch.cat(LOGITS).view(-1, 2)
    rows = one.node_segments.select(torch.arange(2).repeat(TIMES))[1]
    legal = None
    if mask is not None:
        legal = SPEC.arrange(graph, [mask[0].repeat(TIMES), mask[1][rows]])
    logits = SPEC.arrange(graph, [STOPS.repeat(TIMES), nodes[rows]])
    distribution = RaggedCategorical(logits, SPEC.segments(graph), legal)
    before = distribution.log_probs.clone()
    actions = explore(distribution, SPEC, graph, config, seeded(0)).view(TIMES, 2)
    assert torch.equal(distribution.log_probs, before)
    assert torch.equal(distribution.logits, RaggedCategorical(logits, SPEC.segments(graph), legal).logits)
    return [torch.bincount(actions[:, place], minlength=size) for place, size in ((0, 7), (1, 5))]


def assert_frequent(count: Tensor, probs: Tensor) -> None:
    """By χ²; what is impossible is never drawn."""
    possible = probs > 0
    assert count[~possible].sum() == 0
    expected = TIMES * probs[possible]
    statistic = float(((count[possible] - expected).square() / expected).sum())
    assert statistic < 24.3  # with 7 degrees of freedom: exceeded once in 1000


def policies(temperature: float = 1.0) -> list[Tensor]:
    """The softmax of each graph: stop, then its nodes."""
    stops = STOPS.split(1)
    return [(torch.cat(parts) / temperature).softmax(0) for parts in zip(stops, LOGITS, strict=True)]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_temperature(temperature: float) -> None:
    for count, probs in zip(
        drawn(ExplorationConfig(temperature=temperature, epsilon=0)), policies(temperature), strict=True
    ):
        assert_frequent(count, probs)


@pytest.mark.parametrize("epsilon", [0.1, 1.0])
def test_epsilon_is_uniform_over_what_is_legal(epsilon: float) -> None:
    for count, probs in zip(drawn(ExplorationConfig(epsilon=epsilon)), policies(), strict=True):
        assert_frequent(count, (1 - epsilon) * probs + epsilon / probs.numel())


def test_blocks_have_shares_of_their_own() -> None:
    config = ExplorationConfig(temperature=2.0, epsilon=0.1, block_epsilon=(0.2, 0.3))
    for count, probs in zip(drawn(config), policies(2.0), strict=True):
        nodes = torch.ones_like(probs)
        nodes[0] = 0
        mixture = 0.4 * probs + 0.1 / probs.numel() + 0.3 * nodes / nodes.sum()
        mixture[0] += 0.2
        assert_frequent(count, mixture)


def test_a_block_without_a_legal_candidate_is_left_to_the_policy() -> None:
    """The first graph may not stop, the second may do nothing else."""
    stop, nodes = torch.tensor([False, True]), torch.ones(5, 2, dtype=torch.bool)
    nodes[3:] = False
    nodes[0, 1] = False
    config = ExplorationConfig(epsilon=0.1, block_epsilon=(0.5, 0.2))
    first, second = drawn(config, [stop, nodes])
    legal = torch.tensor([False, True, False, True, True, True, True])
    probs = torch.cat([STOPS[:1], LOGITS[0]]).masked_fill(~legal, -torch.inf).softmax(0)
    uniform = legal / legal.sum()
    assert_frequent(first, 0.7 * probs + 0.3 * uniform)
    assert second.tolist() == [TIMES, 0, 0, 0, 0]


def test_where_nothing_is_legal_nothing_is_drawn() -> None:
    graph = from_edges(torch.zeros(2, 0), torch.tensor([0, 1]), undirected=True)
    spec = ActionSpec(per_node("add"))
    distribution = RaggedCategorical(torch.zeros(1), spec.segments(graph))
    config = ExplorationConfig(epsilon=0.5, block_epsilon=(0.5,))
    assert explore(distribution, spec, graph, config, seeded(0)).tolist() == [-1, 0]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"epsilon": -0.1}, r"exploration\.epsilon -0\.1: give 0 to 1"),
        ({"epsilon": 0.6, "block_epsilon": (0.5,)}, r"exploration\.block-epsilon 0\.5: with epsilon 0\.6 more than 1"),
        ({"block_epsilon": (-0.1,)}, r"exploration\.block-epsilon -0\.1: give 0 to 1"),
        ({"temperature": 0.0}, r"exploration\.temperature 0\.0: give at least 1e-06"),
    ],
)
def test_shares_that_are_none_are_refused(options: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ExplorationConfig(**options)  # type: ignore[arg-type]
