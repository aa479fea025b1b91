"""A worker: a process that plays sessions and writes what they show into a buffer that the learner shares."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from typing import Any

import cloudpickle

from graphwright.frameworks.foreign.sessions import Host, Report
from graphwright.frameworks.foreign.states import Packed
from graphwright.workers.buffers import Buffer
from graphwright.workers.process import WorkerProcess


class Worker:
    """The learner's side of a worker.

    first: the number of its first environment. num_live: graphs that its environments show now. num_messages: arrays
    that found no room in the buffer.
    """

    def __init__(self, context: Any, makes: Sequence[Any], first: int, buffer_bytes: int) -> None:
        memory = context.RawArray("b", buffer_bytes)
        self.process = WorkerProcess(context, play, (memory, cloudpickle.dumps(makes), first))
        self.buffer = Buffer(memory)
        self.buffer.pin()
        self.num_live = self.num_messages = 0

    def start(self) -> None:
        """A new process, in the place of the one that there may be."""
        self.process.start()

    def send(self, command: str, content: Any) -> None:
        """Ask for something; whether the process is there to hear it shows in `receive`."""
        self.process.send((command, content))

    def receive(self, time_limit: float) -> Report:
        """The answer. Raises WorkerError where there is none within `time_limit` seconds of the question."""
        answer = self.process.receive(time_limit)
        report: Report = answer._replace(live=self._find(answer.live), final=answer.final and self._find(answer.final))
        self.num_live = sum(report.num_live)
        return report

    def close(self) -> None:
        """End the process."""
        self.process.close()
        self.buffer.unpin()

    def _find(self, placed: Packed) -> Packed:
        found = {key: self.buffer.find(place) for key, place in placed.items()}
        self.num_messages += sum(array is placed[key] and array.size > 0 for key, array in found.items())
        return found


def play(memory: Any, payload: bytes, first: int) -> Callable[[tuple[str, Any]], Report]:
    """What the process does with a command and its content."""
    buffer = Buffer(memory)
    host = Host([make() for make in pickle.loads(payload)], buffer.allocate, first)  # the learner's own bytes

    def answer(question: tuple[str, Any]) -> Report:
        command, content = question
        buffer.clear()
        report = host.begin(content) if command == "begin" else host.step(content)
        final = report.final and _placed(buffer, report.final)
        return report._replace(live=_placed(buffer, report.live), final=final)

    return answer


def _placed(buffer: Buffer, packed: Packed) -> Any:
    return {key: buffer.place(array) for key, array in packed.items()}
