"""What is slow to import is imported by what needs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import graphwright as gw

SLOW = {"matplotlib", "networkx", "numba", "ortools", "mujoco", "rdkit", "tensorboard", "torch_geometric"}
PICTURES = [path.stem for path in (Path(gw.__file__).parent / "drawing").glob("*.py")]
LEARNED = """
import torch, graphwright.training
from pathlib import Path
from graphwright.algorithms.optimizer import AnnealedAdam
from graphwright.nn.heads.node import small_linear
from graphwright.training.checkpoint import require_fit
linear = small_linear(2, 1)
require_fit(lambda: small_linear(2, 1), linear.state_dict(), Path("none"))
before = linear.weight.clone()
optimizer = AnnealedAdam(linear, learning_rate=0.1, max_grad_norm=1.0)
optimizer.step(linear.weight.sum())
optimizer.load_state_dict(optimizer.state_dict())
assert not torch.equal(before, linear.weight)"""
STAGES = {
    "the package": "import graphwright",
    "the registry": "import graphwright.envs.registry",
    "graphs and networks": "import graphwright.core, graphwright.nn",
    "everything": "import graphwright.cli.main; [getattr(graphwright, name) for name in graphwright.__all__]",
    "learning": LEARNED,
    "pictures": "; ".join(f"import graphwright.drawing.{name}" for name in PICTURES),
}
"""What is done, one after the other."""


def imported_after(*stages: str) -> list[set[str]]:
    """The modules that a new process has after each of the stages."""
    code = "import sys\n" + "".join(f"{stage}\nprint(*sys.modules)\n" for stage in stages)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return [set(line.split()) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def imported() -> dict[str, set[str]]:
    """Stage → the modules that are there after it and all before."""
    return dict(zip(STAGES, imported_after(*STAGES.values()), strict=True))


def test_the_package_alone_imports_nothing_slow(imported: dict[str, set[str]]) -> None:
    assert not imported["the package"] & {*SLOW, "torch", "graphwright.training"}


def test_the_registry_imports_no_problem(imported: dict[str, set[str]]) -> None:
    assert "graphwright.envs.registry" in imported["the registry"]
    rooms = ("problems.", "generative.tasks.", "locomotion.", "teams.", "games.")
    heavy = tuple(f"graphwright.envs.{room}" for room in rooms)
    assert not [name for name in imported["the registry"] if name.startswith(heavy) or name in SLOW]


def test_the_graph_code_imports_without_the_compiler(imported: dict[str, set[str]]) -> None:
    assert {"graphwright.nn", "graphwright.core"} <= imported["graphs and networks"]
    assert "numba" not in imported["graphs and networks"]


def test_the_command_line_and_the_whole_api_import_nothing_slow(imported: dict[str, set[str]]) -> None:
    assert "graphwright.cli.main" in imported["everything"]
    assert not imported["everything"] & SLOW


def test_to_load_and_to_learn_imports_no_compiler_of_torch(imported: dict[str, set[str]]) -> None:
    assert "torch.optim" in imported["learning"]
    assert not imported["learning"] & {"torch._dynamo", "sympy"}


def test_matplotlib_is_imported_only_when_something_is_drawn(imported: dict[str, set[str]]) -> None:
    assert "graphwright.drawing.curves" in imported["pictures"]
    assert "matplotlib" not in imported["pictures"]


def test_what_is_said_before_any_command_imports_no_torch() -> None:
    for words in ([], ["--help"], ["--version"]):
        (imported,) = imported_after(f"from graphwright.cli import main; main({words}); print()")[-1:]
        assert "torch._C" not in imported


def test_every_public_name_is_there() -> None:
    assert set(gw.__all__) <= set(dir(gw))
    assert all(getattr(gw, name) is not None for name in gw.__all__)
