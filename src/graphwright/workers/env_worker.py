"""A process that steps environments and writes their observations into memory that the learner shares."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any, NamedTuple

import cloudpickle

from graphwright.core import GraphError
from graphwright.workers.buffers import Buffer
from graphwright.workers.env_group import EnvFactory, EnvGroup, GroupStep, PackedArrays
from graphwright.workers.process import Answer, WorkerProcess


class Refused(NamedTuple):
    """The response where an observation does not fit: the message of a GraphError, which says all there is to say."""

    message: str


class EnvWorker:
    """The learner's side of a process with consecutive environments.

    first: the number of its first environment. num_live: graphs that its environments show now. num_messages: arrays
    that did not fit into the buffer.
    """

    def __init__(self, context: Any, makes: Sequence[EnvFactory], first: int, buffer_bytes: int) -> None:
        self.process = WorkerProcess(context, serve_envs, (cloudpickle.dumps(makes), first), [buffer_bytes])
        self.num_live = self.num_messages = 0

    def reset(self, seeds: Sequence[int]) -> None:
        """Start the process, or a new one in its place, and ask for new episodes."""
        self.process.start()
        self.process.send(("reset", seeds))

    def step(self, actions: Any) -> None:
        """Ask for one step of every environment."""
        self.process.send(("step", actions))

    def receive(self, time_limit: float) -> GroupStep:
        """The response. Raises WorkerError where there is none within `time_limit` seconds; GraphError if refused."""
        sent = self.process.receive(time_limit)
        if isinstance(sent, Refused):
            raise GraphError(sent.message)
        step: GroupStep = sent._replace(live=self._find(sent.live), final=sent.final and self._find(sent.final))
        self.num_live = sum(step.num_live)
        return step

    def close(self) -> None:
        """End the process."""
        self.process.close()

    def _find(self, places: PackedArrays) -> PackedArrays:
        found = {key: self.process.buffers[0].find(place) for key, place in places.items()}
        self.num_messages += sum(array is places[key] and array.size > 0 for key, array in found.items())
        return found


def serve_envs(buffers: Sequence[Buffer], makes: bytes, first: int) -> Answer:
    """In the process: what answers ("reset", seeds) and ("step", actions)."""
    buffer = buffers[0]
    group = EnvGroup([make() for make in pickle.loads(makes)], buffer.allocate, first)  # the learner's own bytes

    def answer(request: tuple[str, Any]) -> GroupStep | Refused:
        command, content = request
        buffer.clear()
        try:
            step = group.reset(content) if command == "reset" else group.step(content)
        except GraphError as error:
            return Refused(str(error))
        return step._replace(live=_places(buffer, step.live), final=step.final and _places(buffer, step.final))

    return answer


def _places(buffer: Buffer, packed: PackedArrays) -> Any:
    return {key: buffer.place(array) for key, array in packed.items()}
