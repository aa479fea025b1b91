"""From one instance to a solution in the user's own names."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from graphwright.core import GraphBatch
from graphwright.training.agent import Agent
from graphwright.training.decode import Decoding


@dataclass(frozen=True)
class Solution:
    """nodes: names of the chosen ones. cost: their total weight. complete: whether they solve the instance.

    lower_bound: what every solution is proven to cost at least; None where nothing was asked to prove it.
    seconds: the policy's time.
    """

    nodes: list[str]
    cost: float
    complete: bool
    lower_bound: float | None
    seconds: float


def solve(
    agent: Agent,
    graph: GraphBatch,
    names: Sequence[str],
    decoding: Decoding = "greedy",
    *,
    samples: int = 16,
    seed: int = 0,
    time_limit: float = 0.0,
) -> Solution:
    """Solve one graph whose nodes have `names`; `time_limit` seconds (0: none) go to proving a lower bound.

    Raises GraphError where the graph is no instance of the problem.
    """
    environment = agent.config.environment
    instance = environment.instance(graph)
    start = time.perf_counter()
    state = agent.solve(instance, decoding, samples=samples, seed=seed)
    seconds = time.perf_counter() - start
    lower_bound = None
    if time_limit > 0:
        lower_bound = float(agent.problem.solve_exactly(instance, time_limit).lower_bound[0])
    chosen = state.nodes["selected"].nonzero().squeeze(1).tolist()
    return Solution(
        nodes=[names[node] for node in chosen],
        cost=float(environment.cost(state)[0]),
        complete=bool(environment.is_complete(state)[0]),
        lower_bound=lower_bound,
        seconds=seconds,
    )
