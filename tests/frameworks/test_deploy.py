"""One model, trained on at most 15 nodes, saved, and used on larger graphs in three frameworks: equal decisions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_model, save_model
from sb3_contrib import MaskablePPO
from tensordict.nn import InteractionType, set_interaction_type

from graphwright.core import GraphBatch
from graphwright.envs.registry import find_problem
from graphwright.frameworks.env_config import make_env_config
from graphwright.frameworks.sb3 import GraphPolicy as SB3Policy
from graphwright.frameworks.sb3 import GraphVecEnv
from graphwright.frameworks.sb3 import load as load_sb3
from graphwright.frameworks.torchrl import GraphActor, GraphEnv
from graphwright.training.agent import Agent, load
from graphwright.training.config import TrainConfig
from graphwright.training.train import new_run


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of Graphwright's own, and its weights as a model of Stable-Baselines3."""
    folder = tmp_path_factory.mktemp("models")
    small, few = {"num_envs": 64}, {"sizes": (5,), "graphs": 2}
    config = TrainConfig.for_problem("vertex-cover", steps=512, threads=1, collection=small, validation=few)
    trainer = new_run("vertex-cover", config, folder / "native")
    trainer.begin()
    model = MaskablePPO(SB3Policy, GraphVecEnv("vertex-cover", 2), n_steps=8, batch_size=8, device="cpu")
    lacking = model.policy.network.load_state_dict(trainer.agent().policy.state_dict(), strict=False)
    assert not lacking.unexpected_keys
    assert all(name.startswith("critic.") for name in lacking.missing_keys)
    model.save(folder / "sb3")
    return folder


def test_weights_are_passed_on_without_a_pickle(saved: Path, tmp_path: Path) -> None:
    env: Any = GraphVecEnv("vertex-cover", 2)
    model = load_sb3(MaskablePPO, saved / "sb3", env)
    save_model(model.policy, str(tmp_path / "weights.safetensors"))
    fresh = MaskablePPO(SB3Policy, env, n_steps=8, batch_size=8, device="cpu")
    load_model(fresh.policy, tmp_path / "weights.safetensors")
    for name, tensor in model.policy.state_dict().items():
        assert torch.equal(tensor, fresh.policy.state_dict()[name]), name


@pytest.mark.parametrize("size", [20, 100, 200])
def test_natively_in_sb3_and_in_torchrl(saved: Path, size: int) -> None:
    graphs = 2 if size < 200 else 1
    instances = find_problem("vertex-cover").generator(sizes=(size,))(graphs, torch.Generator().manual_seed(size))
    env_config = make_env_config("vertex-cover", instances=instances)
    agent: Agent = load(saved / "native", "cpu")
    expected = {_key(state): state for state in _each(agent.solve(instances))}

    env: Any = GraphVecEnv(env_config, graphs)
    model = load_sb3(MaskablePPO, saved / "sb3", env)
    observation, chosen = env.reset(), {}
    while len(chosen) < graphs:
        before = env.episodes.state
        actions, _ = model.predict(observation, deterministic=True)
        native = agent.policy.best(env.episodes.observation)
        assert actions.tolist() == native.tolist()
        observation, _, dones, infos = env.step(actions)
        for row in dones.nonzero()[0]:
            chosen[_key(before.select(torch.tensor([row])))] = infos[row]["objective"]
    for key, objective in chosen.items():
        assert objective == pytest.approx(float(env_config.environment.objective(expected[key])))

    torchrl_env = GraphEnv(env_config, num_envs=2, seed=0)
    actor = GraphActor(agent.policy)
    with torch.no_grad(), set_interaction_type(InteractionType.DETERMINISTIC):
        data = torchrl_env.reset()
        for _ in range(10):
            native = agent.policy.best(torchrl_env.episodes.observation)
            data = actor(data)
            assert data["action"].tolist() == native.tolist()
            data = torchrl_env.step_mdp(torchrl_env.step(data))


def _each(states: GraphBatch) -> list[GraphBatch]:
    return [states.select(torch.tensor([row])) for row in range(states.num_graphs)]


def _key(state: GraphBatch) -> float:
    """What tells the instances apart."""
    return float(state.nodes["weight"].sum())
