"""The recipes of CONTRIBUTING, followed to the letter: the code that stands there is put where it says, and used."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

from graphwright.algorithms import registry as algorithms
from graphwright.cli import main
from graphwright.core import from_edges
from graphwright.envs import registry as problems
from graphwright.envs.conformance import check_environment
from graphwright.envs.generators import InstanceGenerator, WattsStrogatz, unit_weights
from graphwright.nn import EncoderConfig, GraphPolicy, HeadsConfig, encoders

PAGE = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")
MOST_LINES = {"Add a problem": 120, "Add an algorithm": 100}
QUICK = ("--encoder.width", "8", "--encoder.depth", "1", "--validation.graphs", "2")
GENERATOR = torch.Generator().manual_seed(0)


def section(title: str) -> str:
    return PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


def written(title: str, module: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The code of a recipe as the module that it is to become."""
    (code,) = re.findall(r"^```python\n(.*?)^```$", section(title), re.MULTILINE | re.DOTALL)
    assert len(code.splitlines()) <= MOST_LINES.get(title, 60)
    made = ModuleType(module)
    monkeypatch.setitem(sys.modules, module, made)
    exec(compile(code, f"CONTRIBUTING.md: {title}", "exec", dont_inherit=True), made.__dict__)
    return made


def line(title: str) -> tuple[str, str]:
    """The registry line of a recipe: its name, and what stands behind it."""
    (code,) = re.findall(r"^```python registry\n(.*?)^```$", section(title), re.MULTILINE | re.DOTALL)
    name, value = code.strip().rstrip(",").split(": ", 1)
    return ast.literal_eval(name), value


def test_a_problem_is_a_file_and_a_line(tmp_path, monkeypatch, capsys) -> None:
    name, place = line("Add a problem")
    where = ast.literal_eval(place)
    made = written("Add a problem", where.split(":")[0], monkeypatch)
    monkeypatch.setitem(problems.PROBLEMS.places, name, where)
    instances = made.DOMINATING_SET.generator(sizes=(6, 9))(4, GENERATOR)
    check_environment(made.DominatingSet(), instances)

    run, file = str(tmp_path / "run"), tmp_path / "graph.csv"
    options = [*QUICK, "--steps", "500", "--num-envs", "16", "--validation.sizes", "12"]
    main(["train", name, "--run", run, *options])
    main(["evaluate", run, "--sizes", "12", "--graphs", "4"])
    file.write_text("a,b\nb,c\nc,d\n")
    main(["solve", run, str(file)])
    assert "complete" in capsys.readouterr().out


def test_a_problem_of_ones_own_needs_no_line(tmp_path, monkeypatch, capsys) -> None:
    written("Add a problem", "my_module", monkeypatch)
    run = str(tmp_path / "run")
    options = [*QUICK, "--steps", "300", "--num-envs", "16", "--validation.sizes", "12"]
    main(["train", "my_module:DOMINATING_SET", "--run", run, *options])
    main(["resume", run, "--steps", "600", "--trust"])
    main(["evaluate", run, "--sizes", "12", "--graphs", "4", "--trust"])
    assert "ratio" in capsys.readouterr().out


def test_every_node_decides(monkeypatch) -> None:
    environment = written("Let every node decide", "my_agreement", monkeypatch).Agreement()
    path = from_edges(
        torch.tensor([[0, 1, 3], [1, 2, 4]]),
        torch.tensor([3, 2]),
        undirected=True,
        nodes={"mark": torch.ones(5)},
        edges={"sign": torch.tensor([1, -1, 1])},
    )
    check_environment(environment, path)
    policy = GraphPolicy(environment.features, environment.actions, EncoderConfig(width=8, depth=1), HeadsConfig())
    decision = policy.act(environment.observe(environment.reset(path)), torch.Generator().manual_seed(0))
    assert decision.action.shape == decision.log_prob.shape == (5,)
    step = environment.step(environment.reset(path), torch.tensor([0, 0, 1, 1, 1]))
    assert step.reward.tolist() == [1.0, 1.0]


def test_an_algorithm_is_a_file_and_a_line(tmp_path, monkeypatch, capsys) -> None:
    name, entry = line("Add an algorithm")
    written("Add an algorithm", f"graphwright.algorithms.{name}", monkeypatch)
    monkeypatch.setitem(algorithms.ALGORITHMS, name, eval(entry, vars(algorithms)))
    main(["algorithms"])
    assert name in capsys.readouterr().out
    run = str(tmp_path / "run")
    options = [*QUICK, "--steps", "500", "--validation.sizes", "10", "--num-instances", "4"]
    main(["train", "vertex-cover", "--algorithm", name, "--run", run, "--vpg.minibatch-size", "64", *options])
    main(["resume", run, "--steps", "1000"])
    main(["evaluate", run, "--sizes", "10", "--graphs", "4"])


def test_a_layer_is_a_file_and_a_line(monkeypatch) -> None:
    name, layer = line("Add an encoder layer")
    made = written("Add an encoder layer", "graphwright.nn.layers.low_pass", monkeypatch)
    monkeypatch.setitem(encoders._LAYERS, name, getattr(made, layer))
    environment = problems.find_problem("vertex-cover").environment
    config = EncoderConfig(kind=name, width=8, depth=2)  # type: ignore[arg-type]
    policy = GraphPolicy(environment.features, environment.actions, config, HeadsConfig())
    graphs = InstanceGenerator(WattsStrogatz(), (6,), unit_weights)(3, torch.Generator().manual_seed(0))
    together = policy.distribution(environment.observe(environment.reset(graphs))).log_probs
    alone = [
        policy.distribution(environment.observe(environment.reset(graphs.select(torch.tensor([k]))))).log_probs
        for k in range(3)
    ]
    torch.testing.assert_close(together, torch.cat(alone))
