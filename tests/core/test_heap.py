"""Large blocks that are freed are handed out again."""

from __future__ import annotations

import resource
import sys

import pytest
import torch

from graphwright.core.heap import keeping_freed_memory

BLOCKS, SIZE = 8, 16 << 20  # of float32: 64 MB


def faults(blocks: int) -> int:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(blocks):
        torch.ones(SIZE)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.skipif(sys.platform != "linux", reason="asks glibc")
def test_a_block_costs_pages_once() -> None:
    pages = SIZE * 4 // resource.getpagesize()
    with keeping_freed_memory():
        faults(1)
        assert faults(BLOCKS) <= 2 * pages
    assert faults(BLOCKS) > (BLOCKS - 2) * pages
