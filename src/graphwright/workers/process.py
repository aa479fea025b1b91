"""A worker process: it answers what it is asked, tells why when it fails, and can be started again."""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

START_LIMIT = 300.0
"""Seconds for a process to begin, which may import much."""
_PATIENCE = 2.0  # seconds for a hung process to say where it is


class WorkerError(RuntimeError):
    """A worker raised, ended or took too long; the message holds its traceback where there is one."""


class Raised(NamedTuple):
    """The answer of a worker in which something was raised."""

    traceback: str


class WorkerProcess:
    """This side of a worker process, which can be started again and again.

    role: an importable function; called in the process with `arguments`, it gives the function that answers questions.
    """

    def __init__(self, context: Any, role: Callable[..., Callable[[Any], Any]], arguments: tuple[Any, ...]) -> None:
        self.context, self.role, self.arguments = context, role, arguments
        self.directory = TemporaryDirectory()
        self.process: Any = None

    def start(self) -> None:
        """A new process, in the place of the one that there may be."""
        self._stop()
        self._trace.unlink(missing_ok=True)
        self.connection, theirs = self.context.Pipe()
        arguments = (theirs, self.role, self.arguments, str(self._trace))
        self.process = self.context.Process(target=serve, args=arguments, daemon=True)
        self.process.start()
        theirs.close()

    def send(self, question: Any) -> None:
        """Ask for something; whether the process is there to hear it shows in `receive`."""
        self.sent = time.monotonic()
        try:
            self.connection.send(question)
        except OSError:
            return

    def receive(self, time_limit: float, since: float = 0.0) -> Any:
        """The next answer.

        Raises WorkerError where there is none within `time_limit` seconds of the last question, or of `since` if that
        is later (`time.monotonic`).
        """
        if not self.connection.poll(max(max(self.sent, since) + time_limit - time.monotonic(), 0)):
            raise WorkerError(f"no answer within {time_limit:g} s\n{self._whereabouts()}")
        try:
            answer = self.connection.recv()
        except (EOFError, OSError):
            self.process.join(_PATIENCE)
            raise WorkerError(f"ended with exit code {self.process.exitcode}\n{self._read_trace()}") from None
        if isinstance(answer, Raised):
            raise WorkerError(answer.traceback)
        return answer

    def close(self) -> None:
        """End the process."""
        self._stop()
        self.directory.cleanup()

    @property
    def pid(self) -> int:
        """The number of the process."""
        return int(self.process.pid)

    @property
    def _trace(self) -> Path:
        return Path(self.directory.name) / "traceback"

    def _whereabouts(self) -> str:
        """The traceback of a process that does not answer, which faulthandler writes when signalled."""
        if hasattr(faulthandler, "register") and self.process.is_alive():
            os.kill(self.process.pid, signal.SIGUSR1)
            until = time.monotonic() + _PATIENCE
            while not self._read_trace() and time.monotonic() < until:
                time.sleep(0.05)
        return self._read_trace()

    def _read_trace(self) -> str:
        return self._trace.read_text(errors="replace") if self._trace.exists() else ""

    def _stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.join()
            self.connection.close()
            self.process = None


def serve(
    connection: Connection, role: Callable[..., Callable[[Any], Any]], arguments: tuple[Any, ...], trace: str
) -> None:
    """What the process does until its owner hangs up; an exception is sent as its traceback and ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the owner's
    with open(trace, "w", encoding="utf-8") as file:
        faulthandler.enable(file)
        if hasattr(faulthandler, "register"):
            faulthandler.register(signal.SIGUSR1, file)
        try:
            answer = role(*arguments)
            while True:
                connection.send(answer(connection.recv()))
        except (EOFError, BrokenPipeError):
            return
        except Exception:
            connection.send(Raised(traceback.format_exc()))
        finally:
            faulthandler.disable()


def clean_context(preload: str) -> Any:
    """Processes that inherit no threads: forked from a clean server that has imported module `preload` once."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([preload])
    return context
