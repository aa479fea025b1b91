"""The README's program runs as it is printed, only shorter."""

import re
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def test_the_library_example_runs(tmp_path, monkeypatch, capsys):
    (program,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert "seconds=60" in program
    monkeypatch.chdir(tmp_path)
    exec(compile(program.replace("seconds=60", "steps=5000, threads=1"), "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "complete=True" in printed
    assert "Valjean" in printed


def test_every_linked_page_exists():
    for link in re.findall(r"\]\(([^)#]+)", README.read_text()):
        assert link.startswith("http") or (README.parent / link).exists(), link
