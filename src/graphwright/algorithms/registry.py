"""The algorithms by name. A new one is a file and a line here."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal, get_args

from typing_extensions import override

from graphwright.core.own_code import import_named

NEEDS = {
    "instances": "instances to play",
    "expert": "an expert: a rule, or a solver and what leads to its solutions",
    "endless": "a task that never ends",
    "game": "two sides that play against each other",
    "team": "agents that decide for themselves, several on a graph",
    "reversible": "objects whose steps can be undone, and a reward of them",
}
"""What an algorithm may need of a problem."""
CollectorName = Literal[
    "steps",
    "replay",
    "exploring-replay",
    "episodes",
    "demonstrations",
    "recording",
    "trajectories",
    "self-play",
    "expert-games",
    "forks",
]


@dataclass(frozen=True)
class AlgorithmEntry:
    """Where an algorithm is, which is imported when it is asked for, and what it needs.

    place: module:class below `graphwright.algorithms`; the class has `Config`, `options` and `build`, see `Algorithm`.
    collector: what feeds it, see `graphwright.training.collectors`. needs: what a problem must have, see `NEEDS`.
    of_games: what feeds it where two sides play a game; None where it learns no games.
    """

    place: str
    collector: CollectorName
    needs: tuple[str, ...] = ("instances",)
    of_games: CollectorName | None = None

    def load(self) -> Any:
        """The class."""
        module, _, name = self.place.partition(":")
        return getattr(import_module(f"graphwright.algorithms.{module}"), name)


def _flow(name: str) -> AlgorithmEntry:
    return AlgorithmEntry(f"gflownet.{name}", "trajectories", ("reversible",))


def _team(name: str, collector: CollectorName) -> AlgorithmEntry:
    return AlgorithmEntry(f"multiagent.{name}", collector, ("instances", "team"))


ALGORITHMS: dict[str, AlgorithmEntry] = {
    "ppo": AlgorithmEntry("ppo:PPO", "steps", of_games="self-play"),
    "a2c": AlgorithmEntry("a2c:A2C", "steps", of_games="self-play"),
    "dqn": AlgorithmEntry("dqn:DQN", "exploring-replay"),
    "sac": AlgorithmEntry("sac:SAC", "replay"),
    "awac": AlgorithmEntry("awac:AWAC", "replay"),
    "reinforce": AlgorithmEntry("reinforce:Reinforce", "episodes"),
    "bc": AlgorithmEntry("imitation:BehaviourCloning", "recording"),
    "imitation": AlgorithmEntry("imitation:Imitation", "demonstrations", ("instances", "expert")),
    "policy-iteration": AlgorithmEntry("policy_iteration:PolicyIteration", "forks", ("instances", "endless")),
    "expert-iteration": AlgorithmEntry(
        "expert_iteration:ExpertIteration", "expert-games", ("instances", "game"), "expert-games"
    ),
    "iql": _team("value_factorization:IQL", "exploring-replay"),
    "vdn": _team("value_factorization:VDN", "exploring-replay"),
    "qmix": _team("value_factorization:QMIX", "exploring-replay"),
    "iac": _team("actor_critic:IAC", "steps"),
    "central-v": _team("actor_critic:CentralV", "steps"),
    "ippo": _team("actor_critic:IPPO", "steps"),
    "coma": _team("coma:COMA", "steps"),
    "maddpg": _team("maddpg:MADDPG", "replay"),
    "mappo": _team("actor_critic:MAPPO", "steps"),
    "tb": _flow("objectives:TrajectoryBalance"),
    "vargrad": _flow("objectives:LogPartitionVariance"),
    "db": _flow("objectives:DetailedBalance"),
    "forward-looking": _flow("objectives:ForwardLooking"),
    "subtb": _flow("objectives:SubTrajectoryBalance"),
    "modified-db": _flow("objectives:ModifiedDetailedBalance"),
    "modified-subtb": _flow("objectives:ModifiedSubTrajectoryBalance"),
    "fm": _flow("objectives:FlowMatching"),
    "soft-q": _flow("objectives:SoftQ"),
    "trajectory-a2c": _flow("baselines:TrajectoryActorCritic"),
    "trajectory-reinforce": _flow("baselines:TrajectoryReinforce"),
}


class OwnAlgorithm(AlgorithmEntry):
    """A user's own, at `place`. The class says itself what feeds it (`collector`), and what it needs (`needs`)."""

    @override
    def load(self) -> Any:
        return import_named(self.place, "algorithm")


def find_algorithm(name: str) -> AlgorithmEntry:
    """The algorithm of that name, which may be one of your own, my_module:MyAlgorithm, if Python finds it.

    Importing a module runs it. Raises ValueError, listing the names, where there is none; ImportError as its module
    does.
    """
    if name in ALGORITHMS:
        return ALGORITHMS[name]
    if ":" not in name:
        raise ValueError(
            f"--algorithm {name}: there is none of this name; choose one of {', '.join(ALGORITHMS)}, or one of your "
            "own: module:CLASS"
        )
    found = import_named(name, "algorithm")
    missing = [part for part in ("Config", "options", "build", "update") if not hasattr(found, part)]
    if not isinstance(found, type) or missing:
        lacks = f"has no {missing[0]}" if missing else "is no class"
        raise ValueError(f"--algorithm {name}: {lacks}; extend MinibatchAlgorithm, or see AlgorithmClass")
    collector: Any = getattr(found, "collector", None)
    if collector not in get_args(CollectorName):
        known = ", ".join(get_args(CollectorName))
        raise ValueError(f"--algorithm {name}: says not what feeds it; give the class a `collector`, one of {known}")
    return OwnAlgorithm(name, collector, tuple(getattr(found, "needs", AlgorithmEntry.needs)))
