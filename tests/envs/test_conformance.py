"""The conformance test passes environments that keep the contract, and names the rule that another breaks."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace
from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from environments import ENVIRONMENTS, KINDS
from graphwright.core import GraphBatch
from graphwright.envs.conformance import ConformanceError, ConformanceWarning, check_environment
from graphwright.envs.environment import Environment
from graphwright.envs.locomotion.swimmer import Swimmer
from graphwright.envs.problems.vertex_cover.environment import VertexCover
from graphwright.envs.registry import SOLVED
from strategies import cover_instances, seeded

from .planted_bugs import BEYOND, NAMED, OTHERS, instances_of

PLANTED = NAMED | OTHERS | BEYOND
MESSAGES = {
    "batch leakage in observation": r"observe: .*column 'relative_degree' of graph \d+ after \d+ steps.* in a batch of",
    "batch leakage in mask": "observe: .*the mask of 'select' of graph",
    "batch leakage in reward": "step: .*the reward of graph",
    "batch leakage in termination": "step: .*the truncated of graph",
    "batch leakage in objective": "objective: .*the result of graph",
    "objective in place": "objective changes what it is given: node column 'selected'.*clone",
    "step in place": "step changes what it is given: node column 'selected'",
    "observe in place": "observe changes what it is given: graph column 'cut'",
    "wrong sign of the reward": "the sum of rewards falls when the objective gets better",
    "ending before complete": "terminated though is_complete says",
    "an episode that never ends": "not over after 100 random steps",
    "masks allow chosen nodes again": "the mask of 'select' allows row .* changes nothing",
    "masks allow all edges": "the mask of 'join' allows row .* changes nothing",
    "edge columns depend on order": "observe depends on how nodes are numbered: edge column 'covered'",
    "graph columns depend on order": "observe depends on how nodes are numbered: graph column 'uphill'",
    "raw units": "depends on the unit of the node column 'weight'.*scale",
    "wrong dtype of a mask": "the mask of 'select' is .*float32; it has to be .*bool",
    "wrong dtype of the reward": "the reward is .*float64; it has to be .*float32",
    "nondeterminism": "step is not a function of its arguments",
    "reset keeps state between calls": "step is not a function of its arguments",
    "NaN in the observation": "the node column 'relative_degree' is nan",
    "features declares a column that is missing": "declares the node column 'colour', but observe shows only",
    "features declares another width": "width 2 for the node column 'weight'",
    "order through reset": "node column 'relative_degree'",
    "a step changes the instance": "edits_graph = True",
    "a column changes its dtype": "graph column 'time' was .*int32.*int64",
    "maximise the wrong way round": "with maximise = False",
    "raises for a batch of its own": "observe raises RuntimeError for",
}


@cache
def complaint(name: str) -> str:
    """What the checker says of an environment with a mistake, nothing if it says nothing."""
    environment, most = PLANTED[name], 100 if name == "an episode that never ends" else 400
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConformanceWarning)
        try:
            check_environment(environment, instances_of(environment), max_steps=most)
        except ConformanceError as error:
            return str(error)
    return ""


def test_nineteen_of_twenty_planted_bugs_are_found() -> None:
    assert len(NAMED) == 20
    missed = [name for name in NAMED if not complaint(name)]
    assert len(missed) <= 1, missed


@pytest.mark.parametrize("name", OTHERS)
def test_further_planted_bugs_are_found(name: str) -> None:
    assert complaint(name)


@pytest.mark.parametrize("name", MESSAGES)
def test_messages_name_the_rule_the_method_and_the_place(name: str) -> None:
    assert re.search(MESSAGES[name], complaint(name))


@pytest.mark.parametrize("name", BEYOND)
def test_what_no_checker_can_know_is_not_complained_of(name: str) -> None:
    """Rules that hang together are rules; docs/conformance.md says so."""
    assert not complaint(name)


@pytest.mark.parametrize("name", SOLVED)
def test_the_problems_of_the_registry_conform(name: str) -> None:
    problem = SOLVED[name]
    environment = problem.environment
    if isinstance(environment, Swimmer):
        environment = replace(environment, horizon=80)
    check_environment(environment, problem.generator(sizes=problem.sizes[:2])(4, seeded()))


@settings(max_examples=8)
@given(st.sampled_from([*ENVIRONMENTS.values(), VertexCover(legal="any")]), cover_instances(graphs=(0, 3)))
def test_any_graphs_conform(environment: Environment, instances: GraphBatch) -> None:
    check_environment(environment, instances)


@pytest.mark.parametrize("name", KINDS)
def test_actions_of_every_kind_conform(name: str) -> None:
    instances = instances_of(VertexCover()).select(torch.arange(3))
    check_environment(KINDS[name], instances)
