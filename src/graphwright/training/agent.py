"""`Agent`: a trained policy with the problem that it was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from graphwright.core import GraphBatch
from graphwright.core.files import write_atomically
from graphwright.envs.problem import Problem
from graphwright.envs.registry import find_problem
from graphwright.nn import ActorCritic, GraphPolicy
from graphwright.training.checkpoint import (
    CONFIG_FILE,
    POLICY_FILE,
    load_checkpoint,
    load_module,
    save_checkpoint,
)
from graphwright.training.config import ConfigError, TrainConfig, from_json, to_json
from graphwright.training.decode import Decoding, decode


@dataclass(frozen=True, eq=False)
class Agent:
    """What a run leaves behind: a policy for a problem, and how it was trained."""

    problem: Problem
    config: TrainConfig
    policy: GraphPolicy

    @property
    def device(self) -> torch.device:
        """Where the policy is."""
        return next(self.policy.parameters()).device

    def solve(
        self, instances: GraphBatch, decoding: Decoding = "greedy", *, samples: int = 16, seed: int = 0
    ) -> GraphBatch:
        """A final state for each of `instances`, on the CPU; see `training.decode`."""
        generator = torch.Generator(self.device).manual_seed(seed)
        placed = instances.to(self.device)
        return decode(self.policy, self.config.rules, placed, decoding, samples=samples, generator=generator).to("cpu")

    def save(self, directory: Path | str) -> None:
        """Write `config.json` and `policy.safetensors` into `directory`, which is made if need be."""
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        write_atomically(directory / CONFIG_FILE, to_json(self.problem.name, self.config).encode())
        save_checkpoint(directory / POLICY_FILE, self.policy.acting_state(), {})


def make_policy(config: TrainConfig, device: torch.device) -> GraphPolicy:
    """A fresh policy, the same for the same seed."""
    return _make(GraphPolicy, config, device)


def make_learning_policy(config: TrainConfig, device: torch.device) -> GraphPolicy:
    """A fresh policy with the critic that the algorithm trains, if it trains one."""
    return _make(ActorCritic if config.algorithm == "ppo" else GraphPolicy, config, device)


def _make(kind: type[GraphPolicy], config: TrainConfig, device: torch.device) -> GraphPolicy:
    environment = config.rules
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        policy = kind(environment.features, environment.actions, config.encoder, config.heads)
    return policy.to(device)


def read_config(directory: Path) -> tuple[Problem, TrainConfig]:
    """The problem and settings of a run directory. Raises ConfigError, naming the file."""
    path = directory / CONFIG_FILE
    try:
        name, config = from_json(path.read_text())
    except (OSError, UnicodeDecodeError):
        raise ConfigError(f"{path}: cannot be read; is {directory} a run directory?") from None
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    return find_problem(name), config


def load(directory: Path | str, device: str = "auto") -> Agent:
    """The agent of a run directory. Raises ConfigError or CheckpointError, naming the file."""
    directory = Path(directory)
    problem, config = read_config(directory)
    policy = make_policy(config, find_device(device))
    tensors, _ = load_checkpoint(directory / POLICY_FILE)
    load_module(policy, tensors, directory / POLICY_FILE)
    return Agent(problem, config, policy)


def find_device(name: str) -> torch.device:
    """The device that "cpu", "cuda" or "auto", which is the CPU, names. Raises ConfigError where it is not there."""
    if name == "auto":
        return torch.device("cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise ConfigError("--device cuda: this machine has no CUDA device that torch can use; take cpu")
    return torch.device(name)
