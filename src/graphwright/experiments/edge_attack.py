"""An attack on a graph classifier: change a few edges so that it errs, while what it should say stays the same."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import one_hot
from typing_extensions import override

from graphwright.core import (
    ActionSpec,
    Features,
    GraphBatch,
    GraphError,
    Observation,
    Step,
    from_edges,
    pair_segments,
    per_pair,
    simplify,
)
from graphwright.core.numbers import require
from graphwright.core.segment import segment_argmax, segment_sum
from graphwright.envs.optimization import Optimization, Solution
from graphwright.envs.problem import Follow, Problem
from graphwright.envs.problems.graph_robustness.robustness import pieces
from graphwright.envs.rollouts import Choose
from graphwright.envs.undirected import require_undirected
from graphwright.experiments.components import CLASSES, in_pieces, load_classifier, number_of_pieces

_SURE = 1 - 1e-6  # the resistance between the ends of an edge is 1 where no other way joins them, else less


@dataclass(frozen=True)
class EdgeAttack(Optimization):
    """Add and remove edges, up to a budget, so that a classifier no longer says how many components a graph has.

    Dai, Li, Tian, Huang, Wang, Zhu & Song (2018), "Adversarial attack on graph structured data". The attacker sees the
    graph and how sure the classifier is, not its weights.

    Instance: an undirected simple graph of one to three components.
    State: the graph as it is now; node column `ends` [N, budget] bool, whether the k-th change ended in a node; graph
        columns `changes` [B] int64, their number, `label` [B] int64, how many components there are, and `margin` [B]
        float64, the greatest score of a wrong answer minus that of the right one.
    Observation: per node `log_degree` log(1 + d) and `share`, of the graph's nodes those of its own component; per
        graph the `answer` that is right (one-hot), `margin`, and `left`, the share of the budget that is left.
    Action: an ordered pair of nodes; both orders of a pair do the same. Where an edge joins them it goes, if there is
        another way between them; where none does it comes, if there is a way between them. So the components stay.
    Reward: how much the margin rises.
    Termination: the margin is above 0, so that the classifier errs, or the budget is used up.

    classifier: file of the one that is attacked, see `components`. budget: how many edges may be changed.
    """

    classifier: str = ""
    budget: int = 2

    features = Features(nodes={"log_degree": 1, "share": 1}, graphs={"answer": CLASSES, "margin": 1, "left": 1})
    actions = ActionSpec(per_pair("change"))
    maximise = True
    edits_graph = True

    def __post_init__(self) -> None:
        """Raise ValueError for a budget of nothing."""
        require("environment.budget", self.budget)

    @override
    def instance(self, graph: GraphBatch) -> GraphBatch:
        require_undirected(graph, "its components need an undirected one")
        simple = simplify(graph.keep())
        if bool(((count := number_of_pieces(simple)) > CLASSES).any()):
            raise GraphError(f"has {int(count.max())} components; the classifier knows 1 to {CLASSES}")
        return simple

    @override
    def reset(self, instances: GraphBatch) -> GraphBatch:
        ends = torch.zeros(instances.num_nodes, self.budget, dtype=torch.bool, device=instances.device)
        label = number_of_pieces(instances)
        state = instances.with_nodes(ends=ends).with_graphs(label=label, changes=torch.zeros_like(label))
        return state.with_graphs(margin=self.margin(state))

    @override
    def observe(self, state: GraphBatch) -> Observation:
        size, component = state.node_segments.lengths, pieces(state)
        members = torch.bincount(component, minlength=state.num_nodes)[component]
        graphs = state.graphs
        seen = state.keep().with_nodes(
            log_degree=state.in_degree.float().log1p(), share=members / size[state.node_graph]
        )
        seen = seen.with_graphs(
            answer=one_hot(graphs["label"] - 1, CLASSES).float(),
            margin=graphs["margin"].float(),
            left=1 - graphs["changes"] / self.budget,
        )
        return Observation(seen, (harmless(state) & self._goes_on(state)[pair_segments(state).index],))

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        size, begin = state.node_segments.lengths, state.node_ptr[:-1]
        pair = torch.stack([action // size, action % size]) + begin
        ends = state.nodes["ends"].clone()
        ends[pair, state.graphs["changes"]] = True
        changed = toggled(state, pair).with_nodes(ends=ends).with_graphs(changes=state.graphs["changes"] + 1)
        following = changed.with_graphs(margin=self.margin(changed))
        gain = following.graphs["margin"] - state.graphs["margin"]
        over = self.is_complete(following)
        return Step(following, gain.float(), over, torch.zeros_like(over))

    @override
    def objective(self, state: GraphBatch) -> Tensor:
        return state.graphs["margin"]

    @override
    def is_complete(self, state: GraphBatch) -> Tensor:
        return ~self._goes_on(state)

    @override
    def solution(self, state: GraphBatch) -> Solution:
        ends = [state.nodes["ends"][:, k].nonzero().squeeze(1) for k in range(int(state.graphs["changes"]))]
        links = torch.stack(ends, dim=1) if ends else torch.empty(2, 0, dtype=torch.int64)
        return Solution(torch.empty(0, dtype=torch.int64), links)

    def margin(self, graph: GraphBatch) -> Tensor:
        """[B] float64: the greatest score of a wrong answer minus that of the right one, `label`."""
        if not self.classifier:
            raise GraphError(
                "name the classifier to attack: --environment.classifier FILE (`reproduce attack` has one)"
            )
        with torch.no_grad():
            scores = load_classifier(self.classifier)(graph)
        right = graph.graphs["label"].unsqueeze(1) - 1
        wrong = scores.scatter(1, right, -torch.inf).amax(1)
        return wrong - scores.gather(1, right).squeeze(1)

    def _goes_on(self, state: GraphBatch) -> Tensor:
        """[B] bool."""
        return (state.graphs["margin"] <= 0) & (state.graphs["changes"] < self.budget)


def toggled(graph: GraphBatch, pair: Tensor) -> GraphBatch:
    """`graph` without the edge of each graph's `pair` [2, B] of nodes of the union, or with it where there was none."""
    rows, _ = graph.links
    links = graph.edge_index[:, rows]
    low, high = torch.minimum(*pair)[graph.edge_graph[rows]], torch.maximum(*pair)[graph.edge_graph[rows]]
    is_it = (torch.minimum(*links) == low) & (torch.maximum(*links) == high)
    missing = segment_sum(is_it.long(), graph.links[1]) == 0
    links = torch.cat([links[:, ~is_it], pair[:, missing]], dim=1)
    return from_edges(
        links, graph.node_segments.lengths, undirected=True, nodes=graph.nodes, edges={}, graphs=graph.graphs
    )


