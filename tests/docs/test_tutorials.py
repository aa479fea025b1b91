"""The tutorials run from the first cell to the last, and what they show is what their cells once printed."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest
import torch

DOCS = Path(__file__).parents[2] / "docs"
spec = importlib.util.spec_from_file_location("notebooks", DOCS / "notebooks.py")
assert spec is not None
assert spec.loader is not None
notebooks = importlib.util.module_from_spec(spec)
spec.loader.exec_module(notebooks)
TUTORIALS = sorted(notebooks.TUTORIALS.glob("*.ipynb"))

SHORTER = {
    r"(--algorithm imitation.*)--seconds \d+": r"\1--steps 1 --num-instances 2 --num-samples 1 --validation.sizes 2",
    r"--seconds \d+": "--steps 1 --num-envs 4 --num-steps 4 --validation.graphs 2",
    r"ForeignTraining\(seconds=\d+\)": "ForeignTraining(seconds=0.2)",
    r"--graphs 20": "--graphs 2",
    r"--episodes (5|20)": "--episodes 1",
    r"--sizes 20 100": "--sizes 20",
    r"Firefighter\(100, 200\), 50": "Firefighter(20, 30), 2",
    r"\(200,\)\)\(10,": "(30,))(2,",
    r"--agents 2 3 5": "--agents 2",
    r"time-limit 2": "time-limit 0",
}
"""What makes a tutorial take a second: pattern → what stands there instead."""


def shorter(cell: str) -> str:
    for long, short in SHORTER.items():
        cell = re.sub(long, short, cell)
    return cell


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    threads = torch.get_num_threads()
    notebook = json.loads(path.read_text(encoding="utf-8"))
    before = [bool(cell.get("outputs")) for cell in notebook["cells"]]
    notebooks.run_cells(notebook, shorter)
    torch.set_num_threads(threads)
    assert [bool(cell.get("outputs")) for cell in notebook["cells"]] == before, "run `make tutorials`"
    page, pictures = notebooks.to_markdown(notebook, path.stem)
    assert page.startswith("# ")
    assert all(name in page for name in pictures)


def test_there_is_one_for_each_beginning() -> None:
    names = {path.stem for path in TUTORIALS}
    assert names == {"own-graph-file", "own-problem", "own-gymnasium-environment", "a-team"}
