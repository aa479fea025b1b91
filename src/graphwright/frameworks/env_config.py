"""`EnvConfig`: a problem, its instances, and the size to which its graphs are padded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import islice, pairwise

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch
from graphwright.core.rows import Sizes
from graphwright.data.sources import FixedInstances, GeneratedInstances
from graphwright.envs.endless import Endless
from graphwright.envs.environment import Environment
from graphwright.envs.game import Game
from graphwright.envs.optimization import Optimization
from graphwright.envs.problem import Problem, random_choice
from graphwright.envs.registry import find_problem
from graphwright.envs.rollouts import play, unroll
from graphwright.envs.team import Team
from graphwright.envs.vector import InstanceSource
from graphwright.frameworks.episode_batch import EpisodeBatch
from graphwright.frameworks.networks import Networks
from graphwright.frameworks.pickling import CloudPickled
from graphwright.frameworks.schema import Limits, Schema
from graphwright.nn import ActorCritic, EncoderConfig, HeadsConfig
from graphwright.training.config import TrainConfig, make_generator

_TRIED = 128  # instances from which limits are measured
_EPISODES, _STEPS = 8, 64  # that are played at random where what is seen grows


@dataclass(frozen=True, eq=False)
class OnDevice(InstanceSource):
    """The instances of a source, brought to a device."""

    source: InstanceSource
    device: torch.device | str

    @override
    def draw(self, count: int) -> GraphBatch:
        return self.source.draw(count).to(self.device)


@dataclass(frozen=True, eq=False)
class EnvConfig(CloudPickled):
    """Everything that a framework's environment is made of.

    source: seed → stream of instances. limits: the sizes to which observations are padded.
    """

    problem: Problem
    environment: Environment
    source: Callable[[int], InstanceSource]
    limits: Limits

    @cached_property
    def schema(self) -> Schema:
        """Observations as arrays."""
        return Schema(self.environment.features, self.environment.actions)

    @property
    def optimization(self) -> Optimization:
        """The environment of what is solved. Raises ValueError where nothing is."""
        if not isinstance(self.environment, Optimization):
            raise ValueError(f"{self.problem.name} has no solutions to read or to draw; leave that out")
        return self.environment

    def told(self, state: GraphBatch) -> dict[str, Tensor]:
        """Name → [B]: what is said of `state` beside rewards. Raises ValueError of a game.

        "objective" and "is_complete" of a solution, the `averages` of what never ends, the `measures` of a team.
        """
        environment, found = self.environment, dict[str, Tensor]()
        if isinstance(environment, Game):
            raise ValueError(f"{self.problem.name} is a game of two sides; see frameworks.pettingzoo_games")
        if isinstance(environment, Optimization):
            found |= {"objective": environment.objective(state), "is_complete": environment.is_complete(state)}
        if isinstance(environment, Endless):
            found |= environment.averages(state)
        if isinstance(environment, Team):
            found |= environment.measures(state)
        return found

    @property
    def networks(self) -> Networks:
        """The encoder and the heads with which `graphwright train` trains the problem by default."""
        config = TrainConfig.for_problem(self.problem)
        return Networks(config.encoder, config.heads)

    def policy(self, encoder: EncoderConfig | None = None, heads: HeadsConfig | None = None) -> ActorCritic:
        """A fresh policy, by default of the problem's `networks`."""
        networks = self.networks
        return ActorCritic(
            self.environment.features, self.environment.actions, encoder or networks.encoder, heads or networks.heads
        )

    def episodes(
        self, num_envs: int, seed: int, penalty: float = 1.0, device: torch.device | str | None = None
    ) -> EpisodeBatch:
        """Live episodes on the instances of that seed, on a `device`, which is by default where they are drawn."""
        source = self.source(seed) if device is None else OnDevice(self.source(seed), device)
        return EpisodeBatch(self.environment, source, num_envs, limits=self.limits, penalty=penalty)


