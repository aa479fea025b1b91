"""Callbacks: what a run tells whoever watches it. W&B and MLflow are two of them, imported when they are asked for.

class Stop(Callback):
    def on_evaluation(self, run, row):
        if row["validation_gap"] < 0.01:
            raise KeyboardInterrupt

gw.train("vertex-cover", config, "runs/vc", callbacks=[Stop()])
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from graphwright.training.config import ConfigError
from graphwright.training.config_json import flat

if TYPE_CHECKING:
    from graphwright.training.runner import Runner

Row = Mapping[str, float]
"""Numbers by name, `iteration`, `steps` and `seconds` among them; those of `metrics.csv`."""


class Callback:
    """Watches a run. Overrides what it wants to hear of; an exception ends the run, as it is then."""

    def on_begin(self, run: Runner) -> None:
        """The run begins, or goes on."""

    def on_iteration(self, run: Runner, row: Row) -> None:
        """An iteration is over; `row` has its numbers, and those of an evaluation where there was one."""

    def on_evaluation(self, run: Runner, row: Row) -> None:
        """The policy was evaluated, once before the first iteration; `row` has the numbers of that alone."""

    def on_end(self, run: Runner) -> None:
        """The run is over, or was interrupted, and all of it is saved."""


class WeightsAndBiases(Callback):
    """Logs each iteration to Weights & Biases. options: those of `wandb.init`."""

    def __init__(self, project: str = "graphwright", **options: Any) -> None:
        self._wandb = _imported("wandb")
        self._options = {"project": project, **options}
        self._logged: Any = None

    @override
    def on_begin(self, run: Runner) -> None:
        settings = json.loads(run.text.config)
        self._logged = self._wandb.init(name=run.directory.name, config=settings, **self._options)

    @override
    def on_iteration(self, run: Runner, row: Row) -> None:
        self._logged.log(_finite(row), step=int(row["iteration"]))

    @override
    def on_end(self, run: Runner) -> None:
        self._logged.finish()


class MLflow(Callback):
    """Logs each iteration to MLflow, in its experiment of that name."""

    def __init__(self, experiment: str = "graphwright") -> None:
        self._mlflow = _imported("mlflow")
        self._experiment = experiment

    @override
    def on_begin(self, run: Runner) -> None:
        self._mlflow.set_experiment(self._experiment)
        self._mlflow.start_run(run_name=run.directory.name)
        self._mlflow.log_params(dict(flat(json.loads(run.text.config))))

    @override
    def on_iteration(self, run: Runner, row: Row) -> None:
        self._mlflow.log_metrics(_finite(row), step=int(row["iteration"]))

    @override
    def on_end(self, run: Runner) -> None:
        self._mlflow.end_run()


WATCHERS: dict[str, Callable[[], Callback]] = {"wandb": WeightsAndBiases, "mlflow": MLflow}
"""By the name that the command line has for them."""


def _imported(name: str) -> Any:
    """The module of that name. Raises ConfigError, with the remedy, where it is not installed."""
    try:
        return import_module(name)
    except ImportError as error:
        raise ConfigError(f"{name} is not installed, or fails to import ({error}); pip install {name}") from None


def _finite(row: Row) -> dict[str, float]:
    return {name: value for name, value in row.items() if math.isfinite(value)}
