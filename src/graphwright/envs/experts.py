"""Experts: what is right in any state of a problem, as its rules and its solutions say."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch
from graphwright.envs.environment import Environment
from graphwright.envs.problem import Approve, ControlRule, Follow, Problem, Regrets, Rule

SOLVER, REGRETS = "solver", "regrets"
"""What the exact solver is called, and who knows what each choice costs."""
_FORGIVEN = 0.01
"""A choice that costs so much more than the best, in rewards, is 1 / e as right: what costs much less hardly counts."""


class Advice(NamedTuple):
    """What an expert says of some states.

    action: what to do, [D] int64 or [D, columns] float32; None where several things may be right. approved: [K] bool,
    the right candidates, none of a state from which there is no way; or [K] float32, how right each is, from 0 to 1 for
    the best; None where `action` says it.
    """

    action: Tensor | None
    approved: Tensor | None

    @property
    def best(self) -> Tensor:
        """[K] bool: the candidates that are right, and not only in part."""
        assert self.approved is not None
        return self.approved == 1


class Expert(ABC):
    """Who says what is right in any state."""

    @abstractmethod
    def aims(self, environment: Environment, instances: GraphBatch, seconds: float) -> GraphBatch:
        """What it wants to come to in each of `instances`, for which it may think so many seconds each."""

    def require(self, environment: Environment, instance: GraphBatch) -> None:
        """Raise ValueError where it does not know what is right in such an instance; by default it always does."""
        return

    @abstractmethod
    def advise(self, environment: Environment, states: GraphBatch, aims: GraphBatch) -> Advice:
        """What is right in `states`, which are of the instances of `aims`."""


@dataclass(frozen=True)
class RuleExpert(Expert):
    """A rule that looks at the state alone; as_good: as of `ControlRule`."""

    rule: Rule
    as_good: Rule | None = None

    @override
    def aims(self, environment: Environment, instances: GraphBatch, seconds: float) -> GraphBatch:
        """The instances, at which nothing is aimed."""
        return instances

    @override
    def advise(self, environment: Environment, states: GraphBatch, aims: GraphBatch) -> Advice:
        if self.as_good is not None:
            return Advice(None, self.as_good(environment, states))
        return Advice(self.rule(environment, states), None)


@dataclass(frozen=True)
class AimingExpert(Expert):
    """Whoever finds a solution at first, and approves of all that leads there.

    solve: from an environment, instances and seconds for each to final states.
    """

    solve: Callable[[Any, GraphBatch, float], GraphBatch]
    approve: Approve

    @override
    def aims(self, environment: Environment, instances: GraphBatch, seconds: float) -> GraphBatch:
        """A final state of each. Raises ValueError where a solver gives none."""
        return self.solve(environment, instances, seconds)

    @override
    def advise(self, environment: Environment, states: GraphBatch, aims: GraphBatch) -> Advice:
        return Advice(None, self.approve(states, aims))


@dataclass(frozen=True)
class RegretExpert(Expert):
    """Who knows what every choice costs more than the best, r, in any state: it is right as far as exp(−r / 0.01)."""

    regrets: Regrets

    @override
    def require(self, environment: Environment, instance: GraphBatch) -> None:
        """Raise ValueError, too, where rewards are so small that all is as good as right."""
        regrets = self.regrets(environment, environment.reset(instance))
        most = float(regrets[regrets.isfinite()].max()) if bool(regrets.isfinite().any()) else 0.0
        if 0 < most < _FORGIVEN:
            raise ValueError(
                f"--expert {REGRETS}: no choice costs more than {most:.3g}, and what costs less than {_FORGIVEN:g} "
                f"hardly counts; scale the weights up, or take --expert {SOLVER}"
            )

    @override
    def aims(self, environment: Environment, instances: GraphBatch, seconds: float) -> GraphBatch:
        """The instances, at which nothing is aimed."""
        return instances

    @override
    def advise(self, environment: Environment, states: GraphBatch, aims: GraphBatch) -> Advice:
        """Raises ValueError for instances that are too large."""
        return Advice(None, (-self.regrets(environment, states) / _FORGIVEN).exp().float())


def experts_of(problem: Problem, environment: Environment | None = None) -> dict[str, Expert]:
    """Name → expert of `problem` in `environment`, by default its own.

    The exact solver comes first, then heuristics or baselines in their order, by their names of `evaluate --policy`,
    and last who knows all regrets. Those that play another environment are none of this one.
    """
    environment = problem.environment if environment is None else environment
    found: dict[str, Expert] = {}
    if problem.solve_exactly is not None and problem.expert is not None:
        found[SOLVER] = AimingExpert(partial(_solved, problem), problem.expert)
    for name, method in {**problem.heuristics, **problem.baselines}.items():
        if isinstance(method, ControlRule | Follow):
            if method.environment(environment) == environment:
                found[name] = RuleExpert(method.rule, method.as_good if isinstance(method, ControlRule) else None)
        elif problem.expert is not None:
            found[name] = AimingExpert(partial(_reached, method), problem.expert)
    if problem.regrets is not None:
        found[REGRETS] = RegretExpert(problem.regrets)
    return found


def find_expert(problem: Problem, environment: Environment, name: str | None) -> Expert:
    """The expert of that name, by default the first. Raises ValueError, listing those that there are."""
    known = experts_of(problem, environment)
    if not known:
        raise ValueError(f"{problem.name} has no expert: no rule or solver says what to do in any of its states")
    if name is None:
        return next(iter(known.values()))
    if name not in known:
        others = {*problem.heuristics, *problem.baselines, *([SOLVER] if problem.solve_exactly is not None else [])}
        why = "plays otherwise and is no expert of this environment" if name in others else "is no expert"
        raise ValueError(f"--expert {name}: {why} in {problem.name}; choose one of {', '.join(known)}")
    return known[name]


def _solved(problem: Problem, environment: Any, instances: GraphBatch, seconds: float) -> GraphBatch:
    assert problem.solve_exactly is not None
    solution = problem.solve_exactly(environment, instances, seconds).solution
    if solution is None:
        raise ValueError(f"--expert {SOLVER}: the solver of {problem.name} proves bounds, and gives no solutions")
    return solution


def _reached(heuristic: Any, environment: Any, instances: GraphBatch, seconds: float) -> GraphBatch:
    return heuristic(environment, instances)
