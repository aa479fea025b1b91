"""Whether a policy of one environment reads and decides what another one offers."""

from __future__ import annotations

from collections.abc import Sequence

from graphwright.core import Features
from graphwright.envs.environment import Environment
from graphwright.training.collectors.play import ConfigError
from graphwright.training.config import TrainConfig


def require_same_columns(option: str, run: Environment, here: Environment) -> None:
    """Raise ConfigError, naming them, where the policy of `run` reads other columns, or decides otherwise, than `here`.

    option: what to blame.
    """
    apart = different_columns(run.features, here.features)
    if apart:
        raise ConfigError(f"{option}: its columns are others: {'; '.join(apart)}")
    if run.actions != here.actions:
        theirs, ours = (
            f"{', '.join(block.name for block in spec.blocks)} of {spec.decider.name}"
            for spec in (run.actions, here.actions)
        )
        raise ConfigError(f"{option}: its policy decides {theirs}, and here {ours} is decided")


def columns_of_agents(run: TrainConfig) -> dict[str, object]:
    """The options by which agents of a team see more than their problem shows, and what was given."""
    identity, memory = getattr(run.collection, "identity", None), getattr(run.collection, "memory", 0)
    found: dict[str, object] = {"--memory": memory} if memory else {}
    if identity is not None and identity.kind != "none":
        found |= {"--identity.kind": identity.kind, "--identity.most": identity.most}
    return found


def require_networks(run: TrainConfig, agents: Sequence[int]) -> None:
    """Raise ConfigError where a team of one of the numbers `agents` has agents whose own networks never learned.

    run: settings of the run that was learned; of networks that agents share nothing is said.
    """
    identity = getattr(run.collection, "identity", None)
    if not run.encoder.individual or identity is None or identity.kind != "one-hot":
        return
    known = max(run.collection.sizes or (identity.most,))
    if agents and max(agents) > known:
        raise ConfigError(
            f"--agents {max(agents)}: each agent has a network of its own (--encoder.individual), and those of only "
            f"{known} have learned; give at most {known}"
        )


def different_columns(run: Features, here: Features) -> list[str]:
    """What `run` and `here` do not have alike, in words."""
    found = []
    for table in ("nodes", "edges", "graphs"):
        theirs, ours = getattr(run, table), getattr(here, table)
        for whose, some, others in (("the run reads", theirs, ours), ("the problem has", ours, theirs)):
            names = [f"{name!r}" for name in some if name not in others]
            if names:
                found.append(f"{whose} the {table[:-1]} column{'s' * (len(names) > 1)} {', '.join(names)}")
        wide = [name for name in theirs if name in ours and theirs[name] != ours[name]]
        found += [f"the {table[:-1]} column {name!r} has {theirs[name]} numbers, not {ours[name]}" for name in wide]
    for kind in ("node_types", "edge_types"):
        if getattr(run, kind) != getattr(here, kind):
            found.append(f"{kind.replace('_', ' ')} are {getattr(run, kind)}, not {getattr(here, kind)}")
    return found
