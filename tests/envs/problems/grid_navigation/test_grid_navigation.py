"""Grid navigation: drives by hand, obstacles, the time-expanded optimum against enumeration, and bad input."""

from __future__ import annotations

import pytest
import torch

from graphwright.core import GraphBatch, GraphError, from_edges
from graphwright.envs.conformance import check_environment
from graphwright.envs.problem import random_choice
from graphwright.envs.problems.grid_navigation.environment import GRID_NAVIGATION, GridNavigation
from graphwright.envs.problems.grid_navigation.maps import from_map
from graphwright.envs.problems.grid_navigation.patrol import advance
from graphwright.envs.rollouts import has_choice, play, unroll
from graphwright.envs.wrappers.penalized import PenalizedOptimization
from strategies import alone, assert_same, assert_same_batch, relabelled, seeded

NORTH, EAST, SOUTH, WEST, STAY = range(5)


def drive(lines: list[str], actions: list[int], environment: GridNavigation | None = None) -> GraphBatch:
    """The state after `actions` on a map."""
    environment = environment or GridNavigation()
    state = environment.reset(environment.instance(from_map(lines)))
    for action in actions:
        assert environment.observe(state).masks[0][0, action]
        state = environment.step(state, torch.tensor([action])).state
    return state


def cell(state: GraphBatch) -> list[int]:
    """Column and row of the robot."""
    return state.nodes["position"][state.nodes["robot"]].int().flatten().tolist()


def patrol(lines: list[str], steps: int) -> list[tuple[int, int, int]]:
    """(column, row, direction) of each obstacle after so many steps."""
    instance = GridNavigation().instance(from_map(lines))
    heading = GridNavigation().reset(instance).nodes["heading"]
    for _ in range(steps):
        heading = advance(instance, heading)
    node, direction = heading.nonzero().T
    place = instance.nodes["position"][node].int().tolist()
    return [(column, row, way) for (column, row), way in zip(place, direction.tolist(), strict=True)]


def test_a_drive_by_hand() -> None:
    environment = GridNavigation()
    state = drive(["..G", ".#.", "R.."], [NORTH, NORTH, EAST], environment)
    assert cell(state) == [1, 2]
    assert environment.observe(state).masks[0].tolist() == [[False, True, False, True, True]]  # a wall in the south
    assert environment.objective(state).tolist() == [24]  # the limit, 4 · (3 + 3)
    step = environment.step(state, torch.tensor([EAST]))
    assert step.reward.item() == pytest.approx(-1 / 24)
    assert step.terminated.tolist() == [True]
    assert environment.is_complete(step.state).tolist() == [True]
    assert environment.objective(step.state).tolist() == [4]
    assert not has_choice(environment, environment.observe(step.state)).any()
    solution = environment.solution(step.state)
    assert solution.nodes.tolist() == [0, 3, 6, 7, 8]
    assert solution.links.tolist() == [[0, 3, 6, 7], [3, 6, 7, 8]]


def test_obstacles_go_to_and_fro() -> None:
    corridor = ["#####", ">...#", "R#..G"]
    assert [patrol(corridor, steps) for steps in range(8)] == [
        [(column, 1, EAST if forth else WEST)]
        for column, forth in [(0, 1), (1, 1), (2, 1), (3, 1), (2, 0), (1, 0), (0, 0), (1, 1)]
    ]
    walled = ["#v#", "###", "R.G"]
    assert [patrol(walled, steps) for steps in range(3)] == [[(1, 2, SOUTH)], [(1, 2, NORTH)], [(1, 2, SOUTH)]]
    assert patrol(["R>.<.", "....G"], 1) == [(2, 1, EAST), (2, 1, WEST)]  # they pass through each other


@pytest.mark.parametrize(
    ("lines", "actions"),
    [
        (["R.<", "..G"], [EAST]),  # both end on one cell
        (["R<.", "..G"], [EAST]),  # they change places
        (["R<.", "..G"], [STAY]),  # it is run into
    ],
)
def test_who_runs_into_an_obstacle_pays_for_everything(lines: list[str], actions: list[int]) -> None:
    environment = GridNavigation()
    state = environment.reset(environment.instance(from_map(lines)))
    step = environment.step(state, torch.tensor(actions))
    assert step.reward.tolist() == [-1]
    assert step.terminated.tolist() == [True]
    assert environment.is_complete(step.state).tolist() == [False]
    assert environment.objective(step.state).tolist() == [20]
    seen = environment.observe(state).graph
    robot = int(state.nodes["robot"].nonzero())
    where = {STAY: robot, EAST: robot + 1}[actions[0]]
    assert seen.nodes["danger"][where]
    assert seen.graphs["danger_of"][0, actions[0]] == 1


def test_an_obstacle_that_goes_ahead_is_no_danger() -> None:
    assert not drive(["R>..G"], [EAST]).graphs["crashed"].any()


