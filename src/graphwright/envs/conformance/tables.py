"""Rows out of what belongs to a batch of graphs: observations, outcomes, actions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from graphwright.core import ActionSpec, GraphBatch, Observation, Step
from graphwright.core.rows import AT
from graphwright.envs.conformance.compare import Part, parts_of
from graphwright.envs.environment import Environment
from graphwright.envs.team import has_own_reward


@dataclass(frozen=True, eq=False)
class Visit:
    """States that random episodes came through, and what came of them; a row each.

    graph: [S] int64, the place of the instance among those that were given; episode, time: [S] int64, which episode,
    and after how many steps. observation: of `state`; step: of `action`.
    """

    graph: Tensor
    episode: Tensor
    time: Tensor
    state: GraphBatch
    observation: Observation
    action: Tensor
    step: Step

    def name(self, row: int) -> str:
        """What the state of a row is called in messages."""
        return f"graph {int(self.graph[row])} after {int(self.time[row])} steps"

    def select(self, environment: Environment, index: Tensor) -> Visit:
        """The rows at `index` [S'] int64."""
        return Visit(
            self.graph[index],
            self.episode[index],
            self.time[index],
            self.state.select(index),
            select_observation(environment.actions, self.observation, index),
            environment.actions.select(self.observation.graph, self.action, index),
            select_step(environment, self.observation.graph, self.step, index),
        )


def concat_visits(visits: Sequence[Visit]) -> Visit:
    """All rows, one after the other."""
    steps = [visit.step for visit in visits]
    successors = [step.successor for step in steps if step.successor is not None]
    blocks = zip(*(visit.observation.masks for visit in visits), strict=True)
    return Visit(
        torch.cat([visit.graph for visit in visits]),
        torch.cat([visit.episode for visit in visits]),
        torch.cat([visit.time for visit in visits]),
        GraphBatch.concat([visit.state for visit in visits]),
        Observation(
            GraphBatch.concat([visit.observation.graph for visit in visits]),
            tuple(torch.cat(masks) for masks in blocks),
        ),
        torch.cat([visit.action for visit in visits]),
        Step(
            GraphBatch.concat([step.state for step in steps]),
            torch.cat([step.reward for step in steps]),
            torch.cat([step.terminated for step in steps]),
            torch.cat([step.truncated for step in steps]),
            torch.cat(successors) if len(successors) == len(steps) else None,
        ),
    )


def select_observation(actions: ActionSpec, observation: Observation, index: Tensor) -> Observation:
    """What is seen of the graphs at `index` [S] int64."""
    rows = [segments.select(index)[1] for segments in actions.graph_rows(observation.graph)]
    masks = tuple(mask[row] for mask, row in zip(observation.masks, rows, strict=True))
    return Observation(observation.graph.select(index), masks)


def select_step(environment: Environment, seen: GraphBatch, step: Step, index: Tensor) -> Step:
    """What the graphs at `index` [S] int64 came to, of those that were `seen`."""
    spec, own = environment.actions, has_own_reward(environment)
    reward = spec.select(seen, step.reward, index) if own else step.reward[index]
    successor = None if step.successor is None else spec.select(seen, step.successor, index)
    return Step(step.state.select(index), reward, step.terminated[index], step.truncated[index], successor)


def seen_alone(environment: Environment, observation: Observation) -> list[Part]:
    """What a network sees: nodes and edges, the columns that `features` declares, and the masks by their names."""
    features, graph = environment.features, observation.graph
    nodes = [*features.nodes, *(["type"] if features.node_types else [])]
    edges = [*features.edges, *(["type"] if features.edge_types else [])]
    shown = graph.keep(nodes, edges, [*features.graphs, *([AT] if AT in graph.graphs else [])])
    masks = [
        Part(f"the mask of {block.name!r}", mask, rows)
        for block, rows, mask in zip(
            environment.actions.blocks, environment.actions.graph_rows(graph), observation.masks, strict=True
        )
    ]
    return parts_of(shown) + masks
