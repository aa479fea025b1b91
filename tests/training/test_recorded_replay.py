"""A recording in a replay: its transitions are what a loop over its episodes says; offline updates come first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from command_line import fails
from graphwright.cli.main import main
from graphwright.data.recording import Recording, read_recording
from graphwright.data.replay import Replay
from graphwright.data.samples import DECISIONS
from graphwright.data.stores import InstancesOnce
from graphwright.training.collectors.recorded_replay import remember
from graphwright.training.logging import MetricsFile

SHORT = ("--num-envs", "4", "--num-steps", "2", "--num-minibatches", "2", "--minibatch-size", "8", "--warm-up", "0")
SMALL = ("--threads", "1", "--encoder.width", "8", "--encoder.depth", "1", "--validation.graphs", "2")


@pytest.fixture(scope="module")
def covers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Whole episodes, which end."""
    path = tmp_path_factory.mktemp("recordings") / "covers.safetensors"
    words = ["--expert", "greedy", "--episodes", "6", "--sizes", "4", "7"]
    main(["record", "vertex-cover", *words, "--out", str(path)])
    return path


@pytest.fixture(scope="module")
def queues(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Slots of what never ends, which are cut off."""
    path = tmp_path_factory.mktemp("recordings") / "queues.safetensors"
    main(["record", "single-hop", "--expert", "max-weight", "--slots", "9", "--graphs", "3", "--out", str(path)])
    return path


def by_hand(recording: Recording, n_step: int) -> list[tuple[list[float], int, bool, int, int]]:
    """Rewards, length, whether it ends, the step that it begins with and that of the next state (-1: over)."""
    found = []
    for episode in sorted(set(recording.episode.tolist())):
        steps = (recording.episode == episode).nonzero().squeeze(1).tolist()
        for place, first in enumerate(steps):
            rewards, ends, at = [], False, place
            while len(rewards) < n_step and at < len(steps) and not ends:
                ends = bool(recording.terminated[steps[at]])
                if not ends and at + 1 == len(steps):
                    break  # what it led to was not recorded
                rewards.append(float(recording.reward[steps[at]]))
                at += 1
            if rewards:
                padded = rewards + [0.0] * (n_step - len(rewards))
                found.append((padded, len(rewards), ends, first, -1 if ends else steps[at]))
    return sorted(found, key=lambda one: one[3])


@pytest.mark.parametrize("n_step", [1, 3])
@pytest.mark.parametrize("name", ["covers", "queues"])
def test_transitions_are_those_of_a_loop(name: str, n_step: int, request: pytest.FixtureRequest) -> None:
    recording = read_recording(request.getfixturevalue(name))
    replay = Replay(1000, InstancesOnce)
    remember(recording, replay, n_step)
    found, expected = replay.select(replay.ids), by_hand(recording, n_step)
    assert len(replay) == len(expected) > 3
    assert found.columns["terminated"].any() == (name == "covers")
    for row, (rewards, length, ends, first, following) in enumerate(expected):
        assert found.columns["reward"][row].tolist() == pytest.approx(rewards)
        assert (int(found.columns["length"][row]), bool(found.columns["terminated"][row])) == (length, ends)
        assert int(found.groups[DECISIONS].columns["action"][row]) == int(recording.action.values[first])
        for state, place in ((found.state, first), (found.next_state, following)):
            if place >= 0:
                one, other = state.select(torch.tensor([row])), recording.states.select(torch.tensor([place]))
                assert all(torch.equal(one.to_tensors()[key], column) for key, column in other.to_tensors().items())


@pytest.mark.parametrize("algorithm", ["awac", "dqn"])
def test_offline_updates_play_nothing_and_a_stopped_run_goes_on(algorithm: str, covers: Path, tmp_path: Path) -> None:
    words = ["train", "vertex-cover", "--algorithm", algorithm, "--data", str(covers), "--offline-updates", "3"]
    words += [*SHORT, *SMALL, "--sizes", "5"]
    main([*words, "--steps", "24", "--run", str(tmp_path / "whole")])
    steps = [int(row["steps"]) for row in MetricsFile(tmp_path / "whole" / "metrics.csv").rows()]
    assert steps == [0, 0, 0, 8, 16, 24]
    main([*words, "--steps", "8", "--run", str(tmp_path / "parts")])
    main(["resume", str(tmp_path / "parts"), "--steps", "24"])
    assert [int(row["steps"]) for row in MetricsFile(tmp_path / "parts" / "metrics.csv").rows()] == steps


def test_what_does_not_fit_is_one_line(covers: Path, queues: Path, tmp_path: Path, capsys) -> None:
    def said(*words: str) -> str:
        run = tmp_path / "no"
        return fails(capsys, "train", *words, *SHORT, "--steps", "8", "--run", str(run))

    cover = ("vertex-cover", "--algorithm", "awac")
    assert "is of single-hop, whose rewards are not those of vertex-cover" in said(*cover, "--data", str(queues))
    assert "no such file" in said(*cover, "--data", str(tmp_path / "none.safetensors"))
    assert "offline-updates 3: from which file? give --data FILE" in said(*cover, "--offline-updates", "3")
    assert f"--capacity 8: {covers} has" in said(*cover, "--data", str(covers), "--capacity", "8")
    other = (*cover, "--data", str(covers), "--environment.legal", "any")
    assert "was recorded with --environment.legal useful, where any is played: rewards may differ" in said(*other)
    assert "was recorded with --environment.legal useful" in said(*other, "--invalid.handling", "penalty")
    for header, complaint in (
        ({"problem": "dominating-set"}, "is of dominating-set, whose rewards are not those of vertex-cover"),
        ({"actions": {}}, "is of other actions"),
        ({"environment": [1]}, "its header says no options in 'environment'"),
        ({"environment": {"view": {"of": 1}}}, "was recorded with --environment.view {'of': 1}, where"),
    ):
        recording, path = read_recording(covers), tmp_path / "other.safetensors"
        replace(recording, header={**recording.header, **header}).save(path)
        assert complaint in said(*cover, "--data", str(path))
    short = tmp_path / "short.safetensors"
    main(["record", "single-hop", "--expert", "max-weight", "--slots", "1", "--graphs", "3", "--out", str(short)])
    nothing = ("single-hop", "--algorithm", "dqn", "--data", str(short), "--offline-updates", "2")
    assert f"{short}: does not say where any of its steps led" in said(*nothing)
    team = ("patrol", "--algorithm", "iql", "--data", str(covers))
    assert "does not say which agent is which one step later" in said(*team)
