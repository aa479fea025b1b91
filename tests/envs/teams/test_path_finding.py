"""Path finding: collisions against a loop, maps from text, ways by brute force, robots that plan."""

from __future__ import annotations

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
import torch

from graphwright.core import GraphError
from graphwright.envs.conformance import check_environment
from graphwright.envs.registry import find_problem
from graphwright.envs.teams.path_finding.collisions import settle
from graphwright.envs.teams.path_finding.environment import PathFinding
from graphwright.envs.teams.path_finding.maps import maps_of, parse_maps
from graphwright.envs.teams.path_finding.pibt import pibt
from graphwright.envs.teams.path_finding.planner import planned, shortest
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
        ("", "holds no map"),
        ("a:\n..\na:\n", "names map 'a' again"),
        ("a:\nb:\n..\n", "of the name 'a'"),
    ):
        with pytest.raises(GraphError, match=message):
            parse_maps(text, "file")


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
