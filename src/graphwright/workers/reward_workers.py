"""Slow reward functions, computed in worker processes while this one goes on."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.workers.process import WorkerError, clean_context
from graphwright.workers.reward_worker import RewardFunction, RewardWarning, RewardWorker, Shard, compute, pickled

__all__ = ["RewardError", "RewardFunction", "RewardFuture", "RewardWarning", "RewardWorkers"]


class RewardError(WorkerError):
    """Rewards could not be computed; the message names the batch and its graphs."""


@dataclass(frozen=True, eq=False)
class RewardFuture:
    """A submitted batch, its rewards as far as they are computed, and the worker of each of its shards."""

    batch: GraphBatch
    rewards: Tensor
    shards: Sequence[tuple[RewardWorker, Shard]] = ()


class RewardWorkers:
    """Computes rewards of batches of states in `num_workers` processes, or in this one if 0.

    A batch is cut into consecutive shards of about equally many graphs, one a worker, which lie in shared memory. A
    worker that raises, ends, or takes longer than `time_limit` seconds for a shard is restarted with a `RewardWarning`
    and gets its shard once more. Use it as a context manager, or `close` it.

    function: called with states on the CPU, never with none; gives [B] or [B, K] numbers. Sent to the workers as the
        standard pickle does it, by its name. Without workers its exceptions are raised unchanged.
    num_objectives: K where the function gives [B, K] numbers, None where it gives [B].
    buffer_bytes: shared memory for a shard; arrays that do not fit are sent as messages (`num_messages` counts them),
        which is slower and makes `submit` wait until the worker has finished its earlier shards.
    max_pending: batches in flight at a time; `submit` waits for the oldest where there are as many.

    Raises TypeError for a function that cannot be sent, and RewardError where workers cannot begin.
    """

    def __init__(
        self,
        function: RewardFunction,
        num_workers: int,
        *,
        num_objectives: int | None = None,
        time_limit: float = 60.0,
        buffer_bytes: int = 1 << 21,
        max_pending: int = 2,
    ) -> None:
        self.function = function
        self.columns = () if num_objectives is None else (num_objectives,)
        self.max_pending = max_pending
        self._pending: deque[RewardFuture] = deque()
        self._num_submitted = 0
        self._is_open = True
        payload = pickled(function) if num_workers else b""
        context = clean_context("graphwright.workers.reward_worker")
        sizes = [buffer_bytes] * max_pending
        self._workers = [RewardWorker(context, payload, self.columns, sizes, time_limit) for _ in range(num_workers)]
        try:
            for worker in self._workers:
                worker.start()
            for worker in self._workers:
                worker.wait_until_ready()
        except WorkerError as error:
            self.close()
            raise RewardError(f"a reward worker could not start: {error}") from error
        except BaseException:
            self.close()
            raise

    def __call__(self, batch: GraphBatch) -> Tensor:
        """[B] or [B, K] float64, on the device of `batch`."""
        return self.collect(self.submit(batch))

    @property
    def num_messages(self) -> int:
        """Arrays that were sent as messages, since they did not fit into a buffer."""
        return sum(worker.num_messages for worker in self._workers)

    @property
    def num_failures(self) -> int:
        """How often a worker was restarted."""
        return sum(worker.num_failures for worker in self._workers)

    @property
    def pids(self) -> list[int]:
        """The process ids."""
        return [worker.process.pid for worker in self._workers]

    def submit(self, batch: GraphBatch) -> RewardFuture:
        """Start on `batch`, whose tensors must not change until it is collected."""
        self._check_open()
        rewards = torch.empty(batch.num_graphs, *self.columns, dtype=torch.float64)
        if not self._workers or not batch.num_graphs:
            return RewardFuture(
                batch, compute(self.function, batch.to("cpu"), self.columns) if batch.num_graphs else rewards
            )
        if len(self._pending) == self.max_pending:
            self._finish(self._pending.popleft())
        number, slot = self._num_submitted, self._num_submitted % self.max_pending
        self._num_submitted += 1
        bounds = [batch.num_graphs * place // len(self._workers) for place in range(len(self._workers) + 1)]
        shards = [
            (worker, Shard(number, batch, start, stop, slot, rewards[start:stop]))
            for worker, (start, stop) in zip(self._workers, pairwise(bounds), strict=True)
            if stop > start
        ]
        self._pending.append(RewardFuture(batch, rewards, shards))
        for worker, shard in shards:
            worker.give(shard)
        return self._pending[-1]

    def collect(self, future: RewardFuture) -> Tensor:
        """The rewards of a batch, [B] or [B, K] float64, on its device; futures may be collected in any order.

        Raises RewardError where a shard failed twice.
        """
        self._finish(future)
        failed = [shard for _, shard in future.shards if shard.error is not None]
        if failed:
            said = "; ".join(f"{shard} failed twice: {shard.error}" for shard in failed)
            raise RewardError(said) from failed[0].error
        return future.rewards.to(future.batch.device)

    def close(self) -> None:
        """End the workers; what was not collected is lost."""
        self._is_open = False
        for worker in self._workers:
            worker.close()

    def __enter__(self) -> RewardWorkers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _finish(self, future: RewardFuture) -> None:
        for worker, shard in future.shards:
            if not shard.is_done:
                self._check_open()
                worker.finish(shard)

    def _check_open(self) -> None:
        if not self._is_open:
            raise RewardError("these reward workers are closed; make new ones")