def test_what_a_robot_knows() -> None:
    environment = GridNavigation(guide="steps")
    seen = environment.observe(drive([".#G", "...", "R.>"], [NORTH, STAY], environment)).graph
    assert seen.nodes["visits"].exp().sub(1).round().tolist() == [1, 0, 0, 2, 0, 0, 0, 0, 0]
    assert seen.nodes["heading"].nonzero().tolist() == [[0, WEST]]  # it turned round at once, and will again
    assert seen.nodes["blocked_next"].nonzero().tolist() == [[1]]
    assert not seen.nodes["danger"].any()
    assert seen.graphs["open_sides"].tolist() == [[True, True, True, False]]
    expected = torch.tensor([[2.0, 1.0]]).log1p()
    torch.testing.assert_close(seen.graphs["ahead"], expected)
    torch.testing.assert_close(seen.nodes["from_robot"][8], expected[0])
    torch.testing.assert_close(seen.nodes["to_goal"][8], torch.zeros(2))
    farther = seen.graphs["farther_from"][0].sign().tolist()
    assert farther == [1, -1, 1, 0, 0]
    assert seen.nodes["side"].nonzero().tolist() == [[0, SOUTH], [4, EAST], [6, NORTH]]


def test_failures_cost_one_whenever_they_happen_and_steps_their_share() -> None:
    environment = GridNavigation(limit=1.0)
    instances = GRID_NAVIGATION.generator()(40, seeded())
    returns = torch.zeros(40, dtype=torch.float64)
    for transition in unroll(environment, environment.reset(instances), random_choice(environment, seeded(1))):
        returns[transition.episode] += transition.step.reward
    final = play(environment, instances, random_choice(environment, seeded(1)))
    limit = instances.graphs["extent"].double()
    torch.testing.assert_close(returns, -environment.objective(final) / limit, atol=1e-5, rtol=1e-5)
    complete = environment.is_complete(final)
    assert 0 < complete.sum() < 40
    assert (environment.objective(final) == limit)[~complete].all()
    assert final.graphs["crashed"].any()


@pytest.mark.parametrize("guide", ["offset", "steps"])
def test_the_environment_conforms(guide: str) -> None:
    environment = GridNavigation(guide=guide, limit=2.0)  # type: ignore[arg-type]
    check_environment(environment, GRID_NAVIGATION.generator(None, (1, 4, 12, 25))(12, seeded()))
    check_environment(PenalizedOptimization(environment), GRID_NAVIGATION.generator(None, (9, 16))(4, seeded()))


def test_an_illegal_step_changes_nothing() -> None:
    environment = PenalizedOptimization(GridNavigation())
    state = environment.reset(environment.instance(from_map(["R#", ".G"])))
    step = environment.step(state, torch.tensor([EAST]))
    assert step.reward.tolist() == [-1]
    assert cell(step.state) == [0, 1]
    assert step.state.graphs["steps"].tolist() == [0]


def fewest_by_enumeration(environment: GridNavigation, instance: GraphBatch, most: int) -> int | None:
    """The length of the shortest sequence of actions that leads to the goal, all legal ones tried, side by side."""
    states = environment.reset(instance)
    for length in range(1, most + 1):
        graphs, actions = environment.observe(states).masks[0].nonzero(as_tuple=True)
        states = environment.step(states.select(graphs), actions).state
        if environment.is_complete(states).any():
            return length
    return None


def test_the_optimum_is_that_of_enumeration() -> None:
    environment = GridNavigation()
    maps = [["R.<", "..G"], ["R<.G"], [".^.", "R<G", "..."], ["R.v", "##.", "G.."], ["R<", "^G"]]
    for lines in maps:
        instance = environment.instance(from_map(lines))
        assert GRID_NAVIGATION.solve_exactly is not None
        optimum = GRID_NAVIGATION.solve_exactly(environment, instance, 1.0)
        best = fewest_by_enumeration(environment, instance, 4)
        if best is not None:
            assert optimum.objective.tolist() == [best]
        else:
            assert optimum.objective.item() > 4


def test_optimal_drives_are_driven() -> None:
    """Each optimum's cells, one after the other, are a legal drive that ends as the solver says."""
    environment = GridNavigation()
    instances = GRID_NAVIGATION.generator(None, (16, 36))(30, seeded(4))
    assert GRID_NAVIGATION.solve_exactly is not None
    optimum = GRID_NAVIGATION.solve_exactly(environment, instances, 1.0)
    assert optimum.proven.all()
    assert optimum.solution is not None
    assert_same(environment.objective(optimum.solution), optimum.objective)
    together = environment.is_complete(optimum.solution)
    assert together.sum() > 20
    for index in together.nonzero().flatten().tolist():
        instance, solution = alone(instances, index), alone(optimum.solution, index)
        found, visits = solution.nodes["found"], solution.nodes["visits"]
        if (visits > 1).any():
            continue  # `found` does not tell when it waited
        state = environment.reset(instance)
        for node in found.argsort()[found[found.argsort()] >= 0].tolist()[1:]:
            robot = int(state.nodes["robot"].nonzero())
            edge = int(((state.edge_index[0] == robot) & (state.edge_index[1] == node)).nonzero())
            state = environment.step(state, state.edges["direction"][edge].int().argmax().view(1)).state
        assert_same_batch(state, solution)


