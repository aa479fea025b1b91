from __future__ import annotations

import pytest
import torch
from tensordict import TensorDict, lazy_stack
from tensordict.nn import TensorDictModule
from torch import Tensor, nn
from torchrl.objectives.value import GAE

from decision_environments import Foragers, forager_instances
from frameworks.torchrl.graphs import make_policy
from graphwright.frameworks.env_config import make_env_config
from graphwright.frameworks.torchrl import GraphActor, GraphCritic, GraphEnv, GraphGAE, to_ragged
from graphwright.nn import ActorCritic, EncoderConfig, HeadsConfig

close = {"rtol": 1e-5, "atol": 1e-5}
RESULTS = ("advantage", "value_target")


def linear_critic() -> TensorDictModule:
    torch.manual_seed(0)
    return TensorDictModule(nn.Linear(3, 1), in_keys=["observation"], out_keys=["state_value"])


def transitions(shape: tuple[int, int], seed: int) -> TensorDict:
    """A rollout as collectors make it: ends at random, and after each the next current state is another one."""
    generator = torch.Generator().manual_seed(seed)

    def chance(probability: float) -> Tensor:
        return torch.rand(*shape, 1, generator=generator) < probability

    terminated, truncated = chance(0.2), chance(0.15)
    done = terminated | truncated
    now = torch.randn(*shape, 3, generator=generator)
    following = torch.where(done, torch.randn(*shape, 3, generator=generator), now.roll(-1, 1))
    following[:, -1] = torch.randn(shape[0], 3, generator=generator)
    signals = {"done": done, "terminated": terminated, "truncated": truncated}
    reward = torch.randn(*shape, 1, generator=generator)
    outcome = TensorDict({"observation": following, "reward": reward, **signals}, batch_size=shape)
    return TensorDict({"observation": now, "next": outcome}, batch_size=shape)


def assert_as_torchrl(data: TensorDict, critic: nn.Module, gamma: float, lmbda: float, **options: object) -> None:
    expected = GAE(gamma=gamma, lmbda=lmbda, value_network=critic, deactivate_vmap=True)(data.clone())
    found = GraphGAE(gamma=gamma, lmbda=lmbda, value_network=critic, **options)(data.clone())
    for key in (*RESULTS, "state_value"):
        torch.testing.assert_close(found[key], expected[key], **close)
        assert not found[key].requires_grad


@pytest.mark.parametrize(("gamma", "lmbda"), [(0.99, 0.95), (1.0, 1.0), (0.9, 0.0), (0.5, 0.7)])
@pytest.mark.parametrize("seed", range(4))
def test_advantages_are_those_of_torchrl(gamma: float, lmbda: float, seed: int) -> None:
    assert_as_torchrl(transitions((3, 11), seed), linear_critic(), gamma, lmbda)


@pytest.mark.parametrize("kept", [["done", "terminated"], ["done"]])
def test_signals_that_are_absent_mean_what_they_mean_to_torchrl(kept: list[str]) -> None:
    data = transitions((3, 9), 0)
    data["next"] = data["next"].select("observation", "reward", *kept)
    assert_as_torchrl(data, linear_critic(), 0.9, 0.8)


def test_done_and_terminated_need_not_agree() -> None:
    data = transitions((4, 9), 1)
    generator = torch.Generator().manual_seed(5)
    for key in ("done", "terminated"):
        data["next", key] = torch.rand(4, 9, 1, generator=generator) < 0.3
    assert_as_torchrl(data, linear_critic(), 0.9, 0.8)


def test_next_states_may_be_any_states() -> None:
    """As after `MultiStep`, which exchanges them for later ones."""
    data = transitions((3, 9), 2)
    data["next", "observation"] = torch.randn(3, 9, 3)
    assert_as_torchrl(data, linear_critic(), 0.9, 0.8)


def test_a_rollout_of_one_step() -> None:
    assert_as_torchrl(transitions((5, 1), 0), linear_critic(), 0.9, 0.8)


def test_hand_computed() -> None:
    """Values 1, 2, 3 and then 4; the second step is truncated, so that its bootstrap counts and its trace ends."""
    critic = TensorDictModule(nn.Identity(), in_keys=["observation"], out_keys=["state_value"])
    truncated = torch.tensor([[[False], [True], [False]]])
    outcome = TensorDict(
        observation=torch.tensor([[[2.0], [10.0], [4.0]]]),
        reward=torch.ones(1, 3, 1),
        done=truncated,
        terminated=torch.zeros_like(truncated),
        batch_size=[1, 3],
    )
    data = TensorDict(observation=torch.tensor([[[1.0], [2.0], [3.0]]]), next=outcome, batch_size=[1, 3])
    advantage = GraphGAE(gamma=0.5, lmbda=0.5, value_network=critic)(data)["advantage"].flatten()
    assert advantage.tolist() == [1 + 1 - 1 + 0.25 * (1 + 5 - 2), 1 + 5 - 2, 1 + 2 - 3]


