"""One hypothesis profile for all tests, the same examples every time, one thread, and figures drawn if asked for.

To draw the curve of a run takes as long as a short run. Tests that look at a figure ask for it: `drawn_figures`.
"""

import gc
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from hypothesis import settings
from matplotlib.figure import Figure
from tyro import _docstrings

gc.disable()  # while all tests are imported
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


def read_once(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """What tyro reads in the source of a class, for every command line anew; it is that of the last one of its name.

    Of a class that was made for the command line there is none, for which a whole file is searched each time.
    """
    found: dict[Any, Any] = {}

    def read_or_known(kind: Any) -> Any:
        name = kind.__module__, kind.__qualname__, kind.__doc__
        if name not in found:
            try:
                found[name] = read(kind)
            except (OSError, TypeError) as error:
                found[name] = error
        if isinstance(found[name], Exception):
            raise found[name].with_traceback(None)
        return found[name]

    return read_or_known


_docstrings._ClassTokenization.make = staticmethod(  # type: ignore[method-assign]
    read_once(_docstrings._ClassTokenization.make)
)
_docstrings.parse_docstring_from_object = read_once(_docstrings.parse_docstring_from_object)  # type: ignore[assignment]

# With each seed torch keeps, for accelerators that it may find later, the stack as text: a millisecond each time.
for accelerators in (torch.cuda, torch.xpu, torch.mtia):
    if not accelerators.is_available():
        accelerators.manual_seed_all = lambda seed: None  # type: ignore[assignment]

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
