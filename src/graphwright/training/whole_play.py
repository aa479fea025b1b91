"""One graph decided many nodes at a time, each time by a look at the whole of it."""

from __future__ import annotations

from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.fading_graph import FadingGraph
from graphwright.core.rows import NODES
from graphwright.distributions import RaggedCategorical
from graphwright.envs.environment import Environment
from graphwright.envs.simultaneous import Simultaneous
from graphwright.nn import GraphPolicy
from graphwright.training.local_play import best_together


def why_not_played_at_once(environment: Environment) -> str | None:
    """Why no two nodes can be decided at once; None where they can."""
    block = environment.actions.blocks[0]
    if not isinstance(environment, Simultaneous):
        return "its environment decides one thing at a time"
    if len(environment.actions.blocks) > 1 or block.rows != NODES or block.columns != 1:
        return "it does not choose nodes alone"
    return None


def play_at_once(policy: GraphPolicy, environment: Simultaneous, instance: GraphBatch, radius: int) -> GraphBatch:
    """The last state of one graph. In each step all nodes are chosen that `best_together` names."""
    state = environment.reset(instance)
    while (nodes := _next(policy, environment, state, radius)).numel():
        state = environment.decide(state, nodes)
    return state


def _next(policy: GraphPolicy, environment: Simultaneous, state: GraphBatch, radius: int) -> Tensor:
    observation = environment.observe(state)
    distribution = policy.distribution(observation)
    assert isinstance(distribution, RaggedCategorical)
    edges = FadingGraph(observation.graph)
    return best_together(environment, edges, distribution.logits, radius, environment.share)
