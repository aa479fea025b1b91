"""RLlib's module says what the native policy says, whatever the padding, and PPO trains all of it."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path

import pytest
import ray
import torch
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.core.columns import Columns

from graphwright.core import Observation
from graphwright.data.sources import GeneratedInstances
from graphwright.envs.registry import SOLVED
from graphwright.frameworks.env_config import EnvConfig, make_env_config
from graphwright.frameworks.gymnasium.spaces import action_space, observation_space, padded
from graphwright.frameworks.rllib import ConfiguredGraphEnv, GraphRLModule, module_spec
from graphwright.frameworks.schema import Limits
from graphwright.nn import ActorCritic, EncoderConfig, HeadsConfig
from graphwright.training.config import TrainConfig

ENCODER = EncoderConfig(width=8, depth=2)


@cache
def small() -> EnvConfig:
    return make_env_config("vertex-cover", sizes=(5, 9))


def roomier(env_config: EnvConfig) -> EnvConfig:
    return EnvConfig(env_config.problem, env_config.environment, env_config.source, Limits(40, 300, 40))


def build(env_config: EnvConfig, seed: int = 0, heads: HeadsConfig | None = None) -> GraphRLModule:
    spec = module_spec(env_config, ENCODER, heads)
    spec.observation_space = observation_space(env_config.schema, env_config.limits, "padded")
    spec.action_space = action_space(env_config.environment.actions, env_config.limits)
    torch.manual_seed(seed)
    return spec.build()


def observed(env_config: EnvConfig) -> tuple[Observation, dict]:
    """Six graphs after two steps, and what RLlib hands to a module."""
    live = env_config.episodes(6, seed=2)
    for _ in range(2):
        live.step(torch.tensor([0, 1, 2, 3, 4, 0]))
    arrays = padded(env_config.schema.pack(live.observation), env_config.limits)
    return live.observation, {Columns.OBS: {key: torch.from_numpy(values) for key, values in arrays.items()}}


def decide(module: GraphRLModule, batch: dict) -> torch.Tensor:
    return module.forward_inference(batch)[Columns.ACTION_DIST_INPUTS].argmax(1)


@pytest.mark.parametrize("room", [lambda env_config: env_config, roomier], ids=["tight", "loose"])
def test_logits_and_values_are_those_of_the_native_policy(room) -> None:
    env_config = room(small())
    module = build(env_config)
    native = ActorCritic(env_config.environment.features, env_config.environment.actions, ENCODER, HeadsConfig())
    native.load_state_dict(module.policy.state_dict())
    observation, batch = observed(env_config)
    expected, value = native(observation)
    out = module.forward_train(batch)
    distribution = module.get_train_action_dist_cls().from_logits(out[Columns.ACTION_DIST_INPUTS])
    assert out[Columns.ACTION_DIST_INPUTS].shape == (6, env_config.limits.actions)
    for graph, row in enumerate(distribution._dist.probs):
        start, end = expected.segments.ptr[graph], expected.segments.ptr[graph + 1]
        probs, legal = expected.probs[start:end], observation.masks[0][start:end]
        torch.testing.assert_close(row[: end - start], probs, atol=1e-5, rtol=1e-5)
        assert (row[: end - start][~legal] == 0).all()
        assert (row[end - start :] == 0).all()
    chosen = (expected.logits > -torch.inf).nonzero().squeeze(1)
    places = expected.segments.index[chosen], expected.segments.position[chosen]
    ours = out[Columns.ACTION_DIST_INPUTS][places]
    torch.testing.assert_close(ours, expected.logits[chosen], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(distribution.entropy(), expected.entropy, atol=1e-5, rtol=1e-5)
    for values in (module.compute_values(batch), module.compute_values(batch, out[Columns.EMBEDDINGS])):
        torch.testing.assert_close(values, value, atol=1e-5, rtol=1e-5)


def test_a_saved_state_decides_equally_with_more_room(tmp_path: Path) -> None:
    before, after = build(small(), seed=0), build(roomier(small()), seed=1)
    before.save_to_path(tmp_path / "module")
    after.restore_from_path(tmp_path / "module")
    observation, batch = observed(small())
    _, wide = observed(roomier(small()))
    assert torch.equal(decide(before, batch), decide(after, wide))
    assert torch.equal(decide(after, wide), before.policy.best(observation))
    larger = small().environment.observe(
        small().environment.reset(GeneratedInstances(small().problem.generator(sizes=(30,)), 0, block=4).draw(4))
    )
    arrays = padded(small().schema.pack(larger), roomier(small()).limits)
    seen = {Columns.OBS: {key: torch.from_numpy(values) for key, values in arrays.items()}}
    assert torch.equal(decide(after, seen), before.policy.best(larger))


def test_kl_and_its_gradient_are_finite_where_actions_are_masked() -> None:
    module = build(small())
    _, batch = observed(small())
    make = module.get_train_action_dist_cls().from_logits
    logits = module.forward_train(batch)[Columns.ACTION_DIST_INPUTS]
    make(logits.detach() + torch.randn(logits.shape)).kl(make(logits)).sum().backward()
    gradients = [parameter.grad for parameter in module.policy.encoder.parameters()]
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients)


@pytest.mark.parametrize("problem", ["locomotion", "graph-robustness"])
def test_what_has_no_score_for_each_action_is_refused(problem: str) -> None:
    known = SOLVED[problem]
    source = partial(GeneratedInstances, known.generator())
    env_config = EnvConfig(known, known.environment, source, Limits(4, 8, 16))
    with pytest.raises(ValueError, match="one score for each action"):
        build(env_config, heads=HeadsConfig())


@pytest.mark.parametrize("problem", ["tour", "graph-robustness"])
def test_a_module_is_made_as_the_problem_is_trained(problem: str) -> None:
    env_config = make_env_config(problem)
    spec = module_spec(env_config)
    known = TrainConfig.for_problem(problem)
    assert (spec.model_config["encoder"], spec.model_config["heads"]) == (known.encoder, known.heads)
    module = build(env_config)
    env_config.policy(ENCODER).load_state_dict(module.policy.state_dict())


def test_one_iteration_of_ppo_moves_every_parameter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    ray.init(num_cpus=1, include_dashboard=False, object_store_memory=80 * 2**20, log_to_driver=False)
    try:
        config = (
            PPOConfig()
            .environment(ConfiguredGraphEnv, env_config={"problem": "vertex-cover", "sizes": (5,)})
            .env_runners(num_env_runners=0)
            .learners(num_learners=0)
            .rl_module(rl_module_spec=module_spec(small(), ENCODER))
            .training(train_batch_size=32, minibatch_size=16, num_epochs=1)
        )
        algorithm = config.build_algo()
        before = {name: tensor.clone() for name, tensor in algorithm.get_module().policy.state_dict().items()}
        learned = algorithm.train()["learners"]["default_policy"]
        after = algorithm.get_module().policy.state_dict()
        algorithm.stop()
    finally:
        ray.shutdown()
    assert learned["num_module_steps_trained"] >= 32
    assert torch.isfinite(torch.tensor([learned["total_loss"], learned["mean_kl_loss"]])).all()
    assert not [name for name in before if torch.equal(before[name], after[name])]
