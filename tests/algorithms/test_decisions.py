"""Several decisions a graph: laws of the candidates and the policy, and PPO with both ratios."""

from __future__ import annotations

from typing import Literal

import pytest
import torch
from hypothesis import given, settings

from decision_environments import ENVIRONMENTS, Foragers, joint_actions, optimum
from graphwright.algorithms.ppo import PPO, PPOConfig
from graphwright.algorithms.reinforce import Reinforce, ReinforceConfig
from graphwright.core import (
    ActionSpec,
    Features,
    GraphBatch,
    Observation,
    per_decider,
    per_edge,
    per_neighbour,
    per_node,
)
from graphwright.core.segment import segment_sum
from graphwright.data.sources import GeneratedInstances
from graphwright.envs.conformance import check_environment
from graphwright.envs.problem import random_choice
from graphwright.envs.rollouts import play
from graphwright.envs.team import has_own_reward
from graphwright.envs.vector import VectorEnvironment
from graphwright.envs.wrappers.penalized import PenalizedOptimization
from graphwright.nn import ActorCritic, EncoderConfig, HeadsConfig
from graphwright.training.collectors.episodes import collect_episodes
from graphwright.training.collectors.steps import collect_steps
from strategies import alone, ragged_batches, relabelled, seeded

every = pytest.mark.parametrize("name", ENVIRONMENTS)
both = pytest.mark.parametrize("ratio", ["joint", "decision"])
FEATURES = Features(nodes={"x": 3}, edges={"w": 2}, graphs={"g": 1})
SPECS = {
    "columns of nodes": ActionSpec(per_decider("a", 3), decider="nodes"),
    "neighbours or stay": ActionSpec(per_neighbour("go"), per_decider("stay"), decider="nodes"),
    "columns of edges": ActionSpec(per_decider("a", 2), decider="edges"),
}
every_spec = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS.keys())
every_head = pytest.mark.parametrize(
    "heads", [HeadsConfig(), HeadsConfig(deciders="own"), HeadsConfig(deciders="linear")]
)


def make(name: str, ratio: Literal["joint", "decision"], width: int = 8) -> ActorCritic:
    environment, _ = ENVIRONMENTS[name]
    torch.manual_seed(0)
    own = ratio == "decision" and has_own_reward(environment)
    encoder = EncoderConfig(kind="gin", width=width, depth=3)
    values: Literal["graphs", "decisions"] = "decisions" if own else "graphs"
    return ActorCritic(environment.features, environment.actions, encoder, HeadsConfig(), values)


def acting(graph: GraphBatch, spec: ActionSpec) -> Observation:
    """Two thirds of the nodes and links act; a third of their candidates is masked."""
    rows, _ = graph.links
    link = torch.zeros(graph.num_edges, dtype=torch.bool)
    link[rows] = graph.edges["w"][rows, 0] > -0.4
    if "reverse" in graph.edges:
        link |= link[graph.edges["reverse"] + graph.edge_ptr[:-1][graph.edge_graph]]
    graph = graph.with_nodes(acts=graph.nodes["x"][:, 0] > -0.4).with_edges(acts=link)
    shapes = [(rows.num_rows, block.columns) for rows, block in zip(spec.rows(graph), spec.blocks, strict=True)]
    masks = tuple(torch.rand(shape, generator=seeded(1)) > 1 / 3 for shape in shapes)
    return Observation(graph, masks)


def policy_for(spec: ActionSpec, heads: HeadsConfig) -> ActorCritic:
    """With scores that are not small, so that choices show."""
    torch.manual_seed(0)
    policy = ActorCritic(FEATURES, spec, EncoderConfig(kind="gin", width=8, depth=2), heads, "decisions")
    for name, parameter in policy.actor.named_parameters():
        if ".score." in name:
            torch.nn.init.normal_(parameter, std=2)
    return policy


# ---- what is decided -----------------------------------------------------------------------------------------------


