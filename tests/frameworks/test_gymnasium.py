"""Gymnasium's own checks over the whole registry, and agreement with the tensor environment."""

from __future__ import annotations

import pickle
import subprocess
import sys
import tomllib
import warnings
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.utils.env_checker import check_env

from graphwright.core import GraphError, from_edges
from graphwright.envs.registry import CONTROLLED, SOLVED, TEAMS
from graphwright.frameworks.env_config import make_env_config
from graphwright.frameworks.gymnasium import ENVIRONMENT_IDS, GraphEnv, GraphVectorEnv
from graphwright.frameworks.gymnasium.registration import environment_id


def path(num_nodes: int) -> Any:
    ends = torch.arange(num_nodes - 1)
    return from_edges(torch.stack([ends, ends + 1]), torch.tensor([num_nodes]), undirected=True)


@pytest.mark.parametrize("mode", ["padded", "graph"])
@pytest.mark.parametrize("name", SOLVED)
def test_every_problem_passes_gymnasiums_checker(name: str, mode: str) -> None:
    env = gymnasium.make(environment_id(name), observation=mode, render_mode="rgb_array")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*infinity.*")  # features are not bounded
        check_env(env.unwrapped, skip_render_check=mode == "padded")  # pictures are of states, however these are shown
    picture = env.unwrapped.render()
    assert isinstance(picture, np.ndarray)
    assert picture.dtype == np.uint8
    assert picture.shape[2] == 3
    assert picture.std() > 0
    env.close()


def test_every_problem_is_registered() -> None:
    assert set(ENVIRONMENT_IDS.values()) == {*SOLVED, *CONTROLLED, *TEAMS}
    assert "graphwright/VertexCover-v0" in gymnasium.registry


@pytest.mark.parametrize("name", SOLVED)
def test_a_legal_episode_is_the_tensor_environments(name: str) -> None:
    """Rewards, ends and objective are those of the environment itself, played with the same actions."""
    env_config = make_env_config(name)
    env = GraphEnv(env_config)
    env.reset(seed=3)
    state = env.episodes.state
    rng = np.random.default_rng(0)
    for _ in range(200):
        if env_config.environment.actions.continuous:
            action: Any = rng.uniform(-1, 1, env.action_space.shape).astype(np.float32)
            native = torch.from_numpy(action[: state.num_nodes])
        else:
            action = int(rng.choice(np.flatnonzero(env.action_masks())))
            native = torch.tensor([action])
        step = env_config.environment.step(state, native)
        _, reward, terminated, truncated, info = env.step(action)
        assert reward == pytest.approx(float(step.reward))
        assert (terminated, truncated) == (bool(step.terminated), bool(step.truncated))
        assert info["objective"] == pytest.approx(float(env_config.environment.objective(step.state)))
        state = step.state
        if terminated or truncated:
            break
    assert terminated or truncated or name == "locomotion"  # whose episodes are long


def test_an_illegal_action_changes_nothing_and_costs_the_penalty() -> None:
    env = GraphEnv(make_env_config("vertex-cover", max_nodes=10), penalty=0.5)
    env.reset(seed=0, options={"instance": path(3)})
    before, *_ = env.step(1)[0:1]  # the middle node covers everything
    env.reset(options={"instance": path(4)})
    observation, _, _, _, _ = env.step(1)
    for illegal in (1, 7, 9):  # chosen already, and no node
        following, reward, terminated, truncated, _ = env.step(illegal)
        assert reward == -0.5
        assert not terminated
        assert all(np.array_equal(observation[key], following[key]) for key in observation)
    assert not truncated
    assert env.step(8)[3], "as many illegal actions as nodes end the episode"
    assert before["num_nodes"][0] == 3


def test_more_room_changes_only_padding() -> None:
    small, large = make_env_config("steiner-tree"), make_env_config("steiner-tree", max_nodes=50, max_edges=300)
    one, other = GraphEnv(small).reset(seed=1)[0], GraphEnv(large).reset(seed=1)[0]
    for key in one:
        shape = tuple(slice(size) for size in one[key].shape)
        assert np.array_equal(one[key], other[key][shape])
        rest = other[key].copy()
        rest[shape] = 0
        assert not rest.any()


