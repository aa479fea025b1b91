"""Games in which the sides take turns to take nodes for good."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch, Step
from graphwright.core.segment import Segments
from graphwright.envs.game import Game


class OwnedGame(Game):
    """A game whose nodes belong to sides.

    State: has the node column `owner` [N] int8 (-1: nobody) and the graph columns `player` [B] int64 (who moves) and
    `winner` [B] int64 (-1: nobody, or not yet).
    """

    @override
    def player(self, state: GraphBatch) -> Tensor:
        return state.graphs["player"]

    @override
    def outcome(self, state: GraphBatch) -> Tensor:
        winner = state.graphs["winner"]
        return torch.where(winner < 0, 0, 1 - 2 * winner).float()

    @override
    def swapped(self, state: GraphBatch) -> GraphBatch:
        owner, winner = state.nodes["owner"], state.graphs["winner"]
        return state.with_nodes(owner=torch.where(owner < 0, owner, 1 - owner)).with_graphs(
            player=1 - state.graphs["player"], winner=torch.where(winner < 0, winner, 1 - winner)
        )


class StoneGame(OwnedGame):
    """A game whose state is who owns each node: adds these columns."""

    @property
    def takes_only(self) -> bool:
        """Whether every move is to take a node."""
        return len(self.actions.blocks) == 1

    @abstractmethod
    def legal(self, state: GraphBatch) -> Tensor:
        """[N] bool: the nodes that may be taken."""

    @override
    def legal_moves(self, state: GraphBatch) -> tuple[Tensor, Segments]:
        return (self.legal(state), state.node_segments) if self.takes_only else super().legal_moves(state)

    def begun(self, instances: GraphBatch, owner: Tensor) -> GraphBatch:
        """`instances` with stones as `owner` [N] says; side 0 moves."""
        player = torch.zeros(instances.num_graphs, dtype=torch.int64, device=instances.device)
        return instances.with_nodes(owner=owner).with_graphs(player=player, winner=player - 1)

    def moved(self, state: GraphBatch, owner: Tensor, won: Tensor, over: Tensor) -> Step:
        """What a move came to that leaves the stones `owner` [N]; won, over: [B] bool, for the side that moved."""
        player = state.graphs["player"]
        winner = torch.where(won, player, -1)
        following = state.with_nodes(owner=owner).with_graphs(player=1 - player, winner=winner)
        return Step(following, won.float(), over, torch.zeros_like(over))

    def placed(self, state: GraphBatch, action: Tensor) -> tuple[Tensor, Tensor]:
        """The stones [N] with one more of the side that moves on the `action`-th node of each graph, and those nodes
        [B], numbered over the batch."""
        node = state.node_ptr[:-1] + action
        return state.nodes["owner"].index_put((node,), state.graphs["player"].to(torch.int8)), node

    def seen(self, state: GraphBatch) -> tuple[Tensor, Tensor]:
        """[N] float32 each: the stones of the side that moves, and of the other."""
        owner, player = state.nodes["owner"], state.graphs["player"].to(torch.int8)[state.node_graph]
        return (owner == player).float(), (owner == 1 - player).float()
