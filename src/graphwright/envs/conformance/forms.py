"""The form of what an environment hands out: valid graphs, the columns of `features`, shapes, dtypes, numbers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from graphwright.core import ActionSpec, GraphBatch, GraphError, Observation, Step
from graphwright.core.rows import AT
from graphwright.envs.conformance.compare import ROWS, ConformanceError, difference
from graphwright.envs.environment import Environment
from graphwright.envs.team import has_own_reward


def check_graph(method: str, graph: Any, num_graphs: int) -> None:
    """A valid batch of as many graphs as were given."""
    if not isinstance(graph, GraphBatch):
        raise ConformanceError(f"{method} gives {type(graph).__name__} where a GraphBatch belongs")
    try:
        graph.validate()
    except GraphError as error:
        raise ConformanceError(f"{method} gives no valid graph batch: {error}") from error
    if graph.num_graphs != num_graphs:
        raise ConformanceError(f"{method} makes {graph.num_graphs} graphs of {num_graphs}; it keeps their number")


def check_numbers(method: str, values: Any, shape: tuple[int, ...], dtype: torch.dtype, *, what: str = "") -> None:
    """A tensor of that shape and dtype, finite where it is real."""
    name = what or "result"
    if not isinstance(values, Tensor):
        raise ConformanceError(f"{method}: the {name} is {type(values).__name__}; it is a tensor {list(shape)} {dtype}")
    if values.dtype != dtype or tuple(values.shape) != shape:
        raise ConformanceError(
            f"{method}: the {name} is {list(values.shape)} {values.dtype}; it has to be {list(shape)} {dtype}"
        )
    if values.is_floating_point() and not bool(values.isfinite().all()):
        place = int((~values.isfinite()).reshape(len(values), values.shape[1:].numel()).any(1).nonzero()[0])
        raise ConformanceError(
            f"{method}: the {name} of graph {place} is {values[place].tolist()}; it has to be finite"
        )


def check_observation(environment: Environment, observation: Any, num_graphs: int) -> None:
    """The columns that `features` declares, and a mask for each block of `actions`."""
    if not isinstance(observation, Observation):
        raise ConformanceError(f"observe gives {type(observation).__name__}; it gives Observation(graph, masks)")
    graph, features = observation.graph, environment.features
    check_graph("observe", graph, num_graphs)
    for table, one in ROWS.items():
        columns = getattr(graph, table)
        for name, width in getattr(features, table).items():
            if name not in columns:
                raise ConformanceError(
                    f"features declares the {one} column {name!r}, but observe shows only {sorted(columns)}; show it, "
                    "or take it out of features"
                )
            _check_column(graph, table, name, width)
    for table, count in (("nodes", features.node_types), ("edges", features.edge_types)):
        if count:
            _check_types(graph, table, count)
    check_masks("observe", environment.actions, graph, observation.masks)


def check_step(environment: Environment, state: GraphBatch, step: Any) -> None:
    """A valid state with the same columns, and an outcome for each graph."""
    if not isinstance(step, Step):
        raise ConformanceError(f"step gives {type(step).__name__}; it gives Step(state, reward, terminated, truncated)")
    check_graph("step: state", step.state, state.num_graphs)
    earners = state.num_graphs
    if has_own_reward(environment):
        earners = environment.actions.deciders(environment.observe(state).graph).num_rows
    check_numbers("step", step.reward, (earners,), torch.float32, what="reward")
    for name in ("terminated", "truncated"):
        check_numbers("step", getattr(step, name), (state.num_graphs,), torch.bool, what=name)
    for table, one in ROWS.items():
        before, after = getattr(state, table), getattr(step.state, table)
        if before.keys() != after.keys():
            odd = sorted(before.keys() ^ after.keys())[0]
            raise ConformanceError(
                f"step: the {one} column {odd!r} is there before or after a step only; all states have the columns "
                "that reset gives them"
            )
        for name in before:
            old, new = before[name], after[name]
            if old.dtype != new.dtype or old.shape[1:] != new.shape[1:]:
                raise ConformanceError(
                    f"step: the {one} column {name!r} was {list(old.shape[1:])} {old.dtype} for each {one} and becomes "
                    f"{list(new.shape[1:])} {new.dtype}; a column keeps its type"
                )


def check_kept(method: str, environment: Environment, instances: GraphBatch, state: GraphBatch) -> None:
    """Unless `edits_graph` says otherwise, states are their instances with columns added."""
    if environment.edits_graph:
        return
    remedy = (
        "States are stored as the columns that reset adds to an instance; write what changes into a column of another "
        "name, or set `edits_graph = True`"
    )
    for name in ("node_ptr", "edge_ptr", "edge_index"):
        if difference(getattr(instances, name), getattr(state, name)) is not None:
            raise ConformanceError(f"{method} changes the nodes or edges of the instance ({name}). {remedy}.")
    for table, one in ROWS.items():
        for name, column in getattr(instances, table).items():
            after = getattr(state, table).get(name)
            if after is None or difference(column, after) is not None:
                raise ConformanceError(f"{method} changes the {one} column {name!r} of the instance. {remedy}.")


def _check_column(graph: GraphBatch, table: str, name: str, width: int) -> None:
    column, one = getattr(graph, table)[name], ROWS[table]
    if column.shape[1:].numel() != width:
        raise ConformanceError(
            f"features declares width {width} for the {one} column {name!r}, but observe gives each {one} "
            f"{column.shape[1:].numel()} numbers"
        )
    if column.is_complex():
        raise ConformanceError(f"observe: the {one} column {name!r} is {column.dtype}; networks read real numbers")
    wrong = (~column.isfinite()).reshape(len(column), width).any(1).nonzero()
    if wrong.numel():
        row = int(wrong[0])
        owner = {"nodes": graph.node_graph, "edges": graph.edge_graph}.get(table)
        raise ConformanceError(
            f"observe: the {one} column {name!r} is {column[row].tolist()} in graph "
            f"{row if owner is None else int(owner[row])}; what a network reads is finite (was something divided by a "
            "size, a degree or a largest value that can be 0?)"
        )


def _check_types(graph: GraphBatch, table: str, count: int) -> None:
    column, one = getattr(graph, table).get("type"), ROWS[table]
    if column is None or column.dtype != torch.int64 or column.dim() != 1:
        raise ConformanceError(
            f"features tells {count} types of {table} apart: observe shows a {one} column 'type' int64"
        )
    if column.numel() and not (int(column.min()) >= 0 and int(column.max()) < count):
        raise ConformanceError(f"observe: the {one} column 'type' holds numbers outside 0 to {count - 1}")


def check_masks(method: str, actions: ActionSpec, graph: GraphBatch, masks: Any) -> None:
    """One bool tensor for each block, a row for each of the rows that it is tied to."""
    if not isinstance(masks, tuple) or len(masks) != len(actions.blocks):
        raise ConformanceError(f"{method}: masks are a tuple with one tensor for each of {len(actions.blocks)} blocks")
    if actions.columns.get("graphs") == AT:
        _check_at(graph)
    for block, segments, mask in zip(actions.blocks, actions.rows(graph), masks, strict=True):
        rows = segments.num_rows
        shape = (rows,) if block.columns == 1 or block.continuous else (rows, block.columns)
        if not isinstance(mask, Tensor) or mask.dtype != torch.bool or tuple(mask.shape) != shape:
            found = f"{list(mask.shape)} {mask.dtype}" if isinstance(mask, Tensor) else type(mask).__name__
            raise ConformanceError(
                f"{method}: the mask of {block.name!r} is {found}; it has to be {list(shape)} torch.bool: one for "
                f"{block.rows.label}" + (", undirected edges once" * block.rows.once)
            )


def _check_at(graph: GraphBatch) -> None:
    at = graph.graphs.get(AT)
    if at is None or at.dtype != torch.int64 or at.dim() != 1:
        raise ConformanceError("observe: neighbours are those of the node in the graph column 'at' [B] int64; show it")
    outside = ((at < 0) | (at >= graph.node_segments.lengths)).nonzero()
    if outside.numel():
        raise ConformanceError(
            f"observe: 'at' is {int(at[outside[0]])} in graph {int(outside[0])}, which has no such node"
        )
