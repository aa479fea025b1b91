"""Live episodes that run on from one update to the next."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch
from graphwright.data.sources import GeneratedInstances
from graphwright.envs.vector import VectorEnv
from graphwright.training.collectors.play import PlayCollector


class LiveCollector(PlayCollector):
    """A collector that plays the episodes of `vector`. source: where fresh instances come from, if it has a memory."""

    def __init__(self, vector: VectorEnv, source: GeneratedInstances | None = None) -> None:
        super().__init__(source)
        self.vector = vector
        self.returns = torch.zeros(vector.num_envs, device=vector.state.device)  # so far, of the live episodes

    @override
    def state_dict(self) -> dict[str, Tensor]:
        live = {f"live.{name}": tensor for name, tensor in self.vector.state.to_tensors().items()}
        return {"returns": self.returns, **live, **super().state_dict()}

    @override
    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        device, returns = self.returns.device, state["returns"]
        if returns.shape != self.returns.shape or returns.dtype != self.returns.dtype or not returns.isfinite().all():
            raise ValueError("returns so far that are not one finite number for each live episode")
        self.returns = returns.to(device)
        live = {key.removeprefix("live."): tensor for key, tensor in state.items() if key.startswith("live.")}
        found = GraphBatch.from_tensors(live).to(device)
        require_alike(found, self.vector.state)
        self.vector.state = found
        super().load_state_dict(state)

    def mean_return(self, reward: Tensor, done: Tensor, lost: Tensor) -> Tensor:
        """Mean return of the episodes that ended in [T, B] steps, those left out that were lost; NaN where none did."""
        total, count = reward.new_zeros(()), reward.new_zeros(())
        for step_reward, step_done, step_ended in zip(reward, done, done & ~lost, strict=True):
            self.returns = self.returns + step_reward
            total = total + (self.returns * step_ended).sum()
            count = count + step_ended.sum()
            self.returns = self.returns.masked_fill(step_done, 0)
        return total / count


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
