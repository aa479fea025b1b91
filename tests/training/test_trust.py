"""A run is data: whatever a stranger's run names, no code of it runs unless the user says that it may."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

import graphwright as gw
from command_line import fails
from graphwright.cli.main import main
from graphwright.core import Features
from graphwright.core.action_blocks import per_node
from graphwright.core.actions import ActionSpec
from graphwright.nn import EncoderConfig, GraphPolicy, HeadsConfig
from graphwright.training.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from graphwright.training.config import ConfigError

SMALL = ("--steps", "1", "--sizes", "5", "--threads", "1", "--encoder.width", "4", "--encoder.depth", "1")
SMALL += ("--num-envs", "2", "--num-steps", "2", "--validation.graphs", "1", "--validation.sizes", "5")
SHADOWS = ("numexpr", "yaml", "typing", "dataclasses", "pickle", "torch", "numpy", "multiprocessing", "sitecustomize")
SHADOWS += ("pynauty", "tensorflow", "ortools", "matplotlib", "__future__", "graphwright_plugin")


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("runs") / "honest"
    main(["train", "vertex-cover", "--run", str(directory), *SMALL])
    return directory


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder, which is the working directory and on the path, whose modules leave a mark when they run."""
    folder = tmp_path / "data"
    folder.mkdir()
    mark = f"open({str(tmp_path / 'ran')!r}, 'w').close()\n"
    own = "from graphwright.envs.problems.vertex_cover.environment import VERTEX_COVER as OWN\n"
    layer = "from torch_geometric.nn import GCNConv as Layer\nLayer = type('Layer', (Layer,), {})\n"
    (folder / "stranger.py").write_text(mark + own + layer)
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    return tmp_path / "ran"


def altered(honest: Path, directory: Path, **changes: Any) -> Path:
    """A copy of a run whose settings a stranger has changed, with checksums and all that would let it pass."""
    directory.mkdir()
    document = json.loads((honest / "config.json").read_text())
    for name, value in changes.items():
        *parts, last = name.split("__")
        inner = document
        for part in parts:
            inner = inner[part]
        inner[last] = value
    (directory / "config.json").write_text(json.dumps(document))
    fixed = {key: value for key, value in document.items() if key not in ("seconds", "steps", "threads", "device")}
    for name in ("policy.safetensors", "trainer.safetensors"):
        tensors, info = load_checkpoint(honest / name)
        save_checkpoint(directory / name, tensors, info | ({"settings": fixed} if "settings" in info else {}))
    return directory


