"""Stable-Baselines3: the same decisions as Graphwright itself, on padded and ragged routes, at any size."""

from __future__ import annotations

import pickle
import warnings
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from gymnasium import spaces
from sb3_contrib import ARS, QRDQN, TQC, TRPO, CrossQ, MaskablePPO, RecurrentPPO
from stable_baselines3 import A2C, DDPG, DQN, PPO, SAC, TD3
from torch import Tensor

from graphwright.core import GraphBatch, Observation, from_edges
from graphwright.frameworks.env_config import EnvConfig, make_env_config
from graphwright.frameworks.gymnasium import GraphEnv
from graphwright.frameworks.gymnasium.env import read_actions
from graphwright.frameworks.sb3 import (
    GraphDQN,
    GraphPolicy,
    GraphQPolicy,
    GraphReplayBuffer,
    GraphRolloutBuffer,
    GraphVecEnv,
    change_size,
    load,
)
from graphwright.frameworks.schema import select, spread
from graphwright.nn import EncoderConfig, HeadsConfig
from graphwright.nn import GraphPolicy as NativePolicy
from graphwright.nn.encoders import EdgeFeaturesIgnored, MessageKind
from graphwright.nn.heads.choice import EdgeHead, PairHead
from graphwright.nn.heads.node import NodeHead
from graphwright.nn.pools import Pooling
from graphwright.training.config import TrainConfig

SMALL = EncoderConfig(width=16, depth=2)
ONE_PROBLEM_A_HEAD = ["vertex-cover", "steiner-tree", "path-search", "grid-navigation", "network-repair"]
SIZES = {"steiner-tree": (8, 12), "path-search": (8, 12), "network-repair": (8, 12), "graph-robustness": (8, 12)}


@cache
def small(problem: str) -> EnvConfig:
    """With instances of two sizes that are drawn in no time."""
    return make_env_config(problem, sizes=SIZES.get(problem))


def maskable(env_config: EnvConfig | str, *, ragged: bool = False, num_envs: int = 4, **kwargs: Any) -> MaskablePPO:
    env = GraphVecEnv(env_config, num_envs, ragged=ragged)
    buffer = {"rollout_buffer_class": GraphRolloutBuffer} if ragged else {}
    policy = {"encoder": SMALL, **kwargs.pop("policy_kwargs", {})}
    return MaskablePPO(
        GraphPolicy, env, n_steps=8, batch_size=16, n_epochs=2, policy_kwargs=policy, device="cpu", **buffer, **kwargs
    )


def weights(model: Any) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in model.policy.parameters()]


