"""Teams of others: each environment is one graph, whose nodes are the agents that are alive."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import gymnasium
import torch
from pettingzoo import ParallelEnv
from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphError
from graphwright.envs.team import Team
from graphwright.frameworks.foreign.answers import check_parallel, read_agents, read_reset, read_step
from graphwright.frameworks.foreign.live import claim, release
from graphwright.frameworks.foreign.players import Players
from graphwright.frameworks.foreign.states import ForeignEnvironment
from graphwright.frameworks.foreign.team_form import Links, TeamForm, agent_adapter
from graphwright.frameworks.foreign.vector import ForeignVectorEnv
from graphwright.workers.env_group import Actions, AutoresetEnv, EnvStep, GraphArrays, GroupStep, copy_arrays
from graphwright.workers.env_pool import LocalEnvPool, WorkerEnvPool, WorkerOptions

MakeTeam = Callable[[], ParallelEnv | gymnasium.Env]


def from_team(
    make_env: str | MakeTeam,
    num_envs: int,
    workers: int = 0,
    *,
    links: Links | None = None,
    identity: bool = False,
    seed: int = 0,
    device: torch.device | str = "cpu",
    options: WorkerOptions = WorkerOptions(),  # noqa: B008 - frozen
) -> TeamVectorEnv:
    """`num_envs` environments of several agents, on which every algorithm for teams learns.

    make_env: what makes a parallel environment of PettingZoo, or a Gymnasium environment whose observations and
        actions are a `Tuple` with one for each player; or the registered name of one.
    links: of an environment and those of its agents that are in the graph, the pairs, by name, that see each other; by
        default all do. Agents that have just been truncated are in the graph, and no longer in `env.agents`.
    identity: whether a node knows which of the possible agents it is, [number of possible agents], one-hot.
    workers, seed, options: as in `from_gymnasium`.

    Each environment is one graph. Its nodes are the agents that are alive, in the order of `possible_agents`, with
    their observation as Gymnasium flattens it, `x` [A, F] float32; each decides among what its action space holds and
    has a reward of its own. Agents may die, leave and join at any step. One that is truncated while others play on ends
    the episode for all, as a truncation whose last states are kept; the others go on in the next one from where they
    are. Masks come from `info[agent]["action_mask"]` or an entry of the observation.

    Raises GraphError where agents have different spaces, or none that is a vector; ValueError for AEC environments and
    for actions that are neither `Discrete` nor a `Box` of one dimension.
    """
    make = partial(gymnasium.make, make_env, disable_env_checker=True) if isinstance(make_env, str) else make_env
    example = parallel(make)
    form = TeamForm.of(example, links, identity)
    example.close()
    environment = ForeignTeam(form.features, form.actions, device=device)
    envs = [partial(AutoresetTeam, make, form)] * num_envs
    pool = WorkerEnvPool(envs, workers, seed, options) if workers else LocalEnvPool(envs, seed, options)
    return TeamVectorEnv(pool, environment)


def parallel(make_env: MakeTeam) -> ParallelEnv:
    """The environment as PettingZoo has it. Raises ValueError, with the remedy, for what is none of several agents."""
    env = make_env()
    if isinstance(env, gymnasium.Env):
        return Players(env)
    check_parallel(env)
    return env


class ForeignTeam(ForeignEnvironment, Team):
    """A team whose dynamics run elsewhere: a node for each agent that is alive, which decides for itself."""

    @property
    @override
    def own_reward(self) -> bool:
        return True


class AutoresetTeam(AutoresetEnv):
    """The graph of one team, which begins anew when no agent is left, or none but those that have just ended."""

    def __init__(self, make_env: MakeTeam, form: TeamForm) -> None:
        self.env = parallel(make_env)
        claim(self.env, self)
        self.form = form
        self.told = {
            agent: agent_adapter(self.env.action_space(agent), form.actions) for agent in self.env.possible_agents
        }
        self.agents: list[Any] = []

    @override
    def reset(self, seed: int | None = None) -> list[GraphArrays]:
        seen, info = read_reset(self.env.reset(seed=seed))
        if not self.env.agents:
            raise GraphError("no agent is alive after reset; begin with one or more")
        return self._live(seen, info)

    @override
    def step(self, actions: Actions) -> EnvStep:
        acted = self.agents
        told = {agent: self.told[agent](action) for agent, action in zip(acted, actions[0], strict=True)}
        seen, reward, terminated, truncated, info = read_step(self.env.step(told))
        rewards, ended, cut = read_agents(acted, reward, terminated, truncated)
        alive = set(self.env.agents)
        over, short = ({agent for agent, is_so in zip(acted, which, strict=True) if is_so} for which in (ended, cut))
        on = alive - over - short
        gone = [agent for agent in acted if agent not in alive | over | short]
        if gone and not on:
            raise GraphError(f"agent {gone[0]!r} is gone, neither terminated nor truncated; say which")
        following = self._ordered(alive - over | short if short else alive)
        place = {agent: row for row, agent in enumerate(following) if agent not in over}
        successor = [place.get(agent, -1) for agent in acted]
        final = [copy_arrays(self.form.read(self.env, following, seen, info))] if short else []
        live = self._live(seen, info) if on else self.reset()
        return EnvStep(rewards, [not on and not short], [bool(short)], final, live, successor)

    @override
    def close(self) -> None:
        release(self.env)
        self.env.close()

    def _live(self, seen: dict[Any, Any], info: dict[Any, Any]) -> list[GraphArrays]:
        self.agents = self._ordered(self.env.agents)
        graph = self.form.read(self.env, self.agents, seen, info)
        self.form.require_choice(self.agents, graph)
        return [graph]

    def _ordered(self, agents: Iterable[Any]) -> list[Any]:
        return sorted(agents, key=lambda agent: self.form.number.get(agent, -1))


class TeamVectorEnv(ForeignVectorEnv):
    """Environments of several agents side by side. `state` holds a graph for each environment."""

    environment: ForeignTeam

    @override
    def _answers(self, steps: Sequence[GroupStep]) -> tuple[Tensor, Tensor | None]:
        agents, first = self.environment.actions.deciders(self.state), 0
        rewards, successors = [], []
        for step in steps:
            last = first + len(step.terminated)
            if step.lost:  # its last states are those before it, in which everyone is where they were
                stay = agents.position[agents.ptr[first] : agents.ptr[last]]
                rewards.append(torch.zeros_like(stay, dtype=torch.float32))
                successors.append(stay)
            else:
                assert step.successor is not None
                rewards.append(torch.from_numpy(step.reward).to(self.environment.device))
                successors.append(torch.from_numpy(step.successor).to(self.environment.device))
            first = last
        return torch.cat(rewards), torch.cat(successors)
