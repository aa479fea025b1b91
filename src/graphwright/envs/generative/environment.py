"""The contract of an environment that builds objects: every step can be taken back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor

from graphwright.core import ActionSpec, Features, GraphBatch

STOP = "stop"


class Move(NamedTuple):
    """What a step forward or backward did.

    state: what it led to; reverse: [B] int64, the action of the other direction that leads back.
    """

    state: GraphBatch
    reverse: Tensor


class FlowEnvironment(ABC):
    """A directed acyclic graph of states, from an empty object to finished ones, walked by many walkers at once.

    The same conventions as for `Environment`: states are `GraphBatch`es, all methods are pure functions that treat the
    graphs of a batch independently, an action is the place of a candidate in its graph's list. An object is finished
    when its builder stops (the first candidate of a spec whose first block is "stop"; the state stays as it is) or when
    nothing is left to do. Taking back goes on until nothing is left to take back, which is the initial state alone.

    For every state s and legal action a but stop, `step(s, a) = (s', b)` implies that b is legal in s' and that
    `undo(s', b) = (s, a)`; and the other way round. Where objects are graphs whose nodes have no names (`keys` says
    what is the same object), this holds up to renumbering: s and a may come back as another numbering of theirs.
    """

    @property
    @abstractmethod
    def features(self) -> Features:
        """The columns of `observe` that a network reads."""

    @property
    @abstractmethod
    def actions(self) -> ActionSpec:
        """What may be done: discrete blocks, the first of which is "stop" where there is a choice to stop."""

    @property
    @abstractmethod
    def backward_actions(self) -> ActionSpec:
        """What may be taken back."""

    @property
    def has_stop(self) -> bool:
        """Whether finishing is an action."""
        return self.actions.blocks[0].name == STOP

    @abstractmethod
    def reset(self, instances: GraphBatch) -> GraphBatch:
        """The initial state for each of `instances`: what is given, such as a graph to cut; often `blank` ones."""

    def observe(self, state: GraphBatch) -> GraphBatch:
        """What a network sees of `state`: the same nodes, with the columns of `features`.

        Edges that nothing depends on any more may be left out where no action is tied to edges.
        """
        return state

    def given(self, state: GraphBatch) -> GraphBatch | None:
        """`state` without the columns that `reset` added; None where steps change anything but columns of nodes.

        It is stored once for all states of a trajectory.
        """
        return None

    @abstractmethod
    def masks(self, state: GraphBatch) -> tuple[Tensor, ...]:
        """What may be done: one bool tensor for each block of `actions`, [rows, columns] or [rows]."""

    @abstractmethod
    def backward_masks(self, state: GraphBatch) -> tuple[Tensor, ...]:
        """What may be taken back: one bool tensor for each block of `backward_actions`."""

    @abstractmethod
    def step(self, state: GraphBatch, action: Tensor) -> Move:
        """Do `action` [B] int64, one legal action a graph, none of them stop."""

    @abstractmethod
    def undo(self, state: GraphBatch, action: Tensor) -> Move:
        """Take back `action` [B] int64, one legal backward action a graph."""

    def keys(self, state: GraphBatch) -> list[bytes]:
        """A key for each graph: two are equal if and only if the states are the same object.

        Unless a subclass knows better, every number of a state counts, so this is for nodes that have names.
        """
        return [_bytes_of(state, place) for place in range(state.num_graphs)]

    def log_automorphisms(self, state: GraphBatch) -> Tensor:
        """[B] float64: log of the number of renumberings that leave each state as it is; 0 where nodes have names."""
        return torch.zeros(state.num_graphs, dtype=torch.float64, device=state.device)

    def log_share(self, state: GraphBatch) -> Tensor:
        """[B] float64: log of the share of each state in the thing that it and others are, such as one molecule.

        Shares of all states of a thing sum to 1; 0 where each state is a thing of its own.
        """
        return torch.zeros(state.num_graphs, dtype=torch.float64, device=state.device)

    def log_num_trajectories(self, state: GraphBatch) -> Tensor | None:
        """[B] float64: the logarithm of how many ways lead from the initial state to each; None where that is hard."""
        return None


def blank(count: int) -> GraphBatch:
    """`count` graphs without nodes: the instances of environments to which nothing is given."""
    nothing = torch.zeros(count + 1, dtype=torch.int64)
    return GraphBatch(torch.empty(2, 0, dtype=torch.int64), nothing, nothing)


def _bytes_of(state: GraphBatch, place: int) -> bytes:
    """All numbers of one graph of a batch."""
    nodes = slice(*state.node_ptr[place : place + 2].tolist())
    edges = slice(*state.edge_ptr[place : place + 2].tolist())
    parts = [state.edge_index[:, edges] - nodes.start]
    parts += [state.nodes[name][nodes] for name in sorted(state.nodes)]
    parts += [state.edges[name][edges] for name in sorted(state.edges)]
    parts += [state.graphs[name][place] for name in sorted(state.graphs)]
    return b"|".join(bytes(part.contiguous().view(-1).view(torch.uint8).numpy()) for part in parts)
