"""One hypothesis profile for all tests, the same examples every time, and one thread."""

import os

import pytest
import torch
from hypothesis import settings

os.environ["GRAPHWRIGHT_QUIET"] = "1"  # what a command says after some seconds depends on how busy the machine is
settings.register_profile("graphwright", derandomize=True, deadline=None, max_examples=25)
settings.load_profile("graphwright")


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """What a test before this one trained with two would leave them; two workers have two cores."""
    torch.set_num_threads(1)
