"""Runs of flow networks: resumed as if never stopped, all that can learn learns, the same seed the same run."""

from __future__ import annotations

import math
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from flow_exact import coloured
from flow_many import NAME as TWO_OBJECTIVES
from graphwright.algorithms.gflownet.batch import FlowBatch
from graphwright.algorithms.gflownet.config import Backward, GFlowNetConfig
from graphwright.core import GraphBatch
from graphwright.envs.generation import Reward
from graphwright.envs.generative.edge_sets import EdgeSets
from graphwright.envs.generative.grid import HyperGrid
from graphwright.envs.problem import Problem
from graphwright.envs.registry import find_problem
from graphwright.envs.reversible import Reversible
from graphwright.functional.gflownet import log_z_estimate
from graphwright.nn import EncoderConfig
from graphwright.training.agent import load
from graphwright.training.checkpoint import CheckpointError
from graphwright.training.config import ConfigError, TrainConfig, changed
from graphwright.training.config_json import from_json, to_json
from graphwright.training.gflownet.collector import TrajectoryCollector
from graphwright.training.gflownet.conditions import ConditionConfig
from graphwright.training.gflownet.evaluator import DistributionEvaluator
from graphwright.training.gflownet.exact import Exact
from graphwright.training.gflownet.measuring import ObjectMeasures
from graphwright.training.gflownet.sources import SourcesConfig
from graphwright.training.interrupt import Interrupted, Interruption
from graphwright.training.logging import MetricsFile
from graphwright.training.train import new_run, resume, train
from graphwright.training.training_run import TrainingRun
from graphwright.training.validation import DistributionValidationConfig
from graphwright.workers.reward_workers import RewardError, RewardWarning
from samplers import OBJECTIVES, sampler_config
from workers.reward_functions import EndsTheWorker

QUIET = Console(quiet=True)
ENVIRONMENTS: dict[str, Reversible] = {
    "hyper-grid": HyperGrid(2, 4),
    "ring-edges": EdgeSets(3),
    "two-colour": coloured(3),
    TWO_OBJECTIVES: HyperGrid(2, 4),
}


def small_config(name: str = "hyper-grid", **options: Any) -> TrainConfig:
    defaults: dict[str, Any] = {
        "environment": ENVIRONMENTS[name],
        "steps": 96,
        "threads": 1,
        "encoder": EncoderConfig(kind="gin", width=8, depth=1),
        "sources": SourcesConfig(forward=8, replay=4, replay_capacity=20, local_search=4, ema=0.9),
        "validation": DistributionValidationConfig(every=2, objects=8),
        "checkpoint_seconds": 0.0,
    }
    return sampler_config(name, **(defaults | options))


class AfterIterations(Interruption):
    """Asks the run to stop when it has looked `count` times."""

    def __init__(self, count: int) -> None:
        self.left = count

    @property
    def signal(self) -> signal.Signals | None:
        self.left -= 1
        return signal.SIGINT if self.left < 0 else None


