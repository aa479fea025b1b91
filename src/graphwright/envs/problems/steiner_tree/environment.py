"""Steiner trees: the shortest tree that joins some of a network's nodes, one link a step."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionSpec, GraphBatch, Observation, Step, per_edge
from graphwright.core.segment import segment_argmax, segment_sum
from graphwright.envs.generators.geography import LENGTHS
from graphwright.envs.gradual import Gradual
from graphwright.envs.optimization import PLACES, Optimization, Solution
from graphwright.envs.problem import Problem, follow
from graphwright.envs.problems.steiner_tree.exact import exact_tree
from graphwright.envs.problems.steiner_tree.heuristics import mst_of_closure
from graphwright.envs.problems.steiner_tree.instances import as_instance, euclidean, uniform, unit
from graphwright.envs.problems.steiner_tree.observation import FEATURES, observed, surroundings
from graphwright.envs.problems.steiner_tree.paths import shortest_distance
from graphwright.envs.problems.steiner_tree.state import live_edges, total_length, tree_state
from graphwright.envs.problems.steiner_tree.verify import verify
from graphwright.envs.readable import Inputs


@dataclass(frozen=True)
class SteinerTree(Optimization, Gradual):
    """Join the terminals of a network by a tree of least length, link by link from the first terminal on.

    Instance: an undirected simple graph with the node column `terminal` [N] bool, at least one true in each graph and
        all of them in one component; the edge column `length` [E], non-negative, float64 from users; the graph column
        `scale` [B], the mean length; and the node columns of `with_near_terminals`, which follow from these.
    State: adds the edge column `chosen` [E] bool, in both directions; the node column `in_tree` [N] bool, the first
        terminal and the ends of chosen edges; and what follows from these, `to_tree` and `to_terminal` [N] float32, the
        distances to the tree and to the nearest terminal that is not in it.
    Observation: these distances, how far it is to the nearest terminal by each link that leads out of the tree, and
        what the tree would gain by going through a node, all in units of the mean length; the columns are those of
        `steiner_observation.py`.
    Action: a link with exactly one end in the tree.
    Reward: minus its length. The last link brings back what has become of no use: all branches that end in no terminal,
        which are no part of the solution.
    Termination: all terminals are in the tree. An instance of one terminal is over before it begins.

    >>> import torch
    >>> from graphwright.core import from_edges
    >>> square = from_edges(torch.tensor([[0, 1, 2, 3], [1, 2, 3, 0]]), torch.tensor([4]), undirected=True,
    ...                     nodes={"terminal": torch.tensor([True, False, True, False])},
    ...                     edges={"length": torch.tensor([1.0, 2.0, 1.0, 1.0])})
    >>> problem = SteinerTree()
    >>> state = problem.reset(problem.instance(square))
    >>> state.edge_index[:, state.links[0]].T.tolist(), problem.observe(state).masks[0].tolist()
    ([[1, 0], [3, 0], [2, 1], [3, 2]], [True, True, False, False])
    >>> step = problem.step(problem.step(state, torch.tensor([1])).state, torch.tensor([3]))
    >>> step.reward.item(), step.terminated.item(), problem.objective(step.state).item()
    (-1.0, True, 2.0)
    """

    features = FEATURES
    actions = ActionSpec(per_edge("join"))
    rare = ("left",)
    inputs = Inputs(nodes=PLACES, marks=("terminal",), edge_weight=LENGTHS, parallel="leave the shortest")

    def instance(self, graph: GraphBatch) -> GraphBatch:
        """The undirected simple graph with its lengths and terminals; loops go, of parallel edges the shortest stays.

        Lengths are those of `edge_length`: the edge column `length` or `weight`, or distances between positions.
        """
        return as_instance(graph)

    def reset(self, instances: GraphBatch) -> GraphBatch:
        """The tree is the first terminal."""
        return tree_state(instances, torch.zeros(instances.num_edges, dtype=torch.bool, device=instances.device))

    @override
    def observe(self, state: GraphBatch) -> Observation:
        around = surroundings(state)
        return Observation(observed(state, around), (around.boundary[state.links[0]],))

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        rows, links = state.links
        edge = rows[links.ptr[:-1] + action]
        opposite = state.edge_ptr[:-1] + state.edges["reverse"][edge]
        following = _grown(state, torch.stack([edge, opposite]))
        complete = self.is_complete(following)
        over = complete.nonzero().squeeze(1)
        final = following.select(over)
        useless = total_length(final, final.edges["chosen"] & ~live_edges(final))
        reward = -state.edges["length"][edge].float()
        reward = reward.index_add(0, over, useless.to(reward.dtype))
        return Step(following, reward, complete, torch.zeros_like(complete))

    def objective(self, state: GraphBatch) -> Tensor:
        """Length of the least part of the tree that joins the terminals in it."""
        return total_length(state, live_edges(state))

    def is_complete(self, state: GraphBatch) -> Tensor:
        """Whether all terminals are in the tree."""
        return segment_sum(state.nodes["terminal"] & ~state.nodes["in_tree"], state.node_segments) == 0

    def solution(self, state: GraphBatch) -> Solution:
        """The nodes and links of that part of the tree."""
        live, (rows, _) = live_edges(state), state.links
        nodes = (segment_sum(live, state.in_edges) > 0) | (state.nodes["terminal"] & state.nodes["in_tree"])
        return Solution(nodes.nonzero().squeeze(1), state.edge_index[:, rows[live[rows]]])

    @override
    def so_far(self, state: GraphBatch) -> Solution:
        """The whole tree, with the branches that have not come to a terminal yet; at the end the solution."""
        if self.is_complete(state).item():
            return self.solution(state)
        rows, _ = state.links
        chosen = state.edges["chosen"][rows]
        return Solution(state.nodes["in_tree"].nonzero().squeeze(1), state.edge_index[:, rows[chosen]])


def _grown(state: GraphBatch, edges: Tensor) -> GraphBatch:
    """`state` with one more edge in each tree, `edges` [2, B] in both directions.

    Both distances go on from what they were: the tree has only come nearer, and terminals have only gone farther where
    one was reached, where they start again.
    """
    nodes, terminal = state.nodes, state.nodes["terminal"]
    in_tree = nodes["in_tree"].index_fill(0, state.edge_index[:, edges[0]].flatten(), True)
    is_new = in_tree & ~nodes["in_tree"]
    reached = segment_sum(is_new & terminal, state.node_segments) > 0
    start = nodes["to_terminal"].masked_fill(reached[state.node_graph], torch.inf)
    return state.with_edges(chosen=state.edges["chosen"].index_fill(0, edges.flatten(), True)).with_nodes(
        in_tree=in_tree,
        to_tree=shortest_distance(state, nodes["to_tree"].masked_fill(is_new, 0)),
        to_terminal=shortest_distance(state, start.masked_fill(terminal & ~in_tree, 0)),
    )


def shortest_path(observation: Observation) -> Tensor:
    """[B] int64: the first link of the shortest path from the tree to a terminal.

    Followed step by step, this is the heuristic of Takahashi & Matsuyama (1980), "An approximate solution for the
    Steiner problem in graphs".
    """
    graph, (legal,) = observation.graph, observation.masks
    rows, links = graph.links
    return segment_argmax((-graph.edges["detour"][rows]).masked_fill(~legal, -torch.inf), links)


def insertion(observation: Observation) -> Tensor:
    """[B] int64: the link towards the node of most gain that is nearer than all terminals, else `shortest_path`.

    The shortest path heuristic with an eye on the nodes where its paths should part.
    """
    graph, (legal,) = observation.graph, observation.masks
    rows, links = graph.links
    score = torch.where(graph.edges["promising"][rows], 1.0, -graph.edges["detour"][rows])
    return segment_argmax(score.masked_fill(~legal, -torch.inf), links)


def towards(states: GraphBatch, solutions: GraphBatch) -> Tensor:
    """[L] bool: the links out of each tree that its solution has; none where the tree has links that it has not."""
    source, destination = states.edge_index
    in_tree, solution = states.nodes["in_tree"], live_edges(solutions)
    astray = segment_sum(states.edges["chosen"] & ~solution, states.edge_segments) > 0
    boundary = (in_tree[source] != in_tree[destination]) & ~astray[states.edge_graph]
    return (solution & boundary)[states.links[0]]


STEINER_TREE = Problem(
    name="steiner-tree",
    summary="join some nodes of a network by the shortest tree",
    objective="length",
    environment=SteinerTree(),
    topology="gabriel",
    sizes=(20, 30, 40),
    laws={"euclidean": euclidean, "uniform": uniform, "one": unit},
    heuristics={
        "shortest-path": follow(shortest_path),
        "insertion": follow(insertion),
        "mst-of-closure": lambda environment, instances: tree_state(instances, mst_of_closure(instances)),
    },
    solve_exactly=lambda environment, instances, seconds: exact_tree(instances, time_limit=seconds),
    verify=verify,
    expert=towards,
    training={
        "algorithm": "imitation",
        "encoder": {"kind": "gin", "depth": 4},
        "reinforce": {"entropy_coefficient": 0.03},
        "validation": {"sizes": (60,), "graphs": 64, "every": 5},
    },
)
