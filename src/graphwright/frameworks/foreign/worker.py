"""A worker: a process that plays sessions and writes what they show into a buffer that the learner shares."""

from __future__ import annotations

import faulthandler
import os
import pickle
import signal
import time
import traceback
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cloudpickle

from graphwright.frameworks.foreign.buffers import Buffer
from graphwright.frameworks.foreign.sessions import Host, Report
from graphwright.frameworks.foreign.states import Packed

_PATIENCE = 2.0  # seconds for a hung process to say where it is


class WorkerError(RuntimeError):
    """A worker raised, ended or took too long; the message holds its traceback where there is one."""


class Worker:
    """The learner's side of a worker process, which can be started again and again.

    num_live: graphs that its environments show now. num_messages: arrays that found no room in the buffer.
    """

    def __init__(self, context: Any, makes: Sequence[Any], buffer_bytes: int) -> None:
        self.context = context
        self.payload = cloudpickle.dumps(makes)
        self.memory = context.RawArray("b", buffer_bytes)
        self.buffer = Buffer(self.memory)
        self.buffer.pin()
        self.directory = TemporaryDirectory()
        self.process: Any = None
        self.num_live = self.num_messages = 0

    def start(self) -> None:
        """A new process, in the place of the one that there may be."""
        self._stop()
        self.connection, theirs = self.context.Pipe()
        arguments = (theirs, self.memory, self.payload, str(self._trace))
        self.process = self.context.Process(target=serve, args=arguments, daemon=True)
        self.process.start()
        theirs.close()

    def send(self, command: str, content: Any) -> None:
        """Ask for something; whether the process is there to hear it shows in `receive`."""
        self.sent = time.monotonic()
        try:
            self.connection.send((command, content))
        except OSError:
            return

    def receive(self, time_limit: float) -> Report:
        """The answer. Raises WorkerError where there is none within `time_limit` seconds of the question."""
        if not self.connection.poll(max(self.sent + time_limit - time.monotonic(), 0)):
            raise WorkerError(f"no answer within {time_limit:g} s\n{self._whereabouts()}")
        try:
            answer = self.connection.recv()
        except (EOFError, OSError):
            self.process.join(_PATIENCE)
            raise WorkerError(f"ended with exit code {self.process.exitcode}\n{self._read_trace()}") from None
        if isinstance(answer, str):
            raise WorkerError(answer)
        report: Report = answer._replace(live=self._find(answer.live), final=answer.final and self._find(answer.final))
        self.num_live = sum(report.num_live)
        return report

    def close(self) -> None:
        """End the process."""
        self._stop()
        self.buffer.unpin()
        self.directory.cleanup()

    @property
    def _trace(self) -> Path:
        return Path(self.directory.name) / "traceback"

    def _find(self, placed: Packed) -> Packed:
        found = {key: self.buffer.find(place) for key, place in placed.items()}
        self.num_messages += sum(array is placed[key] and array.size > 0 for key, array in found.items())
        return found

    def _whereabouts(self) -> str:
        """The traceback of a process that does not answer, which faulthandler writes when signalled."""
        if hasattr(faulthandler, "register"):
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


def serve(connection: Connection, memory: Any, payload: bytes, trace: str) -> None:
    """What the process does until the learner hangs up; an exception is sent as its traceback and ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the learner's
    with open(trace, "w", encoding="utf-8") as file:
        faulthandler.enable(file)
        if hasattr(faulthandler, "register"):
            faulthandler.register(signal.SIGUSR1, file)
        try:
            _answer(connection, Buffer(memory), payload)
        except (EOFError, BrokenPipeError):
            return
        except Exception:
            connection.send(traceback.format_exc())
        finally:
            faulthandler.disable()


def _answer(connection: Connection, buffer: Buffer, payload: bytes) -> None:
    host = Host([make() for make in pickle.loads(payload)], buffer.allocate)  # the learner's own bytes
    while True:
        command, content = connection.recv()
        buffer.clear()
        report = host.begin(content) if command == "begin" else host.step(content)
        final = report.final and _placed(buffer, report.final)
        connection.send(report._replace(live=_placed(buffer, report.live), final=final))


def _placed(buffer: Buffer, packed: Packed) -> Any:
    return {key: buffer.place(array) for key, array in packed.items()}
