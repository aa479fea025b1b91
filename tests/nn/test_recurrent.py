"""Agents that remember: a batch of steps is the same as step by step, gradients flow along `successor`, zeros begin."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console
from torch import Tensor

from algorithms.multiagent.teams import made, rollout_of
from decision_environments import ENVIRONMENTS
from graphwright.algorithms import registry
from graphwright.algorithms.sequences import pieces_of, sequence_of
from graphwright.core import ActionSpec, Features, GraphBatch, Observation, Step, from_edges, per_decider
from graphwright.data.rollout import Rollout
from graphwright.data.sources import GeneratedInstances
from graphwright.envs.registry import find_problem
from graphwright.envs.team import Team
from graphwright.envs.vector import VectorEnvironment
from graphwright.envs.wrappers.identified import Identified
from graphwright.envs.wrappers.remembering import Remembering
from graphwright.training.agent import load
from graphwright.training.collectors.play import IdentityConfig
from graphwright.training.collectors.replay import ExploringReplayConfig, ReplayConfig
from graphwright.training.collectors.replay_collector import ReplayCollector
from graphwright.training.collectors.steps import collect_steps
from graphwright.training.config import ConfigError, TrainConfig
from graphwright.training.evaluate_team import TeamOptions, evaluate_team
from graphwright.training.play_teams import play_teams
from graphwright.training.train import resume, train
from strategies import seeded

FORAGERS, DRAW = ENVIRONMENTS["foragers"]  # who walk from node to node, die, and join
TEAM: Any = Remembering.around(FORAGERS, 5)
KNOWN = IdentityConfig("slot", 3)  # each has a number, and a network and a memory of its own
OTHERS: Any = Remembering.around(Identified.around(find_problem("foraging").environment, 3), 5)
DRAW_OTHERS = KNOWN.identified(find_problem("foraging").generator(None, (2, 3), None))
ALGORITHMS = ["ippo", "mappo", "iac"]
SHARED_OR_OWN = pytest.mark.parametrize("individual", [False, True], ids=["shared", "individual"])
STEPS = {"num_envs": 8, "num_steps": 4}
USED: dict[str, Any] = {"allow_unused": True, "materialize_grads": True}


def team(individual: bool) -> tuple[Any, Any]:
    """The environment, and what draws instances of it."""
    return (OTHERS, DRAW_OTHERS) if individual else (TEAM, DRAW)


def cells(own: Any) -> Any:
    """The unit of the policy, or those of all its agents."""
    return torch.nn.ModuleList(module for module in own.policy.modules() if isinstance(module, torch.nn.GRUCell))


def remarkable(algorithm: str, individual: bool) -> Any:
    """With weights that make a memory of any age count."""
    own = made(algorithm, team(individual)[0], individual=individual)
    for parameter in cells(own).parameters():
        torch.nn.init.normal_(parameter, generator=seeded(1))
    return own


def learner(algorithm: str, individual: bool = False) -> tuple[Any, Rollout]:
    """And seven steps of four episodes, of up to four steps where all share a network."""
    own = remarkable(algorithm, individual)
    rollout = rollout_of(*team(individual), own.policy, num_envs=4, num_steps=7)
    own.advantages(rollout)
    return own, rollout


def whole(own: Any, rollout: Rollout, environment: Any = TEAM) -> tuple[Tensor, Any, Tensor]:
    """All rows in one piece, in which nothing goes on with a stored memory but what began before it."""
    rows = torch.arange(rollout.num_steps)
    observation = environment.observe(rollout.states.select(rows))
    row = observation.graph.acting_nodes[0]
    begun = observation.graph.nodes["memory"].clone()
    sequence = sequence_of(rollout, own.policy, rows, own._decisions)
    assert sequence is not None
    begun[row[sequence.previous >= 0]] = torch.nan  # what is passed on is not read from where it was stored
    observation = Observation(observation.graph.with_nodes(memory=begun), observation.masks)
    distribution, value = own.policy(observation, sequence)
    return rows, distribution, value


@SHARED_OR_OWN
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_batch_of_steps_says_what_was_said_step_by_step(algorithm: str, individual: bool) -> None:
    own, rollout = learner(algorithm, individual)
    rows, distribution, value = whole(own, rollout, team(individual)[0])
    log_prob = distribution.log_prob(rollout.action.select(rows))
    torch.testing.assert_close(log_prob, rollout.log_prob)
    values = own._values(rollout)[0][: value.numel()]
    torch.testing.assert_close(value, values)
    remembers = rollout.states.select(rows).nodes["memory"]
    assert int((remembers != 0).any(1).sum()) > 10


def test_gradients_are_those_of_a_loop_over_agents() -> None:
    own, rollout = learner("ippo")
    rows, distribution, _ = whole(own, rollout)
    weight = torch.randn(rollout.log_prob.shape, generator=seeded(2))
    parameters = [*own.policy.encoder.parameters(), *own.policy.actor.parameters()]
    found = torch.autograd.grad((distribution.log_prob(rollout.action.select(rows)) * weight).sum(), parameters, **USED)
    expected = torch.autograd.grad((by_hand(own.policy, rollout) * weight).sum(), parameters, **USED)
    for mine, other in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-5)
    cut = own.policy.distribution(TEAM.observe(rollout.states.select(rows)))
    single = torch.autograd.grad((cut.log_prob(rollout.action.select(rows)) * weight).sum(), parameters, **USED)
    assert any(not torch.allclose(mine, other, rtol=1e-2) for mine, other in zip(found, single, strict=True))


def by_hand(policy: Any, rollout: Rollout) -> Tensor:
    """[Q]: log-probabilities of what was done, a graph at a time, each agent's memory in a dictionary."""
    num_steps, num_envs = rollout.reward.shape
    live: dict[tuple[int, int], Tensor] = {}
    said, begin = [], 0
    assert rollout.successor is not None
    for step in range(num_steps):
        following: dict[tuple[int, int], Tensor] = {}
        for env in range(num_envs):
            row = torch.tensor([step * num_envs + env])
            observation = TEAM.observe(rollout.states.select(row))
            graph, deciders = observation.graph, observation.graph.acting_nodes[0]
            embedding = policy.encoder.inner(graph)
            nodes = embedding.nodes.clone()
            over = bool(rollout.terminated[step, env] | rollout.truncated[step, env])
            for place, node in enumerate(deciders.tolist()):
                memory = live.get((env, place), graph.nodes["memory"][node])
                after = policy.encoder.cell(embedding.nodes[node][None], memory[None])[0]
                nodes[node] = nodes[node] + policy.encoder.out(after)
                successor = int(rollout.successor[begin + place])
                if successor >= 0 and not over:
                    following[env, successor] = after
            begin += len(deciders)
            distribution = policy.actor(replace(embedding, nodes=nodes), observation)
            said.append(distribution.log_prob(rollout.action.select(row)))
        live = following
    return torch.cat(said)


