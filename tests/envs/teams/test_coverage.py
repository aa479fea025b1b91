"""Coverage: the rules by hand, by another implementation of the matching, and for teams side by side."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment

from graphwright.core import GraphBatch, Segments
from graphwright.envs.conformance import check_environment
from graphwright.envs.problem import random_choice
from graphwright.envs.registry import find_problem
from graphwright.envs.teams.coverage.environment import Coverage
from graphwright.envs.teams.coverage.rules import assigned, greedy
from graphwright.envs.teams.crowd import crowd
from graphwright.envs.teams.matching import match
from strategies import seeded

PROBLEM = find_problem("coverage")


def team(agents: list[list[float]], landmarks: list[list[float]]) -> GraphBatch:
    """One instance."""
    graph = crowd(torch.tensor([len(agents)]), torch.tensor([len(landmarks)]))
    return graph.with_nodes(start=torch.tensor([*agents, *landmarks]))


def test_it_conforms() -> None:
    check_environment(replace(Coverage(), steps=6), PROBLEM.generator(sizes=(1, 3))(4, seeded()))


def test_two_agents_by_hand() -> None:
    rules = Coverage(steps=2)
    state = rules.reset(team([[0.0, 0.0], [1.0, 0.0]], [[1.0, 0.3], [-0.2, 0.0]]))
    step = rules.step(state, torch.tensor([1, 4]))  # to the left, and up
    assert torch.allclose(step.state.nodes["position"][:2], torch.tensor([[-0.05, 0.0], [1.0, 0.05]]))
    assert torch.allclose(step.reward, torch.tensor([-(0.15 + 0.25) / 2]))
    assert not bool(step.terminated | step.truncated)
    step = rules.step(step.state, torch.tensor([0, 4]))
    assert torch.allclose(step.state.nodes["velocity"][:2], torch.tensor([[-0.375, 0.0], [0.0, 0.875]]))
    assert torch.allclose(step.reward, torch.tensor([-(0.1125 + 0.1625) / 2]), atol=1e-6)
    assert bool(step.truncated)
    near = rules.step(rules.reset(team([[0.0, 0.0], [1.0, 0.0]], [[1.0, 0.09], [0.0, -0.09]])), torch.tensor([0, 0]))
    assert bool(near.terminated)
    assert rules.measures(near.state)["success"].tolist() == [1.0]


def test_matchings_are_those_of_scipy() -> None:
    generator = seeded()
    sizes = torch.tensor([1, 2, 3, 7, 12, 5])
    groups = Segments.from_lengths(sizes)
    one, other = torch.rand(2, groups.num_rows, 2, generator=generator)
    found = match(one, groups, other, groups)
    for begin, size in zip(groups.ptr[:-1].tolist(), sizes.tolist(), strict=True):
        far = torch.cdist(one[begin : begin + size].double(), other[begin : begin + size].double()).numpy()
        rows, columns = linear_sum_assignment(far)
        mine = found[begin : begin + size].numpy()
        assert sorted(mine) == list(range(size))
        np.testing.assert_allclose(far[np.arange(size), mine].sum(), far[rows, columns].sum())


def test_crowds_join_agents_to_all_others() -> None:
    graph = crowd(torch.tensor([2, 0, 1]), torch.tensor([1, 2, 0]))
    graph.validate()
    assert graph.edge_segments.lengths.tolist() == [6, 0, 0]
    assert graph.edge_index[:, :6].T.tolist() == [[1, 0], [2, 0], [0, 1], [2, 1], [0, 2], [1, 2]]
    assert graph.edges["type"].tolist() == [0, 1, 0, 1, 2, 2]


def test_plans_cover_all_and_chance_does_not() -> None:
    rules, instances = Coverage(), PROBLEM.generator(sizes=(3, 6))(20, seeded())
    shares = []
    for act in (partial(assigned, rules), partial(greedy, rules), _at_random(rules)):
        state = rules.reset(instances)
        covered = torch.zeros(20, dtype=torch.bool)
        for _ in range(25):
            step = rules.step(state, act(state))
            state, covered = step.state, covered | step.terminated
        shares.append(float(covered.float().mean()))
    assert shares[:2] == [1, 1]
    assert shares[2] < 0.2


def _at_random(rules: Coverage):  # type: ignore[no-untyped-def]
    choose = random_choice(rules, seeded())
    return lambda state: choose(rules.observe(state))
