"""The scores that a policy gives the nodes of one graph, brought up to date where the graph has changed."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from graphwright.core import GraphBatch
from graphwright.core.fading_graph import FadingGraph
from graphwright.core.largest import LargestOf
from graphwright.core.rows import NODES
from graphwright.nn.actors import CategoricalActor
from graphwright.nn.columns import node_columns
from graphwright.nn.heads.node import NodeScore
from graphwright.nn.kernels import BlockSums, pair_scores
from graphwright.nn.policies import GraphPolicy

_LEAST_ROWS = 16
"""A matrix product of fewer rows may round otherwise than the same rows do inside a large one."""


def why_not_local(policy: GraphPolicy) -> str | None:
    """Why a decision of `policy` cannot be brought up to date where a graph has changed; None where it can."""
    encoder, actor = policy.encoder, policy.actor
    features = encoder.features
    if encoder.virtual_nodes:
        return "its encoder has a virtual node, which sees the whole graph"
    if encoder.walks:
        return "its nodes know of walks (--encoder.walks)"
    if None in encoder.sights:
        return "its encoder layer sees the whole graph"
    if features.graphs:
        return f"it reads the graph-wide columns {', '.join(features.graphs)}, which every step changes"
    if features.edges or features.edge_types or features.node_types or encoder.carries_edges:
        return "it reads columns of edges, or types"
    head = actor.heads[0] if isinstance(actor, CategoricalActor) and len(actor.heads) == 1 else None
    block = policy.actions.blocks[0]
    if not policy.actions.one_per_graph or not isinstance(head, NodeScore) or block.columns != 1 or block.rows != NODES:
        return "it does not score each node once"
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
        assert isinstance(head, NodeScore)
        self._encoder, self._head, self._edges = policy.encoder, head, fading
        self._radius = len(self._encoder.sights) + max((sight or 0 for sight in self._encoder.sights), default=0)
        self._legal = legal.clone()
        self._rounds = [self._encoder.embed(node_columns(self._encoder.features, seen))]
        for round_ in self._encoder.rounds:
            self._rounds.append(round_(self._rounds[-1], None, seen)[0])
        self._nodes = self._finish(slice(None))
        self._hidden = head.node(self._nodes)
        self._pool = BlockSums(self._nodes)
        self._context = self._pooled()
        self._largest_hidden = float(self._hidden.abs().max())
        self._drift = 0.0
        self.score = self._score(torch.arange(len(legal)))
        self._keys = LargestOf(self._key(self.score))

    def update(self, rows: Tensor, columns: Tensor, legal: Tensor, moved: Tensor) -> None:
        """The nodes `rows` [M], rising, have these `columns` [M, D] (`node_columns`), and are `legal` [M] bool or not.

        moved: [S] int64, rising, those of them whose columns or edges differ; `fading` has the new edges.
        """
        flipped = rows[self._legal[rows] != legal]
        self._legal[rows] = legal
        self._refresh(flipped)
        if not moved.numel():
            return
        around, hops = self._edges.ball(moved, self._radius)
        padding = max(_LEAST_ROWS - around.numel(), 0)
        part = self._edges.induced(around, padding)
        inputs = F.pad(around, (0, padding))
        place = _padded(torch.searchsorted(rows, moved))
        self._rounds[0].index_copy_(0, moved, self._encoder.embed(columns[place])[: moved.numel()])
        depth = len(self._encoder.rounds)
        for index, round_ in enumerate(self._encoder.rounds):
            changed = (hops <= index + 1).nonzero().squeeze(1)
            new = round_(self._rounds[index].index_select(0, inputs), None, part)[0]
            self._rounds[index + 1].index_copy_(0, around[changed], new.index_select(0, changed))
        changed = around[hops <= depth]
        padded = _padded(changed)
        nodes = self._finish(padded)
        hidden = self._head.node(nodes)
        self._nodes.index_copy_(0, changed, nodes[: changed.numel()])
        self._hidden.index_copy_(0, changed, hidden[: changed.numel()])
        self._pool.update(changed)
        self._largest_hidden = max(self._largest_hidden, float(hidden.abs().max()))
        context = self._pooled()
        self._drift += float((self._head.score.weight[0].abs().double() * (context - self._context)[0].abs()).sum())
        self._context = context
        self._refresh(changed)

    def best(self) -> int:
        """The legal node of largest score, the first of equals; -1 where there is none."""
        if self._keys.largest == -np.inf:
            return -1
        top = self._keys.first_largest
        since = self._drift - (float(self.score[top]) - self._keys.largest)
        some = self._keys.at_least(float(self.score[top]) - since - self._rounding() - self._drift)
        self._refresh(some)
        return int(some[int(np.argmax(self.score[some].numpy()))])

    def refresh(self) -> Tensor:
        """[N] float32: the scores of all nodes as they are now, -inf where they are not legal."""
        self._refresh(self._legal.nonzero().squeeze(1))
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
        size = float(weight.abs().sum()) * (self._largest_hidden + float(self._context.abs().max()))
        return 4 * (weight.numel() + 4) * 2.0**-24 * size

    def _score(self, rows: Tensor) -> Tensor:
        ends = torch.stack([rows, torch.zeros_like(rows)])
        score = pair_scores(self._hidden, self._context, ends, self._head.score.weight).squeeze(1)
        return score.masked_fill_(~self._legal[rows], -torch.inf)

    def _pooled(self) -> Tensor:
        total = self._pool.total
        return self._head.graph(total if self._head.pool.kind == "sum" else total / float(len(self._nodes)))

    def _finish(self, rows: Tensor | slice) -> Tensor:
        """The last embedding of nodes, [M, width]."""
        if self._encoder.jumping is None:
            return self._encoder.norm(self._rounds[-1][rows])
        return self._encoder.norm(self._encoder.jumping(torch.cat([x[rows] for x in self._rounds[1:]], dim=1)))


def _padded(rows: Tensor) -> Tensor:
    """`rows` [M], the first once more as often as it takes to be at least 16."""
    missing = _LEAST_ROWS - rows.numel()
    return torch.cat([rows, rows[:1].expand(missing)]) if missing > 0 and rows.numel() else rows
