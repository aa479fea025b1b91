"""Walking bodies of Gymnasium, one torque for each joint a step."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import one_hot
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch, GraphError, Observation, Step, from_edges, per_decider
from graphwright.core.numbers import require
from graphwright.envs.locomotion.bodies import RULES, BodyName, PlanarBody, planar_body
from graphwright.envs.locomotion.gait import still
from graphwright.envs.optimization import Optimization, Solution
from graphwright.envs.problem import ControlRule, Problem

_PARTS = 7  # of each of these bodies
_FAST = 10.0  # rad/s and m/s: velocities are observed in this unit, and cut off there, as by Gymnasium


@dataclass(frozen=True)
class Walker(Optimization):
    """Run forwards: Gymnasium's HalfCheetah-v5 or Walker2d-v5, step by step, with the body as a graph.

    Wang, Liao, Ba & Fidler (2018), "NerveNet: Learning structured policy with graph neural networks".

    Instance: the parts of the body, joined as they hang together. Node columns `part` [N] int64, 0 the torso; `root`
        [N] bool, whether it is; `start_angle`, `start_rate` [N] float64, of the joint that moves a part (rad, rad/s),
        of the torso how it leans. Graph columns `start_position`, `start_velocity` [B, 2] float64, forwards and up
        (m, m/s), the height as the model counts it.
    State: adds what these have become, `angle`, `rate`, `position`, `velocity`; `effort` [B] float64, the squared
        torques so far, and `steps_taken` [B] int32.
    Observation: per node which `part` it is, the `joint` (sine, cosine; 0, 0 of the torso), its `rate`, and `root`; per
        edge `outward`, 1 where it leads away from the torso and −1 where it leads there; per graph `height`, `lean`
        (sine, cosine), `spin` and `drift`, the velocity of the torso. The node column `acts` says who decides: all but
        the torso.
    Action: the torque of each joint, between −1 and 1, in units of its motor.
    Reward: Gymnasium's: forward velocity, of the walker 1 for a step that ends healthy, minus the cost of the torques.
    Termination: the walker falls, that is, is no longer healthy. Truncated at the horizon.
    """

    body: BodyName = "half-cheetah"
    horizon: int = 1000

    features = Features(
        nodes={"part": _PARTS, "joint": 2, "rate": 1, "root": 1},
        edges={"outward": 1},
        graphs={"height": 1, "lean": 2, "spin": 1, "drift": 2},
        named_by="part",
    )
    actions = ActionSpec(per_decider("torque", continuous=1), decider="nodes")
    maximise = True

    def __post_init__(self) -> None:
        """Raise ValueError for options that make no environment."""
        if self.body not in RULES:
            raise ValueError(f"--environment.body {self.body}: choose one of {', '.join(RULES)}")
        require("environment.horizon", self.horizon)

    @property
    def model(self) -> PlanarBody:
        """The body."""
        return planar_body(self.body)

    @override
    def instance(self, graph: GraphBatch) -> GraphBatch:
        if "part" not in graph.nodes or "start_angle" not in graph.nodes:
            raise GraphError(f"is no body; bodies are drawn, not read: take the generator of {self.body}")
        return graph

    @override
    def reset(self, instances: GraphBatch) -> GraphBatch:
        nodes, graphs = instances.nodes, instances.graphs
        effort = torch.zeros(instances.num_graphs, dtype=torch.float64)
        return instances.with_nodes(angle=nodes["start_angle"], rate=nodes["start_rate"]).with_graphs(
            position=graphs["start_position"],
            velocity=graphs["start_velocity"],
            effort=effort,
            steps_taken=effort.to(torch.int32),
        )

    @override
    def observe(self, state: GraphBatch) -> Observation:
        nodes, graphs = state.nodes, state.graphs
        root, rows = nodes["root"], self._rows(state)[:, 0]
        angle, rate = nodes["angle"], nodes["rate"].clamp(-_FAST, _FAST) / _FAST
        joint = torch.stack([angle.sin(), angle.cos()], dim=1)
        depth = torch.tensor(_depths(self.model.parents))[nodes["part"]]
        source, destination = state.edge_index
        graph = state.keep().with_nodes(
            part=one_hot(nodes["part"], _PARTS).float(),
            joint=joint.masked_fill(root.unsqueeze(1), 0).float(),
            rate=rate.masked_fill(root, 0).float(),
            root=root,
            acts=~root,
        )
        graph = graph.with_edges(outward=(depth[destination] - depth[source]).float())
        graph = graph.with_graphs(
            height=graphs["position"][:, 1].float(),
            lean=joint[rows].float(),
            spin=rate[rows].float(),
            drift=(graphs["velocity"].clamp(-_FAST, _FAST) / _FAST).float(),
        )
        return Observation(graph, (torch.ones_like(root[~root]),))

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        rows, rules = self._rows(state), self.model.rules
        torque = torch.zeros(state.num_nodes, dtype=torch.float64).masked_scatter(
            ~state.nodes["root"], action[:, 0].double()
        )[rows[:, 1:]]
        nodes, graphs = state.nodes, state.graphs
        columns = (graphs["position"], nodes["angle"][rows], graphs["velocity"], nodes["rate"][rows])
        moved = torch.from_numpy(self.model.advance(torch.cat(columns, dim=1).numpy(), torque.numpy()))
        position, angle, velocity, rate = moved.split([2, _PARTS, 2, _PARTS], dim=1)
        following = state.with_nodes(
            angle=nodes["angle"].index_put((rows,), angle), rate=nodes["rate"].index_put((rows,), rate)
        ).with_graphs(
            position=position.contiguous(),
            velocity=velocity.contiguous(),
            effort=graphs["effort"] + torque.square().sum(1),
            steps_taken=graphs["steps_taken"] + 1,
        )
        healthy = self.is_healthy(following)
        forward = (position[:, 0] - graphs["position"][:, 0]) / self.model.seconds
        reward = forward + rules.healthy_reward * healthy - rules.control_cost * torque.square().sum(1)
        truncated = healthy & (following.graphs["steps_taken"] >= self.horizon)
        return Step(following, reward.float(), ~healthy, truncated)

    def is_healthy(self, state: GraphBatch) -> Tensor:
        """[B] bool: whether height and lean of the torso are in the ranges of the body."""
        rules = self.model.rules
        height, lean = state.graphs["position"][:, 1], state.nodes["angle"][self._rows(state)[:, 0]]
        healthy = torch.ones_like(height, dtype=torch.bool)
        for number, limits in ((height, rules.height), (lean, rules.lean)):
            if limits is not None:
                healthy &= (number > limits[0]) & (number < limits[1])
        return healthy

    @override
    def objective(self, state: GraphBatch) -> Tensor:
        rules, graphs = self.model.rules, state.graphs
        forward = (graphs["position"][:, 0] - graphs["start_position"][:, 0]) / self.model.seconds
        healthy = graphs["steps_taken"] - (~self.is_healthy(state)).int()
        return forward + rules.healthy_reward * healthy.double() - rules.control_cost * graphs["effort"]

    @override
    def is_complete(self, state: GraphBatch) -> Tensor:
        return (state.graphs["steps_taken"] >= self.horizon) | ~self.is_healthy(state)

    @override
    def solution(self, state: GraphBatch) -> Solution:
        return Solution(torch.empty(0, dtype=torch.int64), torch.empty(2, 0, dtype=torch.int64))

    def _rows(self, state: GraphBatch) -> Tensor:
        """[B, parts] int64: the rows of the parts, in the order of the model."""
        rows = torch.empty(state.num_nodes, dtype=torch.int64)
        place = state.node_ptr[:-1][state.node_graph] + state.nodes["part"]
        return rows.index_copy(0, place, torch.arange(state.num_nodes)).view(-1, _PARTS)


def body_starts(graph: GraphBatch, generator: torch.Generator, name: str) -> GraphBatch:
    """As many bodies as there are graphs, at rest but for the noise of Gymnasium's reset, uniform here."""
    body, count = planar_body(name), graph.num_graphs
    parts = len(body.parents)
    links = torch.tensor([[parent, part] for part, parent in enumerate(body.parents) if parent >= 0]).T
    ends = links.repeat(1, count) + parts * torch.arange(count).repeat_interleave(links.shape[1])

    def noise(*shape: int) -> Tensor:
        return body.rules.noise * (2 * torch.rand(*shape, generator=generator, dtype=torch.float64) - 1)

    rest = torch.from_numpy(body.start)
    part = torch.arange(parts).repeat(count)
    return from_edges(
        ends,
        torch.full((count,), parts),
        undirected=True,
        nodes={
            "part": part,
            "root": part == 0,
            "start_angle": (rest[2:] + noise(count, parts)).flatten(),
            "start_rate": noise(count * parts),
        },
        graphs={"start_position": rest[:2] + noise(count, 2), "start_velocity": noise(count, 2)},
    )


