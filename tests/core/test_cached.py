"""What is computed once of an object."""

from __future__ import annotations

from graphwright.core.cached import cached_property


class Squares:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    @cached_property
    def total(self) -> int:
        """The sum of the first squares."""
        self.asked += 1
        return 14


def test_it_is_computed_when_first_asked_for_and_kept() -> None:
    squares, others = Squares(), Squares()
    assert squares.asked == 0
    assert (squares.total, squares.total) == (14, 14)
    assert (squares.asked, others.asked) == (1, 0)
    assert squares.__dict__["total"] == 14
    del squares.total
    assert squares.total == 14
    assert squares.asked == 2


def test_it_keeps_its_docstring() -> None:
    assert Squares.total.__doc__ == "The sum of the first squares."
    assert isinstance(Squares.total, cached_property)
