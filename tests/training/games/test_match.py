"""Matches: sides are swapped, openings shared, and outcomes are those of the rules."""

from __future__ import annotations

import math

import torch

from games_and_queues import Kayles
from graphwright.envs.games.opponents import random_moves
from graphwright.envs.generators import InstanceGenerator, parse_topology
from graphwright.envs.problem import no_columns
from graphwright.training.games.every_reply import against_every_reply
from graphwright.training.games.match import Score, play_match
from graphwright.training.games.rating import Encounter, elo
from graphwright.training.statistics import wilson
from kayles_problem import first_legal as first
from strategies import seeded

PATHS = InstanceGenerator(parse_topology("path"), (3, 5, 6), no_columns)


def test_a_match_is_what_replaying_its_moves_says() -> None:
    game, instances = Kayles(), PATHS(5, seeded())
    match = play_match(game, instances, first, random_moves, seeded(), opening=1)
    assert match.num_games == 10
    assert match.side.tolist() == [0, 1] * 5
    for number in range(10):
        state = game.reset(instances.select(torch.tensor([number // 2])))
        moves = [int(move) for move in match.moves[:, number] if move >= 0]
        for turn, move in enumerate(moves):
            if turn >= 1 and int(game.player(state)) == int(match.side[number]):
                assert move == int(first(game, state, seeded()))
            step = game.step(state, torch.tensor([move]))
            assert bool(step.terminated) == (turn == len(moves) - 1)
            state = step.state
        winner = 0 if float(game.outcome(state)) > 0 else 1
        assert float(match.outcome[number]) == (1 if winner == int(match.side[number]) else -1)
    assert bool((match.moves[0, 0::2] == match.moves[0, 1::2]).all())
    assert match.count() == match.count(0) + match.count(1)
    pairs = match.count_pairs()
    points = [sum(match.outcome[pair : pair + 2].tolist()) for pair in range(0, 10, 2)]
    assert (pairs.wins, pairs.losses) == (sum(p > 0 for p in points), sum(p < 0 for p in points))


def test_players_who_always_do_the_same_play_few_games() -> None:
    one_path = PATHS(1, seeded()).select(torch.zeros(6, dtype=torch.int64))
    match = play_match(Kayles(), one_path, first, first, seeded())
    assert match.num_distinct == 2
    assert match.share() == wilson(match.count().share.value * 2, 2)  # the same game again says no more
    assert math.isnan(match.share(0).low)
    assert match.share(0).value == match.count(0).share.value


def test_games_that_are_over_before_a_player_moves_are_counted() -> None:
    one_path = PATHS(1, seeded()).select(torch.zeros(6, dtype=torch.int64))
    match = play_match(Kayles(), one_path, first, first, seeded(), opening=100)
    assert match.num_opened(100) == match.num_games
    assert match.num_opened(0) == 0


def test_shares_and_their_intervals_by_hand() -> None:
    score = Score(wins=10, draws=20, losses=10)
    assert score.share.value == 0.5
    assert score.decided.value == 0.5
    share = wilson(8, 10)  # Wilson 1927: 0.4901 to 0.9433
    assert (round(share.low, 4), round(share.high, 4)) == (0.4902, 0.9433)
    assert all(wilson(0, trials).low == 0 and wilson(trials, trials).high == 1 for trials in range(2, 200))
    assert Score(0, 4, 0).decided.low == 0
    assert math.isnan(wilson(0, 0).value)
    assert wilson(1, 1).value == 1
    assert math.isnan(wilson(1, 1).low)


def test_ratings_are_those_of_the_logistic_law() -> None:
    """Who scores 10 of 11 is 400 above; many games leave little of the prior, and few a wide interval."""
    many = elo(3, [Encounter(1, 0, 10_000, 11_000), Encounter(2, 1, 5_500, 11_000)])
    assert many[0].value == 0
    assert abs(many[1].value - 400) < 2
    assert abs(many[2].value - 400) < 2
    few = elo(2, [Encounter(1, 0, 4, 4)])
    assert few[1].value > 100
    assert few[1].high - few[1].low > 4 * (many[1].high - many[1].low)
    assert elo(1, [])[0].value == 0


def test_against_every_reply_by_hand() -> None:
    """On a path of 3 the middle wins at once, and an end leaves one node, which the other side takes."""
    three = InstanceGenerator(parse_topology("path"), (3,), no_columns)(1, seeded())
    assert against_every_reply(Kayles(), three, first, 0, seeded()) == Score(0, 0, 1)
    assert against_every_reply(Kayles(), three, first, 1, seeded()) == Score(2, 0, 1)