def test_alone_an_optimum_is_the_same() -> None:
    instances = GRID_NAVIGATION.generator()(20, seeded(5))
    assert GRID_NAVIGATION.solve_exactly is not None
    together = GRID_NAVIGATION.solve_exactly(GridNavigation(), instances, 1.0).objective
    for index in range(20):
        single = GRID_NAVIGATION.solve_exactly(GridNavigation(), alone(instances, index), 1.0)
        assert_same(single.objective, together[[index]])


def test_greedy_is_never_better_than_the_optimum_and_mostly_arrives() -> None:
    environment = GridNavigation()
    instances = GRID_NAVIGATION.generator(None, (25, 64))(100, seeded(6))
    assert GRID_NAVIGATION.solve_exactly is not None
    final = GRID_NAVIGATION.heuristics["greedy"](environment, instances)
    assert (environment.objective(final) >= GRID_NAVIGATION.solve_exactly(environment, instances, 1.0).objective).all()
    assert environment.is_complete(final).double().mean() > 0.85


def test_greedy_waits_for_an_obstacle_to_pass() -> None:
    environment = GridNavigation()
    instance = environment.instance(from_map(["##.##", "##.##", "R...G", "##^##", "##.##"]))
    final = GRID_NAVIGATION.heuristics["greedy"](environment, instance)
    assert environment.is_complete(final).all()
    assert environment.objective(final).tolist() == [4]


def test_numbering_the_cells_differently_changes_no_optimum() -> None:
    instances = GRID_NAVIGATION.generator()(20, seeded(7))
    moved, _ = relabelled(instances, seeded(8))
    assert GRID_NAVIGATION.solve_exactly is not None
    one, other = (GRID_NAVIGATION.solve_exactly(GridNavigation(), each, 1.0).objective for each in (instances, moved))
    assert_same(one, other)


def test_an_instance_stays_as_it_is_and_cells_count_from_zero() -> None:
    graph = from_map(["R.G"])
    shifted = graph.with_nodes(x=graph.nodes["x"] - 7, y=graph.nodes["y"] + 5.0)
    instance = GridNavigation().instance(shifted)
    assert_same_batch(instance, GridNavigation().instance(graph))
    assert_same_batch(GridNavigation().instance(instance), instance)
    assert instance.graphs["extent"].tolist() == [4]
    drawn = GRID_NAVIGATION.generator()(10, seeded())
    assert_same_batch(GridNavigation().instance(drawn), drawn)


def changed(lines: list[str], **columns: list[float]) -> GraphBatch:
    return from_map(lines).with_nodes(**{name: torch.tensor(column) for name, column in columns.items()})


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (from_map(["R.."]), "'goal' is true at 0 nodes"),
        (from_map(["R.G"]).keep(["x", "y", "goal"]), "no node column 'start'"),
        (from_map(["R.G"]).keep(["start", "goal"]), "no cells; give them the columns 'x' and 'y'"),
        (from_map(["R#G"]), "no path of free cells joins the start and the goal of graph 0"),
        (changed(["R.G"], x=[0, 1.5, 3]), "node 1 is at .* whole numbers"),
        (changed(["R.G"], x=[0, 1, 1]), "one of several at column, row"),
        (changed(["R.G"], x=[0, 2, 1]), "not side by side"),
        (changed(["R.G"], obstacle=[0, 5, 0]), "'obstacle' is 5 at node 1; write 0 for none"),
        (changed(["R.G"], obstacle=[1, 0, 0]), "node 0 is an obstacle's"),
        (changed(["R.G"], wall=[0, 0, 1]), "node 2 is a wall"),
        (from_edges(torch.tensor([[0], [1]]), torch.tensor([2]), undirected=False), "directed"),
    ],
)
def test_a_graph_that_is_no_instance_is_refused(graph: GraphBatch, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        GridNavigation().instance(graph)


def test_a_map_of_something_else_is_refused() -> None:
    with pytest.raises(GraphError, match="R G #"):
        from_map(["R?G"])
    with pytest.raises(GraphError, match="one length"):
        from_map(["R.G", "."])


def test_a_limit_is_positive() -> None:
    with pytest.raises(ValueError, match="limit"):
        GridNavigation(limit=0)
