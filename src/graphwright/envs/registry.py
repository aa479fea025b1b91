"""The problems that the library knows by name. A new problem is one line here."""

from __future__ import annotations

from graphwright.envs.locomotion.swimmer import LOCOMOTION
from graphwright.envs.problem import Problem
from graphwright.envs.problems.graph_robustness.environment import GRAPH_ROBUSTNESS
from graphwright.envs.problems.grid_navigation.environment import GRID_NAVIGATION
from graphwright.envs.problems.independent_set.environment import INDEPENDENT_SET
from graphwright.envs.problems.max_cut.problem import MAX_CUT
from graphwright.envs.problems.network_repair.environment import NETWORK_REPAIR
from graphwright.envs.problems.path_search.environment import PATH_SEARCH
from graphwright.envs.problems.public_goods.environment import PUBLIC_GOODS
from graphwright.envs.problems.steiner_tree.environment import STEINER_TREE
from graphwright.envs.problems.tour.environment import TOUR
from graphwright.envs.problems.vertex_cover.environment import VERTEX_COVER

PROBLEMS: dict[str, Problem] = {
    problem.name: problem
    for problem in (
        VERTEX_COVER,
        TOUR,
        INDEPENDENT_SET,
        PUBLIC_GOODS,
        MAX_CUT,
        PATH_SEARCH,
        GRID_NAVIGATION,
        STEINER_TREE,
        GRAPH_ROBUSTNESS,
        NETWORK_REPAIR,
        LOCOMOTION,
    )
}


def find_problem(name: str) -> Problem:
    """The problem of that name. Raises ValueError, listing the names, where there is none."""
    if name not in PROBLEMS:
        raise ValueError(f"unknown problem {name!r}; choose one of {', '.join(PROBLEMS)}")
    return PROBLEMS[name]