def _depths(parents: tuple[int, ...]) -> list[int]:
    """Of each part, how many lie between it and the torso; a part comes after the one that it hangs on."""
    depths: list[int] = []
    for parent in parents:
        depths.append(0 if parent < 0 else depths[parent] + 1)
    return depths


def _problem(name: BodyName) -> Problem:
    return Problem(
        name=name,
        summary=f"run forwards with the body of Gymnasium's {name}, one torque a joint",
        objective="return",
        environment=Walker(name),
        topology="path",
        sizes=(_PARTS,),
        laws={"start": partial(body_starts, name=name)},
        heuristics={"still": ControlRule(still)},
        training={
            "algorithm": "ppo",
            "encoder": {"kind": "gin", "depth": 3},
            "heads": {"value_pool": "mean", "graph_columns": True},
            "ppo": {
                "learning_rate": 1e-3,
                "minibatch_size": 128,
                "epochs": 8,
                "discount": 0.99,
                "gae_lambda": 0.95,
                "value_coefficient": 0.5,
                "normalize_values": True,
                "max_grad_norm": 1.0,
            },
            "collection": {"steps": {"num_envs": 16, "num_steps": 64}},
            "validation": {"sizes": (_PARTS,), "graphs": 4, "every": 10},
        },
    )


HALF_CHEETAH, WALKER2D = _problem("half-cheetah"), _problem("walker2d")
