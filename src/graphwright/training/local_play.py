"""One graph decided node by node, at the cost of what each decision changes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from graphwright.core import GraphBatch, Observation
from graphwright.core.fading_graph import FadingGraph
from graphwright.core.largest import LargestOf
from graphwright.envs.environment import Environment
from graphwright.envs.gradual import Gradual
from graphwright.envs.local import Local
from graphwright.nn import GraphPolicy
from graphwright.nn.columns import node_columns
from graphwright.nn.local_policy import LocalPolicy, why_not_local
from graphwright.training.compared_play import play_compared

_MOST_TAKEN = 0.25


def why_not_played_locally(policy: GraphPolicy, environment: Environment) -> str | None:
    """Why each decision has to look at a whole graph again; None where it need not."""
    rare: tuple[str, ...] = ()
    if isinstance(environment, Local):
        changes_little = environment.sight is not None
    elif isinstance(environment, Gradual):
        changes_little, rare = environment.gradual, environment.rare
    else:
        return "its environment does not say that a decision changes little"
    if not changes_little:
        return "what its environment shows of a node depends on all decisions"
    return why_not_local(policy, rare)


class LocalPlay:
    """An episode of one graph. Deciding nodes costs what they change, not what the graph holds.

    What a decision changes in the state is within `reach` hops of it, and what it changes in the observation within
    `reach` + `sight`; so that part of the graph alone is shown to the environment, with as much around it as these
    see. Of the columns there, and of what loses edges, only what really differs goes on to the network.
    """

    def __init__(self, policy: GraphPolicy, environment: Local, instance: GraphBatch) -> None:
        """instance: one graph. `why_not_played_locally` is None."""
        assert environment.sight is not None
        self._environment, self._features = environment, policy.encoder.read
        self._changes, self._radius = environment.reach + environment.sight, environment.reach + 2 * environment.sight
        self.state = environment.reset(instance)
        self._columns = {name: column.clone() for name, column in self.state.nodes.items()}
        seen = environment.observe(self.state)
        self._edges = FadingGraph(seen.graph)
        extremes = environment.extremes(seen.graph)
        self._extremes = {name: LargestOf(column) for name, column in extremes.items()}
        self._measures = self._largest()
        self._seen = node_columns(self._features, seen.graph).clone()  # which may be a column of the instance itself
        self._policy = LocalPolicy(policy, self._edges, seen.graph, seen.masks[0])

    def best(self) -> Tensor:
        """[1] int64: the node that the policy would choose; [0] where the episode is over."""
        node = self._policy.best()
        return torch.tensor([node] if node >= 0 else [], dtype=torch.int64)

    def best_around(self, radius: int, share: float) -> Tensor:
        """[S] int64, rising: the legal nodes that are better than all others within `radius` hops, at least 1.

        Of these, such as are among the best `share` of all legal nodes, and the best of those where choosing a node
        decides about its neighbours, as far as they take no more than a quarter of the legal nodes.
        """
        return best_together(self._environment, self._edges, self._policy.refresh(), radius, share)

    def decide(self, nodes: Tensor) -> None:
        """Choose `nodes` [S] int64, rising, all legal and no two joined by a seen edge."""
        rows, hops = self._edges.ball(nodes, self._radius)
        part = self._edges.induced(rows)
        before = part.with_nodes(**{name: column[rows] for name, column in self._columns.items()})
        before = before.with_graphs(**self.state.graphs, **self._measures)
        after = self._environment.decide(before, torch.searchsorted(rows, nodes))
        seen = self._environment.observe(after)
        near = (hops <= self._changes).nonzero().squeeze(1)
        for name, column in self._columns.items():
            column[rows[near]] = after.nodes[name][near]
        lost = self._edges.keep_edges(rows, near, seen.graph)
        for name, column in self._environment.extremes(seen.graph).items():
            self._extremes[name].update(rows[near], column[near])
        measures = self._largest()
        if all(torch.equal(value, self._measures[name]) for name, value in measures.items()):
            self._show(rows[near], near, seen, lost)
        else:  # columns may have changed anywhere
            self._measures = measures
            everything = torch.arange(len(self._seen))
            whole = self._edges.induced(everything).with_nodes(**self._columns)
            seen = self._environment.observe(whole.with_graphs(**self.state.graphs, **measures))
            self._show(everything, everything, seen, lost)

    def _show(self, rows: Tensor, places: Tensor, seen: Observation, lost: Tensor) -> None:
        """Bring the policy up to date with `seen`, whose rows at `places` [M] are the nodes `rows` [M]."""
        columns = node_columns(self._features, seen.graph)[places]
        differs = (columns != self._seen[rows]).any(1)
        differs[torch.searchsorted(rows, lost)] = True
        self._seen[rows] = columns
        self._policy.update(rows, columns, rows[differs])
        self._policy.permit(rows, seen.masks[0][places])

    def _largest(self) -> dict[str, Tensor]:
        return {name: torch.tensor([tree.largest], dtype=torch.float32) for name, tree in self._extremes.items()}

    def final(self) -> GraphBatch:
        """The state as it is now."""
        return self.state.with_nodes(**self._columns)


def best_spread(edges: FadingGraph, score: Tensor, radius: int, share: float) -> Tensor:
    """[S] int64, rising: the nodes of largest score [N] within `radius` hops that are among the best `share` of all.

    A score is -inf where a node is not legal; such nodes count for nothing.
    """
    legal = (score > -torch.inf).nonzero().squeeze(1)
    if not legal.numel():
        return legal
    worst = score[legal].kthvalue(1 + int((1 - share) * (legal.numel() - 1))).values
    best = edges.best_around(score, legal, radius)
    return best[score[best] >= worst]


def best_together(environment: Environment, edges: FadingGraph, score: Tensor, radius: int, share: float) -> Tensor:
    """[S] int64, rising: those of `best_spread` that are chosen together.

    Where choosing a node decides about its neighbours, the best of them that take no more than a quarter of the legal
    nodes: of many equals, each choice would otherwise be made as if the others were not.
    """
    best = best_spread(edges, score, radius, share)
    if not isinstance(environment, Local) or environment.reach == 0 or best.numel() < 2:
        return best
    return _within(best, score, 1 + edges.degree, _MOST_TAKEN * int((score > -torch.inf).sum()))


def _within(nodes: Tensor, score: Tensor, cost: Tensor, room: float) -> Tensor:
    """[S] int64, rising: those of `nodes`, rising, that come first by falling score and cost at most `room` together.

    The first is one of them whatever it costs. Of equals the first is better.
    """
    order = nodes[torch.argsort(score[nodes], descending=True, stable=True)]
    affordable = cost[order].cumsum(0) <= room
    affordable[:1] = True
    return order[affordable].sort().values


def play_locally(
    policy: GraphPolicy,
    environment: Environment,
    instance: GraphBatch,
    choose: Callable[[LocalPlay], Tensor] | None = None,
) -> GraphBatch:
    """The last state of one graph when the policy's best, or what `choose` names, is decided in every step."""
    if not isinstance(environment, Local):
        return play_compared(policy, environment, instance)
    play = LocalPlay(policy, environment, instance)
    while (nodes := (choose or LocalPlay.best)(play)).numel():
        play.decide(nodes)
    return play.final()
