"""`graphwright train PROBLEM` and `graphwright resume RUN`."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from rich.console import Console

from graphwright.algorithms.registry import find_algorithm
from graphwright.cli.arguments import option_of
from graphwright.cli.commands import Parsing, with_fields
from graphwright.cli.config_file import with_config_file
from graphwright.cli.options import Trust, with_agents
from graphwright.cli.terminal import marked
from graphwright.envs.problem import Problem
from graphwright.envs.registry import PROBLEMS, find_problem
from graphwright.nn.pyg import is_of_pyg
from graphwright.training.agent import read_config
from graphwright.training.callbacks import WATCHERS
from graphwright.training.config import ConfigError, Device, TrainConfig
from graphwright.training.evaluators import GapEvaluator
from graphwright.training.games.evaluator import GameEvaluator
from graphwright.training.gflownet.evaluator import DistributionEvaluator
from graphwright.training.pretrained import load_pretrained, pretrained_run
from graphwright.training.start import sentence
from graphwright.training.train import resume, train
from graphwright.training.training_run import TrainingRun

_FROM_PRETRAINED = ("pretrained", "--from=pretrained")
Watcher = Literal["wandb", "mlflow"]


@dataclass(frozen=True)
class Train:
    """Train a policy on a problem. The options are those of the chosen algorithm, and the defaults the problem's own.

    `graphwright algorithms` lists the algorithms, `graphwright problems` the problems.
    """

    problem: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="PROBLEM")]
    """Its name, as `graphwright problems` lists it, or your own as module:NAME."""
    directory: Annotated[Path, tyro.conf.arg(name="run")]
    """Directory to make for the run."""
    config: Annotated[Any, tyro.conf.arg(name="")]
    file: Annotated[Path | None, tyro.conf.arg(name="config", metavar="FILE")] = None
    """Settings to begin with, which options on the command line change: a run's config.json, or a TOML of options."""
    trust: bool = False
    """Run code of its maker's own that the file of --config names."""

    watch: tuple[Watcher, ...] = ()
    """Log to Weights & Biases or MLflow too, if they are installed."""

    def run(self) -> None:
        """Train, and say what came of it."""
        config = TrainConfig(**{each.name: getattr(self.config, each.name) for each in dataclasses.fields(TrainConfig)})
        watchers = [WATCHERS[name]() for name in self.watch]
        _report(self.directory, train(self.problem, config, self.directory, callbacks=watchers))


def train_command(words: Sequence[str]) -> Parsing:
    """`Train` with the options, and the defaults, of what `words` say is trained and how. Raises ValueError."""
    return options_command(Train, words)


def options_command(command: type, words: Sequence[str]) -> Parsing:
    """`command`, which has the fields of `Train`, with the options and the defaults of what `words` say is trained."""
    words, config = with_config_file(_with_place_of_pretrained(words))
    problem = find_problem(_problem_of(words))
    defaults = config or TrainConfig.for_problem(problem, _algorithm_of(words), **_of_the_start(problem, words))
    values = {each.name: getattr(defaults, each.name) for each in dataclasses.fields(defaults)}
    prefix = find_algorithm(defaults.algorithm).load().options
    if problem.is_team:
        values["collection"] = with_agents(values["collection"])
    types = {
        "environment": type(defaults.environment),
        "start": Annotated[str | None, tyro.conf.arg(name="from", metavar="RUN")],
        "settings": Annotated[type(defaults.settings), tyro.conf.arg(name=prefix)],
        "collection": Annotated[type(values["collection"]), tyro.conf.arg(name="")],
        "validation": type(defaults.validation),
    }
    options = with_fields(TrainConfig, types, {name: values[name] for name in types})
    kind = with_fields(command, {"config": Annotated[options, tyro.conf.arg(name="")]}, {})
    asked = {each.name: tyro.MISSING for each in dataclasses.fields(command) if each.default is dataclasses.MISSING}
    return Parsing(kind, words, kind(**{**asked, "config": options(**values)}))


def _problem_of(words: Sequence[str]) -> str:
    """The problem that `train` is told; the first of all where none is told."""
    if words and not words[0].startswith("-"):
        return words[0]
    return next((word for word in words if word in PROBLEMS), next(iter(PROBLEMS)))


