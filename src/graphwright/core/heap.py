"""What freed memory becomes while much is taken and freed again and again."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

# Parameters of glibc's mallopt.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4
_NEVER, _MANY = 2**31 - 1, 65536
LARGE = 2**25
"""Bytes of the largest block whose pages glibc may keep: the most that it takes for its own threshold."""

_within: list[bool] = []


@contextmanager
def keeping_freed_memory(above_large: bool = True) -> Iterator[None]:
    """Inside, freed blocks are handed out again; after the outermost such block they go back to the system.

    glibc gives each block above 32 MB pages of its own, which the system has to clear and map anew, and that for every
    row-wise step of a network on a large graph: of 300,000 nodes, 12.7 of 32.3 CPU seconds (4.1 million page faults)
    went there, 0.8 of 21.5 (0.3 million) with this. Smaller ones it gives back where many are free at once, as after
    each gradient step: an iteration of PPO (256 graphs of 15 nodes) met 10,000 to 50,000 page faults, a few with this.
    above_large: whether blocks above 32 MB are kept too, which a process that also holds buffers for long may not
    want. Elsewhere than with glibc, nothing happens.
    """
    try:
        ctypes.CDLL(None).mallopt, ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):  # another C library
        yield
        return
    _within.append(above_large)
    _set_thresholds()
    try:
        yield
    finally:
        _within.pop()
        _set_thresholds()


def _set_thresholds() -> None:
    """As the blocks that we are within want it; outside of all, what glibc's own come to where large ones are freed."""
    libc = ctypes.CDLL(None)
    libc.mallopt(_MMAP_MAX, 0 if any(_within) else _MANY)
    libc.mallopt(_MMAP_THRESHOLD, LARGE)
    libc.mallopt(_TRIM_THRESHOLD, _NEVER if _within else 2 * LARGE)
    if not _within:
        libc.malloc_trim(0)
