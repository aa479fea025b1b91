"""Evaluation of a heuristic, or of the solver, without a run."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from graphwright.core import GraphBatch
from graphwright.core.doing import now
from graphwright.envs.optimization import Optimization
from graphwright.envs.problem import Problem, random_choice
from graphwright.envs.rollouts import play
from graphwright.training.acting import RANDOM
from graphwright.training.config import ConfigError
from graphwright.training.solve import require_method

SOLVER = "solver"


@dataclass(frozen=True)
class HeuristicRow:
    """What a heuristic made of some graphs.

    instance: the number of nodes of random ones, or a file. objective: the mean over `graphs` instances; complete: how
    many of their solutions are solutions. seconds: for all of them.
    """

    instance: str
    objective: float
    complete: int
    graphs: int
    seconds: float


def evaluate_heuristic(
    problem: Problem,
    environment: Optimization,
    name: str,
    instances: Mapping[str, GraphBatch],
    *,
    seed: int = 1,
    time_limit: float = 10.0,
) -> list[HeuristicRow]:
    """A row for each of the named `instances`, solved by the heuristic of that name, "random" or "solver".

    seed: of random choice. time_limit: seconds of the solver, each graph. Raises ConfigError where there is none of
    that name.
    """
    if name != RANDOM:
        require_method(problem, name, time_limit)
    randomly = random_choice(environment, torch.Generator().manual_seed(seed))
    rows = []
    for which, batch in instances.items():
        now(f"{which}: {name}")
        start = time.perf_counter()
        if name == RANDOM:
            states = play(environment, batch, randomly)
        elif name == SOLVER:
            assert problem.solve_exactly is not None
            found = problem.solve_exactly(environment, batch, time_limit).solution
            if found is None:
                raise ConfigError(
                    f"--policy {name}: the solver of {problem.name} proves bounds, and gives no solutions"
                )
            states = found
        else:
            states = problem.heuristics[name](environment, batch)
        seconds = time.perf_counter() - start
        objective, complete = environment.objective(states), environment.is_complete(states)
        rows.append(HeuristicRow(which, float(objective.mean()), int(complete.sum()), batch.num_graphs, seconds))
    return rows
