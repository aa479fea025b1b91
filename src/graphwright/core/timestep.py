"""What passes between an environment and an agent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from graphwright.core.graph import GraphBatch
from graphwright.core.segment import Segments

PREFERENCE = "preference"
"""Graph column [B, K] float32: how much each of several objectives counts."""
IDENTITY = "identity"
"""Node column [N, K] float32: which of K an agent of a team is, as one-hot; zeros for what is no agent."""

MEMORY = "memory"
"""Node column [N, H] float32: what each agent of a team remembers; zeros for what is none."""


@dataclass(frozen=True)
class Features:
    """The columns of an observation that a network reads, with their widths.

    node_types, edge_types: how many types the int64 columns `type` of nodes and edges tell apart; 0 where there is no
    such column. named_by: the one-hot node column that is different for all nodes of a graph, where each is one of a
    few that have names; so a graph is a vector, which an MLP can read.
    """

    nodes: Mapping[str, int]
    edges: Mapping[str, int] = field(default_factory=dict)
    graphs: Mapping[str, int] = field(default_factory=dict)
    node_types: int = 0
    edge_types: int = 0
    named_by: str | None = None


@dataclass(frozen=True, eq=False)
class Observation:
    """What an agent sees.

    graph: a batch whose columns include those of the environment's `Features`.
    masks: one bool tensor for each action block, [rows, columns] or [rows] where columns = 1; true where legal. For a
        continuous block [D]: the decisions in which anything is done.
    """

    graph: GraphBatch
    masks: tuple[Tensor, ...]


@dataclass(frozen=True, eq=False)
class Chosen:
    """What an agent chose.

    action: [D] int64, or [D, columns] float32 where the actions are continuous; log_prob: [D] float32 under the
    distribution that it was drawn from. graphs: the decisions of each graph (D → B). memory: [N, H], the node column
    `memory` from now on; None where nothing is remembered.
    """

    action: Tensor
    log_prob: Tensor
    graphs: Segments
    memory: Tensor | None = None

    def into(self, state: GraphBatch) -> GraphBatch:
        """The `state` that was acted in, with what is remembered from now on; as it is where nothing is."""
        return remembered(state, self.memory)


def remembered(state: GraphBatch, memory: Tensor | None) -> GraphBatch:
    """`state` with the node column `memory` [N, H]; as it is where there is none."""
    return state if memory is None else state.with_nodes(**{MEMORY: memory})


@dataclass(frozen=True, eq=False)
class Step:
    """What an action did.

    state: the next state; reward: [B] float32, or [D], one for each decision, where the environment says so (`Team`);
    terminated: [B] bool, the episode ended by the problem's own rules; truncated: [B] bool, it was cut short, and the
    value of `state` still counts. successor: [D] int64, the place of each decider among the deciders of its graph in
    `state`, -1 where it is gone; None where they are the same, in the same order.
    """

    state: GraphBatch
    reward: Tensor
    terminated: Tensor
    truncated: Tensor
    successor: Tensor | None = None