PROBLEMS = [(problem, SMALL, None) for problem in [*ONE_PROBLEM_A_HEAD, "locomotion"]]
ENCODERS = [("steiner-tree", replace(SMALL, kind=kind), None) for kind in get_args(MessageKind)]
ENCODERS += [("steiner-tree", replace(SMALL, layer="torch_geometric.nn:TransformerConv"), None)]
NODE_HEADS = [("vertex-cover", SMALL, HeadsConfig(nodes=nodes)) for nodes in get_args(NodeHead)]
STATES = replace(SMALL, kind="edge-gated")
EDGE_HEADS = [("steiner-tree", STATES, HeadsConfig(edges=edges)) for edges in get_args(EdgeHead)]
PAIR_HEADS = [("graph-robustness", SMALL, HeadsConfig(pairs=pairs)) for pairs in get_args(PairHead)]
POOLS = [("grid-navigation", SMALL, HeadsConfig(pool=pool, value_pool=pool)) for pool in get_args(Pooling)]
EVERY_NETWORK = [*PROBLEMS, *ENCODERS, *NODE_HEADS, *EDGE_HEADS, *PAIR_HEADS, *POOLS]
NO_SCORES = [
    ("vertex-cover", "proto-distance", HeadsConfig(nodes="proto-distance")),
    ("vertex-cover", "proto-cosine", HeadsConfig(nodes="proto-cosine")),
    ("steiner-tree", "two-stage", HeadsConfig(edges="two-stage")),
    ("steiner-tree", "gaussian", HeadsConfig(edges="gaussian")),
    ("graph-robustness", "two-stage", HeadsConfig(pairs="two-stage")),
    ("graph-robustness", "gaussian", HeadsConfig(pairs="gaussian")),
]
SCORES_OF_CANDIDATES = [
    (problem, encoder, heads)
    for problem, encoder, heads in EVERY_NETWORK
    if problem != "locomotion" and heads not in [heads for _, _, heads in NO_SCORES]
]


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize(("problem", "encoder", "heads"), EVERY_NETWORK)
def test_the_policy_decides_as_the_native_one(
    problem: str, encoder: EncoderConfig, heads: HeadsConfig | None, ragged: bool
) -> None:
    env_config = small(problem)
    algorithm = PPO if env_config.environment.actions.continuous else MaskablePPO
    env = GraphVecEnv(env_config, 4, ragged=ragged)
    buffer: Any = {"rollout_buffer_class": GraphRolloutBuffer} if ragged else {}
    model = algorithm(GraphPolicy, env, policy_kwargs={"encoder": encoder, "heads": heads}, device="cpu", **buffer)
    native = env_config.policy(encoder, heads)
    native.load_state_dict(model.policy.network.state_dict())
    for _ in range(3):
        observation = env.reset()
        distribution, value = native(env.episodes.observation)
        obs, _ = model.policy.obs_to_tensor(observation)
        assert torch.allclose(model.policy.predict_values(obs)[:, 0], value, atol=1e-6)
        actions, _ = model.predict(observation, deterministic=True)
        own = read_actions(env_config.environment.actions, env.episodes, actions)
        assert torch.allclose(own.float(), distribution.mode.float(), atol=1e-6)
        spec, graph = env_config.environment.actions, env.episodes.observation.graph
        drawn = distribution.sample()
        played = spread(drawn, spec.deciders(graph), env_config.limits.nodes, 0) if drawn.dim() == 2 else drawn
        torch.manual_seed(0)  # the entropy of two stages is that at a drawn source
        _, log_prob, entropy = model.policy.evaluate_actions(obs, played)
        assert torch.allclose(log_prob, spec.joint(graph, distribution.log_prob(drawn)), atol=1e-5)
        torch.manual_seed(0)
        assert torch.allclose(entropy, spec.joint(graph, distribution.entropy), atol=1e-5)


@pytest.mark.parametrize(
    ("problem", "encoder", "heads", "ragged"),
    [
        (*network, ragged)
        for network in SCORES_OF_CANDIDATES
        for ragged in (False, True)
        if ragged or network[1] == SMALL
    ],
)
def test_values_of_candidates_are_those_of_the_native_networks(
    problem: str, encoder: EncoderConfig, heads: HeadsConfig | None, ragged: bool
) -> None:
    """V(s) + A(s, a) − mean A(s, ·) over the legal candidates, graph by graph; DQN takes the greatest."""
    env_config = small(problem)
    env = GraphVecEnv(env_config, 4, ragged=ragged)
    buffer: Any = {"replay_buffer_class": GraphReplayBuffer} if ragged else {}
    kwargs = {"encoder": encoder, "heads": heads}
    model = GraphDQN(GraphQPolicy, env, policy_kwargs=kwargs, device="cpu", buffer_size=64, **buffer)
    native = env_config.policy(encoder, model.policy.heads)
    native.load_state_dict(model.q_net.network.state_dict())
    observation = env.reset()
    distribution, value = native(env.episodes.observation)
    obs, _ = model.policy.obs_to_tensor(observation)
    found = model.q_net(obs)
    for graph, own in enumerate(distribution.logits.detach().split(distribution.segments.lengths.tolist())):
        legal = own.isfinite()
        own = value[graph].detach() + own - own[legal].mean()
        assert torch.allclose(found[graph, : len(own)][legal], own[legal], atol=1e-5)
        assert bool((found[graph] <= -1e8)[len(own) :].all())
    actions, _ = model.predict(observation, deterministic=True)
    assert actions.tolist() == found.argmax(1).tolist()


