"""A worker that computes rewards of shares of batches, which lie in memory that it shares with its owner."""

from __future__ import annotations

import pickle
import time
import warnings
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.workers.buffers import Buffer, Place
from graphwright.workers.process import START_LIMIT, WorkerError, WorkerProcess

Rewards = Callable[[GraphBatch], Tensor]
"""States of B graphs to their B rewards, [B] or [B, K] numbers."""


class RewardWarning(UserWarning):
    """A reward worker failed; it was restarted, and its graphs are computed once more."""


@dataclass(eq=False)
class Share:
    """Graphs `start` to `stop` of batch `number`, which lie in buffer `slot` of their worker.

    rewards: [stop - start] or [stop - start, K] float64, where the answer goes; error: why there is none.
    """

    number: int
    batch: GraphBatch
    start: int
    stop: int
    slot: int
    rewards: Tensor
    error: str = ""
    has_failed: bool = False
    is_done: bool = False

    def tensors(self) -> dict[str, Tensor]:
        """As `GraphBatch.to_tensors` of these graphs; views, but for the topology."""
        batch = self.batch
        nodes = slice(*batch.node_ptr[[self.start, self.stop]].tolist())
        edges = slice(*batch.edge_ptr[[self.start, self.stop]].tolist())
        rows = {"nodes": nodes, "edges": edges, "graphs": slice(self.start, self.stop)}
        cut = {
            "edge_index": batch.edge_index[:, edges] - nodes.start,
            "node_ptr": batch.node_ptr[self.start : self.stop + 1] - nodes.start,
            "edge_ptr": batch.edge_ptr[self.start : self.stop + 1] - edges.start,
        }
        for table, part in rows.items():
            cut |= {f"{table}.{name}": column[part] for name, column in getattr(batch, table).items()}
        return cut


class Question(NamedTuple):
    """Where the process finds the states of a share, and where it puts the rewards."""

    slot: int
    states: dict[str, Place | np.ndarray]
    rewards: Place | np.ndarray

    @property
    def num_messages(self) -> int:
        """Arrays that found no room in the buffer."""
        return sum(isinstance(found, np.ndarray) and found.size > 0 for found in (*self.states.values(), self.rewards))


class Rewarder:
    """This side of a worker process, which answers shares in the order in which they are given.

    num_messages: arrays that found no room in a buffer; num_failures: restarts so far.
    """

    def __init__(
        self, context: Any, function: bytes, columns: tuple[int, ...], buffer_bytes: Sequence[int], time_limit: float
    ) -> None:
        memories = [context.RawArray("b", size) for size in buffer_bytes]
        self.process = WorkerProcess(context, compute_shares, (memories, function, columns))
        self.buffers = [Buffer(memory) for memory in memories]
        for buffer in self.buffers:
            buffer.pin()
        self.time_limit = time_limit
        self.num_messages = self.num_failures = 0
        self._waiting: deque[Share] = deque()
        self._last_answer = 0.0
        self._is_open = True

    def start(self) -> None:
        """Begin a process."""
        self.process.start()
        self.process.send(None)

    def wait_until_ready(self) -> None:
        """Wait for it to have imported what it needs. Raises WorkerError."""
        self.process.receive(START_LIMIT)

    def give(self, share: Share) -> None:
        """Ask for the rewards of a share."""
        question = self._pack(share)
        self.num_messages += question.num_messages
        # A message that fills the pipe must meet a process that reads: a busy one may be filling it from the other end.
        while question.num_messages and self._waiting:
            self._receive()
        self._waiting.append(share)
        self.process.send(question)

    def finish(self, share: Share) -> None:
        """Wait for the rewards of a share, or for its second failure."""
        while not share.is_done:
            self._receive()

    def close(self) -> None:
        """End the process; what waits is lost."""
        if self._is_open:
            self.process.close()
            for buffer in self.buffers:
                buffer.unpin()
        self._is_open = False

    def _receive(self) -> None:
        """The next answer; after a failure, a new process, which is given all that waits."""
        share = self._waiting[0]
        try:
            found = self.process.receive(self.time_limit, since=self._last_answer)
            share.rewards.copy_(torch.from_numpy(self.buffers[share.slot].find(found)))
            share.is_done = True
        except WorkerError as error:
            self._note(share, str(error))
        self._last_answer = time.monotonic()
        if share.is_done:
            self._waiting.popleft()
        if not share.is_done or share.error:
            self.start()
            self.wait_until_ready()
            for again in self._waiting:
                self.process.send(self._pack(again))

    def _note(self, share: Share, error: str) -> None:
        self.num_failures += 1
        whose = f"the rewards of graphs {share.start} to {share.stop - 1} of batch {share.number}"
        if share.has_failed:
            share.error = f"{whose} failed twice: {error}"
            share.is_done = True
        else:
            share.has_failed = True
            warnings.warn(f"{whose} are computed again: {error}", RewardWarning, stacklevel=2)

    def _pack(self, share: Share) -> Question:
        """Write a share into its buffer, the place of its rewards first."""
        buffer = self.buffers[share.slot]
        buffer.clear()
        rewards = buffer.allocate(tuple(share.rewards.shape), np.dtype(np.float64))
        states = {}
        for name, tensor in share.tensors().items():
            array = buffer.allocate(tuple(tensor.shape), torch.empty(0, dtype=tensor.dtype).numpy().dtype)
            torch.from_numpy(array).copy_(tensor.detach())
            states[name] = buffer.place(array)
        return Question(share.slot, states, buffer.place(rewards))


def compute_shares(
    memories: Sequence[Any], function: bytes, columns: tuple[int, ...]
) -> Callable[[Question | None], Place | np.ndarray | None]:
    """What the process does with a question; with none, say that it is there."""
    torch.set_num_threads(1)  # the processes share the cores
    buffers = [Buffer(memory) for memory in memories]
    rewards_of: Rewards = pickle.loads(function)  # the owner's own bytes

    def answer(question: Question | None) -> Place | np.ndarray | None:
        if question is None:
            return None
        find = buffers[question.slot].find
        states = GraphBatch.from_tensors({name: torch.from_numpy(find(at)) for name, at in question.states.items()})
        torch.from_numpy(find(question.rewards)).copy_(compute(rewards_of, states, columns))
        return question.rewards

    return answer


def compute(function: Rewards, states: GraphBatch, columns: tuple[int, ...]) -> Tensor:
    """The rewards of `states`, [B, *columns] float64. Raises ValueError where they have another shape."""
    rewards = torch.as_tensor(function(states), dtype=torch.float64).detach()
    if rewards.shape != (states.num_graphs, *columns):
        expected = [states.num_graphs, *columns]
        raise ValueError(f"{_name(function)} gave rewards of shape {list(rewards.shape)}; they must be {expected}")
    return rewards


def pickled(function: Rewards) -> bytes:
    """A function as the standard pickle sends it. Raises TypeError where it cannot."""
    try:
        return pickle.dumps(function)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise TypeError(f"{_name(function)} cannot be sent to workers; define it in a module: {error}") from None


def _name(function: Rewards) -> str:
    return getattr(function, "__qualname__", type(function).__name__)
