"""The settings of a run. The fields and their texts are the command line's options; `config.json` holds them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any, Literal, TypeVar

import torch

from graphwright.algorithms.algorithm import AlgorithmClass
from graphwright.algorithms.registry import ALGORITHMS, NEEDS, find_algorithm
from graphwright.algorithms.trust_region import TrustRegionConfig
from graphwright.core.numbers import require_numbers
from graphwright.envs.capabilities import capabilities_of
from graphwright.envs.game import Game
from graphwright.envs.problem import Problem
from graphwright.envs.registry import find_problem
from graphwright.nn import EncoderConfig, HeadsConfig
from graphwright.training.collectors.play import ConfigError, PlayConfig, make_generator
from graphwright.training.validation import of_teams

__all__ = ["ConfigError", "TrainConfig", "make_generator"]

Device = Literal["auto", "cpu", "cuda"]
COLLECTIONS = {
    "steps": "graphwright.training.collectors.steps:StepsConfig",
    "replay": "graphwright.training.collectors.replay:ReplayConfig",
    "exploring-replay": "graphwright.training.collectors.replay:ExploringReplayConfig",
    "episodes": "graphwright.training.collectors.episodes:EpisodesConfig",
    "demonstrations": "graphwright.training.collectors.demonstrations:DemonstrationsConfig",
    "recording": "graphwright.training.collectors.recording:RecordingConfig",
    "trajectories": "graphwright.training.gflownet.collector:TrajectoriesConfig",
    "self-play": "graphwright.training.collectors.self_play:SelfPlayConfig",
    "forks": "graphwright.training.collectors.forks:ForksConfig",
    "expert-games": "graphwright.training.collectors.expert_games:ExpertGamesConfig",
}
"""The settings of each collector, imported when they are asked for."""
_MOST_THREADS = 4096


def use_threads(count: int) -> None:
    """Let torch use `count` CPU threads. Raises ConfigError for less than one, or more than any machine has."""
    if not 1 <= count <= _MOST_THREADS:
        raise ConfigError(f"--threads {count}: give 1 to {_MOST_THREADS}")
    torch.set_num_threads(count)


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Settings of every run, whatever it plays."""

    seconds: float | None = None
    """Train for so long; 60 if --steps is not given either. The clock then decides how the learning rate falls, too."""
    steps: int | None = None
    """Train for so many environment steps, or trajectories of objects."""
    checkpoint_seconds: float = 30.0
    """Time between checkpoints; the end of a run and an interruption write one too."""
    seed: int = 0
    """With --steps, the same seed, machine and number of threads give the same run; --seconds follows the clock."""
    threads: int = 2
    """CPU threads."""
    device: Device = "auto"
    """Where the networks run; auto is the CPU, and CUDA has to be asked for."""
    algorithm: str = "ppo"
    """Learning algorithm, as `graphwright algorithms` lists them; the options below are its own."""
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    heads: HeadsConfig = field(default_factory=HeadsConfig)
    settings: Any = None
    """Of the algorithm."""

    def __post_init__(self) -> None:
        """Raise ConfigError, naming the option, where a value makes no run."""
        if self.seconds is not None and not 0 < self.seconds < float("inf"):
            raise ConfigError(f"--seconds {self.seconds}: give a positive number")
        if self.steps is not None and self.steps < 1:
            raise ConfigError(f"--steps {self.steps}: give at least 1")
        if not self.checkpoint_seconds >= 0:
            raise ConfigError(f"--checkpoint-seconds {self.checkpoint_seconds}: give at least 0")
        found = find_algorithm(self.algorithm).load()
        wanted = found.Config
        if self.settings is None:
            object.__setattr__(self, "settings", wanted())
        elif not isinstance(self.settings, wanted):
            given = type(self.settings).__name__
            raise ConfigError(f"--algorithm {self.algorithm}: its settings are a {wanted.__name__}, not a {given}")
        require_numbers(self, {"settings": found.options, "collection": ""})

    def with_an_end(self: Own) -> Own:
        """These settings, for 60 seconds where they say no end."""
        return self if (self.seconds, self.steps) != (None, None) else replace(self, seconds=60.0)

    def with_another_end(self: Own, seconds: float | None, steps: int | None) -> Own:
        """These settings with a new end, if one is given."""
        return self if (seconds, steps) == (None, None) else replace(self, seconds=seconds, steps=steps)


Own = TypeVar("Own", bound=RunConfig)


