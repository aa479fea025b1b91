"""Every option of an algorithm stands on a page, which says when one would change it."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from graphwright.algorithms.registry import ALGORITHMS

DOCS = Path(__file__).parents[2] / "docs"
PAGES = "\n".join(page.read_text() for page in DOCS.rglob("*.md") if "tables" not in page.parts)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_option_of_an_algorithm_is_explained(name: str) -> None:
    algorithm = ALGORITHMS[name].load()
    options = [field.name.replace("_", "-") for field in dataclasses.fields(algorithm.Config)]
    missing = [option for option in options if not re.search(rf"--[\w-]+\.(no-)?{option}\b", PAGES)]
    assert not missing, f"no page names --{algorithm.options}.{' or '.join(missing)}"
