"""`Replay`: the newest transitions between stored states, drawn alike or by priority."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.sequence import Sequence
from graphwright.data.ring import Group, RaggedRing, Rows
from graphwright.data.stores import StateStore
from graphwright.data.tables import Columns, Memory

_STATE, _NEXT_STATE, _PRIORITY = "state", "next_state", "priority"
_SHARE = 64


@dataclass(frozen=True, eq=False)
class Transitions:
    """S transitions. ids: [S] int64, where they are found again; state, next_state: as they were added.

    columns: name -> [S, ...]; groups: name -> the further rows of each, such as its decisions.
    weight: [S] float32, what makes up for how they were drawn, at most 1. sequence: of steps in a row, which decisions
    go on where; None: they are single ones.
    """

    ids: Tensor
    state: Any
    next_state: Any
    columns: Columns
    groups: Mapping[str, Group]
    weight: Tensor
    sequence: Sequence | None = None


class Replay:
    """At most `capacity` transitions in at most `max_bytes` bytes (None: any), of which the oldest give way.

    What is counted is all memory of the tables, filled or not (`num_bytes`); while a column grows, it exists twice.
    Where the bytes are full, the oldest 64th is forgotten at once.

    A transition refers to two states by their ids, so a state that one step leads to and the next one leaves is stored
    once, and so are those that n-step returns skip. How states are stored is a choice: `WholeGraphs`, or
    `InstancesOnce`. A state stays as long as a transition refers to it or to an older state:

        state = replay.add_states(states, instances=instances)             # after a reset
        next_state = replay.add_states(step.state, after=state)            # after a step
        replay.add(state, next_state, {"action": action, "reward": step.reward, "terminated": step.terminated})

    Columns are those of the first transitions that are added: [B, ...] by name, and ragged ones as `Group`s, such as
    "decisions" with an action [D], a reward [D] and a successor [D]. Where an episode goes on in a graph that is not
    the one that was reached, since it ended, its last state is added like any other and the next one is fresh.
    """

    def __init__(self, capacity: int, states: Callable[[Memory], StateStore], max_bytes: int | None = None) -> None:
        if capacity < 1:
            raise ValueError(f"a replay of capacity {capacity}; give at least 1")
        self.capacity = capacity
        self.memory = Memory(max_bytes, self._forget)
        self.states = states(self.memory)
        self.transitions = RaggedRing(self.memory)
        self.highest = 1.0

    def __len__(self) -> int:
        return len(self.transitions)

    @property
    def num_added(self) -> int:
        """All transitions that there ever were, those that are forgotten too."""
        return self.transitions.end

    @property
    def num_bytes(self) -> int:
        """Bytes of all tables."""
        return self.memory.num_bytes

    @property
    def ids(self) -> Tensor:
        """[len] int64: all transitions from old to new."""
        return self.transitions.ids

    def add_states(self, states: Any, *, instances: GraphBatch | None = None, after: Tensor | None = None) -> Tensor:
        """Store `states` of fresh `instances` [B], or that steps from the states `after` [B] led to; their ids [B]."""
        return self.states.add(states, instances=instances, after=after)

    def add(
        self,
        state: Tensor,
        next_state: Tensor | None = None,
        columns: Columns | None = None,
        groups: Mapping[str, Group] | None = None,
    ) -> Tensor:
        """Add transitions from `state` to `next_state` [B] int64, ids (None: to themselves); their ids [B] int64.

        Their priority is the highest that any has had. Raises ValueError for more than `capacity` of them.
        """
        count = state.numel()
        if count > self.capacity:
            raise ValueError(f"{count} transitions at once, and there is room for {self.capacity}; add fewer")
        next_state = state if next_state is None else next_state
        self.states.refer(torch.cat([state, next_state]))
        self._drop(len(self) + count - self.capacity)
        priority = torch.full(state.shape, self.highest, device=state.device)
        own = {_STATE: state, _NEXT_STATE: next_state, _PRIORITY: priority}
        return self.transitions.add(Rows(count, {**(columns or {}), **own}, groups or {}))

    def follows(self, ids: Tensor, others: Tensor) -> Tensor:
        """[S] bool: whether each of `others` [S], if there is one, begins in the state that the one of `ids` led to."""
        there = others < self.transitions.first + len(self)
        known = torch.where(there, others, ids)
        return there & (self.transitions.get(_NEXT_STATE, ids) == self.transitions.get(_STATE, known))

    def select(self, ids: Tensor, weight: Tensor | None = None) -> Transitions:
        """The transitions of `ids` [S] int64."""
        rows = self.transitions.select(ids)
        columns = dict(rows.columns)
        state, next_state = self.states.select_steps(columns.pop(_STATE), columns.pop(_NEXT_STATE))
        del columns[_PRIORITY]
        weight = torch.ones(ids.shape, device=ids.device) if weight is None else weight
        return Transitions(ids, state, next_state, columns, rows.groups, weight)

    def sample(self, count: int, generator: torch.Generator) -> Transitions:
        """`count` transitions, each with the same probability, repeats allowed; `generator` is one of the CPU."""
        rows = torch.randint(len(self), (count,), generator=generator).to(self.ids.device)
        return self.select(self.transitions.first + rows)

    def sample_by_priority(
        self, count: int, generator: torch.Generator, exponent: float = 0.6, correction: float = 0.4
    ) -> Transitions:
        """`count` transitions, each drawn with probability P(i) = pᵢ^exponent / Σₖ pₖ^exponent, repeats allowed.

        weight: (len · P(i))^-correction over its largest. Schaul et al. 2016, "Prioritized experience replay", eq. 1
        and section 3.4, drawn from `count` equal slices of the sum, as its appendix B.2.1 does.
        """
        mass = self.priority().double() ** exponent
        rows = draw_in_proportion(mass, count, generator)
        weight = (len(self) * mass[rows] / mass.sum()) ** -correction
        return self.select(self.transitions.first + rows, (weight / weight.max()).float())

    def priority(self) -> Tensor:
        """[len] float32: the priority of each transition, from old to new."""
        return self.transitions.get(_PRIORITY, self.ids)

    def set_priority(self, ids: Tensor, priority: Tensor) -> None:
        """Give the transitions of `ids` [S] that are still there a `priority` [S] above 0, such as |TD error| + ε."""
        if not bool((priority > 0).all() & priority.isfinite().all()):
            raise ValueError("a priority must be above 0 and finite; add a small number to the error")
        here = ids >= self.transitions.first
        self.transitions.set(_PRIORITY, ids[here], priority[here])
        self.highest = max(self.highest, float(priority.max()))

    def state_dict(self) -> dict[str, Tensor]:
        """All of it, to the last bit."""
        transitions = {f"transitions.{key}": value for key, value in self.transitions.state_dict().items()}
        highest = torch.tensor(self.highest, dtype=torch.float64)
        return {"highest": highest, **transitions, **self.states.state_dict()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Hold what `state_dict` returned, in a replay of the same kind, and go on in the same way.

        Raises ValueError where what refers to what is not as it should be.
        """
        start = "transitions."
        own = {key.removeprefix(start): value for key, value in state.items() if key.startswith(start)}
        self.transitions.load_state_dict(own)
        self.states.load_state_dict(state)
        self.highest = float(state["highest"])
        try:
            self.states.require_whole(self._referred(self.ids))
        except IndexError as error:
            raise ValueError(f"transitions between states that are gone: {error}") from None
        priority = self.priority() if len(self) else torch.ones(1)
        if not bool((priority > 0).all() & priority.isfinite().all()) or not 0 < self.highest < float("inf"):
            raise ValueError("a priority that is no number above 0")

    def _referred(self, ids: Tensor) -> Tensor:
        """[2 S] int64: the states to which the transitions of `ids` [S] refer."""
        if not len(ids):
            return ids
        return torch.cat([self.transitions.get(_STATE, ids), self.transitions.get(_NEXT_STATE, ids)])

    def _drop(self, count: int) -> None:
        """Forget the `count` oldest transitions, and the states to which nothing refers any more."""
        if count <= 0:
            return
        referred = self._referred(self.ids[:count])
        self.transitions.drop(self.transitions.first + count)
        self.states.release(referred)

    def _forget(self) -> bool:
        count = len(self)
        self._drop(min(count, max(1, count // _SHARE)))
        return count > 0


def draw_in_proportion(mass: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """[count] int64: rows of `mass` [M] float64, one from each of `count` equal slices of its sum."""
    total = mass.cumsum(0)
    uniform = torch.rand(count, generator=generator, dtype=torch.float64).to(mass.device)
    slices = torch.arange(count, device=mass.device)
    rows = torch.searchsorted(total, (slices + uniform) / count * total[-1], right=True)
    return rows.clamp(max=mass.numel() - 1)
