"""`train --config`: a run's own settings, or a TOML of options, which the command line changes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from command_line import fails
from graphwright.cli.main import main
from graphwright.training.checkpoint import load_checkpoint

OPTIONS = """
problem = "independent-set"
algorithm = "ppo"
steps = 8
threads = 1
sizes = [5]
num_envs = 2
num-steps = 2
validation = { sizes = [5], graphs = 1 }

[encoder]
width = 4
depth = 1
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    (folder / "options.toml").write_text(OPTIONS + "\n[ppo]\nlearning-rate = 1e-3\n")
    main(["train", "--config", str(folder / "options.toml"), "--run", str(folder / "first")])
    return folder / "first"


def settings(directory: Path) -> dict:
    return json.loads((directory / "config.json").read_text())


def test_a_toml_holds_options_as_the_command_line_has_them(run: Path) -> None:
    found = settings(run)
    assert (found["problem"], found["steps"], found["seconds"]) == ("independent-set", 8, None)
    assert (found["encoder"]["width"], found["collection"]["sizes"], found["collection"]["num_envs"]) == (4, [5], 2)
    assert found["settings"]["learning_rate"] == 1e-3


def test_what_the_command_line_says_counts_more(run: Path, tmp_path: Path) -> None:
    options = str(run.parent / "options.toml")
    main(["train", "--run", str(tmp_path / "a"), "--config", options, "--encoder.width", "8", "--sizes", "5", "6"])
    found = settings(tmp_path / "a")
    assert (found["encoder"]["width"], found["encoder"]["depth"], found["collection"]["sizes"]) == (8, 1, [5, 6])
    main(["train", "vertex-cover", "--run", str(tmp_path / "b"), f"--config={options}", "--steps", "4"])
    assert (settings(tmp_path / "b")["problem"], settings(tmp_path / "b")["steps"]) == ("vertex-cover", 4)


def test_what_the_settings_of_an_older_run_do_not_say_is_named(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    older = settings(run)
    del older["heads"]["deciders"]
    (tmp_path / "older.json").write_text(json.dumps(older))
    main(["train", "--config", str(tmp_path / "older.json"), "--run", str(tmp_path / "new"), "--steps", "2"])
    (line,) = (line for line in capsys.readouterr().err.splitlines() if "does not say" in line)
    assert line.endswith("older.json: does not say heads.deciders = 'score'; these are defaults")
    main(["train", "--config", str(run), "--run", str(tmp_path / "whole"), "--steps", "2"])
    assert "does not say" not in capsys.readouterr().err


def test_the_settings_of_a_run_make_the_same_run_again(run: Path, tmp_path: Path) -> None:
    main(["train", "--config", str(run / "config.json"), "--run", str(tmp_path / "again")])
    assert settings(tmp_path / "again") == settings(run)
    first, again = (load_checkpoint(place / "policy.safetensors")[0] for place in (run, tmp_path / "again"))
    assert all((first[name] == again[name]).all() for name in first)
    words = ["--encoder.width", "8", "--steps", "4", "--algorithm", "a2c", "--sizes", "5", "--num-envs", "2"]
    words += ["--validation.sizes", "5", "--validation.graphs", "1"]
    main(["train", "--config", str(run), "--run", str(tmp_path / "wider"), *words])
    found = settings(tmp_path / "wider")
    assert (found["encoder"]["width"], found["encoder"]["depth"], found["steps"]) == (8, 1, 4)
    assert found["algorithm"] == "a2c"


def test_what_is_wrong_with_a_file_is_one_line_that_names_it(run: Path, tmp_path: Path, capsys) -> None:
    files = {
        "no.toml": ("steps = \n", "no TOML"),
        "unknown.toml": ('problem = "tour"\nbread = 3\n', "bread"),
        "kind.toml": ("problem = 'tour'\n[encoder]\nkind = 'magic'\n", "--encoder.kind"),
        "own.toml": ('problem = "stranger:OWN"\n', "--trust"),
        "layer.toml": ('encoder.layer = "stranger:OWN"\n', "--trust"),
        "no.json": ("{", "not JSON"),
        "other.json": ("{}", "no object with a 'problem'"),
    }
    for name, (text, word) in files.items():
        (tmp_path / name).write_text(text)
        said = fails(capsys, "train", "--config", tmp_path / name, "--run", tmp_path / "new")
        assert word in said, name
    assert "missing.toml: no such file" in fails(capsys, "train", "--config", tmp_path / "missing.toml", "--run", "x")
    assert "is of independent-set, not of tour" in fails(capsys, "train", "tour", "--config", run, "--run", "x")
    document = settings(run) | {"problem": "stranger:OWN"}
    (tmp_path / "own.json").write_text(json.dumps(document))
    assert "--trust" in fails(capsys, "train", "--config", tmp_path / "own.json", "--run", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_the_problem_may_stand_behind_a_switch(run: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    """A switch takes no value, so what follows `--trust` is the problem, not the first of all, nor the file's."""
    options = str(run.parent / "options.toml")
    (tmp_path / "own.py").write_text(
        "from dataclasses import replace\nfrom graphwright.envs.registry import find_problem\n"
        'OWN = replace(find_problem("independent-set"), name="own")\n'
    )
    monkeypatch.chdir(tmp_path)
    main(["train", "--config", options, "--trust", "own:OWN", "--run", str(tmp_path / "run")])
    assert settings(tmp_path / "run")["problem"] == "own:OWN"
