"""Path search: episodes by hand, what is in view, its heuristics, and shortest paths against networkx."""

from __future__ import annotations

import math

import networkx as nx
import pytest
import torch
from torch import Tensor

from graphwright.core import GraphBatch, GraphError, from_edges, out_edges
from graphwright.envs.conformance import check_environment
from graphwright.envs.problem import random_choice
from graphwright.envs.problems.path_search.environment import PATH_SEARCH, PathSearch
from graphwright.envs.problems.path_search.known_part import known_part
from graphwright.envs.problems.path_search.surroundings import View
from graphwright.envs.rollouts import has_choice, play, unroll
from strategies import alone, assert_same, assert_same_batch, seeded

VIEWS: tuple[View, ...] = ("local", "memory", "graph")
LAWS = (("gabriel", "closed"), ("gabriel", "anywhere"), ("watts-strogatz", "ring"), ("path", "far"), ("tree", "far"))


def marked(
    pairs: list[tuple[int, int]], start: int, target: int, position: list[list[float]] | None = None
) -> GraphBatch:
    """One graph, as a user brings it."""
    size = 1 + max(max(pair) for pair in pairs)
    node = torch.arange(size)
    columns: dict[str, Tensor] = {"start": node == start, "target": node == target}
    if position is not None:
        columns["position"] = torch.tensor(position)
    return from_edges(torch.tensor(pairs).T, torch.tensor([size]), undirected=True, nodes=columns)


def fork() -> GraphBatch:
    """From 0 the target 4 is reached by 3; 1 is nearer to it, but leads to the dead end 2.

    2
    |
    1 - 0 - 3 - 4
    """
    return marked([(0, 1), (1, 2), (0, 3), (3, 4)], 0, 4, [[0, 0], [0, 2], [0, 3], [0, -1], [0, 9]])


def walk(environment: PathSearch, instance: GraphBatch, nodes: list[int]) -> GraphBatch:
    """The state after the agent has gone to `nodes`, one after the other."""
    state = environment.reset(instance)
    for node in nodes:
        seen = environment.observe(state).graph
        rows, _ = out_edges(state.with_graphs(at=state.nodes["here"].nonzero()[0]))
        place = state.edge_index[1, rows].tolist().index(node)
        assert out_edges(seen)[1].lengths.tolist() == [len(rows)]
        state = environment.step(state, torch.tensor([place])).state
    return state


def test_an_episode_by_hand() -> None:
    environment = PathSearch()
    instance = environment.instance(fork())
    assert environment.observe(environment.reset(instance)).graph.num_nodes == 3  # 0, 1 and 3: neither 2 nor the target
    state = walk(environment, instance, [1, 2, 1, 0, 3])
    assert state.nodes["found"].tolist() == [0, 1, 2, 5, -1]
    assert state.nodes["visits"].tolist() == [2, 2, 1, 1, 0]
    assert environment.is_complete(state).tolist() == [False]
    assert environment.objective(state).tolist() == [10]  # the limit, as long as the target is not reached
    step = environment.step(state, torch.tensor([1]))
    assert step.reward.item() == pytest.approx(-1 / 5)
    assert step.terminated.tolist() == [True]
    assert step.truncated.tolist() == [False]
    assert environment.objective(step.state).tolist() == [6]
    assert environment.is_complete(step.state).tolist() == [True]
    assert not has_choice(environment, environment.observe(step.state)).any()
    solution = environment.solution(step.state)
    assert solution.nodes.tolist() == [0, 1, 2, 3, 4]
    assert solution.links.tolist() == [[0, 3], [3, 4]]


def test_what_is_known_of_a_neighbourhood() -> None:
    environment = PathSearch()
    seen = environment.observe(walk(environment, environment.instance(fork()), [1])).graph
    assert seen.graphs["at"].tolist() == [1]  # 0, 1 and 2 are in view; lengths are in units of the edge 0 - 1
    assert seen.edge_index.tolist() == [[1, 0, 2, 1], [0, 1, 1, 2]]
    nodes = seen.nodes
    assert nodes["here"].tolist() == [False, True, False]
    assert nodes["target"].tolist() == [False] * 3
    assert nodes["visited"].tolist() == [True, True, False]
    assert nodes["visits"].exp().sub(1).round().tolist() == [1, 1, 0]
    assert nodes["way_back"].tolist() == [True, False, False]
    assert nodes["unexplored"].exp().sub(1).round().tolist() == [1, 1, 0]  # 3; 2; nothing behind the dead end
    assert nodes["log_degree"].exp().sub(1).round().tolist() == [2, 2, 1]
    assert nodes["relative_degree"].tolist() == [1, 1, 0.5]
    torch.testing.assert_close(nodes["distance"], torch.tensor([9.0, 7, 6]).div(2).log1p())
    torch.testing.assert_close(nodes["progress"], torch.tensor([-1.0, 0, 0.5]))
    torch.testing.assert_close(nodes["cosine"], torch.tensor([-1.0, 0, 1]))


