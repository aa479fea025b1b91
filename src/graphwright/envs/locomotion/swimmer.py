"""Swimmers of any number of links, one torque for each joint a step."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch, GraphError, Observation, Step, per_decider, simplify
from graphwright.core.segment import segment_sum
from graphwright.envs.locomotion.chain import chain_order, find_links
from graphwright.envs.locomotion.gait import gait, still
from graphwright.envs.locomotion.kinematics import motion
from graphwright.envs.locomotion.physics import SECONDS, Pose, advance
from graphwright.envs.locomotion.starts import start_of_graphs, start_of_nodes
from graphwright.envs.optimization import Optimization, Solution
from graphwright.envs.problem import ControlRule, Problem
from graphwright.envs.readable import Inputs
from graphwright.envs.undirected import require_undirected

_RATE = 5.0  # rad/s, of a fast joint: rates are observed in this unit
_START = ("angle", "rate"), ("position", "velocity")  # of nodes, of graphs


@dataclass(frozen=True)
class Swimmer(Optimization):
    """Swim along the x-axis of the world in a viscous fluid: Gymnasium's Swimmer-v5 with any number of links.

    horizon: length of an episode in Gymnasium's steps of 0.04 s.
    repeat: for how many of them each action is held; 1 is Gymnasium. Strokes take over a second, so little is lost, and
        random torques that last for 0.16 s move the body far more than ones that alternate.
    control_cost: weight of the squared torques.

    Instance: an undirected path, a node a link. Node columns `root` [N] bool, the head; `link` [N] int64, how far
        behind it each link is; `start_angle`, `start_rate` [N] float64, of the joint that moves a link (rad, rad/s), of
        the head its heading in the world. Graph columns `start_position`, `start_velocity` [B, 2] float64 (m, m/s).
    State: adds what these have become, `angle`, `rate`, `position` and `velocity`; the graph columns `effort` [B]
        float64, the squared torques of all of Gymnasium's steps so far added up, and `steps_taken` [B] int32, their
        number.
    Observation: per node the `joint` angle (sine, cosine; 0, 0 of the head), its `rate`, the `axis` of the link in the
        world, its `spin`, its `velocity` along and across itself, `root`, and its `place` from 0 at the head to 1 at
        the tail; per edge `rearward`, 1 where it leads away from the head and -1 where it leads there; per graph
        `course` and `drift`, the mean axis and velocity of the links in the world. Angular velocities are in 5 rad/s.
        The node column `acts` says who decides: all but the head.
    Action: the torque of each joint, between -1 and 1, decided by the link that it moves; the head moves none.
    Reward: forward velocity, in m/s, minus `control_cost` times the squared torques, added up over `repeat` steps.
    Termination: none; truncated at the horizon.

    >>> import torch
    >>> from graphwright.core import from_edges
    >>> chain = from_edges(torch.tensor([[0, 1], [1, 2]]), torch.tensor([3]), undirected=True,
    ...                    nodes={"root": torch.tensor([True, False, False])})
    >>> swimmer = Swimmer()
    >>> state = swimmer.reset(swimmer.instance(chain))
    >>> swimmer.observe(state).graph.nodes["acts"].tolist()
    [False, True, True]
    """

    horizon: int = 1000
    repeat: int = 4
    control_cost: float = 1e-4

    features = Features(
        nodes={"joint": 2, "rate": 1, "axis": 2, "spin": 1, "velocity": 2, "root": 1, "place": 1},
        edges={"rearward": 1},
        graphs={"course": 2, "drift": 2},
    )
    actions = ActionSpec(per_decider("torque", continuous=1), decider="nodes")
    inputs = Inputs(nodes=("start_angle", "start_rate"), graphs=("start_position", "start_velocity"), marks=("root",))
    maximise = True

    def __post_init__(self) -> None:
        """Raise ValueError for options that make no environment."""
        if self.repeat < 1 or self.horizon < 1 or self.horizon % self.repeat:
            raise ValueError(
                f"horizon={self.horizon}, repeat={self.repeat}: give a positive number and a divisor of it"
            )
        if not self.control_cost >= 0:
            raise ValueError(f"control_cost={self.control_cost}: give at least 0")

    def instance(self, graph: GraphBatch) -> GraphBatch:
        """The path with its links counted from the head; at rest along the x-axis where no start is given."""
        require_undirected(graph, "a swimmer is an undirected path")
        if "root" not in graph.nodes or graph.nodes["root"].dim() != 1:
            raise GraphError("a swimmer has a head; mark one end of the path in the node column 'root' (true or 1)")
        marks = graph.nodes["root"]
        root = (marks != 0) & (marks == marks)  # a file may say nothing of the other nodes: NaN
        nodes = {f"start_{name}": start_of_nodes(graph, f"start_{name}") for name in _START[0]}
        graphs = {f"start_{name}": start_of_graphs(graph, f"start_{name}") for name in _START[1]}
        simple = simplify(graph.keep().with_nodes(root=root, **nodes).with_graphs(**graphs))
        return simple.with_nodes(link=find_links(simple, root))

    def reset(self, instances: GraphBatch) -> GraphBatch:
        """Every link where the instance says."""
        effort = torch.zeros(instances.num_graphs, dtype=torch.float64, device=instances.device)
        return instances.with_nodes(**{name: instances.nodes[f"start_{name}"] for name in _START[0]}).with_graphs(
            **{name: instances.graphs[f"start_{name}"] for name in _START[1]},
            effort=effort,
            steps_taken=effort.to(torch.int32),
        )

    @override
    def observe(self, state: GraphBatch) -> Observation:
        pose, root, link = pose_of(state), state.nodes["root"], state.nodes["link"]
        moved = motion(state, pose)
        along = (moved.velocity * moved.axis).sum(1)
        across = moved.velocity[:, 1] * moved.axis[:, 0] - moved.velocity[:, 0] * moved.axis[:, 1]
        joint = torch.stack([pose.angle.sin(), pose.angle.cos()], dim=1).masked_fill(root.unsqueeze(1), 0)
        source, destination = state.edge_index
        graph = state.keep(nodes=["root"])
        graph = graph.with_nodes(
            joint=joint.float(),
            rate=(pose.rate / _RATE).masked_fill(root, 0).float(),
            axis=moved.axis.float(),
            spin=(moved.spin / _RATE).float(),
            velocity=torch.stack([along, across], dim=1).float(),
            place=link / (state.node_segments.lengths[state.node_graph] - 1),
            acts=~root,
        )
        graph = graph.with_edges(rearward=(link[destination] - link[source]).float())
        graph = graph.with_graphs(course=moved.course.float(), drift=moved.drift.float())
        return Observation(graph, (torch.ones_like(root[~root]),))

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        torque = action.new_zeros(state.num_nodes).masked_scatter(~state.nodes["root"], action[:, 0])
        before = pose_of(state)
        after = advance(state, before, torque, self.repeat)
        effort = self.repeat * segment_sum(torque.double().square()[chain_order(state)], state.node_segments)
        steps_taken = state.graphs["steps_taken"] + self.repeat
        following = state.with_nodes(angle=after.angle, rate=after.rate).with_graphs(
            position=after.position,
            velocity=after.velocity,
            effort=state.graphs["effort"] + effort,
            steps_taken=steps_taken,
        )
        forward = (after.position[:, 0] - before.position[:, 0]) / SECONDS
        truncated = steps_taken >= self.horizon
        return Step(following, (forward - self.control_cost * effort).float(), torch.zeros_like(truncated), truncated)

    def objective(self, state: GraphBatch) -> Tensor:
        """Gymnasium's return: the forward velocity of each of its steps, added up, minus the cost of the torques."""
        distance = state.graphs["position"][:, 0] - state.graphs["start_position"][:, 0]
        return distance / SECONDS - self.control_cost * state.graphs["effort"]

    def is_complete(self, state: GraphBatch) -> Tensor:
        """Whether the episode is over."""
        return state.graphs["steps_taken"] >= self.horizon

    def solution(self, state: GraphBatch) -> Solution:
        """Nothing is chosen."""
        return Solution(torch.empty(0, dtype=torch.int64), torch.empty(2, 0, dtype=torch.int64))


