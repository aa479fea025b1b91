"""A worker process with shared buffers: answers requests, reports its traceback when it fails, and can be restarted."""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
import time
import traceback
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from graphwright.core.own_code import in_one_line
from graphwright.workers.buffers import Buffer
from graphwright.workers.traces import with_place

START_LIMIT = 300.0
"""Seconds that a process may take to start; it may have much to import."""
_TRACE_LIMIT = 2.0  # seconds that a hung process may take to write its traceback

Answer = Callable[[Any], Any]
"""A request to its response, in the worker process."""


class WorkerError(RuntimeError):
    """A worker raised, ended or took too long, which the message says in one line.

    report: the message, and the traceback in the worker where there is one; Python shows it under its own. line: the
    message, and where in the user's code that was.
    """

    def __init__(self, message: str, trace: str = "") -> None:
        super().__init__(message)
        self.report = f"{message}\n{trace}".strip()
        self.line = with_place(message, trace)
        if trace:
            self.add_note(trace)


class WorkerLost(WorkerError):
    """A worker ended or took too long, and did not say on what."""


class Raised(NamedTuple):
    """The response of a worker that raised."""

    message: str
    traceback: str


class WorkerProcess:
    """The owner's side of a worker process.

    target: an importable function. The process calls it with its end of the buffers, a list, and then `arguments`; it
        returns the function that answers requests.
    buffer_bytes: the sizes of the shared buffers, which outlive a restart.
    """

    def __init__(
        self, context: Any, target: Callable[..., Answer], arguments: tuple[Any, ...], buffer_bytes: Sequence[int]
    ) -> None:
        self.context, self.target, self.arguments = context, target, arguments
        self.memories = [context.RawArray("b", size) for size in buffer_bytes]
        self.buffers = [Buffer(memory) for memory in self.memories]
        for buffer in self.buffers:
            buffer.pin()
        self.directory = TemporaryDirectory()
        self.process: Any = None
        self._is_open = True

    def start(self) -> None:
        """Start the process, or end it and start a new one."""
        self._stop()
        self._trace.unlink(missing_ok=True)
        self.connection, theirs = self.context.Pipe()
        arguments = (theirs, self.target, self.memories, self.arguments, str(self._trace))
        self.process = self.context.Process(target=serve, args=arguments, daemon=True)
        self.process.start()
        theirs.close()

    def send(self, request: Any) -> None:
        """Send a request. Whether the process is alive to read it shows in `receive`."""
        self.sent = time.monotonic()
        try:
            self.connection.send(request)
        except OSError:
            return

    def receive(self, time_limit: float, since: float = 0.0) -> Any:
        """The next response.

        Raises WorkerError where there is none within `time_limit` seconds of the last request, or of `since`
        (`time.monotonic`) if that is later.
        """
        if not self.connection.poll(max(max(self.sent, since) + time_limit - time.monotonic(), 0)):
            raise WorkerLost(f"no answer within {time_limit:g} s", self._stack_of_hung())
        try:
            response = self.connection.recv()
        except (EOFError, OSError):
            self.process.join(_TRACE_LIMIT)
            raise WorkerLost(f"ended with exit code {self.process.exitcode}", self._read_trace()) from None
        if isinstance(response, Raised):
            raise WorkerError(*response)
        return response

    def close(self) -> None:
        """End the process; further calls do nothing."""
        if self._is_open:
            self._stop()
            self.directory.cleanup()
            for buffer in self.buffers:
                buffer.unpin()
        self._is_open = False

    @property
    def pid(self) -> int:
        """The process id."""
        return int(self.process.pid)

    @property
    def _trace(self) -> Path:
        return Path(self.directory.name) / "traceback"

    def _stack_of_hung(self) -> str:
        """The traceback of a process that does not answer; faulthandler writes it on a signal."""
        if hasattr(faulthandler, "register") and self.process.is_alive():
            os.kill(self.process.pid, signal.SIGUSR1)
            until = time.monotonic() + _TRACE_LIMIT
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
    connection: Connection,
    target: Callable[..., Answer],
    memories: Sequence[Any],
    arguments: tuple[Any, ...],
    trace: str,
) -> None:
    """Answer requests until the owner hangs up; an exception is sent as its traceback and ends the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the owner's
    with open(trace, "w", encoding="utf-8") as file:
        faulthandler.enable(file)
        if hasattr(faulthandler, "register"):
            faulthandler.register(signal.SIGUSR1, file)
        try:
            answer = target([Buffer(memory) for memory in memories], *arguments)
            while True:
                connection.send(answer(connection.recv()))
        except (EOFError, BrokenPipeError):
            return
        except Exception as error:
            message = ", ".join([in_one_line(error), *getattr(error, "__notes__", ())])
            connection.send(Raised(message, traceback.format_exc()))
        finally:
            faulthandler.disable()


def clean_context(preload: str) -> Any:
    """A context whose processes inherit no threads: they fork from a clean server that has imported `preload` once."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([preload])
    return context
