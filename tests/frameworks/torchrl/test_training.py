"""A small training loop of each kind, with TorchRL's own collector, loss and buffers."""

from __future__ import annotations

from collections.abc import Callable

import torch
from tensordict import NestedKey
from tensordict.nn import TensorDictModule, TensorDictModuleBase
from torch import Tensor, nn
from torchrl.collectors import Collector
from torchrl.data import LazyTensorStorage, ReplayBuffer
from torchrl.data.replay_buffers.samplers import SamplerWithoutReplacement
from torchrl.data.replay_buffers.storages import Storage
from torchrl.modules import MaskedCategorical, ProbabilisticActor
from torchrl.objectives import ClipPPOLoss
from torchrl.objectives.value import GAE

from frameworks.torchrl.graphs import make_policy
from graphwright.envs.registry import SOLVED
from graphwright.frameworks.torchrl import GraphActor, GraphCritic, GraphEnv, GraphGAE, GraphStorage, as_stored

MINIBATCH = 64


def train(
    env: GraphEnv,
    actor: TensorDictModuleBase,
    critic: TensorDictModuleBase,
    advantage: nn.Module,
    buffer: ReplayBuffer,
    *,
    iterations: int = 2,
    action: NestedKey = "action",
) -> None:
    """PPO; afterwards every parameter has had a gradient and has moved."""
    loss = ClipPPOLoss(actor, critic, entropy_coeff=0.001)
    loss.set_keys(action=action, sample_log_prob="action_log_prob")
    parameters = list(loss.parameters())
    optimizer = torch.optim.Adam(parameters, 3e-3)
    before = [parameter.detach().clone() for parameter in parameters]
    steps = 2 * MINIBATCH
    for data in Collector(env, actor, frames_per_batch=steps, total_frames=iterations * steps):
        for _ in range(2):
            buffer.empty()
            buffer.extend(advantage(data).reshape(-1))
            for minibatch in buffer:
                losses = loss(minibatch)
                optimizer.zero_grad()
                (losses["loss_objective"] + losses["loss_entropy"] + losses["loss_critic"]).backward()
                assert all(parameter.grad is not None for parameter in parameters)
                nn.utils.clip_grad_norm_(parameters, 1.0)
                optimizer.step()
    assert {id(p) for p in parameters} >= {id(p) for m in (actor, critic) for p in m.parameters()}
    for parameter, start in zip(parameters, before, strict=True):
        assert not torch.equal(parameter, start)


def mean_return(env: GraphEnv, actor: TensorDictModuleBase | None, seed: int) -> float:
    """Of whole episodes on always the same graphs."""
    env.set_seed(seed)
    torch.manual_seed(0)
    steps = env.env_config.limits.nodes + 1
    rollout = env.rollout(steps, actor, break_when_any_done=False)
    first = rollout["next", "done"].int().cumsum(1) - rollout["next", "done"].int() == 0
    return float((rollout["next", "reward"] * first).sum(1).mean())


def buffer_of(storage: Storage, **options: Callable) -> ReplayBuffer:
    return ReplayBuffer(storage=storage, sampler=SamplerWithoutReplacement(), batch_size=MINIBATCH, **options)


def test_padded_graphs_learn_vertex_cover() -> None:
    torch.manual_seed(0)
    env = GraphEnv("vertex-cover", 16, seed=0, sizes=(8, 10))
    policy = make_policy(env.env_config.environment, kind="graphconv", width=16)
    actor, critic = GraphActor(policy), GraphCritic(policy)
    test_env = GraphEnv(env.env_config, 64, seed=1)
    random = mean_return(test_env, None, seed=2)
    with torch.no_grad():
        untrained = mean_return(test_env, actor, seed=2)
    advantage = GraphGAE(gamma=1.0, lmbda=1.0, value_network=critic)
    train(env, actor, critic, advantage, buffer_of(LazyTensorStorage(2 * MINIBATCH)), iterations=12)
    with torch.no_grad():
        trained = mean_return(test_env, actor, seed=2)
    assert trained > 0.9 * max(random, untrained), (trained, random, untrained)  # returns are costs below zero


def test_ragged_graphs_in_a_ring() -> None:
    torch.manual_seed(0)
    env = GraphEnv("vertex-cover", 16, seed=0)
    policy = make_policy(env.env_config.environment)
    actor, critic = GraphActor(policy), GraphCritic(policy)
    buffer = buffer_of(GraphStorage(2 * MINIBATCH, env.schema), collate_fn=as_stored)
    advantage = GraphGAE(gamma=1.0, lmbda=1.0, value_network=critic)
    train(env, actor, critic, advantage, buffer)


def test_continuous_actions() -> None:
    torch.manual_seed(0)
    swimmers = SOLVED["locomotion"].generator()(2, torch.Generator().manual_seed(0))
    env = GraphEnv("locomotion", 4, seed=0, instances=swimmers)
    policy = make_policy(env.env_config.environment)
    actor, critic = GraphActor(policy), GraphCritic(policy)
    advantage = GraphGAE(gamma=0.99, lmbda=0.95, value_network=critic)
    train(
        env, actor, critic, advantage, buffer_of(LazyTensorStorage(2 * MINIBATCH)), iterations=1, action=env.action_name
    )


def test_an_mlp_on_flattened_graphs_under_vmap() -> None:
    """The baseline that such policies replace: TorchRL's own modules and its vectorised GAE read `GraphEnv` too."""
    torch.manual_seed(0)
    env = GraphEnv("vertex-cover", 16, seed=0)
    limits, width = env.env_config.limits, env.schema.widths["nodes"]

    def network(outputs: int) -> nn.Module:
        class Flat(nn.Sequential):
            def forward(self, nodes: Tensor) -> Tensor:
                return super().forward(nodes.flatten(-2))

        return Flat(nn.Linear(limits.nodes * width, 32), nn.Tanh(), nn.Linear(32, outputs))

    actor = ProbabilisticActor(
        TensorDictModule(network(limits.actions), in_keys=["nodes"], out_keys=["logits"]),
        in_keys={"logits": "logits", "mask": "action_mask"},
        distribution_class=MaskedCategorical,
        return_log_prob=True,
    )
    critic = TensorDictModule(network(1), in_keys=["nodes"], out_keys=["state_value"])
    data = env.rollout(10, actor, break_when_any_done=False)
    vectorised = GAE(gamma=0.9, lmbda=0.8, value_network=critic)
    without_vmap = GraphGAE(gamma=0.9, lmbda=0.8, value_network=critic)
    torch.testing.assert_close(without_vmap(data.clone())["advantage"], vectorised(data.clone())["advantage"])
    train(env, actor, critic, vectorised, buffer_of(LazyTensorStorage(2 * MINIBATCH)))
