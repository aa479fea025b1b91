"""Coverage control: each landmark gets an agent of its own, whoever that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch, Observation, Step, per_decider
from graphwright.core.numbers import require
from graphwright.core.segment import segment_max, segment_mean
from graphwright.envs.team import Team
from graphwright.envs.teams.crowd import AGENT, LANDMARK, SIGHT, by_team, crowd, members, of_type, sight
from graphwright.envs.teams.matching import match
from graphwright.envs.teams.particles import STEP, accelerated, at_rest, pushes

NEAR = 0.1
"""A landmark is covered by an agent that is nearer than this."""


@dataclass(frozen=True)
class Coverage(Team):
    """Cover as many landmarks as there are agents, in the particle world (Agarwal, Kumar, Sycara & Lewis 2020,
    "Learning transferable cooperative behavior in multi-agent teams").

    Instance: agents and as many landmarks, every agent joined to all others (`crowd`); node column `start` [N, 2]
        float32, uniform in ±1.
    State: adds the node columns `position`, `velocity` [N, 2] float32 and the graph column `time` [B] int64.
    Observation: per node its `type` and `velocity`; per edge its `type` and where its source is seen from its
        destination (`sight`). Nothing says which agent one is, nor where the arena is.
    Action: of each agent, to do nothing or to be pushed along -x, +x, -y, +y. Agents pass through each other.
    Dynamics: v ← 0.75 v + 0.5 u, x ← x + 0.1 v.
    Reward: of the team, minus the mean distance of agents and landmarks in the matching of least distance.
    Termination: every matched distance is below 0.1, which is success. Truncation: after `steps`.
    """

    steps: int = 50
    """An episode is cut short after so many steps."""

    features = Features(nodes={"velocity": 2}, edges=SIGHT, node_types=2, edge_types=3)
    actions = ActionSpec(per_decider("push", 5), decider="nodes")

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where no step could be taken."""
        require("environment.steps", self.steps)

    @override
    def reset(self, instances: GraphBatch) -> GraphBatch:
        return at_rest(instances)

    @override
    def observe(self, state: GraphBatch) -> Observation:
        acts = state.nodes["type"] == AGENT
        seen = state.keep(["type", "velocity"], ["type"]).with_nodes(acts=acts).with_edges(**sight(state))
        return Observation(seen, (torch.ones(int(acts.sum()), 5, dtype=torch.bool, device=state.device),))

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        agents = of_type(state, AGENT)
        velocity, position = state.nodes["velocity"], state.nodes["position"]
        moving = accelerated(velocity[agents], pushes(action, velocity))
        time = state.graphs["time"] + 1
        following = state.with_nodes(
            velocity=velocity.index_copy(0, agents, moving), position=position.index_add(0, agents, STEP * moving)
        ).with_graphs(time=time)
        mean, largest = matched_distances(following)
        covered = largest < NEAR
        return Step(following, -mean.float(), covered, (time >= self.steps) & ~covered)

    @override
    def measures(self, state: GraphBatch) -> Mapping[str, Tensor]:
        return {"success": (matched_distances(state)[1] < NEAR).double()}

    @override
    def scene(self, instances: GraphBatch) -> Mapping[str, Tensor]:
        return {"landmarks": by_team(instances, "start", LANDMARK)}

    @override
    def snapshot(self, state: GraphBatch) -> Mapping[str, Tensor]:
        return {"agents": by_team(state, "position", AGENT)}


def matched_distances(state: GraphBatch) -> tuple[Tensor, Tensor]:
    """[B] float64 each: the mean and the largest distance in the matching of least total distance."""
    offset = matched_offsets(state)
    segments = members(state, AGENT)[1]
    distance = offset.double().norm(dim=1)
    return segment_mean(distance, segments), segment_max(distance, segments)


def matched_offsets(state: GraphBatch) -> Tensor:
    """[D, 2]: from each agent to the landmark that it is matched with."""
    position = state.nodes["position"]
    (agents, teams), (landmarks, groups) = members(state, AGENT), members(state, LANDMARK)
    place = match(position[agents], teams, position[landmarks], groups)
    return position[landmarks[groups.ptr[:-1][teams.index] + place]] - position[agents]


def coverage_instances(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
    """A team of as many agents as `graph` has nodes, and as many landmarks, all uniform in ±1."""
    count = graph.node_segments.lengths
    instances = crowd(count, count)
    drawn = torch.rand(instances.num_nodes, 2, generator=generator, device=generator.device)
    return instances.with_nodes(start=2 * drawn - 1)
