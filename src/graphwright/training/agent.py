"""`Agent`: a trained policy with the problem that it was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from graphwright.algorithms.optimizer import require
from graphwright.algorithms.registry import find_algorithm
from graphwright.core import GraphBatch, Observation
from graphwright.core.files import write_atomically
from graphwright.envs.optimization import Optimization
from graphwright.envs.problem import Problem
from graphwright.envs.registry import simultaneous_problems
from graphwright.nn import GraphPolicy
from graphwright.training.checkpoint import (
    CONFIG_FILE,
    POLICY_FILE,
    CheckpointError,
    fingerprint,
    load_checkpoint,
    load_module,
    require_fit,
    save_checkpoint,
)
from graphwright.training.collectors.play import PlayConfig
from graphwright.training.config import ConfigError, TrainConfig, values_only
from graphwright.training.config_json import fixed_settings, from_json, to_json, watched_as_written
from graphwright.training.decode import Decoding, decode
from graphwright.training.directory import settings_text
from graphwright.training.gflownet.conditions import ANY_GOAL, Goal
from graphwright.training.gflownet.evaluator import make_exact
from graphwright.training.gflownet.exact import Exact
from graphwright.training.gflownet.likelihood import log_likelihood
from graphwright.training.gflownet.measuring import ObjectMeasures
from graphwright.training.gflownet.sampler import NO_EXPLORATION, Sampler
from graphwright.training.local_play import why_not_played_locally
from graphwright.training.networks import make_policy
from graphwright.training.whole_play import why_not_played_at_once

PRETRAINED = Path(str(files("graphwright"))) / "pretrained"
"""Where the policies that come with the package are, each in a folder with the name of its problem."""


@dataclass(frozen=True, eq=False)
class Agent:
    """What a run leaves behind: a policy for a problem, and how it was trained.

    `solve` is for environments that are played or have an objective; `sample` and what follows it are for
    policies that sample objects in proportion to a reward. Each raises ConfigError elsewhere.
    """

    problem: Problem
    config: TrainConfig
    policy: Any

    @property
    def device(self) -> torch.device:
        """Where the policy is."""
        return next(self.policy.parameters()).device

    @property
    def samples(self) -> bool:
        """Whether it was learned to sample in proportion to a reward, rather than to act for the best objective."""
        return not isinstance(self.config.collection, PlayConfig)

    @property
    def why_not_local(self) -> str | None:
        """Why each decision looks at the whole graph again; None where it does not, as in graphs of `LARGE` nodes."""
        return "it was learned to sample" if self.samples else why_not_played_locally(self.policy, self.config.played)

    @property
    def why_not_parallel(self) -> str | None:
        """Why no two nodes can be decided at once; None where they can."""
        return "it was learned to sample" if self.samples else why_not_played_at_once(self.config.played)

    def decoding(
        self, wanted: Literal["greedy", "sample"] | None, option: str = "--decode sample"
    ) -> Literal["greedy", "sample"]:
        """`wanted`, or how the run was validated. Raises ConfigError to draw by scores that are no probabilities."""
        if wanted == "sample" and not find_algorithm(self.config.algorithm).load().draws:
            raise ConfigError(f"{option}: {values_only(self.config.algorithm)}; leave it out")
        return wanted or self.config.validation.decode

    def solve(
        self, instances: GraphBatch, decoding: Decoding = "greedy", *, samples: int = 16, seed: int = 0
    ) -> GraphBatch:
        """A final state for each of `instances`, on the CPU; see `training.decode`."""
        environment, collection = self.config.played, self.config.collection
        solves = not self.samples or isinstance(environment, Optimization)
        self._require(solves, "builds objects, and solves no instances; see `sample`")
        self._require_no_memory()
        if decoding == "sample" and not self.samples:
            self.decoding(decoding)
        if decoding == "parallel" and (reason := self.why_not_parallel) is not None:
            able = ", ".join(simultaneous_problems())
            raise ConfigError(f"--decode parallel: {self.problem.name} cannot, since {reason}; {able} can")
        generator = torch.Generator(self.device).manual_seed(seed)
        placed = collection.conditioned(instances, generator) if self.samples else instances.to(self.device)
        return decode(self.policy, environment, placed, decoding, samples=samples, generator=generator).to("cpu")

    def act(self, graph: GraphBatch, *, draw: bool = False, seed: int = 0) -> Tensor:
        """The action of each decision in states, or in instances, of which it is the first, on the CPU.

        [D] int64, the place of the chosen candidate among those of its decision (of a spec of nodes, the node), or
        [D, columns] float32 where actions are continuous. draw: draw from the policy instead of taking the likeliest.
        graph: an instance as `environment.instance` and random generators make them, or a state as `step` does.
        """
        environment = self.config.played
        self._require(not self.samples, "builds objects, step by step; see `sample`")
        graph = graph.to(self.device)
        first = environment.reset(graph)
        tables = ((graph.nodes, first.nodes), (graph.edges, first.edges), (graph.graphs, first.graphs))
        is_state = all(given.keys() >= begun.keys() for given, begun in tables)
        return self.predict(environment.observe(graph if is_state else first), draw=draw, seed=seed)

    def predict(self, observation: Observation, *, draw: bool = False, seed: int = 0) -> Tensor:
        """The action of each decision in what is observed; see `act`."""
        self._require(not self.samples, "builds objects, step by step; see `sample`")
        self._require_no_memory()
        if not draw:
            return self.policy.best(observation).cpu()
        self.decoding("sample", "draw=True")
        return self.policy.act(observation, torch.Generator(self.device).manual_seed(seed)).action.cpu()

    def export(self, path: Path | str, compiled: bool = False) -> None:
        """Write the policy's forward pass, for graphs of any size, as a program of torch alone (.pt2).

        compiled: as machine code for processors like this one, where one graph at a time is decided fast.

        Raises ConfigError, with the reason, where it cannot be expressed; see `training.export`.
        """
        from graphwright.training.export import save_policy_program  # which is slow to import

        self._require(not self.samples, "builds objects, in two directions; it is not exported")
        self._require_no_memory()
        generator = self.config.collection.instances(self.problem)
        instances = generator(3, torch.Generator().manual_seed(0)).to(self.device)
        played = self.config.played
        save_policy_program(self.policy, played.observe(played.reset(instances)), path, compiled)

    def sample(self, count: int, seed: int = 0, goal: Goal = ANY_GOAL, at_once: int = 512) -> GraphBatch:
        """`count` finished objects, built for `goal`; by default for the greatest exponent of the run's."""
        self._require(self.samples, "solves instances, and samples nothing; see `solve`")
        require("num", count)
        generator = torch.Generator().manual_seed(seed)
        environment, collection = self.config.environment, self.config.collection
        sampler = Sampler(environment, self.policy, NO_EXPLORATION, generator)
        parts = []
        for begin in range(0, count, at_once):
            number = min(at_once, count - begin)
            instances = collection.instances(self.problem, environment, number, generator, goal)
            parts.append(sampler.sample_forward(instances).objects)
        return GraphBatch.concat(parts)

    def log_reward(self, objects: GraphBatch) -> Tensor:
        """[B] float64: log R of objects, without exponent."""
        self._require(self.samples, "solves instances, which have no reward; see `solve`")
        return self.config.collection.reward(self.config.environment, objects)

    def log_likelihood(self, objects: GraphBatch, trajectories: int = 64, seed: int = 0) -> Tensor:
        """[B] float32: log of the probability of building each object, estimated (`likelihood.log_likelihood`)."""
        self._require(self.samples, "solves instances, and samples nothing; see `solve`")
        generator = torch.Generator().manual_seed(seed)
        return log_likelihood(self.config.environment, self.policy, objects, trajectories, generator)

    def exact(self, measure: ObjectMeasures | None = None) -> Exact | None:
        """The environment enumerated, where it has one instance, one condition and few enough states.

        measure: what the reward measures of objects; by default it is asked here.
        """
        self._require(self.samples, "solves instances, and samples nothing; see `solve`")
        config = self.config
        return make_exact(self.problem, config.environment, config.collection, config.validation.max_states, measure)

    def save(self, directory: Path | str) -> None:
        """Write `config.json` and `policy.safetensors` into `directory`, which is made if need be."""
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        write_atomically(directory / CONFIG_FILE, to_json(self.problem.name, self.config).encode())
        acts = isinstance(self.policy, GraphPolicy)
        weights = self.policy.acting_state() if acts else self.policy.state_dict()
        settings = fixed_settings(self.problem.name, self.config)
        save_checkpoint(directory / POLICY_FILE, weights, {"run": fingerprint(settings)})

    def _require_no_memory(self) -> None:
        remembers = getattr(self.config.collection, "memory", 0) > 0
        self._require(not remembers, "remembers (--memory), so one state is not all that it acts by; see `policy.act`")

    def _require(self, holds: bool, otherwise: str) -> None:
        if not holds:
            raise ConfigError(f"{self.problem.name}: what {self.config.algorithm} learned {otherwise}")


