"""The code on the pages about frameworks, flow networks and conformance runs, as a reader would run it."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from small_runs import make_runs_small

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [
    *sorted(page for folder in ("frameworks", "flow") for page in (DOCS / folder).glob("*.md")),
    DOCS / "conformance.md",
]
LENGTH = re.compile(r"\b(seconds=|steps=|learn\()(\d+)")
LONGEST = {"seconds=": 0.1, "steps=": 100, "learn(": 256}
"""How long the runs of a page may take here."""
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}-{page.stem}")
def test_the_code_of_a_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_runs_small(monkeypatch)
    module = ModuleType("my_tasks")  # as the pages call the file that their code is put into
    monkeypatch.setitem(sys.modules, module.__name__, module)
    for block in BLOCK.findall(page.read_text(encoding="utf-8")):
        block = LENGTH.sub(lambda found: f"{found[1]}{min(int(found[2]), LONGEST[found[1]])}", block)
        exec(compile(block, str(page), "exec", dont_inherit=True), module.__dict__)


def test_every_framework_has_a_page() -> None:
    names = {page.stem for page in PAGES if page.parent.name == "frameworks"}
    assert {"README", "gymnasium", "sb3", "torchrl", "pettingzoo", "rllib", "pyg", "your-own-environment"} <= names
