"""Environments stepped one after the other in one process, their observations packed into common arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple, Protocol

import numpy as np

from graphwright.core import GraphError

GraphArrays = dict[str, np.ndarray]
"""The arrays of one graph. The first has one row a node, "links" one row a link; others may be anything."""
PackedArrays = Mapping[str, np.ndarray]
"""`GraphArrays` of many graphs, concatenated, with [B] int64 `num_nodes` and `num_links`."""
Actions = np.ndarray | list[np.ndarray]
"""One action for each live graph."""
Allocate = Callable[[tuple[int, ...], np.dtype], np.ndarray]


class EnvStep(NamedTuple):
    """One step of one environment: a row for each graph that acted, and the graphs that are live now.

    reward: one for each graph, or for each of its agents where these have their own; then successor says at which place
    of the next graph each of them is, or of `final`, -1 where it is gone.
    final: last observations of the graphs whose episode was truncated. live: the current observations; of the next
    episode where one has ended.
    """

    reward: list[float]
    terminated: list[bool]
    truncated: list[bool]
    final: list[GraphArrays]
    live: list[GraphArrays]
    successor: list[int] | None = None


class AutoresetEnv(Protocol):
    """One environment that resets itself when an episode ends; it shows one graph, or one for each live agent."""

    def reset(self, seed: int | None = None) -> list[GraphArrays]:
        """Begin a new episode and return its first observations."""

    def step(self, actions: Actions) -> EnvStep:
        """Play one action for each live graph."""

    def close(self) -> None:
        """Release what the environment holds."""


EnvFactory = Callable[[], AutoresetEnv]


class GroupStep(NamedTuple):
    """One step of many environments, packed; A graphs acted.

    live: current observations. final: last observations of truncated episodes, None where there are none.
    reward [A] float32; terminated, truncated [A] bool. num_live: live graphs of each environment. reward [D] and
    successor [D] int64 where D agents of these graphs have their own.
    lost: the environments were lost with their process; every graph that acted counts as truncated.
    """

    live: PackedArrays
    final: PackedArrays | None
    reward: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    num_live: list[int]
    lost: bool = False
    successor: np.ndarray | None = None


class EnvGroup:
    """The environments of one process.

    What does not fit of an observation is a GraphError that names the environment; any other exception of one of them
    carries a note that does. allocate: allocates the packed arrays, `np.empty` by default. first: the number of the
    first environment. num_live: live graphs of each environment.
    """

    def __init__(self, envs: Sequence[AutoresetEnv], allocate: Allocate = np.empty, first: int = 0) -> None:
        self.envs = list(envs)
        self.allocate = allocate
        self.first = first
        self.num_live = [0] * len(self.envs)

    def reset(self, seeds: Sequence[int]) -> GroupStep:
        """Begin a new episode in every environment."""
        return self.packed([self.reset_one(place, seed) for place, seed in enumerate(seeds)])

    def step(self, actions: Actions) -> GroupStep:
        """Play one action for each live graph."""
        return self.packed([self.step_one(place, own) for place, own in enumerate(self.divide(actions))])

    def divide(self, actions: Actions) -> list[Actions]:
        """The actions of each environment."""
        ends = np.cumsum(self.num_live)
        return [actions[end - count : end] for end, count in zip(ends, self.num_live, strict=True)]

    def reset_one(self, place: int, seed: int) -> EnvStep:
        """Begin a new episode in one environment; nothing has acted."""
        with self._named(place, "at the beginning of an episode"):
            return self._counted(place, EnvStep([], [], [], [], self.envs[place].reset(seed)))

    def step_one(self, place: int, actions: Actions) -> EnvStep:
        """Play one action for each live graph of one environment."""
        with self._named(place, "in a step"):
            return self._counted(place, self.envs[place].step(actions))

    def packed(self, steps: Sequence[EnvStep]) -> GroupStep:
        """The steps of consecutive environments in common arrays."""
        final = [graph for step in steps for graph in step.final]
        of_agents = None if steps[0].successor is None else [place for step in steps for place in step.successor or ()]
        return GroupStep(
            pack([graph for step in steps for graph in step.live], self.allocate),
            pack(final, self.allocate) if final else None,
            np.array([reward for step in steps for reward in step.reward], np.float32),
            np.array([is_over for step in steps for is_over in step.terminated], bool),
            np.array([is_cut for step in steps for is_cut in step.truncated], bool),
            [len(step.live) for step in steps],
            successor=None if of_agents is None else np.array(of_agents, np.int64),
        )

    def close(self) -> None:
        """Close all environments."""
        for env in self.envs:
            env.close()

    def _counted(self, place: int, step: EnvStep) -> EnvStep:
        self.num_live[place] = len(step.live)
        return step

    @contextmanager
    def _named(self, place: int, when: str) -> Iterator[None]:
        try:
            yield
        except GraphError as error:
            raise GraphError(f"environment {self.first + place}: {error}") from None
        except Exception as error:
            error.add_note(f"raised by environment {self.first + place} {when}")
            raise


def pack(graphs: Sequence[GraphArrays], allocate: Allocate = np.empty) -> PackedArrays:
    """Concatenate the arrays of `graphs` and count the nodes and links of each."""
    packed = {}
    for key, like in graphs[0].items():
        parts = [graph[key] for graph in graphs]
        packed[key] = allocate((sum(len(part) for part in parts), *like.shape[1:]), like.dtype)
        np.concatenate(parts, out=packed[key])
    of_nodes = next(iter(graphs[0]))
    for key, counted in (("num_nodes", of_nodes), ("num_links", "links")):
        packed[key] = allocate((len(graphs),), np.dtype(np.int64))
        packed[key][:] = [len(graph[counted]) for graph in graphs]
    return packed


def copy_arrays(graph: GraphArrays) -> GraphArrays:
    """A copy, for environments that write their next observation into the same arrays."""
    return {key: values.copy() for key, values in graph.items()}
