"""One damaged network in plain Python: its states, what follows from them, and what they cost at least."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from torch import Tensor

from graphwright.core import GraphBatch

_ROUNDING = 1e-9

Trace = tuple["Trace | None", tuple[int, ...]]
"""What was done before, and last: the repaired node, the ends of the link switched on, or nothing for a wait."""


class RepairRules(NamedTuple):
    """The options of `NetworkRepair`; `stuck` for `wait="stuck"`."""

    stamina: float
    recovery: float
    switching: float
    rest: float
    stuck: bool


class State(NamedTuple):
    """broken, served: nodes as bit sets; switchings: how many are left. What else was done makes no difference: nodes
    that are served once stay served, and the links between them no longer matter.
    """

    broken: int
    served: int
    switchings: int


class DamagedNetwork:
    """An instance of one graph. Times are in units of its longest repair, demands are shares of their sum."""

    def __init__(self, start: GraphBatch, rules: RepairRules) -> None:
        """start: the first state of one graph."""
        nodes, demand = start.nodes, start.nodes["demand"]
        self.rules = rules
        self.demand = (demand / demand.sum().clamp(min=1e-300)).tolist()
        self.effort = (nodes["repair_time"] / start.graphs["scale"]).tolist()
        self.supply = _bits(nodes["source"])
        self.needed = _bits(demand > 0)
        self.start = State(_bits(nodes["broken"]), _bits(nodes["served"]), int(start.graphs["switchings"]))
        self.closed, self.spare = [0] * start.num_nodes, [0] * start.num_nodes
        for (one, other), spare in zip(start.edge_index.T.tolist(), start.edges["spare"].tolist(), strict=True):
            (self.spare if spare else self.closed)[one] |= 1 << other
        # Smith's rule: the order of repairs with the least sum of demand times completion.
        self.by_ratio = sorted(_places(self.start.broken), key=lambda node: -self.demand[node] / self.effort[node])

    def complete(self, state: State) -> bool:
        """Whether all demand is served."""
        return not self.needed & ~state.served

    def dark(self, state: State) -> float:
        """The share of the demand that is not served."""
        return sum(self.demand[node] for node in _places(self.needed & ~state.served))

    def following(self, state: State, energy: float) -> Iterator[tuple[State, float, float, tuple[int, ...]]]:
        """Every state that one action leads to, how long it takes, the energy then, and the action as in `Trace`.

        Of the links that bring supply to the same island, one is as good as another.
        """
        tired, stuck = False, True
        for node in _places(state.broken):
            effort = self.effort[node]
            if effort > energy + _ROUNDING:
                tired = True
                continue
            stuck = False
            yield self._repaired(state, node), effort, energy - effort, (node,)
        rules, met = self.rules, state.served | state.broken
        for node in range(len(self.spare) if state.switchings else 0):
            near = self.spare[node] & state.served
            if near and not met >> node & 1:
                stuck = False
                served = self._supplied(state.served, 1 << node, state.broken)
                met |= served
                after = State(state.broken, served, state.switchings - 1)
                yield after, rules.switching, self._rested(energy, rules.switching), (near.bit_length() - 1, node)
        if stuck if rules.stuck else tired:
            yield state, rules.rest, self._rested(energy, rules.rest), ()

    def least(self, state: State, energy: float) -> float:
        """What all of the rest costs at least.

        Broken nodes wait for their own repair; with e = `energy`, r = `recovery` and E the efforts until then, that is
        for E + max(0, E − e) / r or longer, whose sum Smith's rule makes least for any multiple of E. Dark nodes that
        work wait for one switching or repair.
        """
        passed = total = weight = 0.0
        soonest = self.rules.switching if state.switchings else float("inf")
        for node in self.by_ratio:
            if not state.broken >> node & 1:
                continue
            effort = self.effort[node]
            passed += effort
            total += self.demand[node] * passed
            weight += self.demand[node]
            soonest = min(soonest, effort + max(0.0, effort - energy) / self.rules.recovery)
        with_rest = total + (total - weight * energy) / self.rules.recovery
        others = self.needed & ~state.served & ~state.broken
        return max(total, with_rest) + (sum(self.demand[node] for node in _places(others)) * soonest if others else 0.0)

    def _repaired(self, state: State, node: int) -> State:
        broken, bit = state.broken & ~(1 << node), 1 << node
        if not (bit & self.supply or self.closed[node] & state.served):
            return State(broken, state.served, state.switchings)
        return State(broken, self._supplied(state.served, bit, broken), state.switchings)

    def _supplied(self, served: int, begin: int, broken: int) -> int:
        """`served` with the nodes of `begin` and all that they supply through working nodes and closed links."""
        served |= begin
        while begin:
            lowest = begin & -begin
            begin ^= lowest
            new = self.closed[lowest.bit_length() - 1] & ~served & ~broken
            served |= new
            begin |= new
        return served

    def _rested(self, energy: float, duration: float) -> float:
        return min(energy + self.rules.recovery * duration, self.rules.stamina)


def _bits(mask: Tensor) -> int:
    return sum(1 << node for node in mask.nonzero().squeeze(1).tolist())


def _places(bits: int) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest
