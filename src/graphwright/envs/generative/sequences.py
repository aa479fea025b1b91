"""Sequences of tokens, written from left to right."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch, Segments, per_graph
from graphwright.core.numbers import require_each
from graphwright.core.one_hot import one_hot
from graphwright.envs.generative.environment import GenerativeEnvironment
from graphwright.envs.reversible import STOP, Move


@dataclass(frozen=True)
class Sequences(GenerativeEnvironment):
    """Appends tokens until it stops; the last one may be taken back, so that one way leads to each sequence.

    State: a path whose nodes are the tokens, in their order; node column `type` [N] int64, the token; undirected edges
    between those that follow each other. Graph columns of the instance stay.
    Actions: stop, or one of the tokens to append, while there are less than `max_length`. Backward: pop.
    Observation: for each node its token, its `position` one-hot and whether it is the `last`; for each graph its
        `length` over the longest. The empty sequence has no node, so its length is all that there is to see of it.

    Raises ValueError for less than 2 tokens to choose from, and where not even one may be appended.

    >>> import torch
    >>> from graphwright.envs.generative.environment import blank
    >>> environment = Sequences(vocabulary=3, max_length=4)
    >>> state = environment.reset(blank(2))
    >>> state = environment.advance(state, torch.tensor([1, 3])).state  # candidate 0 is stop
    >>> environment.advance(state, torch.tensor([2, 3])).state.nodes["type"].tolist()
    [0, 1, 2, 2]
    """

    vocabulary: int = 3
    """Tokens to choose from."""
    max_length: int = 10
    """Tokens of the longest sequences."""

    def __post_init__(self) -> None:
        require_each(self, "environment", ("vocabulary",), 2)
        require_each(self, "environment", ("max_length",))

    @property
    @override
    def features(self) -> Features:
        return Features(
            nodes={"position": self.max_length, "last": 1},
            graphs={"length": 1},
            node_types=self.vocabulary,
            named_by="position",
        )

    @property
    @override
    def actions(self) -> ActionSpec:
        return ActionSpec(per_graph(STOP), per_graph("append", self.vocabulary))

    @property
    @override
    def backward_actions(self) -> ActionSpec:
        return ActionSpec(per_graph("pop"))

    def reset(self, instances: GraphBatch) -> GraphBatch:
        """Empty sequences, one for each of `instances`, which have no nodes."""
        return _sequences(instances, instances.node_ptr.new_empty(0), torch.zeros_like(instances.node_ptr[1:]))

    @override
    def view(self, state: GraphBatch) -> GraphBatch:
        segments = state.node_segments
        last = segments.position + 1 == segments.lengths[segments.index]
        observed = state.with_nodes(position=one_hot(segments.position, self.max_length), last=last)
        return observed.with_graphs(length=segments.lengths / self.max_length)

    def masks(self, state: GraphBatch) -> tuple[Tensor, ...]:
        """Whoever is not at the greatest length may append any token; everyone may stop."""
        lengths = state.node_segments.lengths
        shorter = (lengths < self.max_length)[:, None].expand(-1, self.vocabulary)
        return torch.ones_like(lengths, dtype=torch.bool), shorter

    def backward_masks(self, state: GraphBatch) -> tuple[Tensor, ...]:
        """Whoever has a token may pop it."""
        return (state.node_segments.lengths > 0,)

    def advance(self, state: GraphBatch, action: Tensor) -> Move:
        """Append the token action - 1."""
        lengths = state.node_segments.lengths + 1
        last = lengths.cumsum(0) - 1
        tokens = state.nodes["type"].new_empty(state.num_nodes + state.num_graphs)
        tokens[_all_but(last, tokens)] = state.nodes["type"]
        tokens[last] = action - 1
        return Move(_sequences(state, tokens, lengths), torch.zeros_like(action))

    def undo(self, state: GraphBatch, action: Tensor) -> Move:
        """Take out the last token."""
        tokens = state.nodes["type"]
        last = state.node_ptr[1:] - 1
        return Move(
            _sequences(state, tokens[_all_but(last, tokens)], state.node_segments.lengths - 1), tokens[last] + 1
        )


def _sequences(like: GraphBatch, tokens: Tensor, lengths: Tensor) -> GraphBatch:
    """Paths of the given `lengths` [B] over `tokens` [N], with the graph columns of `like`.

    Sorted by destination, the edges of a path are 1→0, 0→1, 2→1, 1→2, 3→2, ...: each beside its opposite.
    """
    nodes, edges = Segments.from_lengths(lengths), Segments.from_lengths(2 * (lengths - 1).clamp(min=0))
    rising = edges.position % 2
    left = nodes.ptr[:-1][edges.index] + edges.position // 2
    return GraphBatch.trusted(
        torch.stack([left + 1 - rising, left + rising]),
        nodes,
        edges,
        nodes={"type": tokens},
        edges={"reverse": edges.position ^ 1},
        graphs=like.graphs,
    )


def _all_but(rows: Tensor, values: Tensor) -> Tensor:
    """[M] bool: where a row of `values` [M] is none of `rows`."""
    return torch.ones_like(values, dtype=torch.bool).index_fill(0, rows, False)
