"""Critics that read what a team does: no leak of the own action, one pass = a loop, team by team, in any order."""

from __future__ import annotations

import pytest
import torch

from decision_environments import ENVIRONMENTS
from graphwright.core import ActionSpec, Observation, per_decider
from graphwright.functional.relaxed import one_hot
from graphwright.nn import EncoderConfig
from graphwright.nn.action_values import CounterfactualValue, JointValue
from graphwright.nn.reducers import Inputs, TeamInputs
from strategies import seeded

every = pytest.mark.parametrize("name", ["foragers", "spins of nodes", "links taken"])
both = pytest.mark.parametrize("inputs", ["pooled", "concatenated"])
ENCODER = EncoderConfig(kind="gin", width=8, depth=2)


def observed(name: str, teams: list[int] | None = None) -> tuple[ActionSpec, Observation, torch.Tensor]:
    """Of three teams, or some of them, with what they do."""
    environment, draw = ENVIRONMENTS[name]
    state = environment.reset(environment.instance(draw(3, seeded())))
    observation = environment.observe(state)
    spec = environment.actions
    legal = torch.where(spec.arrange(observation.graph, observation.masks), 0.0, -torch.inf)
    segments = spec.segments(observation.graph)
    action = torch.tensor([int(part.argmax()) for part in legal.split(segments.lengths.tolist())])
    if teams is not None:
        rows = torch.tensor(teams)
        action = spec.select(observation.graph, action, rows)
        observation = environment.observe(state.select(rows))
    return spec, observation, action


def team_inputs(inputs: Inputs) -> TeamInputs:
    return TeamInputs("coma", inputs, 12, "sum")


@every
@both
def test_no_value_of_an_agent_knows_its_own_action(name: str, inputs: Inputs) -> None:
    """Another action of an agent changes all values of its team-mates, none of its own, and none of other teams."""
    spec, observation, action = observed(name)
    environment, _ = ENVIRONMENTS[name]
    torch.manual_seed(0)
    critic = CounterfactualValue(environment.features, spec, ENCODER, team_inputs(inputs))
    decisions = spec.decisions(observation.graph)
    legal = spec.arrange(observation.graph, observation.masks)
    before = critic(observation, action).logits
    tried = 0
    for agent in range(action.numel()):
        places = legal[decisions.candidates.ptr[agent] : decisions.candidates.ptr[agent + 1]].nonzero().flatten()
        if places.numel() < 2:
            continue
        other = action.clone()
        other[agent] = places[1] if action[agent] == places[0] else places[0]
        change = (critic(observation, other).logits - before).nan_to_num().abs()
        of_agent = [float(part.max()) for part in change.split(decisions.candidates.lengths.tolist())]
        for mate, changed in enumerate(of_agent):
            if mate == agent or decisions.graphs.index[mate] != decisions.graphs.index[agent]:
                assert changed < 5e-6
            else:
                assert changed > 1e-5
        tried += 1
    assert tried > 2


@every
@both
def test_one_pass_is_the_loop_over_agents(name: str, inputs: Inputs) -> None:
    """∂ Σ Q_i / ∂ a through own_gradient = the sum over agents of ∂ Q_i / ∂ a_i, the others' actions held fixed."""
    spec, observation, action = observed(name)
    environment, _ = ENVIRONMENTS[name]
    torch.manual_seed(0)
    critic = JointValue(environment.features, spec, ENCODER, team_inputs(inputs))
    segments = spec.segments(observation.graph)
    shares = one_hot(action, segments).requires_grad_()
    values = critic.through_own(observation, shares)
    torch.testing.assert_close(values, critic(observation, shares))
    (once,) = torch.autograd.grad(values.sum(), shares)
    looped = torch.zeros_like(once)
    for agent in range(action.numel()):
        own = segments.index == agent
        mixed = torch.where(own, shares, shares.detach())
        (gradient,) = torch.autograd.grad(critic(observation, mixed)[agent], shares)
        looped += gradient
    torch.testing.assert_close(once, looped, rtol=1e-4, atol=1e-5)
    assert bool((once != 0).any())


@every
@both
def test_ragged_teams_are_as_they_are_alone(name: str, inputs: Inputs) -> None:
    environment, _ = ENVIRONMENTS[name]
    spec, observation, action = observed(name)
    torch.manual_seed(0)
    counterfactual = CounterfactualValue(environment.features, spec, ENCODER, team_inputs(inputs))
    joint = JointValue(environment.features, spec, ENCODER, team_inputs(inputs), heads=12)
    found = [], []  # type: ignore[var-annotated]
    for team in range(3):
        _, alone, own = observed(name, [team])
        found[0].append(counterfactual(alone, own).logits)
        found[1].append(joint(alone, one_hot(own, spec.segments(alone.graph))))
    shares = one_hot(action, spec.segments(observation.graph))
    expected = counterfactual(observation, action).logits, joint(observation, shares)
    for parts, whole in zip(found, expected, strict=True):
        torch.testing.assert_close(torch.cat(parts), whole, rtol=1e-4, atol=1e-4)


def test_continuous_actions_have_gradients_of_their_own() -> None:
    environment, _ = ENVIRONMENTS["spins of nodes"]
    spec = ActionSpec(per_decider("torque", continuous=2), decider="nodes")
    _, observation, action = observed("spins of nodes")
    torch.manual_seed(0)
    critic = JointValue(environment.features, spec, ENCODER, team_inputs("pooled"))
    numbers = torch.rand(action.numel(), 2, generator=seeded()).requires_grad_()
    values = critic.through_own(observation, numbers)
    (gradient,) = torch.autograd.grad(values[1], numbers)
    assert gradient.abs().sum(1).nonzero().flatten().tolist() == [1]
