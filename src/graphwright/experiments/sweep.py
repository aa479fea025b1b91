"""Sweeps: many runs of one problem with settings that Optuna draws, bad ones stopped early, and what mattered.

A sweep's folder has `sweep.json` (what is tried), `trials.log` (Optuna's journal, from which it goes on), each trial's
run, and `report.md`.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from typing_extensions import override

from graphwright.core.doing import now
from graphwright.core.files import write_atomically
from graphwright.envs.registry import find_problem
from graphwright.experiments.runs import side_by_side
from graphwright.experiments.span import Span
from graphwright.training.callbacks import Callback, Row
from graphwright.training.config import ConfigError, TrainConfig
from graphwright.training.config_json import build, to_json
from graphwright.training.divergence import DivergenceError
from graphwright.training.runner import Runner
from graphwright.training.train import new_run

STORAGE_FILE, SWEEP_FILE, REPORT_FILE = "trials.log", "sweep.json", "report.md"


def with_options(config: TrainConfig, options: Mapping[str, Any], prefix: str) -> TrainConfig:
    """`config` with options by the names that the command line has for them. Raises ConfigError for a wrong one.

    prefix: what the names of the algorithm's settings begin with.
    """
    changes: dict[str, Any] = {}
    for option, value in options.items():
        *path, name = option.replace("-", "_").split(".")
        path = ["settings", *path[1:]] if path[:1] == [prefix] else path
        if path and not hasattr(config, path[0]):
            raise ConfigError(
                f"--over {option}: no option begins with {path[0]!r}; those of the algorithm begin with {prefix!r}, "
                "and --algorithm takes another"
            )
        path = ["collection"] if not path and hasattr(config.collection, name) else path
        table = changes
        for part in path:
            table = table.setdefault(part, {})
        table[name] = value
    try:
        changed: TrainConfig = build(config, changes)
    except ValueError as error:
        raise ConfigError(f"--over {', '.join(options)}: {error}") from None
    return changed


@dataclass(frozen=True)
class Sweep:
    """What is tried. config: of every trial, but for `spans`. prefix: see `with_options`."""

    problem: str
    config: TrainConfig
    prefix: str
    spans: tuple[Span, ...]
    directory: Path

    def document(self) -> dict[str, Any]:
        """What `sweep.json` holds."""
        spans = [{**vars(span), "choices": list(span.choices)} for span in self.spans]
        return {"over": spans, "config": json.loads(to_json(self.problem, self.config))}


class Pruning(Callback):
    """Reports each evaluation to Optuna, and stops a trial that is worse by then than most have been."""

    def __init__(self, trial: Any) -> None:
        self.trial = trial

    @override
    def on_evaluation(self, run: Runner, row: Row) -> None:
        from optuna import TrialPruned

        value = row[str(run.evaluator.metric)]
        if run.progress > 0 and not math.isnan(value):
            self.trial.report(value, int(100 * run.progress))
            if self.trial.should_prune():
                raise TrialPruned


def run_sweep(sweep: Sweep, trials: int, workers: int, console: Console) -> str:
    """Run what is missing of `trials`, `workers` at a time, and write the report, which is returned.

    Raises ConfigError where Optuna is missing, the folder holds another sweep, or an option is none.
    """
    options = [span.option for span in sweep.spans]
    for option in options:
        if options.count(option) > 1:
            raise ConfigError(f"--over {option}: is named twice")
    others = {span.option: span.ends()[-1] for span in sweep.spans}
    for span in sweep.spans:
        for value in span.ends():
            with_options(sweep.config, others | {span.option: value}, sweep.prefix)
    _begin(sweep)
    study = _study(sweep)
    missing = trials - sum(trial.state.is_finished() for trial in study.trials)
    for number, line in enumerate(side_by_side(_one_trial, [(sweep,)] * max(missing, 0), workers), 1):
        console.print(f"{number} of {missing}: {line}", highlight=False, markup=False, soft_wrap=True)
        now("")
    text = report(sweep, _study(sweep))
    write_atomically(sweep.directory / REPORT_FILE, text.encode())
    return text


def _begin(sweep: Sweep) -> None:
    if sweep.directory.exists() and not sweep.directory.is_dir():
        raise ConfigError(f"--out {sweep.directory}: is no folder; name one")
    path, text = sweep.directory / SWEEP_FILE, json.dumps(sweep.document(), indent=2) + "\n"
    if path.exists() and path.read_text(encoding="utf-8") != text:
        raise ConfigError(f"--out {sweep.directory}: holds a sweep with other settings; name another folder")
    if not path.exists() and sweep.directory.exists() and any(sweep.directory.iterdir()):
        raise ConfigError(f"--out {sweep.directory}: exists already, and holds no sweep; name another folder")
    sweep.directory.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text.encode())


def _study(sweep: Sweep) -> Any:
    try:
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend
    except ImportError:
        raise ConfigError("sweep: needs Optuna; pip install 'graphwright[sweep]'") from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(sweep.directory / STORAGE_FILE))),
        study_name="sweep",
        sampler=optuna.samplers.TPESampler(n_startup_trials=5),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=20),
        load_if_exists=True,
    )


def _one_trial(sweep: Sweep) -> str:
    """In a process of its own, where there are several: draw settings, train, and say what came of it."""
    from optuna import TrialPruned
    from optuna.trial import TrialState

    study = _study(sweep)
    trial = study.ask()
    drawn = {span.option: span.draw(trial) for span in sweep.spans}
    place = sweep.directory / f"trial-{trial.number:03d}"
    said = ", ".join(f"{option} {_shown(value)}" for option, value in drawn.items())
    try:
        config = replace(with_options(sweep.config, drawn, sweep.prefix), threads=1)
        run = new_run(find_problem(sweep.problem), config, place)
    except ValueError as error:  # what was drawn does not go together
        study.tell(trial, state=TrialState.FAIL)
        return f"{place.name}: {error} ({said})"
    if run.evaluator.metric is None:
        study.tell(trial, state=TrialState.FAIL)
        raise ConfigError(f"sweep: runs of {sweep.problem} are not compared by one number")
    try:
        run.callbacks = (Pruning(trial),)
        run.begin(Console(quiet=True))
    except TrialPruned:
        study.tell(trial, state=TrialState.PRUNED)
        return f"{place.name}: stopped early ({said})"
    except (DivergenceError, ConfigError, ValueError) as error:
        study.tell(trial, state=TrialState.FAIL)
        if isinstance(error, ConfigError):
            raise
        return f"{place.name}: {error}"
    best = run.counters.best
    if best is None or not math.isfinite(best):
        study.tell(trial, state=TrialState.FAIL)
        return f"{place.name}: {run.evaluator.metric} was not measured before the end ({said})"
    trial.set_user_attr("metric", run.evaluator.metric)
    trial.set_user_attr("best", best)
    study.tell(trial, best if run.evaluator.better == "lower" else -best)
    return f"{place.name}: {run.evaluator.metric} {best:.4g} ({said})"


def report(sweep: Sweep, study: Any) -> str:
    """What was tried, from the best on, and what mattered, in Markdown."""
    done = sorted((trial for trial in study.trials if trial.state.name == "COMPLETE"), key=lambda trial: trial.value)
    others = {name: sum(trial.state.name == name for trial in study.trials) for name in ("PRUNED", "FAIL")}
    lines = [f"# Sweep of {sweep.problem}", ""]
    ended = f"{len(done)} trial{'' if len(done) == 1 else 's'} to the end"
    lines += [f"{ended}, {others['PRUNED']} stopped early, {others['FAIL']} failed.", ""]
    if not done:
        return "\n".join(lines)
    options = [span.option for span in sweep.spans]
    metric = done[0].user_attrs.get("metric", "value")
    lines += [f"| trial | {' | '.join(options)} | {metric} |", f"|---|{'---:|' * (len(options) + 1)}"]
    for trial in done[:10]:
        cells = " | ".join(_shown(trial.params[option]) for option in options)
        lines.append(f"| trial-{trial.number:03d} | {cells} | {trial.user_attrs.get('best', abs(trial.value)):.5g} |")
    weights = _importance(study)
    if weights:
        lines += ["", "| option | how much it mattered |", "|---|---:|"]
        lines += [f"| {option} | {100 * share:.0f} % |" for option, share in weights.items()]
        lines += ["", "The share of each option in what tells the better trials from the rest (PED-ANOVA)."]
    best = sweep.directory / f"trial-{done[0].number:03d}"
    again = f"graphwright train --config {best} --seed {sweep.config.seed + 1} --seconds 600 --run RUN"
    if "seed" not in options:
        lines += [
            "",
            f"All trials have the seed {sweep.config.seed}, so the same graphs to learn on and to validate on.",
        ]
    return "\n".join([*lines, "", f"The best again, for longer and with a seed that did not choose it: `{again}`", ""])


def _importance(study: Any) -> dict[str, float]:
    """Option → its share; empty where there are too few trials to say, of which Optuna warns."""
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message="The number of trials is too small")
            return dict(get_param_importances(study, evaluator=PedAnovaImportanceEvaluator()))
    except (UserWarning, ValueError, RuntimeError, ZeroDivisionError):
        return {}


def _shown(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
