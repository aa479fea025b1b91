"""Envelope Q-learning: the loss is that of loops, 0 for the right Q, and what is learned is best for any preference."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from flow_many import SIDE, TABLE, TWO_OBJECTIVES, cell
from graphwright.algorithms.gflownet.batch import FlowBatch
from graphwright.algorithms.gflownet.config import GFlowNetConfig
from graphwright.core import GraphBatch, Observation, from_edges
from graphwright.core.timestep import PREFERENCE
from graphwright.data.states import WholeStates
from graphwright.distributions import PreferenceCategorical, RaggedCategorical
from graphwright.envs.generation import Generation
from graphwright.envs.generative.grid import COORDINATE, axes
from graphwright.envs.generative.many_objectives import ManyObjectives
from graphwright.envs.problem import Problem
from graphwright.envs.problems.independent_set.environment import INDEPENDENT_SET
from graphwright.envs.registry import find_problem
from graphwright.envs.reversible import Reversible
from graphwright.nn import EncoderConfig
from graphwright.nn.gflownet_policy import FlowEstimate
from graphwright.training.exploration import ExplorationConfig
from graphwright.training.gflownet.conditions import ConditionConfig, Conditions
from graphwright.training.gflownet.sampling import sample_forward
from graphwright.training.gflownet.sources import SourcesConfig
from graphwright.training.train import TrainingRun
from samplers import OBJECTIVES, sampler_config
from strategies import seeded


@dataclass(frozen=True)
class EndsOfAPath(ManyObjectives):
    """How many nodes of either half of a path of six are chosen."""

    @property
    def names(self) -> tuple[str, ...]:
        return ("left", "right")

    def measure(self, environment: Reversible, objects: GraphBatch) -> Tensor:
        return objects.nodes["selected"].view(-1, 2, 3).double().mean(2)


def paths(environment: Reversible, count: int, generator: torch.Generator) -> GraphBatch:
    one = from_edges(torch.stack([torch.arange(5), torch.arange(1, 6)]), torch.tensor([6]), undirected=True)
    one = one.with_nodes(weight=torch.ones(6)).with_edges(weight=torch.ones(10))
    return one.select(torch.zeros(count, dtype=torch.int64))


PATHS = Problem(
    "paths", "Independent sets", INDEPENDENT_SET.builder, generation=Generation(EndsOfAPath(), instances=paths)
)
"""Objects that end because nothing is left to do."""
TASKS = {"stops": TWO_OBJECTIVES, "ends by itself": PATHS, "one objective": find_problem("hyper-grid")}
CONDITIONS = {
    "drawn": ConditionConfig(beta="uniform", high=4.0, bins=3, preference=1.0),
    "all alike": ConditionConfig(),
}


def run_of(task: Problem, condition: ConditionConfig, **options: Any) -> TrainingRun:
    """With scores that differ clearly."""
    defaults: dict[str, Any] = {
        "threads": 1,
        "algorithm": "envelope-q",
        "encoder": EncoderConfig(kind="gin", width=8, depth=1),
        "sources": SourcesConfig(forward=7),
        "condition": condition,
    }
    run = TrainingRun(task, sampler_config(task, **(defaults | options)), Path("nowhere"))
    torch.manual_seed(1)
    for name, parameter in run.policy.named_parameters():
        if name.endswith("score.weight"):
            torch.nn.init.normal_(parameter)
    return run


def collected(run: TrainingRun) -> FlowBatch:
    """The next batch."""
    batch = run.collector.collect(run.policy).batch
    assert isinstance(batch, FlowBatch)
    return batch


def weights_of(states: GraphBatch, count: int) -> Tensor:
    return states.graphs.get(PREFERENCE, torch.full((states.num_graphs, count), 1 / count))


@torch.no_grad()
def by_loops(run: TrainingRun, batch: FlowBatch, preferences: int, share: float) -> float:
    """One state at a time, each under its own condition or one written for it from scratch."""
    config, ends = run.config, batch.trajectories.ends
    count = config.collection.reward.num_measures
    rewards = config.collection.reward.objectives(
        config.collection.reward.measure(config.environment, batch.trajectories.objects)
    )
    num = batch.segments.num_groups
    first, preferences = weights_of(batch.trajectories.initial, count), min(preferences, num)

    def values(row: int, weights: Tensor) -> list[Tensor]:
        state = batch.trajectories.states.select(torch.tensor([row]))
        if config.collection.condition.preference is not None:
            written = Conditions(state.graphs["beta"], weights.unsqueeze(0), None)
            state = config.collection.condition.attach(state, written)
        found = run.policy.distribution(config.environment.observe(state))
        assert isinstance(found, PreferenceCategorical)
        legal = config.environment.actions.arrange(state, config.environment.observe(state).masks)
        return [one if allowed else None for one, allowed in zip(found.values, legal.tolist(), strict=True)]

    main = auxiliary = 0.0
    for trajectory in range(num):
        begin, end = batch.segments.ptr[trajectory : trajectory + 2].tolist()
        own = first[trajectory]
        others = [first[(trajectory + place * num // preferences) % num] for place in range(preferences)]
        for row in range(begin, end):
            action = int(batch.trajectories.forward[row])
            if action < 0 or (row == end - 1 and ends is not None and not bool(ends[trajectory])):
                continue
            target, best = rewards[trajectory].float(), -torch.inf
            if row < end - 1:
                for other in others:
                    for value in values(row + 1, other):
                        if value is not None and float(own @ value) > best:
                            target, best = value, float(own @ value)
            difference = target - values(row, own)[action]
            main += float(difference.square().sum())
            auxiliary += abs(float(own @ difference))
    return ((1 - share) * main + share * auxiliary) / batch.num_steps


@pytest.mark.parametrize(
    ("name", "condition"), [pair for pair in itertools.product(TASKS, CONDITIONS) if pair != ("one objective", "drawn")]
)
@pytest.mark.parametrize(("preferences", "share"), [(1, 0.0), (3, 0.25), (4, 1.0)])
def test_the_loss_is_that_of_loops(name: str, condition: str, preferences: int, share: float) -> None:
    """Over trajectories, steps and preferences; of whole trajectories and of an excerpt of their steps."""
    run = run_of(TASKS[name], CONDITIONS[condition])
    batch = replace(collected(run), progress=share)
    objective = OBJECTIVES["envelope-q"].of(GFlowNetConfig(preferences=preferences), "envelope-q")
    for part in (batch, batch.excerpt(torch.rand(batch.segments.num_rows, generator=seeded()) < 0.3)):
        expected = by_loops(run, part, preferences, (1000**share - 1) / 999)
        assert float(objective.loss(part).detach()) == pytest.approx(expected, rel=1e-4)


class RightValues:
    """A policy with the exact Q of the grid: the objectives of the best cell that may follow, by the weights."""

    def distribution(self, observation: Observation) -> PreferenceCategorical:
        seen, masks = observation.graph, observation.masks
        actions = TWO_OBJECTIVES.environment.actions
        states = seen.with_nodes(coordinate=seen.nodes[COORDINATE].argmax(1))
        legal, weights = actions.arrange(states, masks), states.graphs[PREFERENCE]
        rows = []
        for place, weight in zip(cell(states).tolist(), weights.double(), strict=True):
            x, y = divmod(place, SIDE)
            rows.append(TABLE[place])
            rows += [best_from(*corner, weight) for corner in ((x + 1, y), (x, y + 1))]
        return PreferenceCategorical(torch.stack(rows), weights.double(), actions.segments(states), legal, 0.01)

    def __call__(self, states: GraphBatch, masks: tuple[Tensor, ...], backward_masks: object) -> FlowEstimate:
        nothing = RaggedCategorical(torch.zeros(0), TWO_OBJECTIVES.environment.backward_actions.segments(states))
        return FlowEstimate(self.distribution(Observation(states, masks)), nothing, None, None)


def best_from(x: int, y: int, weight: Tensor) -> Tensor:
    """[2]: the objectives of the best cell at or beyond (x, y); zeros outside of the grid."""
    after = [TABLE[SIDE * i + j] for i in range(x, SIDE) for j in range(y, SIDE)]
    return max(after, key=lambda found: float(found @ weight), default=torch.zeros(2, dtype=torch.float64))


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_the_loss_of_the_right_values_is_zero(share: float) -> None:
    """That of others is not: neither of other rewards nor of a network that has not learned."""
    run = run_of(TWO_OBJECTIVES, ConditionConfig(preference=1.0), sources=SourcesConfig(forward=32))
    batch = collected(run)
    rewards = TABLE[cell(batch.trajectories.objects)]
    torch.testing.assert_close(batch.rewards, rewards.float())
    right = replace(batch, policy=RightValues(), rewards=rewards, progress=share)  # type: ignore[arg-type]
    objective = OBJECTIVES["envelope-q"]()
    assert float(objective.loss(right)) < 1e-12
    assert float(objective.loss(replace(right, rewards=rewards + 0.1))) > 1e-3
    assert float(objective.loss(replace(batch, progress=share)).detach()) > 1e-2


def test_there_is_no_log_z() -> None:
    run = run_of(TWO_OBJECTIVES, ConditionConfig())
    assert bool(OBJECTIVES["envelope-q"]().log_z(collected(run)).isnan())


PREFERENCES = torch.tensor([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])


class LearnedTable(torch.nn.Module):
    """Q of each cell, action and one of three preferences: what a network would learn without generalising."""

    def __init__(self) -> None:
        super().__init__()
        self.table = torch.nn.Parameter(torch.zeros(SIDE * SIDE, len(PREFERENCES), 3, 2))

    def distribution(self, observation: Observation) -> PreferenceCategorical:
        seen, masks = observation.graph, observation.masks
        actions = TWO_OBJECTIVES.environment.actions
        states, weights = seen.with_nodes(coordinate=seen.nodes[COORDINATE].argmax(1)), seen.graphs[PREFERENCE]
        place = torch.cdist(weights, PREFERENCES).argmin(1)
        values = self.table[cell(states), place].flatten(0, 1)
        return PreferenceCategorical(values, weights, actions.segments(states), actions.arrange(states, masks), 0.01)

    def forward(self, seen: GraphBatch, masks: tuple[Tensor, ...], backward_masks: object) -> FlowEstimate:
        nothing = RaggedCategorical(torch.zeros(0), TWO_OBJECTIVES.environment.backward_actions.segments(seen))
        return FlowEstimate(self.distribution(Observation(seen, masks)), nothing, None, None)


def test_what_is_learned_is_best_for_any_preference() -> None:
    """From random objects alone; the best cells by enumeration are different ones."""
    sources = SourcesConfig(forward=240, exploration=ExplorationConfig(epsilon=1.0))
    run = run_of(TWO_OBJECTIVES, ConditionConfig(preference=1.0), sources=sources)
    batch = collected(run)
    weights = PREFERENCES[batch.segments.index % 3]
    states = batch.trajectories.states.with_graphs(**{PREFERENCE: weights})
    table = LearnedTable()
    batch = replace(
        batch,
        policy=table,  # type: ignore[arg-type]
        trajectories=replace(batch.trajectories, table=WholeStates(states)),
        prefer=lambda graph, other: graph.with_graphs(**{PREFERENCE: other}),
    )
    objective, adam = OBJECTIVES["envelope-q"](preferences=4), torch.optim.Adam(table.parameters(), 0.05)
    for step in range(300):
        adam.param_groups[0]["lr"] = 0.05 * (1 - step / 300)
        adam.zero_grad()
        objective.loss(replace(batch, progress=step / 300)).backward()
        adam.step()
    environment = TWO_OBJECTIVES.environment

    @torch.no_grad()
    def greedy(seen: Observation) -> Tensor:
        return table.distribution(seen).mode

    instances = axes(3, 2).with_graphs(**{PREFERENCE: PREFERENCES})
    found = cell(sample_forward(environment, instances, greedy).objects)
    expected = (PREFERENCES.double() @ TABLE.T).argmax(1)
    assert len(set(expected.tolist())) == 3
    assert torch.equal(found, expected)
