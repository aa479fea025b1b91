"""The best links of small graphs, by enumeration."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations, islice

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.optimization import Optimization
from graphwright.envs.problem import Optimum
from graphwright.envs.problems.graph_robustness.heuristics import greedy, least_degree
from graphwright.envs.problems.graph_robustness.robustness import robustness_of_sets
from graphwright.envs.rollouts import play

_CHUNK = 20_000
_RATE = 1e8  # visits of a node or an edge in a second


def exact_links(environment: Optimization, instances: GraphBatch, targeted: bool, time_limit: float) -> Optimum:
    """The links that raise the critical fraction most, where all sets of them can be tried within the limit.

    How many there are is counted beforehand, so that the same arguments give the same answer. Where they are too many,
    the links are those of `greedy`, or, where this too would take longer than the limit, of `least_degree`, and the
    bound is that of a complete graph, (n - 1) / n.
    """
    states = environment.reset(instances)
    best, proven = [], []
    for number in range(states.num_graphs):
        state = states.select(torch.tensor([number], device=states.device))
        pairs, links = _open_pairs(environment, state), int(state.graphs["left"])
        seconds = state.nodes["turn"].shape[1] * (state.num_nodes + state.num_edges) / _RATE
        proven.append(math.comb(len(pairs), links) * seconds <= time_limit)
        if proven[-1]:
            best.append(_best_of_all(environment, state, pairs, links, targeted))
        else:
            cheap = links * len(pairs) * seconds <= time_limit
            one = instances.select(torch.tensor([number], device=states.device))
            best.append(play(environment, one, greedy(targeted) if cheap else least_degree))
    solution = GraphBatch.concat([states.select(torch.arange(0, device=states.device)), *best])
    objective, size = environment.objective(solution), states.node_segments.lengths
    is_proven = torch.tensor(proven, dtype=torch.bool, device=states.device)
    bound = torch.where(is_proven, objective, (size - 1).double() / size.clamp(min=1))
    return Optimum(objective, bound, is_proven | (objective == bound), solution)


def _best_of_all(
    environment: Optimization, state: GraphBatch, pairs: np.ndarray, links: int, targeted: bool
) -> GraphBatch:
    """The state with the best `links` of `pairs` [k, 2] added, the first of equally good sets."""
    best, value = np.empty((0, 2), np.int64), -1.0
    for sets in _sets(pairs, links):
        values = robustness_of_sets(state, 0, sets, targeted)
        if values.max() > value:
            best, value = sets[values.argmax()], values.max()
    for one, other in best.tolist():
        state = environment.step(state, torch.tensor([one * state.num_nodes + other], device=state.device)).state
    return state


def _sets(pairs: np.ndarray, links: int) -> Iterator[np.ndarray]:
    """All sets of `links` of `pairs` [k, 2], many at a time: [M, links, 2]."""
    every = combinations(range(len(pairs)), links)
    while chunk := list(islice(every, _CHUNK)):
        yield pairs[np.array(chunk, dtype=np.int64).reshape(len(chunk), links)]


def _open_pairs(environment: Optimization, state: GraphBatch) -> np.ndarray:
    """[k, 2] int64: the pairs that may be linked, each once."""
    legal: Tensor = environment.observe(state).masks[0]
    one, other = np.divmod(legal.nonzero().squeeze(1).cpu().numpy(), max(state.num_nodes, 1))
    return np.stack([one, other], axis=1)[one < other]
