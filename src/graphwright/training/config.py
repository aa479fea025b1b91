"""The settings of a run. The fields and their texts are the command line's options; `config.json` holds them."""

from __future__ import annotations

import dataclasses
import json
import types
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import torch

from graphwright.algorithms.imitation import ImitationConfig
from graphwright.algorithms.ppo import PPOConfig
from graphwright.algorithms.reinforce import ReinforceConfig
from graphwright.envs.environment import Environment
from graphwright.envs.generators import InstanceGenerator
from graphwright.envs.problem import Problem
from graphwright.envs.registry import find_problem
from graphwright.envs.wrappers.penalized import Penalized
from graphwright.nn import EncoderConfig, HeadsConfig

Device = Literal["auto", "cpu", "cuda"]


class ConfigError(ValueError):
    """Settings that make no run; the message names the option."""


def use_threads(count: int) -> None:
    """Let torch use `count` CPU threads. Raises ConfigError for less than one."""
    if count < 1:
        raise ConfigError(f"--threads {count}: give at least 1")
    torch.set_num_threads(count)


@dataclass(frozen=True)
class ValidationConfig:
    """The fixed instances on which a run is watched, and which choose the policy that it leaves."""

    sizes: tuple[int, ...] | None = None
    """Numbers of nodes; by default twice and five times the largest training size."""
    graphs: int = 64
    """Instances of each size."""
    every: int = 10
    """Updates between validations; each also writes a checkpoint."""


@dataclass(frozen=True)
class InvalidConfig:
    """What becomes of illegal actions."""

    handling: Literal["mask", "penalty", "severity"] = "mask"
    """mask rules them out; penalty lets them waste a step and punishes them; severity by how bad they are."""
    penalty: float = 1.0
    """What an illegal action costs."""
    limit: float = 1.0
    """Unless they are masked, an episode ends after so many steps for each node of its graph."""


@dataclass(frozen=True)
class TrainConfig:
    """Settings of a training run."""

    environment: Environment
    seconds: float | None = None
    """Train for so long; 60 if --steps is not given either."""
    steps: int | None = None
    """Train for so many environment steps."""
    algorithm: Literal["ppo", "reinforce", "imitation"] = "ppo"
    """Learning algorithm."""
    seed: int = 0
    """The same seed, machine and number of threads give the same run."""
    threads: int = 2
    """CPU threads."""
    device: Device = "auto"
    """Where the networks run; auto is the CPU, and CUDA has to be asked for."""
    generator: str | None = None
    """Random graphs to train on, with options as in watts-strogatz:k=4,p=0.3; by default the problem's own."""
    sizes: tuple[int, ...] | None = None
    """Numbers of nodes; each graph's is drawn from this list. By default the problem's own."""
    weights: str | None = None
    """How graphs become instances, by a name that the problem has; by default its first."""
    invalid: InvalidConfig = field(default_factory=InvalidConfig)
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    heads: HeadsConfig = field(default_factory=HeadsConfig)
    ppo: PPOConfig = field(default_factory=PPOConfig)
    reinforce: ReinforceConfig = field(default_factory=ReinforceConfig)
    imitation: ImitationConfig = field(default_factory=ImitationConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)

    def __post_init__(self) -> None:
        """Raise ConfigError, naming the option, where a value makes no run."""
        if self.seconds is not None and not 0 < self.seconds < float("inf"):
            raise ConfigError(f"--seconds {self.seconds}: give a positive number")
        if self.steps is not None and self.steps < 1:
            raise ConfigError(f"--steps {self.steps}: give at least 1")
        if self.validation.graphs < 1 or self.validation.every < 1:
            raise ConfigError("--validation.graphs and --validation.every: give at least 1")

    @staticmethod
    def for_problem(problem: Problem | str, **options: Any) -> TrainConfig:
        """The defaults of a problem, or of the one of that name, with `options` in place of some of them."""
        problem = find_problem(problem) if isinstance(problem, str) else problem
        defaults = TrainConfig(environment=problem.environment).completed(problem)
        return replace(changed(defaults, problem.training), **options)

    def completed(self, problem: Problem) -> TrainConfig:
        """These settings with the problem's own instances where none are named."""
        return replace(
            self,
            generator=self.generator or problem.topology,
            sizes=self.sizes or problem.sizes,
            weights=self.weights or next(iter(problem.weights)),
        )

    @property
    def rules(self) -> Environment:
        """The environment as it is played: its illegal actions masked or punished."""
        if self.invalid.handling == "mask":
            return self.environment
        by: Literal["count", "severity"] = "severity" if self.invalid.handling == "severity" else "count"
        return Penalized(self.environment, self.invalid.penalty, by, self.invalid.limit)

    def instance_generator(self, problem: Problem) -> InstanceGenerator:
        """Where training instances come from. Raises ConfigError naming the options."""
        return make_generator(problem, self.generator, self.sizes, self.weights)

    def validation_generators(self, problem: Problem) -> list[InstanceGenerator]:
        """One generator for each validation size."""
        largest = max(self.sizes or problem.sizes)
        sizes = self.validation.sizes or (2 * largest, 5 * largest)
        return [make_generator(problem, self.generator, (size,), self.weights) for size in sizes]


def make_generator(
    problem: Problem, topology: str | None, sizes: tuple[int, ...] | None, weights: str | None
) -> InstanceGenerator:
    """The generator that three options describe, None for the problem's own. Raises ConfigError naming the options."""
    try:
        return problem.generator(topology, sizes, weights)
    except ValueError as error:
        named = {"generator": topology, "sizes": " ".join(map(str, sizes)) if sizes else None, "weights": weights}
        options = " ".join(f"--{name} {value}" for name, value in named.items() if value is not None)
        raise ConfigError(f"{options or problem.name}: {error}") from None


def changed(config: Any, changes: Mapping[str, Any]) -> Any:
    """A dataclass with some of its fields, and of the fields of its fields, exchanged."""
    return replace(
        config,
        **{
            name: changed(getattr(config, name), value) if isinstance(value, Mapping) else value
            for name, value in changes.items()
        },
    )


def to_json(problem: str, config: TrainConfig) -> str:
    """`config` as a JSON document."""
    return json.dumps({"problem": problem, **dataclasses.asdict(config)}, indent=2) + "\n"


def from_json(text: str) -> tuple[str, TrainConfig]:
    """The name of the problem and the settings that a JSON document holds. Raises ConfigError where it is not one."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"not JSON: {error}") from None
    if not isinstance(data, dict) or not isinstance(data.get("problem"), str):
        raise ConfigError("no object with a 'problem'; runs of flow networks, which have a 'task', are sampled from")
    name = data.pop("problem")
    try:
        problem = find_problem(name)
        config = build(TrainConfig(environment=problem.environment), data)
        config.instance_generator(problem)
        return name, config
    except (ValueError, TypeError) as error:
        raise ConfigError(str(error)) from None


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
