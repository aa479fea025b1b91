"""From a file to an instance to a solution, and what a policy learns from a problem's defaults."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from graphwright.adapters.files import read_graph, write_graph
from graphwright.cli.instances import FileOptions
from graphwright.envs.problem import Problem, random_choice
from graphwright.envs.problems.grid_navigation.environment import GRID_NAVIGATION
from graphwright.envs.problems.path_search.environment import PATH_SEARCH
from graphwright.envs.rollouts import play
from graphwright.training.config import TrainConfig
from graphwright.training.solve import solve
from graphwright.training.train import train
from graphwright.training.validation import ValidationConfig
from strategies import assert_same_batch, seeded

INSTANCES = Path(__file__).parents[3] / "instances"
FILES = {
    "path-search": INSTANCES / "path-search/roads.graphml",
    "grid-navigation": INSTANCES / "grid-navigation/yard.json",
}
KNOWN = {"path-search": (10, 14), "grid-navigation": (13, 16)}
PROBLEMS = (PATH_SEARCH, GRID_NAVIGATION)


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_a_file_is_an_instance_in_every_format_that_holds_it(problem: Problem, tmp_path: Path) -> None:
    named = read_graph(FILES[problem.name])
    instance = problem.environment.instance(named.graph)
    for suffix in (".json", ".graphml", ".npz"):
        write_graph(tmp_path / f"copy{suffix}", named)
        assert_same_batch(problem.environment.instance(read_graph(tmp_path / f"copy{suffix}").graph), instance)
    assert problem.solve_exactly is not None
    optimum = problem.solve_exactly(problem.environment, instance, 1.0).objective
    greedy = problem.environment.objective(problem.heuristics["greedy"](problem.environment, instance))
    assert (optimum.item(), greedy.item()) == KNOWN[problem.name]


def test_a_network_with_marks_on_the_command_line() -> None:
    path = INSTANCES / "topology-zoo/Abilene.graphml"
    marks = FileOptions(mark=("start=Seattle", "target=Atlanta"))
    named, instance = marks.read(path, PATH_SEARCH.environment)
    assert PATH_SEARCH.solve_exactly is not None
    solution = PATH_SEARCH.solve_exactly(PATH_SEARCH.environment, instance, 1.0).solution
    assert solution is not None
    nodes = PATH_SEARCH.environment.solution(solution).nodes.tolist()
    assert [named.names[nodes[0]], named.names[nodes[-1]]] == ["Seattle", "Atlanta"]
    assert instance.nodes["position"].shape == (11, 3)  # on the globe


@pytest.mark.parametrize(
    ("problem", "size", "steps", "share"), [(PATH_SEARCH, 30, 15_000, 0.7), (GRID_NAVIGATION, 16, 12_000, 0.9)]
)
def test_the_defaults_learn(problem: Problem, size: int, steps: int, share: float, tmp_path: Path) -> None:
    validation = ValidationConfig(sizes=(size,), graphs=16, every=100)
    config = TrainConfig.for_problem(
        problem, collection={"sizes": (size,)}, steps=steps, threads=1, validation=validation
    )
    agent = train(problem, config, tmp_path / "run", Console(quiet=True)).agent()
    environment = problem.environment
    instances = problem.generator(None, (size,))(100, seeded(9))
    learned = environment.objective(agent.solve(instances, "sample")).mean()
    drawn = environment.objective(play(environment, instances, random_choice(environment, seeded()))).mean()
    assert learned < share * drawn
    named = read_graph(FILES[problem.name])
    solution = solve(agent, named.graph, named.names, time_limit=1.0)
    assert solution.bound == KNOWN[problem.name][0]
    assert solution.nodes[0] == named.names[int(named.graph.nodes["start"].nonzero())]
    assert solution.objective >= solution.bound
