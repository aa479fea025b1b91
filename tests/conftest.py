"""One hypothesis profile for all tests, the same examples every time, and one thread."""

import torch
from hypothesis import settings

settings.register_profile("graphwright", derandomize=True, deadline=None, max_examples=40)
settings.load_profile("graphwright")
torch.set_num_threads(1)
