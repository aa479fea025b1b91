"""What the command line shows of algorithms: the list, and the options of the chosen one only."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from command_line import fails
from graphwright.algorithms.registry import ALGORITHMS
from graphwright.cli import main


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What the help of `train` says to `words`."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as stop:
        main(["train", *words, "--help"])
    assert not stop.value.code
    return capsys.readouterr().out


def test_all_algorithms_are_listed_with_what_they_need(capsys: pytest.CaptureFixture[str]) -> None:
    main(["algorithms"])
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80
    entries = {block.partition(":")[0]: block.splitlines() for block in text.split("\n\n")}
    assert list(entries) == list(ALGORITHMS)
    for name, entry in ALGORITHMS.items():
        (needs,) = [line.split(maxsplit=1)[1] for line in entries[name] if line.split()[0] == "needs"]
        assert needs == ", ".join(entry.needs)


@pytest.mark.parametrize(
    ("words", "present", "absent"),
    [
        (
            ["vertex-cover"],
            ["--ppo.clip", "--num-envs", "--validation.sizes"],
            ["--reinforce.", "--flow."],
        ),
        (["vertex-cover", "--algorithm", "reinforce"], ["--reinforce.", "--num-samples"], ["--ppo.", "--num-envs"]),
        (["--algorithm=reinforce", "vertex-cover"], ["--reinforce.minibatch-size"], ["--ppo."]),
        (["steiner-tree"], ["--imitation.", "--expert-share"], ["--ppo.", "--reinforce."]),
        (
            ["hyper-grid"],
            ["--flow.passes", "--sources.forward", "--condition.beta"],
            ["--ppo.", "--num-envs"],
        ),
        (["max-cut", "--seed", "1", "--algorithm", "vargrad"], ["--flow.", "--validation.objects"], ["--imitation."]),
    ],
)
def test_only_the_options_of_the_chosen_algorithm_are_shown(
    words: list[str], present: list[str], absent: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    text = shown(capsys, *words)
    assert [name for name in present if name not in text] == []
    assert [name for name in absent if name in text] == []


def test_an_algorithm_that_the_problem_cannot_feed_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ("--run", tmp_path / "run")
    assert "needs objects whose steps can be undone" in fails(capsys, "train", "tour", *run, "--algorithm", "tb")
    assert "needs instances to play" in fails(capsys, "train", "hyper-grid", *run, "--algorithm", "ppo")
    assert "is no expert" in fails(capsys, "train", "tour", *run, "--algorithm", "imitation", "--expert", "nobody")
    assert "choose one of ppo, a2c" in fails(capsys, "train", "tour", *run, "--algorithm", "magic")
    assert not (tmp_path / "run").exists()


def test_a_run_of_an_older_version_is_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for document in ({"problem": "vertex-cover", "ppo": {}}, {"task": "hyper-grid"}):
        (tmp_path / "config.json").write_text(json.dumps(document))
        for command in ("evaluate", "resume"):
            assert "is from another version of Graphwright" in fails(capsys, command, tmp_path)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--steps", "x"], "--steps x: give a whole number"),
        (["--seed", "x"], "--seed x: give a whole number"),
        (["--ppo.clip", "a"], "--ppo.clip a: give a number"),
        (["--sizes", "a", "b"], "--sizes a b: give whole numbers"),
        (["--environment.horizon", "-1"], "--environment.horizon -1: give at least 0"),
    ],
)
def test_a_value_that_cannot_be_is_said_by_the_option_that_was_typed(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fails(capsys, "train", "single-hop", "--algorithm", "ppo", "--run", tmp_path / "run", *words).startswith(
        f"graphwright: {said}"
    )
