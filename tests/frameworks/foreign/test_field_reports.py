"""Public reports about graphs in reinforcement learning, each tried here: docs/field-reports.md says which."""

from __future__ import annotations

from functools import partial
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from sb3_contrib import MaskablePPO
from stable_baselines3.common.vec_env import DummyVecEnv
from torch_geometric.data import Batch, Data

from frameworks.foreign.foreign_environments import Meadow
from frameworks.foreign.test_answers import Answers, told
from graphwright.adapters.pyg import from_pyg
from graphwright.core import ActionSpec, GraphError, per_decider, per_graph, per_node
from graphwright.frameworks.foreign import from_gymnasium
from graphwright.frameworks.foreign.pettingzoo import from_pettingzoo
from graphwright.frameworks.sb3 import DenseSchema, GraphPolicy, GraphVecEnv
from graphwright.frameworks.torchrl import GraphEnv
from graphwright.nn import EncoderConfig

WAIT = ActionSpec(per_node("wait"))


def masked(mask: Any) -> Any:
    return partial(Answers, reset=lambda seen: (seen, {"action_mask": mask}))


def test_a_list_of_legal_actions_is_no_mask() -> None:
    with pytest.raises(GraphError, match="the action mask holds 2; give True or False for each action"):
        from_gymnasium(masked([0, 1, 2]), 1, actions=WAIT)
    vector = from_gymnasium(masked([0.0, 1.0, 1.0]), 1, actions=WAIT)
    assert vector.observe().masks[0].tolist() == [False, True, True]


def test_a_mask_of_another_shape_is_refused() -> None:
    with pytest.raises(GraphError, match="the action mask has 6 entries, but the graph offers 3 candidates"):
        from_gymnasium(masked(np.ones((2, 3), bool)), 1, actions=WAIT)


def test_a_multi_binary_is_a_choice_of_each_node() -> None:
    actions = ActionSpec(per_decider("on", 2), decider="nodes")
    vector = from_gymnasium(partial(Answers, spaces.MultiBinary(4)), 1, actions=actions)
    vector.step(torch.tensor([1, 0, 1]))
    assert told(vector).tolist() == [1, 0, 1, 0]
    assert spaces.MultiBinary(4).contains(told(vector))


def test_links_beyond_the_nodes_are_refused() -> None:
    instance = spaces.GraphInstance(np.zeros((2, 1), np.float32), None, np.array([[0, 5]]))
    with pytest.raises(GraphError, match="environment 0: 'links' names nodes 0 to 5, but the graph has 2"):
        from_gymnasium(partial(Answers, reset=lambda _: (instance, {})), 1, actions=WAIT)


def test_one_value_of_a_graph_with_one_edge_belongs_to_the_graph() -> None:
    one = Data(edge_index=torch.tensor([[0], [1]]), y=torch.tensor([3.0]), num_nodes=2)
    graph = from_pyg(one)
    assert (list(graph.graphs), list(graph.edges)) == (["y"], [])
    both = from_pyg(Batch.from_data_list([one, one]))
    assert both.graphs["y"].tolist() == [3.0, 3.0]
    assert list(from_pyg(Data(edge_index=one.edge_index, edge_y=torch.ones(1), num_nodes=2)).edges) == ["edge_y"]


def test_a_cycle_keeps_its_node_columns() -> None:
    """As many edges as nodes, which confuses a transform that tells them apart by their number."""
    ring = torch.tensor([[0, 1, 2, 3, 4], [1, 2, 3, 4, 0]])
    graph = from_pyg(Data(x=torch.arange(5.0), edge_index=ring, edge_attr=torch.arange(5.0)))
    assert graph.nodes["x"].tolist() == [0, 1, 2, 3, 4]
    assert graph.edges["edge_attr"].tolist() == [4, 0, 1, 2, 3]  # by destination


def test_a_batch_whose_nodes_are_not_sorted_is_refused() -> None:
    data = Data(edge_index=torch.tensor([[0, 1], [3, 2]]), batch=torch.tensor([0, 1, 1, 0]), num_nodes=4)
    with pytest.raises(GraphError, match="attribute 'batch' falls somewhere; order the nodes by graph"):
        from_pyg(data)


def test_predictions_without_masks_are_legal() -> None:
    model = MaskablePPO(GraphPolicy, GraphVecEnv("vertex-cover", 4), policy_kwargs={"encoder": EncoderConfig(width=8)})
    env = GraphVecEnv("vertex-cover", 8, penalty=1000.0, seed=3)
    observation = env.reset()
    for _ in range(30):
        actions, _ = model.predict(observation)
        observation, reward, _, _ = env.step(actions)
        assert reward.min() > -1000


class Padded(gymnasium.Env):
    """A dictionary with a mask that says nothing but its length; observations of one policy on two paddings."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        shape = {"x": (rows, 2), "adj": (rows, rows), "action_mask": (rows,)}
        self.observation_space = spaces.Dict({name: spaces.Box(0, 1, size) for name, size in shape.items()})
        self.action_space = spaces.Discrete(rows)

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[dict, dict]:
        value = {name: np.zeros(space.shape, np.float32) for name, space in self.observation_space.items()}
        value["x"][:3], value["action_mask"][:3] = 0.5, 1
        value["adj"][[0, 1], [1, 2]] = 1
        return value, {}

    def step(self, action: Any) -> tuple[dict, float, bool, bool, dict]:
        return self.reset()[0], 0.0, True, False, {}


def test_padded_rows_reach_no_network() -> None:
    values = []
    for rows in (4, 40):
        torch.manual_seed(0)
        kwargs = {"schema": DenseSchema(WAIT), "encoder": EncoderConfig(width=8)}
        model = MaskablePPO(GraphPolicy, DummyVecEnv([partial(Padded, rows)]), policy_kwargs=kwargs, seed=0)
        observation, _ = model.policy.obs_to_tensor(Padded(rows).reset()[0])
        values.append(model.policy.predict_values(observation).item())
    assert values[0] == values[1]


def test_agents_with_dictionaries_and_masks_that_leave_and_come_back_are_stepped() -> None:
    with from_pettingzoo(partial(Meadow, vector=True), 2, actions=ActionSpec(per_graph("go", 3))) as vector:
        counts = []
        for _ in range(8):
            counts.append(vector.state.num_graphs)
            assert vector.observe().masks[0].tolist() == [[True, False, True]] * counts[-1]
            vector.step(torch.zeros(counts[-1], dtype=torch.int64))
    assert counts == [4, 6, 2, 4] * 2


def test_random_actions_of_torchrl_are_legal() -> None:
    env = GraphEnv("vertex-cover", 4, seed=0, penalty=1000.0)
    rollout = env.rollout(20, break_when_any_done=False)
    assert rollout["next", "reward"].min() > -1000