def test_an_instance_without_room_is_refused_by_name() -> None:
    env = GraphEnv("vertex-cover")
    with pytest.raises(GraphError, match="nodes: a graph has 20 rows, there is room for 15"):
        env.reset(seed=0, options={"instance": path(20)})


def test_a_mode_or_problem_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="observation='matrix': choose 'padded' or 'graph'"):
        GraphEnv("vertex-cover", observation="matrix")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="unknown problem"):
        GraphEnv("no-problem")
    with pytest.raises(ValueError, match=r"call reset\(\) first"):
        GraphEnv("vertex-cover").step(0)


@pytest.mark.parametrize("mode", ["padded", "graph"])
@pytest.mark.parametrize("name", ["vertex-cover", "steiner-tree", "path-search", "locomotion"])
def test_vectors_are_in_their_spaces_and_begin_anew(name: str, mode: str) -> None:
    vector = GraphVectorEnv(name, 3, observation=mode)  # type: ignore[arg-type]
    observation, _ = vector.reset(seed=0)
    assert observation in vector.observation_space
    vector.action_space.seed(0)
    ended = 0
    for _ in range(60):
        observation, reward, terminated, truncated, infos = vector.step(vector.action_space.sample())
        assert observation in vector.observation_space
        assert reward.shape == terminated.shape == truncated.shape == (3,)
        if (terminated | truncated).any():
            assert infos["_final_obs"].tolist() == (terminated | truncated).tolist()
            assert infos["final_obs"] in vector.observation_space
            ended += 1
    assert ended or name == "locomotion"


def test_a_vector_plays_what_single_environments_play() -> None:
    """Law 1: the same instances and actions give the same rewards, together and alone."""
    env_config = make_env_config("vertex-cover")
    vector = GraphVectorEnv(env_config, 4)
    vector.reset(seed=5)
    assert vector.episodes is not None
    instances = vector.episodes.state.keep(nodes=["weight"])
    singles = [GraphEnv(env_config) for _ in range(4)]
    for row, env in enumerate(singles):
        env.reset(seed=0, options={"instance": instances.select(torch.tensor([row]))})
    rng = np.random.default_rng(0)
    for _ in range(3):
        actions = [int(rng.choice(np.flatnonzero(mask))) for mask in vector.action_masks()]
        _, rewards, terminated, _, _ = vector.step(np.array(actions))
        if terminated.any():
            break
        for env, action, reward in zip(singles, actions, rewards, strict=True):
            assert env.step(action)[1] == pytest.approx(reward)


def test_environments_pickle_in_the_middle_of_an_episode() -> None:
    """And go on as they would have, into the next episodes."""
    for name in ("vertex-cover", "max-cut", "tour", "steiner-tree"):
        env: gymnasium.Env = gymnasium.make(environment_id(name))
        observation, _ = env.reset(seed=3)
        random = np.random.default_rng(0)
        env.step(random.choice(np.flatnonzero(observation["action_mask"])))
        twin = pickle.loads(pickle.dumps(env))
        for _ in range(60):
            action = random.choice(np.flatnonzero(env.unwrapped.action_masks()))  # type: ignore[attr-defined]
            one, other = env.step(action), twin.step(action)
            if one[2] or one[3]:
                one, other = env.reset(), twin.reset()
            assert one[1:] == other[1:]
            for key, values in one[0].items():
                assert np.array_equal(values, other[0][key]), key


def test_environments_are_found_by_the_entry_point_and_by_a_name_with_its_module() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    (place,) = project["entry-points"]["gymnasium.envs"].values()
    EntryPoint("graphwright", place, "gymnasium.envs").load()()  # as Gymnasium does when it is imported
    shape = gymnasium.make("graphwright/VertexCover-v0").reset(seed=0)[0]["nodes"].shape
    named = "graphwright.frameworks.gymnasium:graphwright/VertexCover-v0"
    alone = f"import gymnasium; print(gymnasium.make({named!r}).reset(seed=0)[0]['nodes'].shape)"
    done = subprocess.run([sys.executable, "-c", alone], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(shape)
