"""What was recorded, as the first transitions of a replay: learned from before anything is played, or beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import shorten
from typing import Any, NamedTuple

import torch
from torch import Tensor

from graphwright.core.segment import Segments, lexsort
from graphwright.data.recording import Recording, RecordingError, read_recording
from graphwright.data.replay import Replay
from graphwright.data.ring import Group
from graphwright.data.samples import DECISIONS
from graphwright.data.sources import GeneratedInstances
from graphwright.data.states import StateTable
from graphwright.envs.environment import Environment
from graphwright.envs.problem import Problem
from graphwright.envs.team import has_own_reward
from graphwright.training.collectors.n_step import ahead, select_graphs
from graphwright.training.collectors.play import ConfigError
from graphwright.training.collectors.recording import require_fit
from graphwright.training.config_json import as_written

_SHOWN = 60  # characters of what a file says, which may be anything


class _NextSteps(NamedTuple):
    """Of R recorded steps, up to n of each and what comes after them.

    reward: [R, n] float32, 0 after the last that counts; length: [R] int64, how many count, 0 where what comes after
    the first is not known; terminated: [R] bool; row: [R] int64, the step that the next state is acted in; meaningless
    after a termination. steps: of each of the n, the step [R] in which its reward was earned; any where none counts.
    """

    reward: Tensor
    length: Tensor
    terminated: Tensor
    row: Tensor
    steps: Sequence[Tensor]


def recording_for(
    problem: Problem, environment: Environment, source: GeneratedInstances, data: str, capacity: int
) -> Recording:
    """The recording of the file `data`. environment: that of the problem, or wrapped.

    Raises ConfigError or RecordingError where it is none of this problem, as far as it says what it is of, has more
    than `capacity` steps, or none of which it is known where it led.
    """
    recording = read_recording(Path(data))
    try:
        _require_same_rewards(recording.header, problem.name, as_written(problem.environment))
        require_fit(recording, environment, source.draw(1))
        _require_deciders(recording, environment)
    except RecordingError as error:
        raise RecordingError(f"{data}: {error}") from None
    if recording.num_states > capacity:
        raise ConfigError(f"--capacity {capacity}: {data} has {recording.num_states:,} steps; give at least so many")
    if recording.episode.unique().numel() == recording.num_states and not bool(recording.terminated.any()):
        raise RecordingError(f"{data}: does not say where any of its steps led; record two or more of each episode")
    return recording


def _require_deciders(recording: Recording, environment: Environment) -> None:
    """Raise RecordingError where nothing is known of what became of each decider, or of what it earned."""
    several, own = not environment.actions.one_per_graph, has_own_reward(environment)
    if several and recording.successor is None:
        raise RecordingError("holds no 'successor', who is who one step later; record it again, or take --algorithm bc")
    if own and recording.own_reward is None:
        raise RecordingError("holds no 'own_reward', what each agent earns; record it again, or take --algorithm bc")
    if not own and recording.own_reward is not None:
        raise RecordingError("holds 'own_reward', what each agent earns, where a graph has one reward; leave it out")


def _require_same_rewards(header: Mapping[str, Any], problem: str, environment: Mapping[str, Any]) -> None:
    """Raise RecordingError where others may have been paid; who wrote no problem or options is believed."""
    if header.get("problem", problem) != problem:
        raise RecordingError(f"is of {header['problem']}, whose rewards are not those of {problem}")
    said = header.get("environment", {})
    if not isinstance(said, Mapping):
        raise RecordingError("its header says no options in 'environment'; give an object of them, or leave it out")
    for name, theirs, own in _apart(said, environment):
        option, given = f"--environment.{name.replace('_', '-')}", shorten(str(theirs), _SHOWN, placeholder="...")
        raise RecordingError(
            f"was recorded with {option} {given}, where {own} is played: rewards may differ; give the same"
        )


def _apart(theirs: Mapping[str, Any], own: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Options that both say, and not alike: all the names that lead to each, and both values."""
    for name in sorted(theirs.keys() & own.keys()):
        one, other = theirs[name], own[name]
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            yield from _apart(one, other, f"{before}{name}.")
        elif one != other:
            yield f"{before}{name}", one, other


def remember(recording: Recording, replay: Replay, n_step: int) -> None:
    """Add all steps of which it is known what came of them: of an episode that was cut off all but the last."""
    ids = _store(recording, replay, _episodes(recording))
    coming = _look_ahead(recording, n_step)
    kept = coming.length > 0
    columns = {"reward": coming.reward, "length": coming.length, "terminated": coming.terminated}
    decisions = [_decisions(recording, rows) for rows in coming.steps]
    group = decisions[0]
    if "successor" in group.columns:
        group = Group(group.segments, {**group.columns, **ahead(decisions, coming.length, n_step)})
    replay.add(
        ids[kept],
        ids[torch.where(coming.terminated, torch.arange(ids.numel()), coming.row)[kept]],
        {name: column[kept] for name, column in columns.items()},
        {DECISIONS: select_graphs(group, kept)},
    )


def _decisions(recording: Recording, rows: Tensor) -> Group:
    """Those of the steps at `rows` [S], with the columns that a replay has of live ones."""
    chosen, groups = recording.action.decisions(rows)
    columns = {"action": recording.action.select(rows)}
    if recording.successor is not None:
        columns["successor"] = recording.successor[chosen].long()
    if recording.own_reward is not None:
        columns["reward"] = recording.own_reward[chosen]
    return Group(Segments.from_lengths(torch.ones_like(rows)) if groups is None else groups, columns)


def _episodes(recording: Recording) -> list[Tensor]:
    """The steps of each time, [rows] int64 each: the first of all episodes, then the second of those that have one."""
    episode = recording.episode.long()
    order = lexsort(torch.arange(episode.numel()), episode)
    _, lengths = torch.unique(episode, return_counts=True)
    position = torch.empty_like(order).index_copy(0, order, Segments.from_lengths(lengths).position)
    return [(position == time).nonzero().squeeze(1) for time in range(int(lengths.max()))]


def _store(recording: Recording, replay: Replay, times: list[Tensor]) -> Tensor:
    """[R] int64: the ids of the states in the replay."""
    ids = torch.full((recording.num_states,), -1)
    latest = torch.full((int(recording.episode.max()) + 1,), -1)
    table = recording.states
    for rows in times:
        episode, states = recording.episode[rows].long(), table.select(rows)
        begins = latest[episode[0]] < 0
        if begins:
            given = table.instances.select(table.instance_row[rows].long()) if isinstance(table, StateTable) else states
            ids[rows] = replay.add_states(states, instances=given)
        else:
            ids[rows] = replay.add_states(states, after=latest[episode])
        latest[episode] = ids[rows]
    return ids


def _look_ahead(recording: Recording, n_step: int) -> _NextSteps:
    count, following, steps = recording.num_states, recording.following, []
    known = recording.terminated | (following >= 0)
    row, reward = torch.arange(count), torch.zeros(count, n_step)
    length, terminated = torch.zeros(count, dtype=torch.int64), torch.zeros(count, dtype=torch.bool)
    for step in range(n_step):
        steps.append(row)
        counts = known[row] & ~terminated
        reward[:, step] = recording.reward[row] * counts
        length += counts
        terminated |= counts & recording.terminated[row]
        row = torch.where(counts & ~terminated, following[row], row)
    return _NextSteps(reward, length, terminated, row, steps)