@every_spec
@given(graph=ragged_batches(undirected=True))
def test_decisions_and_candidates_are_those_of_a_loop(spec: ActionSpec, graph: GraphBatch) -> None:
    seen = acting(graph, spec).graph
    found = spec.decisions(seen)
    rows, of_graph, lengths = [], [0] * graph.num_graphs, []
    if spec.decider.name == "nodes":
        deciders = [(node, int(seen.node_graph[node])) for node in range(graph.num_nodes) if seen.nodes["acts"][node]]
    else:
        edges, links = seen.links
        acts = seen.edges["acts"][edges].tolist()
        deciders = [(place, int(links.index[place])) for place, one in enumerate(acts) if one]
    for row, graph_of in deciders:
        rows.append(row)
        of_graph[graph_of] += 1
        count = sum(block.columns for block in spec.blocks if block.rows.name == "deciders")
        if len(spec.blocks) == 2:
            count += int((seen.edge_index[0] == row).sum())
        lengths.append(count)
    assert found.row.tolist() == rows
    assert found.graphs.lengths.tolist() == of_graph
    assert found.candidates.lengths.tolist() == lengths
    assert spec.graph_segments(seen).lengths.tolist() == segment_sum(found.candidates.lengths, found.graphs).tolist()


@every_spec
@every_head
@given(graph=ragged_batches(undirected=True))
def test_probabilities_sum_to_one_for_each_decision_and_the_joint_is_the_sum(
    spec: ActionSpec, heads: HeadsConfig, graph: GraphBatch
) -> None:
    policy, seen = policy_for(spec, heads), acting(graph, spec)
    distribution = policy.distribution(seen)
    able = spec.able(seen.graph, seen.masks)
    torch.testing.assert_close(segment_sum(distribution.probs, distribution.segments), able.float())
    chosen = policy.act(seen, seeded())
    assert torch.equal(chosen.action >= 0, able)
    legal = spec.arrange(seen.graph, seen.masks)
    assert bool(legal[(distribution.segments.ptr[:-1] + chosen.action)[able]].all())
    joint = spec.joint(seen.graph, chosen.log_prob)
    parts = chosen.log_prob.split(spec.deciders(seen.graph).lengths.tolist())
    torch.testing.assert_close(joint, torch.stack([part.sum() for part in parts]) if parts else joint)
    choice = spec.locate(seen.graph, chosen.action)
    assert torch.equal(spec.compose(seen.graph, choice)[able], chosen.action[able])
    distribution.entropy.sum().backward()
    assert all(p.grad is None or bool(p.grad.isfinite().all()) for p in policy.parameters())


@every_spec
@every_head
@given(graph=ragged_batches(undirected=True))
def test_batching_changes_nothing(spec: ActionSpec, heads: HeadsConfig, graph: GraphBatch) -> None:
    policy, seen = policy_for(spec, heads), acting(graph, spec)
    distribution, value = policy(seen)
    graphs, candidates = spec.deciders(seen.graph), spec.graph_segments(seen.graph)
    for index in range(graph.num_graphs):
        masks = tuple(
            mask[rows.index == index] for rows, mask in zip(spec.graph_rows(seen.graph), seen.masks, strict=True)
        )
        single, own = policy(Observation(alone(seen.graph, index), masks))
        torch.testing.assert_close(single.probs, distribution.probs[candidates.index == index], rtol=1e-3, atol=1e-5)
        torch.testing.assert_close(own, value[graphs.index == index], rtol=1e-3, atol=1e-4)


@every_spec
@given(graph=ragged_batches(undirected=True))
@settings(max_examples=15)
def test_relabelling_permutes_values_of_decisions(spec: ActionSpec, graph: GraphBatch) -> None:
    seen = acting(graph, spec).graph
    moved, place = relabelled(seen, seeded(2))
    policy = policy_for(spec, HeadsConfig())

    def values_by_ends(batch: GraphBatch, name: torch.Tensor) -> dict[tuple[int, ...], float]:
        row = spec.decisions(batch).row
        ends = name[row][None] if spec.decider.name == "nodes" else name[batch.edge_index[:, batch.links[0][row]]]
        value = policy.critic(policy.encoder(batch), batch).tolist()
        keys = [tuple(sorted(key)) for key in ends.t().tolist()]
        return {key: one for key, one in zip(keys, value, strict=True) if keys.count(key) == 1}

    one = values_by_ends(seen, place)
    other = values_by_ends(moved, torch.arange(moved.num_nodes))
    assert one.keys() == other.keys()
    assert list(one.values()) == pytest.approx([other[key] for key in one], rel=1e-3, abs=1e-4)


