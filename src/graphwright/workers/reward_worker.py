"""A process that computes the rewards of shards of batches, which lie in memory that it shares with its owner."""

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
from graphwright.workers.process import START_LIMIT, Answer, WorkerError, WorkerProcess

RewardFunction = Callable[[GraphBatch], Tensor]
"""States of B graphs → their rewards, [B] or [B, K] numbers."""


class RewardWarning(UserWarning):
    """A reward worker failed; it was restarted and computes its shard again."""


@dataclass(eq=False)
class Shard:
    """Graphs `start` to `stop` of batch `number`, in buffer `slot` of their worker.

    rewards: [stop - start] or [stop - start, K] float64, filled in place. error: the second failure, after which there
    are none.
    """

    number: int
    batch: GraphBatch
    start: int
    stop: int
    slot: int
    rewards: Tensor
    error: WorkerError | None = None
    has_failed: bool = False
    is_done: bool = False

    def __str__(self) -> str:
        return f"the rewards of graphs {self.start} to {self.stop - 1} of batch {self.number}"

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


class ShardRequest(NamedTuple):
    """Where the process reads the states of a shard and writes its rewards."""

    slot: int
    states: dict[str, Place | np.ndarray]
    rewards: Place | np.ndarray

    @property
    def num_messages(self) -> int:
        """Arrays that did not fit into the buffer."""
        return sum(isinstance(found, np.ndarray) and found.size > 0 for found in (*self.states.values(), self.rewards))


class RewardWorker:
    """The owner's side of a process that computes shards in the order in which they are given.

    num_messages: arrays that did not fit into a buffer. num_failures: restarts so far.
    """

    def __init__(
        self, context: Any, function: bytes, columns: tuple[int, ...], buffer_bytes: Sequence[int], time_limit: float
    ) -> None:
        self.process = WorkerProcess(context, serve_shards, (function, columns), buffer_bytes)
        self.time_limit = time_limit
        self.num_messages = self.num_failures = 0
        self._waiting: deque[Shard] = deque()
        self._last_response = 0.0

    def start(self) -> None:
        """Start the process, or a new one in its place."""
        self.process.start()
        self.process.send(None)

    def wait_until_ready(self) -> None:
        """Wait until the process has imported what it needs. Raises WorkerError."""
        self.process.receive(START_LIMIT)

    def give(self, shard: Shard) -> None:
        """Ask for the rewards of a shard; never blocks on a full pipe."""
        request = self._pack(shard)
        self.num_messages += request.num_messages
        # A message that fills the pipe must meet a process that reads: a busy one may be filling it from the other end.
        while request.num_messages and self._waiting:
            self._receive()
        self._waiting.append(shard)
        self.process.send(request)

    def finish(self, shard: Shard) -> None:
        """Wait for the rewards of a shard, or for its second failure."""
        while not shard.is_done:
            self._receive()

    def close(self) -> None:
        """End the process; shards that wait are lost."""
        self.process.close()

    def _receive(self) -> None:
        """Take the next response; after a failure, start a new process and send it every shard that waits."""
        shard = self._waiting[0]
        try:
            found = self.process.receive(self.time_limit, since=self._last_response)
            shard.rewards.copy_(torch.from_numpy(self.process.buffers[shard.slot].find(found)))
            shard.is_done = True
        except WorkerError as error:
            self._record_failure(shard, error)
        self._last_response = time.monotonic()
        if shard.is_done:
            self._waiting.popleft()
        if not shard.is_done or shard.error is not None:
            self.start()
            self.wait_until_ready()
            for again in self._waiting:
                self.process.send(self._pack(again))

    def _record_failure(self, shard: Shard, error: WorkerError) -> None:
        self.num_failures += 1
        if shard.has_failed:
            shard.error, shard.is_done = error, True
        else:
            shard.has_failed = True
            warnings.warn(f"{shard} are computed again: {error}", RewardWarning, stacklevel=2)

    def _pack(self, shard: Shard) -> ShardRequest:
        """Write a shard into its buffer, behind the place of its rewards."""
        buffer = self.process.buffers[shard.slot]
        buffer.clear()
        rewards = buffer.allocate(tuple(shard.rewards.shape), np.dtype(np.float64))
        states = {}
        for name, tensor in shard.tensors().items():
            array = buffer.allocate(tuple(tensor.shape), torch.empty(0, dtype=tensor.dtype).numpy().dtype)
            torch.from_numpy(array).copy_(tensor.detach())
            states[name] = buffer.place(array)
        return ShardRequest(shard.slot, states, buffer.place(rewards))


def serve_shards(buffers: Sequence[Buffer], function: bytes, columns: tuple[int, ...]) -> Answer:
    """In the process: what answers a `ShardRequest`, or None, which asks whether the process has started."""
    torch.set_num_threads(1)  # the processes share the cores
    rewards_of: RewardFunction = pickle.loads(function)  # the owner's own bytes

    def answer(request: ShardRequest | None) -> Place | np.ndarray | None:
        if request is None:
            return None
        find = buffers[request.slot].find
        states = GraphBatch.from_tensors({name: torch.from_numpy(find(at)) for name, at in request.states.items()})
        torch.from_numpy(find(request.rewards)).copy_(compute(rewards_of, states, columns))
        return request.rewards

    return answer


def compute(function: RewardFunction, states: GraphBatch, columns: tuple[int, ...]) -> Tensor:
    """The rewards of `states`, [B, *columns] float64. Raises ValueError where they have another shape."""
    rewards = torch.as_tensor(function(states), dtype=torch.float64).detach()
    if rewards.shape != (states.num_graphs, *columns):
        expected = [states.num_graphs, *columns]
        raise ValueError(f"{_name(function)} gave rewards of shape {list(rewards.shape)}; they must be {expected}")
    return rewards


def pickled(function: RewardFunction) -> bytes:
    """A function as the standard pickle sends it. Raises TypeError where it cannot."""
    try:
        return pickle.dumps(function)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise TypeError(f"{_name(function)} cannot be sent to workers; define it in a module: {error}") from None


def _name(function: RewardFunction) -> str:
    return getattr(function, "__qualname__", type(function).__name__)
