"""Pictures of solutions in the user's own names, and of a policy at work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.drawing.frames import FrameRenderer
from graphwright.drawing.graphs import draw_solution, note_unplaced
from graphwright.drawing.labels import Labels
from graphwright.drawing.large_graphs import LARGE, draw_large
from graphwright.drawing.layout import place_nodes
from graphwright.drawing.letters import printable
from graphwright.envs.optimization import PLACES, Optimization
from graphwright.envs.readable import Inputs
from graphwright.envs.rollouts import unroll
from graphwright.training.agent import Agent
from graphwright.training.config import ConfigError
from graphwright.training.solve import NamedSolution

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FRAMES = 80
_MOST_MOVING = 1_000
"""So many nodes at most in a moving picture."""


def draw(
    environment: Optimization, graph: GraphBatch, names: Sequence[str], solution: NamedSolution, title: str = ""
) -> Figure:
    """A solution of one graph: chosen nodes filled, chosen links thick, a plan in its order.

    environment: that reads the graph, `agent.config.environment`. graph: as it was given to `solve`; where its nodes
    have positions (`x` and `y`, `longitude` and `latitude`, `position`), they stand there, and otherwise so that
    distances are near to those in the graph. Names and weights stand where there is room; from 3,000 nodes on it is
    shown where how many are chosen. title: by default the objective.
    """
    number = {name: node for node, name in enumerate(names)}
    shown_names = [printable(name) for name in names]
    instance = environment.instance(graph)
    given, geographic = positions(graph)
    edges = instance.edge_index[:, instance.links[0]].T.numpy()
    nodes = np.array([number[name] for name in solution.nodes], dtype=int)
    links = np.array([[number[one], number[other]] for one, other in solution.links], dtype=int).reshape(-1, 2)
    title = title or f"{solution.objective:g}"
    if len(names) >= LARGE:
        return draw_large(edges, nodes, links, given, len(names), title)
    position, placed = place_nodes(edges, len(names), given)
    shown = instance.links[0] if environment.shows_edges else instance.links[0][:0]
    inputs = environment.inputs or Inputs()
    weights = _texts(instance.nodes, (*inputs.node_weight, *inputs.nodes), torch.arange(len(names)))
    figure = draw_solution(
        instance.edge_index[:, shown].T.numpy(),
        nodes,
        links,
        position,
        title,
        marks=_marks(instance),
        geographic=geographic,
        labels=replace(
            _order(solution, number),
            nodes=[f"{name} · {weight}" for name, weight in zip(shown_names, weights, strict=True)]
            if weights
            else shown_names,
            links=_texts(instance.edges, (*inputs.edge_weight, *inputs.edges), shown),
        ),
    )
    note_unplaced(figure, placed)
    return figure


def episode(agent: Agent, graph: GraphBatch, title: str = "") -> list[np.ndarray]:
    """How the policy solves one graph, decision by decision: pictures [height, width, 3] uint8, 80 at most.

    Raises ConfigError where it samples, and for graphs of more than 1,000 nodes.
    """
    environment = agent.config.played
    if agent.samples or not isinstance(environment, Optimization):
        raise ConfigError(
            f"{agent.problem.name}: only an episode that is played for an objective makes a moving picture"
        )
    if graph.num_nodes > _MOST_MOVING:
        raise ConfigError(
            f"a moving picture is of {_MOST_MOVING:,} nodes at most, not of {graph.num_nodes:,}; draw a PNG"
        )
    instance = environment.instance(graph)
    state = environment.reset(instance.to(agent.device))
    steps = unroll(environment, state, agent.policy.best)
    states = [state, *(step.step.state for step in steps if step.step is not None)]
    shown = np.unique(np.linspace(0, len(states) - 1, min(len(states), _FRAMES)).round().astype(int))
    renderer = FrameRenderer(state.to("cpu"), *positions(graph), _marks(instance))
    frames = []
    for place in shown.tolist():
        at = states[place].to("cpu")
        said = f"step {place} of {len(states) - 1}, {agent.problem.objective} {float(environment.objective(at)[0]):g}"
        frames.append(renderer.draw(environment, at, f"{title}: {said}" if title else said))
    return frames


def _marks(instance: GraphBatch) -> dict[str, np.ndarray]:
    """Name → the nodes that play this part."""
    return {
        name: column.nonzero().squeeze(1).numpy()
        for name, column in instance.nodes.items()
        if column.dtype == torch.bool and column.dim() == 1 and column.any()
    }


def positions(graph: GraphBatch) -> tuple[np.ndarray | None, bool]:
    """Where a file puts its nodes [N, 2], and whether that is longitude and latitude."""
    columns = {name.lower(): column for name, column in graph.nodes.items()}
    for names, geographic in ((("longitude", "latitude"), True), (("lon", "lat"), True), (("x", "y"), False)):
        if all(name in columns and columns[name].dim() == 1 for name in names):
            return np.stack([columns[name].double().numpy() for name in names], axis=1), geographic
    for name in ("position", "pos"):
        if name in columns and columns[name].dim() == 2 and columns[name].shape[1] == 2:
            return columns[name].double().numpy(), False
    return None, False


def _texts(columns: Mapping[str, Tensor], names: Sequence[str], rows: Tensor) -> list[str]:
    """The numbers at `rows` of the first of the columns `names` in which they differ; none where there is none."""
    for name in dict.fromkeys(names):
        column = columns.get(name)
        if name in PLACES or column is None or column.dim() != 1 or not column.is_floating_point():
            continue
        numbers = column[rows].tolist()
        if len(set(numbers)) > 1:
            return [f"{number:.3g}" for number in numbers]
    return []


def _order(solution: NamedSolution, number: Mapping[str, int]) -> Labels:
    """In which order a plan comes to nodes and links, and the ways between the nodes."""
    steps: defaultdict[int, list[str]] = defaultdict(list)
    link_steps: defaultdict[tuple[int, int], list[str]] = defaultdict(list)
    chosen = {frozenset(link) for link in solution.links}
    told = [step for step in solution.plan if step.node is not None or step.link is not None]
    for place, step in enumerate(told, 1):
        if step.link is not None:
            link_steps[number[step.link[0]], number[step.link[1]]].append(str(place))
        elif step.node is not None:
            steps[number[step.node]].append(str(place))
    nodes = [step.node for step in told if step.node is not None]
    ways = [(number[one], number[other]) for one, other in pairwise(nodes) if frozenset((one, other)) in chosen]
    return Labels(
        steps={node: ",".join(places) for node, places in steps.items()},
        link_steps={link: ",".join(places) for link, places in link_steps.items()},
        ways=np.array(ways, int).reshape(-1, 2),
    )