def test_a_terminal_state_is_never_evaluated() -> None:
    data = transitions((3, 9), 3)
    terminated = data["next", "terminated"]
    data["next", "observation"] = data["next", "observation"].masked_fill(terminated, torch.nan)
    found = GraphGAE(gamma=0.9, lmbda=0.8, value_network=linear_critic())(data)
    assert bool(found["advantage"].isfinite().all())


def test_each_state_is_evaluated_once_and_memory_is_bounded() -> None:
    data, linear, batches = transitions((4, 10), 4), linear_critic(), []

    def watch(observation: Tensor) -> Tensor:
        batches.append(observation.shape[0])
        return linear.module(observation)

    critic = TensorDictModule(watch, in_keys=["observation"], out_keys=["state_value"])
    assert_as_torchrl(data, linear, 0.9, 0.8, max_states=7)
    GraphGAE(gamma=0.9, lmbda=0.8, value_network=critic)(data.clone())
    done, terminated = data["next", "done"].clone(), data["next", "terminated"]
    done[:, -1] = True
    assert batches == [40 + int((done & ~terminated).sum())]
    batches.clear()
    GraphGAE(gamma=0.9, lmbda=0.8, value_network=critic, max_states=7)(data.clone())
    assert max(batches) == 7
    assert len(batches) > 5


def test_time_may_stand_first() -> None:
    data, critic = transitions((3, 9), 5), linear_critic()
    usual = GraphGAE(gamma=0.9, lmbda=0.8, value_network=critic)(data.clone())
    turned = GraphGAE(gamma=0.9, lmbda=0.8, value_network=critic)(data.clone().transpose(0, 1), time_dim=0)
    for key in RESULTS:
        torch.testing.assert_close(turned[key].transpose(0, 1), usual[key], **close)


def test_graphs_padded_and_ragged() -> None:
    env = GraphEnv("vertex-cover", 3, seed=0)
    critic = GraphCritic(make_policy(env.env_config.environment))
    data = env.rollout(12, break_when_any_done=False)
    assert bool(data["next", "done"].any())
    assert_as_torchrl(data, critic, 0.9, 0.8)
    ragged = lazy_stack([to_ragged(row, env.schema) for row in data])
    gae = GraphGAE(gamma=0.9, lmbda=0.8, value_network=critic)
    for key in RESULTS:
        torch.testing.assert_close(gae(ragged)[key], gae(data)[key], **close)


def test_the_advantages_of_agents_follow_them_through_deaths_and_joins() -> None:
    """Against a loop over each agent of each graph, whose places change from step to step."""
    environment = Foragers()
    instances = forager_instances(8, torch.Generator().manual_seed(0))
    env = GraphEnv(make_env_config("vertex-cover", environment=environment, instances=instances), 3, seed=0)
    torch.manual_seed(0)
    small = EncoderConfig(width=8, depth=1)
    policy = ActorCritic(environment.features, environment.actions, small, HeadsConfig(), "decisions")
    data = env.rollout(9, GraphActor(policy), break_when_any_done=False)
    gamma, lmbda = 0.9, 0.7
    GraphGAE(gamma=gamma, lmbda=lmbda, value_network=GraphCritic(policy))(data)
    value, following, reward = (
        data["agents", "state_value"],
        data["next", "agents", "state_value"],
        data["next", "agents"],
    )
    successor, reward, done = data["next", "agents", "successor"], reward["reward"], data["next", "done"]
    assert bool((successor >= 0).any())
    assert bool(data["next", "terminated"].any())

    def advantage(graph: int, time: int, agent: int) -> float:
        heir = int(successor[graph, time, agent])
        after = float(following[graph, time, heir]) if heir >= 0 else 0.0
        error = float(reward[graph, time, agent]) + gamma * after - float(value[graph, time, agent])
        goes_on = heir >= 0 and not bool(done[graph, time]) and time + 1 < data.shape[1]
        return error + (gamma * lmbda * advantage(graph, time + 1, heir) if goes_on else 0.0)

    rows = [(graph, time, agent) for graph in range(3) for time in range(9) for agent in range(value.shape[2])]
    expected = torch.tensor([advantage(*row) for row in rows]).view_as(value)
    torch.testing.assert_close(data["agents", "advantage"], expected, **close)
    torch.testing.assert_close(data["agents", "value_target"], expected + value, **close)
    turned = GraphGAE(gamma=gamma, lmbda=lmbda, value_network=GraphCritic(policy))(data.transpose(0, 1), time_dim=0)
    torch.testing.assert_close(turned["agents", "advantage"].transpose(0, 1), expected, **close)


def test_agents_that_share_a_reward_are_refused_a_value_each() -> None:
    env = GraphEnv("coverage", 2, seed=0, sizes=(3,))
    parts = env.env_config.environment.features, env.env_config.environment.actions
    policy = ActorCritic(*parts, EncoderConfig(width=8, depth=1), HeadsConfig(), "decisions")
    data = env.rollout(2, GraphActor(policy))
    with pytest.raises(KeyError, match="take a policy whose graphs have values"):
        GraphGAE(gamma=1.0, lmbda=1.0, value_network=GraphCritic(policy))(data)
