"""Memory: what each agent of a team carries from step to step, by a gated recurrent unit behind an encoder."""

from __future__ import annotations

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


class RecurrentEncoder(nn.Module):
    """h′ = GRU(x, h) of each deciding node, x ← x + W h′, behind an encoder that does not see the memory.

    Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder". The memory h is the observed node
    column `memory` [N, H]; what it becomes is handed on in the embedding, for whoever acts to write into the state. Of
    a `Sequence` it is passed on inside the batch, and gradients through it. The messages of all steps are one pass; the
    unit alone goes step by step. Raises ValueError, naming the options, where edges decide.
    """

    def __init__(self, features: Features, config: EncoderConfig, decider: RowKind) -> None:
        super().__init__()
        if decider != NODES:
            raise ValueError(f"--memory: agents are nodes, and here {decider.name} decide")
        if config.individual:
            raise ValueError("--memory: not of agents with networks of their own (--encoder.individual); take one")
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
        embedding, memory = self.inner(graph), graph.nodes[MEMORY]
        row = self.decider.deciders(graph)[0]
        seen, begun = embedding.nodes.index_select(0, row), memory.index_select(0, row)
        after = self.cell(seen, begun) if sequence is None else unroll(self.cell, seen, begun, sequence)
        nodes = embedding.nodes.index_add(0, row, self.out(after))
        return replace(embedding, nodes=nodes, memory=memory.index_copy(0, row, after))


def encoder_of(features: Features, config: EncoderConfig, decider: RowKind) -> Any:
    """A fresh encoder of what is observed, and of what `decider` remember, where they do."""
    return RecurrentEncoder(features, config, decider) if MEMORY in features.nodes else Encoder(features, config)


def unroll(cell: nn.Module, seen: Tensor, begun: Tensor, sequence: Sequence) -> Tensor:
    """[D, H]: memories after each decision; seen: [D, W]; begun: [D, H], where no decision of the batch went before."""
    after: list[Tensor] = []
    before, first = begun[:0], 0
    for begin, end in zip(sequence.ptr[:-1], sequence.ptr[1:], strict=True):
        own, previous = begun[begin:end], sequence.previous[begin:end]
        if before.shape[0]:
            passed = before.index_select(0, (previous - first).clamp(min=0))
            own = torch.where((previous >= 0).unsqueeze(1), passed, own)
        before, first = cell(seen[begin:end], own), begin
        after.append(before)
    return torch.cat(after)