@pytest.mark.parametrize(("problem", "head", "heads"), NO_SCORES)
def test_values_are_not_made_of_probabilities(problem: str, head: str, heads: HeadsConfig) -> None:
    env = GraphVecEnv(problem, 2)
    with pytest.raises(ValueError, match=rf"^heads \w+ {head} \(--heads\.\w+\): gives .*, not Q-values; use \S+$"):
        GraphQPolicy(env.observation_space, env.action_space, lambda _: 1e-3, encoder=SMALL, heads=heads)


@pytest.mark.parametrize("policy", [GraphPolicy, GraphQPolicy])
@pytest.mark.parametrize("problem", ["tour", "locomotion", "graph-robustness"])
def test_a_policy_is_made_as_the_problem_is_trained(problem: str, policy: Any) -> None:
    """The encoder of `tour` reads distances; the general default would drop them, with a warning."""
    known, env = TrainConfig.for_problem(problem), GraphVecEnv(problem, 2)
    if policy is GraphQPolicy and problem == "locomotion":
        pytest.skip("DQN has no continuous actions")
    with warnings.catch_warnings():
        warnings.simplefilter("error", EdgeFeaturesIgnored)
        made = policy(env.observation_space, env.action_space, lambda _: 1e-3)
        asked = policy(env.observation_space, env.action_space, lambda _: 1e-3, encoder=replace(SMALL, kind="gin"))
        native = env.env_config.policy()
    assert made.encoder == known.encoder
    assert made.heads == (known.heads if policy is GraphPolicy else replace(known.heads, value_pool="mean"))
    assert asked.encoder == replace(SMALL, kind="gin")
    if policy is GraphPolicy:
        native.load_state_dict(made.network.state_dict())


@pytest.mark.parametrize("algorithm", [PPO, MaskablePPO, A2C])
def test_a_ragged_environment_without_a_ragged_buffer_is_refused_with_the_remedy(algorithm: Any) -> None:
    env = GraphVecEnv("vertex-cover", 2, ragged=True)
    with pytest.raises(NotImplementedError, match=r"^pass rollout_buffer_class=GraphRolloutBuffer, or .* supported$"):
        algorithm(GraphPolicy, env, device="cpu")
    with pytest.raises(NotImplementedError, match=r"replay_buffer_class=GraphReplayBuffer to GraphDQN"):
        GraphDQN(GraphQPolicy, env, device="cpu")
    assert "Box" in repr(env.observation_space)


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("algorithm", [MaskablePPO, PPO, A2C])
def test_every_parameter_is_in_the_optimizer_and_moves(algorithm: Any, ragged: bool) -> None:
    """Law 6, with `net_arch`, which is honoured: a published implementation's head never trains."""
    env = GraphVecEnv("vertex-cover", 4, ragged=ragged)
    kwargs = {"rollout_buffer_class": GraphRolloutBuffer} if ragged else {}
    policy = {"encoder": SMALL, "net_arch": {"pi": [12], "vf": [8, 20]}}
    model = algorithm(GraphPolicy, env, n_steps=8, policy_kwargs=policy, device="cpu", **kwargs)
    network = model.policy.network
    assert [layer.out_features for layer in network.pi if hasattr(layer, "out_features")] == [12]
    assert [layer.out_features for layer in network.vf if hasattr(layer, "out_features")] == [8, 20]
    optimized = {id(p) for group in model.policy.optimizer.param_groups for p in group["params"]}
    assert optimized == {id(p) for p in model.policy.parameters()}
    before = weights(model)
    model.learn(64)
    assert all(not torch.equal(old, new) for old, new in zip(before, weights(model), strict=True))


