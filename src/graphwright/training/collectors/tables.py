"""States and actions of collected steps, each stored once where that can be."""

from __future__ import annotations

from collections.abc import Sequence

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


def require_steps(states: Sequence[GraphBatch]) -> None:
    """Raise ValueError where nothing was decided."""
    if not states:
        raise ValueError("none of the instances leaves anything to decide; give the generator larger or denser graphs")
