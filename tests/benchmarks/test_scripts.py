"""Every script of `benchmarks/` and `examples/` runs at its smallest scale: what is not run rots."""

from __future__ import annotations

import ast
import concurrent.futures
import contextlib
import importlib.util
import io
import runpy
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from forked import ForkedPython
from graphwright.cli.main import main
from small_runs import make_runs_small

ROOT = Path(__file__).parents[2]
RUN = subprocess.run
SCRIPTS = {
    str(path.relative_to(ROOT)): path for room in ("benchmarks", "examples") for path in (ROOT / room).rglob("*.py")
}

QUICK = "--encoder.width 8 --encoder.depth 1 --validation.graphs 2 --validation.sizes 5"
"""Options with which a run learns next to nothing."""
QUICKLY = f"--options='{QUICK}'"

SMALLEST = {
    "benchmarks/fuzz/runs.py": "--inputs 20",
    "benchmarks/fuzz/readers.py": "--inputs 1500",
    "benchmarks/learning/algorithms.py": "--only dqn linear --problems vertex-cover --seeds 1 --seconds 0.1 "
    "--graphs 2 --workers 1 --time-limit 1 --out .",
    "benchmarks/learning/boards.py": "--games tic-tac-toe --out .",
    "benchmarks/learning/criss_cross.py": "--loads 0.3-1.5 --policies linear --seconds 0.1 --slots 1000 "
    '--collection=\'{"num_envs": 32, "num_states": 8, "ahead": 4}\'',
    "benchmarks/learning/control.py": "single-hop --seconds 0.1 --networks 2 --slots 3",
    "benchmarks/learning/reentrant.py": "--policies linear --seconds 0.1 --slots 3 --copies 2 --run 2 7",
    "benchmarks/learning/fine_tuning.py": "--seconds 0.1 --seeds 1 --targets 'max-cut, trees of 50 nodes' --ways ppo "
    '--workers 1 --graphs 2 --time-limit 1 --options=\'{"encoder": {"width": 8, "depth": 1}, '
    '"validation": {"graphs": 2, "sizes": [5]}}\'',
    "benchmarks/learning/idling.py": "--seconds 0.1 --slots 16 --copies 2 --width 8 --picture idling.png",
    "benchmarks/learning/critics.py": "--seeds 1 --updates 1 --only maddpg, --tested 2",
    "benchmarks/learning/decisions.py": "--seeds 1 --updates 1 --tested 2",
    "benchmarks/learning/pretrained.py": "--only vertex-cover --seconds 0.1 --graphs 2 --time-limit 0 --out OUT "
    '--options=\'{"encoder": {"width": 8, "depth": 1}, "validation": {"graphs": 2, "sizes": [5]}}\'',
    "benchmarks/learning/flow.py": "--seeds 1 --workers 1 --only hyper-grid-8 --trajectories 128",
    "benchmarks/learning/flow_graphs.py": "--seeds 1 --workers 1 --seconds 0.1 --graphs 1 --draws 2 --solver-seconds 0 "
    "--only independent-set",
    "benchmarks/learning/games.py": "--seeds 1 --seconds 0.1 --threads 1 "
    "--options='--algorithm ppo --encoder.width 8 --encoder.depth 1 --num-envs 8 --num-steps 4 --validation.games 2'",
    "benchmarks/learning/imitation.py": "--only conflict-graph --seeds 1 --seconds 0.1 --slots 10 --graphs 2 --width 8 "
    "--picture line.png",
    "benchmarks/learning/large.py": "VERTEX-COVER-RUN --sizes 30 --families watts-strogatz --improve 0.01 --repeats 1",
    "benchmarks/learning/locomotion.py": "gaits --links 3 --waves 5 --horizon 4",
    "benchmarks/learning/long_range.py": "--distances 2 --encoders sage --seeds 2 --steps 64 --width 4 --graphs 4 "
    "--out table.md",
    "benchmarks/learning/over_smoothing.py": "--depths 2 --encoders 'gcn, jumping' --seeds 2 --steps 64 --width 4 "
    "--graphs 4 --out table.md",
    "benchmarks/learning/memory.py": "--steps 16 --seeds 1 --episodes 2 --only foraging --algorithms mappo",
    "benchmarks/learning/modes.py": "--seconds 0.1 --only 'grid 8 × 8' even",
    "benchmarks/learning/molecules.py": "--seeds 1 --workers 1 --seconds 0.5 --num 8",
    "benchmarks/learning/preferences.py": '--seconds 0.1 --num 8 --settings=\'{"validation": {"every": 1000000}}\'',
    "benchmarks/learning/opponents.py": "--games 2 --only tic-tac-toe",
    "benchmarks/learning/problems.py": "--only vertex-cover --seeds 1 --workers 1 --seconds 0.1 --graphs 2 --samples 0 "
    "--time-limit 1 " + QUICKLY,
    "benchmarks/learning/path_finding.py": "--seconds 0.1 --watched 2 --packed 0.1 --most 2 --agents 2 --episodes 1 "
    "--steps 4 --beside pibt",
    "benchmarks/learning/teams.py": "--only central-v --steps 1 --seeds 1 --episodes 2 --workers 1 --agents 2 "
    "--watched 2 --width 8 --out .",
    "benchmarks/learning/published_teams.py": "--steps 32 --seeds 1 --only mappo --teams spread --num-envs 1 "
    "--episodes 1",
    "benchmarks/learning/queueing.py": "--slots 20 --copies 2 --pictures .",
    "benchmarks/learning/sb3.py": "--only ours --layers sage --seeds 1 --workers 1 --steps 1 --graphs 4 --num-envs 4",
    "benchmarks/learning/team_sizes.py": "--seconds 0.1 --seeds 1 --mixtures 2 --agents 2 --episodes 2 --threads 1 "
    "--num-envs 2 --watched 1",
    "benchmarks/learning/topology_zoo.py": "VERTEX-COVER-RUN",
    "benchmarks/learning/vertex_cover.py": f"--family barabasi-albert --seeds 1 --seconds 0.1 --graphs 2 {QUICKLY}",
    "benchmarks/learning/window.py": "--seconds 0.1 --num 8",
    "benchmarks/versions.py": "--seeds 1 --steps 0.00001 --only hyper-grid",
    "benchmarks/speed/parts.py": "--batches 2 6 --pairs 1",
    "benchmarks/speed/iterations.py": "--problems --sampled hyper-grid --frameworks --pairs 1",
    "benchmarks/speed/export.py": "--repeats 1 --sizes 6",
    "benchmarks/speed/flow.py": "--batches 2 --repeats 1 --only ring-edges",
    "benchmarks/speed/frameworks.py": "--sizes 5 --repeats 1 --updates 1 --frameworks Graphwright "
    "'Stable-Baselines3, ragged' 'Stable-Baselines3, padded' 'TorchRL, padded'",  # to begin Ray takes 12 s
    "benchmarks/speed/games.py": "--size 3 --batch 8 --seconds 0.02 --depth 3 --solve 2",
    "benchmarks/speed/layers.py": "--width 8 --repeats 1",
    "benchmarks/speed/online.py": "--nodes 5 --seconds 0.01",
    "benchmarks/speed/reward_workers.py": "--nodes 5 --graphs 2 --workers 1 --repeats 1 --batches 1 --only wait",
    "benchmarks/speed/start.py": "--repeats 1 --only",
    "benchmarks/speed/team_training.py": "--seconds 0.01 --width 8 --only mappo --memory 4",
    "benchmarks/speed/teams.py": "--num-envs 2 --seconds 0.01 --repeats 1 --only spread foraging",
    "benchmarks/speed/search.py": "--size 3 --games 2 --simulations 2 --repeats 1",
    "benchmarks/speed/workers.py": "--nodes 5 --num-envs 1 --workers 1 --repeats 1 --seconds 0.05",
}
"""Script → options with which it takes a few seconds."""

