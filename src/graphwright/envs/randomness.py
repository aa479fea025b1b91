"""Random numbers that are functions of a state, so that environments with chance stay pure.

The number for a node in a slot is a hash of the graph's `seed`, the node's `number`, the slot and what it is for: the
output of SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators") whose counter is the
slot. Thus the same instance sees the same arrivals whatever is decided, alone or in a batch, in any numbering; another
`seed` is another run.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.kernels.jit import arrays, jit_as_written

DRAWS = 16
"""Different numbers that a node can have in one slot."""
_GAMMA = 0x9E3779B97F4A7C15 - 2**64  # as int64
_FIRST, _SECOND = 0xBF58476D1CE4E5B9 - 2**64, 0x94D049BB133111EB - 2**64


def with_seeds(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
    """`graph` with a graph column `seed` [B] int64 that is drawn, and nodes that are numbered as they stand."""
    seed = torch.randint(2**62, (graph.num_graphs,), generator=generator, device=generator.device)
    return graph.with_nodes(number=graph.node_segments.position).with_graphs(seed=seed)


def node_streams(graph: GraphBatch) -> Tensor:
    """[N] int64: where the stream of each node begins."""
    return mix(graph.graphs["seed"][graph.node_graph] + _GAMMA * (graph.nodes["number"] + 1))


def graph_streams(graph: GraphBatch) -> Tensor:
    """[B] int64: where the stream of each graph begins."""
    return mix(graph.graphs["seed"])


def uniform(stream: Tensor, slot: Tensor, draw: int) -> Tensor:
    """[M] float64 in [0, 1): the number of each `stream` [M] in its `slot` [M] int64, the `draw`-th of `DRAWS`."""
    return (mix(stream + _GAMMA * (slot * DRAWS + draw + 1)) >> 11 & (1 << 53) - 1).double() * 2.0**-53


def mix(z: Tensor) -> Tensor:
    """The finaliser of SplitMix64, of int64 that stand for 64 bits."""
    z = (z ^ _shift(z, 30)) * _FIRST
    z = (z ^ _shift(z, 27)) * _SECOND
    return z ^ _shift(z, 31)


def _shift(z: Tensor, bits: int) -> Tensor:
    """z >> bits, with zeros from the left."""
    return z >> bits & (1 << 64 - bits) - 1


def poisson(uniforms: Tensor, mean: Tensor) -> Tensor:
    """[M] int64: the Poisson numbers of `mean` [M] float64 below 700 at `uniforms` [M] float64, by inversion."""
    if uniforms.device.type == "cpu":
        counts = torch.empty(uniforms.shape, dtype=torch.int64)
        _invert_poisson(*arrays(uniforms, mean, counts))
        return counts
    counts, chance = torch.zeros_like(uniforms, dtype=torch.int64), (-mean).exp()
    below = chance
    while bool((more := (uniforms >= below) & (chance > 0)).any()):
        counts = counts + more
        chance = torch.where(more, chance * mean / counts.clamp(min=1), chance)
        below = torch.where(more, below + chance, below)
    return counts


@jit_as_written
def _invert_poisson(uniforms, mean, counts):  # type: ignore[no-untyped-def]
    for row in range(uniforms.shape[0]):
        chance, count = np.exp(-mean[row]), 0
        below = chance
        while uniforms[row] >= below and chance > 0:
            count += 1
            chance *= mean[row] / count
            below += chance
        counts[row] = count
