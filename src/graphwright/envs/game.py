"""The capability to be played against each other."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.segment import Segments
from graphwright.envs.environment import Environment
from graphwright.envs.rollouts import is_over, uniform_choice, until_done


class Game(Environment):
    """A game of two sides with full information, in which one side moves at a time and what one wins the other loses.

    Rewards are 0 until a game is over, and then 1 (won), -1 (lost) or 0 (drawn) for the side that has moved.
    Observations are those of the side that moves: of swapped sides the same, so that one policy plays both.
    """

    @abstractmethod
    def player(self, state: GraphBatch) -> Tensor:
        """[B] int64: the side that moves next, 0 or 1."""

    @abstractmethod
    def outcome(self, state: GraphBatch) -> Tensor:
        """[B] float32: of games that are over, 1 where side 0 has won, -1 where side 1 has, 0 for a draw."""

    @abstractmethod
    def swapped(self, state: GraphBatch) -> GraphBatch:
        """The same game with the sides swapped: who was side 0 is side 1, and moves where it moved."""

    def legal_moves(self, state: GraphBatch) -> tuple[Tensor, Segments]:
        """[K] bool: the candidates that may be chosen, as `observe` masks them; and K → B."""
        seen = self.observe(state)
        return self.actions.arrange(seen.graph, seen.masks), self.actions.segments(seen.graph)

    def playout(self, state: GraphBatch, generator: torch.Generator) -> Tensor:
        """[B] float32: the outcome of a random game from each state, none of which is over; 0 where it is cut short."""
        outcome = torch.zeros(state.num_graphs, device=state.device)
        choose = uniform_choice(self.actions, generator)
        for transition in until_done(state, lambda _, here: choose(self.observe(here)), self.step, ends=is_over):
            step = transition.step
            assert step is not None
            over = step.terminated.nonzero().squeeze(1)
            if over.numel():
                outcome[transition.episode[over]] = self.outcome(step.state.select(over))
        return outcome
