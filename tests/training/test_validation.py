"""On which teams a run is watched."""

from pathlib import Path

import pytest

from graphwright.training.config import TrainConfig
from graphwright.training.train import new_run


@pytest.mark.parametrize(
    ("agents", "asked", "watched"),
    [(None, None, (3, 5)), ((3, 4, 5), None, (3, 5)), ((6, 2, 6), None, (2, 6)), ((6,), (3, 5), (3, 5))],
)
def test_teams_are_watched_at_the_sizes_that_they_train_on(
    agents: tuple[int, ...] | None, asked: tuple[int, ...] | None, watched: tuple[int, ...], tmp_path: Path
) -> None:
    """The problem's own, 3 and 5 agents, where nobody names any; what is asked for goes before."""
    options = {"collection": {"sizes": agents, "num_envs": 2}, "validation": {"sizes": asked, "graphs": 1}}
    run = new_run("coverage", TrainConfig.for_problem("coverage", "ippo", **options), tmp_path / "run")
    assert run.config.validation.sizes == watched
    assert [int(batch.nodes["type"].numel()) for batch in run.evaluator.instances] == [2 * size for size in watched]  # type: ignore[attr-defined]
