"""All states of an environment that builds objects, reached step by step, and its laws on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable

import torch

from graphwright.core import ActionSpec, GraphBatch
from graphwright.envs.reversible import Reversible
from strategies import assert_same, assert_same_batch

Key = Callable[[GraphBatch], list[Hashable]]


def walk(environment: Reversible, instance: GraphBatch, key: Key) -> tuple[GraphBatch, dict[Hashable, int]]:
    """All states that lead on from that of `instance`, one graph, and how many ways lead to each of them.

    For environments whose states have one representation and in which all ways to a state are equally long. Asserts
    that each step can be taken back, and the other way round; that only the initial state has nothing to take back; and
    that taking back never leads out of what steps reach.
    """
    level = environment.reset(instance)
    assert not legal(environment, level, forward=False)[0].numel()
    levels, ways = [level], {key(level)[0]: 1}
    while True:
        owner, action = legal(environment, level, forward=True)
        before = level.select(owner)
        after, reverse = environment.advance(before, action)
        assert_reversible(environment, before, action, after, reverse)
        if not owner.numel():
            break
        names, more = key(after), Counter()
        for name, parent in zip(names, key(before), strict=True):
            more[name] += ways[parent]
        assert not more.keys() & ways.keys()
        first = {name: row for row, name in reversed(list(enumerate(names)))}
        level = after.select(torch.tensor(sorted(first.values())))
        level.validate()
        owner, action = legal(environment, level, forward=False)
        assert set(owner.tolist()) == set(range(level.num_graphs))
        behind, forth = environment.undo(level.select(owner), action)
        assert {*key(behind)} <= {*key(levels[-1])}
        again, back = environment.advance(behind, forth)
        assert_same_batch(again, level.select(owner))
        assert_same(back, action)
        levels.append(level)
        ways |= more
    states = GraphBatch.concat(levels)
    check_observation(environment, states)
    return states, ways


def legal(environment: Reversible, state: GraphBatch, *, forward: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """The graph and the number of every legal action but stop."""
    spec: ActionSpec = environment.actions if forward else environment.backward_actions
    masks = environment.observe(state).masks if forward else environment.backward_masks(state)
    for block, mask in zip(spec.blocks, masks, strict=True):
        rows = block.rows.segments(state).num_rows
        assert mask.dtype == torch.bool
        assert mask.shape == ((rows,) if block.columns == 1 else (rows, block.columns))
    allowed = spec.arrange(state, masks).clone()
    segments = spec.segments(state)
    if forward and environment.has_stop:
        allowed &= segments.position > 0
    return segments.index[allowed], segments.position[allowed]


def assert_reversible(
    environment: Reversible,
    before: GraphBatch,
    action: torch.Tensor,
    after: GraphBatch,
    reverse: torch.Tensor,
) -> None:
    kept = before.to_tensors()
    owner, backward = legal(environment, after, forward=False)
    assert {*zip(range(after.num_graphs), reverse.tolist(), strict=True)} <= {
        *zip(owner.tolist(), backward.tolist(), strict=True)
    }
    again, forth = environment.undo(after, reverse)
    assert_same_batch(again, before)
    assert_same(forth, action)
    assert all(torch.equal(column, kept[name]) for name, column in before.to_tensors().items())


def check_observation(environment: Reversible, states: GraphBatch) -> None:
    """An observation has the nodes of its state, the edges if actions are tied to them, and the columns it promises."""
    observed, features = environment.observe(states).graph, environment.features
    if any(
        block.rows == "edges" for spec in (environment.actions, environment.backward_actions) for block in spec.blocks
    ):
        assert_same(observed.edge_index, states.edge_index)
    assert_same(observed.node_ptr, states.node_ptr)
    tables = (
        ("node", features.nodes, observed.nodes, states.num_nodes),
        ("edge", features.edges, observed.edges, observed.num_edges),
        ("graph", features.graphs, observed.graphs, states.num_graphs),
    )
    for table, widths, columns, rows in tables:
        for name, width in widths.items():
            assert columns[name].numel() == rows * width, f"{table} column {name}"
            assert columns[name].double().isfinite().all()
    if features.node_types:
        assert bool((observed.nodes["type"] < features.node_types).all())
