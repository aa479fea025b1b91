"""What the agents of a team of others see and do, each a node of one graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from graphwright.core import ActionSpec, Features, GraphError, per_decider, per_graph
from graphwright.frameworks.foreign.action_spaces import action_adapter
from graphwright.frameworks.foreign.answers import of_agent
from graphwright.frameworks.foreign.observation_reader import ObservationReader, mask_of
from graphwright.workers.env_group import GraphArrays

Links = Callable[[Any, Sequence[Any]], Iterable[tuple[Any, Any]]]


@dataclass(frozen=True)
class TeamForm:
    """What the agents of an environment see and do, the same for each of them.

    number: of each possible agent. reader: of one agent's observation.
    """

    number: dict[Any, int]
    reader: ObservationReader
    actions: ActionSpec
    links: Links | None
    identity: bool

    @staticmethod
    def of(env: Any, links: Links | None, identity: bool) -> TeamForm:
        """That of the agents of `env`. Raises as `from_team` does."""
        agents = list(env.possible_agents)
        if not agents:
            raise GraphError("`possible_agents` is empty; list there all agents that there may be, before reset")
        for what in ("observation_space", "action_space"):
            first, *others = ((agent, getattr(env, what)(agent)) for agent in agents)
            for agent, space in others:
                if space != first[1]:
                    raise GraphError(
                        f"agent {agent!r} has the {what} {space}, and {first[0]!r} has {first[1]}; wrap them alike"
                    )
        space = env.action_space(agents[0])
        actions = ActionSpec(_block(space), decider="nodes")
        agent_adapter(space, actions)  # raises here rather than in a worker
        choices = 1 if actions.continuous else actions.blocks[0].columns
        reader = ObservationReader(env.observation_space(agents[0]), ActionSpec(per_graph("act", choices)))
        if list(reader.features.nodes) != ["x"] or reader.features.graphs:
            raise GraphError(
                f"observation space {env.observation_space(agents[0])}: is a graph of its own for each agent; take "
                "from_pettingzoo, or wrap it to be a vector"
            )
        return TeamForm({agent: number for number, agent in enumerate(agents)}, reader, actions, links, identity)

    @property
    def features(self) -> Features:
        """The columns of a node."""
        known = {"identity": len(self.number)} if self.identity else {}
        return Features(nodes={"x": self.reader.features.nodes["x"], **known})

    def read(self, env: Any, agents: Sequence[Any], seen: dict[Any, Any], info: dict[Any, Any]) -> GraphArrays:
        """The graph of those agents. Raises GraphError, naming the agent, for what does not fit."""
        rows = [self._read_one(agent, seen, info) for agent in agents]
        numbers = np.array([self.number[agent] for agent in agents])
        graph = {"nodes.x": np.concatenate([row["nodes.x"] for row in rows])}
        if self.identity:
            graph["nodes.identity"] = np.eye(len(self.number), dtype=np.float32)[numbers]
        return {**graph, "links": self._links(env, agents), "mask": np.concatenate([row["mask"] for row in rows])}

    def _read_one(self, agent: Any, seen: dict[Any, Any], info: dict[Any, Any]) -> GraphArrays:
        if agent not in seen:
            raise GraphError(f"agent {agent!r} is alive, but there is no observation of it; return one")
        if agent not in self.number:
            raise GraphError(f"agent {agent!r} is none of `possible_agents`; list it there")
        row: GraphArrays = of_agent(agent, self.reader.read, seen[agent], mask_of(info.get(agent) or {}))
        return row

    def require_choice(self, agents: Sequence[Any], graph: GraphArrays) -> None:
        """Raise GraphError, naming the agent, where one of `graph` has no legal action."""
        for agent, mask in zip(agents, graph["mask"].reshape(len(agents), -1), strict=True):
            if not mask.any():
                raise GraphError(
                    f"agent {agent!r} is alive and has no legal action; give it one, or take it out of `env.agents`"
                )

    def _links(self, env: Any, agents: Sequence[Any]) -> np.ndarray:
        """[L, 2] int64: each pair in both directions."""
        if self.links is None:
            both = np.stack(np.nonzero(~np.eye(len(agents), dtype=bool)), axis=1)
            return both.astype(np.int64)
        place = {agent: row for row, agent in enumerate(agents)}
        pairs = set()
        for pair in self.links(env, agents):
            for agent in pair:
                if agent not in place:
                    raise GraphError(f"links: agent {agent!r} is not in the graph; leave its links out")
            one, other = (place[agent] for agent in pair)
            pairs |= {(one, other), (other, one)} if one != other else set()
        return np.array(sorted(pairs), np.int64).reshape(-1, 2)


def _block(space: gymnasium.Space) -> Any:
    """What an agent chooses. Raises ValueError for what is no choice and no vector of numbers."""
    if isinstance(space, spaces.Discrete):
        return per_decider("act", int(space.n))
    if isinstance(space, spaces.Box) and len(space.shape) == 1:
        return per_decider("act", continuous=space.shape[0])
    raise ValueError(f"action space {space} of an agent: wrap it to be Discrete, or a Box of one dimension")


def agent_adapter(space: gymnasium.Space, actions: ActionSpec) -> Callable[[np.ndarray], Any]:
    """Turns an agent's choice or numbers into an action of `space`. Raises ValueError for bounds that nothing meets."""
    if actions.continuous:
        adapt = action_adapter(space, actions)
        return lambda numbers: adapt(numbers[None])
    adapt = action_adapter(space, ActionSpec(per_graph("act", actions.blocks[0].columns)))
    return lambda choice: adapt(np.array([choice]))
