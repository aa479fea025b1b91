"""A conformance test for environments that build: whoever passes it can be sampled from, forward and backward."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import ActionSpec, GraphBatch
from graphwright.core.segment import segment_sample, segment_sum
from graphwright.envs.conformance import ConformanceError
from graphwright.envs.reversible import Reversible


def check_flow_environment(
    environment: Reversible, instances: GraphBatch, *, seed: int = 0, max_steps: int = 1000
) -> None:
    """Build random objects of `instances`, take them apart again, and raise ConformanceError unless these rules hold.

    * States are valid graph batches; `observe` has the same nodes and the columns of `features`, and where actions are
      tied to edges the same edges. What is `given` is the same for all states of an object.
    * Every action leads to a state from which `reverse` leads back: to the same object, by the same action or one that
      leads to the same object again. The same holds for backward actions.
    * Only initial states have nothing to take back; building and taking apart both end within `max_steps`. Where stop
      is an action, no state is a dead end, which may neither stop nor go on.
    * The graphs of a batch do not affect each other, and no method changes what it is given.
    """
    generator = torch.Generator().manual_seed(seed)
    state = environment.reset(instances)
    finished = []
    first = environment.keys(state)
    _require(not _may_go_back(environment, state).any(), "an initial state has nothing to take back")
    for _ in range(max_steps):
        _check_state(environment, state)
        mask = environment.actions.arrange(state, environment.observe(state).masks)
        action = _draw(environment.actions, state, mask, generator)
        stuck = environment.has_stop and bool((action < 0).any())
        _require(not stuck, "where stop is an action, every state may stop or go on")
        over = (action < 0) | (action == 0) if environment.has_stop else action < 0
        finished.append(state.select(over))
        state, action = state.select(~over), action[~over]
        if not state.num_graphs:
            break
        _check_step(environment, state, action)
        state = environment.advance(state, action).state
        _require(bool(_may_go_back(environment, state).all()), "every state but the first can be taken back")
    _require(not state.num_graphs, f"objects are finished within {max_steps} steps")
    state = GraphBatch.concat(finished)
    ends: list[bytes] = []
    for _ in range(max_steps):
        mask = environment.backward_actions.arrange(state, environment.backward_masks(state))
        action = _draw(environment.backward_actions, state, mask, generator)
        ends += environment.keys(state.select(action < 0))
        state, action = state.select(action >= 0), action[action >= 0]
        if not state.num_graphs:
            break
        _check_undo(environment, state, action)
        state = environment.undo(state, action).state
    _require(sorted(ends) == sorted(first), "taking back ends in the initial state")


def _check_state(environment: Reversible, state: GraphBatch) -> None:
    state.validate()
    seen, features = environment.observe(state).graph, environment.features
    seen.validate()
    _require(torch.equal(seen.node_ptr, state.node_ptr), "observe keeps nodes")
    specs = (environment.actions, environment.backward_actions)
    tied = any(block.rows.table == "edges" for spec in specs for block in spec.blocks)
    same = torch.equal(seen.edge_index, state.edge_index)
    _require(same or not tied, "observe keeps the edges that actions are tied to")
    for table in ("nodes", "edges", "graphs"):
        for name, width in getattr(features, table).items():
            column = getattr(seen, table).get(name)
            _require(column is not None, f"the observation has the column {name!r} of {table} that features declares")
            _require(column.shape[1:].numel() == width, f"column {name!r} of {table} has width {width}")
    for spec, masks in (
        (environment.actions, environment.observe(state).masks),
        (environment.backward_actions, environment.backward_masks(state)),
    ):
        _require(len(masks) == len(spec.blocks), "there is a mask for each block")
        for block, segments, mask in zip(spec.blocks, spec.rows(state), masks, strict=True):
            rows = segments.num_rows
            shape = (rows,) if block.columns == 1 else (rows, block.columns)
            _require(mask.dtype == torch.bool and mask.shape == shape, f"the mask of {block.name} is {shape} bool")


def _check_step(environment: Reversible, state: GraphBatch, action: Tensor) -> None:
    before = _copy(state)
    after, reverse = environment.advance(state, action)
    _require(_same(before, state), "step leaves the state that it is given as it was")
    after.validate()
    given = environment.given(state), environment.given(after)
    _require(_same_given(*given), "what is given stays as it is")
    legal = environment.backward_actions.arrange(after, environment.backward_masks(after))
    _require(_is_legal(environment.backward_actions, after, legal, reverse), "what leads back is legal")
    kept = _copy(after)
    parent, again = environment.undo(after, reverse)
    _require(_same(kept, after), "undo leaves the state that it is given as it was")
    _require(environment.keys(parent) == environment.keys(state), "undo after step gives the same object")
    twice = environment.advance(parent, again).state
    _require(environment.keys(twice) == environment.keys(after), "undo names the action that leads there again")
    alone = environment.advance(state.select(torch.tensor([0])), action[:1])
    _require(_same(_copy(alone.state), after.select(torch.tensor([0]))), "graphs do not affect each other")
    _require(bool(alone.reverse[0] == reverse[0]), "graphs do not affect each other's way back")


def _check_undo(environment: Reversible, state: GraphBatch, action: Tensor) -> None:
    before = _copy(state)
    parent, forward = environment.undo(state, action)
    _require(_same(before, state), "undo leaves the state that it is given as it was")
    parent.validate()
    legal = environment.actions.arrange(parent, environment.observe(parent).masks)
    _require(_is_legal(environment.actions, parent, legal, forward), "the action that undo names is legal")
    again = environment.advance(parent, forward).state
    _require(environment.keys(again) == environment.keys(state), "step after undo gives the same object")


def _draw(actions: ActionSpec, state: GraphBatch, mask: Tensor, generator: torch.Generator) -> Tensor:
    logits = torch.zeros(mask.shape).masked_fill(~mask, -torch.inf)
    return segment_sample(logits, actions.segments(state), generator)


def _may_go_back(environment: Reversible, state: GraphBatch) -> Tensor:
    actions = environment.backward_actions
    return segment_sum(actions.arrange(state, environment.backward_masks(state)), actions.segments(state)) > 0


def _is_legal(actions: ActionSpec, state: GraphBatch, mask: Tensor, action: Tensor) -> bool:
    return bool(mask[actions.segments(state).ptr[:-1] + action].all())


def _copy(state: GraphBatch) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in state.to_tensors().items()}


def _same(before: dict[str, Tensor], state: GraphBatch) -> bool:
    after = state.to_tensors()
    return before.keys() == after.keys() and all(torch.equal(before[name], after[name]) for name in before)


def _same_given(before: GraphBatch | None, after: GraphBatch | None) -> bool:
    if before is None or after is None:
        return before is after
    return _same(_copy(before), after)


def _require(holds: bool, rule: str) -> None:
    if not holds:
        raise ConformanceError(f"broken rule: {rule}")
