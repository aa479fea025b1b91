"""How long kernels were compiled, which each machine does once, and that this is what is being done."""

from __future__ import annotations

import time
from functools import cache
from typing import Any

from graphwright.core.doing import latest, now


class Watch:
    """Hears when Numba begins and ends to compile. seconds: so far, what is compiled inside of another counted once."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._depth = 0
        self._interrupted, self._began = "", 0.0

    def begin(self) -> None:
        """A kernel is being compiled."""
        if not self._depth:
            self._interrupted, self._began = latest(), time.perf_counter()
            now("compiling, which is kept for the next time")
        self._depth += 1

    def end(self) -> None:
        """It is compiled."""
        self._depth -= 1
        if not self._depth:
            self.seconds += time.perf_counter() - self._began
            now(self._interrupted)


WATCH = Watch()


@cache
def watch_compiler() -> None:
    """Let `WATCH` hear. Imports Numba."""
    from numba.core import event

    class Listener(event.Listener):
        """Numba's side of it."""

        def on_start(self, event: Any) -> None:
            WATCH.begin()

        def on_end(self, event: Any) -> None:
            WATCH.end()

    event.register("numba:compile", Listener())
