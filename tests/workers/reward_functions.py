"""RewardFunction that workers compute, good and bad ones."""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.segment import segment_sum
from graphwright.envs.generation import Reward


def fingerprint(states: GraphBatch) -> Tensor:
    """[B, 3] float64: depends on the columns of `strategies.ragged_batches` and on the place of each edge."""
    assert states.num_graphs
    states.validate()
    source, destination = states.edge_index - states.node_ptr[:-1][states.edge_graph]
    opposite = states.edges.get("reverse", torch.zeros_like(source))
    weight = states.edges["w"].sum(1).double() + states.edges["label"] + 2 * states.edges["open"]
    place = states.edge_segments.position + 1
    of_edges = segment_sum(place * (source + 2 * destination + 3 * opposite + weight), states.edge_segments)
    value = states.nodes["x"].sum(1).double() + states.nodes["mass"].sum((1, 2)) + states.nodes["kind"]
    of_nodes = segment_sum(value * (states.node_segments.position + 1), states.node_segments)
    return torch.stack([of_edges, of_nodes, states.graphs["g"].double() + states.graphs["code"].sum(1)], 1)


def label(states: GraphBatch) -> Tensor:
    """[B] int64."""
    return states.graphs["label"]


def slow_label(states: GraphBatch, seconds: float = 0.3) -> Tensor:
    """[B] int64, after a while."""
    time.sleep(seconds)
    return states.graphs["label"]


def wrong_shape(states: GraphBatch) -> Tensor:
    """[B, 2]."""
    return states.graphs["label"][:, None].expand(-1, 2)


def write_and_fail(states: GraphBatch) -> Tensor:
    """Breaks the given states before it fails."""
    states.graphs["label"].zero_()
    raise ArithmeticError("no such molecule")


def faulty(states: GraphBatch, fault: str, flag: str, bad: int) -> Tensor:
    """[B] int64; fails where a label is `bad`, as long as file `flag` is not there, which the first failure makes
    unless `flag` is empty."""
    if bool((states.graphs["label"] == bad).any()) and not (flag and Path(flag).exists()):
        if flag:
            Path(flag).touch()
        if fault == "raise":
            write_and_fail(states)
        elif fault == "exit":
            os._exit(7)
        else:
            time.sleep(1000)
    return states.graphs["label"]


class EndsTheWorker(Reward):
    """Of grids; the process ends where both coordinates are 2."""

    def __call__(self, environment: object, objects: GraphBatch) -> Tensor:
        if bool((objects.nodes["coordinate"].view(-1, 2) == 2).all(1).any()):
            os._exit(7)
        return torch.zeros(objects.num_graphs, dtype=torch.float64)


class FailsToLoad:
    """A function that a worker cannot unpickle."""

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return partial(int, "no number"), ()

    def __call__(self, states: GraphBatch) -> Tensor:
        return states.graphs["label"]
