"""The law of what decides at the cost of what changes: it is the full pass, bit for bit."""

from __future__ import annotations

import torch

from graphwright.core import GraphBatch
from graphwright.envs.environment import Environment
from graphwright.nn import GraphPolicy
from graphwright.training.compared_play import ComparedPlay
from graphwright.training.local_play import LocalPlay
from strategies import assert_same


@torch.no_grad()
def assert_equals_full_pass(
    policy: GraphPolicy, environment: Environment, instance: GraphBatch, play: LocalPlay | ComparedPlay
) -> tuple[GraphBatch, int]:
    """Scores and decisions of `play` from the first to the last step; the last state, and how many steps there were."""
    state, steps = environment.reset(instance), 0
    while bool((observation := environment.observe(state)).masks[0].any()):
        best = policy.best(observation)
        assert_same(play.best(), best)
        assert_same(play._policy.refresh(), policy.distribution(observation).logits)
        assert_same(play.best(), best)
        state = environment.step(state, best).state
        play.decide(best)
        steps += 1
    assert not play.best().numel()
    return state, steps
