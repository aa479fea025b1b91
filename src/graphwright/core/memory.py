"""What does not fit into the memory of this machine: known before it is made."""

from __future__ import annotations

import os

STEP = 24
"""Bytes that any step of any graph takes at least: its action, its log-probability, its reward and how it ended."""


def require_memory(num_bytes: int) -> None:
    """Raise MemoryError where so many bytes are more than there are in all, whoever uses them."""
    try:
        there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # a system that does not say
        return
    if num_bytes > there:
        raise MemoryError(f"{num_bytes / 2**30:,.0f} GiB, of {there / 2**30:,.0f}")