def read_config(directory: Path, trust: bool = False) -> tuple[Problem, TrainConfig]:
    """The problem and settings of a run directory; trust: see `load`. Raises ConfigError, naming the file."""
    text = settings_text(directory)
    try:
        return from_json(text, trust)
    except ConfigError as error:
        raise ConfigError(f"{directory / CONFIG_FILE}: {error}") from None


def load(directory: Path | str, device: str = "auto", *, trust: bool = False) -> Agent:
    """The agent of a run directory, which is data: it names problems and layers of this library or of PyG.

    trust: whether it may also name modules of its maker's own, whose code importing them runs. Raises ConfigError or
    CheckpointError, naming the file.
    """
    directory = Path(directory)
    problem, config = read_config(directory, trust)
    tensors, info = load_checkpoint(directory / POLICY_FILE)
    shipped = directory.parent == PRETRAINED  # of another release perhaps, whose options were fewer
    settings = watched_as_written(fixed_settings(problem.name, config), settings_text(directory))
    if not shipped and info.get("run") != fingerprint(settings):
        raise CheckpointError(
            f"{directory / POLICY_FILE}: does not fit {CONFIG_FILE}, which was changed, is another run's, or is of a "
            "release with other options; put back what belongs together, or train anew"
        )
    if isinstance(config.collection, PlayConfig) and config.encoder.layer is None:
        require_fit(partial(make_policy, config, torch.device("meta")), tensors, directory / POLICY_FILE)
    policy = make_policy(config, find_device(device))
    load_module(policy, tensors, directory / POLICY_FILE)
    return Agent(problem, config, policy)


def find_device(name: str) -> torch.device:
    """The device that "cpu", "cuda" or "auto", which is the CPU, names. Raises ConfigError where it is not there."""
    if name == "auto":
        return torch.device("cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise ConfigError("--device cuda: this machine has no CUDA device that torch can use; take cpu")
    return torch.device(name)