ELSEWHERE = {
    "benchmarks/fuzz/kills.py": "tests/training/test_kills.py",
    "benchmarks/speed/limit.py": "tests/benchmarks/test_speed.py",
    "benchmarks/speed/replay.py": "tests/benchmarks/test_speed.py",
    "examples/grid2op_topology.py": "tests/frameworks/foreign/test_foreign_examples.py",
    "examples/job_shop.py": "tests/frameworks/foreign/test_foreign_examples.py",
    "examples/padded_environment.py": "tests/frameworks/foreign/test_padded_environment.py",
    "examples/pettingzoo_team.py": "tests/frameworks/foreign/test_foreign_examples.py",
}
"""Script → the test that runs it and checks what it finds."""

EXTRAS = {
    "benchmarks/learning/molecules.py": {"chem": "rdkit"},
    "benchmarks/learning/preferences.py": {"chem": "rdkit"},
    "benchmarks/learning/sb3.py": {"sb3": "sb3_contrib"},
    "benchmarks/learning/window.py": {"chem": "rdkit"},
    "benchmarks/speed/frameworks.py": {"sb3": "sb3_contrib", "torchrl": "torchrl"},
    "benchmarks/speed/workers.py": {"gymnasium": "cloudpickle"},
}
"""Script → the extras that it needs, each with a module that comes with it."""


