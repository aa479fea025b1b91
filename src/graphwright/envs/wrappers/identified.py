"""Teams whose agents know which one they are."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F
from typing_extensions import override

from graphwright.core import Features, GraphBatch, Observation, Step
from graphwright.core.timestep import IDENTITY
from graphwright.envs.generators import DrawColumns
from graphwright.envs.teams.crowd import AGENT
from graphwright.envs.wrappers.around import AroundTeam

SLOT = "slot"


@dataclass(frozen=True)
class Identified(AroundTeam):
    """A team whose instances have the node column `slot` [N] int64 (`with_slots`), which agents see.

    Observation: that of `inner`, with the node column `identity` [N, most], `slot` as one-hot; zeros where it is -1.
    """

    most: int = 8

    @property
    @override
    def features(self) -> Features:
        known = self.inner.features
        return replace(known, nodes={**known.nodes, IDENTITY: self.most})

    @override
    def reset(self, instances: GraphBatch) -> GraphBatch:
        return self.inner.reset(instances)

    @override
    def observe(self, state: GraphBatch) -> Observation:
        seen, slot = self.inner.observe(state), state.nodes[SLOT]
        identity = F.one_hot(slot.clamp(min=0), self.most) * (slot >= 0).unsqueeze(1)
        return Observation(seen.graph.with_nodes(**{IDENTITY: identity.float()}), seen.masks)

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        return self.inner.step(state, action)


def with_slots(law: DrawColumns, most: int, drawn: bool) -> DrawColumns:
    """`law`, whose instances get a `slot` from 0 to `most` - 1 for each agent, different inside a team.

    drawn: whether it is drawn anew for every instance; otherwise agents are numbered as they stand. Of what is no agent
    it is -1. Raises ValueError, naming the option, for teams of more than `most` agents.
    """

    def identified(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
        instances = law(graph, generator)
        acts = instances.nodes["type"] == AGENT if "type" in instances.nodes else instances.node_graph >= 0
        before = acts.long().cumsum(0) - acts.long()
        start = torch.cat([before, before.new_zeros(1)])[instances.node_ptr[:-1].clamp(max=before.numel())]
        number = before - start[instances.node_graph]
        largest = int(number[acts].max()) + 1 if bool(acts.any()) else 0
        if largest > most:
            raise ValueError(f"--identity.most {most}: a team has {largest} agents; give at least {largest}")
        if drawn:
            noise = torch.rand(instances.num_graphs, most, generator=generator, device=generator.device)
            number = noise.argsort(1)[instances.node_graph, number.clamp(max=most - 1)]
        return instances.with_nodes(**{SLOT: torch.where(acts, number, -1)})

    return identified
