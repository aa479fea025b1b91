"""The README's program runs as it is printed, only shorter."""

import re
from pathlib import Path

from small_runs import make_runs_small

README = Path(__file__).parents[1] / "README.md"


PROGRAMS = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)


def test_the_library_example_runs(tmp_path, monkeypatch, capsys):
    program = PROGRAMS[0]
    for long, short in (
        ("seconds=60", "steps=512, threads=1, collection={'num_envs': 32, 'num_steps': 16}"),
        ("sizes=(20, 100)", "sizes=(20, 100), graphs=5"),
    ):
        assert long in program
        program = program.replace(long, short)
    monkeypatch.chdir(tmp_path)
    make_runs_small(monkeypatch)
    exec(compile(program, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "complete=True" in printed
    assert "Valjean" in printed


def test_the_example_of_another_framework_runs(tmp_path, monkeypatch):
    program = PROGRAMS[1]
    assert "learn(100_000)" in program
    monkeypatch.chdir(tmp_path)
    found = {}
    exec(compile(program.replace("learn(100_000)", "learn(1024)"), "README.md", "exec"), found)
    assert found["model"].n_envs == 8


def test_every_linked_page_exists():
    for link in re.findall(r"\]\(([^)#]+)", README.read_text()):
        assert link.startswith("http") or (README.parent / link).exists(), link
