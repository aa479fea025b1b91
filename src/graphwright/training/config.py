"""The settings of a run. The fields and their texts are the command line's options; `config.json` holds them."""

from __future__ import annotations

import dataclasses
import json
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import torch

from graphwright.algorithms.registry import ALGORITHMS, NEEDS, find_algorithm
from graphwright.algorithms.trust_region import TrustRegionConfig
from graphwright.core.numbers import require_numbers
from graphwright.envs.capabilities import capabilities_of
from graphwright.envs.game import Game
from graphwright.envs.problem import Problem
from graphwright.envs.registry import PROBLEMS, find_problem
from graphwright.envs.team import Team
from graphwright.nn import EncoderConfig, HeadsConfig
from graphwright.nn.pyg import is_of_pyg
from graphwright.training.checkpoint import FORMAT
from graphwright.training.collectors.play import ConfigError, PlayConfig, make_generator

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
_MAY_CHANGE = ("seconds", "steps", "threads", "device", "checkpoint_seconds")


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
        if self.trust_region.kind != "none" and self.start is None:
            raise ConfigError(
                f"--trust-region.kind {self.trust_region.kind}: is around the policy of --from RUN; name it"
            )
        if self.validation is None:
            object.__setattr__(self, "validation", collection.Validation())

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
        changes = {name: value for name, value in training.items() if name in ("encoder", "heads", "validation")}
        changes["settings"] = training.get(entry.load().options, {})
        changes["collection"] = training.get("collection", {}).get(_collector(algorithm, problem.environment), {})
        return changed(changed(config, changes), options)

    def completed(self, problem: Problem) -> TrainConfig:
        """These settings with the problem's own instances where none are named."""
        if isinstance(self.collection, PlayConfig):
            return replace(self, collection=self.collection.completed(problem))
        return self

    @property
    def played(self) -> Any:
        """The environment as it is played: its illegal actions masked or punished."""
        return self.collection.played(self.environment) if isinstance(self.collection, PlayConfig) else self.environment


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


def to_json(problem: str, config: TrainConfig) -> str:
    """`config` as a JSON document. Raises ConfigError where a part of it is neither plain nor a dataclass."""
    document = {"format": FORMAT, "problem": problem, **dataclasses.asdict(config)}
    return json.dumps(document, indent=2, default=name_of) + "\n"


def fixed_settings(problem: str, config: TrainConfig) -> dict[str, Any]:
    """What must not change in the middle of a run, as `config.json` holds it.

    The size of a team may change; who is who is said of teams only.
    """
    document = json.loads(to_json(problem, config))
    fixed: dict[str, Any] = {name: value for name, value in document.items() if name not in _MAY_CHANGE}
    fixed["collection"].pop("reward_workers", None)
    fixed["collection"].pop("sizes" if isinstance(config.environment, Team) else "identity", None)
    return fixed


def flat(settings: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Nested settings one by one, each by all the names that lead to it, as in `encoder.width`."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def parse_json(text: str) -> Any:
    """What a JSON document holds. Raises ConfigError where it is not one."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ConfigError("not settings: nested too deeply") from None
    except ValueError as error:  # numbers of thousands of digits are none that JSONDecodeError knows of
        raise ConfigError(f"not JSON: {error}") from None


def from_json(text: str, trust: bool = False) -> tuple[Problem, TrainConfig]:
    """The problem and the settings that a JSON document holds.

    trust: whether modules that it names may be imported, and so run. Raises ConfigError where the document is none, or
    names such a module without being trusted.
    """
    data = parse_json(text)
    if isinstance(data, dict) and ("problem" in data or "task" in data) and data.get("format") != FORMAT:
        raise ConfigError("is from another version of Graphwright, which this one cannot go on from; train anew")
    if not isinstance(data, dict) or not isinstance(data.get("problem"), str):
        raise ConfigError(
            "no object with a 'problem'; runs on the environments of others are used by `foreign.training`"
        )
    name, _ = data.pop("problem"), data.pop("format")
    try:
        if name not in PROBLEMS and ":" in name:
            require_trust("problem", name, trust)
        if ":" in str(data.get("algorithm")):
            require_trust("algorithm", data["algorithm"], trust)
        problem = find_problem(name)
        config: TrainConfig = build(TrainConfig.for_problem(problem, data.get("algorithm")), data)
        require_trusted_layer(config.encoder, trust)
        if isinstance(config.collection, PlayConfig):
            config.collection.instances(problem)
        return problem, config
    except (ValueError, TypeError) as error:
        raise ConfigError(str(error)) from None


def require_trust(what: str, name: str, trust: bool) -> None:
    """Raise ConfigError where a file names a problem, layer or algorithm that is not the library's, unless trusted."""
    if not trust:
        raise ConfigError(
            f"names a {what} of its maker's own, {name!r}, and importing that runs its code; if you trust whoever made "
            "this run, say --trust (in Python trust=True)"
        )


def require_trusted_layer(encoder: EncoderConfig, trust: bool) -> None:
    """Raise ConfigError where the layer is no class of `torch_geometric.nn`, unless it is trusted."""
    if encoder.layer is not None and not is_of_pyg(encoder.layer):
        require_trust("layer", encoder.layer, trust)


def build(like: Any, data: Any, path: str = "") -> Any:
    """A dataclass like `like` with plain JSON values in place of its own, each checked against the type of its field.

    A field that holds a dataclass keeps that very class, however general the field is. Raises ConfigError.
    """
    if not isinstance(data, dict):
        raise ConfigError(f"{path or 'config'} is {data!r}; expected an object")
    hints = get_type_hints(type(like))
    settable = {f.name: f.init for f in dataclasses.fields(like)}
    unknown = sorted(set(data) - set(settable))
    if unknown:
        raise ConfigError(f"unknown option {path}{unknown[0]}")
    values = {
        name: _convert(hints[name], value, f"{path}{name}", getattr(like, name))
        for name, value in data.items()
        if settable[name]
    }
    return replace(like, **values)


def name_of(value: Any) -> str:
    """What a file says of a function: module:name. Raises ConfigError where `value` is none."""
    if not hasattr(value, "__qualname__"):
        kind = type(value).__name__
        raise ConfigError(f"a {kind} cannot be written to a file of settings; make it a dataclass of plain options")
    return f"{value.__module__}:{value.__qualname__}"


def _convert(hint: Any, value: Any, path: str, like: Any) -> Any:
    if dataclasses.is_dataclass(like):
        return build(like, value, f"{path}.")
    if callable(like):  # files hold the names of functions, and the defaults the functions
        return like
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        options = [option for option in get_args(hint) if option is not type(None)]
        return None if value is None else _convert(options[0], value, path, None)
    if origin is tuple and isinstance(value, list):
        return tuple(_convert(get_args(hint)[0], item, path, None) for item in value)
    if origin is Literal and value in get_args(hint):
        return value
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if hint in (int, str, bool) and type(value) is hint:
        return value
    raise ConfigError(f"{path} is {value!r}; that is no {hint}")
