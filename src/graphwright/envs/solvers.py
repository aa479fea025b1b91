"""The solvers of OR-Tools, imported when something is to be proven."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

_MODULES = {"sat": ("ortools.sat.python", "cp_model"), "linear": ("ortools.linear_solver", "pywraplp")}


def import_solver(kind: str, what: str) -> ModuleType:
    """CP-SAT ("sat") or the linear solvers ("linear"). Raises ImportError, naming the remedy, for `what` needs it."""
    package, module = _MODULES[kind]
    try:
        import_module(package)
        return import_module(f"{package}.{module}")
    except ModuleNotFoundError as error:
        raise ImportError(f"exact {what} need OR-Tools: pip install 'graphwright[solvers]'") from error
