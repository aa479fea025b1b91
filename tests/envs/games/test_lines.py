"""Games of k in a row: rules by hand and against OpenSpiel, symmetries, perfect play against plain minimax."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor

from graphwright.core import GraphBatch, relabel
from graphwright.envs.conformance import check_environment
from graphwright.envs.game import Game
from graphwright.envs.games.lines.solver import values_of_moves
from graphwright.envs.games.search import ILLEGAL
from graphwright.envs.games.tic_tac_toe.environment import TIC_TAC_TOE, TicTacToe
from graphwright.envs.problem import Opponent, Problem
from graphwright.envs.registry import GAMES
from graphwright.nn import EncoderConfig, GraphPolicy, HeadsConfig

SPIEL = {"tic-tac-toe": ("tic_tac_toe", (3,)), "connect-four": ("connect_four", (6,))}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("name", SPIEL)
def test_they_conform(name: str) -> None:
    instances = GAMES[name].generator(sizes=(3, 4, 5))(4, seeded())
    check_environment(GAMES[name].environment, instances)


@pytest.mark.parametrize("name", SPIEL)
def test_rules_are_those_of_open_spiel(name: str) -> None:
    spiel = pytest.importorskip("pyspiel").load_game(SPIEL[name][0])
    problem = GAMES[name]
    game, state = problem.game, problem.game.reset(problem.generator()(100, seeded()))
    random, generator = problem.opponent("random"), seeded(1)
    theirs = [spiel.new_initial_state() for _ in range(100)]
    while theirs:
        mask = game.observe(state).masks[0]
        legal = [part.nonzero().squeeze(1) for part in mask.split(state.node_segments.lengths.tolist())]
        assert [sorted(_theirs(name, each).tolist()) for each in legal] == [other.legal_actions() for other in theirs]
        action = random(game, state, generator)
        step = game.step(state, action)
        for other, move in zip(theirs, _theirs(name, action).tolist(), strict=True):
            other.apply_action(move)
        assert step.terminated.tolist() == [other.is_terminal() for other in theirs]
        over = step.terminated
        ended = [other.returns()[0] for other in theirs if other.is_terminal()]
        assert game.outcome(step.state.select(over)).tolist() == ended
        theirs = [other for other in theirs if not other.is_terminal()]
        state = step.state.select(~over)


def _theirs(name: str, cell: Tensor) -> Tensor:
    return cell if name == "tic-tac-toe" else cell % 7


def test_rotations_and_reflections_of_the_board_are_the_same_graph_and_permute_the_logits() -> None:
    start = TIC_TAC_TOE.game.reset(TIC_TAC_TOE.generator(sizes=(4,))(1, seeded()))
    state = start
    for cell in (0, 6, 3, 9):
        state = TIC_TAC_TOE.game.step(state, torch.tensor([cell])).state
    policy = GraphPolicy(
        TIC_TAC_TOE.environment.features,
        TIC_TAC_TOE.environment.actions,
        EncoderConfig(width=16, depth=2),
        HeadsConfig(),
    )
    cells = torch.arange(16).reshape(4, 4)
    probabilities = _probabilities(policy, state)
    for turned in (cells.rot90(1), cells.rot90(2), cells.flip(0), cells.T):
        place = torch.empty(16, dtype=torch.int64)
        place[turned.flatten()] = torch.arange(16)
        moved = relabel(state, place).with_nodes(position=start.nodes["position"])
        assert torch.equal(moved.edge_index, start.edge_index)
        assert torch.equal(moved.edges["diagonal"], start.edges["diagonal"])
        assert torch.allclose(_probabilities(policy, moved)[place], probabilities, atol=1e-6)


def _probabilities(policy: GraphPolicy, state: GraphBatch) -> Tensor:
    with torch.no_grad():
        return policy.distribution(TIC_TAC_TOE.game.observe(state)).log_probs.exp()


@cache
def _value(board: tuple[int, ...], player: int) -> int:
    """0, or 1 plus the empty cells that the winner leaves, with the sign of the side that moves."""
    lines = [*(range(3 * r, 3 * r + 3) for r in range(3)), *(range(c, 9, 3) for c in range(3)), (0, 4, 8), (2, 4, 6)]
    empty = board.count(-1)
    if any(all(board[cell] == 1 - player for cell in line) for line in lines):
        return -(empty + 1)
    return max((-_value(_put(board, cell, player), 1 - player) for cell in range(9) if board[cell] < 0), default=0)


def _put(board: tuple[int, ...], cell: int, player: int) -> tuple[int, ...]:
    return (*board[:cell], player, *board[cell + 1 :])


def test_perfect_play_of_tic_tac_toe_is_that_of_plain_minimax() -> None:
    game, perfect = TIC_TAC_TOE.game, TIC_TAC_TOE.opponent("perfect")
    state, generator = game.reset(TIC_TAC_TOE.generator()(30, seeded())), seeded(3)
    while state.num_graphs:
        chosen = perfect(game, state, generator)
        for row, move in enumerate(chosen.tolist()):
            board, player = tuple(state.nodes["owner"].view(-1, 9)[row].tolist()), int(state.graphs["player"][row])
            assert -_value(_put(board, move, player), 1 - player) == _value(board, player)
        step = game.step(state, TIC_TAC_TOE.opponent("random")(game, state, generator))
        state = step.state.select(~step.terminated)


@pytest.mark.parametrize(("first", "second"), [("perfect", "one-ply"), ("one-ply", "perfect"), ("random", "perfect")])
def test_perfect_play_never_loses(first: str, second: str) -> None:
    outcome = _match(TIC_TAC_TOE, TIC_TAC_TOE.opponent(first), TIC_TAC_TOE.opponent(second), 60)
    assert bool((outcome * (1 if first == "perfect" else -1) >= 0).all())


def test_endings_of_connect_four_are_won_where_they_can_be() -> None:
    problem = GAMES["connect-four"]
    small = problem.generator("board:columns=4", (4,))(1, seeded())
    state = problem.game.reset(small)
    for cell in (12, 8, 13, 9, 14):  # three in the last row: only the cell beside them does not lose
        state = problem.game.step(state, torch.tensor([cell])).state
    assert problem.opponent("endgame")(problem.game, state, seeded()).item() == 15
    state = problem.game.step(state, torch.tensor([10])).state
    assert problem.opponent("endgame")(problem.game, state, seeded()).item() == 15


def test_one_ply_wins_before_it_blocks() -> None:
    game, state = TIC_TAC_TOE.game, TIC_TAC_TOE.game.reset(TIC_TAC_TOE.generator()(1, seeded()))
    for cell in (0, 3, 1, 4):
        state = game.step(state, torch.tensor([cell])).state
    assert TIC_TAC_TOE.opponent("one-ply")(game, state, seeded()).item() == 2
    state = game.step(state, torch.tensor([8])).state
    assert TIC_TAC_TOE.opponent("one-ply")(game, state, seeded()).item() == 5


def test_what_no_board_is_is_one_line() -> None:
    for wrong, message in (((0,), "sizes holds 0"), ((100,), "a board has 1 to 26 rows, not 100; give another size")):
        with pytest.raises(ValueError, match=message):
            TIC_TAC_TOE.generator(sizes=wrong)
    with pytest.raises(ValueError, match=r"in-a-row: 0; give 1 to 26"):
        TicTacToe(in_a_row=0)
    with pytest.raises(
        ValueError, match="tic-tac-toe has no opponent 'nobody'; choose one of random, one-ply, perfect"
    ):
        TIC_TAC_TOE.opponent("nobody")
    with pytest.raises(ValueError, match="at most 16 empty cells, not 25"):
        _match(TIC_TAC_TOE, TIC_TAC_TOE.opponent("perfect"), TIC_TAC_TOE.opponent("random"), 1, sizes=(5,))
    with pytest.raises(ValueError, match="tic-tac-toe is a game"):
        _ = TIC_TAC_TOE.optimization


def _match(problem: Problem, first: Opponent, second: Opponent, games: int, **options: Any) -> Tensor:
    """[games] float32: the outcomes for the first side."""
    game: Game = problem.game
    state, generator = game.reset(problem.generator(**options)(games, seeded())), seeded(7)
    outcome, going, turn = torch.zeros(games), torch.arange(games), 0
    while going.numel():
        action = (first, second)[turn % 2](game, state, generator)
        step, turn = game.step(state, action), turn + 1
        outcome[going] = game.outcome(step.state)
        going, state = going[~step.terminated], step.state.select(~step.terminated)
    return outcome


def test_a_board_with_a_hole_is_solved_as_it_is_played() -> None:
    """Discs rest on what is below them, and a cell above a hole on nothing, whatever stands elsewhere."""
    problem = GAMES["connect-four"]
    full = problem.generator(sizes=(3,))(1, seeded())
    place = full.nodes["position"].round().long()
    kept = ~((place == torch.tensor([1, 1])).all(1) | (place[:, 0] > 3))
    shift = kept.long().cumsum(0) - 1
    edges = kept[full.edge_index].all(0)
    holed = GraphBatch(
        shift[full.edge_index[:, edges]],
        torch.tensor([0, int(kept.sum())]),
        torch.tensor([0, int(edges.sum())]),
        nodes={name: column[kept] for name, column in full.nodes.items()},
        edges={name: column[edges] for name, column in full.edges.items() if name != "reverse"},
        graphs=full.graphs,
    )
    game = type(problem.environment)(in_a_row=3)
    state = game.reset(holed)
    legal = game.legal(state)
    worth = values_of_moves(state, state.nodes["position"].round().long(), 3, falls=True)
    assert torch.equal(worth > ILLEGAL, legal)
