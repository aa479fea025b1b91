"""Agents that know which one they are: numbers as they stand, or drawn, different inside a team."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from graphwright.core import GraphBatch
from graphwright.envs.conformance import check_environment
from graphwright.envs.registry import find_problem
from graphwright.envs.teams.coverage.environment import Coverage
from graphwright.envs.teams.path_finding.environment import PathFinding
from graphwright.envs.wrappers.identified import Identified, with_slots
from strategies import seeded

COVERAGE = find_problem("coverage")


def instances(most: int, drawn: bool, problem: str = "coverage") -> GraphBatch:
    generator = find_problem(problem).generator(sizes=(1, 3))
    return replace(generator, columns=with_slots(generator.columns, most, drawn))(8, seeded())


@pytest.mark.parametrize("drawn", [False, True])
@pytest.mark.parametrize(("problem", "environment"), [("coverage", Coverage()), ("path-finding", PathFinding())])
def test_it_conforms_and_agents_of_a_team_differ(
    drawn: bool, problem: str, environment: Coverage | PathFinding
) -> None:
    drew = instances(4, drawn, problem)
    identified = Identified(replace(environment, steps=3), 4)
    check_environment(identified, drew.select(torch.arange(3)))
    seen = identified.observe(identified.reset(drew)).graph
    acts = seen.nodes["acts"] if "acts" in seen.nodes else torch.ones(seen.num_nodes, dtype=torch.bool)
    identity = seen.nodes["identity"]
    assert torch.equal(identity.sum(1) > 0, acts)
    for graph in range(8):
        rows = acts & (seen.node_graph == graph)
        known = identity[rows].argmax(1).tolist()
        assert len(set(known)) == len(known)
        assert drawn or known == list(range(len(known)))


def test_numbers_are_drawn_anew_and_other_columns_stay() -> None:
    drew, plain = instances(4, True), COVERAGE.generator(sizes=(1, 3))(8, seeded())
    assert torch.equal(drew.nodes["start"], plain.nodes["start"])
    first = drew.nodes["slot"][drew.node_ptr[:-1]]
    assert len(set(first.tolist())) > 1


def test_larger_teams_are_one_line() -> None:
    with pytest.raises(ValueError, match=r"--identity\.most 2: a team has 3 agents; give at least 3"):
        instances(2, False)