def interrupt_after(
    count: int, name: str, config: TrainConfig, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("graphwright.training.interrupt.Interruption", lambda: AfterIterations(count))
        with pytest.raises(Interrupted):
            train(name, config, directory, QUIET)


RESUMED: dict[str, tuple[str, dict[str, Any]]] = {
    "grid": ("hyper-grid", {}),
    "diverse": ("two-colour", {"sources": SourcesConfig(forward=8, replay=4, replay_by="diverse", replay_capacity=9)}),
    "by loss": ("ring-edges", {"sources": SourcesConfig(forward=8, replay=4, replay_by="loss", ema=0.5)}),
    "conditions": ("hyper-grid", {"condition": ConditionConfig(beta="uniform", high=4.0), "algorithm": "db"}),
    "learned backward": ("two-colour", {"settings": GFlowNetConfig(backward="max-entropy"), "algorithm": "subtb"}),
    "several passes": ("hyper-grid", {"algorithm": "db", "settings": GFlowNetConfig(passes=2)}),
    "several objectives": (
        TWO_OBJECTIVES,
        {"condition": ConditionConfig(beta="uniform", high=4.0, preference=1.0), "algorithm": "subtb"},
    ),
}


@pytest.mark.parametrize(("name", "options"), RESUMED.values(), ids=RESUMED)
def test_resumed_equals_uninterrupted_bit_for_bit(
    name: str, options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DistributionEvaluator, "plot", lambda *_: None)
    config = small_config(name, **options)
    count = 3  # in the middle between two checkpoints
    whole = train(name, config, tmp_path / "whole", QUIET)
    interrupt_after(count, name, config, tmp_path / "parts", monkeypatch)
    parts = resume(tmp_path / "parts", console=QUIET, trust=True)
    assert parts.counters.iteration == whole.counters.iteration > 5
    assert remembered(parts).keys() == remembered(whole).keys()
    for key, tensor in remembered(whole).items():
        assert torch.equal(tensor, remembered(parts)[key]), key
    assert parts.latest["log_z"] == pytest.approx(whole.latest["log_z"], rel=0, abs=0, nan_ok=True)
    rows = [MetricsFile(run.directory / "metrics.csv").rows() for run in (whole, parts)]
    timed = ("seconds", "steps_per_second")
    plain = [[[v for k, v in row.items() if k not in timed and v == v] for row in some] for some in rows]
    assert plain[0] == plain[1]


def remembered(run: TrainingRun) -> dict[str, torch.Tensor]:
    """All tensors of a run."""
    own = {"generator": run.generator.get_state(), **run.policy.state_dict()}
    return own | run.collector.state_dict() | run.algorithm.state_dict()


def collector_of(run: TrainingRun) -> TrajectoryCollector:
    assert isinstance(run.collector, TrajectoryCollector)
    return run.collector


def collected(run: TrainingRun) -> tuple[FlowBatch, torch.Tensor]:
    """The next batch, and what its objects measure."""
    batch = run.collector.collect(run.policy).batch
    return batch, run.config.collection.reward.measure(run.config.environment, batch.trajectories.objects)


def exact_of(run: TrainingRun) -> Exact:
    assert isinstance(run.evaluator, DistributionEvaluator)
    assert run.evaluator.exact is not None
    return run.evaluator.exact


def test_the_same_seed_is_the_same_run_and_another_seed_another(tmp_path: Path) -> None:
    config = small_config()
    runs = [
        TrainingRun(find_problem("hyper-grid"), changed, tmp_path)
        for changed in (config, config, replace(config, seed=1))
    ]
    for run in runs:
        for _ in range(4):
            run.iterate()
    first, second, other = (remembered(run) for run in runs)
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert not any(torch.equal(first[key], other[key]) for key, _ in runs[0].policy.named_parameters())


LEARNED = [
    (algorithm, backward)
    for algorithm in OBJECTIVES
    for backward in ("uniform", "learned", "max-entropy")
    if backward == "uniform"
    or (backward == "learned" and OBJECTIVES[algorithm].teaches_backward)
    or (backward == "max-entropy" and OBJECTIVES[algorithm].has_log_z)
]


@pytest.mark.parametrize(("algorithm", "backward"), LEARNED)
@pytest.mark.parametrize("name", ["hyper-grid", "two-colour", TWO_OBJECTIVES])
def test_every_parameter_moves(algorithm: str, backward: Backward, name: str, tmp_path: Path) -> None:
    """By the second update, since what stands before a weight of zero has no gradient in the first.

    All but the score of "end": where the only node of a graph may go, nothing else may, and its score is not asked.
    """
    if (algorithm, name) == ("modified-db", "two-colour"):
        pytest.skip("graphs without nodes cannot be finished")
    config = small_config(
        name,
        algorithm=algorithm,
        settings=GFlowNetConfig(backward=backward, learning_rate=1e-2),
        sources=SourcesConfig(forward=32, num_samples=4),
        condition=ConditionConfig(beta="uniform", high=3.0),
        validation=DistributionValidationConfig(max_states=1),
    )
    run = TrainingRun(find_problem(name), config, tmp_path)
    before = {key: parameter.detach().clone() for key, parameter in run.policy.named_parameters()}
    for _ in range(2):
        assert math.isfinite(run.iterate()["loss"])
    still = [key for key, parameter in run.policy.named_parameters() if torch.equal(parameter, before[key])]
    assert [key for key in still if not (name == "two-colour" and key.startswith("backward_actor.heads.0."))] == []


@pytest.mark.parametrize("algorithm", ["vargrad", "trajectory-reinforce"])
def test_what_compares_trajectories_needs_some_to_compare(algorithm: str, tmp_path: Path) -> None:
    """Of one condition: alone, each is its own mean, and nothing would be learned."""
    sources = SourcesConfig(forward=8)
    config = small_config(algorithm=algorithm, condition=ConditionConfig(beta="uniform"), sources=sources)
    with pytest.raises(ConfigError, match=f"--algorithm {algorithm}: .* --sources.num-samples 2"):
        train("hyper-grid", config, tmp_path / "run", QUIET)
    assert not (tmp_path / "run").exists()
    TrainingRun(find_problem("hyper-grid"), small_config(algorithm=algorithm, sources=sources), tmp_path)


def test_a_backward_policy_that_nothing_would_teach_is_refused(tmp_path: Path) -> None:
    for algorithm in ("fm", "soft-q", "trajectory-a2c", "trajectory-reinforce"):
        config = small_config(algorithm=algorithm, settings=GFlowNetConfig(backward="learned"))
        with pytest.raises(ValueError, match=f"--flow.backward learned: --algorithm {algorithm}"):
            train("hyper-grid", config, tmp_path / algorithm, QUIET)
        assert not (tmp_path / algorithm).exists()
    for algorithm in ("trajectory-a2c", "trajectory-reinforce"):
        config = small_config(algorithm=algorithm, settings=GFlowNetConfig(backward="max-entropy"))
        with pytest.raises(ValueError, match=f"--flow.backward max-entropy: --algorithm {algorithm} looks at no way"):
            train("hyper-grid", config, tmp_path / algorithm, QUIET)


@pytest.mark.parametrize("option", ["replay", "local_search"])
def test_what_learns_from_what_it_builds_itself_is_given_nothing_else(option: str, tmp_path: Path) -> None:
    config = small_config(algorithm="trajectory-a2c", sources=SourcesConfig(**{option: 4}))
    named = f"--sources.{option.replace('_', '-')}"
    with pytest.raises(ValueError, match=rf"{named}: --algorithm trajectory-a2c learns from what it builds itself"):
        new_run("hyper-grid", config, tmp_path)


@pytest.mark.parametrize(
    ("problem", "algorithm", "replayed"),
    [
        ("hyper-grid", "tb", 4),
        ("hyper-grid", "vargrad", 4),
        ("hyper-grid", "trajectory-a2c", 0),
        ("max-cut", "vargrad", 0),  # instances of their own, one trajectory of which has nothing to be compared with
        ("max-cut", "subtb", 4),
    ],
)
def test_replay_is_the_default_where_there_is_something_to_learn_from_it(
    problem: str, algorithm: str, replayed: int, tmp_path: Path
) -> None:
    sources = SourcesConfig(forward=8, num_samples=2)
    run = new_run(problem, sampler_config(problem, algorithm=algorithm, sources=sources), tmp_path / "run")
    assert collector_of(run).config.sources.replayed == replayed


class Huge(Reward):
    """log R = 100, so that R is no float32."""

    def __call__(self, environment: Reversible, objects: GraphBatch) -> torch.Tensor:
        return torch.full((objects.num_graphs,), 100.0, dtype=torch.float64)


@pytest.mark.parametrize("algorithm", ["trajectory-a2c", "trajectory-reinforce"])
def test_rewards_that_are_too_large_for_what_learns_them_are_refused(algorithm: str, tmp_path: Path) -> None:
    config = small_config(algorithm=algorithm, sources=SourcesConfig(forward=8, num_samples=2), reward=Huge())
    with pytest.raises(ValueError, match=rf"--algorithm {algorithm}: learns R itself.*raise --reward\.temperature"):
        TrainingRun(find_problem("hyper-grid"), config, tmp_path).iterate()


def test_the_sampler_is_the_moving_average_of_the_policy(tmp_path: Path) -> None:
    """own ← ema · own + (1 - ema) · new, beginning with the first weights."""
    run = TrainingRun(find_problem("hyper-grid"), small_config(), tmp_path)
    expected = {key: parameter.detach().clone() for key, parameter in run.policy.named_parameters()}
    for _ in range(3):
        run.iterate()
        for key, parameter in run.policy.named_parameters():
            expected[key] = 0.9 * expected[key] + 0.1 * parameter.detach()
    for key, parameter in collector_of(run).average.named_parameters():
        torch.testing.assert_close(parameter.detach(), expected[key])
    assert collector_of(run).sampler.policy is collector_of(run).average
    plain = TrainingRun(find_problem("hyper-grid"), small_config(sources=SourcesConfig(forward=8)), tmp_path)
    assert collector_of(plain).average is plain.policy


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_all_sources_end_in_objects_with_their_rewards(name: str, tmp_path: Path) -> None:
    config = small_config(name, condition=ConditionConfig(low=2.0))
    run = TrainingRun(find_problem(name), config, tmp_path)
    run.iterate()
    batch, measures = collected(run)
    found = batch.trajectories
    assert found.num_trajectories == 8 + 4 + 4 == len(measures) == batch.log_reward.numel()
    environment = config.environment
    objects = found.objects
    expected = 2 * config.collection.reward(environment, objects) + environment.log_automorphisms(objects)
    torch.testing.assert_close(batch.log_reward, expected.float())
    assert bool((found.forward[found.segments.ptr[1:] - 1] == 0).all())
    if name == "two-colour":
        plain = TrainingRun(
            find_problem(name), changed(config, {"collection": {"correct_automorphisms": False}}), tmp_path
        )
        batch, _ = collected(plain)
        expected = 2 * config.collection.reward(environment, batch.trajectories.objects)
        torch.testing.assert_close(batch.log_reward, expected.float())


def test_repeats_share_their_condition_and_their_group(tmp_path: Path) -> None:
    config = small_config(
        sources=SourcesConfig(forward=8, num_samples=4, replay=2), condition=ConditionConfig(beta="uniform")
    )
    run = TrainingRun(find_problem("hyper-grid"), config, tmp_path)
    run.iterate()
    batch, _ = collected(run)
    assert batch.groups.lengths.tolist() == [4, 4, 1, 1]
    beta = batch.trajectories.initial.graphs["beta"]
    assert len(set(beta[:4].tolist())) == len(set(beta[4:8].tolist())) == 1
    assert len(set(beta.tolist())) == 4
    assert torch.equal(batch.trajectories.objects.graphs["beta"], beta)


def test_local_search_never_makes_objects_worse(tmp_path: Path) -> None:
    config = small_config(sources=SourcesConfig(forward=32, local_search=32))
    run = TrainingRun(find_problem("hyper-grid"), config, tmp_path)
    batch, measures = collected(run)
    built, searched = measures[:32, 0], measures[32:, 0]
    assert float(searched.sum()) >= float(built.sum())
    best = searched.sort(descending=True).values
    assert bool((best >= built.sort(descending=True).values - 1e-12).all())
    assert float(searched.sum()) > float(built.sum())
    objects = batch.trajectories.objects
    torch.testing.assert_close(measures[:, 0], config.collection.reward(config.environment, objects))


def test_a_data_set_is_learned_from(tmp_path: Path) -> None:
    config = small_config(sources=SourcesConfig(forward=4, from_data=6))
    task = find_problem("hyper-grid")
    data = config.environment.reset(task.sampled.instances(config.environment, 1, torch.Generator()))
    data = data.with_nodes(coordinate=torch.tensor([2, 3]))
    batch, _ = collected(TrainingRun(task, config, tmp_path, data))
    objects = batch.trajectories.objects.nodes["coordinate"].view(-1, 2)[4:]
    assert objects.tolist() == [[2, 3]] * 6


def test_the_object_that_ends_a_worker_is_named() -> None:
    problem = find_problem("hyper-grid")
    environment = problem.builder
    starts = environment.reset(problem.sampled.instances(environment, 3, torch.Generator()))
    objects = starts.with_nodes(coordinate=torch.tensor([0, 0, 2, 2, 1, 2]))
    said = r"^hyper-grid: the reward of an object fails: ended with exit code 7; of .*2.*2"
    with (
        ObjectMeasures("hyper-grid", environment, EndsTheWorker(), 1) as measure,
        pytest.warns(RewardWarning),
        pytest.raises(RewardError, match=said),
    ):
        measure(objects)


def test_a_number_of_data_without_data_is_refused(tmp_path: Path) -> None:
    config = small_config(sources=SourcesConfig(forward=4, from_data=6))
    with pytest.raises(ConfigError, match=r"--sources\.from-data 6: there is no data; give --sources\.data FILE"):
        TrainingRun(find_problem("hyper-grid"), config, tmp_path)


class Nowhere(Reward):
    """log 0 of some objects."""

    def __call__(self, environment: Reversible, objects: GraphBatch) -> torch.Tensor:
        return torch.full((objects.num_graphs,), -torch.inf, dtype=torch.float64)


def test_a_reward_that_is_zero_is_refused(tmp_path: Path) -> None:
    config = small_config(reward=Nowhere())
    with pytest.raises(ValueError, match="hyper-grid: the reward of an object is 0; give it a floor"):
        TrainingRun(find_problem("hyper-grid"), config, tmp_path).iterate()


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_settings_survive_the_file(name: str) -> None:
    config = small_config(name, condition=ConditionConfig(beta="gamma"), settings=GFlowNetConfig(backward="learned"))
    task, again = from_json(to_json(name, config), trust=True)
    assert isinstance(task, Problem)
    assert (task.name, again) == (name, config)


def test_a_run_whose_policy_was_told_preferences_on_another_scale_does_not_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its options and its weights look the same, but it would be asked for something else than it heard."""
    told = small_config(TWO_OBJECTIVES, condition=ConditionConfig(preference=1.0))
    with monkeypatch.context() as before:
        before.setattr(ConditionConfig, "told", {})  # as it was, with w itself
        train(TWO_OBJECTIVES, told, tmp_path / "old", QUIET)
        train("hyper-grid", small_config(), tmp_path / "alike", QUIET)
    with pytest.raises(CheckpointError, match="of a release with other options"):
        load(tmp_path / "old", trust=True)
    with pytest.raises(CheckpointError, match="by a release with other options; put those back, or train anew"):
        resume(tmp_path / "old", steps=192, console=QUIET, trust=True)
    load(tmp_path / "alike")  # which is told nothing


def test_a_run_leaves_what_it_learned(tmp_path: Path) -> None:
    run = train("hyper-grid", small_config(), tmp_path / "run", QUIET)
    agent = load(tmp_path / "run")
    for key, tensor in run.policy.state_dict().items():
        assert torch.equal(tensor, agent.policy.state_dict()[key])
    names = {path.name for path in (tmp_path / "run").iterdir()}
    expected = {"config.json", "policy.safetensors", "trainer.safetensors", "metrics.csv", "curve.png"}
    assert expected < names
    assert [name for name in names - expected if "tfevents" not in name] == []
    with pytest.raises(ConfigError, match="exists already"):
        train("hyper-grid", small_config(), tmp_path / "run", QUIET)
    text = (tmp_path / "run" / "config.json").read_text()
    (tmp_path / "run" / "config.json").write_text(text.replace('"width": 8', '"width": 12'))
    with pytest.raises(CheckpointError, match=r"does not fit config\.json"):
        load(tmp_path / "run")


def test_log_z_begins_where_the_first_trajectories_put_it(tmp_path: Path) -> None:
    """Then residuals are 0 on average; from 0 it would have a long way to go."""
    config = small_config(
        settings=GFlowNetConfig(learning_rate=1e-9, log_z_learning_rate=1e-9), condition=ConditionConfig(low=50.0)
    )
    trainer = TrainingRun(find_problem("hyper-grid"), config, tmp_path / "never-written")
    assert trainer.algorithm.policy.log_z is not None
    trainer.algorithm.begin(lambda: collected(trainer)[0])
    begun = float(trainer.algorithm.policy.log_z.constant)
    estimates = []
    for _ in range(30):
        batch, _ = collected(trainer)
        estimate = log_z_estimate(batch.log_forward, batch.log_backward, batch.log_reward, batch.segments)
        estimates.append(float(estimate.mean().detach()))
    spread = torch.tensor(estimates).std().item()
    assert begun < -20
    assert begun == pytest.approx(sum(estimates) / 30, abs=4 * spread)


def test_a_small_grid_is_learned_exactly(tmp_path: Path) -> None:
    """In a few seconds, by the task's own settings."""
    config = sampler_config(
        "hyper-grid",
        environment=HyperGrid(2, 4),
        steps=6_000,
        threads=1,
        encoder=EncoderConfig(kind="gin", width=32, depth=1),
        validation=DistributionValidationConfig(every=10_000),
    )
    run = train("hyper-grid", config, tmp_path / "run", QUIET)
    exact = exact_of(run)
    assert exact.total_variation(run.policy) < 0.05  # type: ignore[arg-type]
    assert run.latest["log_z"] == pytest.approx(exact.log_z, abs=0.05)


@pytest.mark.parametrize("small", [True, False])
def test_a_task_with_small_instances_learns_on_them(small: bool, tmp_path: Path) -> None:
    """And objects are asked for on its own ones."""
    sources = SourcesConfig(forward=4, num_samples=2, small=small)
    encoder = EncoderConfig(kind="gin", width=8, depth=1)
    config = sampler_config("max-cut", "vargrad", threads=1, steps=8, encoder=encoder, sources=sources)
    trainer = TrainingRun(find_problem("max-cut"), config, tmp_path / "run")
    learned_on = next(collector_of(trainer).source).trajectories.objects.node_segments.lengths
    assert bool((learned_on <= 60).all() if small else (learned_on >= 200).all())
    assert bool((trainer.agent().sample(2).node_segments.lengths >= 200).all())


def test_the_last_iteration_is_evaluated(tmp_path: Path) -> None:
    config = small_config(validation=DistributionValidationConfig(every=1000, objects=8))
    trainer = train("hyper-grid", config, tmp_path / "run", QUIET)
    *rows, last = MetricsFile(tmp_path / "run" / "metrics.csv").rows()
    assert all(row["total_variation"] != row["total_variation"] for row in rows)
    exact = trainer.agent().exact()
    assert exact is not None
    assert last["total_variation"] == pytest.approx(exact.total_variation(trainer.policy), abs=1e-6)


class Unsendable(Reward):
    """A reward with a function that no other process can find."""

    def __init__(self) -> None:
        self.function = lambda objects: torch.zeros(objects.num_graphs, dtype=torch.float64)

    def __call__(self, environment: Reversible, objects: GraphBatch) -> torch.Tensor:
        return self.function(objects)


def test_settings_that_do_not_fit_a_task_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="hyper-grid: plays HyperGrid, and the settings are for EdgeSets"):
        train("hyper-grid", small_config("ring-edges"), tmp_path / "run", QUIET)
    unsendable = small_config(reward=Unsendable(), reward_workers=1)
    with pytest.raises(ConfigError, match="--reward-workers 1: the reward Measure cannot be sent to workers"):
        train("hyper-grid", unsendable, tmp_path / "run", QUIET)
    assert not (tmp_path / "run").exists()


def test_a_task_that_cannot_be_found_again_is_warned_of(tmp_path: Path) -> None:
    task = replace(find_problem("hyper-grid"), name="mine")
    with pytest.warns(UserWarning, match="trained, but not loaded or resumed: unknown problem 'mine'"):
        agent = train(task, small_config(steps=8), tmp_path / "run", QUIET).agent()
    with pytest.raises(ValueError, match="--num 0"):
        agent.sample(0)
