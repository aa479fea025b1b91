"""Excerpts of trajectories: what single steps lead from and to, and losses that are right in expectation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from flow_exact import SMALL, random_policy
from graphwright.algorithms.gflownet.batch import FlowBatch
from graphwright.algorithms.gflownet.config import GFlowNetConfig
from graphwright.algorithms.gflownet.gflownet import GFlowNet, count_residual
from graphwright.core import GraphBatch, Observation, Segments, from_edges
from graphwright.core.segment import segment_sum
from graphwright.data.states import StateTable
from graphwright.data.trajectories import Trajectories
from graphwright.envs.problems.independent_set.environment import INDEPENDENT_SET
from graphwright.envs.problems.max_cut.problem import MAX_CUT
from graphwright.envs.problems.max_cut.weights import unit_weights
from graphwright.envs.registry import find_problem
from graphwright.envs.reversible import Reversible
from graphwright.envs.rollouts import uniform_choice
from graphwright.nn import EncoderConfig
from graphwright.nn.gflownet_policy import FlowPolicy
from graphwright.training.gflownet.sampling import sample_backward, sample_forward
from graphwright.training.gflownet.sources import SourcesConfig
from graphwright.training.train import TrainingRun
from samplers import OBJECTIVES, sampler_config
from strategies import assert_same_batch, seeded

BY_STEP = [name for name, objective in OBJECTIVES.items() if objective.by_step and name != "envelope-q"]
PATH = from_edges(
    torch.tensor([[0, 1, 2, 3], [1, 2, 3, 4]]), torch.tensor([5]), undirected=True, nodes={"weight": torch.ones(5)}
)
WALKED: dict[str, tuple[Reversible, GraphBatch]] = {
    "grid": SMALL["grid"],
    "two colours": SMALL["two colours"],
    "independent sets": (INDEPENDENT_SET.builder, PATH),
    "cuts": (MAX_CUT.builder, unit_weights(PATH, seeded())),
}


def log_reward(states: GraphBatch) -> Tensor:
    """Of anything: a number that differs from state to state."""
    parts = [part.double().reshape(part.shape[0], part.shape[1:].numel()).sum(1) for part in states.nodes.values()]
    total = torch.stack([*parts, states.in_degree.double()]).sum(0)
    return segment_sum(total * (states.node_segments.position + 1), states.node_segments) / 20


def walked(name: str, learned: frozenset[str], count: int = 6) -> tuple[FlowBatch, FlowPolicy]:
    """Uniform walks, of different lengths, and a network that knows nothing of them."""
    environment, instance = WALKED[name]
    instances = instance.select(torch.zeros(count, dtype=torch.int64))
    found = sample_forward(environment, instances, uniform_choice(environment.actions, seeded(3)))
    policy = random_policy(environment, learned)
    wanted = log_reward(found.objects).float()
    groups = Segments(torch.tensor([0, 2, count]))
    batch = FlowBatch(
        environment.observe,
        environment.backward_masks,
        environment.undo,
        policy,
        found,
        wanted,
        groups,
        log_reward,
    )
    return batch, policy


@pytest.mark.parametrize("name", WALKED)
def test_an_excerpt_has_the_chosen_steps_with_what_they_lead_to(name: str) -> None:
    batch, _ = walked(name, frozenset())
    whole = batch.trajectories
    last = {int(row) for row in whole.segments.ptr[1:] - 1}
    for seed in range(20):
        steps = torch.rand(whole.segments.num_rows, generator=seeded(seed)) < 0.05 * (seed + 1)
        if not bool(steps.any()):
            continue
        runs: list[list[int]] = []
        for row in steps.nonzero().squeeze(1).tolist():
            if runs and runs[-1][-1] == row and row - 1 not in last:
                runs[-1] += [] if row in last else [row + 1]
            else:
                runs.append([row] if row in last else [row, row + 1])
        rows = [row for run in runs for row in run]
        found, source = whole.excerpt(steps)
        assert found.segments.lengths.tolist() == [len(run) for run in runs]
        assert_same_batch(found.states, whole.states.select(torch.tensor(rows)))
        assert found.forward.tolist() == whole.forward[rows].tolist()
        assert found.backward.tolist() == whole.backward[rows].tolist()
        assert found.ends is not None
        assert found.ends.tolist() == [bool(steps[run[-1]]) for run in runs]
        assert source.tolist() == [int(whole.segments.index[run[0]]) for run in runs]
        known = replace(batch, trajectories=found).has_step
        assert [row for row, has in zip(rows, known.tolist(), strict=True) if has] == steps.nonzero()[:, 0].tolist()


@pytest.mark.parametrize("name", WALKED)
@pytest.mark.parametrize("algorithm", BY_STEP)
def test_the_loss_of_each_step_alone_adds_up_to_that_of_all(algorithm: str, name: str) -> None:
    """The expected loss over excerpts of one step, by going through all of them, is the whole loss; so its gradient."""
    if algorithm == "modified-db" and name in ("two colours", "independent sets"):
        pytest.skip("not every state can be finished")
    objective = OBJECTIVES[algorithm]()
    batch, policy = walked(name, objective.learned)
    objective.loss(batch).backward()
    expected = {key: p.grad.clone() for key, p in policy.named_parameters() if p.grad is not None}
    policy.zero_grad()
    total, losses = batch.segments.num_rows, []
    for row in range(total):
        loss = objective.loss(batch.excerpt(torch.arange(total) == row)) / total
        loss.backward()
        losses.append(loss.item())
    assert sum(losses) == pytest.approx(objective.loss(replace(batch)).item(), rel=1e-4)
    assert {key for key, p in policy.named_parameters() if p.grad is not None} == expected.keys()
    for key, parameter in policy.named_parameters():
        if parameter.grad is not None:
            scale = float(expected[key].abs().max()) + 1e-3
            torch.testing.assert_close(parameter.grad / scale, expected[key] / scale, rtol=0, atol=2e-4)


@pytest.mark.parametrize("name", WALKED)
def test_counts_of_ways_are_learned_from_single_steps_too(name: str) -> None:
    batch, _ = walked(name, frozenset({"backward", "count"}))
    total = batch.segments.num_rows
    alone = [count_residual(batch.excerpt(torch.arange(total) == row)).square().sum() for row in range(total)]
    assert torch.stack(alone).sum().item() == pytest.approx(count_residual(batch).square().sum().item(), rel=1e-4)


@pytest.mark.parametrize(("algorithm", "name"), [("db", "grid"), ("fm", "grid"), ("forward-looking", "cuts")])
def test_the_mean_loss_of_drawn_steps_is_that_of_all(algorithm: str, name: str) -> None:
    """Over many draws, within four standard errors."""
    config = GFlowNetConfig(transitions=7)
    batch, policy = walked(name, OBJECTIVES[algorithm].networks(config, algorithm))
    learner = GFlowNet(policy, OBJECTIVES[algorithm].of(config, algorithm), config, seeded(5))
    with torch.no_grad():
        whole = learner.objective.loss(batch)
        losses = torch.stack([learner.objective.loss(learner.part_of(batch)) for _ in range(200)])
    assert losses.std() > 0.05 * whole
    assert abs(losses.mean() - whole) < 4 * losses.std() / 200**0.5


@pytest.mark.parametrize("algorithm", ["db", "forward-looking", "subtb", "fm", "soft-q"])
def test_log_z_is_read_from_the_initial_states_alone(algorithm: str) -> None:
    objective = OBJECTIVES[algorithm]()
    assert objective.knows_flows
    batch, _ = walked("two colours", objective.learned)
    expected = objective.log_z(batch).item()
    assert objective.log_z(batch.beginnings).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("algorithm", [name for name, objective in OBJECTIVES.items() if not objective.by_step])
def test_what_needs_whole_trajectories_says_so(algorithm: str) -> None:
    with pytest.raises(ValueError, match=f"--flow.transitions 8: --algorithm {algorithm} needs whole trajectories"):
        OBJECTIVES[algorithm].of(GFlowNetConfig(transitions=8), algorithm)


@pytest.mark.parametrize(("name", "columns"), [("independent sets", 2), ("cuts", 1)])
def test_of_states_whose_graphs_stay_only_what_changes_is_stored(name: str, columns: int) -> None:
    """Forward and backward: one byte a node and column, and the same states as the environment's steps lead to."""
    environment, _ = WALKED[name]
    whole = walked(name, frozenset())[0].trajectories
    apart = sample_backward(environment, whole.objects, lambda seen: last_legal(environment, seen))
    for found in (whole, apart, Trajectories.concat([whole, apart])):
        assert isinstance(found.table, StateTable)
        assert found.table.num_bytes == found.segments.num_rows * (columns * PATH.num_nodes + 4)
        followed = torch.ones(found.segments.num_rows, dtype=torch.bool)
        followed[found.segments.ptr[1:] - 1] = False
        after, reverse = environment.advance(found.states.select(followed), found.forward[followed])
        follows = followed.roll(1)
        assert_same_batch(after, found.states.select(follows))
        assert reverse.tolist() == found.backward[follows].tolist()
    assert_same_batch(apart.objects, whole.objects)