def test_the_dead_forget_and_who_joins_or_begins_remembers_nothing() -> None:
    """What stands in each state is what its agents wrote before, by a loop that follows them."""
    policy = made("ippo", TEAM).policy
    state = TEAM.reset(DRAW(20, seeded()))
    assert not bool(state.nodes["memory"].any())
    joined = died = 0
    for _ in range(3):
        observation = TEAM.observe(state)
        chosen = policy.act(observation, seeded(3))
        before, graphs = observation.graph.acting_nodes
        step = TEAM.step(chosen.into(state), chosen.action)
        after, later = TEAM.observe(step.state).graph.acting_nodes
        expected = torch.zeros_like(step.state.nodes["memory"])
        kept = []
        for place, node in enumerate(before.tolist()):
            successor = int(step.successor[place])
            died += successor < 0
            if successor >= 0:
                kept.append(int(after[later.ptr[graphs.index[place]] + successor]))
                expected[kept[-1]] = chosen.memory[node]
        joined += len(set(after.tolist()) - set(kept))
        assert torch.equal(step.state.nodes["memory"], expected)
        state = step.state.select(~step.terminated)
    assert joined > 3
    assert died > 3


def test_pieces_are_whole_episodes_and_hold_every_state_once() -> None:
    own, rollout = learner("ippo")
    pieces = pieces_of(rollout, own.policy, 14, seeded())
    assert [piece.numel() for piece in pieces] == [14, 14]
    assert torch.cat(pieces).sort().values.tolist() == list(range(28))
    for piece in pieces:
        steps = piece.view(7, 2)
        assert torch.equal(steps[1:] - steps[:-1], torch.full((6, 2), 4))


