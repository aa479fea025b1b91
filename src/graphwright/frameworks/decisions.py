"""Several decisions of a graph as other frameworks have them: padded to a fixed number, each with as many choices.

B graphs, at most d decisions each (`Limits.decisions`), at most c candidates each (`Limits.choices`).
"""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import ActionSpec, GraphBatch, Observation, Segments
from graphwright.frameworks.schema import Limits, spread


def pad_candidates(
    spec: ActionSpec, graph: GraphBatch, values: Tensor, limits: Limits, padding: float, idle: float
) -> Tensor:
    """[B, d, c]: one value [K] a candidate, with `padding` where there is none.

    A decision that does not exist, or has no candidate, has `idle` in place 0: other frameworks draw from every row.
    """
    candidates, graphs = spec.segments(graph), spec.deciders(graph)
    rows = spread(values, candidates, limits.choices, padding)
    rows[candidates.lengths == 0, 0] = idle
    padded = spread(rows, graphs, limits.decisions, padding)
    exists = torch.arange(limits.decisions, device=values.device) < graphs.lengths[:, None]
    padded[:, :, 0] = torch.where(exists, padded[:, :, 0], idle)
    return padded


def strip_candidates(spec: ActionSpec, graph: GraphBatch, padded: Tensor) -> Tensor:
    """[K]: the values of candidates out of [B, d, c]; the inverse of `pad_candidates`."""
    candidates = spec.segments(graph)
    return strip_decisions(padded, spec.deciders(graph))[candidates.index, candidates.position]


def strip_decisions(padded: Tensor, graphs: Segments) -> Tensor:
    """[D, ...]: the values of decisions out of [B, d, ...], where `graphs` (D → B) says how many each graph has."""
    return padded[graphs.index, graphs.position]


def legal_choices(spec: ActionSpec, observation: Observation, limits: Limits) -> Tensor:
    """[B, d, c] bool: what each decision may choose; choice 0 of one that may do nothing, which then means nothing."""
    mask = spec.arrange(observation.graph, observation.masks)
    legal = pad_candidates(spec, observation.graph, mask, limits, padding=False, idle=True)
    legal[:, :, 0] |= ~legal.any(2)
    return legal
