"""The problems that the library knows by name. A new problem is one line here."""

from __future__ import annotations

from graphwright.envs.covering.vertex_cover import VERTEX_COVER
from graphwright.envs.cutting.problem import MAX_CUT
from graphwright.envs.locomotion.swimmer import LOCOMOTION
from graphwright.envs.navigation.grid_navigation import GRID_NAVIGATION
from graphwright.envs.navigation.path_search import PATH_SEARCH
from graphwright.envs.network.graph_robustness import GRAPH_ROBUSTNESS
from graphwright.envs.network.network_repair import NETWORK_REPAIR
from graphwright.envs.network.steiner_tree import STEINER_TREE
from graphwright.envs.packing.independent_set import INDEPENDENT_SET
from graphwright.envs.packing.public_goods import PUBLIC_GOODS
from graphwright.envs.problem import Problem
from graphwright.envs.routing.tour import TOUR

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
