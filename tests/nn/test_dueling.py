"""Dueling values: their mean over what is legal is the state's value, of all decisions together."""

from __future__ import annotations

import pytest
import torch

from decision_environments import ENVIRONMENTS
from graphwright.core.segment import segment_mean, segment_sum
from graphwright.distributions import RaggedCategorical
from graphwright.envs.generators import ErdosRenyi, InstanceGenerator
from graphwright.envs.problems.vertex_cover.environment import VertexCover
from graphwright.nn import EncoderConfig, HeadsConfig
from graphwright.nn.dueling import DuelingValues
from strategies import seeded

CASES = {"vertex-cover": (VertexCover(), InstanceGenerator(ErdosRenyi(p=0.5), sizes=(3, 5))), **ENVIRONMENTS}


@pytest.mark.parametrize("name", CASES)
def test_means_over_what_is_legal_add_up_to_the_value(name: str) -> None:
    environment, draw = CASES[name]
    torch.manual_seed(0)
    network = DuelingValues(
        environment.features, environment.actions, EncoderConfig(kind="gin", width=8, depth=2), HeadsConfig()
    )
    observation = environment.observe(environment.reset(environment.instance(draw(4, seeded()))))
    scores, value = network(observation)
    values = network.distribution(observation)
    assert isinstance(scores, RaggedCategorical)
    assert isinstance(values, RaggedCategorical)
    assert torch.equal(values.legal, scores.legal)
    assert torch.equal(values.mode, scores.mode)
    legal = values.legal
    count = segment_sum(legal.long(), values.segments)
    mean = segment_sum(values.logits.masked_fill(~legal, 0), values.segments) / count.clamp(min=1)
    graphs = environment.actions.deciders(observation.graph)
    assert bool((count > 0).all())
    torch.testing.assert_close(segment_sum(mean, graphs), value)
    torch.testing.assert_close(segment_mean(mean, graphs) * graphs.lengths, value)
