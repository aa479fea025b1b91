"""Policy iteration: what forks say, against a loop over candidates, and the loss by hand."""

from __future__ import annotations

from dataclasses import replace
from math import log
from typing import Any

import pytest
import torch

from environments import small_actor_critic
from graphwright.core import GraphBatch
from graphwright.core.segment import Segments
from graphwright.data.sources import GeneratedInstances
from graphwright.envs.registry import CONTROLLED
from graphwright.functional.policy_iteration import advantages_over_worst, cost_sensitive_loss
from graphwright.training.collectors.forks import ForksConfig
from graphwright.training.config import ConfigError, TrainConfig
from strategies import seeded

AHEAD = 12


def test_an_error_counts_as_much_as_it_costs() -> None:
    """Three decisions: worth 5, 2 and one that was not tried; 1 and 1; nothing tried. Only the first says anything."""
    segments = Segments.from_lengths(torch.tensor([3, 2, 2]))
    worth = torch.tensor([5.0, 2.0, torch.nan, 1.0, 1.0, torch.nan, torch.nan])
    weight = advantages_over_worst(worth, segments)
    assert weight.tolist() == [3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    logits = torch.tensor([0.0, log(3.0), 7.0, 1.0, 2.0, 3.0, -torch.inf], requires_grad=True)
    loss = cost_sensitive_loss(logits, weight, worth.isfinite(), segments)
    assert float(loss) == pytest.approx(log(4.0))
    loss.backward()
    assert logits.grad is not None
    assert logits.grad.tolist() == pytest.approx([-0.75, 0.75, 0, 0, 0, 0, 0])


@pytest.mark.parametrize("name", ["single-hop", "conflict-graph", "conflict-graph-sequential", "multiclass"])
def test_a_fork_is_what_comes_of_a_candidate_if_the_policy_goes_on(name: str) -> None:
    problem = CONTROLLED[name]
    environment = replace(problem.environment, horizon=6, initial_queue=9)
    source = GeneratedInstances(problem.generator(sizes=problem.sizes[:1]), 0)
    config = ForksConfig(num_envs=6, num_steps=2, num_states=6, num_candidates=9, ahead=AHEAD)
    policy = small_actor_critic(environment)
    collected = config.collector(problem, environment, source, seeded()).collect(policy)
    forks, endless = collected.batch, environment.without_cuts()
    assert 0 < forks.num_steps <= 6
    for row in range(forks.num_steps):
        place = torch.tensor([row])
        state, worth = forks.states.select(place), forks.targets(place)
        seen = endless.observe(state)
        layout = endless.actions.layout(seen.graph)
        segments, best = layout.segments, policy.best(seen)
        tried = worth.isfinite().nonzero().squeeze(1)
        (decision,) = segments.index[tried].unique().tolist()
        own = segments.index == decision
        assert torch.equal(worth.isfinite(), own & layout.arrange(seen.masks))
        assert tried.numel() > 1
        expected = []
        for candidate in tried.tolist():
            action = best.clone()
            action[decision] = segments.position[candidate]
            expected.append(played(endless, policy, state, action))
        # Forks that are alike again are followed no more, so that what is common to all may be missing.
        least = [total - min(expected) for total in expected]
        assert (worth[tried] - worth[tried].min()).tolist() == pytest.approx(least, abs=1e-3)


def played(environment: Any, policy: Any, state: GraphBatch, action: torch.Tensor) -> float:
    """What a slot after the other earns, as a loop says."""
    total, slots = 0.0, 0
    while slots < AHEAD:
        before = environment.periods(state)
        step = environment.step(state, action)
        total, slots, state = (
            total + float(step.reward),
            slots + int(environment.periods(step.state) - before),
            step.state,
        )
        action = policy.best(environment.observe(state))
    return total


def test_what_is_no_choice_among_candidates_is_refused() -> None:
    with pytest.raises(ConfigError, match="needs a task that never ends, which vertex-cover has not"):
        TrainConfig.for_problem("vertex-cover", "policy-iteration")
    problem = CONTROLLED["multi-hop"]
    with pytest.raises(ConfigError, match="tries the candidates of a decision, which multi-hop has not"):
        ForksConfig().collector(
            problem, problem.environment, GeneratedInstances(problem.generator(sizes=(5,)), 0), seeded()
        )


def test_more_states_than_are_met_are_refused() -> None:
    with pytest.raises(ValueError, match=r"--num-states 9: --num-envs 4 meet 8 in --num-steps 2; .* at most 8"):
        ForksConfig(num_envs=4, num_steps=2, num_states=9)
