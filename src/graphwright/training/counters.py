"""How far a run has come on the way to its end."""

from __future__ import annotations

from dataclasses import dataclass

from graphwright.training.collectors.play import ConfigError
from graphwright.training.run_settings import RunSettings


@dataclass
class Counters:
    """How far a run has come. best: the best value of the evaluator's metric so far, and when that was."""

    iteration: int = 0
    steps: int = 0
    seconds: float = 0.0
    best: float | None = None
    best_iteration: int = 0

    def progress(self, settings: RunSettings) -> float:
        """How much of a run with these settings is over, 0 to 1."""
        ends = ((self.steps, settings.steps), (self.seconds, settings.seconds))
        return min(max((done / end for done, end in ends if end is not None), default=0.0), 1.0)

    def require_ahead(self, settings: RunSettings) -> None:
        """Raise ConfigError, naming the option, where the end of `settings` lies behind."""
        if self.progress(settings) < 1:
            return
        if settings.steps is not None and self.steps >= settings.steps:
            asked, done = f"--steps {settings.steps}", f"{self.steps}"
        else:
            asked, done = f"--seconds {settings.seconds:g}", f"{self.seconds:.1f}"
        raise ConfigError(
            f"{asked}: the run has done {done} already; give more, in all, or leave it out to go on to the end it has"
        )
