"""`Setting`: a problem, its instances, and the room that a padded graph of it needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch

from graphwright.core import ActionBlock, GraphBatch
from graphwright.core.rows import Sizes
from graphwright.data.sources import FixedInstances, GeneratedInstances
from graphwright.envs.environment import Environment
from graphwright.envs.problem import Problem, random_choice
from graphwright.envs.registry import find_problem
from graphwright.envs.rollouts import play
from graphwright.envs.vector import InstanceSource
from graphwright.frameworks.live import LiveEpisodes
from graphwright.frameworks.networks import Networks
from graphwright.frameworks.schema import Limits, Schema
from graphwright.nn import EncoderConfig, GraphPolicy, HeadsConfig
from graphwright.training.config import TrainConfig, make_generator

_TRIED = 128  # instances, which show how many edges graphs have


@dataclass(frozen=True, eq=False)
class Setting:
    """What a framework's environment is made of.

    source: the stream of instances of a seed. limits: room for every observation.
    """

    problem: Problem
    environment: Environment
    source: Callable[[int], InstanceSource]
    limits: Limits

    @property
    def schema(self) -> Schema:
        """Observations as arrays."""
        return Schema(self.environment.features, self.environment.actions)

    @property
    def networks(self) -> Networks:
        """The encoder and the heads with which the problem is trained by default."""
        config = TrainConfig.for_problem(self.problem)
        return Networks(config.encoder, config.heads)

    def policy(self, encoder: EncoderConfig | None = None, heads: HeadsConfig | None = None) -> GraphPolicy:
        """A fresh policy, made as the problem's `networks` where nothing else is given."""
        networks = self.networks
        return GraphPolicy(
            self.environment.features, self.environment.actions, encoder or networks.encoder, heads or networks.heads
        )

    def live(self, num_envs: int, seed: int, penalty: float = 1.0) -> LiveEpisodes:
        """Episodes of the stream of that seed."""
        return LiveEpisodes(self.environment, self.source(seed), num_envs, limits=self.limits, penalty=penalty)


def make_setting(
    problem: Problem | str,
    *,
    environment: Environment | None = None,
    instances: GraphBatch | None = None,
    generator: str | None = None,
    sizes: Sequence[int] | None = None,
    weights: str | None = None,
    max_nodes: int | None = None,
    max_edges: int | None = None,
) -> Setting:
    """A setting of a problem, or of the one of that name, with its defaults for what is not given.

    environment: the problem's, with other options. instances: a data set, in a new order each time round; otherwise
    generator, sizes, weights: as for `graphwright train`. max_nodes, max_edges: room for graphs, by default as much as
    128 instances of the largest size (or all of the data set) need; a generated instance without room is drawn
    again.
    """
    problem = find_problem(problem) if isinstance(problem, str) else problem
    environment = environment or problem.environment
    source: Callable[[int], InstanceSource]
    if instances is None:
        drawn = make_generator(problem, generator, tuple(sizes) if sizes else None, weights)
        largest = make_generator(problem, generator, (max(drawn.sizes),), weights)
        source = partial(GeneratedInstances, drawn, block=64)
        tried = largest(_TRIED, torch.Generator().manual_seed(0))
    else:
        source = partial(FixedInstances, instances)
        tried = instances
    return Setting(problem, environment, source, measure(environment, tried, max_nodes, max_edges))


def measure(environment: Environment, instances: GraphBatch, max_nodes: int | None, max_edges: int | None) -> Limits:
    """Room for `instances` [B], and what is added to them in random episodes; or for what is given."""
    graph = environment.observe(environment.reset(instances)).graph
    nodes = max(int(one.node_segments.lengths.max()) for one in (instances, graph))
    edges = max(int(one.edge_segments.lengths.max()) for one in (instances, graph))
    growth = 0
    if environment.edits_graph:
        final = play(environment, instances, random_choice(environment, torch.Generator().manual_seed(0)))
        growth = max(int((final.edge_segments.lengths - instances.edge_segments.lengths).max()), 0)
    nodes, edges = max_nodes or nodes, max_edges or max(edges + growth, 1)
    links = (edges + 1) // 2 if "reverse" in graph.edges else edges
    actions = sum(_candidates(block, Sizes(nodes, links, nodes)) for block in environment.actions.blocks)
    return Limits(nodes, edges, actions, growth)


def _candidates(block: ActionBlock, sizes: Sizes) -> int:
    """The most candidates of a block; of a continuous one, the nodes."""
    return block.rows.most(sizes) * (1 if block.continuous else block.columns)
