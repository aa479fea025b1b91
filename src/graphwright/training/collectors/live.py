"""Live episodes that run on from one update to the next."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch
from graphwright.data.sources import GeneratedInstances
from graphwright.envs.vector import VectorEnv
from graphwright.training.checkpoint import with_prefix, without_prefix
from graphwright.training.collectors.play import PlayCollector


class LiveCollector(PlayCollector):
    """A collector that plays the episodes of `vector`. source: where fresh instances come from, if it has a memory."""

    def __init__(self, vector: VectorEnv, source: GeneratedInstances | None = None) -> None:
        super().__init__(source)
        self.vector = vector
        device = vector.state.device
        self.returns = torch.zeros(vector.num_envs, device=device)  # so far, of the live episodes
        self.lengths = torch.zeros(vector.num_envs, dtype=torch.int64, device=device)  # steps so far

    @override
    def state_dict(self) -> dict[str, Tensor]:
        live = with_prefix("live", self.vector.state.to_tensors())
        return {"returns": self.returns, "lengths": self.lengths, **live, **super().state_dict()}

    @override
    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        device, returns, lengths = self.returns.device, state["returns"], state["lengths"]
        if returns.shape != self.returns.shape or returns.dtype != self.returns.dtype or not returns.isfinite().all():
            raise ValueError("returns so far that are not one finite number for each live episode")
        if lengths.shape != self.lengths.shape or lengths.dtype != self.lengths.dtype or bool((lengths < 0).any()):
            raise ValueError("lengths so far that are not one number of steps for each live episode")
        self.returns, self.lengths = returns.to(device), lengths.to(device)
        found = GraphBatch.from_tensors(without_prefix("live", state)).to(device)
        require_alike(found, self.vector.state)
        self.vector.state = found
        super().load_state_dict(state)

    def of_ended(self, reward: Tensor, done: Tensor, lost: Tensor) -> dict[str, Tensor]:
        """Mean return and length of the episodes that ended in [T, B] steps, those left out that were lost.

        NaN where none did.
        """
        total, steps, count = (reward.new_zeros(()) for _ in range(3))
        for step_reward, step_done, step_ended in zip(reward, done, done & ~lost, strict=True):
            self.returns = self.returns + step_reward
            self.lengths = self.lengths + 1
            total = total + (self.returns * step_ended).sum()
            steps = steps + (self.lengths * step_ended).sum()
            count = count + step_ended.sum()
            self.returns, self.lengths = (so_far.masked_fill(step_done, 0) for so_far in (self.returns, self.lengths))
        return {"return": total / count, "episode_length": steps / count}


def require_alike(found: GraphBatch, known: GraphBatch) -> None:
    """Raise ValueError, naming the column, where states that were stored are not what is played here."""
    if found.num_graphs != known.num_graphs:
        raise ValueError(f"{found.num_graphs} live episodes, where there are {known.num_graphs}")
    for table in ("nodes", "edges", "graphs"):
        columns, expected = (
            {name: (column.dtype, column.shape[1:]) for name, column in getattr(batch, table).items()}
            for batch in (found, known)
        )
        if columns != expected:
            odd = next(name for name in {**columns, **expected} if columns.get(name) != expected.get(name))
            raise ValueError(f"the column {odd!r} of the {table} of live episodes is another one")
