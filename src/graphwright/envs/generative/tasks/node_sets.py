"""`independent-set` and `max-cut` as flow problems: good solutions of a graph, not one but many."""

from __future__ import annotations

import json

import torch

from graphwright.core import GraphBatch
from graphwright.envs.generation import Generation
from graphwright.envs.generative.node_sets import CHOSEN, CutReward, Cuts, IndependentSets, SetReward
from graphwright.envs.generators import InstanceGenerator
from graphwright.envs.generators.rb import SMALL_RB_SIZES, ModelRB
from graphwright.envs.reversible import Reversible

_SMALL_SIZES = tuple(n for n in range(20, 61) if any(n % cliques == 0 for cliques in range(5, 9)))


def rb_graphs(environment: Reversible, count: int, generator: torch.Generator) -> GraphBatch:
    """Graphs of Model RB with 200 to 300 nodes."""
    return InstanceGenerator(ModelRB(), SMALL_RB_SIZES, lambda graph, generator: graph)(count, generator)


def small_rb_graphs(environment: Reversible, count: int, generator: torch.Generator) -> GraphBatch:
    """Graphs of Model RB with 5 to 8 cliques and 20 to 60 nodes."""
    return InstanceGenerator(ModelRB(n_min=5, n_max=8), _SMALL_SIZES, lambda graph, generator: graph)(count, generator)


def chosen_nodes(environment: Reversible, objects: GraphBatch) -> list[str]:
    """A JSON document a line: {"nodes": how many, "edges": [[u, v], ...], "chosen": [...]}."""
    rows, links = objects.links
    ends = (objects.edge_index[:, rows] - objects.node_ptr[:-1][objects.edge_graph[rows]]).T
    lines = []
    for place, edges in enumerate(ends.split(links.lengths.tolist())):
        chosen = objects.nodes[CHOSEN][slice(*objects.node_ptr[place : place + 2].tolist())]
        document = {
            "nodes": chosen.numel(), "edges": edges.tolist(), "chosen": chosen.nonzero().squeeze(1).tolist()
        }  # fmt: skip
        lines.append(json.dumps(document, separators=(",", ":")))
    return lines


_FLOW = {"learning_rate": 3e-3}
_TRAINING = {
    "algorithm": "vargrad",
    "collection": {"trajectories": {"sources": {"forward": 64, "num_samples": 8}}},
    "flow": _FLOW,
    "heads": {"pool": "mean", "value_pool": "sum"},
    "validation": {"every": 100, "objects": 16},
}
INDEPENDENT_SETS = Generation(
    reward=SetReward(temperature=0.03),
    environment=IndependentSets(),
    export=chosen_nodes,
    instances=rb_graphs,
    one_instance=False,
    small_instances=small_rb_graphs,
    training=_TRAINING | {"encoder": {"kind": "gin", "depth": 2, "width": 32}},
)
CUTS = Generation(
    reward=CutReward(temperature=0.25),
    environment=Cuts(),
    export=chosen_nodes,
    instances=rb_graphs,
    one_instance=False,
    small_instances=small_rb_graphs,
    training=_TRAINING
    | {
        "encoder": {"kind": "sage", "depth": 2, "width": 32},
        "flow": {**_FLOW, "regression": "huber"},
    },
)
