"""Mixers: monotone, the same for any order of the agents, team by team, and sums where their weights are constant."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from decision_environments import ENVIRONMENTS
from graphwright.core import GraphBatch
from graphwright.core.segment import segment_sum
from graphwright.nn import EncoderConfig
from graphwright.nn.mixers import AgentWeights, Monotone, PlacedWeights, Sum
from graphwright.nn.reducers import Inputs, TeamInputs
from strategies import alone, relabelled, seeded

every = pytest.mark.parametrize("name", ENVIRONMENTS)
both = pytest.mark.parametrize("inputs", ["pooled", "concatenated"])


def made(name: str, inputs: Inputs, most: int = 12) -> tuple[Monotone, GraphBatch]:
    environment, draw = ENVIRONMENTS[name]
    torch.manual_seed(0)
    encoder = EncoderConfig(kind="gin", width=8, depth=2)
    mixer = Monotone(environment.features, environment.actions, encoder, TeamInputs("qmix", inputs, most, "sum"), 4)
    graph = environment.observe(environment.reset(environment.instance(draw(3, seeded())))).graph
    return mixer, graph


@every
@both
def test_more_of_any_agents_value_is_never_less_of_the_teams(name: str, inputs: Inputs) -> None:
    mixer, graph = made(name, inputs)
    agents = mixer.team.actions.deciders(graph)
    for seed in range(5):
        values = 5 * torch.randn(agents.num_rows, generator=seeded(seed))
        values.requires_grad_()
        (gradient,) = torch.autograd.grad(mixer(values, graph).sum(), values)
        assert bool((gradient >= 0).all())
        assert bool((gradient > 0).any())


@every
def test_a_team_in_another_order_is_the_same_team(name: str) -> None:
    if name == "links taken":
        pytest.skip("the order of links follows that of nodes")
    mixer, graph = made(name, "pooled")
    other, new = relabelled(graph, seeded(1))
    row = mixer.team.actions.decider.deciders(graph)[0]
    of_node = torch.zeros(graph.num_nodes)
    values = torch.randn(row.numel(), generator=seeded())
    of_node[new[row]] = values
    moved = of_node[mixer.team.actions.decider.deciders(other)[0]]
    torch.testing.assert_close(mixer(moved, other), mixer(values, graph), rtol=1e-4, atol=1e-4)


@every
@both
def test_ragged_teams_are_as_they_are_alone(name: str, inputs: Inputs) -> None:
    mixer, graph = made(name, inputs)
    agents = mixer.team.actions.deciders(graph)
    values = torch.randn(agents.num_rows, generator=seeded())
    together = mixer(values, graph)
    for team in range(graph.num_graphs):
        own = values[agents.ptr[team] : agents.ptr[team + 1]]
        torch.testing.assert_close(mixer(own, alone(graph, team))[0], together[team], rtol=1e-4, atol=1e-4)


@every
@both
def test_vdn_is_qmix_with_constant_weights(name: str, inputs: Inputs) -> None:
    """Where the hypernetworks make 1 of everything, and biases that keep elu where it is the identity."""
    mixer, graph = made(name, inputs)
    agents = mixer.team.actions.deciders(graph)
    values = torch.randn(agents.num_rows, generator=seeded())
    assert isinstance(mixer.first, AgentWeights | PlacedWeights)
    last = mixer.second_bias[-1]
    assert isinstance(last, nn.Linear)
    constants = {mixer.first.out: 1.0, mixer.first_bias: 50.0, mixer.second: -0.25, last: -50.0}
    with torch.no_grad():
        for layer, constant in constants.items():
            layer.weight.zero_()
            layer.bias.fill_(constant)
    torch.testing.assert_close(mixer(values, graph), segment_sum(values, agents), rtol=0, atol=1e-4)
    torch.testing.assert_close(Sum(mixer.team.actions)(values, graph), segment_sum(values, agents))


def test_more_agents_than_there_are_places_for_are_refused() -> None:
    mixer, graph = made("spins of nodes", "concatenated", most=4)
    with pytest.raises(ValueError, match=r"^--qmix.max-agents 4: a graph has 6 agents; give at least 6, or take"):
        mixer(torch.zeros(graph.num_nodes), graph)
