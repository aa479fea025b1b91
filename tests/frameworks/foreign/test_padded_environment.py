"""The padded environment of practical guides trains unchanged, and its padding changes nothing: natively and in SB3."""

from __future__ import annotations

import importlib.util
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from sb3_contrib import MaskablePPO
from stable_baselines3.common.vec_env import DummyVecEnv

from graphwright.core import ActionSpec, Features, per_graph, per_node
from graphwright.frameworks.foreign import from_gymnasium
from graphwright.frameworks.sb3 import DenseSchema, GraphDQN, GraphPolicy, GraphQPolicy
from graphwright.frameworks.schema import Schema
from graphwright.nn import ActorCritic, EncoderConfig, HeadsConfig

PATH = Path(__file__).parents[3] / "examples" / "padded_environment.py"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("padded_environment", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("route", ["train_natively", "train_in_sb3"])
def test_returns_are_the_same_at_every_padding(example: ModuleType, route: str) -> None:
    train = getattr(example, route)
    returns = {size: train(size, 256) for size in (15, 30, 60, 120)}
    assert len(set(map(tuple, returns.values()))) == 1
    assert len(returns[15]) > 1


def rows_of_links(example: ModuleType, room: int) -> Any:
    """The environment with its edge features in a list [max_edges, 1], row by row of the matrix."""

    class Listed(example.PaddedIndependentSet):  # type: ignore[misc, name-defined]
        def __init__(self, max_nodes: int) -> None:
            super().__init__(max_nodes)
            self.observation_space["edge_features"] = spaces.Box(0, 9, (room, 1), np.float32)

        def _observe(self) -> dict[str, np.ndarray]:
            seen = super()._observe()
            ends = np.argwhere(seen["adjacency_matrix"])
            values = np.zeros((room, 1), np.float32)
            values[: len(ends), 0] = 1 + 0.1 * ends[:, 0] + 0.01 * ends[:, 1]
            return {**seen, "edge_features": values}

    return Listed


def test_edge_features_in_a_list_are_those_of_the_matrix_row_by_row(example: ModuleType) -> None:
    states = []
    for size, room in ((15, 150), (40, 400)):
        vector = from_gymnasium(partial(rows_of_links(example, room), size), 5, actions=example.ACTIONS, seed=3)
        states.append(vector.state)
    state = states[0]
    source, target = state.edge_index - state.node_ptr[:-1][state.edge_graph]
    torch.testing.assert_close(state.edges["x"][:, 0], 1 + 0.1 * source + 0.01 * target)
    for key, column in state.to_tensors().items():
        assert torch.equal(states[1].to_tensors()[key], column), key


class Stop:
    """Adds the action max_nodes, which ends the episode and pays 100."""

    def __new__(cls, base: Any) -> Any:
        class WithStop(base):  # type: ignore[misc]
            def __init__(self, max_nodes: int) -> None:
                super().__init__(max_nodes)
                self.action_space = spaces.Discrete(max_nodes + 1)
                self.observation_space["action_masks"] = spaces.MultiBinary(max_nodes + 1)

            def step(self, action: int) -> tuple:
                if action == self.max_nodes:
                    return self._observe(), 100.0, True, False, {}
                return super().step(action)

            def action_masks(self) -> np.ndarray:
                return np.append(super().action_masks(), True)

            def _observe(self) -> dict:
                return {**super()._observe(), "action_masks": self.action_masks().astype(np.int8)}

        return WithStop


def test_an_action_beside_the_nodes_keeps_the_number_that_the_padding_gives_it(example: ModuleType) -> None:
    make = partial(Stop(example.PaddedIndependentSet), 20)
    actions = ActionSpec(per_node("choose"), per_graph("stop"))
    vector = from_gymnasium(make, 4, actions=actions)
    assert vector.step(vector.state.node_segments.lengths).reward.tolist() == [100.0] * 4
    assert vector.step(torch.zeros(4, dtype=torch.int64)).reward.tolist() == [1.0] * 4
    with pytest.raises(ValueError, match=r"Discrete\(21\): the ActionSpec makes 20 actions .*per_graph\('stop'\)"):
        from_gymnasium(make, 1, actions=ActionSpec(per_node("choose")))


@pytest.mark.parametrize("given", ["schema", "dense"])
def test_sb3_decides_as_the_native_policy_and_tells_the_environments_own_numbers(
    example: ModuleType, given: str
) -> None:
    actions = ActionSpec(per_graph("stop"), per_node("choose"))

    class StopFirst(Stop(example.PaddedIndependentSet)):  # type: ignore[misc]
        def step(self, action: int) -> tuple:
            assert self.action_masks()[action], "an illegal node was chosen"
            if action > 0:
                self.chosen[action - 1] = True
            return self._observe(), 1.0, action == 0 or not self.action_masks()[1:].any(), False, {}

        def action_masks(self) -> np.ndarray:
            return np.roll(super().action_masks(), 1)

    env = DummyVecEnv([lambda: StopFirst(18)] * 4)
    features = Features(nodes={"x": 3}, edges={"x": 1})
    schema = Schema(features, actions) if given == "schema" else DenseSchema(actions)
    encoder = EncoderConfig(width=8, depth=1)
    kwargs = {"schema": schema, "encoder": encoder}
    model = MaskablePPO(GraphPolicy, env, n_steps=8, batch_size=16, policy_kwargs=kwargs, device="cpu")
    env.seed(5)
    observation = env.reset()
    vector = from_gymnasium([partial(Shown, StopFirst, env, row) for row in range(4)], 4, actions=actions)
    native = ActorCritic(features, actions, encoder, HeadsConfig())
    native.load_state_dict(model.policy.network.state_dict())
    seen = vector.observe()
    told, _ = model.predict(observation, deterministic=True)
    best = native.best(seen)
    assert told.tolist() == vector.environment.env_actions(vector.state, best)[:, 0].tolist()  # type: ignore[index]
    obs, _ = model.policy.obs_to_tensor(observation)
    assert torch.allclose(model.policy.predict_values(obs)[:, 0], native.value(seen), atol=1e-6)
    _, log_prob, _ = model.policy.evaluate_actions(obs, torch.from_numpy(told))
    assert torch.allclose(log_prob, native.distribution(seen).log_prob(best), atol=1e-5)
    q_kwargs = {"learning_starts": 8, "buffer_size": 64, "device": "cpu", "policy_kwargs": kwargs}
    GraphDQN(GraphQPolicy, env, **q_kwargs).learn(40)  # an illegal node would be asserted


class Shown:
    """The environment of a `DummyVecEnv` at that row, as it is now."""

    def __new__(cls, kind: Any, env: DummyVecEnv, row: int) -> Any:
        live = env.envs[row]

        class Frozen(kind):  # type: ignore[misc]
            def reset(self, **_: object) -> tuple[dict, dict]:
                self.chosen, self.joined = live.unwrapped.chosen, live.unwrapped.joined
                return self._observe(), {}

        return Frozen(18)


def test_a_schema_of_other_columns_is_refused_by_their_widths(example: ModuleType) -> None:
    env = DummyVecEnv([example.PaddedIndependentSet])
    schema = Schema(Features(nodes={"x": 2}), example.ACTIONS)
    with pytest.raises(ValueError, match=r"the schema has .*2.* columns, the observation space .*3.*; let them agree"):
        MaskablePPO(GraphPolicy, env, policy_kwargs={"schema": schema})
    nameless = DummyVecEnv([Nameless])
    with pytest.raises(ValueError, match="not known as a graph; read as graphs are"):
        MaskablePPO(GraphPolicy, nameless, policy_kwargs={"schema": DenseSchema(example.ACTIONS)})


class Nameless(gymnasium.Env):
    observation_space = spaces.Dict(a=spaces.Box(0, 1, (3, 2)))
    action_space = spaces.Discrete(3)
