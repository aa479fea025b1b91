"""A robot on a grid, among walls and moving obstacles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch, Observation, Step, per_graph
from graphwright.core.segment import segment_sum
from graphwright.envs.optimization import PLACES, Solution
from graphwright.envs.planned import PlanStep, Sequential
from graphwright.envs.problem import Problem, follow
from graphwright.envs.problems.grid_navigation.instances import read, walls_and_patrols
from graphwright.envs.problems.grid_navigation.one_step_ahead import STAY, one_step_ahead
from graphwright.envs.problems.grid_navigation.patrol import advance, meets
from graphwright.envs.problems.grid_navigation.relative_view import relative_view
from graphwright.envs.problems.grid_navigation.time_expansion import fewest_steps
from graphwright.envs.problems.grid_navigation.verify import verify
from graphwright.envs.problems.path_search.discovery import begin, discovery, go
from graphwright.envs.readable import Inputs


@dataclass(frozen=True)
class GridNavigation(Sequential):
    """Drive to the goal in few steps and run into nothing; obstacles go to and fro in ways that are known.

    guide: "steps": the robot has a map, and knows from every cell how many steps lead to the goal without obstacles;
        "offset": it only knows how many columns and rows away the goal is, and has to find its way around walls.
    limit: the robot fails after limit · (columns + rows) steps.

    Instance: a graph whose nodes are cells of a grid and whose edges join cells that are side by side, with the node
        columns `position` [N, 2] float32, (column, row) in whole numbers; `wall` [N] bool; `obstacle` [N] int8, 0, or 1
        to 4 where an obstacle starts and heads north, east, south or west; `start` and `goal` [N] bool, one each.
        `instance` adds the columns that `prepare` describes, and takes the edges of walls away.
    State: adds the node columns `robot` [N] bool, `heading` [N, 4] bool, whether an obstacle is on a cell and heads
        north, east, south or west, `found` and `visits` as in `discovery`; and the graph columns `steps` [B] int32 and
        `crashed` [B] bool.
    Observation: the grid; the node and graph columns that `relative_view` describes, the edge column `direction`.
    Action: north, east, south, west or stay, 0 to 4; not into walls or out of the grid. Then all obstacles move as well
        (`patrol.advance`).
    Reward: -1 / L for a step, L the limit. One that runs into an obstacle, because both end on one cell or change
        places, costs what is left up to -1: a failure costs 1 whenever it happens.
    Termination: the goal is reached, the robot has crashed, or the limit is reached.

    >>> from graphwright.envs.problems.grid_navigation.maps import from_map
    >>> problem = GridNavigation()
    >>> state = problem.reset(problem.instance(from_map(["R.<", ".#.", "..G"])))
    >>> problem.observe(state).masks[0].tolist()
    [[False, True, True, False, True]]
    """

    guide: Literal["offset", "steps"] = "steps"
    """What shows the way: columns and rows to the goal, or as well how many steps lead there without obstacles."""
    limit: float = 4.0
    """The robot fails after so many steps for each column and each row of its grid."""

    actions = ActionSpec(per_graph("go", 5))
    inputs = Inputs(nodes=(*PLACES, "obstacle"), marks=("start", "goal", "wall"))

    @property
    @override
    def features(self) -> Features:
        nodes = {"robot": 1, "goal": 1, "wall": 1, "visits": 1, "heading": 4, "blocked_next": 1, "danger": 1, "side": 4}
        graphs = {"open_sides": 4, "danger_of": 5, "visits_to": 5, "ahead": 2}
        way = {"from_robot": 2, "to_goal": 2}
        if self.guide == "steps":
            way, graphs = {**way, "farther": 1}, {**graphs, "farther_from": 5}
        return Features(nodes={**nodes, **way}, edges={"direction": 4}, graphs=graphs)

    def __post_init__(self) -> None:
        """Raise ValueError for a limit that allows no step."""
        if not 0 < self.limit < float("inf"):
            raise ValueError(f"limit={self.limit}: give a positive number of steps for each column and row")

    def instance(self, graph: GraphBatch) -> GraphBatch:
        """The grid with its columns; `wall` and `obstacle` are nowhere where a graph does not have them."""
        return read(graph)

    def reset(self, instances: GraphBatch) -> GraphBatch:
        """The robot stands at the start."""
        start, obstacle = instances.nodes["start"], instances.nodes["obstacle"]
        heading = obstacle.unsqueeze(1) == 1 + torch.arange(4, device=instances.device)
        none = torch.zeros(instances.num_graphs, dtype=torch.int32, device=instances.device)
        state = instances.with_nodes(robot=start, heading=heading, **begin(start))
        return state.with_graphs(steps=none, crashed=none.bool())

    @override
    def observe(self, state: GraphBatch) -> Observation:
        legal = torch.nn.functional.pad(state.nodes["open"][state.nodes["robot"]], (0, 1), value=True)
        return Observation(relative_view(state), (legal & ~self._is_over(state).unsqueeze(1),))

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        following = advance(state, state.nodes["heading"])
        edge = _edge(state, action)
        graph = state.edge_graph[edge]
        node = state.nodes["robot"].nonzero().squeeze(1)
        crashed = following.any(1)[node]
        crashed[graph] = meets(state, following)[edge]
        node[graph] = state.edge_index[1, edge]
        robot = torch.zeros_like(state.nodes["robot"])
        robot[node] = True
        before, steps = state.graphs["steps"], state.graphs["steps"] + 1
        moved = state.with_nodes(robot=robot, heading=following, **go(state, node, steps))
        moved = moved.with_graphs(steps=steps, crashed=crashed)
        limit = self._limit(state)
        reward = -torch.where(crashed, limit - before, 1) / limit
        terminated = self._is_over(moved)
        return Step(moved, reward.to(torch.float32), terminated, torch.zeros_like(terminated))

    def objective(self, state: GraphBatch) -> Tensor:
        """The number of steps; the limit, where the goal was not reached."""
        return torch.where(self.is_complete(state), state.graphs["steps"], self._limit(state)).double()

    def is_complete(self, state: GraphBatch) -> Tensor:
        """Whether the robot is at the goal, unharmed."""
        at_goal = segment_sum(state.nodes["robot"] & state.nodes["goal"], state.node_segments) > 0
        return at_goal & ~state.graphs["crashed"]

    def solution(self, state: GraphBatch) -> Solution:
        """The cells in the order in which the robot first was on them; the links of the way to the last of them."""
        return discovery(state)

    @override
    def beginning(self, start: GraphBatch) -> list[PlanStep]:
        return [PlanStep("start", 0.0, 0.0, node=int(start.nodes["robot"].nonzero()))]

    @override
    def told(self, before: GraphBatch, action: Tensor, after: GraphBatch, time: float) -> PlanStep:
        """Where the robot is after each step, the one that it stays on where it waits."""
        cell, total = int(after.nodes["robot"].nonzero()), float(after.graphs["steps"])
        return PlanStep("wait" if int(action) == STAY else "go", time + 1, total, node=cell)

    def _limit(self, state: GraphBatch) -> Tensor:
        """[B] int32: the number of steps after which the robot fails."""
        return (state.graphs["extent"] * self.limit).ceil().to(torch.int32)

    def _is_over(self, state: GraphBatch) -> Tensor:
        return self.is_complete(state) | state.graphs["crashed"] | (state.graphs["steps"] >= self._limit(state))


def _edge(state: GraphBatch, action: Tensor) -> Tensor:
    """The edges along which those robots go that do not stay, by rising graph."""
    leaving = state.nodes["robot"][state.edge_index[0]].nonzero().squeeze(1)
    direction = state.edges["direction"][leaving].int().argmax(1)
    return leaving[direction == action[state.edge_graph[leaving]]]


GRID_NAVIGATION = Problem(
    name="grid-navigation",
    summary="drive a robot to its goal between walls and moving obstacles",
    objective="steps",
    environment=GridNavigation(),
    topology="grid",
    sizes=(16, 25, 36),
    laws={"patrols": walls_and_patrols},
    heuristics={"greedy": follow(one_step_ahead)},
    solve_exactly=lambda environment, instances, seconds: fewest_steps(environment, instances),
    verify=verify,
    training={
        "encoder": {"kind": "gin", "width": 32, "depth": 2},
        "ppo": {"minibatch_size": 256, "learning_rate": 2e-3},
        "collection": {"steps": {"num_envs": 128}},
        "validation": {"sizes": (49, 100), "graphs": 32},
    },
)