@dataclass(frozen=True)
class Recall(Team):
    """Each agent is shown a sign in the first step only, and has to say it in the last of `steps`: 1 if it is right."""

    steps: int = 4

    features = Features(nodes={"shown": 1}, graphs={"last": 1})
    actions = ActionSpec(per_decider("say", 2), decider="nodes")
    own_reward = True

    def reset(self, instances: GraphBatch) -> GraphBatch:
        return instances.with_graphs(time=torch.zeros(instances.num_graphs, dtype=torch.int64))

    def observe(self, state: GraphBatch) -> Observation:
        time = state.graphs["time"]
        shown = state.nodes["sign"] * (time == 0)[state.node_graph]
        graph = state.keep().with_nodes(shown=shown).with_graphs(last=(time == self.steps - 1).float())
        return Observation(graph, (torch.ones(state.num_nodes, 2, dtype=torch.bool),))

    def step(self, state: GraphBatch, action: Tensor) -> Step:
        time = state.graphs["time"] + 1
        right = (2 * action - 1 == state.nodes["sign"]) & (time == self.steps)[state.node_graph]
        over = time >= self.steps
        return Step(state.with_graphs(time=time), right.float(), over, torch.zeros_like(over))


@dataclass(frozen=True)
class Leaning(Recall):
    """The same for a number from -1 to 1: a reward of 1 where it is the sign, a half for 0."""

    actions = ActionSpec(per_decider("lean", continuous=1), decider="nodes")

    def observe(self, state: GraphBatch) -> Observation:
        return Observation(super().observe(state).graph, (torch.ones(state.num_nodes, dtype=torch.bool),))

    def step(self, state: GraphBatch, action: Tensor) -> Step:
        step = super().step(state, (action.squeeze(1) > 0).long())
        right = (1 + action.squeeze(1) * state.nodes["sign"]) / 2
        return replace(step, reward=right * step.terminated[state.node_graph])


def signs(count: int, generator: torch.Generator) -> GraphBatch:
    """Three agents in a row, each with a sign."""
    edges = torch.tensor([[0, 1], [1, 2]]).repeat(1, count) + 3 * torch.arange(count).repeat_interleave(2)
    graph = from_edges(edges, torch.full((count,), 3), undirected=True)
    return graph.with_nodes(sign=torch.randint(2, (3 * count,), generator=generator) * 2.0 - 1)


def right(environment: Any, own: Any) -> float:
    """The share of answers that are right; without a memory it is a half."""
    played = play_teams(
        environment, signs(64, seeded(9)), lambda state: own.policy.act(environment.observe(state), draw=False)
    )
    return float(played.returns.mean())


@pytest.mark.parametrize(
    ("algorithm", "steps", "num_envs", "updates", "options"),
    [
        ("ippo", 4, 32, 25, {"learning_rate": 2e-2}),
        (
            "coma",
            3,
            128,
            12,
            {"learning_rate": 5e-3, "critic_epochs": 6, "gae_lambda": 1.0, "entropy_coefficient": 0.2},
        ),
    ],
)
def test_a_sign_of_the_first_step_is_known_in_the_last_one(
    algorithm: str, steps: int, num_envs: int, updates: int, options: dict[str, Any]
) -> None:
    environment: Any = Remembering.around(Recall(steps), 8)
    own = made(algorithm, environment, width=16, depth=1, minibatch_size=128, discount=1.0, **options)
    vector, generator = VectorEnvironment(environment, GeneratedInstances(signs, 0), num_envs), seeded()
    for _ in range(updates):
        own.update(collect_steps(vector, own.policy, 2 * steps, generator), 0.0)
    assert right(environment, own) > 0.95


