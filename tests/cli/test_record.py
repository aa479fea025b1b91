"""`graphwright record`, what its files hold, and what is said of files that do not fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from command_line import fails
from graphwright.cli.main import main
from graphwright.data.recording import read_recording
from graphwright.envs.queueing.single_hop.environment import SINGLE_HOP
from graphwright.envs.registry import find_problem
from graphwright.training.agent import load
from graphwright.training.collectors.recording import require_fit
from graphwright.training.train import resume
from queueing_networks import FOUR_QUEUES

Change = Callable[[dict[str, Tensor]], object]
OPTIONS = (
    "--encoder.width 8 --encoder.depth 1 --validation.graphs 1 --validation.slots 5 --validation.sizes 3 "
    "--validation.every 50"
)
QUICK = OPTIONS.split(" ")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recorded") / "max-weight.safetensors"
    main(["record", "single-hop", "--expert", "max-weight", "--slots", "20", "--graphs", "3", "--out", str(path)])
    return path


def contents(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118


def test_a_recording_is_what_the_expert_did(recorded: Path) -> None:
    recording, environment = read_recording(recorded), SINGLE_HOP.environment
    assert recording.num_states == 60
    states = recording.states.select(torch.arange(60))
    action = recording.action.select(torch.arange(60))
    assert torch.equal(action, SINGLE_HOP.baselines["max-weight"].rule(environment, states))
    step = environment.step(states, action)
    torch.testing.assert_close(step.reward, recording.reward)
    after = step.state.nodes["queue"].split(step.state.node_segments.lengths.tolist())
    queues = states.nodes["queue"].split(states.node_segments.lengths.tolist())
    assert all(torch.equal(after[row], queues[row + 3]) for row in range(57))  # three networks, slot by slot
    require_fit(recording, environment, SINGLE_HOP.generator()(1, torch.Generator()))
    _, metadata = contents(recorded)
    header = json.loads(metadata["header"])
    assert (metadata["format"], header["problem"], header["by"], header["states"]) == (
        *("graphwright-recording", "single-hop", "max-weight"),
        60,
    )


def test_teams_are_recorded_with_so_many_agents(tmp_path: Path) -> None:
    words = ["record", "coverage", "--expert", "assigned", "--episodes", "2", "--agents", "4"]
    main([*words, "--out", str(tmp_path / "team.safetensors")])
    recording = read_recording(tmp_path / "team.safetensors")
    assert recording.action.select(torch.arange(2)).numel() == 2 * 4


def test_cloning_learns_from_the_file_and_goes_on_from_it(
    recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", "single-hop", "--algorithm", "bc", "--bc.data", str(recorded), *QUICK]
    main([*words, "--steps", "64", "--run", str(tmp_path / "run"), "--num-states", "32"])
    run = resume(tmp_path / "run", steps=96)
    assert run.counters.steps >= 96
    assert load(tmp_path / "run").policy is not None
    soft, path = [*words, "--bc.targets", "soft", "--run", tmp_path / "soft"], tmp_path / "by-run.safetensors"
    assert "--bc.targets soft" in fails(capsys, *soft)
    by_run = ["--run", str(tmp_path / "run"), "--slots", "4", "--graphs", "2", "--out", str(path)]
    main(["record", "single-hop", *by_run])
    main([*(str(word) for word in soft), "--steps", "8", "--bc.data", str(path)])


def test_scores_that_are_values_are_not_recorded_as_probabilities(tmp_path: Path) -> None:
    """A recording of DQN said softmax(A), by which nobody had acted, and which `--bc.targets soft` then learned."""
    run, path = str(tmp_path / "run"), tmp_path / "by-values.safetensors"
    small = ["--num-envs", "4", "--num-steps", "4", "--warm-up", "0", "--num-minibatches", "1"]
    main(["train", "single-hop", "--algorithm", "dqn", "--steps", "16", "--run", run, *QUICK, *small])
    main(["record", "single-hop", "--run", run, "--slots", "4", "--graphs", "2", "--out", str(path)])
    assert read_recording(path).probability is None


def test_the_seed_counts_for_files_too(tmp_path: Path) -> None:
    """Another seed is another run of the same network, as it is for `evaluate`."""
    net = tmp_path / "net.json"
    net.write_text(json.dumps(FOUR_QUEUES))
    rewards = []
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        path = tmp_path / f"{name}.safetensors"
        words = ["--slots", "30", "--seed", seed, "--out", str(path), "--instances", str(net)]
        main(["record", "single-hop", "--expert", "max-weight", *words])
        rewards.append(read_recording(path).reward)
    assert torch.equal(rewards[0], rewards[1])
    assert not torch.equal(rewards[0], rewards[2])


def _without(name: str) -> Change:
    return lambda tensors: tensors.pop(name)


def _set(name: str, row: int, value: float) -> Change:
    def change(tensors: dict[str, Tensor]) -> None:
        tensors[name][row] = value

    return change


def _renamed(name: str, other: str) -> Change:
    return lambda tensors: tensors.update({other: tensors.pop(name)})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_without("reward"), "has no 'reward'"),
        (_without("nodes.queue"), "no node column 'queue'"),
        (_renamed("nodes.queue", "nodes.line"), "no node column 'queue'"),
        (_without("instances.nodes.arrival"), "no node column 'arrival'"),
        (_set("action", 5, 99), "step 5 has an action that is out of range"),
        (_set("action", 5, -7), "step 5 has an action that is out of range"),
        (_set("instance", 2, 3), "'instance' is out of range in row 2"),
        (_set("instance", 2, -1), "'instance' is out of range in row 2"),
        (_set("instances.edge_index", 0, 10_000), "edge_index"),
        (
            _set("instances.nodes.service", 0, float("nan")),
            "step 0 shows 'service' of its nodes as infinite or no number",
        ),
        (_set("reward", 1, float("nan")), "'reward' is out of range in row 1"),
        (lambda tensors: tensors.update({"reward": tensors["reward"][:7].clone()}), "has to be torch.bool [7]"),
        (lambda tensors: tensors.update({"more": tensors["reward"].clone()}), "holds 'more'"),
        (lambda tensors: tensors.update({"action": tensors["action"].float()}), "'action' has 1 dimensions"),
    ],
)
def test_files_that_do_not_fit_are_refused_in_one_line(
    change: Change, said: str, recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tensors, metadata = contents(recorded)
    change(tensors)
    bad = tmp_path / "bad.safetensors"
    save_file(tensors, bad, metadata)
    line = fails(
        capsys, "train", "single-hop", "--algorithm", "bc", "--bc.data", bad, "--run", tmp_path / "run", *QUICK
    )
    assert str(bad) in line
    assert said in line
    assert not (tmp_path / "run").exists()


def test_files_that_are_no_recordings_are_refused(
    recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = ["train", "single-hop", "--algorithm", "bc", "--run", tmp_path / "run", *QUICK, "--bc.data"]
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(recorded.read_bytes()[:-50])
    assert "truncated" in fails(capsys, *train, bad)
    tensors, metadata = contents(recorded)
    for header in ("{", "[]"):
        save_file(tensors, bad, metadata | {"header": header})
        assert f"{bad}: its header is no JSON" in fails(capsys, *train, bad)
    save_file({"reward": torch.zeros(3)}, bad)
    assert "is no recording" in fails(capsys, *train, bad)
    assert "no such file" in fails(capsys, *train, tmp_path / "none")
    assert "--bc.data" in fails(capsys, *train[:-1])
    other = ["train", "vertex-cover", "--algorithm", "bc", "--run", tmp_path / "run", "--bc.data", recorded]
    said = fails(capsys, *other)
    assert f"{recorded}: was recorded of single-hop, not of vertex-cover: is of other actions" in said
    assert "of other actions (serve, idle of graphs) than are decided here (select of graphs)" in said


def test_what_cannot_be_recorded_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def refused(problem: str, *words: object) -> str:
        return fails(capsys, "record", problem, "--out", tmp_path / "file.safetensors", *words)

    assert "choose one of max-weight, longest-queue" in refused("single-hop", "--expert", "x", "--slots", 5)
    assert "--slots 0: give at least 1" in refused("single-hop", "--expert", "max-weight", "--slots", 0)
    assert "say --slots" in refused("single-hop", "--expert", "max-weight", "--episodes", 5)
    assert "say --episodes" in refused("vertex-cover", "--expert", "greedy", "--slots", 5)
    assert "--expert NAME" in refused("vertex-cover", "--episodes", 5)
    assert "nothing to record" in refused("hyper-grid", "--expert", "x", "--episodes", 1)
    assert "no run" in refused("vertex-cover", "--run", tmp_path, "--episodes", 1)
    file = tmp_path / "net.json"
    files = ["--slots", 5, "--instances", file]
    assert "--graphs: for random" in refused("single-hop", "--expert", "max-weight", *files, "--graphs", 3)
    assert not (tmp_path / "file.safetensors").exists()


@pytest.mark.parametrize(
    ("problem", "expert"),
    [
        ("vertex-cover", "greedy"),
        ("conflict-graph", "max-weight"),
        ("graph-robustness", "least-degree"),
        ("tour", "farthest-insertion"),
    ],
)
def test_recordings_of_every_kind_of_states_and_decisions_fit(problem: str, expert: str, tmp_path: Path) -> None:
    much = ["--slots", "4", "--graphs", "2"] if problem == "conflict-graph" else ["--episodes", "2"]
    main(["record", problem, "--expert", expert, *much, "--out", str(tmp_path / "file.safetensors"), "--sizes", "6"])
    found = find_problem(problem)
    recording = read_recording(tmp_path / "file.safetensors")
    instance = found.generator()(1, torch.Generator().manual_seed(0))
    require_fit(recording, found.environment, instance)
    recording.save(tmp_path / "again")
    (first, known), (second, same) = contents(tmp_path / "file.safetensors"), contents(tmp_path / "again")
    assert known == same
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert recording.truncated[-1] | recording.terminated[-1]
