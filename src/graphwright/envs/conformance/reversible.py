"""`Reversible`: every step can be taken back, and going back ends in the initial state."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import ActionSpec, GraphBatch, relabel
from graphwright.core.segment import inverse, segment_sample, segment_sum
from graphwright.envs.conformance.batching import check_company
from graphwright.envs.conformance.calls import Watched
from graphwright.envs.conformance.compare import ConformanceError, first_difference
from graphwright.envs.conformance.episodes import PlayedEpisodes
from graphwright.envs.conformance.forms import check_graph, check_masks, check_numbers
from graphwright.envs.reversible import Reversible

_NUMBERS = ("log_automorphisms", "log_share")


def check_reversible(
    watched: Watched, environment: Reversible, episodes: PlayedEpisodes, generator: torch.Generator, max_steps: int
) -> None:
    """Raise ConformanceError unless these rules hold of the states of `episodes`.

    * Observations keep all nodes, and the edges where actions are tied to edges, since candidates of both directions
      are rows of them. What is `given` is the same for all states of an episode.
    * `advance` leads where `step` leads, and to a state from which `undo` by `reverse` leads back: to the same object,
      by the same action or one that leads to the same object again. The same holds for backward actions.
    * Only initial states have nothing to undo; going back ends there within `max_steps`. "stop" ends an episode and
      leaves the state as it is; where it is an action, no state is a dead end, which may neither stop nor go on.
    * `keys`, `log_automorphisms` and `log_share` are functions of each graph alone; keys of graphs without names stay
      the same when their nodes are renumbered.
    """
    first = watched.call_again("keys", episodes.start)
    if bool(_may_go_back(watched, environment, episodes.start).any()):
        raise ConformanceError("backward_masks: an initial state has nothing to undo")
    if episodes.visits is not None:
        _check_steps(watched, environment, episodes, generator)
    _check_numbers(watched, environment, episodes.final, generator)
    _check_way_back(watched, environment, episodes.final, sorted(first), generator, max_steps)


def _check_steps(
    watched: Watched, environment: Reversible, episodes: PlayedEpisodes, generator: torch.Generator
) -> None:
    visits = episodes.visits
    assert visits is not None
    _check_state(watched, environment, visits.state)
    stops = visits.action == 0 if environment.has_stop else torch.zeros_like(visits.action, dtype=torch.bool)
    for stopped in visits.select(environment, stops.nonzero().squeeze(1)).episode.unique()[:1]:
        rows = (stops & (visits.episode == stopped)).nonzero().squeeze(1)
        stop = visits.select(environment, rows)
        where = first_difference(stop.state, stop.step.state)
        if where is not None or not bool(stop.step.terminated.all()):
            raise ConformanceError(
                f"step: 'stop' leaves the state as it is and terminates the episode ({where or 'it goes on'})"
            )
    stuck = ((visits.time > 0) & ~_may_go_back(watched, environment, visits.state)).nonzero()
    if stuck.numel():
        raise ConformanceError(
            f"backward_masks: nothing can be undone in {visits.name(int(stuck[0]))}; every state but the first can"
        )
    going = visits.select(environment, (~stops).nonzero().squeeze(1))
    move = watched.call_again("advance", going.state, going.action)
    where = first_difference(going.step.state, move.state, graph=going.name)
    if where is not None:
        raise ConformanceError(f"advance leads elsewhere than step: {where}")
    given = watched.call("given", going.state), watched.call("given", move.state)
    where = first_difference(*given, graph=going.name)
    if where is not None:
        raise ConformanceError(f"given: what is given stays as it is during an episode, but {where} after a step")
    check_forward(watched, environment, going.state, move.state, move.reverse)
    for index in (torch.randperm(going.action.numel(), generator=generator)[:count] for count in (1, 1, 3, 8)):
        part = watched.call("advance", going.state.select(index), going.action[index], of="another batch")
        expected = type(move)(move.state.select(index), move.reverse[index])
        where = first_difference(expected, part, 1e-5)
        if where is not None:
            raise ConformanceError(
                f"advance: among others, {where} in another batch; the graphs of a batch do not affect each other"
            )


def check_forward(
    watched: Watched, environment: Reversible, state: GraphBatch, after: GraphBatch, reverse: Tensor
) -> None:
    """`undo` by `reverse` leads from `after` to `state` again, and names an action that leads back to `after`."""
    _require_legal(watched, environment, after, reverse, forward=False, named="advance: reverse, what leads back,")
    parent, again = watched.call_again("undo", after, reverse)
    check_graph("undo", parent, after.num_graphs)
    _require_keys(watched, state, parent, "undo after advance gives another object than the one before the step")
    _require_legal(
        watched, environment, parent, again, forward=True, named="undo: reverse, the action that leads there again,"
    )
    twice = watched.call("advance", parent, again).state
    _require_keys(
        watched, after, twice, "undo names an action that leads to another object than the one that was undone"
    )


def _check_way_back(
    watched: Watched,
    environment: Reversible,
    state: GraphBatch,
    first: list[bytes],
    generator: torch.Generator,
    max_steps: int,
) -> None:
    ends: list[bytes] = []
    actions = environment.backward_actions
    for _ in range(max_steps):
        mask = actions.arrange(state, watched.call("backward_masks", state))
        action = segment_sample(
            torch.zeros(mask.shape).masked_fill(~mask, -torch.inf), actions.segments(state), generator
        )
        ends += watched.call("keys", state.select(action < 0))
        state, action = state.select(action >= 0), action[action >= 0]
        if not state.num_graphs:
            break
        parent, forward = watched.call("undo", state, action)
        check_graph("undo", parent, state.num_graphs)
        _require_legal(
            watched,
            environment,
            parent,
            forward,
            forward=True,
            named="undo: reverse, the action that leads there again,",
        )
        again = watched.call("advance", parent, forward).state
        _require_keys(watched, state, again, "advance after undo gives another object than the one that was undone")
        state = parent
    if state.num_graphs:
        raise ConformanceError(f"undo: an object is not back at the beginning after {max_steps} random backward steps")
    if sorted(ends) != first:
        raise ConformanceError(
            "undo: going back ends in other states than the initial ones, in which nothing can be undone"
        )


def _check_state(watched: Watched, environment: Reversible, state: GraphBatch) -> None:
    seen = watched.call("observe", state).graph
    tied = {block.rows.table for spec in (environment.actions, environment.backward_actions) for block in spec.blocks}
    kept = torch.equal(seen.node_ptr, state.node_ptr)
    if not kept or ("edges" in tied and not torch.equal(seen.edge_index, state.edge_index)):
        raise ConformanceError(
            "observe: candidates of both directions are rows of what is seen; show all nodes, and all edges where "
            "actions are tied to edges"
        )
    masks = watched.call_again("backward_masks", state)
    check_masks("backward_masks", environment.backward_actions, state, masks)


def _check_numbers(watched: Watched, environment: Reversible, state: GraphBatch, generator: torch.Generator) -> None:
    found = {method: watched.call_again(method, state) for method in _NUMBERS}
    for method, values in found.items():
        check_numbers(method, values, (state.num_graphs,), torch.float64)
    check_company(watched, state, found, lambda whole, index: whole[index], generator)
    keys = watched.call_again("keys", state)
    check_company(
        watched, state, {"keys": keys}, lambda whole, index: [whole[place] for place in index.tolist()], generator
    )
    if type(environment).keys is not Reversible.keys:
        key = state.node_graph + torch.rand(state.num_nodes, generator=generator, dtype=torch.float64)
        other = relabel(state, inverse(torch.argsort(key)))
        if watched.call("keys", other) != keys:
            raise ConformanceError("keys: graphs whose nodes are renumbered are the same objects, but have other keys")


def _may_go_back(watched: Watched, environment: Reversible, state: GraphBatch) -> Tensor:
    actions = environment.backward_actions
    return segment_sum(actions.arrange(state, watched.call("backward_masks", state)), actions.segments(state)) > 0


def _require_legal(
    watched: Watched, environment: Reversible, state: GraphBatch, action: Tensor, *, forward: bool, named: str
) -> None:
    actions: ActionSpec = environment.actions if forward else environment.backward_actions
    masks = watched.call("observe", state).masks if forward else watched.call("backward_masks", state)
    segments, mask = actions.segments(state), actions.arrange(state, masks)
    inside = (action >= 0) & (action < segments.lengths)
    legal = (
        inside & mask[(segments.ptr[:-1] + action).clamp(min=0, max=max(mask.numel() - 1, 0))]
        if mask.numel()
        else inside
    )
    if not bool(legal.all()):
        raise ConformanceError(f"{named} is not legal in the state that the step leads to")


def _require_keys(watched: Watched, one: GraphBatch, other: GraphBatch, rule: str) -> None:
    if watched.call("keys", one) != watched.call("keys", other):
        raise ConformanceError(rule)
