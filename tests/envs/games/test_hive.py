"""Hive: moves are counted, positions by hand, and the environment against the count."""

from __future__ import annotations

import pytest
import torch

from graphwright.core import GraphBatch
from graphwright.core.segment import segment_sum
from graphwright.envs.conformance import check_environment
from graphwright.envs.games.hive.environment import Hive
from graphwright.envs.games.hive.perft import perft
from graphwright.envs.games.hive.problem import HIVE, SETS

COUNTS = {
    "": (4, 96, 1_440, 21_600, 516_240),
    "M": (5, 150, 2_610, 45_414, 1_252_800),
    "L": (5, 150, 2_610, 45_414, 1_252_800),
    "P": (5, 150, 2_610, 45_414, 1_255_932),
    "ML": (6, 216, 4_320, 86_400),
    "MP": (6, 216, 4_320, 86_400),
    "LP": (6, 216, 4_320, 86_400),
    "MLP": (7, 294, 6_678, 151_686, 5_427_108),
}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def begin(letters: str, count: int = 1) -> GraphBatch:
    return HIVE.game.reset(HIVE.generator(law=letters or "base")(count, seeded()))


@pytest.mark.parametrize("letters", SETS)
def test_the_positions_after_each_number_of_moves_are_as_many_as_is_known(letters: str) -> None:
    for depth, count in enumerate(COUNTS[letters], 1):
        assert perft(begin(letters), depth) == [count]


def test_the_environment_plays_the_moves_that_are_counted() -> None:
    state, game, random = begin("MLP", 16), HIVE.game, HIVE.opponent("random")
    generator = seeded(1)
    for turn in range(45):
        seen = game.observe(state)
        moves = segment_sum(seen.masks[0], seen.graph.edge_segments)
        assert torch.equal(seen.masks[1], moves == 0)
        assert perft(state, 1) == moves.clamp(min=1).tolist()
        if turn % 15 == 14:  # two plies, one of them by the environment
            some = state.select(torch.tensor([0]))
            first = game.observe(some)
            legal = game.actions.arrange(first.graph, first.masks).nonzero().squeeze(1)
            after = game.step(some.select(torch.zeros_like(legal)), legal).state
            assert perft(some, 2) == [sum(perft(after.select(after.graphs["winner"] < 0), 1))]
        step = game.step(state, random(game, state, generator))
        state = step.state.select(~step.terminated)


def test_it_conforms() -> None:
    check_environment(Hive(limit=40), HIVE.generator(law="MLP")(2, seeded()), max_steps=60)


def test_long_games_are_drawn_and_one_ply_is_better_than_random() -> None:
    game, generator = Hive(limit=60), seeded(2)
    state, turn, outcome = begin("MLP", 4), 0, []
    while state.num_graphs:
        name = ("one-ply", "random")[turn % 2]
        step, turn = game.step(state, HIVE.opponent(name)(game, state, generator)), turn + 1
        outcome += game.outcome(step.state.select(step.terminated)).tolist()
        state = step.state.select(~step.terminated)
    assert turn <= 60
    assert sum(outcome) > 0
    with pytest.raises(ValueError, match=r"environment.limit: -1; give a number of moves"):
        Hive(limit=-1)


def test_two_queens_that_are_surrounded_at_once_are_a_draw_and_one_is_a_win() -> None:
    state = begin("")
    kind, owner = state.nodes["kind"], state.nodes["owner"]
    around = [(1, 0), (1, -1), (0, -1), (-1, 0), (-1, 1), (0, 1)]
    places = {0: (0, 0)} | {piece: around[place] for place, piece in enumerate((1, 2, 3, 4, 5))}
    places[11] = (5, 0)  # the queen of the other side, far away: only the count of neighbours is looked at
    q, r, level = torch.zeros_like(state.nodes["q"]), torch.zeros_like(state.nodes["r"]), torch.full_like(kind, -1)
    for piece, (x, y) in places.items():
        q[piece], r[piece], level[piece] = x, y, 0
    assert owner[0] == 0
    assert owner[11] == 1
    assert isinstance(HIVE.game, Hive)
    step = HIVE.game.move(state.with_nodes(q=q, r=r, level=level), torch.tensor([6]), torch.tensor([around[5]]))
    assert step.reward.tolist() == [-1]  # side 0 has surrounded its own queen
    assert HIVE.game.outcome(step.state).tolist() == [-1]
    for place, piece in enumerate((12, 13, 14, 15, 16)):
        q[piece], r[piece], level[piece] = 5 + around[place][0], around[place][1], 0
    q[17], r[17], level[17] = 4, 1, 0  # the sixth of the other queen
    step = HIVE.game.move(state.with_nodes(q=q, r=r, level=level), torch.tensor([6]), torch.tensor([around[5]]))
    assert step.reward.tolist() == [0]
    assert step.terminated.tolist() == [True]
    assert HIVE.game.outcome(step.state).tolist() == [0]


def test_the_queens_are_seen_with_what_is_around_them_and_decide_at_the_limit_where_they_may() -> None:
    game, generator = Hive(limit=30, adjudicated=True), seeded(2)
    state = game.reset(HIVE.generator(law="base")(24, seeded()))
    for _ in range(30):
        step = game.step(state, HIVE.opponent("random")(game, state, generator))
        over = step.state.select(step.terminated)
        if not bool(step.terminated.all()):
            state = step.state.select(~step.terminated)
    around = _taken_around_queens(over)
    expected = torch.tensor([-1 if mine == other else int(mine > other) for mine, other in around])
    assert torch.equal(over.graphs["winner"], expected)
    assert torch.equal(over.graphs["drawn"], expected < 0)
    assert bool((expected >= 0).any())
    assert bool((over.graphs["moves"] == 30).all())
    seen, player = game.observe(state).graph, state.graphs["player"].tolist()
    for graph, (first, second) in enumerate(_taken_around_queens(state)):
        mine, theirs = (first, second) if player[graph] == 0 else (second, first)
        assert float(seen.graphs["around_mine"][graph] * 6) == pytest.approx(mine)
        assert float(seen.graphs["around_theirs"][graph] * 6) == pytest.approx(theirs)
        one = seen.select(torch.tensor([graph]))
        taken = (one.nodes["free"] == 0) & (one.nodes["in_hand"] == 0)
        assert int((one.nodes["near_theirs"] * taken).sum()) == theirs
    with pytest.raises(ValueError, match=r"environment.adjudicated: games end at environment.limit moves"):
        Hive(limit=0, adjudicated=True)


def _taken_around_queens(state: GraphBatch) -> list[tuple[int, int]]:
    found = []
    for graph in range(state.num_graphs):
        nodes = state.select(torch.tensor([graph])).nodes
        rows = list(zip(*(nodes[name].tolist() for name in ("kind", "owner", "q", "r", "level")), strict=True))
        taken = {(q, r) for _, _, q, r, level in rows if level >= 0}
        around = [0, 0]
        for kind, owner, q, r, level in rows:
            if kind == 0 and level >= 0:
                steps = ((1, 0), (1, -1), (0, -1), (-1, 0), (-1, 1), (0, 1))
                around[owner] = sum((q + dq, r + dr) in taken for dq, dr in steps)
        found.append((around[0], around[1]))
    return found
