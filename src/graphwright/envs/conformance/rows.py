"""Where the rows of an action block, and so masks and actions, go when nodes are renumbered."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import ActionSpec, GraphBatch, out_edges, pair_ends, unordered_pair_nodes, unordered_pair_segments
from graphwright.core.actions import ActionBlock


def carry_masks(
    actions: ActionSpec, graph: GraphBatch, renumbered: GraphBatch, place: Tensor, masks: tuple[Tensor, ...]
) -> tuple[Tensor, ...]:
    """The masks of `graph` as they are in `renumbered`, where node v is at `place[v]` [N] int64 over the union."""
    return tuple(
        torch.empty_like(mask).index_copy(0, _places(block, graph, renumbered, place), mask)
        for block, mask in zip(actions.blocks, masks, strict=True)
    )


def carry_action(
    actions: ActionSpec, graph: GraphBatch, renumbered: GraphBatch, place: Tensor, action: Tensor
) -> Tensor:
    """The action that means in `renumbered` what `action` [B] means in `graph`; -1 stays."""
    if actions.continuous:
        return torch.empty_like(action).index_copy(0, place, action)
    segments = actions.segments(graph)
    number = torch.arange(segments.num_rows)
    carried = actions.arrange(renumbered, carry_masks(actions, graph, renumbered, place, actions.divide(graph, number)))
    moved = torch.empty_like(number).index_copy(0, carried, number)
    chosen = (segments.ptr[:-1] + action).clamp(min=0, max=max(number.numel() - 1, 0))
    return torch.where(action < 0, action, moved[chosen] - segments.ptr[:-1]) if number.numel() else action


def _places(block: ActionBlock, graph: GraphBatch, renumbered: GraphBatch, place: Tensor) -> Tensor:
    """[rows] int64: the row of `renumbered` that each row of `graph` becomes."""
    before, after = (torch.argsort(key, stable=True) for key in (_key(block, graph, place), _key(block, renumbered)))
    return torch.empty_like(before).index_copy(0, before, after)


def _key(block: ActionBlock, graph: GraphBatch, place: Tensor | None = None) -> Tensor:
    """[rows] int64: a number for the ends of each row, wherever `place` puts them."""
    if block.rows == "graphs":
        return torch.arange(graph.num_graphs)
    if block.rows == "nodes":
        return torch.arange(graph.num_nodes) if place is None else place
    ends = _ends(block, graph)
    one, other = ends if place is None else place[ends]
    if block.rows in ("unordered-pairs", "edges") and (block.rows == "unordered-pairs" or "reverse" in graph.edges):
        one, other = torch.minimum(one, other), torch.maximum(one, other)
    return other * graph.num_nodes + one


def _ends(block: ActionBlock, graph: GraphBatch) -> Tensor:
    """[2, rows] int64: the nodes that each row is between."""
    match block.rows:
        case "neighbours":
            return graph.edge_index[:, out_edges(graph)[0]]
        case "edges":
            return graph.edge_index[:, graph.links[0]]
        case "pairs":
            return torch.stack(pair_ends(graph))
        case _:
            pairs = unordered_pair_segments(graph)
            return torch.stack(unordered_pair_nodes(pairs.position)) + graph.node_ptr[:-1][pairs.index]
