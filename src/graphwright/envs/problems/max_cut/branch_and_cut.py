"""Branch and cut for the maximum cut of one graph: a linear program over its edges, tightened by odd cycles."""

from __future__ import annotations

import heapq
import itertools
import math
import time
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphwright.envs.problems.max_cut.odd_cycles import CycleFinder, OddCycle

GAP = 1e-6
"""A cut whose distance from the bound is at most this share of the bound counts as a maximum."""
_STALLED = 0.02  # a round of cuts that closes a smaller share of the gap is the last before branching

Fixings = dict[int, bool]


class BranchAndCut:
    """The relaxation max Σ w_e x_e over 0 ≤ x ≤ 1 and odd cycle inequalities, and the tree of its branchings.

    Barahona, Grötschel, Jünger, Reinelt (1988), "An application of combinatorial optimization to statistical physics
    and circuit layout design". The relaxation is exact on planar graphs, and nearly so on sparse ones.

    lp: `ortools.linear_solver.pywraplp`. size: n. ends: [2, L] int64. weight: [L] float64, not all of them 0.
    side: [n] bool, the cut to improve on.
    """

    def __init__(
        self,
        lp: ModuleType,
        size: int,
        ends: NDArray[np.int64],
        weight: NDArray[np.float64],
        side: NDArray[np.bool_],
    ) -> None:
        self.lp, self.size, self.ends = lp, size, ends
        self.unit = float(np.abs(weight).max())
        self.weight = weight / self.unit
        self.whole = bool((weight == np.rint(weight)).all())
        self.finder = CycleFinder(size, ends)
        self.side = side
        self.solver = lp.Solver.CreateSolver("GLOP")
        # Rows are added to an optimum that stays dual feasible; preprocessing would begin anew each time.
        self.solver.SetSolverSpecificParametersAsString("use_dual_simplex: true use_preprocessing: false")
        self.x = [self.solver.NumVar(0, 1, "") for _ in weight]
        self.solver.Maximize(self.solver.Sum([float(w) * x for w, x in zip(self.weight, self.x, strict=True)]))
        self.fixed: Fixings = {}

    @property
    def value(self) -> float:
        """What the best cut so far weighs, in units of the largest weight."""
        return float(self.weight @ (self.side[self.ends[0]] != self.side[self.ends[1]]))

    def run(self, seconds: float) -> tuple[NDArray[np.bool_], float]:
        """The sides [n] of the best cut, and a bound on the weight of every cut, after at most about `seconds`."""
        self.deadline = time.monotonic() + seconds
        ticket = itertools.count()
        total = float(self.weight.clip(min=0).sum())
        tree: list[tuple[float, int, Fixings]] = [(-total, next(ticket), {})]  # the node of largest bound first
        while tree and self._promising(-tree[0][0]) and time.monotonic() < self.deadline:
            bound, _, fixed = heapq.heappop(tree)
            bound, x = self._bound(-bound, fixed)
            if x is None:  # time is up, or nothing better is here
                if self._promising(bound):
                    heapq.heappush(tree, (-bound, next(ticket), fixed))
                continue
            branch = int(np.argmax(np.minimum(x, 1 - x)))
            for way in (False, True):
                heapq.heappush(tree, (-bound, next(ticket), fixed | {branch: way}))
        largest = -tree[0][0] if tree else -math.inf
        return self.side, max(self._rounded(largest), self.value) * self.unit

    def _bound(self, bound: float, fixed: Fixings) -> tuple[float, NDArray[np.float64] | None]:
        """A bound below that of its parent, and a fractional optimum to branch on unless nothing is left to do."""
        self._fix(fixed)
        while True:
            left = self.deadline - time.monotonic()
            if left <= 0:
                return bound, None
            self.solver.SetTimeLimit(max(1, int(1000 * left)))
            status = self.solver.Solve()
            if status == self.lp.Solver.INFEASIBLE:
                return -math.inf, None
            if status != self.lp.Solver.OPTIMAL:
                return bound, None
            before, bound = bound, min(bound, self.solver.Objective().Value())
            if not self._promising(bound):
                return bound, None
            x = np.array([variable.solution_value() for variable in self.x])
            cuts = self.finder.violated(x)
            self._add(cuts)
            integral = bool((np.minimum(x, 1 - x) < 1e-6).all())
            if integral and not cuts:
                self.side = self._sides(x > 0.5)
                return -math.inf, None
            stalled = before - bound < _STALLED * (bound - self.value)
            if not integral and (not cuts or stalled):
                return bound, x

    def _promising(self, bound: float) -> bool:
        """Whether a bound leaves room for a better cut."""
        bound = self._rounded(bound)
        return bound - self.value > GAP * abs(bound)

    def _rounded(self, bound: float) -> float:
        """A cut of whole weights weighs a whole number."""
        return math.floor(bound * self.unit * (1 + 1e-9) + 1e-6) / self.unit if self.whole and bound > 0 else bound

    def _fix(self, fixed: Fixings) -> None:
        """Set the bounds of the variables."""
        for edge in self.fixed.keys() - fixed.keys():
            self.x[edge].SetBounds(0, 1)
        for edge, way in fixed.items():
            self.x[edge].SetBounds(int(way), int(way))
        self.fixed = fixed

    def _add(self, cuts: set[OddCycle]) -> None:
        for crossed, others in sorted(cuts):
            row: Any = self.solver.Constraint(-self.solver.infinity(), len(crossed) - 1)
            for edge in crossed:
                row.SetCoefficient(self.x[edge], 1)
            for edge in others:
                row.SetCoefficient(self.x[edge], -1)

    def _sides(self, crossed: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The sides whose cut consists of the edges `crossed` [L], which cross every cycle an even number of times."""
        around: list[list[tuple[int, bool]]] = [[] for _ in range(self.size)]
        for one, other, apart in zip(*self.ends.tolist(), crossed.tolist(), strict=True):
            around[one].append((other, apart))
            around[other].append((one, apart))
        side: list[bool | None] = [None] * self.size
        for start in range(self.size):
            if side[start] is None:
                side[start], stack = False, [start]
                while stack:
                    node = stack.pop()
                    for other, apart in around[node]:
                        if side[other] is None:
                            side[other] = bool(side[node]) != apart
                            stack.append(other)
        return np.array(side, dtype=bool)
