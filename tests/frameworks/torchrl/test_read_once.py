"""A minibatch is made into graphs once for the actor and the critic of a loss."""

from __future__ import annotations

import pytest
import torch

from graphwright.frameworks.schema import Schema
from graphwright.frameworks.torchrl import GraphActor, GraphCritic, GraphEnv, GraphLogits, read_once


@pytest.fixture
def env() -> GraphEnv:
    return GraphEnv("vertex-cover", num_envs=4, sizes=(6,), seed=0)


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often arrays were made into graphs."""
    counted, make = [0], Schema._observation

    def counting(*given: object) -> object:
        counted[0] += 1
        return make(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(Schema, "_observation", counting)
    monkeypatch.setattr(read_once, "_latest", [])  # what another test has read
    return counted


def test_an_actor_and_a_critic_share_a_minibatch(env: GraphEnv, count: list[int]) -> None:
    policy, minibatch = env.env_config.policy(), env.reset()
    logits, value = GraphLogits(policy)(minibatch.clone())["logits"], GraphCritic(policy)(minibatch)["state_value"]
    assert count == [1]
    value.sum().backward()
    logits.sum().backward()  # one after the other: neither keeps what the other needs


def test_another_minibatch_and_one_that_was_written_to_are_read_anew(env: GraphEnv, count: list[int]) -> None:
    critic, minibatch = GraphCritic(env.env_config.policy()), env.reset()
    first, nodes = critic(minibatch)["state_value"].clone(), minibatch["nodes"].clone()
    minibatch["nodes"].add_(1)
    second = critic(minibatch)["state_value"].clone()
    assert count == [2]
    assert not torch.equal(first, second)
    minibatch["nodes"].copy_(nodes)
    assert torch.equal(critic(minibatch)["state_value"], first)
    critic(env.rand_step(env.reset())["next"])
    assert count == [4]


def test_what_is_remembered_is_not_written_to_with_what_was_read(count: list[int]) -> None:
    """Graph columns and jagged ones are handed on as they are."""
    env = GraphEnv("network-repair", num_envs=3, sizes=(8,), seed=0)
    critic, minibatch = GraphCritic(env.env_config.policy()), env.reset()
    other = minibatch.clone()
    first = critic(minibatch)["state_value"].clone()
    for key in ("graphs", "nodes", "edges"):
        minibatch[key].add_(5)
    assert torch.equal(critic(other)["state_value"], first)
    assert count == [1]


def test_another_problem_is_read_anew(count: list[int]) -> None:
    for name in ("vertex-cover", "independent-set"):
        env = GraphEnv(name, num_envs=2, sizes=(6,), seed=0)
        GraphCritic(env.env_config.policy())(env.reset())
    assert count == [2]


def test_nothing_is_remembered_of_what_is_acted_on(env: GraphEnv, count: list[int]) -> None:
    actor, state = GraphActor(env.env_config.policy()), env.reset()
    with torch.no_grad():
        actor(state)
        actor(state)
    assert count == [2]


def test_gradients_reach_numbers_that_want_them(env: GraphEnv) -> None:
    critic, minibatch = GraphCritic(env.env_config.policy()), env.reset()
    for _ in range(2):
        minibatch["nodes"] = minibatch["nodes"].detach().requires_grad_()
        critic(minibatch)["state_value"].sum().backward()
        assert minibatch["nodes"].grad is not None
        assert minibatch["nodes"].grad.abs().sum() > 0
