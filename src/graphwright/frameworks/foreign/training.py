"""Training on foreign environments with Graphwright's PPO, and policies as files."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch

from graphwright.algorithms.ppo import PPOConfig
from graphwright.core import ActionSpec, Features
from graphwright.envs.vector import LiveVector
from graphwright.frameworks.foreign.vector import ForeignVectorEnv
from graphwright.nn import ActorCritic, EncoderConfig, GraphPolicy, HeadsConfig
from graphwright.training.checkpoint import load_checkpoint, load_module, save_checkpoint
from graphwright.training.learner import PPOLearner
from graphwright.training.run import has_diverged

_SECONDS = 60.0


@dataclass(frozen=True)
class ForeignTraining:
    """Settings of a run."""

    seconds: float | None = None
    """Train for so long; 60 if steps is not given either."""
    steps: int | None = None
    """Train for so many environment steps, or until the seconds that are given are over."""
    seed: int = 0
    """Of weights, draws and minibatches."""
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    heads: HeadsConfig = field(default_factory=HeadsConfig)
    ppo: PPOConfig = field(default_factory=PPOConfig)
    """Settings of PPO; the vector decides how many episodes there are side by side."""

    def __post_init__(self) -> None:
        """Raise ValueError for a run without a length."""
        if self.seconds is not None and not 0 < self.seconds < math.inf:
            raise ValueError(f"seconds={self.seconds}: give a positive number")
        if self.steps is not None and self.steps < 1:
            raise ValueError(f"steps={self.steps}: give at least 1")
        if self.seconds is None and self.steps is None:
            object.__setattr__(self, "seconds", _SECONDS)


@dataclass(frozen=True, eq=False)
class Trained:
    """The result of a run: the policy, and a row of metrics for each update."""

    policy: ActorCritic
    config: ForeignTraining
    rows: list[dict[str, float]]

    def save(self, path: Path | str) -> None:
        """Write the policy, with all that it takes to build it again, as a safetensors file."""
        policy = self.policy
        info = {
            "features": asdict(policy.encoder.features),
            "actions": policy.actions.as_dict(),
            "encoder": asdict(self.config.encoder),
            "heads": asdict(self.config.heads),
        }
        save_checkpoint(Path(path), policy.acting_state(), info)


def load_policy(path: Path | str) -> GraphPolicy:
    """The policy of a file that `Trained.save` wrote. Raises CheckpointError where it is missing or damaged."""
    tensors, info = load_checkpoint(Path(path))
    policy = GraphPolicy(
        Features(**info["features"]),
        ActionSpec.from_dict(info["actions"]),
        EncoderConfig(**info["encoder"]),
        HeadsConfig(**info["heads"]),
    )
    load_module(policy, tensors, Path(path))
    return policy


def make_policy(vector: LiveVector, config: ForeignTraining) -> ActorCritic:
    """A fresh policy for the observations of `vector`, the same for the same seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        policy = ActorCritic(vector.environment.features, vector.environment.actions, config.encoder, config.heads)
    return policy.to(vector.state.device)


def train_foreign(vector: LiveVector, config: ForeignTraining) -> Trained:
    """Train a fresh policy on live episodes, which go on from where they are.

    The rows of the result hold steps, seconds, the mean return of the episodes that ended (NaN where none did) and what
    PPO reports. Raises ValueError where the gradient is no longer finite, GraphError where agents join or leave during
    an episode.
    """
    vector = vector.with_fixed_agents() if isinstance(vector, ForeignVectorEnv) else vector
    policy = make_policy(vector, config)
    generator = torch.Generator(vector.state.device).manual_seed(config.seed)
    learner = PPOLearner(policy, vector, config.ppo, generator)
    rows: list[dict[str, float]] = []
    steps, start = 0, time.perf_counter()
    while (progress := _progress(config, steps, time.perf_counter() - start)) < 1:
        taken, metrics = learner.iterate(progress)
        steps += taken
        rows.append({name: float(value) for name, value in metrics.items()})
        rows[-1] |= {"steps": steps, "seconds": time.perf_counter() - start}
        if has_diverged(rows[-1]):
            raise ValueError(f"training diverged at update {len(rows)}; lower the learning rate")
    return Trained(policy, config, rows)


def _progress(config: ForeignTraining, steps: int, seconds: float) -> float:
    parts = [steps / config.steps if config.steps else 0.0, seconds / config.seconds if config.seconds else 0.0]
    return min(max(parts), 1.0)
