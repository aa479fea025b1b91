"""Spread: each landmark wants an agent near it, and agents that touch are punished."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch, Observation, Step, per_decider
from graphwright.core.numbers import require
from graphwright.core.segment import segment_sum
from graphwright.envs.problem import ControlRule, Problem
from graphwright.envs.team import Team
from graphwright.envs.teams.coverage.rules import assigned, nearest
from graphwright.envs.teams.crowd import AGENT, LANDMARK, SIGHT, by_team, crowd, members, of_type, sight
from graphwright.envs.teams.defaults import CROWD
from graphwright.envs.teams.particles import STEP, accelerated, at_rest, contact_force, pushes

_SIZE = 0.15  # of an agent
_NEAR = 0.1


@dataclass(frozen=True)
class Spread(Team):
    """The cooperative navigation of the particle world (Lowe et al. 2017), with the rules of `mpe2.simple_spread_v3`.

    Instance: agents and as many landmarks, every agent joined to all others (`crowd`); node column `start` [N, 2]
        float64, uniform in ±1.
    State: adds the node columns `position`, `velocity` [N, 2] float64 and the graph column `time` [B] int64.
    Observation: per node its `type`, `velocity` and `position`; per edge its `type` and where its source is seen from
        its destination (`sight`).
    Action: of each agent, to do nothing or to be pushed along -x, +x, -y, +y.
    Dynamics: x ← x + 0.1 v, then v ← 0.75 v + 0.1 (5 u + the forces of agents that touch), all of mass 1.
    Reward: of each agent, (1 - `local_ratio`) times minus the sum over landmarks of the distance of the nearest agent,
        and `local_ratio` times minus how many others touch it.
    Truncation: after `steps`.
    """

    steps: int = 25
    """An episode is cut short after so many steps."""
    local_ratio: float = 0.5
    """Share of an agent's own collisions in its reward; the rest is the team's."""

    features = Features(nodes={"velocity": 2, "position": 2}, edges=SIGHT, node_types=2, edge_types=3)
    actions = ActionSpec(per_decider("push", 5), decider="nodes")
    own_reward = True

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where a value makes no environment."""
        require("environment.steps", self.steps)
        require("environment.local-ratio", self.local_ratio, 0, 1)

    @override
    def reset(self, instances: GraphBatch) -> GraphBatch:
        return at_rest(instances)

    @override
    def observe(self, state: GraphBatch) -> Observation:
        acts = state.nodes["type"] == AGENT
        graph = state.keep(["type", "velocity", "position"], ["type"]).with_nodes(acts=acts)
        seen = graph.with_edges(**sight(state))
        return Observation(seen, (torch.ones(int(acts.sum()), 5, dtype=torch.bool, device=state.device),))

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        agents, teams = members(state, AGENT)
        position, velocity = state.nodes["position"], state.nodes["velocity"]
        (source, end), between = state.edge_index, (state.edges["type"] == 0).nonzero().squeeze(1)
        source, end = source[between], end[between]
        force = torch.zeros_like(position).index_copy(0, agents, pushes(action, position))
        force = force.index_add(0, end, contact_force(position[end] - position[source], 2 * _SIZE))
        moved = position.index_add(0, agents, STEP * velocity[agents])
        time = state.graphs["time"] + 1
        following = state.with_nodes(
            position=moved, velocity=velocity.index_copy(0, agents, accelerated(velocity, force)[agents])
        ).with_graphs(time=time)
        touching = (moved[end] - moved[source]).norm(dim=1) < 2 * _SIZE
        hits = torch.zeros_like(position[:, 0]).index_add(0, end, touching.to(position.dtype))[agents]
        shared = -segment_sum(_nearest_agent(following), members(state, LANDMARK)[1])
        reward = (1 - self.local_ratio) * shared[teams.index] - self.local_ratio * hits
        return Step(following, reward.float(), torch.zeros_like(time, dtype=torch.bool), time >= self.steps)

    @override
    def measures(self, state: GraphBatch) -> Mapping[str, Tensor]:
        """`success`: every landmark has an agent nearer than 0.1; `covered`: the share of those that have."""
        landmarks = members(state, LANDMARK)[1]
        covered = segment_sum(_nearest_agent(state) < _NEAR, landmarks)
        share = covered.double() / landmarks.lengths.clamp(min=1)
        return {"success": (covered == landmarks.lengths).double(), "covered": share}

    @property
    @override
    def shares(self) -> frozenset[str]:
        return frozenset({"covered"})

    @override
    def scene(self, instances: GraphBatch) -> Mapping[str, Tensor]:
        return {"landmarks": by_team(instances, "start", LANDMARK)}

    @override
    def snapshot(self, state: GraphBatch) -> Mapping[str, Tensor]:
        return {"agents": by_team(state, "position", AGENT)}


def _nearest_agent(state: GraphBatch) -> Tensor:
    """[L]: how far the nearest agent of each landmark is, infinite where there is none."""
    position, rows = state.nodes["position"], (state.edges["type"] == 2).nonzero().squeeze(1)
    source, end = state.edge_index[:, rows]
    far = (position[end] - position[source]).norm(dim=1)
    nearest_ = torch.full_like(position[:, 0], torch.inf).scatter_reduce(0, end, far, "amin")
    return nearest_[of_type(state, LANDMARK)]


def spread_instances(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
    """A team of as many agents as `graph` has nodes, and as many landmarks, all uniform in ±1."""
    count = graph.node_segments.lengths
    instances = crowd(count, count)
    shape = instances.num_nodes, 2
    drawn = torch.rand(shape, generator=generator, dtype=torch.float64, device=generator.device)
    return instances.with_nodes(start=2 * drawn - 1)


SPREAD = Problem(
    name="spread",
    summary="a team spreads over landmarks without touching, as in mpe2",
    objective="return",
    environment=Spread(),
    topology="points",
    sizes=(3,),
    laws={"uniform": spread_instances},
    baselines={"assigned": ControlRule(assigned), "nearest": ControlRule(nearest)},
    training=CROWD | {"validation": {"sizes": (3,), "graphs": 64, "every": 10}},
)