def last_legal(environment: Reversible, seen: Observation) -> Tensor:
    """[B]: the last backward action that is legal, -1 where there is none."""
    actions = environment.backward_actions
    legal, segments = actions.arrange(seen.graph, seen.masks), actions.segments(seen.graph)
    place = torch.where(legal, segments.position, -1)
    return torch.stack([part.max() for part in place.split(segments.lengths.tolist())])


def test_a_grid_is_learned_from_single_steps(tmp_path: Path) -> None:
    """8 x 8, some 64 of about 450 steps of each batch: total variation from R / Z of at most 0.05."""
    config = sampler_config(
        "hyper-grid",
        steps=4_000,
        threads=1,
        algorithm="db",
        encoder=EncoderConfig(kind="gin", width=32, depth=1),
        settings=GFlowNetConfig(learning_rate=1e-2, passes=10, transitions=64),
        sources=SourcesConfig(forward=64),
    )
    run = TrainingRun(find_problem("hyper-grid"), config, tmp_path)
    while run.progress < 1:
        run.iterate()
    assert run.evaluator.evaluate(run.policy)["total_variation"] <= 0.05


def test_parts_of_trajectories_stay_parts() -> None:
    """When they are selected, or put beside whole ones."""
    whole = walked("grid", frozenset())[0].trajectories
    long = whole.segments.ptr[:-1][whole.segments.lengths > 1][0]
    part, _ = whole.excerpt(torch.arange(whole.segments.num_rows) == long)
    assert part.are_objects.tolist() == [False]
    assert part.select(torch.tensor([0, 0])).are_objects.tolist() == [False, False]
    both = Trajectories.concat([whole, part])
    assert both.are_objects.tolist() == [True] * whole.num_trajectories + [False]
    assert whole.ends is None
