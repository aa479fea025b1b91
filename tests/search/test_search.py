"""Searches against plain Python, and what must hold of any search."""

from __future__ import annotations

import pytest
import torch

from games_and_queues import Kayles
from graphwright.core import GraphBatch
from graphwright.core.segment import segment_sum
from graphwright.envs.generators import InstanceGenerator, parse_topology
from graphwright.envs.problem import no_columns
from graphwright.search.evaluation import Evaluation
from graphwright.search.rules import visit_plan
from graphwright.search.search import Found, Kind, SearchSettings, search, search_by_playouts
from search.reference import PlainSearch, odd_network
from strategies import seeded

PATHS = InstanceGenerator(parse_topology("path"), (3, 6, 8, 11), no_columns)


class Copied(Kayles):
    """The same game, of which whole graphs are stored."""

    edits_graph = True


def positions(count: int, moves: int = 1) -> GraphBatch:
    """Some after a move, some at the beginning."""
    game = Kayles()
    state = game.reset(PATHS(count, seeded(3)))
    for _ in range(moves):
        large = (segment_sum(~state.nodes["gone"], state.node_segments) > 5).nonzero().squeeze(1)[::2]
        some = state.select(large)
        state = state.replace(large, game.step(some, torch.ones(large.numel(), dtype=torch.int64)).state)
    return state


@pytest.mark.parametrize("kind", ["puct", "gumbel"])
def test_a_search_is_that_of_plain_python(kind: Kind) -> None:
    """Visits of every move, the policy and the value, of games of different sizes and either side to move."""
    game, states = Kayles(), positions(8)
    assert set(game.player(states).tolist()) == {0, 1}
    settings = SearchSettings(simulations=40, kind=kind, considered=5)
    found = search(game, states, odd_network(game), settings)
    for number in range(8):
        plain = PlainSearch(game, odd_network(game), kind, 40)
        root = plain.run(states.select(torch.tensor([number])), considered=5)
        own = slice(int(found.candidates.ptr[number]), int(found.candidates.ptr[number + 1]))
        visits = [root.moves[a][1] if a in root.moves else 0 for a in range(own.stop - own.start)]
        assert found.visits[own].tolist() == visits
        total = sum(move[2] for move in root.moves.values())
        assert float(found.value[number]) == pytest.approx((root.value + total) / 41, abs=1e-3)
        if kind == "gumbel":
            improved = plain.improved(root)
            expected = [improved.get(a, 0.0) for a in range(own.stop - own.start)]
            assert found.policy[own].tolist() == pytest.approx(expected, abs=2e-2)


@pytest.mark.parametrize("kind", ["puct", "gumbel"])
def test_company_and_storage_change_nothing(kind: Kind) -> None:
    states = positions(6)
    settings = SearchSettings(simulations=20, kind=kind)
    together = search(Kayles(), states, odd_network(Kayles()), settings)
    whole = search(Copied(), states, odd_network(Kayles()), settings)
    assert torch.equal(whole.visits, together.visits)
    for number in range(6):
        alone = search(Kayles(), states.select(torch.tensor([number])), odd_network(Kayles()), settings)
        own = slice(int(together.candidates.ptr[number]), int(together.candidates.ptr[number + 1]))
        assert torch.equal(alone.visits, together.visits[own])
        assert int(alone.action) == int(together.action[number])


@pytest.mark.parametrize("kind", ["puct", "gumbel", "uct"])
def test_only_legal_moves_are_made_and_every_simulation_counts(kind: str) -> None:
    states = positions(7)
    found = searched(kind, states, 30)
    legal = ~states.nodes["gone"]
    assert not bool((found.visits[~legal] > 0).any())
    assert not bool((found.policy[~legal] > 0).any())
    assert segment_sum(found.visits, found.candidates).tolist() == [30] * 7
    torch.testing.assert_close(segment_sum(found.policy, found.candidates), torch.ones(7))
    assert bool(legal[found.candidates.ptr[:-1] + found.action].all())
    assert bool((found.value.abs() <= 1).all())


@pytest.mark.parametrize("kind", ["puct", "gumbel", "uct"])
def test_what_ends_the_game_is_exact(kind: str) -> None:
    """A path of 3 is won by its middle; with every node's value wrong, what is over counts all the same."""
    game = Kayles()
    three = game.reset(InstanceGenerator(parse_topology("path"), (3,), no_columns)(2, seeded()))
    found = searched(kind, three, 60)
    assert found.action.tolist() == [1, 1]
    assert bool((found.value > 0.5).all()) or kind == "gumbel"  # which tries every move
    assert min(found.policy[1::3].tolist()) > 0.8


def searched(kind: str, states: GraphBatch, simulations: int) -> Found:
    if kind == "uct":
        return search_by_playouts(Kayles(), states, simulations, seeded())
    settings = SearchSettings(simulations=simulations, kind=kind)  # type: ignore[arg-type]
    return search(Kayles(), states, odd_network(Kayles()), settings, seeded())


def test_a_plan_by_hand() -> None:
    """16 simulations among 4: two phases of 8, so two visits each of all and four each of the better half."""
    assert visit_plan(4, 16) == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert visit_plan(1, 3) == [0, 1, 2]
    assert visit_plan(16, 5) == [0, 0, 0, 0, 0]


def test_a_game_that_is_over_is_refused() -> None:
    game = Kayles()
    state = game.reset(InstanceGenerator(parse_topology("path"), (1,), no_columns)(1, seeded()))
    over = game.step(state, torch.tensor([0])).state
    with pytest.raises(ValueError, match="a game that is over has no moves"):
        search(game, over, odd_network(game), SearchSettings(simulations=2))


@pytest.mark.parametrize("kind", ["puct", "gumbel"])
def test_a_search_looks_no_further_than_it_may(kind: Kind) -> None:
    """One move ahead, it evaluates the root and every move of it once; with room for all of them nothing changes."""
    game, states, seen = Kayles(), positions(4), list[int]()
    network = odd_network(game)

    def counting(leaves: GraphBatch) -> Evaluation:
        seen.append(leaves.num_graphs)
        return network(leaves)

    found = search(game, states, counting, SearchSettings(60, kind, depth=1))
    moves = segment_sum(found.visits > 0, found.candidates)
    assert sum(seen) <= states.num_graphs + int(moves.sum())
    assert segment_sum(found.visits, found.candidates).tolist() == [60] * 4
    deep, free = (search(game, states, network, SearchSettings(20, kind, depth=depth)) for depth in (20, 0))
    assert torch.equal(deep.visits, free.visits)
