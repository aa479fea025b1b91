"""What is said of words that make no command: one line, in plain words, that names what was typed and the way out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from command_line import fails
from graphwright.cli.main import main

SMALL = ("--steps", "2", "--sizes", "5", "--encoder.width", "4", "--encoder.depth", "1", "--threads", "1")
SMALL += ("--num-envs", "2", "--num-steps", "2", "--validation.graphs", "1", "--validation.sizes", "5")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a run, a file, a module and nothing else."""
    directory = tmp_path_factory.mktemp("here")
    main(["train", "vertex-cover", "--run", str(directory / "run"), *SMALL])
    (directory / "links.csv").write_text("a,b\nb,c\n")
    (directory / "my_tasks.py").write_text("")
    return directory


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("train vertex-cover --run a --steps 1e3", "--steps 1e3: give a whole number"),
        ("train vertex-cover --run a --sizes 5.5", "--sizes 5.5: give whole numbers"),
        ("train vertex-cover --run a --sizes", "--sizes: give at least one value"),
        ("train vertex-cover --sizes --run a", "--sizes: give at least one value"),
        ("train coverage --run a --agents", "--agents: give at least one value"),
        (
            "train coverage --run a --agents 2 --identity.kind one-hot --identity.most 3 --validation.sizes 5",
            "--validation.sizes 5: --identity.most 3: a team has 5 agents; give at least 5",
        ),
        ("evaluate run --instances", "--instances: give at least one value"),
        ("train vertex-cover --run a --encoder.dept 3", "did you mean --encoder.depth or --encoder.width?"),
        ("train vertex-cover --run a --watch nothing", "--watch nothing: choose one of mlflow, wandb"),
        ("new vertex-cover x", "vertex-cover: choose problem"),
        ("train vertex_cover --run a", "unknown problem 'vertex_cover'; did you mean vertex-cover?"),
        ("train Tour --run a", "did you mean tour?"),
        ("train my_tasks --run a", "problem 'my_tasks': is a module; name the problem in it, my_tasks:NAME"),
        ("train my_tasks.py --run a", "is a module; name the problem in it, my_tasks:NAME"),
        ("problems max-cuts", "did you mean max-cut?"),
        ("evaluate vertexcover", "vertexcover: there is no run of this name; did you mean vertex-cover?"),
        ("Train vertex-cover", "there is no command Train; did you mean train?"),
        ("train vertex-cover --config --run a", "--config: give a value"),
        ("train vertex-cover --run a --config", "--config: give a value"),
        ("train vertex-cover --algorithm --run a", "--algorithm: give a value"),
        ("train vertex-cover --run a --from", "--from: give a value"),
        ("solve vertex-cover links.csv --policy", "--policy: give a value"),
        ("solve vertex-cover links.csv --weight", "--weight: give a value"),
        ("solve vertex-cover links.csv --header maybe", "--header maybe: choose one of counts, no, yes"),
        ("solve links.csv", "links.csv is a file; name a problem or a run before it"),
        ("solve links.csv vertex-cover", "links.csv: is a file, where the directory of a run is needed"),
        ("solve own:MINE links.csv", "a problem of your own comes with no policy"),
        ("solve run links.csv --policy greedy", "run is one; name the problem, or leave out --policy"),
        ("evaluate run --policy greedy", "run is one; name the problem, or leave out --policy"),
        ("evaluate nosuch --agents 3", "no such file, so nosuch holds no run"),
        ("evaluate run --policy greedy --agents 3", "run is one; name the problem, or leave out --policy"),
        ("evaluate coverage --agents 2", "no policy for coverage comes with Graphwright"),
        ("compare run ./run", "compare: run is named twice"),
        ("compare run --metric gold", "not all runs have measured gold; they share"),
        ("compare links.csv", "links.csv: is a file"),
    ],
)
def test_words_that_make_no_command(
    words: str, said: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    error = fails(capsys, *words.split())
    assert said in error
    assert "{" not in error
    assert not (folder / "a").exists()


def test_export_takes_the_policy_that_comes_with_a_problem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["export", "vertex-cover", "--out", str(tmp_path / "policy.pt2")])
    assert (tmp_path / "policy.pt2").stat().st_size > 1000
    assert "scores of the actions of vertex-cover" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "words", "residual"),
    [
        ("residual = true", [], True),
        ("residual = false", [], False),
        ("residual = false", ["--encoder.residual"], True),
        ("residual = true", ["--encoder.no-residual"], False),
        ("jumping = true\nresidual = false", ["--encoder.no-jumping"], False),
    ],
)
def test_a_switch_in_a_file_of_options(text: str, words: list[str], residual: bool, tmp_path: Path) -> None:
    """Whatever it is by default, and whatever the command line says."""
    (tmp_path / "options.toml").write_text(f"[encoder]\n{text}\n")
    file, run = str(tmp_path / "options.toml"), tmp_path / "run"
    main(["train", "--config", file, "vertex-cover", "--run", str(run), *SMALL, *words])
    encoder = json.loads((run / "config.json").read_text())["encoder"]
    assert (encoder["residual"], encoder["jumping"]) == (residual, False)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.toml", "encoder = 3", "encoder = 3: encoder has options of its own; write [encoder]"),
        ("a.toml", "[[encoder]]\ndepth = 1", "write [encoder]"),
        (
            "a.toml",
            "encoder.residual = 'no'",
            "encoder.residual = 'no': encoder.residual is a switch; write true or false",
        ),
        ("a.toml", "[[rows]]\ndepth = 1", "rows is a list of tables"),
        ("a.toml", 'config = "b.toml"', "names another file of settings"),
        ("a.toml", "sizes = []", "--sizes: give at least one value"),
        ("a.toml", "steps = 2024-01-01", "--steps 2024-01-01: give a whole number"),
        ("a.toml", 'algorithm = "os:getcwd"', "names an algorithm of its maker's own"),
        ("a.yaml", "steps: 3", "is neither a TOML of options (.toml) nor a run"),
    ],
)
def test_what_no_file_of_options_holds(
    name: str, text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_text(text)
    words = ["train", "vertex-cover", "--run", tmp_path / "run", "--config", tmp_path / name]
    assert said in fails(capsys, *words)
    assert not (tmp_path / "run").exists()


def test_a_file_of_options_has_to_name_a_problem_where_nobody_else_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.toml").write_text("steps = 16")
    assert "a.toml: names no problem" in fails(
        capsys, "train", "--run", tmp_path / "run", "--config", tmp_path / "a.toml"
    )


def test_help_needs_no_policy(capsys: pytest.CaptureFixture[str]) -> None:
    """None comes with `coverage`."""
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", "coverage", "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert said.splitlines()[0].endswith("[OPTIONS] RUN")
    assert "--policy" in said
