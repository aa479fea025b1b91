"""Teams on the command line: mixtures of sizes, evaluation of any size, recordings, transfer, refusals."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment

from command_line import fails
from graphwright.cli import evaluate_team
from graphwright.cli.main import main
from graphwright.cli.options import with_agents
from graphwright.drawing.teams import save_episode
from graphwright.envs.registry import find_problem
from graphwright.training.agent import load
from graphwright.training.collectors.play import ConfigError
from graphwright.training.collectors.steps import StepsConfig
from graphwright.training.evaluate_team import TeamOptions, instances_of

SMALL = ("--threads", "1", "--encoder.width", "8", "--encoder.depth", "1", "--num-envs", "8", "--num-steps", "4")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("teams") / "run"
    words = ["train", "coverage", "--run", str(directory), "--steps", "64", "--agents", "2", "3", *SMALL]
    main([*words, "--environment.steps", "6", "--validation.graphs", "2", "--validation.every", "1"])
    return directory


def test_settings_of_teams_go_to_other_processes() -> None:
    """A sweep's trials side by side are given them; their class, which has the option `--agents`, is of this one."""
    settings = StepsConfig(num_envs=3)
    there = pickle.loads(pickle.dumps(with_agents(settings)))
    assert there == settings
    assert type(there) is StepsConfig