@dataclass(frozen=True, kw_only=True)
class TrainConfig(RunConfig):
    """Settings of a training run on a problem, whatever is learned of it."""

    environment: Any
    start: str | None = None
    """Directory of a run whose policy to begin with; its columns and its network have to be the same."""
    trust_region: TrustRegionConfig = field(default_factory=TrustRegionConfig)
    collection: Any = None
    """Of what feeds the algorithm."""
    validation: Any = None
    """How the run is watched."""

    def __post_init__(self) -> None:
        """Raise ConfigError, naming the option, where a value makes no run."""
        super().__post_init__()
        collection = self.collection
        if collection is None:
            collection = _collection_class(self.algorithm, self.environment)()
            object.__setattr__(self, "collection", collection)
        elif not isinstance(collection, wanted := _collection_class(self.algorithm, self.environment)):
            wanted, given = wanted.__name__, type(collection).__name__
            raise ConfigError(f"--algorithm {self.algorithm}: is fed by a {wanted}, not by a {given}")
        fewest = find_algorithm(self.algorithm).load().fewest_samples
        if getattr(collection, "num_samples", fewest) < fewest:
            raise ConfigError(
                f"--num-samples {collection.num_samples}: --algorithm {self.algorithm} compares episodes of one "
                f"instance; give at least {fewest}"
            )
        if self.trust_region.kind != "none" and getattr(collection, "memory", False):
            raise ConfigError("--trust-region.kind: compares single steps, --memory takes many; leave one out")
        if self.trust_region.kind != "none" and self.start is None:
            raise ConfigError(
                f"--trust-region.kind {self.trust_region.kind}: is around the policy of --from RUN; name it"
            )
        if self.validation is None:
            object.__setattr__(self, "validation", collection.Validation())
        if getattr(self.validation, "decode", "") == "sample" and not find_algorithm(self.algorithm).load().draws:
            raise ConfigError(f"--validation.decode sample: {values_only(self.algorithm)}; leave it out")

    @staticmethod
    def for_problem(problem: Problem | str, algorithm: str | None = None, **options: Any) -> TrainConfig:
        """The defaults of a problem, or of the one of that name, for an algorithm, by default the problem's own.

        options: other fields; a mapping exchanges some of the fields of one, as in collection={"sizes": (5, 8)}.

        Raises ConfigError for options that there are not.
        """
        problem = find_problem(problem) if isinstance(problem, str) else problem
        algorithm = algorithm or _own_algorithm(problem)
        entry = find_algorithm(algorithm)
        require_capabilities(problem, algorithm)
        samples = entry.collector == "trajectories"
        training = problem.sampled.training if samples else problem.training
        make = _collection_class(algorithm, problem.environment)
        heads: dict[str, Any] = {"pool": "sum-mean-max", "value_pool": "sum-mean-max"} if samples else {}
        if problem.is_game:  # who wins depends on the best that there is, on boards of any size
            heads = {"pool": "max", "value_pool": "max"}
        # What grows may have edges between any nodes, whose ends messages alone mistake for others; graphs are small.
        walks = {"walks": 8} if samples else {}
        encoder = {"kind": "gin", "depth": 4} if samples else {}
        config = TrainConfig(
            algorithm=algorithm,
            environment=problem.builder if samples else problem.environment,
            collection=make(reward=problem.sampled.reward) if samples else make().completed(problem),
        )
        config = changed(config, {"encoder": encoder | walks, "heads": heads | walks})
        changes = {name: value for name, value in training.items() if name in ("encoder", "heads")}
        watched, unknown = training.get("validation", {}), {"sizes"} if problem.is_team else set()  # see `of_teams`
        unknown |= {"decode"} if "decode" in watched and not entry.load().draws else set()
        changes["validation"] = {name: value for name, value in watched.items() if name not in unknown}
        changes["settings"] = _settings_for(entry.load(), training)
        changes["collection"] = training.get("collection", {}).get(_collector(algorithm, problem.environment), {})
        return changed(changed(config, changes), options)

    def completed(self, problem: Problem) -> TrainConfig:
        """These settings with the problem's own instances where none are named."""
        if not isinstance(self.collection, PlayConfig):
            return self
        collection = self.collection.completed(problem)
        return replace(self, collection=collection, validation=of_teams(self.validation, problem, collection.sizes))

    @property
    def played(self) -> Any:
        """The environment as it is played: its illegal actions masked or punished."""
        return self.collection.played(self.environment) if isinstance(self.collection, PlayConfig) else self.environment


def _settings_for(algorithm: AlgorithmClass, training: Mapping[str, Any]) -> dict[str, Any]:
    """What a problem says of an algorithm, and of those whose settings it has taken over, as MAPPO has those of PPO."""
    said: dict[str, Any] = {}
    for made_of in reversed(algorithm.Config.__mro__):
        said |= training.get(vars(made_of).get("options", ""), {})
    return said | training.get(algorithm.options, {})


def _collector(algorithm: str, environment: Any) -> str:
    """The name of what feeds an algorithm. Raises ConfigError where it learns no games and this is one."""
    entry = find_algorithm(algorithm)
    if not isinstance(environment, Game):
        return entry.collector
    if entry.of_games is None:
        able = ", ".join(name for name, other in ALGORITHMS.items() if other.of_games)
        raise ConfigError(f"--algorithm {algorithm}: learns no games of two sides; choose one of {able}")
    return entry.of_games


def _collection_class(algorithm: str, environment: Any) -> Any:
    module, _, name = COLLECTIONS[_collector(algorithm, environment)].partition(":")
    return getattr(import_module(module), name)


def _own_algorithm(problem: Problem) -> str:
    """What a problem is learned with where nothing else is said."""
    if problem.is_played:
        return str(problem.training.get("algorithm", "ppo"))
    return str(problem.sampled.training.get("algorithm", "tb"))


def require_capabilities(problem: Problem, algorithm: str) -> None:
    """Raise ConfigError where `problem` does not have what `algorithm` needs."""
    has = capabilities_of(problem)
    missing = [need for need in find_algorithm(algorithm).needs if need not in has]
    if missing:
        raise ConfigError(
            f"--algorithm {algorithm}: needs {NEEDS[missing[-1]]}, which {problem.name} has not; "
            "`graphwright algorithms` lists what each needs"
        )


def values_only(algorithm: str) -> str:
    """Why nothing is drawn by the policy of such an algorithm."""
    return f"the scores of --algorithm {algorithm} are values, and no probabilities to draw by"


def changed(config: Any, changes: Mapping[str, Any]) -> Any:
    """A dataclass with some of its fields, and of the fields of its fields, exchanged. Raises ConfigError."""
    known = {each.name for each in dataclasses.fields(config)}
    for name in changes:
        if name not in known:
            raise ConfigError(f"{type(config).__name__} has no {name!r}; it has {', '.join(sorted(known))}")
    return replace(
        config,
        **{
            name: changed(getattr(config, name), value) if isinstance(value, Mapping) else value
            for name, value in changes.items()
        },
    )
