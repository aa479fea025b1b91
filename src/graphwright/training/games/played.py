"""`PlayedGame`: one game between a person and a policy, as a list of moves from which all else follows."""

from __future__ import annotations

import string
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from graphwright.core import GraphBatch, GraphError
from graphwright.core.rows import NODES
from graphwright.distributions import RaggedCategorical
from graphwright.envs.game import Game
from graphwright.envs.problem import Opponent

_OWNER = "owner"
"""Node column by which games of stones say who owns a node: a side, or -1."""


class PlayedGame:
    """A game on one `instance`. It remembers nothing: every method is told the moves so far, from the beginning.

    policy: what is shown of a position, and `player`, who replies. names: of the nodes, where the board has some.
    Raises GraphError, naming the move, for moves that are none.
    """

    def __init__(
        self,
        game: Game,
        instance: GraphBatch,
        policy: Any,
        player: Opponent,
        seed: int = 0,
        names: Sequence[str] | None = None,
    ) -> None:
        self.game = game
        self.policy = policy
        self.player = player
        self.seed = seed
        self.names = names
        self.start = game.reset(instance)

    def position(self, moves: Sequence[int]) -> Position:
        """Where `moves` have led to."""
        state, over, drawn = self.start, False, False
        for number, move in enumerate(moves, 1):
            here = Position(self, state, list(moves[: number - 1]), over, drawn)
            if over:
                raise GraphError(f"move {number}: the game is over after {number - 1} moves")
            if move not in here.legal:
                raise GraphError(f"move {number}: {here.name_or_number(move)} is not legal; it changes nothing")
            step = self.game.step(state, torch.tensor([move], device=state.device))
            state, over = step.state, bool(step.terminated | step.truncated)
            drawn = bool(step.truncated)
        return Position(self, state, list(moves), over, drawn)

    def reply(self, position: Position) -> int:
        """The move that the player makes. Raises GraphError where the game is over."""
        if position.over:
            raise GraphError("the game is over; take a move back, or begin another")
        generator = torch.Generator(position.state.device).manual_seed(self.seed + len(position.moves))
        return int(self.player(self.game, position.state, generator))


class Position:
    """A position of a game, after `moves`."""

    def __init__(self, played: PlayedGame, state: GraphBatch, moves: list[int], over: bool, cut: bool) -> None:
        self.played = played
        self.state = state
        self.moves = moves
        self.over = over
        self._cut = cut

    @cached_property
    def side(self) -> int:
        """The side that moves, 0 or 1."""
        return int(self.played.game.player(self.state))

    @cached_property
    def outcome(self) -> int | None:
        """1 where side 0 has won, -1 where side 1 has, 0 for a draw; None while the game goes on."""
        if not self.over:
            return None
        return 0 if self._cut else int(self.played.game.outcome(self.state))

    @cached_property
    def _seen(self) -> Any:
        return self.played.game.observe(self.state)

    @cached_property
    def legal(self) -> list[int]:
        """All legal moves; none where the game is over."""
        if self.over:
            return []
        mask = self.played.game.actions.arrange(self._seen.graph, self._seen.masks)
        return mask.nonzero().squeeze(1).tolist()

    @cached_property
    def graph(self) -> GraphBatch:
        """What is seen: the graph that moves are tied to."""
        return self._seen.graph

    @property
    def owner(self) -> list[int]:
        """[N]: who owns each node, -1 for nobody."""
        if _OWNER in self.state.nodes and self.state.num_nodes == self.graph.num_nodes:
            return [int(side) for side in self.state.nodes[_OWNER].tolist()]
        return [-1] * self.graph.num_nodes

    @property
    def marks(self) -> list[str]:
        """[N]: the names of the columns that hold for each node.

        Of the state, those of truth values; where other nodes are seen than the state has, columns of 0 and 1 of these.
        """
        same = self.state.num_nodes == self.graph.num_nodes
        columns = self.state.nodes if same else self.graph.nodes
        found: list[list[str]] = [[] for _ in range(self.graph.num_nodes)]
        for name, column in columns.items():
            if name in ("mine", "theirs") or column.dim() > 1:  # who owns a node is said apart
                continue
            if column.dtype == torch.bool or (not same and _is_binary(column)):
                for node in column.nonzero().squeeze(1).tolist():
                    found[node].append(name)
        return [", ".join(names) for names in found]

    @cached_property
    def node_names(self) -> list[str]:
        """[N]: their own; else letter and number on a grid, as in chess, and numbers elsewhere."""
        if self.played.names is not None and len(self.played.names) == self.graph.num_nodes:
            return list(self.played.names)
        position = self.positions
        if position is not None:
            rows, columns = (position[:, axis].round() for axis in (1, 0))
            on_grid = bool((position == torch.stack([columns, rows], 1)).all()) and bool((position >= 0).all())
            if on_grid and int(position.max()) < 26:
                height = int(rows.max()) + 1
                return [
                    f"{string.ascii_lowercase[int(x)]}{height - int(y)}" for x, y in position.round().long().tolist()
                ]
        return [str(node + 1) for node in range(self.graph.num_nodes)]

    @property
    def positions(self) -> Tensor | None:
        """[N, 2]: where nodes stand, (right, down), where the board says so."""
        found = self.state.nodes.get("position")
        return found if found is not None and found.shape == (self.graph.num_nodes, 2) else None

    @cached_property
    def _places(self) -> list[list[int]]:
        """Of each legal move: block, row and column."""
        actions = torch.tensor(self.legal, dtype=torch.int64, device=self.state.device)
        return [[int(part) for part in self._locate(action)] for action in actions]

    def _locate(self, action: Tensor) -> tuple[Tensor, ...]:
        return tuple(part[0] for part in self.played.game.actions.locate(self.graph, action[None]))

    def node_of(self, place: int) -> int | None:
        """The node that the `place`-th legal move is tied to alone, if any."""
        block, row, _ = self._places[place]
        spec = self.played.game.actions.blocks[block]
        return row if spec.rows == NODES and spec.columns == 1 else None

    def name(self, place: int) -> str:
        """What the `place`-th legal move is called."""
        block, row, column = self._places[place]
        spec = self.played.game.actions.blocks[block]
        where = self.node_names[row] if spec.rows == NODES else f"{row + 1}"
        kind = f" {column + 1}" if spec.columns > 1 else ""
        several = len(self.played.game.actions.blocks) > 1 or spec.rows != NODES
        return f"{spec.name} {where}{kind}" if several else f"{where}{kind}"

    def name_or_number(self, move: object) -> str:
        """What a move is called, legal or not."""
        blocks = self.played.game.actions.blocks
        simple = len(blocks) == 1 and blocks[0].rows == NODES and blocks[0].columns == 1
        if simple and isinstance(move, int) and 0 <= move < len(self.node_names):
            return self.node_names[move]
        return str(move)

    @torch.no_grad()
    def opinion(self) -> tuple[list[float], float]:
        """How likely the policy finds each legal move, and what the position is worth to the side that moves."""
        if self.over:
            return [], 0.0
        distribution, value = self.played.policy(self._seen)
        shares = distribution.probs[self.legal].tolist() if isinstance(distribution, RaggedCategorical) else []
        return shares, float(value.clamp(-1, 1))


def _is_binary(column: Tensor) -> bool:
    return bool(((column == 0) | (column == 1)).all())
