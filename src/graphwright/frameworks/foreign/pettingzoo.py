"""PettingZoo's parallel environments: each live agent is a graph of the batch; agents may join and leave."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from pettingzoo import ParallelEnv
from typing_extensions import override

from graphwright.core import ActionSpec, GraphBatch, GraphError
from graphwright.frameworks.foreign.action_spaces import action_adapter, check_size
from graphwright.frameworks.foreign.answers import check_parallel, of_agent, read_agents, read_reset, read_step
from graphwright.frameworks.foreign.dense_layout import Keys
from graphwright.frameworks.foreign.fixed_agents import AGENT, ENV, FixedAgents
from graphwright.frameworks.foreign.live import claim, release
from graphwright.frameworks.foreign.observation_reader import ObservationReader, mask_of
from graphwright.frameworks.foreign.states import ForeignEnvironment
from graphwright.frameworks.foreign.vector import ForeignVectorEnv
from graphwright.workers.env_group import Actions, AutoresetEnv, EnvStep, GraphArrays, copy_arrays
from graphwright.workers.env_pool import EnvPool, LocalEnvPool, WorkerEnvPool, WorkerOptions

MakeEnv = Callable[[], ParallelEnv]


def from_pettingzoo(
    make_env: MakeEnv,
    num_envs: int,
    workers: int = 0,
    *,
    actions: ActionSpec,
    undirected: bool = False,
    keys: Keys | None = None,
    padded: bool | None = None,
    seed: int = 0,
    device: torch.device | str = "cpu",
    options: WorkerOptions = WorkerOptions(),  # noqa: B008 - frozen
) -> AgentVectorEnv:
    """`num_envs` parallel environments whose live agents are the graphs of one batch.

    Options are those of `from_gymnasium`; a mask is `info[agent]["action_mask"]` or an entry of the observation, and
    where actions are tied to the graph alone, an observation without one is a graph of one node. All agents share one
    policy and have spaces of one form.

    Raises GraphError where agents differ in the columns of their observations, or, of padded ones, in their size;
    ValueError for AEC environments.
    """
    example = make_env()
    check_parallel(example)
    readers = []
    for agent in example.possible_agents:
        space = example.action_space(agent)
        number = int(space.n) if isinstance(space, spaces.Discrete) else None
        seen = example.observation_space(agent)
        readers.append(ObservationReader(seen, actions, undirected, keys=keys, padded=padded, num_actions=number))
        action_adapter(space, actions)  # raises here rather than in a worker
        check_size(space, None if readers[-1].dense is None else readers[-1].dense.num_actions)
    if readers[0].dense is not None:
        _require_one_room({agent: example.observation_space(agent) for agent in example.possible_agents})
    example.close()
    for agent, reader in zip(example.possible_agents, readers, strict=True):
        if reader.features != readers[0].features:
            raise GraphError(
                f"agent {agent!r} observes other columns than {example.possible_agents[0]!r}: {reader.features} and "
                f"{readers[0].features}; wrap them to be alike"
            )
    environment = ForeignEnvironment(readers[0].features, actions, undirected, device, readers[0].room)
    envs = [partial(AutoresetParallelEnv, make_env, readers[0], place) for place in range(num_envs)]
    pool = WorkerEnvPool(envs, workers, seed, options) if workers else LocalEnvPool(envs, seed, options)
    return AgentVectorEnv(pool, environment, example.possible_agents)


class AutoresetParallelEnv(AutoresetEnv):
    """One parallel environment that resets itself when no agent is left, or none but those that have just ended."""

    def __init__(self, make_env: MakeEnv, reader: ObservationReader, place: int) -> None:
        self.env = make_env()
        claim(self.env, self)
        self.reader = reader
        self.place = place
        self.number = {agent: number for number, agent in enumerate(self.env.possible_agents)}
        self.adapt = {agent: action_adapter(self.env.action_space(agent), reader.actions) for agent in self.number}

    @override
    def reset(self, seed: int | None = None) -> list[GraphArrays]:
        observation, info = read_reset(self.env.reset(seed=seed))
        if not self.env.agents:
            raise GraphError("no agent is alive after reset; begin with one or more")
        return self._read(self.env.agents, observation, info)

    @override
    def step(self, actions: Actions) -> EnvStep:
        acted = list(self.env.agents)  # before the step; the rows of the result are in this order
        adapted = {agent: self.adapt[agent](action) for agent, action in zip(acted, actions, strict=True)}
        observation, reward, terminated, truncated, info = read_step(self.env.step(adapted))
        rewards, ended, cut = read_agents(acted, reward, terminated, truncated)
        short = [agent for agent, is_cut in zip(acted, cut, strict=True) if is_cut]
        final = [copy_arrays(row) for row in self._read(short, observation, info)]
        over = {agent for agent, *ends in zip(acted, ended, cut, strict=True) if any(ends)}
        live = self._read(self.env.agents, observation, info) if set(self.env.agents) - over else self.reset()
        return EnvStep(rewards, ended, cut, final, live)

    @override
    def close(self) -> None:
        release(self.env)
        self.env.close()

    def _read(self, agents: Sequence[Any], observation: dict[Any, Any], info: dict[Any, Any]) -> list[GraphArrays]:
        rows = []
        for agent in agents:
            if agent not in observation:
                raise GraphError(f"agent {agent!r} is alive, but there is no observation of it; return one")
            row = of_agent(agent, self.reader.read, observation[agent], mask_of(info.get(agent) or {}))
            names = {AGENT: self.number[agent], ENV: self.place}
            rows.append(row | {f"graphs.{name}": np.array([number], np.int64) for name, number in names.items()})
        return rows


def _require_one_room(seen: dict[Any, spaces.Dict]) -> None:
    """Raise GraphError, naming the agent, where padded observations are not all padded to one size."""
    first, space = next(iter(seen.items()))
    for agent, other in seen.items():
        for name, entry in space.spaces.items():
            if name in other.spaces and other[name].shape != entry.shape:
                raise GraphError(
                    f"agent {agent!r} observes {name!r} of shape {other[name].shape}, and {first!r} of shape "
                    f"{entry.shape}; pad the observations and actions of all agents to one size"
                )


class AgentVectorEnv(ForeignVectorEnv):
    """Parallel environments side by side. `state` holds a graph for each live agent, environment by environment.

    Its graph columns `agent` (the agent's place in `possible_agents`) and `env` [A] int64 name the agent of each graph.
    The number of graphs may change from step to step; the rows of a step are those of the agents that acted.
    """

    def __init__(self, pool: EnvPool, environment: ForeignEnvironment, possible_agents: Sequence[Any]) -> None:
        self.possible_agents = possible_agents
        super().__init__(pool, environment)

    @override
    def with_fixed_agents(self) -> FixedAgents:
        return FixedAgents(self)

    @override
    def _no_way_on(self, state: GraphBatch, graph: int) -> str:
        env, agent = (int(state.graphs[name][graph]) for name in (ENV, AGENT))
        return (
            f"environment {env}: agent {self.possible_agents[agent]!r} is alive and has no legal action; give it one, "
            "or take it out of `env.agents`"
        )
