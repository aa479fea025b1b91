"""A training run of a generative flow network."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch import Tensor
from typing_extensions import override

from graphwright.algorithms.gflownet.baselines import Maximizer
from graphwright.algorithms.gflownet.batch import FlowBatch
from graphwright.algorithms.gflownet.learner import FlowLearner
from graphwright.algorithms.gflownet.registry import OBJECTIVES
from graphwright.core import GraphBatch
from graphwright.core.segment import Segments
from graphwright.data.states import WholeStates
from graphwright.data.trajectories import Trajectories
from graphwright.drawing.curves import plot_flow_curve
from graphwright.envs.generation import Measure
from graphwright.envs.problem import Problem
from graphwright.envs.registry import resolve
from graphwright.functional.gflownet import log_z_estimate
from graphwright.nn.gflownet_policy import FlowPolicy
from graphwright.training.checkpoint import with_prefix, without_prefix
from graphwright.training.config import ConfigError, use_threads
from graphwright.training.gflownet.agent import (
    FlowAgent,
    make_exact,
    make_flow_policy,
    multiplicity,
    read_flow_config,
)
from graphwright.training.gflownet.conditions import BETA, refocus
from graphwright.training.gflownet.config import FlowConfig, flow_to_json
from graphwright.training.gflownet.replay import Replay
from graphwright.training.gflownet.sampler import Sampler
from graphwright.training.gflownet.sources import Workshop, make_source
from graphwright.training.logging import MetricsFile
from graphwright.training.run import Counters, Run, new_directory, with_an_end, with_another_end
from graphwright.workers.reward_workers import RewardWorkers


class FlowTrainer(Run):
    """A policy learns to build objects in proportion to their rewards; its last weights are what the run leaves."""

    config: FlowConfig
    policy: FlowPolicy
    judgement = ("total_variation", "log_z_error", "mean_log_reward")
    learns_with = "flow"
    may_change = ("seconds", "steps", "threads", "reward_workers")

    def __init__(self, task: Problem, config: FlowConfig, directory: Path, data: GraphBatch | None = None) -> None:
        if config.sources.data and (data is None or not data.num_graphs):
            raise ConfigError(f"--sources.data {config.sources.data}: there is no data set; give `data`, or 0")
        if not isinstance(config.environment, type(task.builder)):
            given, wanted = type(config.environment).__name__, type(task.builder).__name__
            raise ConfigError(
                f"{task.name}: builds {wanted}, and the settings are for {given}; see FlowConfig.for_task"
            )
        one_log_partition = "log_z" in OBJECTIVES[config.algorithm].learned
        if one_log_partition and not task.sampled.one_instance and not config.environment.features.graphs:
            raise ConfigError(
                f"--algorithm {config.algorithm}: learns one log Z, and instances of {task.name} have one each; "
                "take vargrad, subtb or db"
            )
        shared = task.sampled.one_instance and not config.condition.varies
        if OBJECTIVES[config.algorithm].compares and config.sources.repeats == 1 and not shared:
            raise ConfigError(
                f"--algorithm {config.algorithm}: compares trajectories of one instance and condition; "
                "give --sources.repeats 2 or more"
            )
        use_threads(config.threads)
        self.task = task
        self.config = config
        self.directory = directory
        self.policy = make_flow_policy(config)
        self.sampler_policy = copy.deepcopy(self.policy) if config.sources.ema else self.policy
        self.generator = torch.Generator().manual_seed(config.seed)
        exploration = config.sources.exploration
        self.sampler = Sampler(config.environment, self.sampler_policy, exploration, self.generator)
        self.replay = Replay(config.environment, config.sources.replay_capacity, config.sources.replay_by)
        measure = Measure(config.environment, config.reward)
        num_measures = config.reward.num_measures
        try:
            self.workers = RewardWorkers(measure, config.reward_workers, num_objectives=num_measures)
        except TypeError as error:
            raise ConfigError(f"--reward-workers {config.reward_workers}: the reward {error}") from None
        shop = Workshop(
            replace(task.sampled, reward=config.reward),
            config.condition,
            num_measures,
            self.sampler,
            self._measure,
            self.generator,
        )
        self.source = make_source(shop, config.sources, self.replay, data)
        self.learner = FlowLearner(self.policy, config.algorithm, config.flow, self.generator)
        self.optimizer = self.learner.optimizer
        self.validation_every = config.judgement.every
        self.exact = make_exact(task, config)
        self.counters = Counters()
        self.log_z = math.nan
        torch.manual_seed(config.seed)

    @override
    def begin(self, console: Console | None = None) -> None:
        self.learner.objective.begin(lambda: self._collect()[0])
        super().begin(console)

    # ---- an iteration ----------------------------------------------------------------------------------------------

    def iterate(self) -> tuple[int, dict[str, Tensor]]:
        """Build, search, replay; learn from all of it."""
        batch, measures = self._collect()
        metrics = self.learner.update(batch, self.progress)
        self.log_z = float(metrics["log_z"])
        if self.config.sources.ema:
            self._move_sampler()
        if self.config.sources.replay:
            fresh = torch.arange(self.config.sources.forward)
            by_loss = self.config.sources.replay_by == "loss"  # whole trajectories are seen for it
            wrong = _wrongness(batch, metrics["log_z"]) if by_loss else torch.zeros(len(measures))
            objects = batch.trajectories.objects
            log_reward = self.config.reward.combine(measures, objects)
            self.replay.add(objects.select(fresh), measures[fresh], log_reward[fresh], wrong[fresh])
        mean = self.config.reward.combine(measures, batch.trajectories.objects).mean()
        return batch.trajectories.num_trajectories, metrics | {"return": mean}

    def _collect(self) -> tuple[FlowBatch, Tensor]:
        """Trajectories with what objectives need, and the measures [M, K] of their objects."""
        trajectories, measures = next(self.source)
        if self.config.condition.hindsight:
            trajectories = self._in_hindsight(trajectories, measures)
        log_reward = self._wanted(trajectories.objects, measures).to(torch.float32)
        groups = self._groups(len(log_reward))
        rewards = self.config.reward.objectives(measures).to(torch.float32)
        if isinstance(self.learner.objective, Maximizer):
            self._require_representable(log_reward.exp(), rewards)
        prefer = self.config.condition.prefer if self.config.condition.preference is not None else None
        batch = FlowBatch(
            self.config.environment,
            self.policy,
            trajectories,
            log_reward,
            groups,
            self._wanted_of_states,
            rewards,
            prefer,
        )
        return batch, measures

    def _require_representable(self, *rewards: Tensor) -> None:
        """Raise ValueError where R itself, which some algorithms learn, is no float32."""
        if not all(bool(reward.isfinite().all()) for reward in rewards):
            raise ValueError(
                f"--algorithm {self.config.algorithm}: learns R itself, which of some object is too large a number; "
                "raise --reward.temperature, or take an algorithm that learns log R, such as tb"
            )

    def _in_hindsight(self, trajectories: Trajectories, measures: Tensor) -> Trajectories:
        """`trajectories`, a share of which are said to have aimed where their objects are."""
        share = torch.rand(len(measures), generator=self.generator) < self.config.condition.hindsight
        aimed = (share & (measures.norm(dim=1) > 0)).nonzero().squeeze(1)
        direction = measures / measures.norm(dim=1, keepdim=True).clamp(min=1e-12)
        chosen, rows = trajectories.segments.select(aimed)
        states = refocus(trajectories.states, rows, direction[aimed][chosen.index], measures.shape[1])
        return replace(trajectories, table=WholeStates(states))

    def _groups(self, total: int) -> Segments:
        """The trajectories that share their Z."""
        if self.task.sampled.one_instance and not self.config.condition.varies:
            return Segments(torch.tensor([0, total]))
        repeats, forward = self.config.sources.repeats, self.config.sources.forward
        return Segments.from_lengths(torch.tensor([repeats] * (forward // repeats) + [1] * (total - forward)))

    def _measure(self, objects: GraphBatch) -> Tensor:
        """[B, K] float64. Raises ValueError where a number is not finite."""
        measures = self.workers(objects)
        if not bool(measures.isfinite().all()):
            raise ValueError(f"{self.task.name}: the reward of an object is 0, infinite or no number; give it a floor")
        return measures

    def _wanted(self, objects: GraphBatch, measures: Tensor) -> Tensor:
        """[B]: β log R, and what makes up for trajectories and objects that are several where they should be one."""
        wanted = self.config.reward.combine(measures, objects) * objects.graphs[BETA]
        return wanted + multiplicity(self.config, objects)

    def _wanted_of_states(self, states: GraphBatch) -> Tensor:
        return self._wanted(states, self.config.reward.measure(self.config.environment, states))

    def _move_sampler(self) -> None:
        with torch.no_grad():
            for own, new in zip(self.sampler_policy.parameters(), self.policy.parameters(), strict=True):
                own.lerp_(new, 1 - self.config.sources.ema)

    # ---- what a run is asked ---------------------------------------------------------------------------------------

    def judge(self) -> dict[str, float]:
        """Exact where the environment is small; the mean reward of fresh objects in any case."""
        objects = self.agent().sample(self.config.judgement.objects, seed=self.counters.iteration)
        found = {"mean_log_reward": float(self.agent().log_reward(objects).mean())}
        if self.exact is None:
            return {"total_variation": math.nan, "log_z_error": math.nan} | found
        error = abs(self.log_z - self.exact.log_z)
        return {"total_variation": self.exact.total_variation(self.policy), "log_z_error": error} | found

    @override
    def line(self, row: Mapping[str, float]) -> str:
        speed = f"{row['steps']:,.0f} objects  {row['steps_per_second']:,.0f}/s"
        log_z = f"log Z {row['log_z']:.3f}  " if math.isfinite(row["log_z"]) else ""
        return f"{speed}  loss {row['loss']:.3g}  {log_z}log R {row['return']:.3f}"

    @override
    def plot(self) -> None:
        plot_flow_curve(MetricsFile(self.directory / "metrics.csv").rows(), self.directory / "curve.png")

    @override
    def config_text(self) -> str:
        return flow_to_json(self.task.name, self.config)

    @override
    def memory(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        tensors = with_prefix("replay", self.replay.state_dict())
        if self.config.sources.ema:
            tensors |= with_prefix("sampler", self.sampler_policy.state_dict())
        return tensors, {"log_z": self.log_z if math.isfinite(self.log_z) else None}

    @override
    def recall(self, tensors: Mapping[str, Tensor], info: Mapping[str, Any]) -> None:
        self.replay.load_state_dict(without_prefix("replay", tensors))
        if self.config.sources.ema:
            self.sampler_policy.load_state_dict(without_prefix("sampler", tensors))
        self.log_z = math.nan if info["log_z"] is None else info["log_z"]

    def result(self) -> tuple[Mapping[str, Tensor], dict[str, Any]]:
        """The last weights."""
        log_z = self.log_z if math.isfinite(self.log_z) else None
        return self.policy.state_dict(), {"iteration": self.counters.iteration, "log_z": log_z}

    def agent(self) -> FlowAgent:
        """What has been learned so far."""
        return FlowAgent(self.task, self.config, self.policy)


def train_flow(
    task: str | Problem,
    config: FlowConfig,
    directory: Path | str,
    console: Console | None = None,
    *,
    data: GraphBatch | None = None,
) -> FlowTrainer:
    """Train a sampler in a new run directory; `FlowTrainer.agent()` of the result is what it learned.

    data: finished objects, states of the environment, of which `config.sources.data` are taken apart for each update.

    Ctrl-C and SIGTERM stop it where `resume_flow` can go on, and raise `Interrupted`.

    Raises ConfigError where the directory exists already or the settings make no run; then nothing is written.
    """
    task = resolve(task)
    trainer = FlowTrainer(task, with_an_end(config), new_directory(directory), data)
    with trainer.workers:
        trainer.begin(console)
    return trainer


def resume_flow(
    directory: Path | str,
    *,
    seconds: float | None = None,
    steps: int | None = None,
    threads: int | None = None,
    console: Console | None = None,
    data: GraphBatch | None = None,
) -> FlowTrainer:
    """Go on with a flow run where it stopped; `seconds` or `steps` in all give it a new end. Raises like `resume`."""
    directory = Path(directory)
    task, config = read_flow_config(directory)
    config = replace(with_another_end(config, seconds, steps), threads=threads or config.threads)
    trainer = FlowTrainer(task, config, directory, data)
    with trainer.workers:
        trainer.go_on(console)
    return trainer


def _wrongness(batch: FlowBatch, log_z: Tensor) -> Tensor:
    """[M]: the squared residual of trajectory balance of each trajectory."""
    with torch.no_grad():
        estimate = log_z_estimate(batch.log_forward, batch.log_backward, batch.log_reward, batch.segments)
        return (estimate - log_z).square()
