from __future__ import annotations

import pytest
import torch
from tensordict import TensorDict
from torchrl.envs import ActionMask, SerialEnv, TransformedEnv
from torchrl.envs.utils import check_env_specs, step_mdp

from environments import KINDS
from frameworks.torchrl.graphs import instances
from graphwright.envs.registry import GAMES, SOLVED
from graphwright.envs.rollouts import has_choice
from graphwright.frameworks.env_config import make_env_config
from graphwright.frameworks.schema import pad
from graphwright.frameworks.torchrl import GraphEnv
from strategies import assert_same


def few_instances(name: str) -> dict:
    """Options with which the room of a problem is soon measured."""
    problem = SOLVED[name]
    drawn = problem.generator()(8, torch.Generator().manual_seed(0))
    legal = has_choice(problem.environment, problem.environment.observe(problem.environment.reset(drawn)))
    return {"instances": drawn.select(legal.nonzero().squeeze(1)[:2])}


@pytest.mark.parametrize("name", SOLVED)
def test_every_problem_keeps_its_specs(name: str) -> None:
    check_env_specs(GraphEnv(name, 3, **few_instances(name)), seed=0)


@pytest.mark.parametrize("name", GAMES)
def test_every_game_keeps_its_specs(name: str) -> None:
    instances = GAMES[name].generator()(2, torch.Generator().manual_seed(0))
    check_env_specs(GraphEnv(name, 2, instances=instances), seed=0)


def test_the_side_that_moves_is_said_and_receives_the_reward() -> None:
    env = GraphEnv("hex", 6, seed=1, sizes=(3,))
    played = env.rollout(9, break_when_any_done=False)
    player, following = played["player"].squeeze(2), played["next", "player"].squeeze(2)
    assert torch.equal(following, 1 - player)
    assert bool(played["terminated"].logical_not().all())
    won = played["next", "reward"].squeeze(2) == 1
    assert torch.equal(won, played["next", "terminated"].squeeze(2))
    assert int(won.sum()) >= 6
    assert player[:, 0].tolist() == [0] * 6


@pytest.mark.parametrize("name", ["vertex-cover", "network-repair"])
def test_specs_hold_with_one_hot_actions_and_across_resets(name: str) -> None:
    check_env_specs(GraphEnv(name, 3, one_hot=True, **few_instances(name)), seed=0, break_when_any_done="both")


def test_steps_are_those_of_the_problem() -> None:
    env_config = make_env_config("vertex-cover", sizes=(4, 6, 8))
    env, problem = GraphEnv(env_config, 5, seed=3), env_config.environment
    graphs = env.reset()
    state = problem.reset(env_config.source(3).draw(5))
    for _ in range(3):
        arrays = pad(env.schema.pack(problem.observe(state)), env_config.limits)
        for key, array in arrays.items():
            assert_same(graphs[key], array)
        graphs = env.step(env.rand_action(graphs))
        step = problem.step(state, graphs["action"])
        assert_same(graphs["next", "reward"], step.reward.unsqueeze(1))
        assert_same(graphs["next", "terminated"], step.terminated.unsqueeze(1))
        assert_same(graphs["next", "truncated"], step.truncated.unsqueeze(1))
        assert_same(graphs["next", "done"], (step.terminated | step.truncated).unsqueeze(1))
        graphs, state = step_mdp(graphs), step.state


def test_a_partial_reset_changes_only_what_it_should() -> None:
    env = GraphEnv("vertex-cover", 4, seed=0)
    before = env.rollout(2)[:, -1]["next"].clone()
    chosen = torch.tensor([True, False, True, False])
    after = env.reset(before.clone().set("_reset", chosen.unsqueeze(1)))
    same = (after.select(*env.schema.keys) == before.select(*env.schema.keys)).apply(lambda x: x.flatten(1).all(1))
    assert torch.equal(torch.stack(list(same.values())).all(0), ~chosen)
    assert not bool(after["done"][chosen].any())


def test_a_seed_decides_instances_and_draws() -> None:
    def play(seed: int) -> TensorDict:
        env = GraphEnv("vertex-cover", 3)
        env.set_seed(seed)
        torch.manual_seed(0)
        return env.rollout(12, break_when_any_done=False)

    first, again, other = play(1), play(1), play(2)
    assert bool((first == again).all())
    assert not torch.equal(first["nodes"], other["nodes"])


@pytest.mark.parametrize("one_hot", [False, True])
def test_random_actions_are_legal(one_hot: bool) -> None:
    env = GraphEnv("vertex-cover", 6, seed=0, one_hot=one_hot, penalty=1000.0)
    for masked in (env, TransformedEnv(env, ActionMask())):
        assert float(masked.rollout(30, break_when_any_done=False)["next", "reward"].min()) > -1000


def test_an_illegal_action_costs_and_changes_nothing() -> None:
    env = GraphEnv("vertex-cover", 3, seed=0, penalty=7.0)
    graphs = env.reset()
    action = graphs["action_mask"].int().argmax(1)
    action[1] = env.env_config.limits.actions - 1 if graphs["num_actions"][1] < env.env_config.limits.actions else -1
    after = env.step(graphs.set("action", action))["next"]
    assert (after["reward"] == -7).flatten().tolist() == [False, True, False]
    assert_same(after["nodes"][1], graphs["nodes"][1])


def test_padding_of_a_continuous_action_is_ignored() -> None:
    env_config = make_env_config(
        SOLVED["vertex-cover"], environment=KINDS["continuous"], instances=instances(KINDS["continuous"], 4, (3, 6))
    )
    env, same = GraphEnv(env_config, 4, seed=0), GraphEnv(env_config, 4, seed=0)
    graphs = env.rand_action(env.reset())
    noisy = same.reset()
    outside = torch.arange(env_config.limits.actions) >= graphs["num_actions"]
    drawn = graphs["agents", "action"]
    assert drawn.shape == env.full_action_spec["agents", "action"].shape
    assert torch.equal(graphs["agents", "action_mask"], ~outside)
    noisy["agents", "action"] = drawn.masked_fill(outside.unsqueeze(2), 0.123)
    assert_same(env.step(graphs)["next", "reward"], same.step(noisy)["next", "reward"])


def test_environments_nest_in_those_of_torchrl() -> None:
    options = few_instances("vertex-cover")
    rollout = SerialEnv(2, lambda: GraphEnv("vertex-cover", 3, **options)).rollout(4, break_when_any_done=False)
    assert rollout.batch_size == (2, 3, 4)


def test_bad_input_gets_one_clear_line() -> None:
    with pytest.raises(ValueError, match="unknown problem 'no-problem'; choose one of"):
        GraphEnv("no-problem")


@pytest.mark.parametrize("problem", ["vertex-cover", "locomotion"])
def test_an_environment_keeps_its_device(problem: str) -> None:
    env = GraphEnv(problem, 3, seed=0, device="cpu")
    assert env.device == torch.device("cpu")
    data = env.rollout(4, break_when_any_done=False)
    assert data.device == env.device
    assert env.reset().device == env.device
