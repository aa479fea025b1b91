"""Path finding: collisions against a loop, maps from text, ways by brute force, robots that plan."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
import torch

from graphwright.core import GraphBatch, GraphError
from graphwright.envs.conformance import check_environment
from graphwright.envs.registry import find_problem
from graphwright.envs.teams.path_finding.collisions import settle
from graphwright.envs.teams.path_finding.environment import PathFinding
from graphwright.envs.teams.path_finding.maps import maps_of, parse_maps
from graphwright.envs.teams.path_finding.neighbours import neighbours
from graphwright.envs.teams.path_finding.pibt import pibt
from graphwright.envs.teams.path_finding.planner import planned, shortest
from graphwright.envs.teams.path_finding.preference import MOST, preferences
from graphwright.envs.teams.path_finding.priority import STEPS, lots
from graphwright.envs.teams.path_finding.views import views
from graphwright.envs.teams.path_finding.ways import FAR, MOVES, distances
from graphwright.training.play_teams import play_teams
from strategies import seeded

PROBLEM = find_problem("path-finding")


@pytest.mark.parametrize("lifelong", [True, False])
def test_it_conforms(lifelong: bool) -> None:
    check_environment(replace(PathFinding(), steps=5, lifelong=lifelong), PROBLEM.generator(sizes=(2, 9))(3, seeded()))


def settled(cells: list[tuple[int, ...]], wanted: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Robots in the order of their numbers, one after the other from the last: a loop with POGEMA's outcome."""
    goes = [one != other for one, other in zip(cells, wanted, strict=True)]
    for robot, (cell, to) in enumerate(zip(cells, wanted, strict=True)):
        for other in range(len(cells)):
            if other != robot and goes[robot] and cells[other] == to and wanted[other] == cell:
                goes[robot] = goes[other] = False
    changed = True
    while changed:
        changed = False
        for robot in reversed(range(len(cells))):
            if not goes[robot]:
                continue
            for other in range(len(cells)):
                if other == robot:
                    continue
                at = wanted[other] if goes[other] else cells[other]
                if at == wanted[robot] and (not goes[other] or other < robot):
                    goes[robot], changed = False, True
                    break
    return [to if go else cell for cell, to, go in zip(cells, wanted, goes, strict=True)]


