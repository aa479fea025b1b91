"""Replay: objects that were built before, with their rewards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.data.graph_rows import graph_to_rows, rows_to_graph
from graphwright.data.ring import RaggedRing
from graphwright.envs.reversible import Reversible
from graphwright.training.gflownet.conditions import unconditioned
from graphwright.training.gflownet.remembered import Remembered

ReplayBy = Literal["uniform", "reward", "loss", "diverse"]
_MEASURES, _LOG_REWARD, _PRIORITY = ":measures", ":log_reward", ":priority"  # beside the columns of graphs


class ObjectReplay:
    """At most `capacity` objects, in a ring: with "diverse" it holds up to as many again that were forgotten.

    Of each it knows its measures [K] float64, log_reward float64, and priority float32, how wrong the policy was.
    Different objects have different keys, of which 64 bits are looked at.
    """

    def __init__(self, environment: Reversible, capacity: int, by: ReplayBy) -> None:
        self.capacity = capacity
        self.by = by
        self.ring = RaggedRing()
        self._ids: dict[int, int] = {}  # of the different objects, where these are what is asked for
        which = Remembered(
            lambda objects: torch.tensor([hash(key) for key in environment.keys(objects)], dtype=torch.int64)
        )
        self._which = lambda objects: which(unconditioned(objects, environment.features))

    def __len__(self) -> int:
        return len(self._ids) if self.by == "diverse" else len(self.ring)

    @property
    def ids(self) -> Tensor:
        """[S] int64: where the objects stand in the ring, from old to new."""
        return torch.tensor(list(self._ids.values())) if self.by == "diverse" else self.ring.ids

    @property
    def objects(self) -> GraphBatch:
        """[S]: all objects, from old to new."""
        return self._select(self.ids)[0]

    @property
    def measures(self) -> Tensor:
        """[S, K] float64."""
        return self.ring.get(_MEASURES, self.ids)

    @property
    def log_reward(self) -> Tensor:
        """[S] float64."""
        return self.ring.get(_LOG_REWARD, self.ids)

    def add(self, objects: GraphBatch, measures: Tensor, log_reward: Tensor, priority: Tensor) -> None:
        """Remember `objects` [B]; the oldest are forgotten, or for "diverse" the worst and what is there already."""
        further = {_MEASURES: measures, _LOG_REWARD: log_reward, _PRIORITY: priority}
        ids = self.ring.add(graph_to_rows(objects, **further))
        if self.by == "diverse":
            for key, row in zip(self._which(objects).tolist(), ids.tolist(), strict=True):
                self._ids.setdefault(key, row)
            self._keep_the_best()
        else:
            self.ring.drop(self.ring.end - self.capacity)

    def draw(
        self, count: int, generator: torch.Generator, wanted: Callable[[Tensor], Tensor] | None = None
    ) -> tuple[GraphBatch, Tensor]:
        """`count` remembered objects, repeats allowed, and their measures [count, K].

        wanted: from measures [S, K] of all to log R [count, S] of each under what each of those drawn is for; None: as
        it was when they were remembered. Only "reward" asks.
        """
        return self._select(self.ids[self._rows(count, generator, wanted)])

    def _rows(self, count: int, generator: torch.Generator, wanted: Callable[[Tensor], Tensor] | None) -> Tensor:
        every = torch.randint(len(self), (count,), generator=generator)
        match self.by:
            case "reward":  # Shen et al. 2023, "Towards understanding and improving GFlowNet training", section 4.1
                log_reward = self.log_reward.unsqueeze(0) if wanted is None else wanted(self.measures)
                best = log_reward.argsort(dim=1, descending=True, stable=True)[:, : max(len(self) // 10, 1)]
                place = torch.randint(best.shape[1], (count,), generator=generator)
                chosen = best.expand(count, -1)[torch.arange(count), place]
                return torch.where(torch.arange(count) < count // 2, chosen, every)
            case "loss":  # Schaul et al. 2016, "Prioritized experience replay", eq. 1, with exponent 1
                weight = self.ring.get(_PRIORITY, self.ids).clamp(min=1e-6)
                return torch.multinomial(weight, count, replacement=True, generator=generator)
            case _:
                return every

    def state_dict(self) -> dict[str, Tensor]:
        """All of it."""
        return self.ring.state_dict() | ({"ids": self.ids} if self.by == "diverse" else {})

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state_dict` returned."""
        self.ring.load_state_dict({name: tensor for name, tensor in state.items() if name != "ids"})
        if self.by == "diverse" and len(self.ring):
            ids = state["ids"]
            self._ids = dict(zip(self._which(self._select(ids)[0]).tolist(), ids.tolist(), strict=True))

    def _select(self, ids: Tensor) -> tuple[GraphBatch, Tensor]:
        objects = rows_to_graph(self.ring.select(ids))
        columns = {name: column for name, column in objects.graphs.items() if not name.startswith(":")}
        return objects.keep(tuple(objects.nodes), tuple(objects.edges), tuple(columns)), objects.graphs[_MEASURES]

    def _keep_the_best(self) -> None:
        """Of the different objects; the others leave the ring when they are half of it."""
        keys, ids = list(self._ids), self.ids
        best = self.log_reward.argsort(descending=True, stable=True)[: self.capacity].sort().values
        if len(self.ring) > 2 * self.capacity:
            ids[best] = self.ring.keep(ids[best])
        self._ids = {keys[row]: int(ids[row]) for row in best.tolist()}
