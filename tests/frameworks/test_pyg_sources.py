"""PyG inside: its data sets are sources of instances, its layers are encoders."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch_geometric.nn as pyg
from torch import nn
from torch_geometric.data import Batch, Data, HeteroData
from torch_geometric.loader import DataLoader

from environments import small_actor_critic
from graphwright.adapters.pyg import from_pyg, from_pyg_dataset, to_pyg
from graphwright.algorithms.ppo import PPO, PPOConfig
from graphwright.core import GraphBatch, GraphError
from graphwright.data.sources import FixedInstances
from graphwright.envs.problem import random_choice
from graphwright.envs.problems.vertex_cover.environment import VERTEX_COVER, VertexCover
from graphwright.envs.rollouts import play
from graphwright.envs.vector import VectorEnvironment
from graphwright.frameworks.env_config import make_env_config
from graphwright.nn import ActorCritic, EncoderConfig, HeadsConfig
from graphwright.training.agent import Agent
from graphwright.training.collectors.steps import StepCollector
from graphwright.training.config import TrainConfig
from graphwright.training.evaluate import EvaluationOptions, evaluate
from strategies import assert_same_batch, seeded


def data_set(count: int = 6) -> list[Data]:
    """Weighted graphs of 4 to 7 nodes as PyG has them, without what Graphwright notes."""
    graphs = VERTEX_COVER.generator(sizes=(4, 5, 6, 7))(count, seeded(3))
    return [
        Data(edge_index=one.edge_index, weight=one.weight, num_nodes=one.num_nodes)
        for one in to_pyg(graphs).to_data_list()
    ]


def test_a_list_and_a_loader_give_the_same_instances() -> None:
    examples = data_set()
    expected = GraphBatch.concat([from_pyg(example) for example in examples])
    assert "reverse" in expected.edges
    for dataset in (examples, DataLoader(examples, batch_size=4), [Batch.from_data_list(examples[:5]), examples[5]]):
        assert_same_batch(from_pyg_dataset(dataset), expected)


def test_tables_are_told_apart_over_all_graphs() -> None:
    """In the first graph there are as many edges as nodes."""
    ring = Data(edge_index=torch.tensor([[0, 1], [1, 0]]), length=torch.ones(2), num_nodes=2)
    path = Data(edge_index=torch.tensor([[0, 1], [1, 0]]), length=torch.ones(2), num_nodes=3)
    for dataset in ([ring, path], DataLoader([ring, path], batch_size=1)):
        assert "length" in from_pyg_dataset(dataset).edges


def test_data_of_several_types_is_a_data_set_too() -> None:
    data = HeteroData(a={"x": torch.ones(2, 1)}, b={"x": torch.ones(1, 3)})
    data["a", "to", "b"].edge_index = torch.tensor([[0, 1], [0, 0]])
    graph = from_pyg_dataset(DataLoader([data] * 3, batch_size=2))
    assert graph.nodes["type"].tolist() == [0, 0, 1] * 3


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        ([], "holds no graphs"),
        ([torch.ones(2)], "item 0 of the data set is a Tensor"),
        ([Data(num_nodes=1), Data(num_nodes=1, y=2)], "item 1 of the data set and the first differ in 'y'"),
        ([Data(num_nodes=1), Data(x=torch.ones(1, 1))], "differ in 'num_nodes', 'x'; all need the same"),
        (Data(num_nodes=1), "Data is no data set; take from_pyg"),
        (HeteroData(a={"x": torch.ones(2, 1)}), "HeteroData is no data set; take from_pyg"),
    ],
)
def test_what_is_no_data_set_is_refused(dataset: Any, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        from_pyg_dataset(dataset)


def test_a_data_set_is_played_trained_on_and_evaluated() -> None:
    environment = VERTEX_COVER.environment
    instances = environment.instance(from_pyg_dataset(DataLoader(data_set(), batch_size=2)))
    env_config = make_env_config("vertex-cover", instances=instances)
    assert env_config.limits.nodes == int(instances.node_segments.lengths.max())
    drawn = env_config.source(0).draw(6)
    assert sorted(drawn.nodes["weight"].tolist()) == sorted(instances.nodes["weight"].tolist())
    final = play(environment, drawn, random_choice(environment, seeded()))
    assert environment.is_complete(final).all()

    policy = small_actor_critic(environment)
    before = {name: tensor.clone() for name, tensor in policy.state_dict().items()}
    vector = VectorEnvironment(environment, FixedInstances(instances, 0), 4)
    batch = StepCollector(vector, 4, seeded()).collect(policy).batch
    PPO(policy, environment.observe, PPOConfig(minibatch_size=8), seeded()).update(batch, 0.0)
    assert not [name for name, tensor in policy.state_dict().items() if torch.equal(tensor, before[name])]

    agent = Agent(VERTEX_COVER, TrainConfig(environment=environment), policy)
    (row,) = evaluate(agent, EvaluationOptions(time_limit=0), {"mine": instances})
    assert (row.name, row.graphs, row.complete) == ("mine", 6, 6)


class WidthGINE(pyg.GINEConv):
    """GINEConv takes a network; as a layer of ours it makes its own."""

    def __init__(self, in_channels: int, out_channels: int, edge_dim: int) -> None:
        super().__init__(nn.Linear(in_channels, out_channels), edge_dim=edge_dim)


@pytest.mark.parametrize(
    ("path", "reads_edges"),
    [
        ("torch_geometric.nn:GCNConv", False),
        ("torch_geometric.nn:SAGEConv", False),
        ("torch_geometric.nn:GATv2Conv", True),
        ("torch_geometric.nn:TransformerConv", True),
        (f"{__name__}:WidthGINE", True),
    ],
)
@pytest.mark.filterwarnings("ignore::graphwright.nn.encoders.EdgeFeaturesIgnored")
def test_every_parameter_of_a_policy_with_a_pyg_layer_has_a_gradient(path: str, reads_edges: bool) -> None:
    environment = VertexCover(view="all")
    instances = VERTEX_COVER.generator(sizes=(6, 8))(4, seeded())
    state = environment.step(environment.reset(instances), torch.zeros(4, dtype=torch.int64)).state
    torch.manual_seed(0)
    encoder = EncoderConfig(layer=path, width=8, depth=2)
    policy = ActorCritic(environment.features, environment.actions, encoder, HeadsConfig())
    assert all(round_.layer.reads_edges == reads_edges for round_ in policy.encoder.rounds)
    distribution, value = policy(environment.observe(state))
    (distribution.log_prob(distribution.mode) + value).sum().backward()
    for name, parameter in policy.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        # The bias of a key shifts all logits of a softmax alike, so its gradient is rightly 0.
        assert parameter.dim() == 1 or parameter.grad.any(), name


def test_a_layer_that_takes_a_network_is_refused_by_name() -> None:
    environment, encoder = VertexCover(), EncoderConfig(layer="torch_geometric.nn:GINEConv")
    with pytest.raises(ValueError, match=r"encoder layer .* is made of nn, eps"):
        ActorCritic(environment.features, environment.actions, encoder, HeadsConfig())