def test_collisions_are_those_of_a_loop_and_leave_robots_apart() -> None:
    generator = np.random.default_rng(0)
    for robots in (1, 4, 9, 14):
        for _ in range(40):
            place = generator.choice(16, robots, replace=False)
            cells = np.stack([place // 4, place % 4], 1)
            wanted = (cells + MOVES.numpy()[generator.integers(5, size=robots)]).clip(0, 3)
            found = settle(
                torch.zeros(robots, dtype=torch.int64),
                torch.arange(robots),
                torch.from_numpy(cells),
                torch.from_numpy(wanted),
            )
            expected = settled([tuple(c) for c in cells.tolist()], [tuple(c) for c in wanted.tolist()])
            assert [tuple(c) for c in found.tolist()] == expected
            assert len(set(expected)) == robots


def test_robots_follow_each_other_in_a_ring_but_do_not_change_places() -> None:
    ring = torch.tensor([[0, 0], [0, 1], [1, 1], [1, 0]])
    one, four = torch.zeros(4, dtype=torch.int64), torch.arange(4)
    assert torch.equal(settle(one, four, ring, ring.roll(-1, 0)), ring.roll(-1, 0))
    assert torch.equal(settle(one[:2], four[:2], ring[:2], ring[:2].flip(0)), ring[:2])


def test_ways_are_those_of_networkx() -> None:
    maps = (torch.rand(3, 7, 7, generator=seeded()) < 0.3).to(torch.uint8)
    maps[:, 0, 0] = 0
    found = distances(maps, torch.arange(3), torch.zeros(3, 2, dtype=torch.int64))
    for grid, away in zip(maps.numpy(), found.numpy(), strict=True):
        graph = nx.grid_2d_graph(7, 7)
        graph.remove_nodes_from([tuple(at) for at in np.argwhere(grid)])
        reached = nx.single_source_shortest_path_length(graph, (0, 0))
        for at in np.ndindex(7, 7):
            assert away[at] == reached.get(at, FAR)


def test_maps_come_from_text() -> None:
    two = parse_maps('"a": |-\n  .#\n  ..\n"b": |-\n  ...\n', "file")
    assert two["a"].tolist() == [[0, 1], [0, 0]]
    assert two["b"].tolist() == [[0, 0, 0]]
    assert parse_maps("type octile\nheight 1\nwidth 3\nmap\n.@T\n", "x.map")["x.map"].tolist() == [[0, 1, 1]]
    for text, message in (
        ("..\n.\n", "line 2 has 1 cells"),
        (".x\n", "line 1 holds 'x'"),
        ("# #\n", "line 1 holds ' '"),  # or rows whose first cells are spaces would be read as indented
        ("", "holds no map"),
        ("a:\n..\na:\n", "names map 'a' again"),
        ("a:\nb:\n..\n", "of the name 'a'"),
        ("type octile\nheight 9\nwidth 2\nmap\n..\n", "says height 9 and has 1; is a part of it missing?"),
        ("type octile\nheight 1\nwidth 3\nmap\n..\n", "says width 3 and has 2"),
    ):
        with pytest.raises(GraphError, match=message):
            parse_maps(text, "file")


def test_maps_of_one_name_in_two_files_are_two_maps() -> None:
    law = maps_of({"first": "one:\n...\n...\n", "second": "one:\n##.\n.@.\n"})
    found = replace(PROBLEM.generator(sizes=(1,)), columns=law)(3, seeded())
    assert found.graphs["map"].sum((1, 2)).tolist() == [3, 6, 3]  # with the row that makes them square


def test_robots_need_room() -> None:
    law = maps_of({"file": "one:\n...\n.#.\n"})
    points = PROBLEM.generator(sizes=(2,))
    instances = replace(points, columns=law)(5, seeded())
    places = torch.cat([instances.nodes["start"], instances.nodes["goal"]], 1).view(5, 4, 2)
    assert all(len({tuple(at) for at in each.tolist()}) == 4 for each in places)
    with pytest.raises(GraphError, match="map 'one' has no room for 3 agents"):
        replace(points, sizes=(3,), columns=law)(1, seeded())
    with pytest.raises(ValueError, match="no room for 400 agents"):
        PROBLEM.generator(sizes=(400,))(1, seeded())


def test_robots_that_plan_together_arrive_where_others_stand_in_the_way() -> None:
    rules, instances = PathFinding(lifelong=False, steps=80), PROBLEM.generator(sizes=(12,))(12, seeded())
    together, alone = (
        play_teams(rules, instances, lambda state, rule=rule: rule(rules, state)) for rule in (planned, shortest)
    )
    assert float(together.measures["success"].mean()) > 0.8 > float(alone.measures["success"].mean())


def test_robots_that_inherit_priority_never_collide_and_all_move_on() -> None:
    rules, instances = PathFinding(steps=40), PROBLEM.generator(sizes=(24,))(4, seeded())
    state = rules.reset(instances)
    for _ in range(40):
        action = pibt(rules, state)
        wanted = state.nodes["cell"] + MOVES[action]
        state = rules.step(state, action).state
        assert torch.equal(state.nodes["cell"], wanted)
    assert float(rules.measures(state)["throughput"].mean()) > 0.5


def test_recordings_follow_the_rules() -> None:
    rules, instances = PathFinding(steps=20), PROBLEM.generator(sizes=(6,))(3, seeded())
    played = play_teams(rules, instances, lambda state: shortest(rules, state), record=True)
    record = played.record
    assert record["cells"].shape == (3, 21, 6, 2)
    assert record["targets"].shape == (3, 21, 6, 2)
    assert record["map"].shape == (3, 21, 21)
    assert (np.abs(np.diff(record["cells"], axis=1)).sum(3) <= 1).all()
    there = (record["cells"][:, 1:] == record["targets"][:, :-1]).all(3)
    np.testing.assert_allclose(there.sum((1, 2)) / 20, played.measures["throughput"])


@pytest.fixture(scope="module")
def crowd() -> GraphBatch:
    """Some steps into episodes of small crowded maps."""
    rules, instances = PathFinding(), PROBLEM.generator(sizes=(3, 16), law="crowded")(3, seeded())
    state = rules.reset(instances)
    for _ in range(6):
        state = rules.step(state, pibt(rules, state)).state
    return state


def ways(state: GraphBatch) -> torch.Tensor:
    return distances(state.graphs["map"], state.node_graph, state.nodes["target"])


def test_ways_that_are_asked_for_again_are_remembered_unless_something_changed() -> None:
    maps, team, target = torch.zeros(1, 3, 3, dtype=torch.uint8), torch.zeros(1, dtype=torch.int64), torch.zeros(1, 2)
    target = target.long()
    first = distances(maps, team, target)
    assert distances(maps, team, target) is first
    target += 2
    assert distances(maps, team, target)[0, 0, 0] == 4
    assert distances(maps.clone(), team, target)[0, 2, 2] == 0


def test_ways_are_found_in_inference_mode_too() -> None:
    with torch.inference_mode():
        maps, team = torch.zeros(1, 3, 3, dtype=torch.uint8), torch.zeros(1, dtype=torch.int64)
        target = torch.zeros(1, 2, dtype=torch.int64)
        assert distances(maps, team, target)[0, 2, 2] == 4
        target += 1
        assert distances(maps, team, target)[0, 2, 2] == 2


def test_lots_are_kept_for_some_steps_and_robots_at_their_targets_have_none_to_speak_of(crowd: GraphBatch) -> None:
    def drawn(time: int) -> torch.Tensor:
        return lots(crowd.with_graphs(time=torch.full_like(crowd.graphs["time"], time)))

    assert torch.equal(drawn(0), drawn(STEPS - 1))
    assert not bool((drawn(0) == drawn(STEPS)).any())
    assert drawn(0).unique().numel() == crowd.num_nodes
    arrived = crowd.with_nodes(target=crowd.nodes["cell"])
    assert float(lots(arrived).max()) < 0 <= float(lots(crowd).min())


def test_robots_prefer_what_is_near_then_what_hinders_few_then_what_is_free(crowd: GraphBatch) -> None:
    options, ranks = preferences(crowd, ways(crowd))
    away, maps, cells = ways(crowd).numpy(), crowd.graphs["map"].numpy(), crowd.nodes["cell"].numpy()
    side = maps.shape[1]
    for robot, team in enumerate(crowd.node_graph.tolist()):
        at = {tuple(cell): one for one, cell in enumerate(cells.tolist()) if crowd.node_graph[one] == team}
        around = [tuple(cells[robot] + move) for move in MOVES.numpy()]
        cost = []
        for to in around:
            if not all(0 <= place < side for place in to) or maps[(team, *to)]:
                cost.append(None)
                continue
            beside = [at[cell] for cell in around[1:] if cell in at and cell != to]
            hindered = sum(away[(one, *to)] < away[(one, *cells[one])] for one in beside)
            cost.append((away[(robot, *to)], hindered, at.get(to, robot) != robot))
        able = [action for action in options[robot].tolist() if action >= 0]
        assert sorted(able) == [action for action in range(5) if cost[action] is not None]
        assert all(cost[one] <= cost[other] for one, other in pairwise(able))
        assert all(int(ranks[robot, action]) == place for place, action in enumerate(able))
        assert int((ranks[robot] == MOST).sum()) == 5 - len(able)


def test_neighbours_are_those_of_two_steps_with_what_they_want(crowd: GraphBatch) -> None:
    lot, ranks = lots(crowd), preferences(crowd, ways(crowd))[1]
    graph = neighbours(crowd, lot, ranks)
    cell, number, team = crowd.nodes["cell"], crowd.nodes["number"], crowd.node_graph
    pairs = [
        (source, end)
        for end in range(crowd.num_nodes)
        for source in range(crowd.num_nodes)
        if source != end and team[source] == team[end] and int((cell[source] - cell[end]).abs().sum()) <= 2
    ]
    assert graph.edge_index.T.tolist() == [list(pair) for pair in pairs]
    assert graph.in_degree.tolist() == [sum(end == one for _, end in pairs) for one in range(crowd.num_nodes)]
    for edge, (source, end) in enumerate(pairs):
        assert torch.equal(graph.edges["relative"][edge] * 2, (cell[source] - cell[end]).float())
        assert graph.edges["yields"][edge].tolist() == [lot[source] > lot[end], number[source] < number[end]]
        wants, ahead = torch.zeros(5, 5), torch.zeros(5)
        for own in range(5):
            if torch.equal(cell[end] + MOVES[own], cell[source]):
                ahead[ranks[end, own]] = 1
            for other in range(5):
                if ranks[source, other] < MOST and torch.equal(cell[end] + MOVES[own], cell[source] + MOVES[other]):
                    wants[own, ranks[source, other]] = 1
        assert torch.equal(graph.edges["wants"][edge], wants.flatten())
        assert torch.equal(graph.edges["ahead"][edge], ahead)


def test_views_are_cut_out_of_the_map(crowd: GraphBatch) -> None:
    seen, away = views(crowd, ways(crowd)), ways(crowd).numpy().astype(float)
    cells, targets = crowd.nodes["cell"].numpy(), crowd.nodes["target"].numpy()
    for robot, team in enumerate(crowd.node_graph.tolist()):
        others = [one for one in np.flatnonzero(crowd.node_graph == team) if one != robot]
        taken, wanted = np.zeros(away.shape[1:]), np.zeros(away.shape[1:])
        np.add.at(taken, tuple(cells[others].T), 1)
        np.add.at(wanted, tuple(targets[others].T), 1)
        farther = ((away[robot] - away[(robot, *cells[robot])]) / 11).clip(-1, 1)
        planes = {"walls": (crowd.graphs["map"][team].numpy(), 1), "others": (taken, 0), "goals": (wanted, 0)}
        planes["way"] = (np.where(away[robot] == FAR, 1, farther), 1)
        row, column = cells[robot]
        for name, (plane, outside) in planes.items():
            window = np.pad(plane, 5, constant_values=outside)[row : row + 11, column : column + 11]
            np.testing.assert_allclose(seen[name][robot].numpy(), window.flatten(), atol=1e-6)
