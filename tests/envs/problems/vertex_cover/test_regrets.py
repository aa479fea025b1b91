"""Regrets of covers: against all covers there are, and what an expert makes of them."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings

from command_line import fails
from graphwright.core import GraphBatch, from_edges
from graphwright.envs.experts import experts_of
from graphwright.envs.problem import random_choice
from graphwright.envs.problems.vertex_cover.environment import VERTEX_COVER, VertexCover
from graphwright.envs.problems.vertex_cover.exact import exact_cover
from graphwright.envs.rollouts import play_by, unroll
from strategies import NO_LIMIT, cover_instances, relabelled, seeded, seeds

ENVIRONMENT = VertexCover()
EXPERT = experts_of(VERTEX_COVER)["regrets"]


def regrets(states: GraphBatch, environment: VertexCover = ENVIRONMENT) -> torch.Tensor:
    assert VERTEX_COVER.regrets is not None
    return VERTEX_COVER.regrets(environment, states)


def lightest(state: GraphBatch, node: int | None = None) -> float:
    """The weight of the lightest cover of one graph that has all chosen nodes, and `node` too."""
    chosen, weight = state.nodes["selected"].clone(), state.nodes["weight"].double()
    if node is not None:
        chosen[node] = True
    every = torch.tensor(list(product([False, True], repeat=state.num_nodes)))
    source, destination = state.edge_index
    is_cover = (every[:, source] | every[:, destination]).all(1) & (every | ~chosen).all(1)
    return float((every[is_cover].double() @ weight).min())


@settings(max_examples=40)
@given(cover_instances(graphs=(1, 3)), seeds)
def test_a_choice_costs_what_the_lightest_cover_with_it_weighs_more(instances: GraphBatch, seed: int) -> None:
    for environment in (ENVIRONMENT, VertexCover(legal="any")):
        for step in unroll(environment, environment.reset(instances), random_choice(environment, seeded(seed))):
            (legal,) = environment.observe(step.state).masks
            found = regrets(step.state, environment)
            assert found[~legal].isinf().all()
            for graph in range(step.state.num_graphs):
                state = step.state.select(torch.tensor([graph]))
                first = int(step.state.node_ptr[graph])
                for node in range(state.num_nodes):
                    if legal[first + node]:
                        expected = lightest(state, node) - lightest(state)
                        assert float(found[first + node]) == pytest.approx(expected, abs=1e-6)


@given(cover_instances(graphs=(1, 3)), seeds)
def test_numbers_of_nodes_do_not_matter(instances: GraphBatch, seed: int) -> None:
    other, order = relabelled(instances, seeded(seed))
    found, same = regrets(ENVIRONMENT.reset(instances)), regrets(ENVIRONMENT.reset(other))
    torch.testing.assert_close(same[order], found)


def test_whoever_never_regrets_reaches_the_optimum() -> None:
    instances = VERTEX_COVER.generator(None, (14, 18))(8, seeded())

    def act(states: GraphBatch) -> torch.Tensor:
        (legal,) = ENVIRONMENT.observe(states).masks
        approved = EXPERT.advise(ENVIRONMENT, states, states).approved
        assert approved is not None
        right = approved.masked_fill(~legal, -1)
        return torch.stack([each.argmax() for each in right.split(states.node_segments.lengths.tolist())])

    found = ENVIRONMENT.objective(play_by(ENVIRONMENT, instances, act))
    torch.testing.assert_close(found, exact_cover(instances, time_limit=NO_LIMIT).objective)


def test_how_right_a_choice_is() -> None:
    """A path of three nodes: the middle one costs 1, and the first one instead of it 0.01 more."""
    path = from_edges(
        torch.tensor([[0, 1], [1, 2]]),
        torch.tensor([3]),
        undirected=True,
        nodes={"weight": torch.tensor([0.01, 1.0, 5])},
    )
    advice = EXPERT.advise(ENVIRONMENT, ENVIRONMENT.reset(path), path)
    assert advice.approved is not None
    torch.testing.assert_close(advice.approved[:2], torch.tensor([1 / 2.718281828, 1.0]))
    assert advice.approved[2] < 1e-6
    assert advice.best.tolist() == [False, True, False]


def test_graphs_that_are_too_large_are_refused() -> None:
    ring = torch.arange(21)
    links = torch.stack([ring, (ring + 1) % 21])
    large = from_edges(links, torch.tensor([21]), undirected=True, nodes={"weight": torch.ones(21)})
    with pytest.raises(ValueError, match=r"--expert regrets: .* at most 20 nodes, and one has 21"):
        regrets(ENVIRONMENT.reset(large))


def test_graphs_that_are_too_large_are_refused_before_a_run_begins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--algorithm", "imitation", "--sizes", "8", "30", "--steps", "64", "--run", tmp_path / "run"]
    assert "--expert regrets" in fails(capsys, "train", "vertex-cover", *words)
    assert not (tmp_path / "run").exists()


def test_weights_among_which_nothing_counts_are_refused() -> None:
    """As right as exp(−regret / 0.01), every choice among such weights would be: nothing was learned without a word."""
    star = from_edges(torch.tensor([[0, 0], [1, 2]]), torch.tensor([3]), undirected=True)
    EXPERT.require(ENVIRONMENT, star.with_nodes(weight=torch.tensor([0.2, 0.5, 0.9])))
    with pytest.raises(ValueError, match="scale the weights up"):
        EXPERT.require(ENVIRONMENT, star.with_nodes(weight=torch.tensor([0.0002, 0.0005, 0.0009])))
