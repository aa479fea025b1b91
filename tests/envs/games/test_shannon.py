"""The switching game and Hex: against OpenSpiel, networkx and enumeration."""

from __future__ import annotations

from dataclasses import replace

import networkx as nx
import pytest
import torch

from graphwright.core import GraphBatch, GraphError, from_edges
from graphwright.envs.conformance import check_environment
from graphwright.envs.game import Game
from graphwright.envs.games.hex.problem import HEX
from graphwright.envs.games.shannon.environment import Shannon
from graphwright.envs.games.shannon.kernels import FAR
from graphwright.envs.games.shannon.measures import measured
from graphwright.envs.games.shannon.problem import SHANNON
from graphwright.envs.games.shannon.solver import values_of_moves
from graphwright.envs.problem import Problem


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_they_conform() -> None:
    check_environment(HEX.environment, HEX.generator(sizes=(2, 3))(4, seeded()))
    check_environment(Shannon(swap=True), SHANNON.generator(sizes=(6, 8))(4, seeded()))


def test_rules_are_those_of_open_spiel_on_boards_of_several_sizes_at_once() -> None:
    pyspiel = pytest.importorskip("pyspiel")
    game, generator = HEX.game, seeded(1)
    state = game.reset(HEX.generator(sizes=(2, 3, 5, 7))(200, seeded()))
    sizes = (state.node_segments.lengths - 4).double().sqrt().long().tolist()
    theirs = [pyspiel.load_game(f"hex(board_size={size})").new_initial_state() for size in sizes]
    while theirs:
        mask = game.observe(state).masks[0]
        legal = [part.nonzero().squeeze(1).tolist() for part in mask.split(state.node_segments.lengths.tolist())]
        assert legal == [other.legal_actions() for other in theirs]
        action = HEX.opponent("random")(game, state, generator)
        step = game.step(state, action)
        for other, move in zip(theirs, action.tolist(), strict=True):
            other.apply_action(move)
        assert step.terminated.tolist() == [other.is_terminal() for other in theirs]
        ended = [other.returns()[0] for other in theirs if other.is_terminal()]
        assert game.outcome(step.state.select(step.terminated)).tolist() == ended
        theirs = [other for other in theirs if not other.is_terminal()]
        state = step.state.select(~step.terminated)


def test_who_wins_on_any_graph_is_who_has_a_path_or_a_cut() -> None:
    game, generator = SHANNON.game, seeded(3)
    state = game.reset(SHANNON.generator("erdos-renyi:p=0.3", (6, 9))(60, seeded()))
    for graph in range(60):  # decided before it begins: no path at all, or an edge
        one = state.select(torch.tensor([graph]))
        assert int(one.graphs["winner"]) == _winner(one)
    state = state.select(state.graphs["winner"] < 0)
    while state.num_graphs:
        step = game.step(state, SHANNON.opponent("random")(game, state, generator))
        for graph in range(step.state.num_graphs):
            one = step.state.select(torch.tensor([graph]))
            assert int(one.graphs["winner"]) == _winner(one)
        assert torch.equal(step.terminated, step.state.graphs["winner"] >= 0)
        state = step.state.select(~step.terminated)


def _winner(state: GraphBatch) -> int:
    short, owner = int(state.graphs["connector"]), state.nodes["owner"].tolist()
    graph = nx.Graph(state.edge_index.T.tolist())
    graph.add_nodes_from(range(state.num_nodes))
    a, b = state.nodes["terminal"].nonzero().squeeze(1).tolist()
    if nx.has_path(graph.subgraph([v for v in graph if owner[v] == short]), a, b):
        return short
    return -1 if nx.has_path(graph.subgraph([v for v in graph if owner[v] != 1 - short]), a, b) else 1 - short


def test_what_short_needs_is_a_shortest_path() -> None:
    game, state = SHANNON.game, SHANNON.game.reset(SHANNON.generator(sizes=(12,))(10, seeded()))
    for _ in range(3):
        state = game.step(state, SHANNON.opponent("random")(game, state, seeded(5))).state
        state = state.select(state.graphs["winner"] < 0)
    need = measured(state).need[0].split(state.node_segments.lengths.tolist())
    for graph in range(state.num_graphs):
        one = state.select(torch.tensor([graph]))
        owner, short = one.nodes["owner"].tolist(), int(one.graphs["connector"])
        ways = nx.DiGraph()
        ways.add_nodes_from(range(one.num_nodes))
        for u, v in one.edge_index.T.tolist():
            if owner[u] != 1 - short and owner[v] != 1 - short:
                ways.add_edge(u, v, weight=int(owner[v] < 0))
        a, b = (
            nx.single_source_dijkstra_path_length(ways, t) for t in one.nodes["terminal"].nonzero().squeeze(1).tolist()
        )
        expected = [a[v] + b[v] - 1 if owner[v] < 0 and v in a and v in b else FAR for v in range(one.num_nodes)]
        assert need[graph].tolist() == expected


