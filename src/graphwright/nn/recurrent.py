"""Memory: what each agent of a team carries from step to step, by a gated recurrent unit behind an encoder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from typing_extensions import override

from graphwright.core import Features, GraphBatch, RowKind
from graphwright.core.rows import NODES
from graphwright.core.sequence import Sequence
from graphwright.core.timestep import MEMORY
from graphwright.nn.encoders import Embedding, Encoder, EncoderConfig

Unit = Callable[[slice, Tensor], Tensor]
"""Of the rows of some decisions [d] and what was remembered before them [d, H]: what is remembered after them."""


class RecurrentEncoder(nn.Module):
    """h′ = GRU(x, h) of each deciding node, x ← x + W h′, behind an encoder that does not see the memory.

    Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder". The memory h is the observed node
    column `memory` [N, H]; what it becomes is handed on in the embedding, for whoever acts to write into the state. Of
    a `Sequence` it is passed on inside the batch, and gradients through it. The messages of all steps are one pass; the
    unit alone goes step by step. Raises ValueError, naming the options, where edges decide.
    """

    remembers = True

    def __init__(self, features: Features, config: EncoderConfig, decider: RowKind) -> None:
        super().__init__()
        if decider != NODES:
            raise ValueError(f"--memory: agents are nodes, and here {decider.name} decide")
        self.inner = Encoder(features, config)
        self.decider = decider
        self.features, self.read, self.width = features, self.inner.read, self.inner.width
        self.edge_width, self.graph_width, self.beside = (
            self.inner.edge_width, self.inner.graph_width, self.inner.beside
        )  # fmt: skip
        self.carries_edges, self.places = self.inner.carries_edges, self.inner.places
        self.cell = nn.GRUCell(self.width, features.nodes[MEMORY])
        self.out = nn.Linear(features.nodes[MEMORY], self.width, bias=False)

    @override
    def forward(self, graph: GraphBatch, sequence: Sequence | None = None) -> Embedding:
        embedding, row = self.inner(graph), self.decider.deciders(graph)[0]
        seen = embedding.nodes.index_select(0, row)
        begun = graph.nodes[MEMORY].index_select(0, row)
        after = unroll(lambda rows, before: self.cell(seen[rows], before), begun, sequence)
        return self.remembering(embedding, graph, row, after)

    def remembering(self, embedding: Embedding, graph: GraphBatch, row: Tensor, after: Tensor) -> Embedding:
        """What the encoder behind makes of `graph`, whose deciders, the nodes at `row` [D], remember `after` [D, H]."""
        nodes = embedding.nodes.index_add(0, row, self.out(after))
        return replace(embedding, nodes=nodes, memory=graph.nodes[MEMORY].index_copy(0, row, after))


def encoder_of(features: Features, config: EncoderConfig, decider: RowKind) -> Any:
    """A fresh encoder of what is observed, and of what `decider` remember, where they do."""
    return RecurrentEncoder(features, config, decider) if MEMORY in features.nodes else Encoder(features, config)


def unroll(unit: Unit, begun: Tensor, sequence: Sequence | None) -> Tensor:
    """[D, H]: memories after each decision; begun: [D, H], before it, where no decision of the batch went before."""
    if sequence is None:
        return unit(slice(None), begun)
    after: list[Tensor] = []
    before, first = begun[:0], 0
    for begin, end in zip(sequence.ptr[:-1], sequence.ptr[1:], strict=True):
        own, previous = begun[begin:end], sequence.previous[begin:end]
        if before.shape[0]:
            passed = before.index_select(0, (previous - first).clamp(min=0))
            own = torch.where((previous >= 0).unsqueeze(1), passed, own)
        before, first = unit(slice(begin, end), own), begin
        after.append(before)
    return torch.cat(after)
