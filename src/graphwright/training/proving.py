"""What is proven of instances: by a problem's solver, or of large ones by its quick bound."""

from __future__ import annotations

from typing import NamedTuple

import torch

from graphwright.core import GraphBatch
from graphwright.core.doing import now
from graphwright.envs.optimization import Optimization
from graphwright.envs.problem import Optimum, Problem

MANY = 20_000
"""From so many nodes on, what takes more than nearly linear time is left out."""


class Proof(NamedTuple):
    """What is proven of B instances.

    optimum: None where nothing is known; of a quick bound all are `proven`, since whoever meets it is optimal.
    bound_by: how the bound was found, if not by the solver. unproven: why nothing is known, where it could be.
    """

    optimum: Optimum | None = None
    bound_by: str | None = None
    unproven: str | None = None


def prove(
    problem: Problem, environment: Optimization, instances: GraphBatch, seconds: float, which: str | None = None
) -> Proof:
    """What is proven of `instances` in at most `seconds` for each, nothing where these are 0.

    which: what instances are called while one waits; by default the number of nodes of the largest.
    """
    nodes = max(instances.node_segments.lengths.tolist(), default=0)
    if seconds <= 0 or problem.solve_exactly is None:
        return Proof()
    now(f"{which or f'{nodes:,} nodes'}: proving a bound of {instances.num_graphs:,}, at most {seconds:g} s each")
    if nodes >= MANY:
        if problem.bound_quickly is None:
            return Proof(unproven=f"{nodes:,} nodes are too many for the solver")
        bound, by = problem.bound_quickly(environment, instances)
        return Proof(Optimum(bound, bound, torch.ones_like(bound, dtype=torch.bool)), by)
    try:
        return Proof(problem.solve_exactly(environment, instances, seconds))
    except ImportError as missing:
        return Proof(unproven=str(missing))
