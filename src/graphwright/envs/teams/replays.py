"""How teams learn from a replay by default."""

from __future__ import annotations

LARGE_MINIBATCHES = {"exploring-replay": {"num_minibatches": 8, "minibatch_size": 256}}
"""Their graphs are small, so that a gradient step of many costs little more than one of few."""