def replayed(algorithm: str, individual: bool, **options: Any) -> tuple[Any, ReplayCollector]:
    """An algorithm, and a collector whose replay holds steps that its policy took."""
    own, (environment, draw) = remarkable(algorithm, individual), team(individual)
    options = {"num_envs": 4, "num_steps": 6, "warm_up": 40, "capacity": 100, "minibatch_size": 30} | options
    config = ExploringReplayConfig(memory=5, num_minibatches=2, **options)
    vector = VectorEnvironment(environment, GeneratedInstances(draw, 0), 4)
    return own, ReplayCollector(vector, config, 1, seeded())


@SHARED_OR_OWN
@pytest.mark.parametrize("algorithm", ["iql", "vdn", "qmix", "sac", "awac", "maddpg"])
def test_steps_of_a_replay_in_a_row_say_what_was_said_step_by_step(algorithm: str, individual: bool) -> None:
    own, collector = replayed(algorithm, individual, sequence=3)
    environment = team(individual)[0]
    found = next(iter(collector.collect(own.policy).batch))
    sequence, agents = found.sequence, found.groups["decisions"]
    observation = environment.observe(found.state)
    goes_on = sequence.previous >= 0
    assert len(sequence.ptr) == 4
    assert int(goes_on.sum()) > 5
    place, before = goes_on.nonzero().squeeze(1), sequence.previous[goes_on]
    assert torch.equal(found.ids[agents.segments.index[place]], found.ids[agents.segments.index[before]] + 4)
    assert torch.equal(agents.columns["successor"][before], agents.segments.position[place])
    memory = observation.graph.nodes["memory"].clone()
    memory[observation.graph.acting_nodes[0][goes_on]] = torch.nan  # it is passed on, and not read
    graph = observation.graph.with_nodes(memory=memory)
    together = own.policy.read(Observation(graph, observation.masks), sequence)[0]
    torch.testing.assert_close(together.logits, own.policy.distribution(observation).logits)
    before_update = {name: tensor.clone() for name, tensor in cells(own).state_dict().items()}
    own.update(collector.collect(own.policy).batch, 0.0)
    assert all(not torch.equal(before_update[name], now) for name, now in cells(own).state_dict().items())


@pytest.mark.parametrize(
    ("algorithm", "asked", "updates", "options"),
    [("iql", Recall(3), 15, {}), ("sac", Recall(3), 22, {}), ("sac", Leaning(3), 25, {"independent": True})],
)
def test_what_learns_from_a_replay_remembers_a_sign(
    algorithm: str, asked: Recall, updates: int, options: dict[str, Any]
) -> None:
    environment: Any = Remembering.around(asked, 8)
    options = {"learning_rate": 1e-2, "discount": 0.99, "target_rate": 0.1} | options
    own = made(algorithm, environment, width=16, depth=1, **options)
    drawn: dict[str, Any] = {"warm_up": 256, "capacity": 4000, "num_minibatches": 8, "minibatch_size": 120}
    kind = ReplayConfig if own.draws else ExploringReplayConfig
    config = kind(memory=8, sequence=3, num_envs=32, num_steps=6, **drawn)
    collector = ReplayCollector(VectorEnvironment(environment, GeneratedInstances(signs, 0), 32), config, 1, seeded())
    for _ in range(updates):
        own.update(collector.collect(own.policy).batch, 0.0)
    assert right(environment, own) > 0.95


