"""Network repair: supply against networkx, an episode by hand, laws, heuristics, the optimum by enumeration, files."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from graphwright.adapters.files import read_graph
from graphwright.core import GraphBatch, GraphError, from_edges
from graphwright.core.segment import segment_sum
from graphwright.envs.conformance import check_environment
from graphwright.envs.environment import Environment
from graphwright.envs.problem import random_choice
from graphwright.envs.problems.network_repair.environment import NETWORK_REPAIR, NetworkRepair
from graphwright.envs.problems.network_repair.instances import as_instance
from graphwright.envs.problems.network_repair.state import dark_share, working_nodes
from graphwright.envs.problems.network_repair.storm import after_storm
from graphwright.envs.problems.network_repair.supply import prospects, served_nodes, spanning_tree
from graphwright.envs.rollouts import has_choice, play, unroll
from graphwright.envs.wrappers.penalized import PenalizedOptimization
from graphwright.training.agent import load
from graphwright.training.config import TrainConfig
from graphwright.training.solve import solve
from graphwright.training.train import train
from graphwright.training.validation import ValidationConfig
from strategies import alone, assert_same, assert_same_batch, ragged_batches, relabelled, seeded, seeds

INSTANCES = sorted((Path(__file__).parents[3] / "instances" / "network-repair").glob("*.json"))
environments = st.sampled_from(
    [NetworkRepair(), NetworkRepair(spares=0.0), NetworkRepair(wait="stuck", recovery=2.0), NetworkRepair(3.0, 0.1)]
)


@st.composite
def instances(draw: st.DrawFn, sizes: tuple[int, ...] = (1, 2, 4, 7, 10)) -> GraphBatch:
    """Up to 4 networks after a storm, with positions or without, in one piece or not."""
    topology = draw(st.sampled_from(["gabriel", "erdos-renyi:p=0.3", "erdos-renyi:p=0.1"]))
    return NETWORK_REPAIR.generator(topology, sizes)(draw(st.integers(1, 4)), seeded(draw(seeds)))


def line_and_tie() -> GraphBatch:
    """Source 0 - 1 - 2 - 3 with 1 broken (takes 2) and a spare link 0 - 3, and 0 - 4, broken too (takes 1)."""
    return from_edges(
        torch.tensor([[0, 1, 2, 0, 0], [1, 2, 3, 3, 4]]),
        torch.tensor([5]),
        undirected=True,
        nodes={
            "source": torch.tensor([True, False, False, False, False]),
            "broken": torch.tensor([False, True, False, False, True]),
            "demand": torch.tensor([0.0, 1, 2, 3, 4]),
            "repair_time": torch.tensor([1.0, 2, 1, 1, 1]),
        },
        edges={"spare": torch.tensor([False, False, False, True, False])},
    )


def closed_graph(state: GraphBatch, number: int, *, broken: bool) -> nx.Graph:
    """The closed links of one graph, with its broken nodes or without them."""
    one = alone(state, number)
    graph = nx.Graph()
    graph.add_nodes_from(range(one.num_nodes))
    graph.add_edges_from(one.edge_index.T[one.edges["closed"]].tolist())
    if not broken:
        graph.remove_nodes_from((~working_nodes(one)).nonzero().squeeze(1).tolist())
    return graph


def supplied(graph: nx.Graph, sources: list[int]) -> set[int]:
    """The nodes that a path joins to one of the sources that are there."""
    return set().union(*(nx.node_connected_component(graph, node) for node in sources if node in graph))


def sources(state: GraphBatch, number: int) -> list[int]:
    return alone(state, number).nodes["source"].nonzero().squeeze(1).tolist()


def moments(environment: Environment, batch: GraphBatch, seed: int) -> list:
    return list(unroll(environment, environment.reset(batch), random_choice(environment, seeded(seed))))


def test_an_episode_by_hand() -> None:
    environment = NetworkRepair(stamina=1.0, recovery=0.5, rest=0.5, switching=0.25)
    state = environment.reset(environment.instance(line_and_tie()))
    assert state.graphs["scale"].tolist() == [2]
    assert state.graphs["switchings"].tolist() == [1]
    assert state.graphs["energy"].tolist() == [2]
    assert state.nodes["served"].tolist() == [True, False, False, False, False]
    seen = environment.observe(state)
    mean = 2.0  # (0 + 1 + 2 + 3 + 4) / 5
    torch.testing.assert_close(seen.graph.nodes["gain"].expm1() * mean, torch.tensor([0.0, 6, 0, 0, 4]))
    torch.testing.assert_close(seen.graph.nodes["way"].expm1() * 2, torch.tensor([0.0, 2, 2, 2, 1]))
    torch.testing.assert_close(seen.graph.nodes["behind"].expm1() * mean, torch.tensor([10.0, 6, 5, 3, 4]))
    assert seen.masks[0].tolist() == [False, True, False, False, True]
    rows, _ = state.links
    ends = [tuple(pair) for pair in state.edge_index[:, rows].T.tolist()]
    tie = next(place for place, pair in enumerate(ends) if set(pair) == {0, 3})
    assert seen.masks[1].nonzero().squeeze(1).tolist() == [tie]
    assert seen.masks[2].tolist() == [False]

    step = environment.step(state, torch.tensor([4]))  # one unit of time without any demand served
    assert step.reward.tolist() == [-0.5]
    assert step.state.graphs["energy"].tolist() == [1]
    assert environment.observe(step.state).masks[0].tolist() == [False] * 5  # too tired for the node that takes 2
    assert environment.observe(step.state).masks[2].tolist() == [True]
    step = environment.step(step.state, torch.tensor([5 + tie]))  # half a unit with 6 / 10 dark
    assert step.state.nodes["served"].tolist() == [True, False, True, True, True]
    assert step.reward.item() == pytest.approx(-0.25 * 0.6)
    assert step.state.graphs["energy"].tolist() == [1.25]
    for _ in range(2):  # a unit each with 1 / 10 dark
        step = environment.step(step.state, torch.tensor([5 + 5]))
        assert step.reward.item() == pytest.approx(-0.5 * 0.1)
    assert step.state.graphs["energy"].tolist() == [2]
    step = environment.step(step.state, torch.tensor([1]))
    assert step.terminated.tolist() == [True]
    assert environment.objective(step.state).item() == pytest.approx(1 + 0.3 + 0.2 + 0.2)
    solution = environment.solution(step.state)
    assert solution.nodes.tolist() == [4, 1]
    assert {frozenset(pair) for pair in solution.links.T.tolist()} == {frozenset((0, 3))}
    assert environment.observe(step.state).masks[0].sum() == 0


@given(instances(), environments, seeds)
def test_supply_reaches_what_networkx_reaches(batch: GraphBatch, environment: NetworkRepair, seed: int) -> None:
    for transition in moments(environment, batch, seed):
        state = transition.step.state
        for number in range(state.num_graphs):
            lit = supplied(closed_graph(state, number, broken=False), sources(state, number))
            assert set(alone(state, number).nodes["served"].nonzero().squeeze(1).tolist()) == lit


@given(instances(), environments, seeds)
def test_gains_are_what_the_step_brings(batch: GraphBatch, environment: NetworkRepair, seed: int) -> None:
    for transition in moments(environment, batch, seed):
        state = transition.state
        found = prospects(state, working_nodes(state), state.edges["closed"], state.nodes["served"])
        kind, row, _ = environment.actions.locate(state, transition.action)
        demand = state.nodes["demand"].double()
        lit = [
            segment_sum(demand * part.nodes["served"], state.node_segments) for part in (state, transition.step.state)
        ]
        node = state.node_ptr[:-1] + torch.where(kind == 0, row, 0)
        rows, links = state.links
        place = torch.where(kind == 1, links.ptr[:-1] + row, 0)
        gain = torch.where(kind == 0, found.node_gain[node], 0.0)
        if rows.numel():
            gain = torch.where(kind == 1, found.edge_gain[rows[place]], gain)
        torch.testing.assert_close(gain.double(), lit[1] - lit[0], atol=1e-9, rtol=0)
        for one, other, gain in zip(*state.edge_index.tolist(), found.edge_gain.tolist(), strict=True):
            here = [bool(state.nodes["served"][v]) for v in (one, other)]
            works = [bool(working_nodes(state)[v]) for v in (one, other)]
            closed = bool(state.edges["closed"][((state.edge_index == torch.tensor([[one], [other]])).all(0))][0])
            assert (gain >= 0) == (not closed and sum(here) == 1 and all(works))


@given(instances(), environments, seeds)
def test_a_tied_gain_is_what_a_repair_and_the_best_switching_bring(
    batch: GraphBatch, environment: NetworkRepair, seed: int
) -> None:
    state = environment.reset(batch)
    working, closed = working_nodes(state), state.edges["closed"]
    found = prospects(state, working, closed, state.nodes["served"])
    for node in (~working).nonzero().squeeze(1).tolist():
        repaired = working.clone()
        repaired[node] = True
        lit = served_nodes(state, repaired, closed)
        after = prospects(state, repaired, closed, lit)
        if lit[node]:
            assert found.tied_gain[node] == 0
            continue
        # The island of the node is served by any link to it: that one whose closing serves the node.
        gains = [0.0]
        for edge in (after.edge_gain >= 0).nonzero().squeeze(1).tolist():
            one, other = state.edge_index[:, edge].tolist()
            both = closed | ((state.edge_index == torch.tensor([[one], [other]])).all(0))
            both |= (state.edge_index == torch.tensor([[other], [one]])).all(0)
            if served_nodes(state, repaired, both)[node]:
                gains.append(float(after.edge_gain[edge]))
        assert float(found.tied_gain[node]) == pytest.approx(max(gains), abs=1e-9)


@given(instances(), environments)
def test_ways_and_what_lies_behind_are_those_of_the_closed_tree(batch: GraphBatch, environment: NetworkRepair) -> None:
    state = environment.reset(batch)
    working = working_nodes(state)
    found = prospects(state, working, state.edges["closed"], state.nodes["served"])
    for number in range(state.num_graphs):
        one, rows = alone(state, number), state.node_graph == number
        graph, roots = closed_graph(state, number, broken=True), sources(state, number)
        if len(roots) != 1:
            continue
        way, behind = [0.0] * len(graph), [0.0] * len(graph)
        unserved = (one.nodes["demand"] * ~one.nodes["served"]).tolist()
        for node, path in nx.single_source_shortest_path(graph, roots[0]).items():
            way[node] = sum((float(one.nodes["repair_time"][v]) for v in path if not working_nodes(one)[v]), 0.0)
            for before in path:
                behind[before] += unserved[node]
        reached = torch.tensor([node in nx.node_connected_component(graph, roots[0]) for node in graph])
        torch.testing.assert_close(found.way[rows][reached], torch.tensor(way, dtype=torch.float64)[reached])
        torch.testing.assert_close(found.behind[rows][reached], torch.tensor(behind, dtype=torch.float64)[reached])


@given(instances(), environments, seeds)
def test_the_return_is_minus_the_outage(batch: GraphBatch, environment: NetworkRepair, seed: int) -> None:
    returns = torch.zeros(batch.num_graphs, dtype=torch.float64)
    for transition in moments(environment, batch, seed):
        returns[transition.episode] += transition.step.reward
        state = transition.step.state
        assert (state.graphs["energy"] >= -1e-8).all()
        assert (state.graphs["energy"] <= environment.stamina * state.graphs["scale"] + 1e-6).all()
        assert (state.graphs["switchings"] >= 0).all()
        assert_same(transition.step.terminated, dark_share(state) == 0)
        assert (has_choice(environment, environment.observe(state)) != transition.step.terminated).all()
    final = play(environment, batch, random_choice(environment, seeded(seed)))
    assert environment.is_complete(final).all()
    torch.testing.assert_close(returns * batch.graphs["scale"], -environment.objective(final), atol=1e-4, rtol=1e-4)


@given(instances(), environments, seeds, st.floats(0.01, 100), st.floats(0.01, 100))
def test_units_change_nothing_that_is_seen(
    batch: GraphBatch, environment: NetworkRepair, seed: int, hour: float, megawatt: float
) -> None:
    other = as_instance(
        batch.with_nodes(
            demand=batch.nodes["demand"] * megawatt,
            repair_time=batch.nodes["repair_time"] * hour,
        )
    )
    one, two = (environment.observe(environment.reset(part)) for part in (batch, other))
    for name in environment.features.nodes:
        torch.testing.assert_close(one.graph.nodes[name], two.graph.nodes[name], rtol=1e-4, atol=1e-4)
    for left, right in zip(one.masks, two.masks, strict=True):
        assert_same(left, right)
    outage = [
        environment.objective(play(environment, part, random_choice(environment, seeded(seed))))
        for part in (batch, other)
    ]
    torch.testing.assert_close(outage[0] * hour, outage[1], rtol=1e-3, atol=1e-5)


@given(instances(), seeds)
def test_relabelling_permutes_what_is_seen(batch: GraphBatch, seed: int) -> None:
    environment = NetworkRepair()
    for transition in moments(environment, batch, seed)[:3]:
        moved, place = relabelled(transition.state, seeded(seed))
        seen, other = environment.observe(transition.state), environment.observe(moved)
        for name in environment.features.nodes:
            assert_same(other.graph.nodes[name][place], seen.graph.nodes[name])
        assert_same(other.masks[2], seen.masks[2])
        assert_same(other.masks[1].sum(), seen.masks[1].sum())


@given(instances())
def test_an_instance_stays_as_it_is_and_can_be_served(batch: GraphBatch) -> None:
    batch.validate()
    assert_same_batch(as_instance(batch), batch)
    assert not (batch.nodes["broken"] & batch.nodes["source"]).any()


@given(ragged_batches(undirected=True, loops=False, parallels=False), seeds)
def test_the_spanning_tree_is_the_shortest(graph: GraphBatch, seed: int) -> None:
    key = torch.rand(graph.num_nodes, generator=seeded(seed))
    length = (key[graph.edge_index[0]] - key[graph.edge_index[1]]).abs()
    tree = spanning_tree(graph, length)
    theirs = nx.Graph()
    for (one, other), weight in zip(graph.edge_index.T.tolist(), length.tolist(), strict=True):
        theirs.add_edge(one, other, weight=weight)
    total = nx.minimum_spanning_tree(theirs).size(weight="weight") if len(theirs) else 0
    assert float(length[tree].sum()) / 2 == pytest.approx(total, abs=1e-5)


@pytest.mark.parametrize(
    "environment",
    [
        NetworkRepair(),
        NetworkRepair(4.0, 0.2, 0.01, 3.0, 5.0, "stuck"),
        NetworkRepair(spares=0.0),
        PenalizedOptimization(NetworkRepair()),
    ],
)
def test_the_environment_conforms(environment: Environment) -> None:
    kinds, generator = ("gabriel", "erdos-renyi:p=0.2"), seeded()
    instances = [NETWORK_REPAIR.generator(topology, (1, 2, 5, 12))(4, generator) for topology in kinds]
    check_environment(environment, GraphBatch.concat(instances))


def test_a_repair_is_the_worse_the_more_energy_is_missing() -> None:
    environment = NetworkRepair()
    state = environment.reset(environment.instance(line_and_tie()))
    tired = state.with_graphs(energy=torch.tensor([0.5]))
    assert environment.severity(tired, torch.tensor([1])).tolist() == [0.75]
    assert environment.severity(tired, torch.tensor([4])).tolist() == [0.5]
    assert environment.severity(tired, torch.tensor([0])).tolist() == [1]
    assert environment.severity(tired, torch.tensor([6])).tolist() == [1]


# ---- heuristics and the optimum --------------------------------------------------------------------------------------


def least_outage(environment: NetworkRepair, state: GraphBatch, known: float = float("inf")) -> float:
    """The least outage over all ways to play one graph on from `state`; from `known` on there is no need to look."""
    if float(environment.objective(state)) >= known:
        return known
    if bool(environment.is_complete(state)):
        return float(environment.objective(state))
    mask = environment.actions.arrange(state, environment.observe(state).masks)
    for action in mask.nonzero().squeeze(1):
        known = least_outage(environment, environment.step(state, action[None]).state, known)
    return known


@pytest.mark.parametrize(
    "environment", [NetworkRepair(), NetworkRepair(wait="stuck", spares=1.0), NetworkRepair(spares=0.0)]
)
def test_the_optimum_is_the_least_over_all_ways(environment: NetworkRepair) -> None:
    batch = NETWORK_REPAIR.generator(sizes=(5, 7))(5, seeded(3))
    assert NETWORK_REPAIR.solve_exactly is not None
    best = NETWORK_REPAIR.solve_exactly(environment, batch, 10.0)
    assert best.proven.all()
    least = [least_outage(environment, environment.reset(alone(batch, number))) for number in range(batch.num_graphs)]
    assert best.objective.tolist() == pytest.approx(least, rel=1e-9)
    assert best.solution is not None
    assert environment.is_complete(best.solution).all()
    assert_same(environment.objective(best.solution), best.objective)


def test_heuristics_serve_everything_and_are_not_better_than_the_optimum() -> None:
    batch = NETWORK_REPAIR.generator(sizes=(10, 20))(10, seeded())
    assert NETWORK_REPAIR.solve_exactly is not None
    for environment in (NetworkRepair(), NetworkRepair(wait="stuck")):
        best = NETWORK_REPAIR.solve_exactly(environment, batch, 5.0)
        assert best.proven.all()
        for heuristic in NETWORK_REPAIR.heuristics.values():
            final = heuristic(environment, batch)
            assert environment.is_complete(final).all()
            assert (environment.objective(final) >= best.objective * (1 - 1e-4)).all()


def test_without_time_the_bound_is_true() -> None:
    batch = NETWORK_REPAIR.generator(sizes=(20,))(6, seeded())
    assert NETWORK_REPAIR.solve_exactly is not None
    hurried, best = (NETWORK_REPAIR.solve_exactly(NetworkRepair(), batch, seconds) for seconds in (0.002, 10.0))
    assert best.proven.all()
    assert not hurried.proven.all()
    assert (hurried.bound <= best.objective * (1 + 1e-4)).all()
    assert (hurried.objective >= best.objective * (1 - 1e-4)).all()


def test_greedy_by_hand() -> None:
    environment = NetworkRepair(stamina=1.0, recovery=0.5, rest=0.5, switching=0.25)
    final = NETWORK_REPAIR.heuristics["greedy"](environment, environment.instance(line_and_tie()))
    # The spare link serves 5 in half a unit, node 4 then 4 in one; the crew rests for 1 unit before node 1.
    assert environment.solution(final).nodes.tolist() == [4, 1]
    assert environment.objective(final).item() == pytest.approx(0.5 * 1 + 1 * 0.5 + (2 + 2) * 0.1)


# ---- files, refusals -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", INSTANCES, ids=lambda path: path.stem)
def test_networks_from_files_are_instances(path: Path) -> None:
    environment = NetworkRepair()
    named = read_graph(path)
    instance = environment.instance(named.graph)
    final = NETWORK_REPAIR.heuristics["greedy"](environment, instance)
    assert environment.is_complete(final).all()
    assert segment_sum(instance.nodes["broken"], instance.node_segments).item() > 1
    assert instance.edges["spare"].any()


def test_there_are_example_files() -> None:
    assert len(INSTANCES) >= 3


@pytest.mark.parametrize(
    ("table", "name", "column", "message"),
    [
        ("nodes", "source", None, r"does not say which nodes are source; mark them .* --mark source=NAME"),
        ("nodes", "broken", torch.tensor([0.0, 2, 0, 0, 0]), "'broken' is more than true or false"),
        ("nodes", "demand", torch.tensor([0.0, -1, 0, 0, 0]), r"'demand' is -1\.0 at node 1"),
        ("nodes", "demand", torch.zeros(5, 2), r"'demand' has shape \(5, 2\)"),
        ("nodes", "repair_time", torch.tensor([1.0, 0, 1, 1, 1]), r"'repair_time' is 0\.0 at the broken node 1"),
        ("edges", "spare", torch.full((10,), 0.5), "'spare' is more than true or false"),
        ("edges", "spare", torch.ones(10, dtype=torch.bool), "no closed links join node 1"),
    ],
)
def test_wrong_columns_are_refused(table: str, name: str, column: Tensor | None, message: str) -> None:
    graph = line_and_tie()
    if column is None:
        graph = graph.keep(nodes=[other for other in graph.nodes if other != name], edges=["spare"])
    else:
        graph = graph.with_nodes(**{name: column}) if table == "nodes" else graph.with_edges(**{name: column})
    with pytest.raises(GraphError, match=message) as error:
        as_instance(graph)
    assert "\n" not in str(error.value)


def test_columns_with_gaps_and_without_numbers_have_their_defaults() -> None:
    graph = line_and_tie().keep(nodes=["source"])
    broken = torch.tensor([0.0, 1, float("nan"), 0, 0])
    instance = as_instance(graph.with_nodes(broken=broken))
    assert instance.nodes["broken"].tolist() == [False, True, False, False, False]
    assert instance.nodes["demand"].tolist() == [0, 1, 1, 1, 1]
    assert instance.nodes["repair_time"].tolist() == [1] * 5
    assert not instance.edges["spare"].any()


def test_parallel_links_are_closed_where_one_of_them_is() -> None:
    graph = from_edges(
        torch.tensor([[0, 0, 1], [1, 1, 1]]),
        torch.tensor([2]),
        undirected=True,
        nodes={"source": torch.tensor([True, False]), "broken": torch.tensor([False, True])},
        edges={"spare": torch.tensor([True, False, False])},
    )
    assert as_instance(graph).edges["spare"].tolist() == [False, False]


@pytest.mark.parametrize(
    "options", [{"stamina": 0.5}, {"recovery": 0.0}, {"switching": -1.0}, {"rest": float("nan")}, {"spares": -0.1}]
)
def test_rules_that_never_end_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        NetworkRepair(**options)


def test_a_directed_graph_is_refused() -> None:
    with pytest.raises(GraphError, match="directed"):
        as_instance(from_edges(torch.tensor([[0], [1]]), torch.tensor([2]), undirected=False))


def test_a_storm_is_as_its_text_says() -> None:
    batch = NETWORK_REPAIR.generator("gabriel", (20, 50, 90))(30, seeded())
    size = batch.node_segments.lengths
    count = segment_sum(batch.nodes["source"], batch.node_segments)
    assert_same(count, (size + 39) // 40)
    broken = segment_sum(batch.nodes["broken"], batch.node_segments)
    assert (broken >= 0.15 * (size - count)).all()
    assert (broken <= (0.35 * (size - count)).ceil()).all()
    assert_same(segment_sum(~batch.edges["spare"], batch.edge_segments) // 2, size - 1)
    assert (batch.nodes["repair_time"] >= 0.2).all()
    assert (batch.nodes["repair_time"] <= 1.0).all()
    again = after_storm(batch.keep(), seeded(1))
    assert_same_batch(again, after_storm(batch.keep(), seeded(1)))


def test_a_short_run_beats_random_and_solves_a_file(tmp_path: Path) -> None:
    config = TrainConfig.for_problem(
        NETWORK_REPAIR,
        steps=12_000,
        threads=1,
        collection={"sizes": (10,), "num_instances": 16, "num_samples": 8},
        validation=ValidationConfig(sizes=(10,), graphs=4),
    )
    train("network-repair", config, tmp_path / "run")
    agent = load(tmp_path / "run", "cpu")
    batch = NETWORK_REPAIR.generator(sizes=(12,))(40, seeded(7))
    environment = NETWORK_REPAIR.environment
    learned = environment.objective(agent.solve(batch)).mean()
    randomly = environment.objective(play(environment, batch, random_choice(environment, seeded()))).mean()
    assert learned < 0.85 * randomly
    named = read_graph(INSTANCES[0])
    solution = solve(agent, named.graph, named.names, time_limit=2.0)
    assert solution.complete
    assert solution.bound is not None
    assert solution.objective >= solution.bound - 1e-6
    assert set(solution.nodes) <= set(named.names)
