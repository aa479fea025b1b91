"""Every line of the registry: it is what it says, all that it carries learns, and its state is all of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from graphwright.algorithms.registry import ALGORITHMS, NEEDS, find_algorithm
from graphwright.cli import main
from graphwright.envs.registry import find_problem
from graphwright.training.config import TrainConfig
from graphwright.training.training_run import TrainingRun

PLAYING = [name for name, entry in ALGORITHMS.items() if entry.collector != "trajectories"]
"""Those of flow networks are in tests/training/gflownet/test_trainer.py."""
SMALL = {
    "steps": {"num_envs": 16, "num_steps": 8},
    "replay": {"num_envs": 16, "num_steps": 8, "warm_up": 64, "minibatch_size": 64},
    "exploring-replay": {"num_envs": 16, "num_steps": 8, "warm_up": 64, "minibatch_size": 64},
    "episodes": {"num_instances": 4, "num_samples": 4},
    "demonstrations": {"num_instances": 4, "num_samples": 2},
    "recording": {"num_states": 64},
    "forks": {"num_envs": 16, "num_states": 16, "ahead": 4},
    "expert-games": {"num_games": 4, "simulations": 4, "num_minibatches": 2, "minibatch_size": 16},
}


def recorded(problem: str, path: Path) -> str:
    """A file of what a heuristic does."""
    main(["record", problem, "--expert", "greedy", "--episodes", "8", "--sizes", "6", "8", "--out", str(path)])
    return str(path)


def run_of(name: str, directory: Path, seed: int = 0) -> TrainingRun:
    needs = ALGORITHMS[name].needs
    special = {"team": "coverage", "game": "tic-tac-toe", "endless": "conflict-graph"}
    problem = next((special[need] for need in needs if need in special), "independent-set")
    sizes = (3,) if "game" in needs else (6, 8)
    collection = {"sizes": sizes, **SMALL[ALGORITHMS[name].collector]}
    if ALGORITHMS[name].collector == "recording":
        collection["bc"] = {"data": recorded(problem, directory / "recording.safetensors")}
    config = TrainConfig.for_problem(
        problem,
        name,
        steps=10**6,
        threads=1,
        seed=seed,
        encoder={"width": 8, "depth": 1},
        collection=collection,
        validation={"sizes": (3,), "games": 2} if "game" in needs else {"sizes": (8,), "graphs": 1, "slots": 4},
    )
    return TrainingRun(find_problem(problem), config, directory)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_line_names_a_class_that_can_be_built_and_explained(name: str) -> None:
    found = find_algorithm(name).load()
    assert found.Config() == found.Config()
    assert found.options in {"flow", name}
    assert found.__doc__.strip()
    assert set(ALGORITHMS[name].needs) <= NEEDS.keys()


@pytest.mark.parametrize("name", PLAYING)
def test_every_parameter_is_in_an_optimizer_and_moves(name: str, tmp_path: Path) -> None:
    pytest.importorskip("ortools")
    run = run_of(name, tmp_path)
    before = {key: parameter.detach().clone() for key, parameter in run.policy.named_parameters()}
    for _ in range(3):
        run.iterate()
    assert [key for key, parameter in run.policy.named_parameters() if torch.equal(parameter, before[key])] == []
    optimizer = run.algorithm.optimizer  # type: ignore[attr-defined]
    optimized = {id(parameter) for group in optimizer.adam.param_groups for parameter in group["params"]}
    assert optimized == {id(parameter) for parameter in run.policy.parameters()}


@pytest.mark.parametrize("name", PLAYING)
def test_the_state_of_an_algorithm_is_all_of_it(name: str, tmp_path: Path) -> None:
    """Put into one of another seed, it makes the same update of the same batch."""
    pytest.importorskip("ortools")
    run, other = run_of(name, tmp_path), run_of(name, tmp_path, seed=1)
    run.iterate()
    batch = run.collector.collect(run.policy).batch
    other.algorithm.load_state_dict({key: tensor.clone() for key, tensor in run.algorithm.state_dict().items()})
    for each in (run, other):
        each.generator.manual_seed(7)
        getattr(batch, "generator", each.generator).manual_seed(7)  # replays draw while they are learned from
        each.algorithm.update(batch, 0.5)
    state = other.algorithm.state_dict()
    assert all(torch.equal(tensor, state[key]) for key, tensor in run.algorithm.state_dict().items())


def test_a_name_that_is_none_is_refused_with_the_others() -> None:
    with pytest.raises(ValueError, match="--algorithm magic: there is none of this name; choose one of ppo, a2c"):
        find_algorithm("magic")
