"""Stopping a run from outside: Ctrl-C and SIGTERM ask, and the run stops where it can go on from."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from typing_extensions import override


class Interrupted(Exception):
    """A run was asked to stop, and stopped; `resume`, a command or a function, goes on with it."""

    def __init__(self, resume: str, number: int) -> None:
        super().__init__(resume, number)  # as a process that trained hands it to the one that waits
        self.resume, self.signal = resume, number

    @override
    def __str__(self) -> str:
        return f"stopped and saved; {self.resume} goes on"


class Interruption:
    """The signal that asked the run to stop, if any."""

    signal: int | None = None


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Within this block the first SIGINT or SIGTERM is only noted; a second one acts as usual."""
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():  # only there can handlers be set
        yield interruption
        return
    previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def note(number: int, frame: FrameType | None) -> None:
        interruption.signal = number
        for each, handler in previous.items():
            signal.signal(each, handler)

    for number in previous:
        signal.signal(number, note)
    try:
        yield interruption
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