def test_runs_remember_resume_and_are_evaluated(tmp_path: Path) -> None:
    config = TrainConfig.for_problem(
        "patrol",
        "mappo",
        steps=64,
        threads=1,
        environment={"steps": 10},
        encoder={"width": 8, "depth": 1},
        collection={**STEPS, "sizes": (2, 3), "memory": 4},
        validation={"sizes": (2,), "graphs": 2},
    )
    first = train("patrol", config, tmp_path / "run", Console(quiet=True))
    assert first.algorithm.policy.remembers  # type: ignore[union-attr]
    resume(tmp_path / "run", steps=96, console=Console(quiet=True))
    agent = load(tmp_path / "run")
    (row,) = evaluate_team(agent, TeamOptions(agents=(4,), episodes=2), baselines=False)
    assert row.agents == 4
    with pytest.raises(ConfigError, match=r"remembers \(--memory\)"):
        agent.act(agent.config.collection.instances(agent.problem)(1, seeded()))


@pytest.mark.parametrize(
    ("problem", "algorithm", "complaint"),
    [
        ("patrol", "reinforce", "--memory: --algorithm reinforce learns from single steps; take mappo"),
        ("vertex-cover", "ppo", "--memory 4: only agents of a team remember; leave it out"),
    ],
)
def test_what_remembers_nothing_is_one_line(problem: str, algorithm: str, complaint: str, tmp_path: Path) -> None:
    config = TrainConfig.for_problem(problem, algorithm, steps=8, collection={"memory": 4})
    with pytest.raises(ConfigError, match=complaint):
        train(problem, config, tmp_path / "run", Console(quiet=True))


def test_the_complaint_names_all_algorithms_whose_agents_remember(tmp_path: Path) -> None:
    config = TrainConfig.for_problem("patrol", "reinforce", steps=8, collection={"memory": 4})
    with pytest.raises(ConfigError) as complaint:
        train("patrol", config, tmp_path / "run", Console(quiet=True))
    named = str(complaint.value).partition("take ")[2].replace(" or ", ", ").split(", ")
    loaded = {name: entry.load() for name, entry in registry.ALGORITHMS.items()}
    assert set(named) == {name for name, kind in loaded.items() if getattr(kind, "remembers", False)}


def test_equal_networks_of_their_own_remember_what_the_shared_one_does() -> None:
    own, rollout = learner("ippo", individual=True)
    shared = made("ippo", OTHERS).policy
    for part in ("encoder", "actor", "critic"):
        for each in getattr(own.policy, part).each:
            each.load_state_dict(getattr(shared, part).state_dict())
    observation = OTHERS.observe(rollout.states.select(torch.arange(rollout.num_steps)))
    alone, together = (policy.act(observation, seeded()) for policy in (own.policy, shared))
    assert torch.equal(alone.action, together.action)
    torch.testing.assert_close(alone.memory, together.memory)
    assert bool(observation.graph.nodes["memory"].any())


@pytest.mark.parametrize("number", [0, 1, 2])
def test_through_memories_too_a_gradient_reaches_only_the_networks_of_those_that_acted(number: int) -> None:
    own, rollout = learner("ippo", individual=True)
    rows, distribution, value = whole(own, rollout, OTHERS)
    observation = OTHERS.observe(rollout.states.select(rows))
    acted = observation.graph.nodes["identity"][observation.graph.acting_nodes[0]].argmax(1) == number
    (distribution.log_prob(rollout.action.select(rows))[acted].sum() + value[acted].sum()).backward()
    for place, encoder in enumerate(own.policy.encoder.each):
        moved = [bool(weight.grad is not None and weight.grad.any()) for weight in encoder.parameters()]
        assert all(moved) if place == number else not any(moved)


def test_what_is_remembered_changes_what_is_done() -> None:
    """The column is read: another memory, other scores."""
    policy, state = made("ippo", TEAM).policy, TEAM.reset(DRAW(3, seeded()))
    observation = TEAM.observe(state)
    other = observation.graph.with_nodes(memory=observation.graph.nodes["memory"] + 1)
    said = [policy.distribution(Observation(graph, observation.masks)).logits for graph in (observation.graph, other)]
    assert not torch.allclose(*said)
