"""Imports point one way, read off the source without running it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "graphwright"
FILES = sorted(SOURCE.rglob("*.py"))
LEARNING = {"core", "distributions", "functional", "nn", "data", "algorithms"}
ALLOWED: dict[str, set[str]] = {
    "core": set(),
    "distributions": {"core"},
    "functional": {"core"},
    "envs": {"core"},
    "adapters": {"core"},
    "nn": {"core", "distributions", "functional"},
    "data": {"core", "distributions", "functional"},
    "algorithms": LEARNING - {"algorithms"},
    "search": {"core", "envs"},
    "workers": {"core"},
    "drawing": {"core", "functional", "envs"},
    "training": LEARNING | {"envs", "workers", "drawing", "search"},
    "experiments": LEARNING | {"envs", "workers", "drawing", "search", "training"},
    "frameworks": LEARNING | {"envs", "workers", "drawing", "search", "training", "adapters"},
    "cli": LEARNING | {"envs", "workers", "drawing", "search", "training", "experiments", "adapters"},
}


def room(path: Path) -> str:
    """The first folder below the package; the name of a file that is in none."""
    first = path.relative_to(SOURCE).parts[0]
    return first.removesuffix(".py")


def imports(path: Path) -> set[str]:
    """The full names of all modules that a file imports, at its top or inside functions."""
    package = ["graphwright", *path.relative_to(SOURCE).parent.parts]
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *filter(None, [node.module])])
            names |= {f"{module}.{alias.name}" for alias in node.names}
    return names


def rooms_imported(path: Path) -> set[str]:
    parts = [name.split(".") for name in imports(path)]
    return {part[1] for part in parts if part[0] == "graphwright" and len(part) > 1}


def test_every_room_has_its_place_in_the_order() -> None:
    assert {room(path) for path in FILES} - {"__init__", "__main__"} == set(ALLOWED)


@pytest.mark.parametrize("name", ALLOWED)
def test_imports_point_one_way(name: str) -> None:
    for path in (SOURCE / name).rglob("*.py"):
        wrong = rooms_imported(path) - ALLOWED[name] - {name}
        assert not wrong, f"{path.relative_to(SOURCE)} imports {', '.join(sorted(wrong))}"


def test_the_order_has_no_way_back() -> None:
    for name, below in ALLOWED.items():
        for other in below:
            assert name not in ALLOWED[other]
            assert ALLOWED[other] <= below, f"{name} may import {other}, which may import more"


def test_pyg_is_imported_in_two_places_only() -> None:
    users = {path for path in FILES if any(name.split(".")[0] == "torch_geometric" for name in imports(path))}
    for path in users:
        assert room(path) == "nn" or path.parent == SOURCE / "adapters" / "pyg", path.relative_to(SOURCE)


def test_adapters_are_imported_at_the_top_only() -> None:
    users = {room(path) for path in FILES if "adapters" in rooms_imported(path)}
    assert users <= {"adapters", "frameworks", "cli"}


def test_only_core_writes_what_its_tables_cache() -> None:
    """Whoever has computed topology already gives it to `GraphBatch.trusted`."""
    allowed = {"gae.py", "from_hetero.py"}  # an attribute that is no submodule; another library's store
    for path in FILES:
        if room(path) != "core" and path.name not in allowed:
            assert "__dict__" not in path.read_text(encoding="utf-8"), path.relative_to(SOURCE)


def test_nothing_is_called_utils() -> None:
    names = {part.removesuffix(".py") for path in FILES for part in path.relative_to(SOURCE).parts}
    assert not names & {"utils", "util", "helpers", "misc", "common"}


def test_class_names_are_unique() -> None:
    """Only what frameworks call alike stands there once for each of them."""
    found: dict[str, list[Path]] = {}
    for path in FILES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name, []).append(path)
    twice = {name: paths for name, paths in found.items() if len(paths) > 1}
    assert {name for name, paths in twice.items() if not any(room(path) == "frameworks" for path in paths)} == set()
    assert set(twice) <= {"GraphEnv", "GraphPolicy"}


def test_files_are_exchanged_whole_in_one_place() -> None:
    users = {path for path in FILES if "os.replace" in path.read_text(encoding="utf-8")}
    assert users == {SOURCE / "core" / "files.py"}


def test_no_function_stands_twice() -> None:
    """None of more than five lines has the very body of another."""
    found: dict[str, list[str]] = {}
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno > 5:
                body = node.body[1:] if ast.get_docstring(node) else node.body
                places = found.setdefault("".join(map(ast.dump, body)), [])
                places.append(f"{path.relative_to(SOURCE)}:{node.name}")
    assert [places for body, places in found.items() if body and len(places) > 1] == []


def test_words_of_our_own_that_the_field_has_words_for_are_gone() -> None:
    private = re.compile(
        r"\b(judg\w+|taken? apart|takes apart|rewarder\w*|workshop|teller|maximizers?|go_on|in_turn)\b"
    )
    assert {path.name: found.group() for path in FILES if (found := private.search(path.read_text("utf-8")))} == {}


def test_pictures_are_drawn_in_one_room() -> None:
    """Others may name what a figure is, but import nothing that draws."""
    for path in FILES:
        if room(path) != "drawing":
            text = path.read_text(encoding="utf-8")
            used = [line.strip() for line in text.splitlines() if "import" in line and "matplotlib" in line]
            assert set(used) <= {"from matplotlib.figure import Figure"}, path.relative_to(SOURCE)
            assert not used or "if TYPE_CHECKING:" in text, path.relative_to(SOURCE)
