"""A folder to start from passes its own tests as it is, and goes all the way: trained, evaluated, solved, resumed."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path

import pytest

from command_line import fails
from graphwright.cli.main import main

SMALL = ("--steps", "8", "--sizes", "5", "--threads", "1", "--encoder.width", "4", "--encoder.depth", "1")
SMALL += ("--num-envs", "2", "--num-steps", "2", "--validation.graphs", "1", "--validation.sizes", "5")


def test_a_new_problem_is_sound_and_goes_all_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["new", "problem", "bus-depots", "--folder", str(tmp_path)])
    assert "graphwright train bus_depots:BUS_DEPOTS" in capsys.readouterr().out
    folder = tmp_path / "bus-depots"
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "bus_depots.py", "test_bus_depots.py"]
    assert not any(word in path.read_text() for path in folder.iterdir() for word in ("MODULE", "CONSTANT", "CLASS"))
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    tests = import_module("test_bus_depots")
    for name in [name for name in dir(tests) if name.startswith("test_")]:
        getattr(tests, name)()
    main(["train", "bus_depots:BUS_DEPOTS", "--run", "run", *SMALL])
    main(["resume", "run", "--trust", "--steps", "16"])
    Path("edges.txt").write_text("a b\nb c\nc d\n")
    capsys.readouterr()
    main(["solve", "run", "edges.txt", "--trust", "--json"])
    assert json.loads(capsys.readouterr().out)["results"][0]["objective"] == 2
    main(["evaluate", "run", "--trust", "--sizes", "6", "--graphs", "2", "--json"])
    assert json.loads(capsys.readouterr().out)["rows"][0]["complete"] == 2
    assert "exists already" in fails(capsys, "new", "problem", "bus-depots", "--folder", tmp_path)
    for name in ("bus_depots", "test_bus_depots"):
        sys.modules.pop(name)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("torch", "torch is another module's name, which would hide it"),
        ("json", "json is another module's name"),
        ("vertex-cover", "is one of Graphwright's"),
        ("Vertex_Cover", "is one of Graphwright's"),
        ("../x", "take letters, digits and hyphens"),
    ],
)
def test_names_that_would_hide_something_are_refused(
    name: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in fails(capsys, "new", "problem", name, "--folder", tmp_path)
    assert not [*tmp_path.iterdir()]


def test_a_folder_that_is_a_file_is_refused_by_its_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert "--folder" in fails(capsys, "new", "problem", "fire-stations", "--folder", tmp_path / "file")


@pytest.mark.parametrize("name", ["", "9lives", "a/b", "../x", "class", "a b", "a--b"])
def test_a_name_that_is_none_is_one_line(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "such as bus-depots" in fails(capsys, "new", "problem", name, "--folder", tmp_path)
    assert not list(tmp_path.iterdir())
