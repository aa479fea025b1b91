"""The best-shot public goods game: who has to contribute, so that all are served at the least cost."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from graphwright.core import GraphBatch, Observation
from graphwright.core.segment import segment_sum
from graphwright.envs.optimization import Optimization
from graphwright.envs.problem import Optimum, Problem, follow
from graphwright.envs.problems.independent_set.exact import exact_set
from graphwright.envs.problems.independent_set.maximal_set import MaximalSet, simple_graph
from graphwright.envs.problems.public_goods.verify import verify
from graphwright.envs.readable import Inputs
from graphwright.envs.rollouts import take_best
from graphwright.envs.weights import require_nodes

_EQUAL_COST = 0.5


@dataclass(frozen=True)
class PublicGoods(MaximalSet):
    """Choose who contributes to a good that also serves the neighbours, in the equilibrium of greatest social welfare.

    A player has utility 1 − cost if it contributes, 1 if it does not but a neighbour does, and 0 otherwise. Costs are
    below 1, so the equilibria are the maximal independent sets (Bramoullé & Kranton 2007, "Public goods in networks"),
    and a set of contributors S has the welfare n − Σ_{v ∈ S} cost(v). The set grows by a node a step, as in Darvariu,
    Hailes & Musolesi 2021, "Solving graph-based public goods games with tree search and imitation learning".

    Instance: an undirected simple graph with the node column `cost` [N] float32, from 0 to below 1.
    State, Observation, Action, Termination: those of `MaximalSet`; costs are seen as they are, in units of utility.
    Reward: minus the cost of the node; a return is the welfare less n, which is the same for every equilibrium.

    >>> import torch
    >>> from graphwright.core import from_edges
    >>> star = from_edges(torch.tensor([[0, 0], [1, 2]]), torch.tensor([3]), undirected=True,
    ...                   nodes={"cost": torch.full((3,), 0.5)})
    >>> problem = PublicGoods()
    >>> step = problem.step(problem.reset(star), torch.tensor([0]))
    >>> problem.objective(step.state).item(), step.terminated.item()
    (2.5, True)
    """

    number = "cost"
    inputs = Inputs(node_weight=("cost",))
    columns = ("free", "cost", "log_degree", "relative_degree", "per_node", "share")
    maximise = True

    def instance(self, graph: GraphBatch) -> GraphBatch:
        """The undirected simple graph with its costs, 0.5 where there are none; loops go, parallel edges are merged."""
        simple = simple_graph(graph, "cost", default=_EQUAL_COST)
        cost = simple.nodes["cost"]
        rule = "but nobody pays 1 or more for a good that is worth 1; divide the costs"
        require_nodes(simple, cost < 1, lambda node: f"node column 'cost' is {float(cost[node])} at node {{}}, {rule}")
        return simple

    def unit(self, state: GraphBatch) -> Tensor:
        """1."""
        return torch.ones(state.num_graphs, device=state.device)

    def node_reward(self, state: GraphBatch) -> Tensor:
        """Minus the cost."""
        return -state.nodes["cost"]

    def objective(self, state: GraphBatch) -> Tensor:
        """Sum of the utilities: how many players are served, less the costs of the contributors."""
        served = (~state.nodes["free"]).double()
        return segment_sum(served - state.nodes["selected"] * state.nodes["cost"], state.node_segments)


def greedy(observation: Observation) -> Tensor:
    """[B] int64: the player of least cost for each player that it newly serves, the first of equals."""
    return take_best(observation, -observation.graph.nodes["per_node"])


def exact(environment: Optimization, instances: GraphBatch, seconds: float) -> Optimum:
    """The optimum by CP-SAT, begun from a heuristic's set."""
    assert isinstance(environment, MaximalSet)
    return exact_set(environment, instances, follow(greedy), time_limit=seconds)


def uniform_costs(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
    """A node column `cost` [N] float32, uniform in [0, 1)."""
    return graph.with_nodes(cost=torch.rand(graph.num_nodes, generator=generator, device=generator.device))


def equal_costs(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
    """A node column `cost` [N] float32 of 0.5; which equilibrium is best does not depend on that number."""
    return graph.with_nodes(cost=torch.full((graph.num_nodes,), _EQUAL_COST, device=generator.device))


PUBLIC_GOODS = Problem(
    name="public-goods",
    summary="choose who contributes, in the equilibrium of greatest social welfare",
    objective="social welfare",
    environment=PublicGoods(),
    topology="barabasi-albert:m=2",
    sizes=(15, 25),
    laws={"uniform": uniform_costs, "equal": equal_costs},
    heuristics={
        "greedy": follow(greedy),
        "target-hubs": follow(lambda seen: take_best(seen, seen.graph.in_degree.double())),  # of free neighbours
        "target-least-cost": follow(lambda seen: take_best(seen, -seen.graph.nodes["cost"])),
    },
    solve_exactly=exact,
    verify=verify,
    expert=lambda states, solutions: solutions.nodes["selected"] & states.nodes["free"],
    training={"algorithm": "reinforce", "validation": {"sizes": (50, 100), "graphs": 24}},
)
