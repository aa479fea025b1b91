"""The likelihood of given objects, estimated by taking them apart, is that of the exact distribution."""

from __future__ import annotations

import torch

from graphwright.envs.registry import find_problem
from graphwright.training.agent import Agent
from graphwright.training.config import TrainConfig, changed
from graphwright.training.networks import make_policy


def test_likelihoods_of_all_small_two_coloured_graphs_are_the_exact_ones() -> None:
    task = find_problem("two-colour")
    config = changed(
        TrainConfig.for_problem(task), {"environment": {"context": {"max_nodes": 3}}, "encoder": {"width": 8}}
    )
    torch.manual_seed(3)
    policy = make_policy(config, torch.device("cpu"))
    for parameter in policy.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    agent = Agent(task, config, policy)
    exact = agent.exact()
    assert exact is not None
    chosen = exact.space.may_finish
    objects = exact.space.states.select(chosen)
    several = objects.select(torch.arange(objects.num_graphs).repeat(50))  # 500 trajectories of each, 50 side by side
    estimated = agent.log_likelihood(several, trajectories=10).exp().double().view(50, -1).mean(0)  # errs by 1/√500
    torch.testing.assert_close(estimated, exact.sampled(policy)[chosen], rtol=0.1, atol=4e-3)
    assert abs(float(estimated.sum()) - 1) < 0.02
