"""Every problem has a page, and every page says the same things under the same headings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from graphwright.envs.registry import CONTROLLED, GAMES, SOLVED, TEAMS

PAGES = sorted((Path(__file__).parents[2] / "docs" / "problems").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_picture_rules_file_commands_and_baselines(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    opening, *sections = re.split(r"^## ", text, flags=re.MULTILINE)
    assert re.search(r"!\[[^\]]+\]\(\.\./images/", opening), "the picture stands before the first heading"
    titles = [section.partition("\n")[0] for section in sections]
    assert {"Rules", "Your file", "Commands", "Baselines"} <= set(titles)
    (commands,) = (section for section in sections if section.startswith("Commands\n"))
    assert "graphwright train " in commands


def test_every_problem_has_a_page() -> None:
    """Those that are only sampled are on the page of flow networks."""
    names = {page.stem for page in PAGES}
    assert {*SOLVED, *TEAMS, *GAMES} <= names
    queueing = next(page for page in PAGES if page.stem == "queueing").read_text(encoding="utf-8")
    assert all(f"`{name}`" in queueing for name in CONTROLLED)
