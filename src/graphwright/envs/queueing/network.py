"""What all queueing networks share: how chance enters, what is rewarded, and when an episode is cut short."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch, Step
from graphwright.core.numbers import require_each
from graphwright.core.seeds import derived_seed
from graphwright.core.segment import segment_sum
from graphwright.envs.endless import Endless
from graphwright.envs.queueing.count_laws import draw_counts
from graphwright.envs.randomness import graph_streams, mix, node_streams, uniform
from graphwright.envs.readable import Readable

ARRIVALS, SERVICES, START = 0, 1, 2
"""Which number of a slot is whose."""


_REWARDS: dict[str, Callable[[Tensor], Tensor]] = {
    "backlog": torch.neg,
    "inverse": lambda cost: 1 / (1 + cost),
    "log": lambda cost: -cost.log1p(),
}


@dataclass(frozen=True)
class QueueingNetwork(Endless, Readable):
    """Packets or jobs arrive, wait and are served, slot by slot; what counts is how many wait in the mean.

    Instances have the graph columns `seed` [B] int64, which decides all that is random, and `law` [B] int64, the law of
    counts (`core/counts.py`); node columns `number` [N] int64 tell the streams of random numbers of nodes apart.
    States add the node column `queue` [N] int64 and the graph columns `slot` [B] int64; `backlog`, `arrived` and
    `departed` [B] float64: what waits, and what came and left for good in the last slot.
    """

    reward: Literal["backlog", "inverse", "log"] = "backlog"
    """backlog is minus the cost of a slot, c; inverse is 1 / (1 + c), which is at most 1; log is -log(1 + c), so that a
    per cent of a light load counts as much as one of a heavy load."""
    log_observation: bool = True
    """Show the networks log(1 + x) of queues and rates rather than x."""
    backlog_limit: float = 0.0
    """An episode is cut short where more than this waits; 0 for no limit."""
    penalty: float = 0.0
    """What that costs, once."""
    horizon: int = 0
    """While learning, begin anew after so many slots; 0 for never."""
    initial_queue: int = 0
    """While learning, begin with up to so many packets in each queue, few or many by turns; 0 for empty queues."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where a value makes no environment."""
        require_each(self, "environment", ("backlog_limit", "penalty", "horizon", "initial_queue"), 0)

    @abstractmethod
    @override
    def load(self, instances: GraphBatch) -> Tensor: ...

    @property
    @abstractmethod
    @override
    def load_bound(self) -> str: ...

    @override
    def reset(self, instances: GraphBatch) -> GraphBatch:
        """Empty queues, or up to so many packets as are drawn for each graph, log-uniform, up to `initial_queue`."""
        zero = torch.zeros(instances.num_graphs, dtype=torch.float64, device=instances.device)
        start = instances.with_nodes(queue=torch.zeros_like(instances.nodes["number"])).with_graphs(
            slot=zero.long(), backlog=zero, arrived=zero, departed=zero
        )
        if not self.initial_queue:
            return start
        most = (1.0 + self.initial_queue) ** uniform(graph_streams(start), zero.long(), START)
        share = uniform(node_streams(start), zero.long()[start.node_graph], START)
        queue = (share * most[start.node_graph]).round().clamp(max=self.initial_queue)
        return start.with_nodes(queue=queue.long() * self.has_queue(start))

    def has_queue(self, instances: GraphBatch) -> Tensor:
        """[N] bool: the nodes at which packets may wait."""
        return torch.ones_like(instances.nodes["number"], dtype=torch.bool)

    @override
    def averages(self, state: GraphBatch) -> Mapping[str, Tensor]:
        return {name: state.graphs[name] for name in ("backlog", "arrived", "departed")}

    @override
    def periods(self, state: GraphBatch) -> Tensor:
        return state.graphs["slot"]

    @override
    def reseeded(self, instances: GraphBatch, seed: int) -> GraphBatch:
        """The same networks with other random numbers; those of one network do not depend on its company."""
        return instances.with_graphs(seed=mix(instances.graphs["seed"] + derived_seed(seed)))

    @override
    def without_cuts(self) -> QueueingNetwork:
        return replace(self, horizon=0, backlog_limit=0.0, initial_queue=0)

    def draw(self, state: GraphBatch, column: str, slot: Tensor, which: int) -> Tensor:
        """[N] int64: counts of the law whose means are the node column `column`, the `which`-th of a `slot` [B]."""
        uniforms = uniform(node_streams(state), slot[state.node_graph], which)
        return draw_counts(state, column, uniforms)

    def seen(self, numbers: Tensor) -> Tensor:
        """Counts and rates as a network reads them, float32."""
        return numbers.float().log1p() if self.log_observation else numbers.float()

    def outcome(self, state: GraphBatch, cost: Tensor | None = None) -> Step:
        """The end of a slot in `state`, whose `slot` and `backlog` are new; cost: [B] float64, None for the backlog."""
        backlog = state.graphs["backlog"]
        cost = backlog if cost is None else cost
        reward = _REWARDS[self.reward](cost)
        truncated = torch.zeros_like(backlog, dtype=torch.bool)
        if self.backlog_limit:
            truncated = backlog > self.backlog_limit
            reward = reward - self.penalty * truncated
        never = torch.zeros_like(truncated)
        if self.horizon:
            truncated = truncated | (state.graphs["slot"] >= self.horizon)
        return Step(state, reward.float(), never, truncated)


def advanced(
    state: GraphBatch, queue: Tensor, arrived: Tensor, departed: Tensor, backlog: Tensor | None = None
) -> GraphBatch:
    """`state` one slot later with `queue` [N]; arrived, departed: [N] counts; backlog: [B], by default what queues."""
    segments = state.node_segments
    return state.with_nodes(queue=queue).with_graphs(
        slot=state.graphs["slot"] + 1,
        backlog=(segment_sum(queue, segments) if backlog is None else backlog).double(),
        arrived=segment_sum(arrived, segments).double(),
        departed=segment_sum(departed, segments).double(),
    )