def test_candidates_that_a_decider_does_not_have_are_refused() -> None:
    with pytest.raises(ValueError, match="'a' is tied to nodes: give decider='graphs'"):
        ActionSpec(per_node("a"), decider="nodes")
    with pytest.raises(ValueError, match="'a' is tied to deciders: give decider='nodes' or 'edges'"):
        ActionSpec(per_decider("a"))
    with pytest.raises(ValueError, match="'go' is tied to neighbours: give decider='graphs' or 'nodes'"):
        ActionSpec(per_neighbour("go"), decider="edges")
    with pytest.raises(ValueError, match="give decider='graphs'"):
        ActionSpec(per_edge("a"), decider="edges")


def test_a_spec_of_decisions_comes_back_from_a_file() -> None:
    for spec in SPECS.values():
        assert ActionSpec.from_dict(spec.as_dict()) == spec


# ---- environments --------------------------------------------------------------------------------------------------


@every
def test_the_environment_keeps_the_contract(name: str) -> None:
    environment, draw = ENVIRONMENTS[name]
    check_environment(environment, environment.instance(draw(8, seeded())))


def test_foragers_by_hand() -> None:
    """A path 0 - 1 - 2 - 3: both want node 1, the higher rank gets it, the other stays; one dies and one joins."""
    ends = torch.tensor([[0, 1, 1, 2, 2, 3], [1, 0, 2, 1, 3, 2]])
    order = torch.argsort(ends[1] * 4 + ends[0])
    graph = GraphBatch(ends[:, order], torch.tensor([0, 4]), torch.tensor([0, 6])).with_nodes(
        supply=torch.tensor([1.0, 2, 4, 8]), lot=torch.tensor([0.5, 0.1, 0.9, 0.3]),
        born=torch.tensor([1, 0, 3, 2]), arrival=torch.tensor([0, 0, 0, 1]),
    )  # fmt: skip
    environment = Foragers()
    state = environment.reset(graph)
    step = environment.step(state, torch.tensor([0, 0]))  # both to node 1
    assert step.reward.tolist() == [1, 2]
    assert step.state.nodes["life"].tolist() == [0, 2, 0, 2]
    assert step.successor is not None
    assert step.successor.tolist() == [-1, 0]
    seen = environment.observe(step.state)
    assert environment.actions.decisions(seen.graph).row.tolist() == [1, 3]
    assert [mask.tolist() for mask in seen.masks] == [[True, True, True], [True, True]]


@every
def test_penalties_go_with_several_decisions(name: str) -> None:
    environment, draw = ENVIRONMENTS[name]
    penalized = PenalizedOptimization(environment, penalty=0.5, limit=3)
    instances = environment.instance(draw(6, seeded()))
    final = play(penalized, instances, random_choice(penalized, seeded()))
    assert final.num_graphs == 6


@every
def test_nothing_is_better_than_the_optimum(name: str) -> None:
    environment, draw = ENVIRONMENTS[name]
    instances = environment.instance(draw(10, seeded()))
    best = optimum(environment, instances)
    for seed in range(5):
        found = environment.objective(play(environment, instances, random_choice(environment, seeded(seed))))
        assert bool((found <= best + 1e-6).all())
    rows, _ = joint_actions(environment, environment.reset(instances))
    assert rows.unique().numel() == 10


# ---- learning ------------------------------------------------------------------------------------------------------


