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
    assert faults(1) > pages // 2  # given back at the end; a hole in a long process's heap may hold the next ones


@pytest.mark.skipif(sys.platform != "linux", reason="asks glibc")
def test_pages_of_many_smaller_blocks_are_kept_until_the_outermost_ends() -> None:
    def faults_of_many() -> int:  # all free at once, as after a gradient step
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        blocks = [torch.ones(SIZE // 8) for _ in range(24)]  # of 8 MB, 192 MB in all
        del blocks
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    pages = 24 * SIZE // 2 // resource.getpagesize()
    with keeping_freed_memory(above_large=False):
        with keeping_freed_memory():
            faults_of_many()
        assert faults_of_many() <= pages // 8
    assert faults_of_many() > pages // 2
