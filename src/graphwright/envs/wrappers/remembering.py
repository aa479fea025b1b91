"""Teams whose agents remember."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import Features, GraphBatch, Observation, Step
from graphwright.core.timestep import MEMORY
from graphwright.envs.wrappers.around import AroundTeam


@dataclass(frozen=True)
class Remembering(AroundTeam):
    """A team whose states have room for what each agent remembers.

    State: adds the node column `memory` [N, width], zeros at first, which whoever acts writes (`Chosen.into`) before a
    step. The step carries it along `successor`: what a dead agent remembered is gone, one that joins begins with zeros.
    Observation: that of `inner`, with the column.
    """

    width: int = 32

    @property
    @override
    def features(self) -> Features:
        known = self.inner.features
        return replace(known, nodes={**known.nodes, MEMORY: self.width})

    @override
    def reset(self, instances: GraphBatch) -> GraphBatch:
        state = self.inner.reset(instances)
        return state.with_nodes(**{MEMORY: torch.zeros(state.num_nodes, self.width, device=state.device)})

    @override
    def observe(self, state: GraphBatch) -> Observation:
        seen = self.inner.observe(state)
        return Observation(seen.graph.with_nodes(**{MEMORY: state.nodes[MEMORY]}), seen.masks)

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        step = self.inner.step(state, action)
        if step.successor is None:
            return step
        before, graphs = self.actions.decider.deciders(self.inner.observe(state).graph)
        after, later = self.actions.decider.deciders(self.inner.observe(step.state).graph)
        stays = (step.successor >= 0).nonzero().squeeze(1)
        row = after[later.ptr[:-1][graphs.index[stays]] + step.successor[stays]]
        memory = state.nodes[MEMORY]
        carried = memory.new_zeros(step.state.num_nodes, self.width).index_copy(0, row, memory[before[stays]])
        return replace(step, state=step.state.with_nodes(**{MEMORY: carried}))