def _with_place_of_pretrained(words: Sequence[str]) -> list[str]:
    """`words` with the folder of the policy that comes with the package in place of `--from pretrained`."""
    if option_of(words, "--from") != "pretrained" or Path("pretrained").exists():
        return list(words)
    load_pretrained(_problem_of(words))  # or there is none, which it says
    return [
        word.replace("pretrained", str(pretrained_run(_problem_of(words)))) if word in _FROM_PRETRAINED else word
        for word in words
    ]


def _of_the_start(problem: Problem, words: Sequence[str]) -> dict[str, Any]:
    """The settings that a new run has from that of `--from`: the network, and of the same problem the environment.

    Raises ConfigError, naming the option, where it is no run.
    """
    directory = option_of(words, "--from")
    if not directory:
        return {}
    try:
        theirs, config = read_config(Path(directory))
    except ConfigError as error:
        raise ConfigError(f"--from {directory}: {error}") from None
    settings = {"encoder": config.encoder, "heads": config.heads}
    alike = theirs.name == problem.name and type(config.environment) is type(problem.environment)
    return settings | ({"environment": config.environment} if alike else {})


def _algorithm_of(words: Sequence[str]) -> str | None:
    """What follows `--algorithm`, wherever among `words`. Raises ValueError where there is none of that name."""
    value = option_of(words, "--algorithm")
    if value is not None:
        find_algorithm(value)
    return value


def names_own_code(words: Sequence[str]) -> bool:
    """Whether the problem, the layer or the algorithm is the user's own, as module:NAME."""
    layer, algorithm = option_of(words, "--encoder.layer"), option_of(words, "--algorithm")
    return ":" in _problem_of(words) + (algorithm or "") or (layer is not None and not is_of_pyg(layer))


@dataclass(frozen=True)
class Resume:
    """Go on with an interrupted run, exactly where it stopped."""

    directory: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """Directory of the run."""
    seconds: float | None = None
    """A new end: training time in all, the time so far included."""
    steps: int | None = None
    """A new end: environment steps, or trajectories of objects, in all."""
    agents: tuple[int, ...] | None = None
    """Numbers of agents from now on, of a team; policy, optimizers and what is remembered stay as they are."""
    threads: int | None = None
    """CPU threads; by default those of the run."""
    device: Device | None = None
    """Where the networks run; by default that of the run. Samplers run on the CPU."""
    trust: Trust = False

    def run(self) -> None:
        """Go on, and say what came of it."""
        run = resume(
            self.directory,
            seconds=self.seconds,
            steps=self.steps,
            agents=self.agents,
            threads=self.threads,
            device=self.device,
            trust=self.trust,
        )
        _report(self.directory, run)


def _report(directory: Path, run: TrainingRun) -> None:
    counters, evaluator = run.counters, run.evaluator
    steps = "trajectories" if isinstance(evaluator, DistributionEvaluator) else "steps"
    facts = [f"{counters.steps:,} {steps} in {counters.seconds:.0f} s"]
    if run.was_finished:
        facts[0] = (
            f"is at its end and stays as it was; a greater --steps or --seconds, in all, gives it a new end; {facts[0]}"
        )
    if isinstance(evaluator, GapEvaluator) and counters.best is not None:
        facts[0] += f"; policy of update {counters.best_iteration}"
        facts.append(f"{100 * counters.best:.2f} % worse than {evaluator.reference} on the validation graphs")
    if run.kept_and_gained is not None:
        facts.append(sentence(run.kept_and_gained))
    if isinstance(evaluator, GameEvaluator) and counters.best is not None:
        facts[0] += f"; policy of update {counters.best_iteration}"
        facts.append(f"Elo {counters.best:.0f}, {next(iter(evaluator.opponents), 'the first policy')} being 0")
    if isinstance(evaluator, DistributionEvaluator):
        exact, log_z = evaluator.exact, run.latest.get("log_z", math.nan)
        if evaluator.problem.sampled.one_instance and math.isfinite(log_z):
            facts.append(f"log Z {log_z:.4f}" + ("" if exact is None else f" (exact {exact.log_z:.4f})"))
        if exact is not None:
            facts.append(f"total variation {exact.total_variation(run.policy):.4f}")  # type: ignore[arg-type]
    console = Console(stderr=True, highlight=False)
    console.print(f"{marked(directory)}: {', '.join(facts)}", soft_wrap=True)
    if isinstance(evaluator, DistributionEvaluator):
        advice = evaluator.advice(run.policy, run.latest)  # type: ignore[arg-type]
        if advice is not None:
            console.print(marked(advice), soft_wrap=True)
