"""From one instance to a solution in the user's own names."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from graphwright.core import GraphBatch
from graphwright.training.agent import Agent
from graphwright.training.decode import Decoding


@dataclass(frozen=True)
class NamedSolution:
    """A solution in the user's own names.

    nodes: the chosen ones, in an order that means something where there is one. links: the chosen pairs.
    objective: its value. complete: whether it solves the instance. bound: what no solution is proven to be better than;
    None where nothing was asked to prove it. seconds: the policy's time.
    """

    nodes: list[str]
    links: list[tuple[str, str]]
    objective: float
    complete: bool
    bound: float | None
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
) -> NamedSolution:
    """Solve one graph whose nodes have `names`; `time_limit` seconds (0: none) go to proving a bound.

    Raises GraphError where the graph is no instance of the problem.
    """
    environment = agent.config.played
    instance = environment.instance(graph)
    start = time.perf_counter()
    state = agent.solve(instance, decoding, samples=samples, seed=seed)
    seconds = time.perf_counter() - start
    bound = None
    if time_limit > 0 and agent.problem.solve_exactly is not None:
        bound = float(agent.problem.solve_exactly(agent.config.environment, instance, time_limit).bound[0])
    solution = environment.solution(state)
    return NamedSolution(
        nodes=[names[node] for node in solution.nodes.tolist()],
        links=[(names[one], names[other]) for one, other in solution.links.T.tolist()],
        objective=float(environment.objective(state)[0]),
        complete=bool(environment.is_complete(state)[0]),
        bound=bound,
        seconds=seconds,
    )
