"""The problems that the library knows by name. A new problem is one line here."""

from __future__ import annotations

import difflib
import os
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib import import_module

from typing_extensions import override

from graphwright.core.own_code import import_named
from graphwright.envs.environment import Environment
from graphwright.envs.problem import Problem
from graphwright.envs.simultaneous import Simultaneous

_SOLVED = {
    "vertex-cover": "graphwright.envs.problems.vertex_cover.environment:VERTEX_COVER",
    "tour": "graphwright.envs.problems.tour.environment:TOUR",
    "independent-set": "graphwright.envs.problems.independent_set.environment:INDEPENDENT_SET",
    "public-goods": "graphwright.envs.problems.public_goods.environment:PUBLIC_GOODS",
    "max-cut": "graphwright.envs.problems.max_cut.problem:MAX_CUT",
    "path-search": "graphwright.envs.problems.path_search.environment:PATH_SEARCH",
    "grid-navigation": "graphwright.envs.problems.grid_navigation.environment:GRID_NAVIGATION",
    "steiner-tree": "graphwright.envs.problems.steiner_tree.environment:STEINER_TREE",
    "graph-robustness": "graphwright.envs.problems.graph_robustness.environment:GRAPH_ROBUSTNESS",
    "network-repair": "graphwright.envs.problems.network_repair.environment:NETWORK_REPAIR",
    "locomotion": "graphwright.envs.locomotion.swimmer:LOCOMOTION",
}
_CONTROLLED = {
    "single-hop": "graphwright.envs.queueing.single_hop.environment:SINGLE_HOP",
    "multiclass": "graphwright.envs.queueing.multiclass.problem:MULTICLASS",
    "multipath": "graphwright.envs.queueing.multipath.environment:MULTIPATH",
    "conflict-graph": "graphwright.envs.queueing.conflict_graph.problem:CONFLICT_GRAPH",
    "conflict-graph-sequential": "graphwright.envs.queueing.conflict_graph.problem:CONFLICT_GRAPH_SEQUENTIAL",
    "multi-hop": "graphwright.envs.queueing.multi_hop.problem:MULTI_HOP",
    "multi-hop-links": "graphwright.envs.queueing.multi_hop.problem:MULTI_HOP_LINKS",
}
_TEAMS = {
    "coverage": "graphwright.envs.teams.coverage.problem:COVERAGE",
    "foraging": "graphwright.envs.teams.foraging.problem:FORAGING",
    "path-finding": "graphwright.envs.teams.path_finding.problem:PATH_FINDING",
    "patrol": "graphwright.envs.teams.patrol.problem:PATROL",
    "pursuit": "graphwright.envs.teams.pursuit.environment:PURSUIT",
    "spread": "graphwright.envs.teams.spread.environment:SPREAD",
}
_PLAYED = {
    "tic-tac-toe": "graphwright.envs.games.tic_tac_toe.environment:TIC_TAC_TOE",
    "connect-four": "graphwright.envs.games.connect_four.environment:CONNECT_FOUR",
    "hex": "graphwright.envs.games.hex.problem:HEX",
    "shannon": "graphwright.envs.games.shannon.problem:SHANNON",
    "hive": "graphwright.envs.games.hive.problem:HIVE",
}
_SAMPLED = {
    "hyper-grid": "graphwright.envs.generative.tasks.hyper_grid:HYPER_GRID",
    "ring-edges": "graphwright.envs.generative.tasks.ring_edges:RING_EDGES",
    "two-colour": "graphwright.envs.generative.tasks.two_colour:TWO_COLOUR",
    "toy-sequences": "graphwright.envs.generative.tasks.toy_sequences:TOY_SEQUENCES",
    "dag": "graphwright.envs.generative.tasks.dag:DAG",
    "rings": "graphwright.envs.generative.molecules.tasks:RINGS",
    "qed": "graphwright.envs.generative.molecules.tasks:QED",
    "qed-atoms": "graphwright.envs.generative.molecules.tasks:QED_ATOMS",
    "qed-sa-logp": "graphwright.envs.generative.molecules.tasks:QED_SA_LOGP",
}


class ProblemRegistry(Mapping[str, Problem]):
    """Problems by name, each imported when it is asked for, since some need RDKit, MuJoCo or a solver."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self.places = places

    def __getitem__(self, name: str) -> Problem:
        """Raises ImportError as the problem's module does."""
        return _import(self.places[name])

    @override
    def __contains__(self, name: object) -> bool:
        return name in self.places

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    @override
    def __len__(self) -> int:
        return len(self.places)


SOLVED = ProblemRegistry(_SOLVED)
"""Those with random graphs to solve; some of them are sampled too."""
CONTROLLED = ProblemRegistry(_CONTROLLED)
"""Those that never end, of which averages over time count."""
TEAMS = ProblemRegistry(_TEAMS)
"""Those of several agents, of which success and returns count."""
GAMES = ProblemRegistry(_PLAYED)
"""Those that two sides play against each other."""
PROBLEMS = ProblemRegistry(_SOLVED | _CONTROLLED | _TEAMS | _PLAYED | _SAMPLED)
"""All problems: solved, controlled for ever, played by teams, by two sides, and those that are only sampled."""


def find_problem(name: str) -> Problem:
    """The problem of that name, which may be one of your own: `my_package.my_module:MY_PROBLEM`, if Python finds it.

    Importing a module runs it. Raises ValueError, listing the names, where there is none; ImportError as its module
    does.
    """
    if name in PROBLEMS:
        return PROBLEMS[name]
    module = name.removesuffix(".py")
    if module.isidentifier() and os.path.isfile(f"{module}.py"):
        raise ValueError(f"problem {name!r}: is a module; name the problem in it, {module}:NAME")
    if ":" not in name:
        raise ValueError(
            f"unknown problem {name!r}; {meant(name)}choose one of {', '.join(PROBLEMS)}, or one of your own: "
            "module:PROBLEM"
        )
    return replace(_own(name), name=name)


def meant(name: str) -> str:
    """ "did you mean ...? " where a problem is called nearly so, otherwise nothing."""
    near = difflib.get_close_matches(name.lower().replace("_", "-"), PROBLEMS, 1, cutoff=0.75)
    return f"did you mean {near[0]}? " if near else ""


def simultaneous_problems() -> list[str]:
    """The names of the problems in which many nodes can be decided at once."""
    return [name for name, problem in SOLVED.items() if isinstance(problem.environment, Simultaneous)]


def resolve(problem: str | Problem) -> Problem:
    """The problem of that name; one that is given is warned of where a run that holds its name could not be loaded."""
    if isinstance(problem, str):
        return find_problem(problem)
    try:
        find_problem(problem.name)
    except (ValueError, ImportError) as error:
        warnings.warn(f"the run can be trained, but not loaded or resumed: {error}", UserWarning, stacklevel=3)
    return problem


@cache
def _import(place: str) -> Problem:
    """The problem at module:NAME, a module of this library."""
    module, _, attribute = place.partition(":")
    problem: Problem = getattr(import_module(module), attribute)
    return problem


def _own(place: str) -> Problem:
    """A user's problem at module:NAME."""
    found = import_named(place, "problem")
    if isinstance(found, Problem):
        return found
    is_class = isinstance(found, type)
    kind = f"the class {found.__name__}" if is_class else f"of type {type(found).__name__}"
    is_environment = issubclass(found if is_class else type(found), Environment)
    parts = "name, summary, environment, ..." if is_environment else "..."
    raise ValueError(f"problem {place!r}: is {kind}, no Problem; write MINE = Problem({parts}) and name that")
