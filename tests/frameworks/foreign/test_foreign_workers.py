"""Workers: the same as without them, whatever becomes of them."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from frameworks.foreign.foreign_environments import BreaksInReset, Changing, Faulty, Paying
from graphwright.core import ActionSpec, per_edge, per_node
from graphwright.data.rollout import Rollout
from graphwright.envs.problem import random_choice
from graphwright.frameworks.foreign import (
    ForeignTraining,
    ForeignVectorEnv,
    WorkerError,
    WorkerOptions,
    WorkerWarning,
    from_gymnasium,
    play_episodes,
    train_foreign,
)
from graphwright.nn import ActorCritic, EncoderConfig, HeadsConfig
from graphwright.training.collectors.steps import collect_steps
from graphwright.workers.buffers import Buffer, Place
from strategies import seeded

LINKS = ActionSpec(per_edge("take"))


def collect(vector: ForeignVectorEnv, num_steps: int) -> Rollout:
    torch.manual_seed(0)
    rules = vector.environment
    policy = ActorCritic(rules.features, rules.actions, EncoderConfig(width=8, depth=1, kind="gin"), HeadsConfig())
    return collect_steps(vector, policy, num_steps, seeded())


def tensors(rollout: Rollout) -> dict[str, torch.Tensor]:
    states = rollout.states.select(torch.arange(rollout.states.num_states)).to_tensors()
    named = {name: getattr(rollout, name) for name in ("log_prob", "reward", "terminated", "truncated", "next_row")}
    return states | named | {"action": rollout.action.values}


def test_workers_change_nothing_nor_does_the_size_of_their_buffers() -> None:
    with from_gymnasium(Changing, 5, actions=LINKS, seed=3) as local:
        expected = tensors(collect(local, 25))
    for buffer_bytes in (1 << 20, 700):
        options = WorkerOptions(buffer_bytes=buffer_bytes)
        with from_gymnasium(Changing, 5, 2, actions=LINKS, seed=3, options=options) as vector:
            found = tensors(collect(vector, 25))
            assert (vector.pool.num_messages > 0) == (buffer_bytes == 700)  # type: ignore[attr-defined]
            assert not vector.failures
        assert found.keys() == expected.keys()
        for name, tensor in expected.items():
            torch.testing.assert_close(found[name], tensor, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("raise", r"RuntimeError: the simulator diverged, raised by environment 2 in a step \({file}\)"),
        ("exit", r"ended with exit code 7"),
        ("sleep", r"no answer within 8 s \({file}\)"),
    ],
)
def test_a_worker_that_fails_costs_its_running_steps_and_nothing_else(fault: str, reason: str, tmp_path: Path) -> None:
    """Every state that was acted in goes to the next one, to its end, or, where the worker failed, nowhere."""
    makes = [Changing, Changing, partial(Faulty, fault, str(tmp_path / "flag")), Changing]
    options = WorkerOptions(time_limit=8.0 if fault == "sleep" else 60.0)
    with from_gymnasium(makes, 4, 2, actions=LINKS, seed=0, options=options) as vector:
        reason = reason.format(file=r"\S*foreign_environments\.py:\d+")
        with pytest.warns(WorkerWarning, match=f"^the worker of environments 2 to 3 was restarted: {reason}$"):
            rollout = collect(vector, 30)
        assert vector.num_lost == 2
        (failure,) = vector.failures
    assert failure.environments == range(2, 4)
    assert ("in step" in failure.reason) == (fault != "exit")
    assert rollout.lost.nonzero()[:, 1].tolist() == [2, 3]
    state = rollout.states.select(torch.arange(rollout.states.num_states))
    episode, time = state.nodes["x"][state.node_ptr[:-1]].t()
    here, ongoing = torch.arange(120).view(30, 4), torch.arange(4, 124).view(30, 4)
    following = rollout.next_row.long()
    lost = (time[following] == time[here]) & ~rollout.terminated
    assert torch.equal(rollout.lost, lost)
    assert bool((rollout.truncated & (rollout.reward == 0))[lost].all())
    kept = ~rollout.terminated & ~lost
    assert bool((time[following] == time[here] + 1)[kept].all())
    assert bool((episode[following] == episode[here])[kept].all())
    done = rollout.terminated | rollout.truncated
    assert time[ongoing].tolist() == torch.where(done, 0.0, time[here] + 1).tolist()
    assert episode[ongoing].tolist() == torch.where(lost, 0.0, episode[here] + done).tolist()


def test_episodes_that_are_lost_with_a_worker_are_none_that_ended(tmp_path: Path) -> None:
    """Neither in the mean return of a run, which is exactly five, nor among the episodes that are played."""
    actions, encoder = ActionSpec(per_node("wait")), EncoderConfig(width=8, depth=1, kind="gin")
    makes = [Paying, partial(Paying, str(tmp_path / "one"))]
    config = ForeignTraining(steps=24, encoder=encoder, num_steps=4)
    with from_gymnasium(makes, 2, 2, actions=actions) as vector, pytest.warns(WorkerWarning):
        rows = train_foreign(vector, config, tmp_path / "run", Console(quiet=True)).rows
    assert vector.num_lost == 1
    assert [row["return"] for row in rows if not math.isnan(row["return"])] == [5.0] * 2
    makes = [Paying, partial(Paying, str(tmp_path / "two"))]
    with from_gymnasium(makes, 2, 2, actions=actions) as vector, pytest.warns(WorkerWarning):
        returns = play_episodes(vector, random_choice(vector.environment, seeded()), 2)  # type: ignore[arg-type]
    assert returns.tolist() == [[5.0, 5.0], [5.0, 5.0]]


def test_what_fails_at_once_is_raised_with_its_traceback() -> None:
    with pytest.raises(WorkerError, match="no licence"):
        from_gymnasium(BreaksInReset, 2, 1, actions=LINKS)
    with pytest.raises(ValueError, match="workers=3 for 2 environments"):
        from_gymnasium(Changing, 2, 3, actions=LINKS)


def test_failures_without_end_are_raised(tmp_path: Path) -> None:
    options = WorkerOptions(max_failures=0)
    make = partial(Faulty, "raise", str(tmp_path / "flag"))
    with (
        from_gymnasium(make, 1, 1, actions=LINKS, options=options) as vector,
        pytest.raises(WorkerError, match="simulator diverged"),
    ):
        collect(vector, 30)


def test_buffers_give_back_what_was_put_in_them() -> None:
    buffer = Buffer(bytearray(256))
    arrays = []
    for shape, dtype in (((3, 2), "float32"), ((0, 2), "int64"), ((5,), "bool"), ((40,), "int64"), ((4,), "int64")):
        array = buffer.allocate(shape, np.dtype(dtype))
        array[...] = np.arange(array.size).reshape(shape)
        arrays.append(array)
    places = [buffer.place(array) for array in arrays]
    assert [isinstance(place, Place) for place in places] == [True, False, True, False, True]
    for array, place in zip(arrays, places, strict=True):
        assert buffer.find(place).tolist() == array.tolist()
