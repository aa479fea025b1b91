"""An algorithm of a user's own, as module:CLASS: trained, loaded, evaluated and resumed, where it is trusted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

import graphwright as gw
from command_line import fails
from graphwright.cli.main import main
from graphwright.training.config import ConfigError

MODULE = '''
"""A problem, a layer and an algorithm, all one's own."""

from dataclasses import dataclass

from graphwright.algorithms.reinforce import Reinforce
from graphwright.envs.problems.vertex_cover.environment import VERTEX_COVER as MINE


@dataclass(frozen=True)
class MineConfig(Reinforce.Config):
    """As REINFORCE, with a number of its own."""

    patience: int = 3
    """A number."""


class MyAlgorithm(Reinforce):
    """REINFORCE by another name."""

    Config = MineConfig
    options = "mine"
    collector = "episodes"


class Unfed(Reinforce):
    """Says not what feeds it."""
'''
SMALL = ("--steps", "8", "--sizes", "5", "--threads", "1", "--encoder.width", "4", "--encoder.depth", "1")
SMALL += ("--validation.graphs", "1", "--validation.sizes", "5", "--num-samples", "2", "--num-instances", "2")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "our_algorithm.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_an_own_algorithm_goes_all_the_way(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = ("--algorithm", "our_algorithm:MyAlgorithm", "--mine.patience", "5")
    main(["train", "our_algorithm:MINE", "--run", "run", *SMALL, *own])
    assert json.loads(Path("run/config.json").read_text())["algorithm"] == "our_algorithm:MyAlgorithm"
    for command in (("evaluate", "run"), ("resume", "run", "--steps", "9"), ("solve", "run", "our_algorithm.py")):
        assert "--trust" in fails(capsys, *command)
    with pytest.raises(ConfigError, match="trust"):
        gw.load("run")
    agent = gw.load("run", trust=True)
    assert agent.config.settings.patience == 5
    main(["resume", "run", "--steps", "16", "--trust"])
    Path("edges.txt").write_text("a b\nb c\n")
    main(["solve", "run", "edges.txt", "--trust"])
    assert "complete" in capsys.readouterr().out


def test_a_stranger_names_no_algorithm_of_his(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = gw.TrainConfig.for_problem(
        "vertex-cover",
        steps=1,
        encoder={"width": 4, "depth": 1},
        collection={"sizes": (5,), "num_envs": 2, "num_steps": 2},
        validation={"sizes": (5,), "graphs": 1},
    )
    gw.train("vertex-cover", config, "honest", Console(quiet=True))
    document = json.loads(Path("honest/config.json").read_text()) | {"algorithm": "our_algorithm:MyAlgorithm"}
    Path("honest/config.json").write_text(json.dumps(document))
    assert "algorithm of its maker's own, 'our_algorithm:MyAlgorithm'" in fails(capsys, "evaluate", "honest")


def test_what_is_missing_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, word in {
        "our_algorithm:Unfed": "give the class a `collector`",
        "our_algorithm:MINE": "has no Config",
        "our_algorithm:Nothing": "has nothing of the name Nothing",
        "nowhere_at_all:Nothing": "there is no module",
        "magic": "module:CLASS",
    }.items():
        assert word in fails(capsys, "train", "vertex-cover", "--run", "new", "--algorithm", name)