@pytest.mark.parametrize(("size", "moves"), [(1, 1), (2, 3), (3, 5)])
def test_perfect_play_of_hex_takes_as_many_moves_as_is_known(size: int, moves: int) -> None:
    game, state = HEX.game, HEX.game.reset(HEX.generator(sizes=(size,))(1, seeded()))
    count, won = 0, False
    while not won:
        step = game.step(state, HEX.opponent("perfect")(game, state, seeded(count)))
        count, won, state = count + 1, bool(step.terminated), step.state
    assert count == moves
    assert game.outcome(state).item() == 1


def test_the_first_side_wins_hex_on_four_rows_in_nine_moves() -> None:
    state = HEX.game.reset(HEX.generator(sizes=(4,))(1, seeded()))
    assert int(values_of_moves(state).max()) == 16 - 9 + 1


def test_positions_that_bits_cannot_hold_are_refused() -> None:
    """A number has 64 bits: of a larger board with few empty cells the answer would be of other cells."""
    state = HEX.game.reset(HEX.generator(sizes=(9,))(1, seeded()))
    owner = state.nodes["owner"]
    free = (owner < 0).nonzero().squeeze(1)
    late = state.with_nodes(owner=owner.index_fill(0, free[6:72], 0))
    with pytest.raises(ValueError, match="at most 64 nodes that are not cut, not 81"):
        HEX.opponent("perfect")(HEX.game, late, seeded())


def test_perfect_play_beats_every_other_where_it_can() -> None:
    for name in ("random", "one-ply", "shortest-path", "resistance"):
        state, generator, turn = HEX.game.reset(HEX.generator(sizes=(3,))(8, seeded())), seeded(2), 0
        while state.num_graphs:
            action = HEX.opponent(("perfect", name)[turn % 2])(HEX.game, state, generator)
            step, turn = HEX.game.step(state, action), turn + 1
            assert bool((HEX.game.outcome(step.state.select(step.terminated)) == 1).all())
            state = step.state.select(~step.terminated)


def test_the_second_side_may_take_over_the_first_move_and_only_then() -> None:
    game = replace(HEX.environment, swap=True)
    assert isinstance(game, Shannon)
    state = game.reset(HEX.generator(sizes=(3,))(2, seeded()))
    assert game.observe(state).masks[1].tolist() == [False, False]
    state = game.step(state, torch.tensor([4, 4])).state
    assert game.observe(state).masks[1].tolist() == [True, True]
    before = game.observe(state)
    state = game.step(state, torch.tensor([13, 0])).state  # 9 cells and 4 borders
    assert state.graphs["player"].tolist() == [0, 0]
    assert state.graphs["connector"].tolist() == [1, 0]
    assert state.nodes["owner"].view(2, -1)[:, 4].tolist() == [1, 0]
    assert game.observe(state).masks[1].tolist() == [False, False]
    taken = game.observe(state.select(torch.tensor([0]))).graph.nodes
    assert torch.equal(taken["mine"], before.graph.nodes["mine"][:13])  # who moves next is again the side that cuts


def test_a_file_marks_two_nodes() -> None:
    path = from_edges(torch.tensor([[0, 1, 2], [1, 2, 3]]), torch.tensor([4]), undirected=True)
    for marks, number in (([0], 1), ([0, 1, 2], 3)):
        terminal = torch.zeros(4, dtype=torch.bool)
        terminal[marks] = True
        with pytest.raises(GraphError, match=f"connects two nodes, and {number} are marked; mark two"):
            SHANNON.environment.instance(path.with_nodes(terminal=terminal))  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="1 to 26 rows, not 100"):
        HEX.generator(sizes=(100,))


def _after_random_moves(problem: Problem, size: int, graphs: int, moves: int) -> GraphBatch:
    game, generator = problem.game, seeded(5)
    state = game.reset(problem.generator(sizes=(size,))(graphs, seeded()))
    for _ in range(moves):
        state = state.select(state.graphs["winner"] < 0)
        state = game.step(state, problem.opponent("random")(game, state, generator)).state
    return state.select(state.graphs["winner"] < 0)


