"""States and actions of collected steps, each stored once where that can be."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from graphwright.core import ActionSpec, GraphBatch
from graphwright.core.segment import Segments
from graphwright.data.actions import ActionTable
from graphwright.data.states import States, StateTable, WholeStates
from graphwright.envs.environment import Environment


def action_table(spec: ActionSpec, actions: Sequence[Tensor], graphs: Sequence[Segments]) -> ActionTable:
    """The actions of many states; graphs: the decisions of each graph of each batch."""
    return ActionTable.of(actions, None if spec.one_per_graph else graphs)


def store_states(
    environment: Environment, instances: GraphBatch, instance_rows: Sequence[Tensor], states: Sequence[GraphBatch]
) -> States:
    """`states`, batches of states of the instances at `instance_rows`, each thing once where that can be."""
    if environment.edits_graph:
        return WholeStates(GraphBatch.concat(states))
    return StateTable.of(instances, instance_rows, states)


class InstanceRows:
    """Which instance each of B live episodes is of, step by step.

    instances: all so far. rows: [B] int64 of each step that is over. row: that of now.
    """

    def __init__(self, live: GraphBatch) -> None:
        self._parts = [live]
        self._count = live.num_graphs
        self.row = torch.arange(live.num_graphs, device=live.device)
        self.rows: list[Tensor] = []

    @property
    def instances(self) -> GraphBatch:
        """Those that were live at first, and all that came after them."""
        return GraphBatch.concat(self._parts)

    def follow(self, done: Tensor, fresh: GraphBatch) -> None:
        """A step is over, and the episodes that are `done` [B] bool go on with the instances `fresh`."""
        self.rows.append(self.row)
        if fresh.num_graphs:
            self.row = self.row.clone()
            self.row[done] = self._count + torch.arange(fresh.num_graphs, device=done.device)
            self._count += fresh.num_graphs
            self._parts.append(fresh)


def require_steps(states: Sequence[GraphBatch]) -> None:
    """Raise ValueError where nothing was decided."""
    if not states:
        raise ValueError("none of the instances leaves anything to decide; give the generator larger or denser graphs")
