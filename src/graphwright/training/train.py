"""`train` and `resume`: a run on a problem, put together from its settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from graphwright.core import GraphBatch
from graphwright.envs.problem import Problem
from graphwright.envs.registry import resolve
from graphwright.training.agent import read_config
from graphwright.training.callbacks import Callback
from graphwright.training.columns import require_networks
from graphwright.training.config import ConfigError, Device, TrainConfig
from graphwright.training.directory import new_directory
from graphwright.training.run_settings import require_same_settings
from graphwright.training.training_run import TrainingRun, run_text


def train(
    problem: str | Problem,
    config: TrainConfig,
    directory: Path | str,
    console: Console | None = None,
    *,
    data: GraphBatch | None = None,
    callbacks: Sequence[Callback] = (),
) -> TrainingRun:
    """Train a policy in a new run directory; `agent()` of the result is what it learned.

    data: finished objects for what samples, of which `collection.sources.data` are sampled backward for each update.
    callbacks: what watches the run, see `training.callbacks`.

    Ctrl-C and SIGTERM stop it where `resume` can go on, and raise `Interrupted`.

    Raises ConfigError where the directory exists already or the settings make no run; then nothing is written.
    """
    run = new_run(problem, config, directory, data=data)
    run.callbacks = tuple(callbacks)
    run.begin(console)
    return run


def new_run(
    problem: str | Problem, config: TrainConfig, directory: Path | str, *, data: GraphBatch | None = None
) -> TrainingRun:
    """A run that has not begun, and has written nothing yet. Raises as `train` does."""
    problem = resolve(problem)
    return TrainingRun(problem, config.completed(problem).with_an_end(), new_directory(directory), data)


def resume(
    directory: Path | str,
    *,
    seconds: float | None = None,
    steps: int | None = None,
    agents: Sequence[int] | None = None,
    threads: int | None = None,
    device: Device | None = None,
    console: Console | None = None,
    data: GraphBatch | None = None,
    trust: bool = False,
    callbacks: Sequence[Callback] = (),
) -> TrainingRun:
    """Go on with a run where it stopped; `seconds` or `steps` in all give it a new end. trust: see `load`.

    agents: numbers of agents of the teams that begin from now on. Live episodes go on as they are, and nothing that the
    run remembers has the size of a team.

    A run that is at its end stays as it was (`was_finished`), whatever new end behind it is given.

    Raises ConfigError or CheckpointError, naming the file, where the directory holds no run that can go on, and
    ConfigError, naming the option, where an interrupted run has come further than its new end.
    """
    directory = Path(directory)
    problem, written = read_config(directory, trust)
    config = written.with_another_end(seconds, steps)
    if agents is not None:
        config = with_agents(problem, config, agents)
    config = replace(config, threads=threads or config.threads, device=device or config.device)
    require_same_settings(directory, run_text(problem.name, config))
    run = TrainingRun(problem, config, directory, data, trust)
    run.callbacks = tuple(callbacks)
    run.other_teams = written if agents is not None else None
    run.resume(console, written)
    if run.was_finished:
        run.config = written  # nothing came of the others
    return run


def with_agents(problem: Problem, config: TrainConfig, agents: Sequence[int]) -> TrainConfig:
    """These settings with teams of other sizes. Raises ConfigError, naming the option, where there are none."""
    if not problem.is_team:
        raise ConfigError(f"--agents: {problem.name} is not played by a team; leave it out")
    if not agents:
        raise ConfigError("--agents: give at least one number of agents")
    require_networks(config, agents)
    places = getattr(config.settings, "places", None)
    if places is not None and max(agents) > places:
        option = f"--{config.settings.options}.max-agents {places}"
        raise ConfigError(f"--agents {max(agents)}: this run has places for fewer ({option}); give at most {places}")
    return replace(config, collection=replace(config.collection, sizes=tuple(agents)))
