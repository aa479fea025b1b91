"""The settings of a flow run. The fields and their texts are the command line's options; `config.json` holds them."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from graphwright.algorithms.gflownet.baselines import Maximizer
from graphwright.algorithms.gflownet.learner import FlowLossConfig
from graphwright.algorithms.gflownet.registry import OBJECTIVES
from graphwright.algorithms.optimizer import require
from graphwright.envs.generation import Reward
from graphwright.envs.generative.environment import FlowEnvironment
from graphwright.envs.problem import Problem
from graphwright.envs.registry import find_problem
from graphwright.nn import EncoderConfig, HeadsConfig
from graphwright.training.config import ConfigError, build, changed, name_of
from graphwright.training.gflownet.conditions import ConditionConfig
from graphwright.training.gflownet.sources import SourcesConfig

FlowAlgorithm = Literal[
    "tb",
    "vargrad",
    "db",
    "forward-looking",
    "subtb",
    "modified-db",
    "fm",
    "soft-q",
    "a2c",
    "reinforce",
    "envelope-q",
]


@dataclass(frozen=True)
class JudgementConfig:
    """How a run is watched."""

    every: int = 100
    """Updates between judgements; each also writes a checkpoint."""
    objects: int = 256
    """Objects that are sampled each time."""
    max_states: int = 5000
    """Environments with at most so many states are enumerated, and the policy is compared with the target exactly."""


@dataclass(frozen=True)
class FlowConfig:
    """Settings of a training run of a generative flow network."""

    environment: FlowEnvironment
    reward: Reward
    seconds: float | None = None
    """Train for so long; 60 if --steps is not given either."""
    steps: int | None = None
    """Train for so many trajectories."""
    algorithm: FlowAlgorithm = "tb"
    """Objective: trajectory balance, log-partition variance, detailed balance (also forward-looking, or modified for
    objects that can stop at every step), sub-trajectory balance, flow matching, soft Q-learning; for comparison a2c,
    reinforce and envelope Q-learning."""
    seed: int = 0
    """The same seed, machine and number of threads give the same run."""
    threads: int = 2
    """CPU threads."""
    correct_automorphisms: bool = True
    """Whether each object is wanted as often as its reward says; otherwise that is divided by its symmetries."""
    count_once: bool = False
    """Whether what several objects are, as a molecule put together in several ways, is wanted only once."""
    reward_workers: int = 0
    """Processes that compute rewards; worth it from about 0.1 ms an object, as for RDKit's."""
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    heads: HeadsConfig = field(default_factory=lambda: HeadsConfig(pool="sum-mean-max", value_pool="sum-mean-max"))
    flow: FlowLossConfig = field(default_factory=FlowLossConfig)
    sources: SourcesConfig = field(default_factory=SourcesConfig)
    condition: ConditionConfig = field(default_factory=ConditionConfig)
    judgement: JudgementConfig = field(default_factory=JudgementConfig)

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where a value makes no run."""
        if self.seconds is not None:
            require("seconds", self.seconds, 1e-9)
        require("reward-workers", self.reward_workers, 0)
        for name, value in (("steps", self.steps), ("judgement.every", self.judgement.every)):
            if value is not None:
                require(name, value)
        objective = OBJECTIVES[self.algorithm]
        if issubclass(objective, Maximizer) and self.sources.replay_by == "loss":
            raise ValueError(f"--sources.replay-by loss: --algorithm {self.algorithm} has no log Z; take reward")
        if self.flow.transitions and self.sources.replay_by == "loss" and not objective.knows_flows:
            raise ValueError(
                f"--sources.replay-by loss: of single steps (--flow.transitions) --algorithm {self.algorithm} tells no "
                "log Z; take reward"
            )
        if self.reward.num_measures == 1 and (self.condition.focus or self.condition.preference is not None):
            name = "focus" if self.condition.focus else "preference"
            raise ValueError(f"--condition.{name}: the reward has only one objective; leave it out")
        if "values" in objective.learned and self.condition.focus:
            raise ValueError(
                f"--condition.focus: --algorithm {self.algorithm} learns weighted sums of objectives, which a focus is "
                "not; leave it out, or take reinforce"
            )

    @staticmethod
    def for_task(task: Problem | str, **options: Any) -> FlowConfig:
        """The defaults of a task, or of the one of that name, with `options` in place of some of them."""
        task = find_problem(task) if isinstance(task, str) else task
        return replace(changed(FlowConfig(task.builder, task.sampled.reward), task.sampled.training), **options)


def flow_to_json(task: str, config: FlowConfig) -> str:
    """`config` as a JSON document. Raises ConfigError where a part of it is neither plain nor a dataclass."""
    return json.dumps({"task": task, **dataclasses.asdict(config)}, indent=2, default=name_of) + "\n"


def flow_from_json(text: str) -> tuple[Problem, FlowConfig]:
    """The task and the settings that a JSON document holds. Raises ConfigError where it is not one."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"not JSON: {error}") from None
    if not isinstance(data, dict) or not isinstance(data.get("task"), str):
        raise ConfigError("no object with a 'task'; this is no run of a flow network")
    try:
        task = find_problem(data.pop("task"))
        return task, build(FlowConfig.for_task(task), data)
    except (ValueError, TypeError) as error:
        raise ConfigError(str(error)) from None
