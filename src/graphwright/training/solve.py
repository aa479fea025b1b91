"""From one instance to the best solution that is known, in the user's own names."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from graphwright.core import GraphBatch
from graphwright.core.doing import now
from graphwright.core.kernels.compiling import WATCH
from graphwright.envs.optimization import Optimization
from graphwright.envs.planned import Planned, PlanStep
from graphwright.envs.problem import Improve, Optimum, Problem
from graphwright.envs.registry import SOLVED
from graphwright.envs.wrappers.recorded import recorded
from graphwright.training.agent import Agent
from graphwright.training.config import ConfigError
from graphwright.training.decode import Decoding
from graphwright.training.proving import MANY, prove

_SUMS = 1e-13  # of an objective: what the order of summation may change in it


@dataclass(frozen=True)
class NamedStep:
    """A step of a plan, as `envs.planned.PlanStep`, in the user's own names."""

    do: str
    node: str | None
    link: tuple[str, str] | None
    time: float
    total: float


@dataclass(frozen=True)
class NamedSolution:
    """A solution in the user's own names.

    nodes: the chosen ones, in an order that means something where there is one. links: the chosen pairs. plan: all that
    is to be done in its order, where that is what a solution says.
    objective: its value. complete: whether it solves the instance. found_by: "policy", the name of a heuristic, or
    "solver". policy: the objective of what the policy found; None where there is no policy. bound: what no solution is
    proven to be better than; None where nothing proved it. optimal: whether it is proven that none is better, but for
    `doubt` at most, which is not 0 where the numbers are finer than the proof. seconds: the time of
    the policy, or of the first heuristic.
    unproven: why nothing was proven though it was asked for, such as a solver that is not installed.
    bound_by: how the bound was found, where that is not the solver. improved: the objectives that local search came to,
    by whose solution it began from.
    """

    nodes: list[str]
    links: list[tuple[str, str]]
    plan: list[NamedStep]
    objective: float
    complete: bool
    found_by: str
    policy: float | None
    bound: float | None
    optimal: bool
    doubt: float
    seconds: float
    unproven: str | None = None
    bound_by: str | None = None
    improved: dict[str, float] = field(default_factory=dict)


Method = Callable[[GraphBatch], GraphBatch]
"""From instances to final states."""


def solve(
    agent: Agent,
    graph: GraphBatch,
    names: Sequence[str],
    decoding: Decoding = "greedy",
    *,
    samples: int = 16,
    seed: int = 0,
    time_limit: float = 0.0,
    improve: float = 0.0,
    policy_only: bool = False,
) -> NamedSolution:
    """The best solution of one graph, whose nodes have `names`, that the policy, a heuristic or the solver finds.

    time_limit: seconds for the exact solver, which proves a bound; 0: it is not asked. policy_only: take the policy's,
    though another may be better. improve: seconds of local search from the policy's solution, and as many from that of
    the first heuristic, which says what the policy is worth. From `MANY` nodes on no solver is asked, and only the
    heuristics that are fast; a bound is that of the problem's quick method.

    Raises ConfigError where the problem has no local search, GraphError where the graph is no instance of the problem.
    """
    config = agent.config
    if not agent.samples:
        agent = replace(agent, config=replace(config, environment=recorded(config.environment)))
    built = agent.config.environment
    rules = recorded(agent.problem.optimization) if agent.samples else built  # a sampler may build in another one
    act = partial(agent.solve, decoding=decoding, samples=samples, seed=seed)
    methods: dict[str, tuple[Optimization, Method]] = {"policy": (built, act)}
    if not policy_only:
        methods |= heuristics_of(agent.problem, rules)
    instance = config.played.instance(graph)
    return best_known(
        agent.problem, rules, instance, names, methods, time_limit, with_solver=not policy_only, improve=improve
    )


def solve_without_policy(
    problem: Problem,
    graph: GraphBatch,
    names: Sequence[str],
    method: str,
    *,
    time_limit: float = 0.0,
    improve: float = 0.0,
) -> NamedSolution:
    """As `solve`, by one `method` alone: a heuristic of the problem by its name, or "solver".

    Raises ValueError as `require_method` does.
    """
    require_method(problem, method, time_limit)
    rules = recorded(problem.optimization)
    heuristics = heuristics_of(problem, rules)
    by_solver = method == "solver"
    methods = heuristics if by_solver else {method: heuristics[method]}
    instance = rules.instance(graph)
    return best_known(problem, rules, instance, names, methods, time_limit, with_solver=by_solver, improve=improve)


