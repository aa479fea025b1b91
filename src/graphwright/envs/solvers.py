"""The solvers of OR-Tools, imported when something is to be proven."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

_MODULES = {"sat": ("ortools.sat.python", "cp_model"), "linear": ("ortools.linear_solver", "pywraplp")}


def cp_solver(cp_model: ModuleType, seconds: float, *, lazily: bool = True) -> Any:
    """A CP-SAT solver of one thread, so that what it finds in time is the same every time.

    It has the full linear relaxation: at the default, 200 nodes of a cover can take over 30 s. lazily: add its
    constraints when they are broken.
    """
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = 1
    solver.parameters.linearization_level = 2
    solver.parameters.add_lp_constraints_lazily = lazily
    return solver


def import_solver(kind: str, what: str) -> ModuleType:
    """CP-SAT ("sat") or the linear solvers ("linear"). Raises ImportError, naming the remedy, for `what` needs it."""
    package, module = _MODULES[kind]
    try:
        import_module(package)
        return import_module(f"{package}.{module}")
    except ModuleNotFoundError as error:
        raise ImportError(f"exact {what} need OR-Tools: pip install 'graphwright[solvers]'") from error
