"""What cannot be learned from is refused in one line that names it; fixed goals, and likelihoods of given objects."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console
from torch import Tensor

import graphwright as gw
from graphwright.core import GraphBatch
from graphwright.envs.generation import Generation, Measure, Reward
from graphwright.envs.generative.context import GraphContext
from graphwright.envs.generative.environment import blank
from graphwright.envs.generative.exports import node_link_lines
from graphwright.envs.generative.graph_building import GraphBuilding
from graphwright.envs.generative.legality import check_objects
from graphwright.envs.generative.molecules.atoms import AtomContext
from graphwright.envs.generative.reading import read_objects
from graphwright.envs.generative.rewards import reward_of_graphs
from graphwright.envs.problem import Problem
from graphwright.envs.registry import find_problem
from graphwright.envs.reversible import Reversible
from graphwright.envs.rollouts import uniform_choice
from graphwright.training.config import ConfigError, TrainConfig, changed
from graphwright.training.gflownet.conditions import ConditionConfig
from graphwright.training.gflownet.data import given_objects, require_playable
from graphwright.training.gflownet.evaluator import make_exact
from graphwright.training.gflownet.goals import GoalEvaluation, fixed_goals, response
from graphwright.training.gflownet.likelihood import effective_share
from graphwright.training.gflownet.measuring import ObjectMeasures
from graphwright.training.gflownet.sampling import sample_forward
from graphwright.training.train import train


@dataclass(frozen=True)
class Even(GraphContext):
    """Only even sizes may stop."""

    def may_stop(self, state: GraphBatch) -> Tensor:
        return state.node_segments.lengths % 2 == 0


@dataclass(frozen=True)
class Never(GraphContext):
    """Nothing may begin."""

    def may_begin(self, state: GraphBatch) -> Tensor:
        return torch.zeros(state.num_graphs, self.node_types, dtype=torch.bool)


def ones(graphs: list) -> list[float]:
    return [1.0] * len(graphs)


def own(context: GraphContext) -> Problem:
    environment = GraphBuilding(context)
    return Problem("mine:OWN", "a task", environment, generation=Generation(reward=reward_of_graphs(ones)))


def test_a_dead_end_is_refused_with_its_state() -> None:
    with pytest.raises(ConfigError, match=r"mine:OWN: a dead end.*\"id\":4"):
        require_playable(own(Even(max_nodes=5, cycles=False)), GraphBuilding(Even(max_nodes=5, cycles=False)))


def test_a_dead_end_is_found_by_enumeration_too() -> None:
    problem = own(Even(max_nodes=3, cycles=False))
    config = TrainConfig.for_problem(problem)
    with pytest.raises(ConfigError, match="a dead end"):
        make_exact(problem, problem.builder, config.collection, 100)


def test_a_context_that_can_never_begin_is_refused() -> None:
    with pytest.raises(ConfigError, match="can never begin"):
        require_playable(own(Never()), GraphBuilding(Never()))


class Answers(GraphContext):
    """One method answers with what it is not asked for."""

    def __init__(self, method: str, answer: Callable[[GraphBatch], Any]) -> None:
        super().__init__(node_types=2, max_nodes=3)
        object.__setattr__(self, method, lambda state, *_: answer(state))


def fails(state: GraphBatch) -> Tensor:
    raise KeyError("oops")


@pytest.mark.parametrize(
    ("method", "answer", "said"),
    [
        ("may_add", lambda state: state.node_graph >= 0, r"gives \[0\] bool; give \[N, node_types\] bool, here"),
        ("may_add", lambda state: torch.ones(state.num_nodes, 2), r"gives \[0, 2\] float32; give \[N, node_types\]"),
        ("may_begin", lambda state: None, r"gives None; give \[B, node_types\] bool"),
        ("may_stop", lambda state: [True], r"gives a list; give \[B\] bool"),
        ("may_join", fails, "fails: KeyError: 'oops'"),
    ],
)
def test_a_method_of_a_context_that_answers_otherwise_is_named(method: str, answer: Any, said: str) -> None:
    context = Answers(method, answer)
    with pytest.raises(ConfigError, match=f"mine:OWN: Answers.{method} {said}"):
        require_playable(own(context), GraphBuilding(context))


@pytest.mark.parametrize(
    ("attributes", "said"),
    [({"size": 2}, "'size' is a column that the environment adds"), ({"hot": 0}, "'hot' has 0 values; give a whole")],
)
def test_attributes_that_cannot_be_are_named(attributes: dict[str, int], said: str) -> None:
    kind = type("Hot", (GraphContext,), {"node_attributes": attributes})
    with pytest.raises(ValueError, match=f"Hot.node_attributes: {said}"):
        kind()


@pytest.mark.parametrize(("option", "value"), [("node_types", 0), ("max_nodes", 0), ("max_links", -1)])
def test_bounds_that_hold_no_graph_are_refused_by_name(option: str, value: int) -> None:
    with pytest.raises(ValueError, match=f"--environment.context.{option.replace('_', '-')} {value}"):
        GraphContext(**{option: value})


def line(*edges: tuple[int, int], nodes: int = 2, **more: object) -> str:
    document = {
        "nodes": [{"id": place, "type": 0} for place in range(nodes)],
        "edges": [{"source": one, "target": other} for one, other in edges],
    }
    return json.dumps(document | more)


def without_type(*ids: object) -> str:
    nodes = [{"id": one, "colour": 1} for one in ids]
    return json.dumps({"nodes": nodes, "edges": [{"source": ids[0], "target": ids[1]}]})


WRONG = {
    "disconnected": (line(), "is not connected"),
    "too large": (line((0, 1), (0, 2), (0, 3), nodes=4), "has 4 nodes; at most 3 are built"),
    "directed": (line((0, 1), directed=True), "is directed"),
    "blank": (line(nodes=0), "is blank"),
    "empty line": ("", "is blank"),
    "no JSON": ("{", "is no JSON"),
    "unknown type": (line((0, 1), nodes=2, edges=[{"source": 0, "target": 5}]), "source or target that is no node"),
    "loop": (line((0, 1), (1, 1)), "from a node to itself"),
    "twice": (line((0, 1), (1, 0)), "the same edge twice"),
    "type": ('{"nodes": [{"id": 0, "type": 3}], "edges": []}', "unknown node type 3"),
    "place": ('{"nodes": [{"id": [0, 1], "type": 0}], "edges": []}', "of a node is no number or text"),
}


@pytest.mark.parametrize("case", WRONG)
def test_an_object_that_is_none_is_named_with_its_reason(case: str, tmp_path: Path) -> None:
    bad, reason = WRONG[case]
    path = tmp_path / "objects.jsonl"
    path.write_text(f"{line((0, 1))}\n{bad}\n")
    problem = own(GraphContext(max_nodes=3))
    with pytest.raises(ConfigError, match=f"--sources.data: {path}: line 2: .*{reason}"):
        given_objects(problem, problem.builder, "--sources.data", str(path), None)


def test_a_node_without_a_type_is_named_where_there_are_several(tmp_path: Path) -> None:
    path = tmp_path / "objects.jsonl"
    path.write_text(without_type("a", "b"))
    two, one = (own(GraphContext(node_types=types, max_nodes=3)) for types in (2, 1))
    with pytest.raises(ConfigError, match=f"{path}: line 1: node 'a' has no 'type'; give every node one, 0 to 1"):
        given_objects(two, two.builder, "--sources.data", str(path), None)
    assert given_objects(one, one.builder, "--sources.data", str(path), None) is not None


CYCLE = np.roll(np.eye(4, dtype=bool), 1, 1)
ARRAYS = {
    "larger": ("ring-edges", {"adjacency": np.zeros((2, 5, 5), bool)}, "object 0: is a matrix of 5 nodes; .* 4 × 4"),
    "smaller": ("dag", {"adjacency": np.zeros((1, 3, 3), bool)}, "object 0: is a matrix of 3 nodes; .* 4 × 4"),
    "cyclic": ("dag", {"adjacency": CYCLE[None]}, "object 0: has the cycle 0 → 1 → 2 → 3 → 0; what is built has none"),
    "misnamed": ("hyper-grid", {"cells": np.zeros((1, 2), int)}, "the file: has no array 'states', only cells; name"),
}


@pytest.mark.parametrize("case", ARRAYS)
def test_an_array_that_holds_no_object_is_refused(case: str, tmp_path: Path) -> None:
    task, arrays, reason = ARRAYS[case]
    problem, path = find_problem(task), tmp_path / "objects.npz"
    np.savez(path, **arrays)
    with pytest.raises(ConfigError, match=f"--sources.data: {path}: {reason}"):
        given_objects(problem, problem.builder, "--sources.data", str(path), None)


@pytest.mark.parametrize(
    ("task", "known"),
    [
        ("toy-sequences", "are read from .txt files"),
        ("hyper-grid", "are read from .npz files"),
        ("dag", "are read from .npz and .jsonl files"),
        ("qed-atoms", "are read from .smi and .jsonl files"),
        ("max-cut", "are not read from files"),
        ("qed", "are not read from files"),  # node-link lines do not say by which point each end is joined
    ],
)
def test_the_files_that_a_task_reads_are_named(task: str, known: str, tmp_path: Path) -> None:
    problem = find_problem(task)
    for suffix in {".csv", ".smi", ".txt", ".npz", ".jsonl"} - set(known.split()):
        path = tmp_path / f"objects{suffix}"
        path.touch()
        with pytest.raises(ConfigError, match=f"{path}: objects of this task {known}"):
            given_objects(problem, problem.builder, "--sources.data", str(path), None)


def test_edges_may_be_called_links_as_in_graph_files(tmp_path: Path) -> None:
    problem = own(GraphContext(max_nodes=3))
    start = problem.sampled.instances(problem.builder, 1, torch.Generator())
    path, text = tmp_path / "objects.jsonl", line((0, 1), (1, 2), nodes=3)
    keys = []
    for given in (text, text.replace('"edges"', '"links"')):
        path.write_text(given)
        keys.append(problem.builder.keys(read_objects(path, problem.builder, start)[0]))
    assert keys[0] == keys[1]


def read_dags(path: Path, *orders: list) -> list[list[list[int]]]:
    """The edges read of DAGs of four nodes: `orders` of ids, and an edge from the first of them to the second."""
    problem = find_problem("dag")
    documents = [
        {"directed": True, "nodes": [{"id": each} for each in ids], "edges": [{"source": ids[0], "target": ids[1]}]}
        for ids in orders
    ]
    path.write_text("\n".join(map(json.dumps, documents)))
    objects, _ = read_objects(path, problem.builder, problem.sampled.instances(problem.builder, 1, torch.Generator()))
    return [np.argwhere(each).tolist() for each in problem.sampled.export(problem.builder, objects)["adjacency"]]


def test_named_nodes_are_those_of_their_ids(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """networkx writes nodes in the order in which they were added."""
    assert read_dags(tmp_path / "dags.jsonl", [0, 1, 2, 3], [3, 1, 0, 2]) == [[[0, 1]], [[3, 1]]]
    assert caplog.messages == []


def test_other_ids_are_numbered_as_the_first_object_has_them(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "dags.jsonl"
    assert read_dags(path, list("abcd"), list("dbca")) == [[[0, 1]], [[3, 1]]]
    said = "the ids of nodes are not 0 to 3, so they are numbered as line 1 has them: a, b, c, d"
    assert caplog.messages == [f"{path}: {said}"]
    with pytest.raises(ValueError, match="line 2: has the node 'e', which the first object has not"):
        read_dags(path, list("abcd"), list("abce"))
    with pytest.raises(ValueError, match="line 2: has the node 4, which the first object has not"):
        read_dags(path, [0, 1, 2, 3], [1, 2, 3, 4])


def test_an_object_that_no_steps_lead_to_is_named() -> None:
    problem = own(Even(max_nodes=4))
    alone = problem.builder.reset(problem.sampled.instances(problem.builder, 1, torch.Generator()))
    alone = problem.builder.advance(alone, torch.tensor([1])).state
    with pytest.raises(ValueError, match="this: may not be finished"):
        check_objects(problem.builder, alone, alone, ["this"], torch.Generator())


def test_what_sample_writes_is_read_again(tmp_path: Path) -> None:
    for name, export in (
        ("two-colour", "jsonl"),
        ("hyper-grid", "npz"),
        ("ring-edges", "npz"),
        ("toy-sequences", "txt"),
    ):
        problem = find_problem(name)
        environment, generator = problem.builder, torch.Generator().manual_seed(0)
        instances = problem.sampled.instances(environment, 5, generator)
        objects = sample_forward(environment, instances, uniform_choice(environment.actions, generator)).objects
        if name == "toy-sequences":
            objects = objects.select((objects.node_segments.lengths > 0).nonzero().squeeze(1))
        path = tmp_path / f"{name}.{export}"
        exported = problem.sampled.export(environment, objects)
        if isinstance(exported, list):
            path.write_text("".join(f"{each}\n" for each in exported))
        else:
            np.savez(path, **exported)
        read, names = read_objects(path, environment, instances.select(torch.tensor([0])))
        assert environment.keys(read) == environment.keys(objects)
        assert len(names) == objects.num_graphs
        check_objects(environment, instances.select(torch.tensor([0])), read, names, generator)


def test_smiles_are_read_atom_by_atom(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    context = AtomContext(elements=("C", "O"), charges=(), max_nodes=4)
    problem = replace(find_problem("qed-atoms"), environment=GraphBuilding(context))
    environment, generator, path = problem.builder, torch.Generator().manual_seed(0), tmp_path / "given.smi"
    objects = sample_forward(environment, blank(12), uniform_choice(environment.actions, generator)).objects
    path.write_text("".join(f"{line}\n" for line in problem.sampled.export(environment, objects)))
    read = given_objects(problem, environment, "--sources.data", str(path), None)
    assert read is not None
    assert environment.keys(read) == environment.keys(objects)
    for bad, reason in {
        "CN": "unknown element",
        "CCCCC": "has 5 nodes",
        "C.C": "connected",
        "C1": "RDKit cannot read the SMILES",
        "C[CH2]": "atom 1, C, has 2 hydrogens where 3 are implied; radicals",
        "[O][O]": "atom 0, O, has 0 hydrogens where 1",
        "[13CH4]": r"atom 0 is the isotope \[13CH4\]; leave its mass out",
    }.items():
        path.write_text(f"CO\n{bad}\n")
        with pytest.raises(ConfigError, match=f"--sources.data: .*line 2: .*{reason}"):
            given_objects(problem, environment, "--sources.data", str(path), None)
    assert not capfd.readouterr().err, "RDKit has a log of its own"


def test_stereochemistry_is_left_out_and_that_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    problem, path, flat = find_problem("qed-atoms"), tmp_path / "given.smi", tmp_path / "flat.smi"
    path.write_text("C[C@H](O)F name\nF/C=C/F\nCCO\n")
    flat.write_text("CC(O)F\nFC=CF\nCCO\n")
    found = [given_objects(problem, problem.builder, "--data", str(one), None) for one in (path, flat)]
    keys = [problem.builder.keys(objects) for objects in found if objects is not None]
    assert keys[0] == keys[1]
    assert caplog.messages == [f"{path}: stereochemistry is not read; it is left out of 2 of 3 molecules"]


@dataclass(frozen=True)
class LogReward(Reward):
    """The same for all."""

    value: float

    def __call__(self, environment: Reversible, objects: GraphBatch) -> Tensor:
        return torch.full((objects.num_graphs,), self.value, dtype=torch.float64)


@dataclass(frozen=True)
class Given(Reward):
    """Whatever it is."""

    value: Any

    def __call__(self, environment: Reversible, objects: GraphBatch) -> Tensor:
        return self.value


def failing(graphs: list) -> list[float | None]:
    return [None if len(graph) == 2 else 1 / (3 - len(graph)) for graph in graphs]


def test_a_reward_that_fails_names_the_object() -> None:
    environment = GraphBuilding(GraphContext(max_nodes=3))
    state = environment.advance(environment.reset(blank(1)), torch.tensor([1])).state
    two = environment.advance(state, torch.tensor([2])).state
    measure = Measure(environment, reward_of_graphs(failing))
    with pytest.raises(ValueError, match=r"the reward of an object fails: it gives None.*\"source\""):
        measure(GraphBatch.concat([state, two]))
    with pytest.raises(ValueError, match=r"ZeroDivisionError.*\"id\":2"):
        measure(environment.advance(two, torch.tensor([2])).state)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (math.nan, r"no number \(NaN\); give one for every object"),
        (math.inf, "infinite; give a finite one"),
        (-math.inf, "0; give it a floor, such as 1e-8"),
    ],
)
def test_what_is_wrong_with_a_reward_is_said(value: float, reason: str) -> None:
    environment = GraphBuilding(GraphContext(max_nodes=3))
    state = environment.advance(environment.reset(blank(1)), torch.tensor([1])).state
    with (
        ObjectMeasures("mine:OWN", environment, LogReward(value)) as measure,
        pytest.raises(ValueError, match=f'mine:OWN: the reward of an object is {reason}: .*"id":0'),
    ):
        measure(state)


@pytest.mark.parametrize(
    ("given", "shown"), [(None, "NoneType"), ([0.0], "list"), (torch.zeros(1, 1), r"a tensor \[1, 1\]")]
)
def test_a_reward_that_is_no_tensor_is_refused(given: object, shown: str) -> None:
    environment = GraphBuilding(GraphContext(max_nodes=3))
    state = environment.advance(environment.reset(blank(1)), torch.tensor([1])).state
    with pytest.raises(ValueError, match=rf"fails: Given gives {shown}; give a tensor \[1\] of log R; of"):
        Measure(environment, Given(given))(state)


def test_a_run_watches_given_objects_and_fixed_goals(tmp_path: Path) -> None:
    problem = find_problem("two-colour")
    environment = GraphBuilding(GraphContext(node_types=2, max_nodes=3))
    (tmp_path / "given.jsonl").write_text(f"{line((0, 1))}\n{line(nodes=1)}\n")
    config = TrainConfig.for_problem(problem, steps=16, threads=1, environment=environment)
    config = changed(
        config,
        {
            "encoder": {"width": 8, "depth": 1},
            "validation": {"objects": 8, "data": str(tmp_path / "given.jsonl")},
            "collection": {
                "condition": {"beta": "uniform", "high": 4.0},
                "sources": {"forward": 8, "data": str(tmp_path / "given.jsonl")},
            },
        },
    )
    run = train(problem, config, tmp_path / "run", Console(quiet=True))
    assert {"goals_mean_log_reward", "goals_worst_log_reward", "mean_log_likelihood"} <= run.latest.keys()
    found = gw.evaluate(run.agent(), gw.SamplingOptions(num=6, data=str(tmp_path / "given.jsonl")))
    assert [goal.beta for goal in found.goals] == [1.0, 2.0, 4.0]
    assert found.mean_log_likelihood < 0
    assert node_link_lines(environment, run.agent().sample(1))


def test_fixed_goals_are_the_corners_and_the_middle() -> None:
    goals = fixed_goals(ConditionConfig(preference=1.0), 2)
    assert [goal.preference for goal in goals] == [(0.5, 0.5), (1.0, 0.0), (0.0, 1.0)]
    assert fixed_goals(ConditionConfig(), 2) == []


def test_the_response_is_that_of_the_objective_that_moves_least() -> None:
    rows = [
        GoalEvaluation(1.0, (1.0, 0.0), None, 1, 0.0, (0.9, 0.2)),
        GoalEvaluation(1.0, (0.0, 1.0), None, 1, 0.0, (0.4, 0.3)),
    ]
    assert response(rows) == pytest.approx(0.1)
    assert response([]) is None


def test_the_effective_share_of_weights_by_hand() -> None:
    assert effective_share(torch.zeros(4)) == pytest.approx(1.0)
    assert effective_share(torch.tensor([0.0, -1e9])) == pytest.approx(0.5)
