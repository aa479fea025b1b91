"""One hypothesis profile for all tests, the same examples every time, one thread, and figures drawn if asked for.

To draw the curve of a run takes as long as a short run. Tests that look at a figure ask for it: `drawn_figures`.
"""

import functools
import gc
import os
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from hypothesis import settings
from matplotlib.figure import Figure
from tyro._docstrings import _ClassTokenization

pytest_plugins = ["side_by_side"]
gc.disable()  # while all tests are imported
torch.set_num_threads(1)  # threads would be lost to processes that are forked
os.environ["GRAPHWRIGHT_QUIET"] = "1"  # what a command says after some seconds depends on how busy the machine is
settings.register_profile("graphwright", derandomize=True, deadline=None, max_examples=15)
settings.register_profile("thorough", deadline=None, max_examples=200)
settings.load_profile("graphwright")  # or `pytest --hypothesis-profile thorough`: many others, other ones every time


def pytest_collection_finish() -> None:
    """What all tests import stays to the end, so that the garbage collector need not walk through it again.

    It looks for cycles after 100,000 new objects: each look calls Hypothesis, and tests leave few cycles behind.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)
    gc.enable()


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """What a test before this one trained with two would leave them; two workers have two cores."""
    torch.set_num_threads(1)


# Every command line has tyro read the sources of all its classes anew, of which most are those of the last one.
_ClassTokenization.make = staticmethod(functools.cache(_ClassTokenization.make))  # type: ignore[method-assign]

SAVE = Figure.savefig


def save_blank(figure: Figure, file: Any, **options: Any) -> None:
    """A file that only begins as a picture does."""
    if isinstance(file, str | os.PathLike):
        with open(file, "wb") as opened:
            opened.write(b"\x89PNG")
    else:
        file.write(b"\x89PNG")


Figure.savefig = save_blank  # type: ignore[method-assign]


@pytest.fixture
def drawn_figures() -> Iterator[None]:
    """Figures as they are."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(Figure, "savefig", SAVE)
        yield
