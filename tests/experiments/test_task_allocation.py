"""Task allocation: times by hand, and dynamic programming against every order of every division."""

from __future__ import annotations

from itertools import permutations, product
from math import dist

import pytest
import torch

from graphwright.core import GraphBatch, GraphError, from_edges
from graphwright.envs.conformance import check_environment
from graphwright.experiments.task_allocation import TASK_ALLOCATION, TaskAllocation, allocate_exactly
from strategies import seeded

ENVIRONMENT = TaskAllocation()


def line() -> GraphBatch:
    """A robot at 0 of speed 2, one at 10, tasks at 2 (which takes 1) and 6 (which takes 0.5)."""
    bare = from_edges(torch.empty(2, 0, dtype=torch.int64), torch.tensor([4]), undirected=True)
    return ENVIRONMENT.instance(
        bare.with_nodes(
            robot=torch.tensor([True, True, False, False]),
            position=torch.tensor([[0.0, 0], [10, 0], [2, 0], [6, 0]]),
            speed=torch.tensor([2.0, 1, 7, 7]),
            duration=torch.tensor([9.0, 9, 1, 0.5]),
        )
    )


def give(state: GraphBatch, robot: int, task: int) -> GraphBatch:
    rows, _ = state.links
    (place,) = [n for n, edge in enumerate(state.edge_index[:, rows].T.tolist()) if set(edge) == {robot, task}]
    return ENVIRONMENT.step(state, torch.tensor([place])).state


def test_times_add_up() -> None:
    state = ENVIRONMENT.reset(line())
    first = give(state, 0, 2)
    assert first.nodes["free"].tolist() == [2 / 2 + 1, 0, 0, 0]
    both = give(first, 0, 3)
    assert ENVIRONMENT.objective(both).item() == 2 + 4 / 2 + 0.5
    assert ENVIRONMENT.objective(give(first, 1, 3)).item() == 4 + 0.5
    assert ENVIRONMENT.is_complete(both).item()
    assert ENVIRONMENT.solution(both).links.tolist() == [[0, 0], [2, 3]]
    assert allocate_exactly(ENVIRONMENT, line(), 1.0).objective.item() == 4.5


def test_the_optimum_is_that_of_all_orders() -> None:
    """Each order of four tasks and each choice of a robot for each of them, in plain Python."""
    instances = TASK_ALLOCATION.generator(sizes=(6,))(3, seeded(0))
    found = allocate_exactly(ENVIRONMENT, instances, 1.0)
    greedy = ENVIRONMENT.objective(TASK_ALLOCATION.heuristics["earliest"](ENVIRONMENT, instances))
    assert bool(found.proven.all())
    assert bool((found.objective <= greedy + 1e-9).all())
    for number in range(3):
        nodes = instances.select(torch.tensor([number])).nodes
        place, speed, lasts = (nodes[name].tolist() for name in ("position", "speed", "duration"))
        least = float("inf")
        for order, robots in product(permutations(range(2, 6)), product(range(2), repeat=4)):
            here, free = list(place[:2]), [0.0, 0.0]
            for task, robot in zip(order, robots, strict=True):
                free[robot] += dist(here[robot], place[task]) / speed[robot] + lasts[task]
                here[robot] = place[task]
            least = min(least, max(free))
        assert found.objective[number].item() == pytest.approx(least, abs=1e-6)


@pytest.mark.parametrize("types", [True, False])
def test_it_keeps_the_contract(types: bool) -> None:
    check_environment(TaskAllocation(types), TASK_ALLOCATION.generator(sizes=(6, 7))(3, seeded(1)))


def test_what_is_no_crew_is_named() -> None:
    bare = from_edges(torch.empty(2, 0, dtype=torch.int64), torch.tensor([2]), undirected=True)
    with pytest.raises(GraphError, match="no node column 'robot'"):
        ENVIRONMENT.instance(bare)
    with pytest.raises(GraphError, match="no robot"):
        ENVIRONMENT.instance(bare.with_nodes(robot=torch.zeros(2), position=torch.zeros(2, 2)))
