"""The capability to go back: every step can be undone, so objects can be sampled both ways, and enumerated."""

from __future__ import annotations

from abc import abstractmethod
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from graphwright.core import ActionSpec, GraphBatch, Observation
from graphwright.envs.environment import Environment

STOP = "stop"
"""The name of the action that finishes an object, the first of a spec where there is such a choice."""


class Move(NamedTuple):
    """What a step forward or backward led to.

    state: the next state; reverse: [B] int64, the action of the other direction that leads back.
    """

    state: GraphBatch
    reverse: Tensor


class Reversible(Environment):
    """An environment whose states make a directed acyclic graph, from an initial state to finished objects.

    Actions are discrete, one a graph. An object is finished by the action "stop", the first candidate of a spec whose
    first block has that name (the state stays as it is), or when nothing is left to do. Going back ends when nothing is
    left to undo, which is so in the initial state alone.

    For every state s and legal action a but stop, `advance(s, a) = (s', b)` implies that b is legal in s' and that
    `undo(s', b) = (s, a)`; and the other way round. Where objects are graphs whose nodes have no names (`keys` says
    what is the same object), this holds up to renumbering: s and a may come back as another numbering of theirs.
    """

    @property
    @abstractmethod
    def backward_actions(self) -> ActionSpec:
        """What may be undone."""

    @property
    def has_stop(self) -> bool:
        """Whether finishing is an action."""
        return self.actions.blocks[0].name == STOP

    @abstractmethod
    def backward_masks(self, state: GraphBatch) -> tuple[Tensor, ...]:
        """What may be undone: one bool tensor for each block of `backward_actions`, [rows, columns] or [rows]."""

    @abstractmethod
    def advance(self, state: GraphBatch, action: Tensor) -> Move:
        """Do `action` [B] int64, one legal action a graph, none of them stop."""

    @abstractmethod
    def undo(self, state: GraphBatch, action: Tensor) -> Move:
        """Undo `action` [B] int64, one legal backward action a graph."""

    def observe_backward(self, state: GraphBatch) -> Observation:
        """What an agent that goes back sees of `state`, and what it may undo."""
        return Observation(self.observe(state).graph, self.backward_masks(state))

    def given(self, state: GraphBatch) -> GraphBatch | None:
        """`state` without the columns that `reset` added; None where steps change anything but columns of nodes.

        It is stored once for all states of a trajectory.
        """
        return None

    def keys(self, state: GraphBatch) -> list[bytes]:
        """A key for each graph: two are equal if and only if the states are the same object.

        Unless a subclass knows better, every number of a state counts, so this is for nodes that have names.
        """
        return _bytes_of(state)

    def numbering(self, state: GraphBatch) -> Tensor | None:
        """[N] int64: a place for each node inside its graph, such that states that are the same object become equal
        when so renumbered; None where they are equal already, or no such places are known."""
        return None

    def log_automorphisms(self, state: GraphBatch) -> Tensor:
        """[B] float64: log of the number of renumberings that leave each state as it is; 0 where nodes have names."""
        return torch.zeros(state.num_graphs, dtype=torch.float64, device=state.device)

    def log_share(self, state: GraphBatch) -> Tensor:
        """[B] float64: log of the share of each state in the thing that it and others are, such as one molecule.

        Shares of all states of a thing sum to 1; 0 where each state is a thing of its own.
        """
        return torch.zeros(state.num_graphs, dtype=torch.float64, device=state.device)

    def log_multiplicity(self, state: GraphBatch) -> Tensor:
        """[B] float64: both together, which may need less than each alone."""
        return self.log_automorphisms(state) + self.log_share(state)


def _bytes_of(state: GraphBatch) -> list[bytes]:
    """All numbers of each graph of a batch."""
    nodes, edges = state.node_ptr.tolist(), state.edge_ptr.tolist()
    local = state.edge_index - state.node_ptr[:-1][state.edge_graph]
    parts = [(end, edges) for end in local]
    parts += [(state.nodes[name], nodes) for name in sorted(state.nodes)]
    parts += [(state.edges[name], edges) for name in sorted(state.edges)]
    parts += [(state.graphs[name], list(range(state.num_graphs + 1))) for name in sorted(state.graphs)]
    each = [_split(column, ptr) for column, ptr in parts]
    return [b"|".join(numbers) for numbers in zip(*each, strict=True)]


def _split(column: Tensor, ptr: list[int]) -> list[bytes]:
    """The rows ptr[i] .. ptr[i + 1] - 1 of a column, as they are in memory."""
    width = column.element_size() * column.shape[1:].numel()
    memory = column.contiguous().view(-1).view(torch.uint8).cpu().numpy().tobytes()
    return [memory[begin * width : end * width] for begin, end in pairwise(ptr)]
