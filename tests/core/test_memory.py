"""What does not fit into memory is refused before it is made."""

from __future__ import annotations

import pytest
import torch

from graphwright.algorithms.trust_region import TrustRegionConfig
from graphwright.core import from_edges
from graphwright.core.memory import STEP, require_memory
from graphwright.core.numbers import require_numbers
from graphwright.data.sources import GeneratedInstances


def test_more_instances_than_memory_holds_are_refused_after_the_first_block() -> None:
    generated = []

    def generate(count: int, generator: torch.Generator):
        generated.append(count)
        return from_edges(
            torch.empty(2, 0), torch.ones(count, dtype=torch.int64), undirected=True, nodes={"x": torch.zeros(count)}
        )

    with pytest.raises(MemoryError, match="GiB, of"):
        GeneratedInstances(generate, seed=0).draw(10**14)
    assert len(generated) == 1


def test_more_steps_than_memory_holds_are_refused_before_the_first() -> None:
    require_memory(STEP * 16 * 256)
    with pytest.raises(MemoryError):
        require_memory(STEP * 10**12 * 8)


def test_numbers_beyond_float32_are_refused() -> None:
    with pytest.raises(ValueError, match=r"--weight 1e\+308: give a smaller number"):
        require_numbers(TrustRegionConfig(weight=1e308), {})
    require_numbers(TrustRegionConfig(weight=3e38), {})