def test_both_routes_learn_the_same_numbers() -> None:
    """Padding is only padding: with equal seeds, ragged and padded runs end with equal weights."""
    models = []
    for ragged in (False, True):
        torch.manual_seed(0)
        model = maskable("vertex-cover", ragged=ragged, seed=3)
        models.append(model.learn(96))
    for one, other in zip(weights(models[0]), weights(models[1]), strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_a_legal_action_is_all_that_a_masked_policy_takes() -> None:
    model = maskable("vertex-cover")
    env: Any = model.env
    observation = env.reset()
    for _ in range(30):
        masks = env.action_masks()
        actions, _ = model.predict(observation, action_masks=masks)
        assert masks[np.arange(4), actions].all()
        narrow = masks.copy()
        narrow[np.arange(4), actions] = masks.sum(1) == 1  # forbid what it took, where there is another
        others, _ = model.predict(observation, action_masks=narrow)
        assert narrow[np.arange(4), others].all()
        observation, *_ = env.step(actions)


def test_unmasked_policies_may_choose_any_candidate_but_no_padding() -> None:
    env = GraphVecEnv("vertex-cover", 8)
    model = PPO(GraphPolicy, env, n_steps=4, policy_kwargs={"encoder": SMALL, "masked": False}, device="cpu")
    observation = env.reset()
    distribution = model.policy.network.distribution(model.policy.observe(model.policy.obs_to_tensor(observation)[0]))
    assert bool((distribution.probs > 0).all())
    assert distribution.segments.lengths.tolist() == observation["num_nodes"].flatten().tolist()


@pytest.mark.parametrize("size", [20, 100, 500])
def test_a_saved_model_runs_on_larger_graphs_with_equal_decisions(size: int, tmp_path: Path) -> None:
    """Issues 2031 and 2042 of Stable-Baselines3, on all three ways to another size."""
    model = maskable(make_env_config("vertex-cover", sizes=(5, 10, 15))).learn(64)
    model.save(tmp_path / "model")
    larger = GraphVecEnv(make_env_config("vertex-cover", sizes=(size,)), 3)
    observation = larger.reset()
    environment = larger.env_config.environment
    native = NativePolicy(environment.features, environment.actions, SMALL, HeadsConfig())
    native.load_state_dict(model.policy.network.acting_state())
    expected = native.best(larger.episodes.observation).tolist()
    loaded = load(MaskablePPO, tmp_path / "model", larger)
    assert loaded.predict(observation, deterministic=True)[0].tolist() == expected
    assert model.predict(observation, deterministic=True)[0].tolist() == expected
    assert change_size(model, larger).learn(16).observation_space["nodes"].shape[0] == size
    assert loaded.learn(16, reset_num_timesteps=True).num_timesteps >= 16


def test_changing_to_another_problem_is_refused() -> None:
    with pytest.raises(ValueError, match="use the problem that it was trained on"):
        change_size(maskable("vertex-cover"), GraphVecEnv("independent-set", 2))


def test_save_and_load_keep_everything(tmp_path: Path) -> None:
    model = maskable("steiner-tree", policy_kwargs={"net_arch": [24]}).learn(32)
    env: Any = model.env
    model.save(tmp_path / "model")
    again = MaskablePPO.load(tmp_path / "model", env=env)
    assert all(torch.equal(one, other) for one, other in zip(weights(model), weights(again), strict=True))
    assert again.policy.net_arch == [24]
    moments = model.policy.optimizer.state_dict()["state"]
    for row, state in again.policy.optimizer.state_dict()["state"].items():
        assert torch.equal(state["exp_avg"], moments[row]["exp_avg"])
    model.policy.save(str(tmp_path / "policy"))
    policy = GraphPolicy.load(str(tmp_path / "policy"))
    observation = env.reset()
    assert (
        policy.predict(observation, deterministic=True)[0].tolist()
        == model.predict(observation, deterministic=True)[0].tolist()
    )


@pytest.mark.parametrize("ragged", [False, True])
def test_one_node_graphs_and_isolated_nodes_are_right(ragged: bool) -> None:
    edges = torch.tensor([[4, 5], [5, 6]])  # of the third graph, whose last node is alone
    lonely = from_edges(edges, torch.tensor([1, 3, 4, 1]), undirected=True)
    instances = make_env_config("independent-set").environment.instance(lonely)
    model = maskable(make_env_config("independent-set", instances=instances), ragged=ragged)
    env: Any = model.env
    assert sorted(env.episodes.state.node_segments.lengths.tolist()) == [1, 1, 3, 4]
    together = env.episodes.observation
    for row in range(4):
        alone = Observation(*_select(together, row))
        model_value = model.policy.predict_values(model.policy.obs_to_tensor(env._observe())[0])[row]
        assert torch.allclose(model_value, model.policy.network.value(alone), atol=1e-6)
    actions, _ = model.predict(env._observe(), deterministic=True)
    sizes = env.episodes.state.node_segments.lengths.tolist()
    assert all(0 <= action < size for action, size in zip(actions, sizes, strict=True))
    with_room = [_leaves_room(together.graph.select(torch.tensor([row])), int(actions[row])) for row in range(4)]
    _, _, done, infos = env.step(actions)
    assert done.tolist() == [not room for room in with_room]
    assert all(end for size, end in zip(sizes, done, strict=True) if size == 1)
    assert not all(done), "a graph of more nodes has more to take"
    assert all(info["objective"] > 0 for info, end in zip(infos, done, strict=True) if end)


def _leaves_room(graph: GraphBatch, chosen: int) -> bool:
    """Whether an independent set of `chosen` alone can grow: a node is left that is no neighbour of it."""
    source, destination = graph.edge_index.tolist()
    neighbours = {v for u, v in zip(source, destination, strict=True) if u == chosen}
    return len(neighbours) + 1 < graph.num_nodes


def _select(observation: Observation, row: int) -> tuple[GraphBatch, tuple[Tensor, ...]]:
    index = torch.tensor([row])
    nodes = observation.graph.node_segments.select(index)[1]
    return observation.graph.select(index), (observation.masks[0][nodes],)


def test_spaces_graph_goes_through_unpadded() -> None:
    """Issues 219, 1280 and 2121: a `spaces.Graph` in the observation space, and single observations of it."""
    model = maskable("steiner-tree", ragged=True).learn(32)
    assert isinstance(model.observation_space["graph"], spaces.Graph)
    single = GraphEnv(make_env_config("steiner-tree"), observation="graph")
    observation, _ = single.reset(seed=0)
    action, _ = model.predict(observation, deterministic=True)
    native = model.policy.network.best(single.episodes.observation)
    assert int(action) == int(native)


def assert_all_moved(model: Any, before: dict[str, Tensor]) -> None:
    """Every weight that trains, by name; targets, which do not, follow."""
    after = dict(model.policy.named_parameters())
    assert not [name for name, old in before.items() if torch.equal(old, after[name])]


def named_weights(model: Any) -> dict[str, Tensor]:
    return {name: parameter.detach().clone() for name, parameter in model.policy.named_parameters()}


def test_continuous_actions() -> None:
    env = GraphVecEnv("locomotion", 2)
    model = PPO(GraphPolicy, env, n_steps=4, batch_size=4, n_epochs=1, policy_kwargs={"encoder": SMALL}, device="cpu")
    before = named_weights(model)
    assert all(parameter.requires_grad for parameter in model.policy.parameters())
    model.learn(16)
    assert_all_moved(model, before)
    action, _ = model.predict(env.reset(), deterministic=True)
    assert action.shape == (2, *env.action_space.shape)


def test_stock_dqn_on_padded_graphs() -> None:
    env = GraphVecEnv("vertex-cover", 4)
    model = DQN(
        GraphQPolicy, env, learning_starts=16, batch_size=16, train_freq=2, buffer_size=512, device="cpu",
        policy_kwargs={"encoder": SMALL}, target_update_interval=8,
    )  # fmt: skip
    before = named_weights(model)
    trainable = {name for name, parameter in model.policy.named_parameters() if parameter.requires_grad}
    assert trainable == {name for name in before if name.startswith("q_net.")}
    model.learn(96)
    assert_all_moved(model, before)
    observation = env.reset()
    actions, _ = model.predict(observation, deterministic=True)
    assert env.action_masks()[np.arange(4), actions].all()


def test_dqn_on_ragged_graphs_stores_what_it_saw(tmp_path: Path) -> None:
    env = GraphVecEnv("steiner-tree", 4, ragged=True)
    model = GraphDQN(
        GraphQPolicy, env, learning_starts=40, batch_size=16, train_freq=4, buffer_size=64, device="cpu",
        policy_kwargs={"encoder": SMALL}, replay_buffer_class=GraphReplayBuffer, target_update_interval=8,
    )  # fmt: skip
    seen = []
    buffer: Any = model.replay_buffer
    add = buffer.add
    buffer.add = lambda obs, *rest, **kw: (seen.append({k: v.copy() for k, v in obs.items()}), add(obs, *rest, **kw))
    model.learn(200)
    assert buffer.full
    newest = buffer.graphs.select(buffer.graphs.ids[-4:]).state
    for key, values in seen[-1].items():
        assert torch.equal(newest[key], torch.from_numpy(values))
    samples = buffer.sample(8)
    assert samples.observations["num_nodes"].shape == (8, 1)
    assert bool((model.q_net(samples.observations).gather(1, samples.actions.long()) > -1e8).all()), (
        "actions were legal"
    )
    model.save(tmp_path / "dqn")
    again = load(GraphDQN, tmp_path / "dqn", GraphVecEnv(make_env_config("steiner-tree", sizes=(60,)), 2, ragged=True))
    assert all(torch.equal(one, other) for one, other in zip(weights(model), weights(again), strict=True))


def test_an_episode_that_is_cut_is_bootstrapped_from_where_it_ended() -> None:
    """Illegal actions cut an episode; the info then holds the last observation of the old one."""
    env = GraphVecEnv("vertex-cover", 1, ragged=True)
    env.reset()
    last = env.episodes.state.num_nodes
    for _ in range(last):
        _, reward, done, infos = env.step(np.array([10_000]))
        assert reward[0] == -1
    assert done[0]
    assert infos[0]["TimeLimit.truncated"]
    assert infos[0]["terminal_observation"]["num_nodes"] == last
    assert infos[0]["episode"]["r"] == -last


def replay_of(env: GraphVecEnv, size: int, **options: Any) -> GraphReplayBuffer:
    return GraphReplayBuffer(size, env.observation_space, env.action_space, "cpu", n_envs=env.num_envs, **options)


def fill(buffer: GraphReplayBuffer, env: GraphVecEnv, steps: int) -> list[tuple[Any, Any, int]]:
    """Random steps into `buffer` as DQN stores them, and of each graph: before, after, what was done."""
    kept = []
    model = GraphDQN(GraphQPolicy, env, policy_kwargs={"encoder": SMALL}, replay_buffer_class=GraphReplayBuffer)
    model._last_obs = env.reset()
    for _ in range(steps):
        before = model._last_obs
        actions, _ = model._sample_action(1000, n_envs=env.num_envs)
        new, reward, done, infos = env.step(actions)
        model._store_transition(buffer, actions, new, reward, done, infos)
        arrays = {key: torch.as_tensor(values) for key, values in before.items()}
        for row in range(env.num_envs):
            kept.append(
                (select(arrays, torch.tensor([row])), infos[row].get("terminal_observation"), int(actions[row]))
            )
    return kept


def test_a_replay_samples_what_was_stored_and_stores_each_observation_once() -> None:
    env = GraphVecEnv("vertex-cover", 4, ragged=True)
    buffer = replay_of(env, 400)
    kept = fill(buffer, env, 60)
    ends = sum(last is not None for _, last, _ in kept)
    assert ends > 4
    assert len(buffer.graphs) == len(kept) == 240
    assert len(buffer.graphs.states.ring) <= 240 + 4 + ends
    sample = buffer._get_samples(np.arange(240))
    assert sample.actions.flatten().tolist() == [action for _, _, action in kept]
    found = sample.observations
    for row, (before, last, _) in enumerate(kept):
        own = select(found, torch.tensor([row]))
        assert all(torch.equal(own[key], values) for key, values in before.items())
        after = select(sample.next_observations, torch.tensor([row]))
        if last is None:
            last = kept[row + 4][0] if row + 4 < len(kept) else after
        assert all(torch.equal(values, torch.as_tensor(last[key])) for key, values in after.items())
        assert bool(sample.dones[row]) == (kept[row][1] is not None)


def test_a_replay_wraps_and_stays_inside_its_bytes() -> None:
    env = GraphVecEnv("vertex-cover", 4, ragged=True)
    for buffer, most in ((replay_of(env, 40), 40), (replay_of(env, 4000, max_bytes=60_000), 150)):
        kept = fill(buffer, env, 60)
        assert buffer.graphs.num_bytes <= 60_000
        assert 20 <= len(buffer.graphs) <= most
        sample = buffer._get_samples(ids := buffer.graphs.ids.numpy())
        assert sample.actions.flatten().tolist() == [kept[place][2] for place in ids]
        assert len(buffer.sample(9).actions) == 9
        again = pickle.loads(pickle.dumps(buffer))
        np.random.seed(0)  # noqa: NPY002 - SB3 draws from this one
        one = buffer.sample(9)
        np.random.seed(0)  # noqa: NPY002 - SB3 draws from this one
        assert torch.equal(again.sample(9).observations["nodes"], one.observations["nodes"])


OTHERS = [
    (
        TRPO,
        GraphPolicy,
        "vertex-cover",
        "A2C and MaskablePPO; there is no distribution of a fixed size",
    ),
    (TRPO, GraphPolicy, "locomotion", "A2C and MaskablePPO; there is no distribution of a fixed size"),
    (RecurrentPPO, GraphPolicy, "vertex-cover", "A2C and MaskablePPO; there is no lstm_actor in it"),
    (DQN, GraphPolicy, "vertex-cover", "A2C and MaskablePPO; there is no q_net in it"),
    (
        QRDQN,
        GraphQPolicy,
        "vertex-cover",
        "GraphDQN; there is no quantile_net",
    ),
    (
        PPO,
        GraphQPolicy,
        "vertex-cover",
        "GraphDQN; there is no use_sde in it",
    ),
    (ARS, GraphPolicy, "vertex-cover", "A2C and MaskablePPO; there is nothing without gradients"),
    (SAC, GraphPolicy, "locomotion", "A2C and MaskablePPO; there is no actor in it"),
    (TD3, GraphPolicy, "locomotion", "A2C and MaskablePPO; there is no actor in it"),
    (DDPG, GraphPolicy, "locomotion", "A2C and MaskablePPO; there is no n_critics in it"),
    (TQC, GraphPolicy, "locomotion", "A2C and MaskablePPO; there is no actor in it"),
    (CrossQ, GraphPolicy, "locomotion", "A2C and MaskablePPO; there is no actor in it"),
]


@pytest.mark.parametrize(("algorithm", "policy", "problem", "message"), OTHERS)
def test_other_algorithms_are_refused_in_one_line(algorithm: Any, policy: Any, problem: str, message: str) -> None:
    options = {"n_steps": 8, "batch_size": 8} if algorithm in (TRPO, PPO, RecurrentPPO) else {}
    with pytest.raises((ValueError, AttributeError), match=message) as raised:
        algorithm(policy, GraphVecEnv(problem, 2), policy_kwargs={"encoder": SMALL}, device="cpu", **options).learn(16)
    assert "\n" not in str(raised.value)
