"""The capability to be local: a decision changes little, and what is seen of a node depends on what is near it."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.simultaneous import Simultaneous


class Local(Simultaneous):
    """An environment in which a decision changes only what is near the chosen node.

    All distances are hops along the edges that were seen before the decision. An edge that is not seen is never seen
    again, and matters no more; instances have no edge columns but `reverse`. Two legal nodes that no seen edge joins
    may be decided in either order, and end in the same state.
    """

    @property
    @abstractmethod
    def sight(self) -> int | None:
        """What is seen of a node depends on the state so many hops around it; None: on the whole graph."""

    @property
    @abstractmethod
    def reach(self) -> int:
        """A decision changes the state of nodes so many hops around the chosen one."""

    def extremes(self, seen: GraphBatch) -> dict[str, Tensor]:
        """What columns of the observed graph are measured against: name → [N] float32, of which the largest counts.

        `observe` takes that largest from the graph column of this name where a state has one, so that it can be asked
        about a part of a graph.
        """
        return {}
