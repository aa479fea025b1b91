"""Training on foreign environments with Graphwright's algorithms, and policies as files."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch import Tensor
from typing_extensions import override

from graphwright.algorithms.algorithm import Setup
from graphwright.algorithms.registry import find_algorithm
from graphwright.core import ActionSpec, Features
from graphwright.core.numbers import require_each
from graphwright.envs.team import has_own_reward
from graphwright.envs.vector import VectorEnv
from graphwright.frameworks.foreign.collectors import REPLAYS, make_collector, require_replay
from graphwright.frameworks.foreign.vector import fixed_agents, play_episodes
from graphwright.nn import EncoderConfig, GraphPolicy, HeadsConfig
from graphwright.training.checkpoint import (
    CONFIG_FILE,
    FORMAT,
    CheckpointError,
    load_checkpoint,
    load_module,
    require_fit,
)
from graphwright.training.collectors.replay import ReplayConfig
from graphwright.training.config import ConfigError, RunConfig, use_threads
from graphwright.training.config_json import build, parse_json, require_trusted_layer
from graphwright.training.directory import new_directory, settings_text
from graphwright.training.evaluator import Evaluator, NoEvaluator
from graphwright.training.logging import MetricsFile
from graphwright.training.run_settings import RunText
from graphwright.training.runner import Runner


@dataclass(frozen=True, kw_only=True)
class ForeignTraining(RunConfig):
    """Settings of a run. The vector decides how many episodes there are side by side."""

    num_steps: int = 16
    """Steps of each episode between updates."""
    replay: ReplayConfig | None = None
    """What is remembered, where the algorithm learns from a replay; how many episodes and steps, say the vector and
    `num_steps`."""
    validation_every: int = 10
    """Updates between validations, where there are episodes to validate on."""
    validation_episodes: int = 1
    """Episodes of each environment that one validation plays."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where a value makes no run."""
        super().__post_init__()
        require_each(self, "", ("num_steps", "validation_every", "validation_episodes"))
        collector = find_algorithm(self.algorithm).collector
        if collector not in ("steps", *REPLAYS):
            raise ConfigError(f"algorithm={self.algorithm!r}: foreign episodes go on from update to update; take ppo")
        if collector in REPLAYS and self.replay is None:
            object.__setattr__(self, "replay", REPLAYS[collector]())
        require_replay(self.algorithm, collector, self.replay, self.num_steps)


class ForeignReturnEvaluator(Evaluator):
    """The mean return of greedy episodes of environments of their own."""

    metric = "validation_return"
    better = "higher"

    def __init__(self, vector: VectorEnv, episodes: int, every: int) -> None:
        super().__init__(every)
        self.vector = vector
        self.episodes = episodes

    @override
    def evaluate(self, policy: GraphPolicy) -> dict[str, float]:
        return {"validation_return": float(play_episodes(self.vector, policy.best, self.episodes).mean())}


class ForeignRun(Runner):
    """A run on foreign episodes. `learned()` is the policy that it leaves, `rows` what was logged."""

    resume_by = "`resume_foreign(vector, '{}')`"

    def __init__(
        self,
        vector: VectorEnv,
        config: ForeignTraining,
        directory: Path,
        validation: VectorEnv | None = None,
    ) -> None:
        use_threads(config.threads)
        vector = fixed_agents(vector)
        generator = torch.Generator(vector.state.device).manual_seed(config.seed)
        environment = vector.environment
        self.config = config
        self.features, self.actions = environment.features, environment.actions
        entry = find_algorithm(config.algorithm)
        if "team" in entry.needs and self.actions.one_per_graph:
            raise ConfigError(
                f"algorithm={config.algorithm!r}: learns what agents of one graph do; make the vector by from_team"
            )
        setup = Setup(
            config.algorithm,
            self.features,
            self.actions,
            environment,
            config.encoder,
            config.heads,
            generator,
            has_own_reward(environment),
        )
        made = entry.load()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            algorithm = made.build(config.settings, setup)
        evaluator: Evaluator = NoEvaluator()
        if validation is not None:
            evaluator = ForeignReturnEvaluator(validation, config.validation_episodes, config.validation_every)
        torch.manual_seed(config.seed)
        collector = make_collector(vector, config.num_steps, config.replay, generator)
        super().__init__(
            directory, config, lambda: _text(config, made.options), collector, algorithm, evaluator, generator
        )

    def learned(self) -> GraphPolicy:
        """A copy of the policy that the run would leave now."""
        policy = GraphPolicy(self.features, self.actions, self.config.encoder, self.config.heads)
        policy = policy.to(self.generator.device)
        policy.load_state_dict(dict(self.result()[0]))
        return policy

    @property
    def rows(self) -> list[dict[str, float]]:
        """The metrics of each update."""
        return MetricsFile(self.directory / "metrics.csv").rows()

    @override
    def result(self) -> tuple[Mapping[str, Tensor], dict[str, Any]]:
        """The weights to use, with all that it takes to build the policy again."""
        tensors, info = super().result()
        return tensors, info | {
            "features": asdict(self.features),
            "actions": self.actions.as_dict(),
            "encoder": asdict(self.config.encoder),
            "heads": asdict(self.config.heads),
        }