def test_recordings_hold_every_step_for_anyone_to_check(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, picture = tmp_path / "all.npz", tmp_path / "one.gif"
    titles: list[str] = []

    def drawn(record: dict, title: str, path: Path) -> None:
        titles.append(title)
        save_episode(record, title, path)

    monkeypatch.setattr(evaluate_team, "save_episode", drawn)
    words = ["evaluate", str(run), "--agents", "4", "--episodes", "5", "--json", "--threads", "1"]
    main([*words, "--record", str(file), "--picture", str(picture)])
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert row["agents"] == 4
    assert {"success", "success_low", "return_per_agent", "return_per_agent_high", "length"} <= row.keys()
    assert row["baselines"].keys() == {"random", "assigned", "greedy", "nearest"}
    assert picture.read_bytes()[:4] == b"GIF8"
    main(
        ["evaluate", "coverage", "--policy", "assigned", "--agents", "1", "--episodes", "1", "--picture", str(picture)]
    )
    assert titles == ["coverage, 4 agents", "coverage, 1 agent"]
    with np.load(file) as record:
        agents, landmarks, actions, rewards = (record[name] for name in ("agents", "landmarks", "actions", "rewards"))
    assert (agents.shape, landmarks.shape) == ((5, 7, 4, 2), (5, 4, 2))
    assert (actions.shape, rewards.shape) == ((5, 6, 4), (5, 6))
    np.testing.assert_allclose(np.nansum(rewards, 1).mean(), row["return_per_agent"], rtol=1e-5)
    for episode, time in np.argwhere(~np.isnan(rewards)):
        far = np.linalg.norm(agents[episode, time + 1, :, None] - landmarks[episode, None], axis=-1)
        np.testing.assert_allclose(-far[linear_sum_assignment(far)].mean(), rewards[episode, time], rtol=1e-5)
        assert ((actions[episode, time] >= 0) & (actions[episode, time] < 5)).all()


def test_recordings_of_several_sizes_are_filled_up(run: Path, tmp_path: Path) -> None:
    file = tmp_path / "both.npz"
    main(["evaluate", str(run), "--agents", "2", "3", "--episodes", "2", "--record", str(file), "--threads", "1"])
    with np.load(file) as record:
        assert record["sizes"].tolist() == [2, 2, 3, 3]
        assert np.isnan(record["agents"][:2, :, 2]).all()
        assert (record["actions"][:2, :, 2] == -1).all()


def test_transfer_is_a_table_of_runs_and_sizes(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "map.png"
    words = ["transfer", str(run), str(run), "--agents", "1", "4", "--episodes", "3", "--picture", str(picture)]
    main([*words, "--json", "--threads", "1"])
    found = json.loads(capsys.readouterr().out)
    assert [each["trained_on"] for each in found["runs"]] == [[2, 3]] * 2
    assert [row["agents"] for row in found["runs"][1]["rows"]] == [1, 4]
    assert picture.read_bytes()[1:4] == b"PNG"
    main([*words, "--threads", "1"])
    assert "run (ppo, 2/3)" in capsys.readouterr().out


def test_transfer_names_all_numbers_of_agents_that_a_run_had(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """After `resume --agents` it named the last alone, as if the others had never been seen."""
    again = tmp_path / "again"
    shutil.copytree(run, again)
    for agents, steps in (("4", "96"), ("3", "128")):
        main(["resume", str(again), "--agents", agents, "--steps", steps])
    words = ["transfer", str(again), "--agents", "1", "--episodes", "2", "--threads", "1"]
    capsys.readouterr()
    main([*words, "--json"])
    assert json.loads(capsys.readouterr().out)["runs"][0]["trained_on"] == [2, 4, 3]
    main(words)
    assert "again (ppo, 2/4/3)" in capsys.readouterr().out
    (again / "agents.json").write_text('["x"]')
    assert f"{again / 'agents.json'}: is no list of numbers of agents" in fails(capsys, *words)


def test_agents_play_as_they_were_validated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Foragers by probabilities draw, as they learned to; values are no probabilities, and nobody draws by them."""
    runs = {name: str(tmp_path / name) for name in ("mappo", "vdn")}
    for name, run in runs.items():
        words = ["--steps", "32", "--validation.graphs", "2", "--environment.steps", "10"]
        words += ["--warm-up", "16", "--capacity", "64"] if name == "vdn" else []
        main(["train", "foraging", "--algorithm", name, "--run", run, *SMALL, *words])
    evaluate = [["evaluate", run, "--episodes", "5", "--json", "--threads", "1"] for run in runs.values()]
    capsys.readouterr()
    actions, ways = [], []
    for words in ([], ["--decode", "sample"], ["--decode", "greedy"]):
        main([*evaluate[0], *words, "--record", str(tmp_path / "steps.npz")])
        ways.append(json.loads(capsys.readouterr().out)["decode"])
        with np.load(tmp_path / "steps.npz") as record:
            actions.append(record["actions"])
    assert ways == ["sample", "sample", "greedy"]
    np.testing.assert_array_equal(actions[0], actions[1])
    assert (actions[0] != actions[2]).any()
    main(evaluate[1])
    assert json.loads(capsys.readouterr().out)["decode"] == "greedy"
    main(["transfer", *runs.values(), "--agents", "1", "--episodes", "2", "--json", "--threads", "1"])
    transferred = json.loads(capsys.readouterr().out)
    assert [each["decode"] for each in transferred["runs"]] == ["sample", "greedy"]
    assert transferred["decode"] is None
    values = "the scores of --algorithm vdn are values, and no probabilities to draw by"
    refused = f"--decode sample: {values}; leave it out"
    assert fails(capsys, *evaluate[1], "--decode", "sample").strip().endswith(refused)
    file = str(tmp_path / "steps.safetensors")
    record = ("record", "foraging", "--run", runs["vdn"], "--episodes", "1", "--out", file)
    assert fails(capsys, *record, "--decode", "sample").strip().endswith(refused)
    main([*record])
    agent = load(Path(runs["vdn"]))
    with pytest.raises(ConfigError, match="draw=True: the scores"):
        agent.act(agent.problem.generator(sizes=(2,))(1, torch.Generator()), draw=True)
    script = fails(capsys, "evaluate", "foraging", "--policy", "together", "--decode", "greedy")
    assert "--decode greedy: is about what is trained, as --policy together is not" in script
    new = ("train", "foraging", "--algorithm", "vdn", "--run", str(tmp_path / "new"), "--validation.decode", "sample")
    assert fails(capsys, *new).strip().endswith(f"--validation.decode sample: {values}; leave it out")


def test_baselines_need_no_run(capsys: pytest.CaptureFixture[str]) -> None:
    main(["evaluate", "coverage", "--policy", "assigned", "--agents", "5", "--episodes", "6", "--json"])
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert row["success"] == 1


def test_bad_input_is_one_line(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new, maps = str(tmp_path / "new"), tmp_path / "maps.txt"
    maps.write_text("...\n.#.\n")
    cases: dict[tuple[object, ...], str] = {
        ("train", "coverage", "--run", new, "--agents", "0"): "--agents 0: a team has at least 1 agent",
        ("train", "coverage", "--run", new, "--agents", "3", "x"): "--agents 3 x: give whole numbers",
        ("evaluate", run, "--agents", "0"): "--agents 0: a team has at least 1 agent",
        ("evaluate", run, "--agents"): "--agents",
        ("evaluate", run, "--agents", "3", "--episodes", "0"): "--episodes 0: give at least 1",
        ("evaluate", run, "--record", tmp_path / "a.txt"): "name it a.npz",
        ("evaluate", run, "--record", tmp_path / "no" / "a.npz"): "--record",
        ("evaluate", run, "--picture", tmp_path / "a.png"): "name it a.gif",
        ("evaluate", "coverage", "--policy", "none"): "choose one of assigned, greedy, nearest, random",
        ("evaluate", "coverage", "--policy", "assigned", "--maps", maps): "--maps: coverage has no maps",
        ("evaluate", "path-finding", "--policy", "planned", "--maps", maps, "--agents", "5"): "no room for 5 agents",
        ("evaluate", "path-finding", "--policy", "planned", "--maps", maps, "--law", "packed"): "--law packed: draws",
        ("evaluate", "path-finding", "--policy", "planned", "--agents", "400"): "have no room for 400 agents",
        ("evaluate", "path-finding", "--policy", "planned", "--maps", tmp_path / "none"): "none",
        ("transfer", run, tmp_path / "none"): "no such file",
        ("transfer",): "name at least one run",
        ("solve", run, tmp_path / "a.json"): "",
    }
    for words, message in cases.items():
        assert message in fails(capsys, *words), words
    assert not Path(new).exists()


def test_maps_with_a_byte_order_mark_are_the_same_maps(tmp_path: Path) -> None:
    found = []
    for encoding in ("utf-8", "utf-8-sig"):
        path = tmp_path / encoding
        path.write_text("..#\n...\n...\n", encoding=encoding)
        options = TeamOptions(agents=(2,), episodes=2, maps=(path,))
        found.append(instances_of(find_problem("path-finding"), 2, options).graphs["map"])
    assert torch.equal(*found)


@pytest.mark.parametrize(("name", "encoding"), [("north", "utf-16"), ("north", "utf-16-le"), ("süd", "latin-1")])
def test_maps_in_other_encodings_are_refused_by_that(name: str, encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "maps.txt"
    path.write_text(f"{name}:\n..#\n...\n", encoding=encoding)
    with pytest.raises(ConfigError, match=f"^--maps {path}: is not UTF-8; save it as UTF-8$"):
        instances_of(find_problem("path-finding"), 2, TeamOptions(agents=(2,), episodes=2, maps=(path,)))
