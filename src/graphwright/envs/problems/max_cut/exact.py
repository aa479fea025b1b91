"""Maximum cuts with a proof: what learned cuts are measured against."""

from __future__ import annotations

import torch

from graphwright.core import GraphBatch
from graphwright.core.segment import segment_sum
from graphwright.envs.problem import Optimum
from graphwright.envs.problems.max_cut.branch_and_cut import GAP, BranchAndCut
from graphwright.envs.problems.max_cut.tabu import tabu_search
from graphwright.envs.proof import certified, common_units
from graphwright.envs.solvers import import_solver


def exact_cut(instances: GraphBatch, *, time_limit: float = 10.0) -> Optimum:
    """A maximum cut of each graph, or the best one found in time; a tabu search begins, branch and cut proves.

    Its solution has the node column `best_side` [N] bool. The bound is that of a linear program in floating point,
    taken to be right to 10^-6 of itself: where cuts differ by more than that, or not at all, the proof is exact
    (`certified`).

    instances: undirected simple graphs with the edge column `weight` [E] float32.
    time_limit: seconds of branch and cut for each graph; with 0, the bound is the sum of the positive weights.

    Raises ImportError where OR-Tools is not installed and there is time.
    """
    lp = import_solver("linear", "cuts") if time_limit > 0 else None
    found = tabu_search(instances, restarts=20, flips=30).cpu()
    rows, links = instances.links
    ends = instances.node_segments.position[instances.edge_index[:, rows]].cpu()
    weight = instances.edges["weight"][rows].double().cpu()
    bound = segment_sum(weight.clamp(min=0), links)
    sizes, shares = instances.node_segments.lengths.tolist(), links.lengths.tolist()
    graphs = zip(sizes, ends.split(shares, dim=1), weight.split(shares), found.split(sizes), strict=True)
    sides = []
    for index, (size, pair, heavy, side) in enumerate(graphs):
        sides.append(side)
        real = heavy != 0
        if lp is not None and bool(real.any()):
            search = BranchAndCut(lp, size, pair[:, real].numpy(), heavy[real].numpy(), side.numpy())
            best, bound[index] = search.run(time_limit)
            sides[-1] = torch.from_numpy(best)
    side = torch.cat([torch.zeros(0, dtype=torch.bool), *sides])
    weights = weight * (side[instances.edge_index[0, rows]] != side[instances.edge_index[1, rows]])
    value = segment_sum(weights, links)
    bound = torch.maximum(bound, value)
    return certified(value, bound, common_units(weight, links), GAP * bound, instances.with_nodes(best_side=side))
