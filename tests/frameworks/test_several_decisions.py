"""Several decisions a graph in other frameworks: their own checks pass, and the same weights decide as natively."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env

from decision_environments import ENVIRONMENTS
from graphwright.core import GraphError
from graphwright.envs.team import has_own_reward
from graphwright.frameworks.decisions import legal_choices, strip_candidates, strip_decisions
from graphwright.frameworks.env_config import EnvConfig, make_env_config
from graphwright.frameworks.gymnasium import GraphEnv, GraphVectorEnv
from graphwright.nn import ActorCritic, EncoderConfig, HeadsConfig

ENCODER = EncoderConfig(width=8, depth=1)


def config_of(name: str) -> EnvConfig:
    environment, instances = ENVIRONMENTS[name]
    drawn = instances(16, torch.Generator().manual_seed(0))
    return make_env_config("vertex-cover", environment=environment, instances=drawn)


def policy_of(config: EnvConfig, seed: int = 0, **options: Any) -> ActorCritic:
    torch.manual_seed(seed)
    environment = config.environment
    return ActorCritic(environment.features, environment.actions, ENCODER, HeadsConfig(), **options)


@pytest.fixture(params=list(ENVIRONMENTS))
def config(request: pytest.FixtureRequest) -> EnvConfig:
    return config_of(request.param)


def test_candidates_are_padded_and_stripped_without_loss(config: EnvConfig) -> None:
    episodes, spec = config.episodes(5, 0), config.environment.actions
    graph = episodes.observation.graph
    legal = legal_choices(spec, episodes.observation, config.limits)
    assert legal.shape == (5, config.limits.decisions, config.limits.choices)
    assert legal.any(2).all()
    assert torch.equal(strip_candidates(spec, graph, legal), spec.arrange(graph, episodes.observation.masks))


def test_gymnasium_checks_it_and_plays_what_is_drawn(config: EnvConfig) -> None:
    env = GraphEnv(config)
    assert isinstance(env.action_space, spaces.MultiDiscrete)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of spaces that are infinite
        check_env(env, skip_render_check=True)
    env.reset(seed=3)
    shape, random, is_over = (config.limits.decisions, config.limits.choices), np.random.default_rng(0), False
    while not is_over:
        legal = env.action_masks().reshape(shape)
        state, before = env.episodes.state, env.episodes.observation.graph
        action = np.array([random.choice(np.flatnonzero(row)) for row in legal])
        _, reward, terminated, truncated, _ = env.step(action)
        own = strip_decisions(torch.as_tensor(action)[None], config.environment.actions.deciders(before))
        able = config.environment.actions.able(before, config.environment.observe(state).masks)
        step = config.environment.step(state, torch.where(able, own, -1))
        assert reward == pytest.approx(float(step.reward.sum()))
        is_over = terminated or truncated
    assert terminated


def test_an_illegal_choice_of_one_decision_changes_nothing(config: EnvConfig) -> None:
    episodes = config.episodes(3, 0)
    spec, graph, state = config.environment.actions, episodes.observation.graph, episodes.state
    policy = policy_of(config)
    action = policy.best(episodes.observation)
    row = int(spec.able(graph, episodes.observation.masks).nonzero()[0])
    action[row] = 99
    wrong = int(spec.deciders(graph).index[row])
    played = episodes.step(action)
    assert float(played.reward[wrong]) == -1
    assert float(played.own_reward[row]) == -1
    assert episodes.state.graphs["num_illegal"].tolist() == [int(graph == wrong) for graph in range(3)]
    assert torch.equal(
        episodes.state.select(torch.tensor([wrong])).edge_index, state.select(torch.tensor([wrong])).edge_index
    )
    assert not bool(played.done[wrong])


def test_vector_environments_are_single_ones_side_by_side(config: EnvConfig) -> None:
    vector = GraphVectorEnv(config, 4)
    vector.reset(seed=0)
    masks = vector.action_masks().reshape(4, config.limits.decisions, config.limits.choices)
    observation, reward, *_ = vector.step(masks.argmax(2))
    assert reward.shape == (4,)
    assert vector.observation_space.contains(observation)


@pytest.mark.parametrize("ragged", [False, True])
def test_stable_baselines_decides_as_natively_and_learns(config: EnvConfig, ragged: bool) -> None:
    pytest.importorskip("sb3_contrib")
    from sb3_contrib import MaskablePPO

    from graphwright.frameworks.sb3 import GraphPolicy, GraphRolloutBuffer, GraphVecEnv

    env = GraphVecEnv(config, 4, ragged=ragged)
    buffer: dict[str, Any] = {"rollout_buffer_class": GraphRolloutBuffer} if ragged else {}
    options = {"encoder": ENCODER, "heads": HeadsConfig()}
    model = MaskablePPO(GraphPolicy, env, n_steps=8, batch_size=16, n_epochs=1, policy_kwargs=options, **buffer)
    native = policy_of(config, 1)
    model.policy.network.load_state_dict(native.state_dict(), strict=False)
    observation, masks = env.reset(), env.action_masks()
    action, _ = model.predict(observation, action_masks=masks, deterministic=True)
    seen, spec = env.episodes.observation, config.environment.actions
    best = native.best(seen)
    own = strip_decisions(torch.as_tensor(action), spec.deciders(seen.graph))
    assert torch.equal(own, best.clamp(min=0))
    tensors = model.policy.obs_to_tensor(observation)[0]
    value, log_prob, entropy = model.policy.evaluate_actions(tensors, torch.as_tensor(action), masks)
    distribution = native.distribution(seen)
    torch.testing.assert_close(log_prob, spec.joint(seen.graph, distribution.log_prob(best)))
    torch.testing.assert_close(entropy, spec.joint(seen.graph, distribution.entropy))
    torch.testing.assert_close(value, native.value(seen))
    valued = MaskablePPO(GraphPolicy, env, n_steps=8, policy_kwargs={**options, "values": "decisions"}, **buffer).policy
    each = policy_of(config, 4, values="decisions")
    valued.network.load_state_dict(each.state_dict(), strict=False)
    expected = spec.joint(seen.graph, each.value(seen))
    torch.testing.assert_close(valued.predict_values(tensors), expected[:, None])
    torch.testing.assert_close(valued.evaluate_actions(tensors, torch.as_tensor(action), masks)[0], expected)
    assert valued._get_constructor_parameters()["values"] == "decisions"
    before = {name: tensor.clone() for name, tensor in model.policy.state_dict().items()}
    model.learn(32)
    assert any(not torch.equal(tensor, before[name]) for name, tensor in model.policy.state_dict().items())


def test_dqn_names_what_learns_several_decisions() -> None:
    pytest.importorskip("sb3_contrib")
    from graphwright.frameworks.sb3 import GraphQPolicy, GraphVecEnv

    env = GraphVecEnv(config_of("foragers"), 2)
    with pytest.raises(ValueError, match="use MaskablePPO or PPO"):
        GraphQPolicy(env.observation_space, env.action_space, lambda _: 1e-3)  # type: ignore[arg-type]


def test_pettingzoo_checks_agents_that_die_and_join(config: EnvConfig) -> None:
    pettingzoo = pytest.importorskip("graphwright.frameworks.pettingzoo")
    from pettingzoo.test import parallel_api_test

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parallel_api_test(pettingzoo.ParallelGraphEnv(config, agents=12), num_cycles=60)


def test_agents_keep_their_names_and_are_paid_their_own() -> None:
    """Against the environment itself, which is stepped beside it."""
    pettingzoo = pytest.importorskip("graphwright.frameworks.pettingzoo")
    config = config_of("foragers")
    environment, spec, policy = config.environment, config.environment.actions, policy_of(config)
    env = pettingzoo.ParallelGraphEnv(config, agents=6)
    died = joined = 0
    for seed in range(6):
        env.reset(seed=seed)
        names = list(env.agents)
        while env.agents:
            episodes = env._env.episodes
            state, seen = episodes.state, episodes.observation
            best = policy.best(seen)
            step = environment.step(state, best)
            actions = {name: int(choice) for name, choice in zip(env.agents, best.clamp(min=0), strict=True)}
            _, rewards, terminations, _, _ = env.step(actions)
            assert [rewards[name] for name in names] == pytest.approx(step.reward.tolist())
            assert [terminations[name] for name in names] == [bool(step.terminated) or s < 0 for s in step.successor]
            if not bool(step.terminated):
                after = [""] * spec.deciders(environment.observe(step.state).graph).num_rows
                for name, place in zip(names, step.successor.tolist(), strict=True):
                    if place >= 0:
                        after[place] = name
                    died += place < 0
                joined += after.count("")
                assert [name or env.agents[place] for place, name in enumerate(after)] == env.agents
                names = list(env.agents)
    assert died
    assert joined


def test_more_agents_than_names_are_refused() -> None:
    pettingzoo = pytest.importorskip("graphwright.frameworks.pettingzoo")
    env = pettingzoo.ParallelGraphEnv(config_of("foragers"), agents=1)
    with pytest.raises(GraphError, match="2 agents have lived in this episode; give agents=4"):
        env.reset(seed=0)


def test_rllib_decides_as_natively(config: EnvConfig) -> None:
    pytest.importorskip("ray")
    from ray.rllib.core.columns import Columns

    from graphwright.frameworks.pettingzoo import ParallelGraphEnv
    from graphwright.frameworks.rllib import module_spec

    env = ParallelGraphEnv(config, agents=12)
    observations, _ = env.reset(seed=0)
    spec = module_spec(config, ENCODER, HeadsConfig())
    spec.observation_space, spec.action_space = env.observation_space("agent_0"), env.action_space("agent_0")
    module = spec.build()
    values = "decisions" if has_own_reward(config.environment) else "graphs"
    native = policy_of(config, 2, values=values)
    module.policy.load_state_dict(native.state_dict())
    batch = {
        key: torch.as_tensor(np.stack([one[key] for one in observations.values()])) for key in observations["agent_0"]
    }
    logits = module.forward_inference({Columns.OBS: batch})[Columns.ACTION_DIST_INPUTS]
    seen = env._env.episodes.observation
    best, able = native.best(seen), config.environment.actions.able(seen.graph, seen.masks)
    assert torch.equal(logits.argmax(1)[able], best[able])
    expected = native.value(seen)
    torch.testing.assert_close(module.compute_values({Columns.OBS: batch}), expected.expand(len(observations)))


def test_torchrl_checks_it_and_decides_as_natively(config: EnvConfig) -> None:
    pytest.importorskip("torchrl")
    from torchrl.envs.utils import check_env_specs
    from torchrl.objectives import ClipPPOLoss

    from graphwright.frameworks.torchrl import GraphActor, GraphCritic, GraphGAE
    from graphwright.frameworks.torchrl import GraphEnv as TorchRLEnv

    env = TorchRLEnv(config, num_envs=3, seed=0)
    check_env_specs(env)
    policy, spec = policy_of(config, 3), config.environment.actions
    actor, critic = GraphActor(policy), GraphCritic(policy)
    start = env.reset()
    seen = env.episodes.observation
    with torch.no_grad():
        drawn = actor(start.clone())
    own = strip_decisions(drawn["agents", "action"], spec.deciders(seen.graph))
    own = torch.where(spec.able(seen.graph, seen.masks), own, -1)
    expected = spec.joint(seen.graph, policy.distribution(seen).log_prob(own))
    torch.testing.assert_close(drawn["action_log_prob"], expected)
    with torch.no_grad():
        rollout = env.rollout(6, actor, break_when_any_done=False)
    if has_own_reward(config.environment):
        torch.testing.assert_close(rollout["next", "agents", "reward"].sum(-2), rollout["next", "reward"])
    GraphGAE(gamma=1.0, lmbda=1.0, value_network=critic)(rollout)
    loss = ClipPPOLoss(actor, critic)
    loss.set_keys(action=("agents", "action"), sample_log_prob="action_log_prob")
    losses = loss(rollout)
    (losses["loss_objective"] + losses["loss_critic"] + losses["loss_entropy"]).backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in policy.parameters())


def test_torchrl_learns_from_what_each_agent_gains() -> None:
    """The ratio, the advantage and the value of each decision, where agents have rewards of their own."""
    pytest.importorskip("torchrl")
    from torchrl.objectives import ClipPPOLoss

    from graphwright.frameworks.torchrl import GraphActor, GraphActorCritic, GraphCritic, GraphGAE
    from graphwright.frameworks.torchrl import GraphEnv as TorchRLEnv

    config = config_of("foragers")
    env, policy = TorchRLEnv(config, num_envs=3, seed=0), policy_of(config, 3, values="decisions")
    actor, critic, spec = GraphActor(policy), GraphCritic(policy), config.environment.actions
    start, seen = env.reset(), env.episodes.observation
    with torch.no_grad():
        drawn = GraphActorCritic(policy)(start.clone())
    own = strip_decisions(drawn["agents", "action"], spec.deciders(seen.graph))
    able = spec.able(seen.graph, seen.masks)
    log_prob = strip_decisions(drawn["agents", "action_log_prob"], spec.deciders(seen.graph))
    torch.testing.assert_close(log_prob[able], policy.distribution(seen).log_prob(torch.where(able, own, -1))[able])
    value = strip_decisions(drawn["agents", "state_value"].squeeze(2), spec.deciders(seen.graph))
    torch.testing.assert_close(value, policy.value(seen))
    with torch.no_grad():
        rollout = env.rollout(6, actor, break_when_any_done=False)
    GraphGAE(gamma=1.0, lmbda=1.0, value_network=critic)(rollout)
    loss = ClipPPOLoss(actor, critic)
    names = {"action": "action", "sample_log_prob": "action_log_prob", "value": "state_value"}
    names |= {name: name for name in ("advantage", "value_target", "reward")}
    loss.set_keys(**{name: ("agents", key) for name, key in names.items()})
    losses = loss(rollout.reshape(-1))
    (losses["loss_objective"] + losses["loss_critic"] + losses["loss_entropy"]).backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in policy.parameters())
