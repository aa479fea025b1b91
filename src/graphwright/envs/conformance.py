"""A conformance test for environments: whoever passes it can be trained on, batched, stored and resumed."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch, Segments, Step, relabel
from graphwright.envs.environment import Environment
from graphwright.envs.problem import random_choice
from graphwright.envs.rollouts import Choose, has_choice, play


class ConformanceError(AssertionError):
    """An environment breaks a rule of its contract; the message names the rule."""


def check_environment(
    environment: Environment, instances: GraphBatch, *, seed: int = 0, max_steps: int = 10_000
) -> None:
    """Play random episodes of `instances` and raise ConformanceError unless these rules hold.

    * States and observations are valid graph batches and have the columns and widths that `features` declares.
    * A legal action exists until an episode is over; episodes end within `max_steps`; rewards are finite.
    * The graphs of a batch do not affect each other.
    * Renumbering the nodes of an instance renumbers its observations, and changes nothing else.
    * No method changes the state that it is given, and the same arguments give the same result.
    """
    generator = torch.Generator(instances.device).manual_seed(seed)
    before = _copy(instances)
    start = environment.reset(instances)
    _require(_same(before, instances.to_tensors()), "reset leaves the instances that it is given as they were")
    start.validate()
    before = _copy(start)
    _check_features(environment, start)
    _require(_same(before, start.to_tensors()), "observe leaves the state that it is given as it was")
    state, steps = start.select(has_choice(environment, environment.observe(start))), 0
    while state.num_graphs:
        steps += 1
        _require(steps <= max_steps, f"episodes end within {max_steps} steps")
        step = _check_step(environment, state, random_choice(environment, generator))
        over = step.terminated | step.truncated
        choice = has_choice(environment, environment.observe(step.state))
        _require(bool((choice | over).all()), "a legal action exists until the episode is over")
        state = step.state.select(~over)
    final = play(environment, instances, random_choice(environment, generator))
    _require(bool(environment.cost(final).isfinite().all()), "costs are finite")


def _check_features(environment: Environment, state: GraphBatch) -> None:
    observation = environment.observe(state)
    observation.graph.validate()
    for table in ("nodes", "edges", "graphs"):
        for name, width in getattr(environment.features, table).items():
            column = getattr(observation.graph, table).get(name)
            _require(column is not None, f"the observation has the column {name!r} of {table} that features declares")
            assert column is not None
            _require(column[:1].numel() in (0, width), f"column {name!r} of {table} has width {width}")
    _require(len(observation.masks) == len(environment.actions.blocks), "there is a mask for each action block")


def _check_step(environment: Environment, state: GraphBatch, choose: Choose) -> Step:
    """One step, taken again, alone, renumbered, and with an eye on the state that is given."""
    before = _copy(state)
    action = choose(environment.observe(state))
    step = environment.step(state, action)
    _require(_same(before, state.to_tensors()), "step leaves the state that it is given as it was")
    again = environment.step(state, action)
    _require(_same(step.state.to_tensors(), again.state.to_tensors()), "the same arguments give the same state")
    _require(bool(step.reward.isfinite().all()), "rewards are finite")
    one = torch.arange(1, device=state.device)
    alone = environment.step(state.select(one), environment.actions.select(state, action, one))
    _require(
        _same(step.state.select(one).to_tensors(), alone.state.to_tensors()) and _same_outcome(step, alone, one),
        "a graph in a batch steps as it does alone",
    )
    _check_relabelling(environment, state)
    return step


def _check_relabelling(environment: Environment, state: GraphBatch) -> None:
    place = _reversed_nodes(state.node_segments)
    seen, mirrored = environment.observe(state), environment.observe(relabel(state, place))
    in_view = _reversed_nodes(seen.graph.node_segments)  # an observation may leave nodes out, but keeps their order
    expected = relabel(seen.graph, in_view)
    for name in environment.features.nodes:
        _require(
            torch.equal(expected.nodes[name], mirrored.graph.nodes[name]),
            f"renumbering nodes renumbers the observed column {name!r}",
        )
    _require(
        torch.equal(expected.edge_index, mirrored.graph.edge_index), "renumbering nodes renumbers the observed edges"
    )
    for block, mask, other in zip(environment.actions.blocks, seen.masks, mirrored.masks, strict=True):
        if block.rows.table == "nodes":
            _require(torch.equal(mask, other[in_view]), f"renumbering nodes renumbers the mask of {block.name!r}")


def _reversed_nodes(segments: Segments) -> Tensor:
    """The place of each node when every graph counts its nodes backwards, [N]."""
    last = segments.ptr[1:][segments.index] - 1
    return last - segments.position


def _copy(batch: GraphBatch) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in batch.to_tensors().items()}


def _same(left: dict[str, Tensor], right: dict[str, Tensor]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def _same_outcome(batch: object, alone: object, rows: Tensor) -> bool:
    names = ("reward", "terminated", "truncated")
    return all(torch.equal(getattr(batch, name)[rows], getattr(alone, name)) for name in names)


def _require(holds: bool, rule: str) -> None:
    if not holds:
        raise ConformanceError(f"rule broken: {rule}")