@pytest.mark.parametrize(("problem", "size"), [(HEX, 4), (SHANNON, 12)])
def test_currents_are_those_of_the_whole_circuit_solved_at_once(problem: Problem, size: int) -> None:
    state = _after_random_moves(problem, size, 12, 4)
    found = measured(state)
    for graph in range(state.num_graphs):
        rows = (state.node_graph == graph).nonzero().squeeze(1)
        one = state.select(torch.tensor([graph]))
        short, conductance = int(one.graphs["connector"]), []
        for place, (side, ends) in enumerate(((short, "terminal"), (1 - short, "dual_terminal"))):
            if one.nodes[ends].any():
                share, total = _currents(one, side, ends)
                assert torch.allclose(found.current[place, rows], share, atol=2e-5)
                conductance.append(total)
        if len(conductance) == 1:
            conductance.append(1 / conductance[0])
        expected = float(torch.tensor(conductance).log() @ torch.tensor([1.0, -1.0]))
        assert float(found.lead[graph]) == pytest.approx(expected, abs=2e-4)


def _currents(one: GraphBatch, side: int, ends: str) -> tuple[torch.Tensor, float]:
    """Of one graph, by the pseudoinverse of its Laplacian, with wires of a conductance of a million."""
    owner = one.nodes["owner"].tolist()
    first, last = one.nodes[ends].nonzero().squeeze(1).tolist()
    conductance = torch.zeros(one.num_nodes, one.num_nodes, dtype=torch.float64)
    for u, v in one.edge_index.T.tolist():
        if owner[u] in (-1, side) and owner[v] in (-1, side):
            conductance[u, v] = 1 / max(0.5 * (owner[u] < 0) + 0.5 * (owner[v] < 0), 1e-6)
    joined = (torch.linalg.matrix_power((conductance > 0).double() + torch.eye(one.num_nodes), 20) > 0)[first]
    conductance = conductance * joined * joined[:, None]
    laplacian = torch.diag(conductance.sum(1)) - conductance
    potential = torch.linalg.pinv(laplacian, hermitian=True)[:, [first, last]] @ torch.tensor([1.0, -1.0]).double()
    flow = (conductance * (potential[:, None] - potential).abs()).sum(1) / 2
    return torch.where(one.nodes["owner"] < 0, flow, 0), 1 / float(potential[first] - potential[last])


def test_what_cut_needs_is_a_way_between_the_borders_or_the_size_of_a_cut() -> None:
    board = _after_random_moves(HEX, 4, 8, 5)
    mirrored = _mirrored(board, 4)
    assert torch.equal(measured(board).need[1], measured(mirrored).need[0].view(8, -1)[:, _mirror(4)].flatten())
    state = _after_random_moves(SHANNON, 12, 12, 3)
    need = measured(state).need[1]
    for graph in range(state.num_graphs):
        one = state.select(torch.tensor([graph]))
        owner, short = one.nodes["owner"], int(one.graphs["connector"])
        first, last = one.nodes["terminal"].nonzero().squeeze(1).tolist()
        left = nx.Graph(one.edge_index.T.tolist()).subgraph((owner != 1 - short).nonzero().squeeze(1).tolist())
        for node, size in enumerate(need[state.node_graph == graph].tolist()):
            without = left.subgraph([v for v in left if v != node])
            cuts = int(owner[node]) < 0 and not nx.has_path(without, first, last)
            assert (size == 1) == cuts
            assert size >= 1 if owner[node] < 0 else size == FAR


def _mirror(rows: int) -> torch.Tensor:
    """The cells and borders of a board after its rows and columns have changed places."""
    cells = torch.arange(rows * rows).view(rows, rows).T.flatten()
    return torch.cat([cells, rows * rows + torch.tensor([2, 3, 0, 1])])


def _mirrored(state: GraphBatch, rows: int) -> GraphBatch:
    owner = state.nodes["owner"].view(state.num_graphs, -1)[:, _mirror(rows)].flatten()
    return state.with_nodes(owner=torch.where(owner < 0, owner, 1 - owner)).with_graphs(
        player=1 - state.graphs["player"]
    )


def test_on_a_board_both_sides_see_the_same() -> None:
    state = _after_random_moves(HEX, 4, 8, 5)
    seen, other = HEX.game.observe(state).graph, HEX.game.observe(_mirrored(state, 4)).graph
    for name, column in seen.nodes.items():
        assert torch.equal(column, other.nodes[name].view(8, -1)[:, _mirror(4)].flatten()), name
    assert torch.equal(seen.graphs["lead"], other.graphs["lead"])


def test_random_games_to_the_last_node_are_won_as_often_as_those_that_end() -> None:
    state = HEX.game.step(HEX.game.reset(HEX.generator(sizes=(3,))(4_000, seeded())), torch.full((4_000,), 1)).state
    quick, plain = HEX.game.playout(state, seeded(1)), Game.playout(HEX.game, state, seeded(2))
    assert set(quick.tolist()) == {-1.0, 1.0}
    assert float(quick.mean()) == pytest.approx(float(plain.mean()), abs=0.06)  # of a standard deviation of 0.02
    assert torch.equal(HEX.game.playout(state, seeded(1)), quick)
