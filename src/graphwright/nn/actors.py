"""Actors: an action spec and a choice of heads → a distribution over what each graph offers."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn
from typing_extensions import override

from graphwright.core import ActionSpec, Observation
from graphwright.core.rows import DECIDERS, EDGES, NEIGHBOURS, PAIRS, UNORDERED_PAIRS
from graphwright.distributions import Distribution, RaggedCategorical
from graphwright.nn.encoders import Embedding, Encoder
from graphwright.nn.heads.choice import HeadsConfig, decider_hidden, make_head
from graphwright.nn.heads.continuous import ContinuousDeciders
from graphwright.nn.heads.end_points import TwoStagePairs
from graphwright.nn.individual import Individual
from graphwright.nn.vectors import VectorEncoder


class CategoricalActor(nn.Module):
    """One categorical for each decision over the candidates of all blocks, whatever tables they are tied to."""

    def __init__(self, actions: ActionSpec, encoder: Encoder | VectorEncoder, config: HeadsConfig) -> None:
        super().__init__()
        self.actions = actions
        self.heads = nn.ModuleList(make_head(block, actions.decider, encoder, config) for block in actions.blocks)

    @override
    def forward(self, embedding: Embedding, observation: Observation) -> RaggedCategorical:
        graph, masks = observation.graph, observation.masks
        scores = [
            torch.where(mask.reshape(-1), head(embedding, graph, mask).reshape(-1), -torch.inf)
            for head, mask in zip(self.heads, masks, strict=True)
        ]
        layout = self.actions.layout(graph)
        return RaggedCategorical(layout.arrange(scores), layout.segments)


class DirectActor(nn.Module):
    """One block whose head makes the distribution itself."""

    def __init__(self, actions: ActionSpec, head: nn.Module) -> None:
        super().__init__()
        self.actions = actions
        self.head = head

    @override
    def forward(self, embedding: Embedding, observation: Observation) -> Distribution:
        return self.head(embedding, observation.graph, observation.masks[0])


def make_actor(actions: ActionSpec, encoder: Encoder, config: HeadsConfig) -> nn.Module:
    """The actor for `actions`. Raises ValueError, naming the option, where a head does not fit them."""
    block = actions.blocks[0]
    _require_readers(actions, encoder, config)
    if actions.continuous:
        if config.deciders != "score":
            raise ValueError(
                f"heads deciders {config.deciders} (--heads.deciders): {block.name!r} are real numbers, drawn around "
                "what an MLP says; use score"
            )
        hidden = decider_hidden(actions.decider, encoder, config)
        return DirectActor(actions, ContinuousDeciders(hidden, encoder.width, block.columns, config.scale))
    if len(actions.blocks) == 1 and block.rows == PAIRS and config.pairs == "two-stage":
        return DirectActor(actions, TwoStagePairs(encoder.width, config.pool, config.walks))
    return CategoricalActor(actions, encoder, config)


def _require_readers(actions: ActionSpec, encoder: Encoder, config: HeadsConfig) -> None:
    """Raise ValueError, naming the option, where columns of graphs are left to heads that read none."""
    rows = {block.rows for block in actions.blocks}
    unread = rows & {NEIGHBOURS, PAIRS, UNORDERED_PAIRS}
    if EDGES in rows and config.edges not in ("ends-sum", "ends-concat"):
        unread.add(EDGES)
    if DECIDERS in rows and config.deciders in ("own", "linear"):
        unread.add(DECIDERS)
    if encoder.beside and unread:
        heads = ", ".join(sorted(kind.name for kind in unread))
        raise ValueError(
            f"encoder graph-columns (--encoder.no-graph-columns): leaves the columns of graphs to the heads, but those "
            f"of {heads} read none; take --encoder.graph-columns"
        )


def require_scores(actions: ActionSpec, heads: Iterable[nn.Module], config: HeadsConfig, what: str) -> None:
    """Raise ValueError, naming the option, where a head gives no free scores to serve as `what`."""
    for block, head in zip(actions.blocks, heads, strict=True):
        if head.gives != "scores":
            option = block.rows.name
            raise ValueError(
                f"heads {option} {getattr(config, option)} (--heads.{option}): gives {head.gives}, not {what}; "
                f"use {_FREE[option]}"
            )


def require_actor_scores(actor: nn.Module, config: HeadsConfig, what: str) -> None:
    """Raise ValueError, naming the option, where `actor` has no free score for every candidate to serve as `what`."""
    actor = actor.each[0] if isinstance(actor, Individual) else actor
    assert isinstance(actor, CategoricalActor | DirectActor)
    require_scores(actor.actions, [actor.head] if isinstance(actor, DirectActor) else actor.heads, config, what)


_FREE = {"nodes": "score", "edges": "ends-sum", "pairs": "ends"}
"""Option of `HeadsConfig` → the head that gives free scores."""
