"""What is slow to import is imported by what needs it."""

from __future__ import annotations

import subprocess
import sys

import graphwright as gw

SLOW = ("matplotlib", "networkx", "numba", "ortools", "mujoco", "rdkit", "tensorboard", "torch_geometric")


def imported_after(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_package_alone_imports_nothing_slow() -> None:
    assert not imported_after("import graphwright") & {*SLOW, "torch", "graphwright.training"}


def test_the_command_line_and_the_whole_api_import_nothing_slow() -> None:
    everything = "import graphwright.cli.main, graphwright as gw; [getattr(gw, name) for name in gw.__all__]"
    assert not imported_after(everything) & set(SLOW)


def test_what_is_said_before_any_command_imports_no_torch() -> None:
    for words in ([], ["--help"], ["--version"]):
        assert "torch._C" not in imported_after(f"from graphwright.cli import main; main({words})")


def test_every_public_name_is_there() -> None:
    assert set(gw.__all__) <= set(dir(gw))
    assert all(getattr(gw, name) is not None for name in gw.__all__)