def require_method(problem: Problem, method: str, time_limit: float) -> None:
    """Raise ValueError, with the remedy, unless `method` solves `problem` without a policy in that time."""
    if problem.is_endless:
        _ = problem.optimization
    known = [*problem.heuristics, *(["solver"] if problem.solve_exactly is not None else [])]
    if method not in known:
        raise ValueError(f"--policy {method}: {problem.name} has none of this name; choose one of {', '.join(known)}")
    if method == "solver" and time_limit <= 0:
        raise ValueError("--policy solver: has no time; give it more with --time-limit")


def heuristics_of(problem: Problem, environment: Any) -> dict[str, tuple[Optimization, Method]]:
    """Name → the environment that a heuristic of `problem` plays, and the heuristic."""
    return {name: (environment, partial(heuristic, environment)) for name, heuristic in problem.heuristics.items()}


def best_known(
    problem: Problem,
    rules: Optimization,
    instance: GraphBatch,
    names: Sequence[str],
    methods: Mapping[str, tuple[Optimization, Method]],
    time_limit: float,
    *,
    with_solver: bool,
    improve: float = 0.0,
) -> NamedSolution:
    """The best of what `methods` make of one instance, the first of equals, and of what the solver finds in its time.

    rules: the environment that the solver solves. methods: name → environment and method, at least one; what illegal
    actions cost a policy is no part of what its solution is worth. with_solver: whether the solver's solution is taken
    where it is better; its bound is always. improve: seconds of local search from what the first method found, and as
    many from what the problem's first heuristic did.
    """
    search = require_local_search(problem) if improve > 0 else None
    found: dict[str, tuple[Optimization, GraphBatch]] = {}
    seconds, improved = [], {}
    for name, (environment, method) in methods.items():
        if found and instance.num_nodes >= MANY and name not in problem.fast:
            continue
        now(f"{instance.num_nodes:,} nodes: {name}")
        start, compiled = time.perf_counter(), WATCH.seconds
        found[name] = environment, method(instance)
        seconds.append(time.perf_counter() - start - (WATCH.seconds - compiled))
    if search is not None:
        for name in [name for place, name in enumerate(found) if not place or name == next(iter(problem.heuristics))]:
            now(f"{instance.num_nodes:,} nodes: local search from {name}")
            environment, state = found[name]
            found[f"{name}, improved"] = better = environment, search(environment, state, improve, 0)
            improved[name] = _objective(*better)
    proof, bound_by, unproven = prove(problem, rules, instance, time_limit)
    if with_solver and proof is not None and proof.solution is not None:
        found["solver"] = rules, proof.solution
    name, (owner, state) = min(found.items(), key=lambda item: _order(*item[1]))
    solution, objective = owner.solution(state), _objective(owner, state)
    return NamedSolution(
        nodes=[names[node] for node in solution.nodes.tolist()],
        links=[(names[one], names[other]) for one, other in solution.links.T.tolist()],
        plan=[_named(step, names) for step in owner.plan(state)] if isinstance(owner, Planned) else [],
        objective=objective,
        complete=bool(owner.is_complete(state)[0]),
        found_by=name,
        policy=_objective(*found["policy"]) if "policy" in found else None,
        bound=None if proof is None else float(proof.bound[0]),
        optimal=proof is not None and _is_optimal(objective, proof),
        doubt=0.0 if proof is None or proof.doubt is None else float(proof.doubt[0]),
        seconds=seconds[0],
        unproven=unproven,
        bound_by=bound_by,
        improved=improved,
    )


def _named(step: PlanStep, names: Sequence[str]) -> NamedStep:
    link = None if step.link is None else (names[step.link[0]], names[step.link[1]])
    return NamedStep(step.do, None if step.node is None else names[step.node], link, step.time, step.total)


def require_local_search(problem: Problem) -> Improve:
    """The local search of `problem`. Raises ConfigError, naming the problems that have one, where it has none."""
    if problem.improve is None:
        able = ", ".join(name for name, other in SOLVED.items() if other.improve is not None)
        raise ConfigError(f"--improve: {problem.name} has no local search; {able} have")
    return problem.improve


def _objective(environment: Optimization, state: GraphBatch) -> float:
    return float(environment.objective(state)[0])


def _order(environment: Optimization, state: GraphBatch) -> tuple[bool, float]:
    """Complete ones first, then those of least cost."""
    return not bool(environment.is_complete(state)[0]), float(environment.cost(state)[0])


def _is_optimal(objective: float, proof: Optimum) -> bool:
    return bool(proof.proven[0]) and abs(objective - float(proof.objective[0])) <= _SUMS * abs(objective)
