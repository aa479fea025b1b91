"""What can be done with a problem, by the names that algorithms ask for: read off it in one place."""

from __future__ import annotations

from graphwright.envs.experts import experts_of
from graphwright.envs.optimization import Optimization
from graphwright.envs.problem import Problem


def capabilities_of(problem: Problem) -> frozenset[str]:
    """What `problem` has.

    instances: it is played; objective: it is solved; endless, game, team: see these classes, but that many decisions a
    graph make a team of any environment; expert: somebody says what is right; reversible: it is sampled.
    """
    environment, played = problem.environment, problem.is_played
    has = {
        "instances": played,
        "objective": played and isinstance(environment, Optimization),
        "endless": problem.is_endless,
        "game": problem.is_game,
        "team": played and not environment.actions.one_per_graph,
        "expert": bool(experts_of(problem)),
        "reversible": problem.generation is not None,
    }
    return frozenset(name for name, is_there in has.items() if is_there)
