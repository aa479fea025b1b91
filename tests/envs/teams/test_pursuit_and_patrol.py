"""Pursuit and patrol: the rules by hand and by loops; who drops out is followed by nobody."""

from __future__ import annotations

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
import torch

from graphwright.core import GraphError
from graphwright.envs.conformance import check_environment
from graphwright.envs.registry import find_problem
from graphwright.envs.teams.crowd import AGENT, LANDMARK, crowd, members
from graphwright.envs.teams.patrol.environment import MAP, Patrol, alive, stalest
from graphwright.envs.teams.pursuit.environment import Pursuit, nearest, short_way
from graphwright.training.play_teams import play_teams
from strategies import seeded

PATROL, PURSUIT = find_problem("patrol"), find_problem("pursuit")


@pytest.mark.parametrize("problem", [PATROL, PURSUIT], ids=lambda problem: problem.name)
def test_they_conform(problem) -> None:  # type: ignore[no-untyped-def]
    instances = problem.generator(sizes=(2, 3))(3, seeded())
    if "leaves" in instances.nodes:
        instances = instances.with_nodes(leaves=instances.nodes["leaves"].clamp(max=1 << 30) // 16)
    check_environment(replace(problem.environment, steps=6), instances)


def test_prey_is_caught_by_two_beside_it() -> None:
    cells = torch.tensor([[0, 0], [3, 1], [0, 1]])
    graph = crowd(torch.tensor([2]), torch.tensor([1])).with_nodes(start=cells, number=torch.arange(3))
    graph = graph.with_graphs(side=torch.tensor([5]), seed=torch.tensor([7]))
    rules = Pursuit()
    state = rules.reset(graph)
    offset = dict(zip(map(tuple, state.edge_index.T.tolist()), short_way(state).tolist(), strict=True))
    assert offset[1, 2] == [-2, 0]  # round the torus
    step = rules.step(state, torch.tensor([0, 2]))  # the second one goes south, over the border next
    assert float(step.reward) == 1
    assert bool(step.terminated)
    alone = rules.step(state, torch.tensor([0, 0]))
    assert float(alone.reward) == 0
    prey = alone.state.nodes["cell"][2]
    assert int((prey - torch.tensor([0, 1])).abs().sum()) in (0, 1, 4)


def test_who_hunts_the_nearest_catches_more_than_chance() -> None:
    rules, instances = Pursuit(), PURSUIT.generator()(30, seeded())
    played = play_teams(rules, instances, lambda state: nearest(rules, state))
    still = play_teams(rules, instances, lambda state: torch.zeros(members(state, AGENT)[0].numel(), dtype=torch.int64))
    assert float(played.measures["caught"].mean()) > 0.5 > float(still.measures["caught"].mean())


def test_patrols_go_along_the_map_and_idleness_is_that_of_a_loop() -> None:
    rules, instances = Patrol(steps=12), PATROL.generator(sizes=(2,))(1, seeded())
    instances = instances.with_nodes(leaves=torch.where(torch.arange(14) == 1, 5, 1 << 40))
    source, end = instances.edge_index[:, instances.edges["type"] == MAP].tolist()
    graph = nx.Graph(zip(source, end, strict=True))
    state, generator = rules.reset(instances), seeded()
    idle = dict.fromkeys(members(instances, LANDMARK)[0].tolist(), 0)
    at = {}
    total = 0.0
    for time in range(12):
        begun = state.edges["here"] & (state.edges["type"] == 2)
        at = dict(state.edge_index[:, begun].T.tolist())
        agents = alive(state).nonzero().squeeze(1).tolist()
        assert agents == ([0, 1] if time < 5 else [0])
        seen = rules.observe(state)
        choices = rules.actions.rows(seen.graph)[0].lengths
        assert choices.tolist() == [len(graph[at[agent]]) + 1 for agent in agents]
        action = (torch.rand(len(agents), generator=generator) * choices).long()
        step = rules.step(state, action)
        goes = {a: sorted([*graph[at[a]], at[a]])[k] for a, k in zip(agents, action.tolist(), strict=True)}
        idle = {place: 0 if place in goes.values() else since + 1 for place, since in idle.items()}
        assert step.state.nodes["idle"][2:].tolist() == list(idle.values())
        mean = sum(idle.values()) / 12
        total += mean
        assert float(step.reward) == pytest.approx(-mean / 6)
        assert step.successor is not None
        assert step.successor.tolist() == ([0, 1] if time < 4 else [0, -1] if time == 4 else [0])
        state = step.state
    assert float(rules.measures(state)["idleness"]) == pytest.approx(total / 12)


def test_a_team_too_small_to_catch_anything_is_refused() -> None:
    instances = PURSUIT.generator(sizes=(2,))(3, seeded())
    Pursuit().reset(instances)
    with pytest.raises(GraphError, match=r"a team of 2 catches nothing, as it takes 3 .*hunters"):
        Pursuit(hunters=3).reset(instances)


def test_agents_see_only_what_is_near() -> None:
    instances = PATROL.generator(sizes=(3,))(4, seeded())
    shares = [
        float(Patrol(sight=sight).observe(Patrol().reset(instances)).graph.nodes["seen"].float().mean())
        for sight in (0, 1, 30)
    ]
    assert shares[0] < shares[1] < shares[2] == 1


def test_places_are_left_alone_for_less_by_a_rule_than_by_staying() -> None:
    rules, instances = Patrol(steps=60), PATROL.generator(sizes=(3,))(10, seeded())
    ruled = play_teams(rules, instances, lambda state: stalest(rules, state), record=True)
    still = play_teams(rules, instances, lambda state: torch.zeros(int(alive(state).sum()), dtype=torch.int64))
    assert float(ruled.measures["idleness"].mean()) < 0.6 * float(still.measures["idleness"].mean())
    gone = torch.from_numpy(ruled.record["agents"]).isnan().any(3)
    assert int(gone[:, -1].sum()) > 0
    assert ((torch.from_numpy(ruled.record["actions"]) == -1) == gone[:, 1:]).all()  # its last visit is there


def test_agents_in_the_same_place_go_to_the_stalest_places_one_each() -> None:
    rules, instances = Patrol(), PATROL.generator(sizes=(3,))(20, seeded())
    state = rules.reset(instances)
    source, end = state.edge_index
    agent, place = state.nodes["type"][source] == 0, state.nodes["type"][end] == 1
    first = torch.full((state.num_graphs,), state.num_nodes).scatter_reduce(
        0, state.edge_graph[agent & place], end[agent & place], "amin"
    )
    here = first[state.edge_graph] == torch.where(agent, end, source)
    state = state.with_edges(here=here & (state.edges["type"] != MAP))  # all agents are in the first place
    state = state.with_nodes(idle=1 + torch.randperm(state.num_nodes, generator=seeded()))
    following = rules.step(state, stalest(rules, state)).state
    on_map = source[(state.edges["type"] == MAP) & (end == first[state.edge_graph])]
    for graph in range(state.num_graphs):
        beside = [int(node) for node in on_map if state.node_graph[node] == graph] + [int(first[graph])]
        stalest_first = sorted(beside, key=lambda node: -int(state.nodes["idle"][node]))
        visited = [node for node in beside if following.nodes["idle"][node] == 0]
        assert set(visited) == set(stalest_first[:3])  # all, where there are but two


def test_rewards_of_a_recording_of_a_patrol_are_those_of_the_places_in_it() -> None:
    rules, instances = Patrol(steps=60), PATROL.generator(sizes=(3,))(10, seeded())
    record = play_teams(rules, instances, lambda state: stalest(rules, state), record=True).record
    idle = np.zeros((10, 18))
    for time in range(60):
        at = record["agents"][:, time + 1, None] == record["landmarks"][:, :, None]  # NaN is nowhere
        idle = np.where(at.all(3).any(2), 0, idle + 1)
        np.testing.assert_allclose(record["rewards"][:, time], -idle.mean(1) / 6, rtol=1e-6)


def test_a_recording_of_a_patrol_has_the_links_of_its_map() -> None:
    instances = PATROL.generator(sizes=(2,))(3, seeded())
    links = Patrol().scene(instances)["links"]
    for graph in range(3):
        alone = instances.select(torch.tensor([graph]))
        on_map = alone.edge_index[:, alone.edges["type"] == MAP] - 2  # the two agents come first
        told = {frozenset(link) for link in links[graph].tolist() if link[0] >= 0}
        assert told == {frozenset(link) for link in on_map.T.tolist()}
