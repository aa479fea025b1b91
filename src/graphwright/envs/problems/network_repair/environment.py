"""Network repair: bring supply back after a storm with one crew that tires, spare links, and patience."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import (
    ActionSpec,
    Features,
    GraphBatch,
    Observation,
    Step,
    per_edge,
    per_graph,
    per_node,
)
from graphwright.core.construction import opposite_edges
from graphwright.core.segment import segment_sum
from graphwright.envs.optimization import Optimization, Solution
from graphwright.envs.planned import PlanStep, Sequential
from graphwright.envs.problem import Follow, Optimum, Problem
from graphwright.envs.problems.network_repair.exact import exact_repair
from graphwright.envs.problems.network_repair.heuristics import greedy, shortest_repair
from graphwright.envs.problems.network_repair.instances import as_instance
from graphwright.envs.problems.network_repair.search import RepairRules
from graphwright.envs.problems.network_repair.state import dark_share, view, with_served, working_nodes
from graphwright.envs.problems.network_repair.storm import after_storm
from graphwright.envs.problems.network_repair.verify import verify
from graphwright.envs.readable import Inputs
from graphwright.envs.rollouts import Choose
from graphwright.envs.wrappers.recorded import unrecorded

REPAIR, SWITCH, WAIT = range(3)


@dataclass(frozen=True)
class NetworkRepair(Sequential):
    """Serve all demand again, so that it is without supply for as short a time as possible.

    A node is served where a path of working nodes and closed links joins it to a working source. One crew repairs nodes
    one after the other; a repair takes its time and as much of the crew's energy, and the crew cannot begin one for
    which its energy does not suffice. Meanwhile the control room may close spare links, a limited number of them, or
    wait; the crew recovers while it does either. Times are in units of the graph's longest repair, the column `scale`.

    Instance: an undirected simple graph; node columns `source` and `broken` [N] bool, `demand` and `repair_time` [N]
        float64; edge column `spare` [E] bool, open at first; graph columns `scale` and `mean_demand` [B] float64.
    State: adds node columns `repaired` [N] int32, 1 for the first repair and so on, 0 for none, and `served` [N] bool;
        edge column `closed` [E] bool; graph columns `energy` [B] float64, `switchings` [B] int64 left, `repairs` [B]
        int64 so far and `outage` [B] float64.
    Observation: see `view`.
    Action: `repair` a broken node for which the energy suffices; `switch` a spare link on, one end of which is served
        and the other working but not; `wait`, with `wait="tired"` where there is a broken node for which the energy
        does not suffice (otherwise it would never help), with `wait="stuck"` only where there is nothing else to do.
    Reward: minus (duration · share of the demand that is not served meanwhile) over `scale`.
    Termination: all demand is served. A node that is no part of any path to a demand need not be repaired.

    stamina: the crew's energy at first and at most, at least 1. recovery: energy for each unit of time in which it does
        not repair. switching, rest: how long switching a link takes, and how long a wait. spares: links that may be
        switched, as a share of the broken nodes, rounded up.

    >>> import torch
    >>> from graphwright.core import from_edges
    >>> path = from_edges(torch.tensor([[0, 1], [1, 2]]), torch.tensor([3]), undirected=True, nodes={
    ...     "source": torch.tensor([True, False, False]), "broken": torch.tensor([False, True, False])})
    >>> problem = NetworkRepair()
    >>> step = problem.step(problem.reset(problem.instance(path)), torch.tensor([1]))
    >>> step.reward.item(), step.terminated.item(), problem.objective(step.state).item()
    (-1.0, True, 1.0)
    """

    stamina: float = 1.0
    recovery: float = 0.5
    switching: float = 0.25
    rest: float = 0.5
    spares: float = 0.5
    wait: Literal["tired", "stuck"] = "tired"

    features = Features(
        nodes={
            **{"source": 1, "broken": 1, "served": 1, "demand": 1, "repair_time": 1, "ready": 1},
            **{"gain": 1, "tied_gain": 1, "rate": 1, "way": 1, "behind": 1},
        },
        edges={"closed": 1, "useful": 1, "gain": 1, "rate": 1},
        graphs={"energy": 1, "log_switchings": 1, "log_broken": 1, "dark": 1},
    )
    actions = ActionSpec(per_node("repair"), per_edge("switch"), per_graph("wait"))
    inputs = Inputs(
        nodes=("demand", "repair_time"), edges=("spare",), marks=("source", "broken"), parallel="leave a closed one"
    )

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, for one with which an instance might never be served."""
        if not 1 <= self.stamina < float("inf"):
            raise ValueError(f"stamina={self.stamina}: give at least 1, the energy of the longest repair")
        for name in ("recovery", "switching", "rest"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ValueError(f"{name}={getattr(self, name)}: give a number above 0")
        if not 0 <= self.spares < float("inf"):
            raise ValueError(f"spares={self.spares}: give a share of the broken nodes, such as 0.5, or 0 for none")

    @override
    def instance(self, graph: GraphBatch) -> GraphBatch:
        return as_instance(graph)

    def reset(self, instances: GraphBatch) -> GraphBatch:
        """Nothing is repaired or switched, and the crew is fresh."""
        broken = segment_sum(instances.nodes["broken"], instances.node_segments)
        state = instances.with_nodes(
            repaired=torch.zeros_like(instances.nodes["broken"], dtype=torch.int32)
        ).with_graphs(
            energy=self.stamina * instances.graphs["scale"],
            switchings=(self.spares * broken).ceil().long(),
            repairs=torch.zeros_like(broken),
            outage=torch.zeros_like(broken, dtype=torch.float64),
        )
        return with_served(state.with_edges(closed=~instances.edges["spare"]))

    def observe(self, state: GraphBatch) -> Observation:
        """What `view` shows."""
        graph = view(state, self.switching)
        live = graph.graphs["dark"] > 0
        ready, useful = graph.nodes["ready"], graph.edges["useful"]
        wait = self._may_wait(graph) & live
        return Observation(graph, (ready & live[graph.node_graph], useful[graph.links[0]], wait))

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        kind, row, _ = self.actions.locate(state, action)
        scale, repair, switch = state.graphs["scale"], kind == REPAIR, kind == SWITCH
        node = (state.node_ptr[:-1] + row)[repair]
        rows, links = state.links
        edge = rows[(links.ptr[:-1] + row)[switch]]
        duration = torch.where(switch, self.switching, self.rest) * scale
        duration = duration.masked_scatter(repair, state.nodes["repair_time"][node])

        repairs = state.graphs["repairs"] + repair
        repaired = state.nodes["repaired"].index_copy(0, node, repairs[repair].to(torch.int32))
        opposite = opposite_edges(state, edge)
        closed = state.edges["closed"].index_fill(0, torch.cat([edge, opposite]), True)
        rested = torch.minimum(state.graphs["energy"] + self.recovery * duration, self.stamina * scale)
        lost = duration * dark_share(state)
        following = with_served(
            state.with_nodes(repaired=repaired)
            .with_edges(closed=closed)
            .with_graphs(
                energy=torch.where(repair, state.graphs["energy"] - duration, rested),
                switchings=state.graphs["switchings"] - switch.long(),
                repairs=repairs,
                outage=state.graphs["outage"] + lost,
            )
        )
        complete = self.is_complete(following)
        return Step(following, (-lost / scale).to(torch.float32), complete, torch.zeros_like(complete))

    def objective(self, state: GraphBatch) -> Tensor:
        """The mean time for which a unit of demand is without supply (the index SAIDI, of one interruption)."""
        return state.graphs["outage"]

    def is_complete(self, state: GraphBatch) -> Tensor:
        """Whether all demand is served."""
        return dark_share(state) == 0

    def solution(self, state: GraphBatch) -> Solution:
        """The repaired nodes in their order, and the links that were switched on."""
        order = state.nodes["repaired"]
        nodes = order.nonzero().squeeze(1)
        rows, _ = state.links
        switched = rows[(state.edges["closed"] & state.edges["spare"])[rows]]
        return Solution(nodes[torch.argsort(order[nodes])], state.edge_index[:, switched])

    @override
    def beginning(self, start: GraphBatch) -> list[PlanStep]:
        return []

    @override
    def told(self, before: GraphBatch, action: Tensor, after: GraphBatch, time: float) -> PlanStep:
        kind, row, _ = (int(found) for found in self.actions.locate(before, action))
        scale, outage = float(before.graphs["scale"]), float(after.graphs["outage"])
        if kind == REPAIR:
            return PlanStep("repair", time + float(before.nodes["repair_time"][row]), outage, node=row)
        if kind == WAIT:
            return PlanStep("wait", time + self.rest * scale, outage)
        one, other = before.edge_index[:, before.links[0][row]].tolist()
        link = (one, other) if before.nodes["served"][one] else (other, one)
        return PlanStep("switch", time + self.switching * scale, outage, link=link)

    def severity(self, state: GraphBatch, action: Tensor) -> Tensor:
        """The share of the energy that is missing for a repair; 1 for any other illegal action."""
        kind, row, _ = self.actions.locate(state, action)
        node = state.node_ptr[:-1] + torch.where(kind == REPAIR, row, 0)
        missing = 1 - state.graphs["energy"] / state.nodes["repair_time"][node].clamp(min=1e-9)
        tired = (kind == REPAIR) & ~working_nodes(state)[node] & (missing > 0)
        return torch.where(tired, missing.clamp(max=1), 1).float()

    def _may_wait(self, graph: GraphBatch) -> Tensor:
        """[B] bool, of what `view` shows."""
        ready, useful = graph.nodes["ready"], graph.edges["useful"]
        if self.wait == "tired":
            return segment_sum(graph.nodes["broken"] & ~ready, graph.node_segments) > 0
        return (segment_sum(ready, graph.node_segments) == 0) & (segment_sum(useful, graph.edge_segments) == 0)


def _exactly(environment: Optimization, instances: GraphBatch, seconds: float) -> Optimum:
    options = unrecorded(environment)
    assert isinstance(options, NetworkRepair)
    stuck = options.wait == "stuck"
    rules = RepairRules(options.stamina, options.recovery, options.switching, options.rest, stuck)
    return exact_repair(environment, instances, rules, _greedy(environment), seconds)


def _greedy(environment: Optimization) -> Choose:
    options = unrecorded(environment)
    assert isinstance(options, NetworkRepair)
    return greedy(options.actions, options.switching, options.rest, options.recovery)


NETWORK_REPAIR = Problem(
    name="network-repair",
    summary="bring supply back after a storm: repair nodes, switch on spare links, or let the crew rest",
    objective="outage",
    environment=NetworkRepair(),
    topology="gabriel",
    sizes=(20, 30),
    laws={"storm": after_storm},
    heuristics={
        "greedy": Follow(_greedy),
        "shortest-repair": Follow(lambda environment: shortest_repair(environment.actions)),
    },
    solve_exactly=_exactly,
    verify=verify,
    training={
        "algorithm": "reinforce",
        "encoder": {"kind": "gin"},  # reads which links are spare
        "collection": {"episodes": {"num_instances": 16, "num_samples": 8}},
        "validation": {"sizes": (20, 40), "graphs": 32},
    },
)
