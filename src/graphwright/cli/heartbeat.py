"""What a command is doing, on stderr: soon after it begins, and every few seconds while it goes on."""

from __future__ import annotations

import logging
import sys
import threading
import time
from types import TracebackType
from typing import TextIO

from graphwright.drawing.letters import printable

LOGGER = logging.getLogger("graphwright")  # as core/doing.py has it, which is slow to import

FIRST, EVERY = 1.5, 5.0
"""Seconds until the first line, and between two."""


class Heartbeat(logging.Handler):
    """A line for what `core.doing.now` said last; none while that is "", as what is done then shows itself.

    command: what lines begin with. stream: where they go, by default stderr.
    """

    def __init__(self, command: str, stream: TextIO | None = None, first: float = FIRST, every: float = EVERY) -> None:
        super().__init__(logging.INFO)
        self._command, self._stream, self._first, self._every = command, stream or sys.stderr, first, every
        self._doing = "loading what it needs"
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def emit(self, record: logging.LogRecord) -> None:
        """Remember what is being done; what is to be known is said at once."""
        if record.levelno > logging.INFO:
            self._say(record.getMessage())
        else:
            self._doing = record.getMessage()

    def __enter__(self) -> Heartbeat:
        self._began, self._level = time.monotonic(), LOGGER.level
        LOGGER.addHandler(self)
        LOGGER.setLevel(logging.INFO)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        LOGGER.removeHandler(self)
        LOGGER.setLevel(self._level)

    def _beat(self) -> None:
        wait = self._first
        while not self._over.wait(wait):
            wait = self._every
            if self._doing:
                seconds = time.monotonic() - self._began
                if not self._say(f"{self._doing} ({seconds:.0f} s)"):
                    return

    def _say(self, what: str) -> bool:
        """Whether anybody still reads it."""
        try:
            print(f"graphwright {self._command}: {printable(what)}", file=self._stream, flush=True)
        except (OSError, ValueError):
            return False
        return True
