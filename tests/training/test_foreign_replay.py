"""A replay that a stranger's checkpoint holds: kernels follow its indices, so each must lead to what is there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from torch import Tensor

from graphwright.envs.registry import find_problem
from graphwright.training.collectors.collector import Collector
from graphwright.training.config import TrainConfig
from graphwright.training.training_run import TrainingRun

SMALL = {"sizes": (5,), "num_envs": 4, "num_steps": 2, "warm_up": 8, "capacity": 16, "minibatch_size": 4}
ROWS = "replay.transitions.rows"


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Collector, dict[str, Tensor]]:
    """A collector, and what a checkpoint holds of it."""
    options = {"encoder": {"width": 4, "depth": 1}, "collection": SMALL}
    config = TrainConfig.for_problem("independent-set", "dqn", steps=16, threads=1, **options)
    run = TrainingRun(find_problem("independent-set"), config, tmp_path_factory.mktemp("run"))
    run.collector.collect(run.policy)
    return run.collector, {name: tensor.clone() for name, tensor in run.collector.state_dict().items()}


def put(place: tuple[int, ...], value: float) -> Callable[[Tensor], Tensor]:
    def change(tensor: Tensor) -> Tensor:
        tensor[place] = value
        return tensor

    return change


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("here", put((0,), 99), "not among the states"),
        ("here", lambda tensor: tensor[:2], "another size"),
        ("returns", lambda tensor: tensor[:2], "one finite number for each live episode"),
        ("returns", put((0,), float("nan")), "one finite number for each live episode"),
        ("lengths", put((0,), -1), "one number of steps for each live episode"),
        (f"{ROWS}.ring", lambda tensor: tensor[:2], "does not say where it begins"),
        (f"{ROWS}.ring", put((2,), 1 << 40), "do not fit into"),
        (f"{ROWS}.ring", put((1,), 99), "in a ring of 64 places"),
        (f"{ROWS}.state", put((3,), -1), "states that are gone"),
        (f"{ROWS}.next_state", put((3,), 99), "states that are gone"),
        (f"{ROWS}.state", put((3,), 4), "referred to by others"),
        (f"{ROWS}.length", put((0,), 99), "cannot have made"),
        (f"{ROWS}.reward", put((0, 0), float("inf")), "cannot have made"),
        (f"{ROWS}.priority", put((0,), 0.0), "no number above 0"),
        (f"{ROWS}.decisions:count", put((0,), 1 << 30), "not those of its rows"),
        (f"{ROWS}.decisions:start", put((1,), 7), "not those of its rows"),
        ("replay.transitions.groups.decisions.action", put((0,), 5), "cannot have made"),
        ("replay.transitions.groups.decisions.action", put((0,), -2), "cannot have made"),
        ("replay.states.rows.instance", put((0,), 1), "referred to by others"),
        ("replay.instances.groups.edges.ends", put((0, 0), 77), "77"),
        ("replay.states.groups.nodes.selected", lambda tensor: ~tensor, "not those of the replay"),
        ("live.nodes.selected", lambda tensor: tensor.float(), "the column 'selected'"),
    ],
)
def test_what_leads_nowhere_is_refused(
    stored: tuple[Collector, dict[str, Tensor]], name: str, change: Callable[[Tensor], Tensor], message: str
) -> None:
    collector, whole = stored
    collector.load_state_dict(whole)
    with pytest.raises(ValueError, match=message):
        collector.load_state_dict(whole | {name: change(whole[name].clone())})
