"""What users of TorchRL reported of graphs, by the number of the issue at pytorch/rl."""

from __future__ import annotations

import pytest
import torch
from tensordict import TensorDict, lazy_stack
from tensordict.nn import TensorDictModule, TensorDictSequential
from torch import Tensor
from torch_geometric.data import Data
from torchrl.data import ListStorage, ReplayBuffer
from torchrl.objectives import ClipPPOLoss
from torchrl.objectives.value import GAE

from frameworks.torchrl.graphs import make_policy
from graphwright.core import ActionSpec, Features, per_node
from graphwright.frameworks.torchrl import DenseGraphs, GraphActor, GraphActorCritic, GraphCritic, GraphEnv, GraphGAE
from graphwright.nn import ActorCritic, EncoderConfig, HeadsConfig

close = {"rtol": 1e-5, "atol": 1e-5}


def make_dense_policy(columns: int) -> ActorCritic:
    torch.manual_seed(0)
    actions = ActionSpec(per_node("select"))
    return ActorCritic(Features(nodes={"x": columns}), actions, EncoderConfig(width=8, depth=2), HeadsConfig())


def within_reach(positions: Tensor) -> Tensor:
    """[*, n, n] bool: a radius graph."""
    return torch.cdist(positions, positions) < 0.8


def moving_points() -> TensorDict:
    """A rollout [4, 6] of five points in the plane."""
    torch.manual_seed(0)
    ends = torch.rand(4, 6, 1) < 0.2
    points = torch.rand(4, 7, 5, 2)
    size = {"num_nodes": torch.full((4, 6), 5)}
    outcome = {"observation": points[:, 1:], "reward": torch.randn(4, 6, 1), "done": ends, "terminated": ends, **size}
    return TensorDict({"observation": points[:, :-1], "next": TensorDict(outcome, [4, 6]), **size}, [4, 6])


def test_issue_1154_pyg_data_in_a_tensordict() -> None:
    """The tensors of `Data` objects of any sizes, stacked lazily, through a buffer into one forward."""
    torch.manual_seed(0)
    data = [Data(x=torch.randn(n, 3), edge_index=torch.randint(n, (2, 2 * n))) for n in (1, 4, 7, 4)]
    graphs = [TensorDict(observation=graph.x, edge_index=graph.edge_index) for graph in data]
    both = GraphActorCritic(make_dense_policy(3), DenseGraphs)
    buffer = ReplayBuffer(storage=ListStorage(10), collate_fn=lazy_stack, batch_size=16)
    buffer.extend(lazy_stack(graphs))
    together = both(buffer.sample())
    assert together["action"].shape == (16,)
    value = torch.stack([both(graph.clone())["state_value"] for graph in graphs])
    distance = (together["state_value"].unsqueeze(1) - value).abs().squeeze(2)
    assert bool((distance.min(1).values < 1e-5).all())


def test_issue_1576_pyg_layers_in_a_loss() -> None:
    env = GraphEnv("vertex-cover", 3, seed=0)
    policy = make_policy(env.env_config.environment, kind="graphconv", layer="torch_geometric.nn:TransformerConv")
    actor, critic = GraphActor(policy), GraphCritic(policy)
    loss = ClipPPOLoss(actor, critic)
    data = GraphGAE(gamma=1.0, lmbda=1.0, value_network=critic)(env.rollout(3, actor).detach())
    losses = loss(data)
    (losses["loss_objective"] + losses["loss_critic"] + losses["loss_entropy"]).backward()
    assert all(parameter.grad is not None for parameter in policy.parameters())


def test_issue_2537_radius_graph_in_a_critic() -> None:
    """A graph that is built from the observation has no fixed size: vmap cannot follow, one ragged batch can."""
    radius = TensorDictModule(within_reach, in_keys=["observation"], out_keys=["adjacency"])
    critic = TensorDictSequential(radius, GraphCritic(make_dense_policy(2), DenseGraphs))
    data = moving_points()
    with pytest.raises(RuntimeError, match=r"vmap.*deactivate_vmap=True"):
        GAE(gamma=0.9, lmbda=0.8, value_network=critic)(data.clone())
    found = GraphGAE(gamma=0.9, lmbda=0.8, value_network=critic)(data.clone())
    expected = GAE(gamma=0.9, lmbda=0.8, value_network=critic, deactivate_vmap=True)(data.clone())
    for key in ("advantage", "value_target"):
        torch.testing.assert_close(found[key], expected[key], **close)


def test_issue_2537_radius_graph_in_a_loss() -> None:
    policy = make_dense_policy(2)
    radius = TensorDictModule(within_reach, in_keys=["observation"], out_keys=["adjacency"])
    actor, critic = GraphActor(policy, DenseGraphs), TensorDictSequential(radius, GraphCritic(policy, DenseGraphs))
    data = actor(radius(moving_points())).detach()
    data = GraphGAE(gamma=0.9, lmbda=0.8, value_network=critic)(data)
    losses = ClipPPOLoss(actor, critic)(data)
    (losses["loss_objective"] + losses["loss_critic"] + losses["loss_entropy"]).backward()
    assert all(parameter.grad is not None for parameter in policy.parameters())
