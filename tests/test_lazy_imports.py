"""What is slow to import is imported by what needs it."""

from __future__ import annotations

import subprocess
import sys

import graphwright as gw

SLOW = ("matplotlib", "networkx", "numba", "ortools", "mujoco", "rdkit", "tensorboard", "torch_geometric")


def imported_after(statements: str) -> set[str]:
    code = f"import sys\n{statements}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_package_alone_imports_nothing_slow() -> None:
    assert not imported_after("import graphwright") & {*SLOW, "torch", "graphwright.training"}


def test_the_command_line_and_the_whole_api_import_nothing_slow() -> None:
    everything = "import graphwright.cli.main, graphwright as gw; [getattr(gw, name) for name in gw.__all__]"
    assert not imported_after(everything) & set(SLOW)


def test_to_load_and_to_learn_imports_no_compiler_of_torch() -> None:
    learned = """
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
    imported = imported_after(learned)
    assert "torch.optim" in imported
    assert not imported & {"torch._dynamo", "sympy"}


def test_what_is_said_before_any_command_imports_no_torch() -> None:
    for words in ([], ["--help"], ["--version"]):
        assert "torch._C" not in imported_after(f"from graphwright.cli import main; main({words})")


def test_every_public_name_is_there() -> None:
    assert set(gw.__all__) <= set(dir(gw))
    assert all(getattr(gw, name) is not None for name in gw.__all__)