@pytest.mark.parametrize("script", SMALLEST)
def test_scripts_run(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for extra, module in EXTRAS.get(script, {}).items():
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"needs the extra {extra!r}")
    monkeypatch.chdir(tmp_path)
    make_runs_small(monkeypatch)
    arguments = shlex.split(SMALLEST[script])
    if "VERTEX-COVER-RUN" in arguments:
        few = ["--steps", "1", "--num-envs", "8", "--sizes", "5", *QUICK.split()]
        main(["train", "vertex-cover", "--run", "VERTEX-COVER-RUN", *few])
    monkeypatch.setattr(sys, "argv", [script, *arguments])
    monkeypatch.syspath_prepend(SCRIPTS[script].parent)
    monkeypatch.setattr(subprocess, "run", run_here)
    monkeypatch.setattr(subprocess, "Popen", ForkedPython)
    monkeypatch.setattr(concurrent.futures, "ProcessPoolExecutor", OneProcess)
    threads = torch.get_num_threads()
    runpy.run_path(str(SCRIPTS[script]), run_name="__main__")
    torch.set_num_threads(threads)
    assert capsys.readouterr().out.strip()


class OneProcess:
    """`ProcessPoolExecutor` in this process, for the same reason as `run_here`."""

    def __init__(self, *_: object, **__: object) -> None:
        self.map = map

    def __enter__(self) -> OneProcess:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left running."""


def run_here(command: list[str], **options: Any) -> Any:
    """`subprocess.run`, but that Python scripts and `graphwright` run in this process: a new one takes seconds."""
    output = io.StringIO()
    if command[:3] == [sys.executable, "-m", "graphwright"]:
        with contextlib.redirect_stdout(output):
            main(command[3:])
    elif command[0] == sys.executable and command[1].endswith(".py"):
        with contextlib.redirect_stdout(output), pytest.MonkeyPatch.context() as monkeypatch:
            monkeypatch.setattr(sys, "argv", command[1:])
            runpy.run_path(command[1], run_name="__main__")
    else:
        return RUN(command, **options)
    text = output.getvalue()
    return subprocess.CompletedProcess(command, 0, text if options.get("text") else text.encode(), "")


def test_every_script_is_run() -> None:
    """By the test above, by another test, or as a module that a script beside it imports."""
    imported = {
        str((path.parent / f"{name}.py").relative_to(ROOT)) for path in SCRIPTS.values() for name in modules(path)
    }
    assert SCRIPTS.keys() - imported <= SMALLEST.keys() | ELSEWHERE.keys() <= SCRIPTS.keys()
    for script in SMALLEST:
        assert '__name__ == "__main__"' in SCRIPTS[script].read_text(encoding="utf-8"), f"{script} does nothing"
    for script, test in ELSEWHERE.items():
        assert f'"{SCRIPTS[script].stem}"' in (ROOT / test).read_text(encoding="utf-8"), f"{test} does not run {script}"


def modules(path: Path) -> set[str]:
    """The modules from which a script imports names."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return names | {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
