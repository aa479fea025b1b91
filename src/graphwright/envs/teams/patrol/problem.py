"""Patrol as a problem of the registry: maps of places in the plane, agents of which some drop out."""

from __future__ import annotations

import torch

from graphwright.core import GraphBatch, Segments, from_edges
from graphwright.envs.generators.gabriel import Gabriel
from graphwright.envs.problem import ControlRule, Problem
from graphwright.envs.teams.defaults import LARGE_MINIBATCHES
from graphwright.envs.teams.patrol.environment import MAP, Patrol, stalest

_PLACES = 6  # an agent
_NEVER = 1 << 40
_DROPS, _FROM, _TO = 0.3, 20, 80


def beats(graph: GraphBatch, generator: torch.Generator, drops: float = _DROPS) -> GraphBatch:
    """As many agents as `graph` has nodes on a Gabriel graph of six times as many random places.

    The first agent stays; of the others a share of `drops` drops out between steps 20 and 80.
    """
    agents = graph.node_segments.lengths
    places = _PLACES * agents
    links, columns = Gabriel().sample(places, generator)
    device, teams = generator.device, Segments.from_lengths(agents + places)
    grounds, pairs = Segments.from_lengths(places), Segments.from_lengths(agents * places)
    ground = grounds.position + (teams.ptr[:-1] + agents)[grounds.index]
    crew = teams.ptr[:-1][pairs.index] + pairs.position // places[pairs.index]
    spot = ground[grounds.ptr[:-1][pairs.index] + pairs.position % places[pairs.index]]
    linked = ground[links]
    edge_index = torch.cat([torch.stack([crew, spot]), torch.stack([spot, crew]), linked, linked.flip(0)], 1)
    sizes = pairs.num_rows, pairs.num_rows, 2 * links.shape[1]
    type_ = torch.tensor([2, 1, MAP], device=device).repeat_interleave(torch.tensor(sizes, device=device))
    beginnings = torch.rand(int(agents.sum()), generator=generator, device=device)
    each = Segments.from_lengths(agents)
    first = (beginnings * places[each.index]).long()
    own = each.ptr[:-1][pairs.index] + pairs.position // places[pairs.index]
    begins = pairs.position % places[pairs.index] == first[own]
    start = torch.cat([begins, torch.zeros(pairs.num_rows + sizes[2], dtype=torch.bool, device=device)])
    is_agent = teams.position < agents[teams.index]
    leaving = torch.randint(_FROM, _TO, (teams.num_rows,), generator=generator, device=device)
    stays = torch.rand(teams.num_rows, generator=generator, device=device) >= drops
    leaves = torch.where(stays | (teams.position == 0) | ~is_agent, _NEVER, leaving)
    position = torch.zeros(teams.num_rows, 2, device=device).index_copy(0, ground, columns["position"].float())
    return from_edges(
        edge_index,
        agents + places,
        undirected=False,
        nodes={"type": (~is_agent).long(), "leaves": leaves, "position": position},
        edges={"type": type_, "start": start},
    )


def all_stay(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
    """The same, and nobody drops out."""
    return beats(graph, generator, drops=0.0)


PATROL = Problem(
    name="patrol",
    summary="a team visits the places of a map again and again; some drop out",
    objective="return",
    environment=Patrol(),
    topology="points",
    sizes=(2, 3, 4),
    laws={"dropping-out": beats, "staying": all_stay},
    baselines={"stalest": ControlRule(stalest)},  # type: ignore[arg-type]
    training={
        "algorithm": "ppo",
        "encoder": {"kind": "gin", "depth": 3},
        "heads": {"value_pool": "mean"},
        "ppo": {
            "ratio": "decision",
            "learning_rate": 1e-3,
            "epochs": 4,
            "discount": 0.95,
            "gae_lambda": 0.9,
            "value_coefficient": 0.1,
            "entropy_coefficient": 0.01,
        },
        "collection": {"steps": {"num_envs": 32, "num_steps": 32}} | LARGE_MINIBATCHES,
        "validation": {"sizes": (3, 6), "graphs": 16, "every": 10, "decode": "sample"},
    },
)