@pytest.mark.parametrize(
    "changes",
    [
        {"problem": "stranger:OWN"},
        {"problem": "stranger.py:OWN"},
        {"problem": ".stranger:OWN"},
        {"encoder__layer": "stranger:Layer"},
        {"encoder__layer": "stranger.Layer"},
        {"encoder__layer": "torch_geometric.nnx:Layer"},
        {"encoder__layer": "torch_geometric:stranger"},
        {"encoder__layer": "os:system"},
        {"collection__generator": "stranger:OWN"},
        {"collection__weights": "stranger:OWN"},
        {"collection": {"__class__": "stranger:OWN"}},
        {"environment": "stranger:OWN"},
        {"settings": "stranger:OWN"},
        {"algorithm": "stranger:OWN"},
        {"heads__nodes": "stranger:OWN"},
    ],
    ids=str,
)
def test_no_command_imports_what_a_run_names(
    changes: dict[str, Any], honest: Path, trap: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = altered(honest, tmp_path / "run", **changes)
    (tmp_path / "edges.txt").write_text("a b\nb c\n")
    for command in (
        ("evaluate", run, "--sizes", "5"),
        ("solve", run, tmp_path / "edges.txt"),
        ("sample", run, "--out", tmp_path / "out.jsonl"),
        ("resume", run, "--steps", "2"),
    ):
        said = fails(capsys, *command)
        assert "config.json" in said
        own = str(changes.get("problem", changes.get("encoder__layer", "")))
        assert own in said
        assert "--trust" in said or not own or "problem" in changes, said
    for read in (gw.load, gw.resume):
        with pytest.raises(ConfigError):
            read(run)
    assert not trap.exists()


def test_who_takes_their_trust_back_trusts_nothing(
    honest: Path, trap: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last word counts, of --trust as of every switch: the settings were once read by the first."""
    run = altered(honest, tmp_path / "run", problem="stranger:OWN")
    assert "config.json" in fails(capsys, "evaluate", run, "--trust", "--no-trust", "--sizes", "5")
    (tmp_path / "own.toml").write_text('problem = "stranger:OWN"\n')
    for file in (run, tmp_path / "own.toml"):
        words = ("--config", file, "--trust", "--no-trust", "--run", tmp_path / "new")
        assert "--trust" in fails(capsys, "train", *words)
    assert not trap.exists()


def test_what_is_trusted_is_loaded(
    honest: Path, trap: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "own"
    small = replace(gw.TrainConfig.for_problem("vertex-cover").encoder, width=4, depth=1, layer="stranger:Layer")
    config = gw.TrainConfig.for_problem(
        "stranger:OWN",
        steps=1,
        encoder=small,
        collection={"sizes": (5,), "num_envs": 2, "num_steps": 2},
        validation={"sizes": (5,), "graphs": 1},
    )
    gw.train("stranger:OWN", config, run, Console(quiet=True))
    assert "--trust" in fails(capsys, "evaluate", run, "--sizes", "5")
    assert "--trust" in fails(capsys, "evaluate", run, "--num", "5")  # whose options are known once it is trusted
    with pytest.raises(ConfigError, match=r"problem of its maker's own, 'stranger:OWN'.*trust=True"):
        gw.load(run)
    assert gw.load(run, trust=True).problem.name == "stranger:OWN"
    main(["evaluate", str(run), "--sizes", "5", "--graphs", "2", "--time-limit", "0", "--trust", "--json"])
    assert json.loads(capsys.readouterr().out)["problem"] == "stranger:OWN"
    main(["resume", str(run), "--steps", "8", "--trust"])


def test_layers_of_pyg_need_no_trust(honest: Path, tmp_path: Path) -> None:
    for number, layer in enumerate(("torch_geometric.nn:GATConv", "torch_geometric.nn.conv.gcn_conv.GCNConv")):
        run = tmp_path / str(number)
        main(["train", "vertex-cover", "--run", str(run), *SMALL, "--encoder.layer", layer])
        assert gw.load(run).config.encoder.layer == layer


def test_a_policy_file_imports_nothing(trap: Path, tmp_path: Path) -> None:
    pytest.importorskip("gymnasium")
    from graphwright.frameworks.foreign import load_policy

    features, actions = Features(nodes={"x": 1}), ActionSpec(per_node("go"))
    encoder, heads = EncoderConfig(width=4, depth=1), HeadsConfig()
    policy = GraphPolicy(features, actions, encoder, heads)
    info = {"features": asdict(features), "actions": actions.as_dict(), "encoder": asdict(encoder)}
    info["heads"] = asdict(heads)
    path = tmp_path / "policy.safetensors"
    save_checkpoint(path, policy.state_dict(), info)
    load_policy(path)
    for layer in ("stranger:Layer", "stranger.Layer", "os:system", "builtins:exec", ".stranger:Layer"):
        info["encoder"]["layer"] = layer
        save_checkpoint(path, policy.state_dict(), info)
        with pytest.raises(CheckpointError, match="--trust"):
            load_policy(path)
    huge = {**info, "features": {**info["features"], "nodes": {"x": 10**10}}}
    huge["encoder"] = asdict(encoder)
    for broken in (
        huge,
        {},
        {**info, "encoder": 3},
        {**info, "features": {"nodes": 1}},
        {**info, "actions": "stranger:OWN"},
    ):
        save_checkpoint(path, policy.state_dict(), broken)
        with pytest.raises(CheckpointError, match="policy"):
            load_policy(path)
    assert not trap.exists()


class Bomb:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return (open, (str(self.mark), "w"))


@pytest.mark.parametrize("name", ["config.json", "policy.safetensors", "trainer.safetensors", "metrics.csv"])
@pytest.mark.parametrize("make", [lambda bomb: pickle.dumps(bomb), None], ids=["pickle", "torch"])
def test_pickles_are_never_loaded(name: str, make: Any, honest: Path, trap: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    for path in honest.iterdir():
        (run / path.name).write_bytes(path.read_bytes())
    if make is None:
        torch.save(Bomb(trap), run / name)
    else:
        (run / name).write_bytes(make(Bomb(trap)))
    for read in (gw.load, lambda path: gw.resume(path, steps=2, console=Console(quiet=True))):
        with contextlib.suppress(ConfigError, CheckpointError):  # each is asked for another file
            read(run)
    assert not trap.exists()


def test_modules_in_a_data_folder_do_not_run(honest: Path, trap: Path, tmp_path: Path) -> None:
    """Python puts the working directory first on the path of `python -m`; of a console script it does not."""
    folder = Path.cwd()
    for name in SHADOWS:
        (folder / f"{name}.py").write_text((folder / "stranger.py").read_text())
    (folder / "edges.txt").write_text("a b\nb c\n")
    source = str(Path(gw.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-m", "graphwright", "solve", str(honest), "edges.txt", "--picture", str(tmp_path / "a.png")],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": source},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "complete" in done.stdout
    assert not trap.exists()


def test_only_what_the_user_names_is_looked_for_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    here = os.getcwd()
    fails(capsys, "evaluate", "no-run")
    fails(capsys, "train", "vertex-cover", "--run", "new", "--encoder.layer", "torch_geometric.nn:No")
    assert here not in sys.path
    problem = "my_problems:NONE"
    for named in (
        ("train", problem, "--run", "new"),
        ("solve", problem, "a", "--policy", "b"),
        ("check", problem, "a", "b"),
    ):
        fails(capsys, *named)
        assert sys.path.pop() == here
