"""`TrainingRun`: a run on a problem, put together from its settings."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from typing_extensions import override

from graphwright.algorithms.algorithm import Algorithm
from graphwright.algorithms.registry import find_algorithm
from graphwright.core import GraphBatch
from graphwright.core.files import write_atomically
from graphwright.core.numbers import to_plain_json
from graphwright.data.sources import GeneratedInstances
from graphwright.envs.endless import Endless
from graphwright.envs.problem import Problem
from graphwright.training.agent import Agent, find_device
from graphwright.training.checkpoint import CheckpointError
from graphwright.training.collectors.collector import Collector
from graphwright.training.collectors.play import PlayConfig
from graphwright.training.collectors.self_play import GamesConfig
from graphwright.training.config import ConfigError, TrainConfig, require_capabilities, use_threads
from graphwright.training.config_json import fixed_settings, to_json
from graphwright.training.directory import START_FILE, has_checkpoint
from graphwright.training.evaluator import Evaluator
from graphwright.training.evaluators import make_evaluator
from graphwright.training.games.boards import draw_boards
from graphwright.training.games.evaluator import GameEvaluator
from graphwright.training.games.players import find_opponent
from graphwright.training.games.pool import OpponentPool
from graphwright.training.gflownet.collector import TrajectoryCollector
from graphwright.training.gflownet.data import require_playable
from graphwright.training.gflownet.evaluator import DistributionEvaluator
from graphwright.training.networks import make_algorithm, make_policy
from graphwright.training.run_settings import RunText
from graphwright.training.runner import Runner
from graphwright.training.start import Start, begin_at, find_start, kept_and_gained
from graphwright.training.team_sizes import note_sizes


class TrainingRun(Runner):
    """A run on a problem. `agent()` is what it has learned.

    kept_and_gained: of a run that began with another one, see `training.start`; None before its end.
    """

    kept_and_gained: dict[str, Any] | None = None

    def __init__(
        self,
        problem: Problem,
        config: TrainConfig,
        directory: Path,
        data: GraphBatch | None = None,
        trust: bool = False,
    ) -> None:
        require_capabilities(problem, config.algorithm)
        samples = not isinstance(config.collection, PlayConfig)
        own = problem.builder if samples else problem.environment
        if config.device == "cuda" and samples:
            raise ConfigError("--device cuda: flow networks run on the CPU only; leave it out")
        use_threads(config.threads)
        device = find_device(config.device)
        if not isinstance(config.environment, type(own)):
            given, wanted = type(config.environment).__name__, type(own).__name__
            raise ConfigError(
                f"{problem.name}: plays {wanted}, and the settings are for {given}; see TrainConfig.for_problem"
            )
        self.problem = problem
        self.config = config
        self.trust = trust
        self.other_teams: TrainConfig | None = None  # the settings so far, where teams have other sizes from now on
        generator = torch.Generator(device).manual_seed(config.seed)
        require_endless_returns(problem, config)
        algorithm = make_algorithm(config, generator)
        self.start: Start | None = None
        if config.start is not None and not has_checkpoint(directory):
            self.start = find_start(config.start, trust)
        begin_at(self.start, algorithm, config, device)
        if samples:
            collector, evaluator = _sampling(problem, config, algorithm, generator, data)
        else:
            collector, evaluator = _playing(problem, config, algorithm, generator, data)
        torch.manual_seed(config.seed)
        super().__init__(
            directory, config, lambda: run_text(problem.name, config), collector, algorithm, evaluator, generator
        )

    @override
    def _write_and_run(self, console: Console | None) -> None:
        if self.other_teams is not None and not self.was_finished:
            note_sizes(self.directory, self.other_teams)
        super()._write_and_run(console)

    @override
    def run(self, console: Console | None = None) -> None:
        super().run(console)
        collection = self.config.collection
        if (
            self.config.start is not None
            and isinstance(collection, PlayConfig)
            and not isinstance(collection, GamesConfig)
        ):
            path = self.directory / START_FILE
            if self.was_finished and path.is_file():  # that run may have gone on since
                self.kept_and_gained = json.loads(path.read_text(encoding="utf-8"))
                return
            try:
                self.start = self.start or find_start(self.config.start, self.trust)
            except (ConfigError, CheckpointError):
                return  # a run that goes on needs it no more; there is nothing left to compare with
            self.kept_and_gained = kept_and_gained(self.start, self.config, self.evaluator, self.learned())
            text = to_plain_json(self.kept_and_gained, indent=2)
            write_atomically(path, f"{text}\n".encode())

    def agent(self) -> Agent:
        """The policy that the run would leave now."""
        return Agent(self.problem, self.config, self.learned())

    def learned(self) -> Any:
        """A copy of the policy that the run would leave now."""
        policy = make_policy(self.config, self.generator.device)
        policy.load_state_dict(dict(self.result()[0]))
        return policy


def _playing(
    problem: Problem, config: TrainConfig, algorithm: Algorithm, generator: torch.Generator, data: GraphBatch | None
) -> tuple[Collector, Evaluator]:
    if data is not None:
        raise ConfigError(f"data: --algorithm {config.algorithm} learns from episodes of its own; leave it out")
    collection, device = config.collection, generator.device
    source = GeneratedInstances(collection.instances(problem), config.seed, device)
    if isinstance(collection, GamesConfig):
        return _playing_games(problem, config, source, generator)
    own = replace(problem, environment=config.environment)
    collector = collection.collector(own, config.played, source, generator)
    return collector, make_evaluator(problem, config.environment, collection, config.validation, device)


def _playing_games(
    problem: Problem, config: TrainConfig, source: GeneratedInstances, generator: torch.Generator
) -> tuple[Collector, Evaluator]:
    game, collection, validation = config.environment, config.collection, config.validation
    pool = OpponentPool(partial(make_policy, config, generator.device), collection.snapshots)
    sizes = validation.sizes or (max(collection.sizes or problem.sizes),)
    instances = [
        draw_boards(problem, game, collection, size, validation.games, config.seed + 1, "--validation.sizes").to(
            generator.device
        )
        for size in sizes
    ]
    names = list(problem.opponents)[:2] if validation.opponents is None else validation.opponents
    opponents = {name: find_opponent(problem, name) for name in names}
    evaluator = GameEvaluator(game, instances, opponents, pool, validation, config.seed)
    return collection.with_pool(problem, game, source, pool, generator), evaluator


def _sampling(
    problem: Problem, config: TrainConfig, algorithm: Algorithm, generator: torch.Generator, data: GraphBatch | None
) -> tuple[Collector, Evaluator]:
    environment, validation = config.environment, config.validation
    objective = find_algorithm(config.algorithm).load()
    config.collection.check(problem, environment, config.algorithm, objective)
    collection = config.collection.completed(problem, objective)
    require_playable(problem, environment)
    collector = TrajectoryCollector(problem, environment, collection, algorithm.policy, generator, data)  # type: ignore[arg-type]
    collector.recognises = algorithm.passes * algorithm.minibatches > 1  # type: ignore[attr-defined]
    wanted = objective.of(config.settings, config.algorithm)
    try:
        evaluator = DistributionEvaluator(problem, environment, collection, wanted, validation, collector.measure)
        if evaluator.exact is not None:
            collector.know(evaluator.exact.space, 8 if collector.recognises and config.seconds is not None else 1)
        return collector, evaluator
    except BaseException:
        collector.measure.__exit__()
        raise


def require_endless_returns(problem: Problem, config: TrainConfig) -> None:
    """Raise ConfigError where average returns are wanted of episodes that end."""
    if getattr(config.settings, "returns", "discounted") == "average" and not isinstance(config.environment, Endless):
        options = find_algorithm(config.algorithm).load().options
        raise ConfigError(f"--{options}.returns average: the episodes of {problem.name} end; take discounted")


def run_text(problem: str, config: TrainConfig) -> RunText:
    """What a run on the problem of that name writes of its settings."""
    options = find_algorithm(config.algorithm).load().options
    return RunText(to_json(problem, config), fixed_settings(problem, config), options)