def test_views_hold_more_and_more_of_the_graph() -> None:
    instance = PathSearch().instance(fork())
    sizes = {}
    for view in VIEWS:
        environment = PathSearch(view=view)
        seen = environment.observe(walk(environment, instance, [1, 2])).graph
        sizes[view] = seen.num_nodes
        assert seen.nodes["here"].sum() == 1
    assert sizes == {"local": 2, "memory": 4, "graph": 5}


def test_a_local_view_tells_nothing_of_the_rest() -> None:
    """What the agent is shown stays the same when everything that it cannot see changes."""
    environment = PathSearch()
    pairs = [(0, 1), (0, 2), (1, 3), (2, 4), (3, 5)]
    position: list[list[float]] = [[0, 0], [1, 0], [0, 1], [2, 0], [0, 2], [5, 5]]
    other = [(0, 1), (0, 2), (1, 4), (2, 3), (3, 4), (4, 5), (3, 5)]
    views = []
    for edges in (pairs, other):
        instance = environment.instance(marked(edges, 0, 5, position))
        views.append(environment.observe(environment.reset(instance)))
    assert_same(views[0].graph.edge_index, views[1].graph.edge_index)
    for name in environment.features.nodes:
        assert_same(views[0].graph.nodes[name], views[1].graph.nodes[name])


