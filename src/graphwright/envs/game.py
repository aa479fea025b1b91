"""The capability to be played against each other."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.environment import Environment


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
