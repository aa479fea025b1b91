"""Fine-tuning: a run that begins with the policy of another one, and what it kept and gained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from graphwright.algorithms.algorithm import Algorithm
from graphwright.algorithms.registry import find_algorithm
from graphwright.algorithms.trust_region import Anchor
from graphwright.algorithms.value_scale import REWARD_UNITS
from graphwright.nn import GraphPolicy
from graphwright.training.agent import Agent, load
from graphwright.training.checkpoint import TRAINER_FILE, CheckpointError, load_checkpoint, without_prefix
from graphwright.training.collectors.play import PlayConfig
from graphwright.training.columns import columns_of_agents, require_networks, require_same_columns
from graphwright.training.config import ConfigError, TrainConfig, values_only
from graphwright.training.evaluator import Evaluator
from graphwright.training.evaluators import make_evaluator
from graphwright.training.networks import make_policy


@dataclass(frozen=True, eq=False)
class Start:
    """The run that another one begins with. option: what the user called it."""

    agent: Agent
    directory: Path

    @property
    def option(self) -> str:
        """For complaints."""
        return f"--from {self.directory}"

    def require_fit(self, config: TrainConfig) -> None:
        """Raise ConfigError, naming what differs, where its policy is none for the settings of a new run."""
        theirs, samples = self.agent.config, not isinstance(config.collection, PlayConfig)
        if samples != self.agent.samples:
            kinds = ("solves or controls", "samples")
            raise ConfigError(
                f"{self.option}: {kinds[self.agent.samples]}, where --algorithm {config.algorithm} does not"
            )
        known, own = columns_of_agents(theirs), columns_of_agents(config)
        if known.keys() != own.keys():
            given = " ".join(f"{option} {value}" for option, value in known.items()) or f"no {next(iter(own))}"
            raise ConfigError(f"{self.option}: its agents have {given}; take the same")
        require_same_columns(self.option, theirs.played, config.played)
        require_networks(theirs, getattr(config.collection, "sizes", None) or ())
        for part in ("encoder", "heads"):
            own, other = getattr(config, part), getattr(theirs, part)
            for name in vars(own):
                if getattr(own, name) != getattr(other, name):
                    option = f"--{part}.{name.replace('_', '-')}"
                    raise ConfigError(f"{self.option}: its network has {option} {getattr(other, name)}; take the same")

    @cached_property
    def state(self) -> dict[str, Tensor]:
        """What its algorithm remembered; nothing where only the policy was kept."""
        try:
            return without_prefix("algorithm", load_checkpoint(self.directory / TRAINER_FILE)[0])
        except CheckpointError:
            return {}

    def weights(self, algorithm: Algorithm) -> dict[str, Tensor]:
        """Of what acts, and of a critic, where both have the same one."""
        own, found = algorithm.policy.state_dict(), dict(self.agent.policy.state_dict())
        known = without_prefix("policy", self.state)
        fits = {name: tensor for name, tensor in known.items() if name in own and own[name].shape == tensor.shape}
        return {name: tensor for name, tensor in fits.items() if name.startswith("critic.")} | found

    def units(self, config: TrainConfig, algorithm: Algorithm, weights: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """In which units the values among `weights` are; nothing where there are none.

        Raises ConfigError where they are in standard deviations and would be taken as they are.
        """
        theirs, values = self.agent.config, any(name.startswith("critic.") for name in weights)
        values |= not algorithm.draws and not find_algorithm(theirs.algorithm).load().draws
        if not values:
            return {}
        if not _in_deviations(theirs):
            return REWARD_UNITS
        if not _in_deviations(config):
            options = find_algorithm(config.algorithm).load().options
            both = f"take --{options}.normalize-values, or begin with another run"
            raise ConfigError(f"{self.option}: its values are in standard deviations; {both}")
        return self.state


def _in_deviations(config: TrainConfig) -> bool:
    """Whether critics speak in standard deviations of their targets."""
    return bool(getattr(config.settings, "normalize_values", False))


def find_start(directory: str, trust: bool = False) -> Start:
    """The run in `directory`. Raises ConfigError or CheckpointError, naming it."""
    try:
        return Start(load(directory, trust=trust), Path(directory))
    except (ConfigError, CheckpointError) as error:
        raise ConfigError(f"--from {directory}: {error}") from None


def begin_at(start: Start | None, algorithm: Algorithm, config: TrainConfig, device: torch.device) -> None:
    """Let `algorithm` begin with the policy of `start`, in its trust region.

    start: None for a run that goes on, whose checkpoint holds both. Raises ConfigError where they do not fit.
    """
    if start is not None:
        start.require_fit(config)
        try:
            weights = start.weights(algorithm)
            algorithm.start_from(weights)
            algorithm.take_units(start.units(config, algorithm, weights))
        except (KeyError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise ConfigError(f"{start.option}: its network is of another kind ({reason})") from None
    if config.trust_region.kind == "none":
        return
    if not isinstance(algorithm.policy, GraphPolicy) or not algorithm.draws:
        raise ConfigError(f"--trust-region.kind: {values_only(config.algorithm)}")
    reference = make_policy(config, device)
    reference.load_state_dict(dict(algorithm.acting_state()))
    algorithm.anchor = Anchor(reference, config.trust_region)


def kept_and_gained(start: Start, config: TrainConfig, evaluator: Evaluator, policy: Any) -> dict[str, Any]:
    """What the policy of `start` and `policy` are worth, on the instances of that run and on those of `evaluator`.

    {"from", "old": {"metric", "better", "before", "after"}, "new": the same}.
    """
    agent = start.agent
    assert isinstance(agent.config.collection, PlayConfig)
    theirs = make_evaluator(
        agent.problem, agent.config.environment, agent.config.collection, agent.config.validation, torch.device("cpu")
    )
    measure = partial(_measured, before=agent.policy, after=policy.to("cpu"))
    return {"from": str(start.directory), "old": measure(theirs), "new": measure(evaluator)}


def _measured(evaluator: Evaluator, before: Any, after: Any) -> dict[str, Any]:
    assert evaluator.metric is not None
    values = [evaluator.evaluate(policy)[evaluator.metric] for policy in (before, after)]
    return {"metric": evaluator.metric, "better": evaluator.better, "before": values[0], "after": values[1]}


def sentence(report: Mapping[str, Any]) -> str:
    """The report in words."""
    parts = [
        f"{report[which]['metric'].replace('_', ' ')} on {name} instances {report[which]['before']:.4g} before, "
        f"{report[which]['after']:.4g} now"
        for which, name in (("old", "the old"), ("new", "the new"))
    ]
    return "; ".join(parts)