def train_foreign(
    vector: VectorEnv,
    config: ForeignTraining,
    directory: Path | str,
    console: Console | None = None,
    *,
    validation: VectorEnv | None = None,
) -> ForeignRun:
    """Train a fresh policy on live episodes, which go on from where they are, in a new run directory.

    validation: environments of their own, on which the policy is watched and the best one is chosen; without them the
    last one is left. `load_policy` reads the directory's `policy.safetensors`.

    Raises ConfigError where the directory exists already, ValueError where a loss or a gradient is no longer finite,
    GraphError where agents join or leave during an episode; stops at Ctrl-C and SIGTERM with `Interrupted`.
    """
    run = ForeignRun(vector, config.with_an_end(), new_directory(directory, ForeignRun.resume_by), validation)
    run.begin(console)
    return run


def resume_foreign(
    vector: VectorEnv,
    directory: Path | str,
    *,
    seconds: float | None = None,
    steps: int | None = None,
    console: Console | None = None,
    validation: VectorEnv | None = None,
    trust: bool = False,
) -> ForeignRun:
    """Go on with a run where it stopped; the episodes of others cannot be saved, so that all of them begin anew.

    trust: see `training.agent.load`.

    Raises ConfigError or CheckpointError, naming the file, where the directory holds no run that can go on, and
    ConfigError, naming the option, where an interrupted run has come further than its new end.
    """
    directory = Path(directory)
    written = read_foreign_config(directory, trust)
    run = ForeignRun(vector, written.with_another_end(seconds, steps), directory, validation)
    run.resume(console, written)
    return run


def load_policy(path: Path | str, *, trust: bool = False) -> GraphPolicy:
    """The policy of a run's `policy.safetensors`; trust: see `training.agent.load`.

    Raises CheckpointError where it is missing or damaged, or where its layer needs trust.
    """
    path = Path(path)
    tensors, info = load_checkpoint(path)
    try:
        features = Features(**info["features"])
        actions = ActionSpec.from_dict(info["actions"])
        encoder, heads = build(EncoderConfig(), info["encoder"]), build(HeadsConfig(), info["heads"])
        require_trusted_layer(encoder, trust)
        make = partial(GraphPolicy, features, actions, encoder, heads)
        if encoder.layer is None:  # layers of PyG are tried when they are made
            require_fit(make, tensors, path)
        policy = make()
    except CheckpointError:
        raise
    except KeyError as error:
        raise CheckpointError(f"{path}: says nothing of its {error}; load a run of problems with `load`") from None
    except (TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise CheckpointError(f"{path}: {error}") from None
    load_module(policy, tensors, path)
    return policy


def read_foreign_config(directory: Path, trust: bool = False) -> ForeignTraining:
    """The settings of a run directory; trust: see `training.agent.load`. Raises ConfigError, naming the file."""
    text = settings_text(directory)
    try:
        data = parse_json(text)
        if data.pop("format", None) != FORMAT:
            raise ConfigError("is from another version of Graphwright, which this one cannot go on from; train anew")
        config: ForeignTraining = build(ForeignTraining(algorithm=data["algorithm"]), data)
        require_trusted_layer(config.encoder, trust)
        return config
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConfigError(f"{directory / CONFIG_FILE}: {error}") from None


def _text(config: ForeignTraining, options: str) -> RunText:
    document = {"format": FORMAT, **dataclasses.asdict(config)}
    may_change = ("seconds", "steps", "threads", "checkpoint_seconds")
    fixed = {name: value for name, value in json.loads(json.dumps(document)).items() if name not in may_change}
    return RunText(json.dumps(document, indent=2) + "\n", fixed, options)
