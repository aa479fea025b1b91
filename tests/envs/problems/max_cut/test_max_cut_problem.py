"""Maximum cut as a problem: baselines, files, learning."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from rich.console import Console

from graphwright.adapters.files import read_graph
from graphwright.envs.problem import random_choice
from graphwright.envs.problems.max_cut.problem import MAX_CUT
from graphwright.envs.rollouts import play
from graphwright.training.config import TrainConfig
from graphwright.training.decode import decode
from graphwright.training.train import train
from graphwright.training.validation import ValidationConfig
from strategies import NO_LIMIT, seeded

INSTANCES = Path(__file__).parents[3] / "instances" / "max-cut"
ENVIRONMENT = MAX_CUT.environment


@pytest.mark.parametrize("law", MAX_CUT.laws)
def test_laws_of_weights(law: str) -> None:
    batch = MAX_CUT.generator(law=law)(8, seeded())
    weight = batch.edges["weight"]
    opposite = batch.edges["reverse"] + batch.edge_ptr[:-1][batch.edge_graph]
    assert torch.equal(weight, weight[opposite])
    allowed = {"uniform": (weight >= 0) & (weight < 1), "signed": weight.abs() == 1, "one": weight == 1}
    assert bool(allowed[law].all())
    assert torch.equal(ENVIRONMENT.instance(batch).nodes["strength"], batch.nodes["strength"])


@pytest.mark.parametrize("name", MAX_CUT.heuristics)
def test_heuristics_make_cuts_between_random_and_the_optimum(name: str) -> None:
    pytest.importorskip("ortools")
    batch = MAX_CUT.generator()(10, seeded())
    final = MAX_CUT.heuristics[name](ENVIRONMENT, batch)
    value = ENVIRONMENT.objective(final)
    torch.testing.assert_close(value, final.graphs["best_cut"])
    assert MAX_CUT.solve_exactly is not None
    optimum = MAX_CUT.solve_exactly(ENVIRONMENT, batch, NO_LIMIT)
    assert bool(optimum.proven.all())
    assert bool((value <= optimum.objective * (1 + 1e-6)).all())
    assert value.mean() > ENVIRONMENT.objective(play(ENVIRONMENT, batch, random_choice(ENVIRONMENT, seeded()))).mean()


@pytest.mark.parametrize(("file", "value"), [("petersen.mc", 12.0), ("grid.json", 7.5)])
def test_a_file_is_solved(file: str, value: float) -> None:
    named = read_graph(INSTANCES / file)
    final = MAX_CUT.heuristics["local-search"](ENVIRONMENT, ENVIRONMENT.instance(named.graph))
    assert ENVIRONMENT.objective(final).item() == pytest.approx(value)
    nodes, links = ENVIRONMENT.solution(final)
    inside = torch.zeros(named.graph.num_nodes, dtype=torch.bool).index_fill(0, nodes, True)
    assert 2 * nodes.numel() <= named.graph.num_nodes
    assert bool((inside[links[0]] != inside[links[1]]).all())
    crossing = inside[named.graph.edge_index[0]] != inside[named.graph.edge_index[1]]
    assert links.shape[1] == int(crossing.sum()) // 2


def test_a_policy_learns_to_cut(tmp_path: Path) -> None:
    config = TrainConfig.for_problem(
        MAX_CUT,
        steps=8_000,
        collection={"sizes": (10, 15)},
        threads=1,
        encoder={"width": 32},
        validation=ValidationConfig(sizes=(20,), graphs=8, every=100),
    )
    policy = train(MAX_CUT, config, tmp_path / "run", Console(quiet=True)).policy
    batch = MAX_CUT.generator(sizes=(30,))(20, seeded(1))
    learned = ENVIRONMENT.objective(decode(policy, ENVIRONMENT, batch)).mean()
    randomly = ENVIRONMENT.objective(play(ENVIRONMENT, batch, random_choice(ENVIRONMENT, seeded()))).mean()
    greedy = ENVIRONMENT.objective(MAX_CUT.heuristics["greedy"](ENVIRONMENT, batch)).mean()
    assert learned > 1.1 * randomly
    assert learned > 0.99 * greedy