def make_env_config(
    problem: Problem | str,
    *,
    environment: Environment | None = None,
    instances: GraphBatch | None = None,
    generator: str | None = None,
    sizes: Sequence[int] | None = None,
    law: str | None = None,
    max_nodes: int | None = None,
    max_edges: int | None = None,
) -> EnvConfig:
    """The configuration of a problem, or of the one of that name; what is not given has the problem's defaults.

    environment: the problem's, with other options. instances: a data set, shuffled in every pass; otherwise
    generator, sizes, law: as for `graphwright train`. max_nodes, max_edges: the limits of padded graphs, by default
    what 128 instances of the largest size (or all of the data set) need; a generated instance that exceeds them is
    drawn again.
    """
    problem = find_problem(problem) if isinstance(problem, str) else problem
    if not problem.is_played:
        raise ValueError(f"{problem.name} is sampled, not played; it is no environment of other frameworks")
    environment = environment or problem.environment
    source: Callable[[int], InstanceSource]
    if instances is None:
        drawn = make_generator(problem, generator, tuple(sizes) if sizes else None, law)
        largest = make_generator(problem, generator, (max(drawn.sizes),), law)
        source = partial(GeneratedInstances, drawn, block=64)
        tried = largest(_TRIED, torch.Generator().manual_seed(0))
    else:
        source = partial(FixedInstances, instances)
        tried = instances
    return EnvConfig(problem, environment, source, measure(environment, tried, max_nodes, max_edges))


def measure(environment: Environment, instances: GraphBatch, max_nodes: int | None, max_edges: int | None) -> Limits:
    """The limits of `instances` [B] and of what random episodes add to them, where no limits are given."""
    graph = environment.observe(environment.reset(instances)).graph
    nodes = max(int(one.node_segments.lengths.max()) for one in (instances, graph))
    edges = max(int(one.edge_segments.lengths.max()) for one in (instances, graph))
    growth = 0
    if isinstance(environment, Team) or (isinstance(environment, Game) and environment.edits_graph):
        nodes, edges = map(max, zip((nodes, edges), _along_episodes(environment, instances), strict=True))
    elif environment.edits_graph:
        final = play(environment, instances, random_choice(environment, torch.Generator().manual_seed(0)))
        growth = max(int((final.edge_segments.lengths - instances.edge_segments.lengths).max()), 0)
    nodes, edges = max_nodes or nodes, max_edges or max(edges + growth, 1)
    undirected = "reverse" in graph.edges
    links = (edges + 1) // 2 if undirected else edges
    spec, sizes = environment.actions, Sizes(nodes, links, nodes)
    decisions = 1 if spec.one_per_graph else spec.decider.most(sizes)
    return Limits(nodes, edges, spec.most(sizes), growth, decisions, spec.most_choices(sizes), undirected)


def _along_episodes(environment: Environment, instances: GraphBatch) -> tuple[int, int]:
    """The most nodes and edges that are seen in some random episodes, or twice as many where their number grows."""
    choose = random_choice(environment, torch.Generator().manual_seed(0))
    start = environment.reset(instances.select(torch.arange(min(_EPISODES, instances.num_graphs))))
    steps = islice(unroll(environment, start, choose), _STEPS if isinstance(environment, Team) else None)
    sizes = [_sizes(environment, start), *(_sizes(environment, step.state) for step in steps)]
    return _room([nodes for nodes, _ in sizes]), _room([edges for _, edges in sizes])


def _sizes(environment: Environment, state: GraphBatch) -> tuple[int, int]:
    """The most nodes and edges that are seen of a graph."""
    graph = environment.observe(state).graph
    return int(graph.node_segments.lengths.max()), int(graph.edge_segments.lengths.max())


def _room(numbers: Sequence[int]) -> int:
    """The largest, or twice that where they grow from one step to the next."""
    return (1 + any(after > before for before, after in pairwise(numbers))) * max(numbers)