def harmless(graph: GraphBatch) -> Tensor:
    """[P] bool: the ordered pairs whose change leaves the components as they are.

    Two nodes of a component that no edge joins, or the ends of an edge that is no bridge: the effective resistance
    between these is less than 1. With Q = (L + C)⁻¹, where C is 1 for two nodes of one component, it is
    Q_ii + Q_jj − 2 Q_ij. Smaller graphs are filled up with nodes of their own.
    """
    size, place = graph.node_segments.lengths, graph.node_segments.position
    width = max(int(size.max()), 1) if graph.num_graphs else 1
    component = torch.full((graph.num_graphs, width), -1, device=graph.device)
    component[graph.node_graph, place] = pieces(graph)
    together = (component.unsqueeze(1) == component.unsqueeze(2)) & (component.unsqueeze(1) >= 0)
    joined = torch.zeros_like(together)
    joined[graph.edge_graph, place[graph.edge_index[0]], place[graph.edge_index[1]]] = True
    laplacian = together.double() - joined.double()
    laplacian.diagonal(dim1=1, dim2=2).add_(joined.sum(2)).add_((component < 0).double())
    inverse = torch.linalg.inv(laplacian)
    own = inverse.diagonal(dim1=1, dim2=2)
    resistance = own.unsqueeze(1) + own.unsqueeze(2) - 2 * inverse
    legal = together & (~joined | (resistance < _SURE))
    legal &= ~torch.eye(width, dtype=torch.bool, device=graph.device)
    pairs = pair_segments(graph)
    row, column = pairs.position // size[pairs.index], pairs.position % size[pairs.index]
    return legal[pairs.index, row, column]


def greedy(environment: EdgeAttack) -> Choose:
    """The change after which the margin is greatest, of all that are legal: as many questions to the classifier."""

    def choose(observation: Observation) -> Tensor:
        graph, (legal,) = observation.graph, observation.masks
        label = graph.graphs["answer"].argmax(1) + 1
        state = graph.keep().with_graphs(label=label)
        pairs = pair_segments(graph)
        rows, score = candidates(state, legal), torch.full((pairs.num_rows,), -torch.inf, dtype=torch.float64)
        for some in rows.split(4096):
            score[some] = environment.margin(after(state, some))
        return segment_argmax(score, pairs)

    return choose


def candidates(graph: GraphBatch, legal: Tensor) -> Tensor:
    """[K] int64: the places among `pair_segments` of the legal pairs u < v."""
    pairs = pair_segments(graph)
    size = graph.node_segments.lengths[pairs.index]
    return (legal & (pairs.position // size < pairs.position % size)).nonzero().squeeze(1)


def after(graph: GraphBatch, rows: Tensor) -> GraphBatch:
    """For each of `rows` [K], places among `pair_segments`: its graph with that pair changed, [K] graphs."""
    pairs = pair_segments(graph)
    owner, action = pairs.index[rows], pairs.position[rows]
    many = graph.select(owner)
    size = many.node_segments.lengths
    return toggled(many, torch.stack([action // size, action % size]) + many.node_ptr[:-1])


def best_of_all(environment: EdgeAttack, instances: GraphBatch) -> Tensor:
    """[B] float64: the greatest margin that up to `budget` changes reach, one after the other, all of them tried."""
    state = environment.reset(instances)
    best, owner = state.graphs["margin"].clone(), torch.arange(state.num_graphs)
    graph = state.keep(graphs=["label"])
    for _ in range(environment.budget):
        margins, graphs, owners = [], [], []
        for part in torch.arange(graph.num_graphs).split(64):
            some = graph.select(part)
            rows = candidates(some, harmless(some))
            found = after(some, rows)
            margins.append(environment.margin(found))
            graphs.append(found)
            owners.append(owner[part][pair_segments(some).index[rows]])
        graph, owner = GraphBatch.concat(graphs), torch.cat(owners)
        best = best.scatter_reduce(0, owner, torch.cat(margins), "amax")
    return best


EDGE_ATTACK = Problem(
    name="edge-attack",
    summary="change a few edges so that a graph classifier errs",
    objective="margin",
    environment=EdgeAttack(),
    topology="points",
    sizes=(12, 15, 18),
    laws={"pieces": in_pieces},
    heuristics={"greedy": Follow(greedy)},
    training={
        "algorithm": "ppo",
        # The classifier is what takes time: many small steps on what it answered.
        "ppo": {"learning_rate": 2e-3, "minibatch_size": 64, "epochs": 8, "normalize_values": True},
        "heads": {"pairs": "two-stage", "value_pool": "mean", "graph_columns": True},
        "collection": {"steps": {"num_envs": 128, "num_steps": 8}},
        "validation": {"sizes": (18,), "graphs": 32, "every": 10},
    },
)
