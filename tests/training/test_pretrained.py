"""Policies that come with the package: small, loadable, said to be what they are, and used where no run is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

import graphwright as gw
from command_line import fails
from graphwright.cli.main import main
from graphwright.envs.optimization import Optimization
from graphwright.envs.registry import SOLVED, find_problem
from graphwright.training import agent as agents
from graphwright.training.agent import PRETRAINED, Agent
from graphwright.training.checkpoint import POLICY_FILE
from graphwright.training.config import ConfigError
from graphwright.training.networks import make_policy
from graphwright.training.pretrained import ABOUT_FILE, load_pretrained, pretrained_names


@pytest.mark.parametrize("name", pretrained_names())
def test_each_is_small_fits_its_settings_and_solves(name: str) -> None:
    assert (PRETRAINED / name / POLICY_FILE).stat().st_size <= 200_000
    found = load_pretrained(name)
    assert "times the" in found.sentence()
    problem = find_problem(name)
    instances = problem.generator(sizes=problem.sizes[:1])(2, torch.Generator().manual_seed(0))
    assert found.agent.solve(instances).num_graphs == 2


def test_every_problem_with_an_objective_has_one() -> None:
    solved = {name for name, problem in SOLVED.items() if isinstance(problem.environment, Optimization)}
    assert solved == set(pretrained_names())
    with pytest.raises(ConfigError, match="only for problems with an objective"):
        load_pretrained("hex")


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One policy, untrained."""
    config = gw.TrainConfig.for_problem("vertex-cover", encoder={"width": 4, "depth": 1})
    Agent(find_problem("vertex-cover"), config, make_policy(config, torch.device("cpu"))).save(
        tmp_path / "vertex-cover"
    )
    row = {"name": "30", "reference": "optimum", "ratio": 1.25, "rule": "greedy", "rule_ratio": 1.05, "complete": 19}
    about = {"algorithm": "ppo", "seconds": 60.0, "sizes": "5 to 15", "graphs": 20, "rows": [row]}
    (tmp_path / "vertex-cover" / ABOUT_FILE).write_text(json.dumps(about))
    monkeypatch.setattr(agents, "PRETRAINED", tmp_path)
    return tmp_path


def test_a_fresh_installation_solves_a_file_and_says_by_what(
    tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "edges.csv").write_text("a,b\nb,c\n")
    main(["solve", "vertex-cover", str(tmp_path / "edges.csv"), "--json"])
    output, error = capsys.readouterr()
    assert json.loads(output)["results"][0]["objective"] == 1
    assert "vertex-cover: the policy that comes with Graphwright (ppo, 60 s on random graphs of 5 to 15 nodes)" in error
    assert "1.250 times the optimum on 30 nodes, greedy 1.050, 1 of 20 not solved" in error
    main(["evaluate", "vertex-cover", "--sizes", "6", "--graphs", "2", "--json"])
    assert json.loads(capsys.readouterr().out)["rows"][0]["complete"] == 2
    assert "no policy for tour comes with Graphwright" in fails(capsys, "solve", "tour", tmp_path / "edges.csv")
    small = ["--steps", "4", "--num-envs", "2", "--num-steps", "2", "--sizes", "5", "--validation.graphs", "1"]
    main(["train", "vertex-cover", "--from", "pretrained", "--run", str(tmp_path / "run"), *small])
    assert json.loads((tmp_path / "run" / "config.json").read_text())["encoder"]["width"] == 4
    assert gw.pretrained("vertex-cover").problem.name == "vertex-cover"