@every
@both
def test_ppo_moves_every_parameter_and_collects_its_own_log_probabilities(
    name: str, ratio: Literal["joint", "decision"]
) -> None:
    environment, draw = ENVIRONMENTS[name]
    policy = make(name, ratio)
    rollout = collect_steps(VectorEnvironment(environment, GeneratedInstances(draw, 0), 6), policy, 5, seeded())
    rows = torch.randperm(rollout.num_steps, generator=seeded())
    again = policy.distribution(environment.observe(rollout.states.select(rows))).log_prob(rollout.action.select(rows))
    torch.testing.assert_close(
        again.detach(), rollout.log_prob[rollout.action.decisions(rows)[0]], rtol=1e-4, atol=1e-4
    )
    if rollout.own_reward is not None:
        assert rollout.action.states is not None
        torch.testing.assert_close(
            segment_sum(rollout.own_reward, rollout.action.states), rollout.reward.flatten(), rtol=1e-5, atol=1e-5
        )
    before = {key: parameter.detach().clone() for key, parameter in policy.named_parameters()}
    config = PPOConfig(minibatch_size=10, entropy_coefficient=0.01, ratio=ratio)
    algorithm = PPO(policy, environment.observe, config, seeded())
    for _ in range(2):
        metrics = algorithm.update(rollout, 0.0)
    assert all(bool(value.isfinite()) for value in metrics.values())
    assert not [key for key, parameter in policy.named_parameters() if torch.equal(parameter, before[key])]


@pytest.mark.parametrize("own", [False, True])
def test_the_surrogate_of_each_decision_by_a_loop(own: bool) -> None:
    """Of the first step, at which all ratios are 1: −mean A over decisions, each with its own or its graph's."""
    name = "foragers" if own else "spins of nodes"
    environment, draw = ENVIRONMENTS[name]
    policy = make(name, "decision")
    rollout = collect_steps(VectorEnvironment(environment, GeneratedInstances(draw, 0), 4), policy, 3, seeded())
    config = PPOConfig(minibatch_size=12, ratio="decision", epochs=1)
    algorithm = PPO(policy, environment.observe, config, seeded())
    advantage, _, _ = algorithm.advantages(rollout)
    states = rollout.action.states
    assert states is not None
    assert advantage.numel() == (states.num_rows if own else rollout.num_steps)
    centred = (advantage - advantage.mean()) / advantage.std(correction=0)
    each = [float(centred[q if own else int(states.index[q])]) for q in range(states.num_rows)]
    metrics = algorithm.update(rollout, 0.0)
    assert float(metrics["policy_loss"]) == pytest.approx(-sum(each) / len(each), abs=1e-4)


@every
def test_reinforce_learns_from_the_joint_probability(name: str) -> None:
    environment, draw = ENVIRONMENTS[name]
    policy = make(name, "joint")
    episodes = collect_episodes(environment, environment.instance(draw(4, seeded())), 3, policy, seeded())
    before = {key: parameter.detach().clone() for key, parameter in policy.actor.named_parameters()}
    algorithm = Reinforce(policy, environment.observe, ReinforceConfig(minibatch_size=7), seeded())
    for _ in range(2):
        metrics = algorithm.update(episodes, 0.0)
    assert all(bool(value.isfinite()) for value in metrics.values())
    assert not [key for key, parameter in policy.actor.named_parameters() if torch.equal(parameter, before[key])]


@both
def test_ppo_comes_near_the_optimum(ratio: Literal["joint", "decision"]) -> None:
    """A few seconds of spins: most of the way from random choice to the optimum; benchmarks go to the end."""
    environment, draw = ENVIRONMENTS["spins of nodes"]
    policy = make("spins of nodes", ratio, width=16)
    config = PPOConfig(minibatch_size=128, ratio=ratio, target_kl=None, learning_rate=1e-2, value_coefficient=0.5)
    vector = VectorEnvironment(environment, GeneratedInstances(draw, 0), 128)
    algorithm = PPO(policy, environment.observe, config, seeded())
    for update in range(12):
        algorithm.update(collect_steps(vector, policy, 2, seeded(update)), update / 12)
    instances = environment.instance(draw(100, seeded(99)))
    reached = environment.objective(play(environment, instances, policy.best)).sum()
    assert reached > 0.75 * optimum(environment, instances).sum()
