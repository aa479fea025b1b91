"""Here every figure is drawn."""

import pytest


@pytest.fixture(autouse=True)
def all_are_drawn(drawn_figures: None) -> None:
    """As everywhere outside the tests."""
