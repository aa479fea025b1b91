"""Task allocation: which robot goes to which task next, so that the last of them is done as early as possible."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import (
    ActionSpec,
    Features,
    GraphBatch,
    GraphError,
    Observation,
    Segments,
    Step,
    from_edges,
    pair_ends,
    per_edge,
)
from graphwright.core.segment import segment_argmax, segment_max, segment_sum
from graphwright.envs.optimization import Optimization, Solution
from graphwright.envs.problem import Optimum, Problem, follow
from graphwright.envs.readable import Inputs
from graphwright.experiments.makespan import least_makespan

_NEAR = 3  # other tasks that a task is joined to
_MOST_TASKS = 11  # of graphs that are solved exactly


@dataclass(frozen=True)
class TaskAllocation(Optimization):
    """Send robots to tasks, one after the other, so that the last task is done as early as possible.

    Instance: robots and tasks are nodes, a robot is joined to each task, and a task to the three that are nearest. Node
        columns `robot` [N] bool; `position` [N, 2] float32; `speed` [N] float32, of tasks 1; `duration` [N] float32, of
        robots 0. Graph column `scale` [B] float32, the length of the longest edge: what is seen is in this unit.
    State: adds the node columns `place` [N, 2] float32, where a robot will be; `free` [N] float64, when; `done` [N]
        bool, whether a task is given to a robot; the edge column `turn` [E] int64, the place of the edge in the order
        in which tasks were given, −1 where it was not.
    Observation: per node `place`, `speed`, `duration`, `free`, when a robot is free after the mean of all, and `open`,
        whether a task still is; per edge `way`, how long a robot goes to a task, of two tasks their distance, and
        `finish`, when a robot would be done with a task after the mean of when all are free. With `types` a node also
        has the `type` task or robot, and an edge which types it leads from and to.
    Action: an edge from a robot to an open task, which the robot does next, after what it has.
    Reward: minus by how much the time rises at which all robots are free. Termination: no task is open.

    types: whether what is seen tells the types of nodes and edges.
    """

    types: bool = True

    actions = ActionSpec(per_edge("give"))
    inputs = Inputs(nodes=("position", "speed", "duration"), marks=("robot",))

    @property
    def features(self) -> Features:
        """What a network reads."""
        return Features(
            nodes={"place": 2, "speed": 1, "duration": 1, "free": 1, "open": 1},
            edges={"way": 1, "finish": 1},
            node_types=2 * self.types,
            edge_types=3 * self.types,
        )

    @override
    def instance(self, graph: GraphBatch) -> GraphBatch:
        for name in ("robot", "position"):
            if name not in graph.nodes:
                raise GraphError(f"has no node column {name!r}; give each node its position, and say which are robots")
        robot = graph.nodes["robot"] == 1
        if bool((segment_sum(robot.long(), graph.node_segments) == 0).any()):
            raise GraphError("has no robot; mark at least one node in the node column 'robot' (true or 1)")
        speed, duration = (
            graph.nodes.get(name, torch.full((graph.num_nodes,), value, device=graph.device)).float()
            for name, value in (("speed", 1.0), ("duration", 0.0))
        )
        if not bool((speed > 0).all() & (duration >= 0).all()):
            raise GraphError("has a speed of 0 or less, or a duration below 0; give positive speeds")
        return _joined(
            graph.node_segments.lengths,
            robot,
            graph.nodes["position"].float(),
            torch.where(robot, speed, 1),
            torch.where(robot, 0, duration),
        )

    @override
    def reset(self, instances: GraphBatch) -> GraphBatch:
        robot = instances.nodes["robot"]
        return instances.with_nodes(
            place=instances.nodes["position"],
            free=torch.zeros(len(robot), dtype=torch.float64, device=robot.device),
            done=torch.zeros_like(robot),
        ).with_edges(turn=torch.full_like(instances.edge_index[0], -1))

    @override
    def observe(self, state: GraphBatch) -> Observation:
        robot, free = state.nodes["robot"], state.nodes["free"]
        is_open = ~robot & ~state.nodes["done"]
        robots = segment_sum(robot.long(), state.node_segments)
        mean = segment_sum(free.masked_fill(~robot, 0), state.node_segments) / robots
        way, finish = _ahead(state)
        unit, edge_unit = (state.graphs["scale"].index_select(0, rows) for rows in (state.node_graph, state.edge_graph))
        graph = state.keep(nodes=["speed"]).with_nodes(
            place=state.nodes["place"] / unit.unsqueeze(1),
            duration=state.nodes["duration"] / unit,
            free=((free - mean[state.node_graph]).masked_fill(~robot, 0) / unit).float(),
            open=is_open,
        )
        graph = graph.with_edges(
            way=(way / edge_unit).float(), finish=((finish - mean[state.edge_graph]) / edge_unit).float()
        )
        source, destination = robot[state.edge_index]
        if self.types:
            graph = graph.with_nodes(type=robot.long()).with_edges(type=source.long() + 2 * destination.long())
        rows, _ = state.links
        one, other = state.edge_index[:, rows]
        return Observation(graph, ((robot[one] != robot[other]) & (is_open[one] | is_open[other]),))

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        rows, links = state.links
        edge = rows[links.ptr[:-1] + action]
        ends = state.edge_index[:, edge]
        robot, task = torch.where(state.nodes["robot"][ends[0]], ends, ends.flip(0))
        _, finish = _ahead(state)
        turn = state.edges["turn"].clone()
        given = segment_sum(state.nodes["done"].long(), state.node_segments)
        turn[edge] = given
        turn[state.edges["reverse"][edge] + state.edge_ptr[:-1]] = given
        following = state.with_nodes(
            place=state.nodes["place"].index_copy(0, robot, state.nodes["position"][task]),
            free=state.nodes["free"].index_copy(0, robot, finish[edge]),
            done=state.nodes["done"].index_fill(0, task, True),
        ).with_edges(turn=turn)
        reward = (self.objective(state) - self.objective(following)).float()
        over = self.is_complete(following)
        return Step(following, reward, over, torch.zeros_like(over))

    @override
    def objective(self, state: GraphBatch) -> Tensor:
        return segment_max(state.nodes["free"], state.node_segments)

    @override
    def is_complete(self, state: GraphBatch) -> Tensor:
        return segment_sum((~state.nodes["robot"] & ~state.nodes["done"]).long(), state.node_segments) == 0

    @override
    def solution(self, state: GraphBatch) -> Solution:
        rows = (state.edges["turn"] >= 0).nonzero().squeeze(1)
        rows = rows[state.nodes["robot"][state.edge_index[0, rows]]]
        rows = rows[state.edges["turn"][rows].argsort()]
        return Solution(rows[:0], state.edge_index[:, rows])


def _ahead(state: GraphBatch) -> tuple[Tensor, Tensor]:
    """[E] float64 each: how long each way takes, and when a robot that takes it is done; of two tasks 0."""
    nodes = state.nodes
    source, destination = state.edge_index
    way = (nodes["place"][source].double() - nodes["place"][destination].double()).norm(dim=1)
    way = way / (nodes["speed"][source] * nodes["speed"][destination]).double()  # of tasks 1
    free = nodes["free"][source] + nodes["free"][destination]  # of tasks 0
    finish = free + way + nodes["duration"][source] + nodes["duration"][destination]
    return way, finish.masked_fill(nodes["robot"][source] == nodes["robot"][destination], 0)


def _joined(size: Tensor, robot: Tensor, position: Tensor, speed: Tensor, duration: Tensor) -> GraphBatch:
    """The instance of these nodes with its edges."""
    bare = from_edges(torch.empty(2, 0, dtype=torch.int64, device=size.device), size, undirected=True)
    one, other = pair_ends(bare)
    apart = (position[one] - position[other]).double().square().sum(1)
    own = Segments.from_lengths(size[bare.node_graph])  # the pairs from each node
    among = ~robot[one] & ~robot[other] & (one != other)
    key = apart.masked_fill(~among, torch.inf)
    order = torch.argsort(key, stable=True)
    order = order[torch.argsort(one[order], stable=True)]
    near = torch.zeros_like(among)
    near[order] = own.position < _NEAR
    near &= among
    back = own.ptr[:-1][other] + (one - bare.node_ptr[:-1][bare.node_graph[one]])
    kept = (one < other) & (near | near[back] | (robot[one] != robot[other]))
    columns = {"robot": robot, "position": position, "speed": speed, "duration": duration}
    graph = from_edges(torch.stack([one, other])[:, kept], size, undirected=True, nodes=columns)
    longest = segment_max(
        apart[kept].sqrt(), Segments.from_lengths(torch.bincount(bare.node_graph[one[kept]], minlength=len(size)))
    )
    return graph.with_graphs(scale=torch.where(longest > 0, longest, 1).float())


def crews(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
    """A quarter of the nodes, but at least two, are robots of speed 0.5 to 1.5; tasks take 0 to 0.4."""
    size, place = graph.node_segments.lengths, graph.node_segments.position
    robot = place < (size // 4).clamp(min=2)[graph.node_graph]
    speed, duration = torch.rand(2, graph.num_nodes, generator=generator, device=generator.device)
    return _joined(
        size, robot, graph.nodes["position"], torch.where(robot, 0.5 + speed, 1), torch.where(robot, 0, 0.4 * duration)
    )


def earliest(observation: Observation) -> Tensor:
    """[B] int64: the robot and the task that are done together first, the first of equals."""
    graph, (legal,) = observation.graph, observation.masks
    rows, links = graph.links
    return segment_argmax((-graph.edges["finish"][rows]).masked_fill(~legal, -torch.inf), links)


def allocate_exactly(environment: Optimization, instances: GraphBatch, seconds: float) -> Optimum:
    """By dynamic programming over sets of tasks; of more than 11 tasks what `earliest` finds, and a simple bound."""
    greedy = environment.objective(TASK_ALLOCATION.heuristics["earliest"](environment, instances))
    tasks = segment_sum((~instances.nodes["robot"]).long(), instances.node_segments)
    proven = tasks <= _MOST_TASKS
    best, bound = greedy.clone(), torch.zeros_like(greedy)
    for number in range(instances.num_graphs):
        if bool(proven[number]):
            one = instances.select(torch.tensor([number]))
            best[number] = least_makespan(
                *(one.nodes[name].numpy() for name in ("robot", "position", "speed", "duration"))
            )
    return Optimum(best, torch.where(proven, best, bound), proven)


TASK_ALLOCATION = Problem(
    name="task-allocation",
    summary="send robots to tasks so that the last is done early",
    objective="time",
    environment=TaskAllocation(),
    topology="points",
    sizes=(8, 10, 12),
    laws={"crews": crews},
    heuristics={"earliest": follow(earliest)},
    solve_exactly=allocate_exactly,
    training={
        "algorithm": "ppo",
        "ppo": {"learning_rate": 2e-3, "minibatch_size": 128, "epochs": 4, "normalize_values": True},
        "heads": {"value_pool": "mean"},
        "collection": {"steps": {"num_envs": 64, "num_steps": 16}},
        "validation": {"sizes": (12,), "graphs": 32, "every": 10},
    },
)
