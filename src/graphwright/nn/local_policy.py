"""The scores that a policy gives the nodes or links of one graph, brought up to date where the graph has changed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from graphwright.core import GraphBatch
from graphwright.core.fading_graph import FadingGraph
from graphwright.core.largest import LargestOf
from graphwright.nn.actors import CategoricalActor
from graphwright.nn.columns import edge_columns, graph_columns, node_columns
from graphwright.nn.heads.edge import EdgeScore
from graphwright.nn.heads.node import NodeScore
from graphwright.nn.kernels import BlockSums
from graphwright.nn.local_candidates import candidates_of, scores_each_once
from graphwright.nn.policies import GraphPolicy

_MOST = 0.5
"""Share of the nodes around what has changed, from which on it is quicker to compute all of them in their places."""
_LEAST_ROWS = 16
"""A matrix product of fewer rows may round otherwise than the same rows do inside a large one."""


def why_not_local(policy: GraphPolicy, rare: Sequence[str] = ()) -> str | None:
    """Why a decision of `policy` cannot be brought up to date where a graph has changed; None where it can.

    rare: columns of graphs that change so seldom that all nodes may then be new.
    """
    encoder, actor = policy.encoder, policy.actor
    features = encoder.features
    if encoder.virtual_nodes:
        return "its encoder has a virtual node, which sees the whole graph"
    if encoder.walks:
        return "its nodes know of walks (--encoder.walks)"
    if None in encoder.sights:
        return "its encoder layer sees the whole graph"
    if often := [name for name in encoder.read.graphs if name not in rare]:
        names = ", ".join(often)
        return (
            f"its nodes begin with columns of the graph, {names} (--encoder.no-graph-columns), which every step changes"
        )
    if features.edge_types or features.node_types or encoder.carries_edges:
        return "its edges have states, or types are read"
    head = actor.heads[0] if isinstance(actor, CategoricalActor) and len(actor.heads) == 1 else None
    if not policy.actions.one_per_graph or not scores_each_once(head, policy.actions.blocks[0]):
        return "it does not score each node, or each link, once"
    assert isinstance(head, NodeScore | EdgeScore)
    if head.pool.kind not in ("sum", "mean"):
        return f"its pool {head.pool.kind} (--heads.pool) is neither sum nor mean"
    parameter = next(policy.parameters())
    if parameter.device.type != "cpu" or parameter.dtype != torch.float32:
        return "it is not on the CPU in float32"
    return None


class LocalPolicy:
    """A policy on one observed graph: what `GraphPolicy.best` says, at the cost of what has changed since.

    Memory: for each node depth + 3 rows of `width` float32. All numbers are those of a full pass, bit for bit:
    layers compute each row from itself and its neighbours in the order of the edges, the pool adds up in blocks, and
    rows are never so few that a matrix product rounds otherwise.

    The pooled context moves a little with every change, and all scores with it. A score moves by at most
    Σ_f |w_f| |Δc_f|, w being the weights of the last layer; so scores are kept as they were, and those that may have
    become the best since are computed again.
    """

    def __init__(self, policy: GraphPolicy, fading: FadingGraph, seen: GraphBatch, legal: Tensor) -> None:
        """seen: the observed graph, one, whose edges `fading` keeps; legal: [N] bool."""
        assert isinstance(policy.actor, CategoricalActor)
        head = policy.actor.heads[0]
        assert isinstance(head, NodeScore | EdgeScore)
        self._encoder, self._head = policy.encoder, head
        self._candidates = candidates_of(self._head, seen)
        self.show(fading, seen)
        self._radius = len(self._encoder.sights) + max((sight or 0 for sight in self._encoder.sights), default=0)
        self._legal = legal.clone()
        self._rounds = [self._encoder.embed(node_columns(self._encoder.read, seen))]
        for round_ in self._encoder.rounds:
            self._rounds.append(round_(self._rounds[-1], self._edge_columns, seen)[0])
        self._nodes = self._finish(slice(None))
        self._hidden = self._candidates.hidden(self._nodes)
        self._pool = BlockSums(self._nodes)
        self._context = self._pooled()
        self._largest_hidden = float(self._hidden.abs().max())
        self._drift = 0.0
        self.score = self._score(torch.arange(len(legal)))
        self._keys = LargestOf(self._key(self.score))

    def show(self, fading: FadingGraph, seen: GraphBatch) -> None:
        """The observed graph is `seen` from now on, whose edges are those of `fading`; nodes are updated next."""
        features = self._encoder.features
        self._edges, self._edge_columns = fading, edge_columns(features, seen)
        self._graph_columns = graph_columns(features, seen) if self._head.reads_columns else None
        self._candidates.show(self._edge_columns)

    def permit(self, candidates: Tensor, legal: Tensor) -> None:
        """The `candidates` [M] are `legal` [M] bool or not."""
        flipped = candidates[self._legal[candidates] != legal]
        self._legal[candidates] = legal
        self._refresh(flipped)

    def update(self, rows: Tensor, columns: Tensor, moved: Tensor) -> None:
        """The nodes `rows` [M], rising, have these `columns` [M, D] (`node_columns`).

        moved: [S] int64, rising, those of them whose columns or edges differ; `fading` has the new edges.
        """
        changed = self._embed(rows, columns, moved) if moved.numel() else moved
        context = self._pooled()
        self._drift += float((self._head.score.weight[0].abs().double() * (context - self._context)[0].abs()).sum())
        self._context = context
        self._refresh(self._candidates.near(changed))

    def _embed(self, rows: Tensor, columns: Tensor, moved: Tensor) -> Tensor:
        """The nodes [S] whose embeddings are new."""
        around, hops = self._edges.ball(moved, self._radius)
        if around.numel() > _MOST * len(self._nodes):
            return self._embed_all(rows, columns, moved)
        padding = max(_LEAST_ROWS - around.numel(), 0)
        part, origin = self._edges.induced_edges(around, padding)
        edges = None if self._edge_columns is None else self._edge_columns.index_select(0, origin)
        inputs = F.pad(around, (0, padding))
        place = _padded(torch.searchsorted(rows, moved))
        self._rounds[0].index_copy_(0, moved, self._encoder.embed(columns[place])[: moved.numel()])
        depth = len(self._encoder.rounds)
        for index, round_ in enumerate(self._encoder.rounds):
            changed = (hops <= index + 1).nonzero().squeeze(1)
            new = round_(self._rounds[index].index_select(0, inputs), edges, part)[0]
            self._rounds[index + 1].index_copy_(0, around[changed], new.index_select(0, changed))
        changed = around[hops <= depth]
        padded = _padded(changed)
        nodes = self._finish(padded)
        hidden = self._candidates.hidden(nodes)
        self._nodes.index_copy_(0, changed, nodes[: changed.numel()])
        self._hidden.index_copy_(0, changed, hidden[: changed.numel()])
        self._pool.update(changed)
        self._largest_hidden = max(self._largest_hidden, float(hidden.abs().max()))
        return changed

    def _embed_all(self, rows: Tensor, columns: Tensor, moved: Tensor) -> Tensor:
        """All nodes [N], every row computed again in its place."""
        everything = torch.arange(len(self._nodes))
        whole, origin = self._edges.induced_edges(everything)
        edges = None if self._edge_columns is None else self._edge_columns.index_select(0, origin)
        place = _padded(torch.searchsorted(rows, moved))
        self._rounds[0].index_copy_(0, moved, self._encoder.embed(columns[place])[: moved.numel()])
        for index, round_ in enumerate(self._encoder.rounds):
            self._rounds[index + 1].copy_(round_(self._rounds[index], edges, whole)[0])
        self._nodes.copy_(self._finish(slice(None)))
        self._hidden.copy_(self._candidates.hidden(self._nodes))
        self._pool.update(everything)
        self._largest_hidden = max(self._largest_hidden, float(self._hidden.abs().max()))
        return everything

    def best(self) -> int:
        """The legal candidate of largest score, the first of equals; -1 where there is none."""
        if self._keys.largest == -np.inf:
            return -1
        top = self._keys.first_largest
        since = self._drift - (float(self.score[top]) - self._keys.largest)
        some = self._keys.at_least(float(self.score[top]) - since - self._rounding() - self._drift)
        self._refresh(some)
        return int(some[int(np.argmax(self.score[some].numpy()))])

    def refresh(self) -> Tensor:
        """[K] float32: the scores of all candidates as they are now, -inf where they are not legal."""
        rows = self._legal.nonzero().squeeze(1)
        self.score[rows] = self._score(rows)
        self._keys.fill(self._key(self.score))
        return self.score

    def _refresh(self, rows: Tensor) -> None:
        """Compute the scores of `rows` again."""
        self.score[rows] = score = self._score(rows)
        self._keys.update(rows, self._key(score))

    def _key(self, score: Tensor) -> Tensor:
        """[M] float64: what is at least `score` less all later drift, if all drift so far is added."""
        return score.double() - self._drift

    def _rounding(self) -> float:
        """What rounding may change in the difference of two scores."""
        weight = self._head.score.weight
        terms = self._candidates.num_nodes * self._largest_hidden + self._candidates.largest_of_edges
        size = float(weight.abs().sum()) * (terms + float(self._context.abs().max()))
        return 4 * (weight.numel() + 4) * 2.0**-24 * size

    def _score(self, rows: Tensor) -> Tensor:
        score = self._candidates.score(self._hidden, self._context, rows)
        return score.masked_fill_(~self._legal[rows], -torch.inf)

    def _pooled(self) -> Tensor:
        total = self._pool.total
        pooled = total if self._head.pool.kind == "sum" else total / float(len(self._nodes))
        return self._head.graph(
            pooled if self._graph_columns is None else torch.cat([pooled, self._graph_columns], dim=1)
        )

    def _finish(self, rows: Tensor | slice) -> Tensor:
        """The last embedding of nodes, [M, width]."""
        if self._encoder.jumping is None:
            return self._encoder.norm(self._rounds[-1][rows])
        return self._encoder.norm(self._encoder.jumping(torch.cat([x[rows] for x in self._rounds[1:]], dim=1)))


def _padded(rows: Tensor) -> Tensor:
    """`rows` [M], the first once more as often as it takes to be at least 16."""
    missing = _LEAST_ROWS - rows.numel()
    return torch.cat([rows, rows[:1].expand(missing)]) if missing > 0 and rows.numel() else rows