def swimmer_starts(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
    """Swimmers whose first node is the head, every coordinate and velocity uniform in ±0.1, as in Gymnasium."""
    head = graph.node_segments.position == 0

    def noise(*shape: int) -> Tensor:
        return 0.2 * torch.rand(*shape, generator=generator, dtype=torch.float64, device=generator.device) - 0.1

    drawn = graph.with_nodes(root=head, **{f"start_{name}": noise(graph.num_nodes) for name in _START[0]})
    starts = {f"start_{name}": noise(graph.num_graphs, 2) for name in _START[1]}
    return Swimmer().instance(drawn.with_graphs(**starts))


def pose_of(state: GraphBatch) -> Pose:
    """The columns of a state that say where its swimmers are."""
    nodes, graphs = state.nodes, state.graphs
    return Pose(nodes["angle"], nodes["rate"], graphs["position"], graphs["velocity"])


LOCOMOTION = Problem(
    name="locomotion",
    summary="swim forwards with a chain of links, one torque a joint",
    objective="return",
    environment=Swimmer(),
    topology="path",
    sizes=(3, 4, 5),
    laws={"swimmer": swimmer_starts},
    heuristics={"gait": ControlRule(gait), "still": ControlRule(still)},
    training={
        "algorithm": "ppo",
        "encoder": {"kind": "gin", "depth": 4},  # gin hears from which side along the chain a message comes
        "heads": {"value_pool": "mean"},
        "ppo": {
            "learning_rate": 2e-3,
            "epochs": 4,
            "discount": 0.997,  # with less, the first stroke is all that is learned
            "gae_lambda": 0.97,
            "value_coefficient": 0.01,  # returns are of order 100
            "max_grad_norm": 1.0,
        },
        "collection": {"steps": {"num_envs": 64, "num_steps": 64}},
        "validation": {"sizes": (4, 7), "graphs": 8, "every": 15},
    },
)