def test_neither_the_unit_nor_the_place_of_the_origin_is_seen() -> None:
    instance = PATH_SEARCH.generator()(4, seeded())
    moved = instance.with_nodes(position=1024 * instance.nodes["position"] + 2048)
    for view in VIEWS:
        environment = PathSearch(view=view)
        one, other = (environment.observe(environment.reset(each)).graph for each in (instance, moved))
        for name in environment.features.nodes:
            torch.testing.assert_close(one.nodes[name].float(), other.nodes[name].float(), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("view", VIEWS)
def test_the_environment_conforms(view: View) -> None:
    generator = seeded()
    for laws in (LAWS[:3], LAWS[3:]):  # with places of nodes and without
        instances = [PATH_SEARCH.generator(topology, (2, 5, 12), law)(3, generator) for topology, law in laws]
        check_environment(PathSearch(view=view), GraphBatch.concat(instances))


def test_the_return_is_minus_the_hops_over_the_nodes() -> None:
    environment = PathSearch(limit=1.0)
    instances = PATH_SEARCH.generator()(20, seeded())
    returns = torch.zeros(20, dtype=torch.float64)
    final = play(environment, instances, random_choice(environment, seeded(1)))
    for transition in unroll(environment, environment.reset(instances), random_choice(environment, seeded(1))):
        returns[transition.episode] += transition.step.reward
    torch.testing.assert_close(returns, -environment.objective(final) / instances.node_segments.lengths)
    assert 0 < environment.is_complete(final).sum() < 20
    assert (environment.objective(final) <= instances.node_segments.lengths).all()


@pytest.mark.parametrize(("topology", "law"), LAWS)
def test_shortest_paths_are_those_of_networkx(topology: str, law: str) -> None:
    instances = PATH_SEARCH.generator(topology, (5, 21, 33), law)(12, seeded(2))
    assert PATH_SEARCH.solve_exactly is not None
    optimum = PATH_SEARCH.solve_exactly(PathSearch(), instances, 1.0)
    assert optimum.proven.all()
    assert_same(optimum.objective, optimum.bound)
    assert optimum.solution is not None
    for index, hops in enumerate(optimum.objective.tolist()):
        graph, solution = alone(instances, index), alone(optimum.solution, index)
        ends = [int(graph.nodes[name].nonzero()) for name in ("start", "target")]
        assert hops == nx.shortest_path_length(nx.Graph(graph.edge_index.T.tolist()), *ends)
        nodes = PathSearch().solution(solution).nodes.tolist()
        assert [nodes[0], nodes[-1]] == ends
        walked = walk(PathSearch(), graph, nodes[1:])
        assert_same_batch(walked.keep(["here", "found", "visits"]), solution.keep(["here", "found", "visits"]))
        assert PathSearch().is_complete(solution).all()


@pytest.mark.parametrize("name", PATH_SEARCH.heuristics)
@pytest.mark.parametrize(("topology", "law"), LAWS)
def test_heuristics_find_every_target_and_no_shortcut(name: str, topology: str, law: str) -> None:
    instances = PATH_SEARCH.generator(topology, (9, 21, 33), law)(20, seeded(3))
    environment = PathSearch()
    final = PATH_SEARCH.heuristics[name](environment, instances)
    assert environment.is_complete(final).all()
    assert PATH_SEARCH.solve_exactly is not None
    assert (environment.objective(final) >= PATH_SEARCH.solve_exactly(environment, instances, 1.0).objective).all()


def test_greedy_turns_back_from_a_dead_end() -> None:
    environment = PathSearch()
    instance = environment.instance(fork())
    final = PATH_SEARCH.heuristics["greedy"](environment, instance)
    assert final.nodes["found"].tolist() == [0, 1, 2, 5, 6]


def test_far_searches_start_in_the_middle_and_have_no_positions() -> None:
    instances = PATH_SEARCH.generator("path", (9, 33), "far")(40, seeded())
    assert list(instances.nodes) == ["start", "target"]
    place, size = instances.node_segments.position, instances.node_segments.lengths[instances.node_graph]
    assert (place[instances.nodes["start"]] == size[instances.nodes["start"]] // 2).all()
    first = place[instances.nodes["target"]] == 0
    assert 10 < first.sum() < 30
    assert (place[instances.nodes["target"]] == (size[instances.nodes["target"]] - 1) * ~first).all()


def test_a_random_search_has_different_ends_in_one_part() -> None:
    instances = PATH_SEARCH.generator("random-geometric:radius=0.2", (3, 10, 30))(60, seeded())
    distance = PATH_SEARCH.solve_exactly(PathSearch(), instances, 1.0).objective  # type: ignore[misc]
    assert (distance >= 0).all()
    assert (distance[instances.node_segments.lengths == 30] >= 2).all()


def test_a_part_of_a_graph_in_view() -> None:
    edges = torch.tensor([[0, 1, 1, 4, 5], [1, 2, 3, 5, 6]])
    graph = from_edges(edges, torch.tensor([4, 3]), undirected=True, nodes={"x": torch.arange(7)})
    centres = torch.tensor([False, False, True, False, True, True, False])
    part = known_part(graph.with_graphs(at=torch.tensor([2, 1])), centres)
    part.validate()
    assert part.nodes["x"].tolist() == [1, 2, 4, 5, 6]
    assert part.edge_index.tolist() == [[1, 0, 3, 2, 4, 3], [0, 1, 2, 3, 3, 4]]
    assert part.graphs["at"].tolist() == [1, 1]
    assert part.edge_ptr.tolist() == [0, 2, 6]


def test_an_instance_is_simple_has_its_ends_and_stays_as_it_is() -> None:
    numbers = fork().with_nodes(start=torch.tensor([1, torch.nan, 0, torch.nan, 0]))
    instance = PathSearch().instance(numbers.with_nodes(colour=torch.zeros(5)))
    assert sorted(instance.nodes) == ["position", "start", "target"]
    assert instance.nodes["start"].tolist() == [True, False, False, False, False]
    assert_same_batch(PathSearch().instance(instance), instance)
    globe = fork().keep(["start", "target"]).with_nodes(Longitude=torch.arange(5), Latitude=torch.zeros(5))
    position = PathSearch().instance(globe).nodes["position"]
    torch.testing.assert_close(position[2], torch.tensor([math.cos(math.pi / 90), math.sin(math.pi / 90), 0.0]))


def test_a_target_where_the_search_starts_is_found_before_it_begins() -> None:
    environment = PathSearch()
    instance = environment.instance(marked([(0, 1)], 0, 0))
    assert not has_choice(environment, environment.observe(environment.reset(instance))).any()
    final = play(environment, instance, random_choice(environment, seeded()))
    assert environment.objective(final).tolist() == [0]
    assert environment.solution(final).nodes.tolist() == [0]
    assert environment.solution(final).links.shape == (2, 0)


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (fork().keep(["target"]), "no node column 'start'.*--mark start=NAME"),
        (fork().with_nodes(start=torch.ones(5)), "'start' is true at 5 nodes of graph 0; mark exactly one"),
        (fork().with_nodes(target=torch.zeros(5)), "'target' is true at 0 nodes"),
        (fork().with_nodes(target=torch.ones(5, 2)), "'target' has shape"),
        (marked([(0, 1), (2, 3)], 0, 2), "no path joins the start and the target of graph 0"),
        (from_edges(torch.tensor([[0], [1]]), torch.tensor([2]), undirected=False), "directed"),
    ],
)
def test_a_graph_that_is_no_instance_is_refused(graph: GraphBatch, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        PathSearch().instance(graph)


@pytest.mark.parametrize("limit", [0.5, float("nan"), float("inf")])
def test_a_limit_leaves_room_for_a_shortest_path(limit: float) -> None:
    with pytest.raises(ValueError, match="limit"):
        PathSearch(limit=limit)
