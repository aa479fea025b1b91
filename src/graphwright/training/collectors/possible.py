"""Whether an environment can have made the transitions of a replay: a file may hold any, and kernels follow indices."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.data.replay import Replay
from graphwright.data.samples import DECISIONS
from graphwright.envs.environment import Environment

_CHECKED = 4096


def require_possible(replay: Replay, environment: Environment, n_step: int) -> None:
    """Raise ValueError where a transition has other decisions, actions or successors than its states allow.

    n_step: the most steps of a transition.
    """
    for ids in replay.ids.split(_CHECKED):
        found = replay.select(ids)
        graph = environment.observe(found.state).graph
        decisions, length = found.groups[DECISIONS], found.columns["length"]
        fits = torch.equal(decisions.segments.ptr, environment.actions.deciders(graph).ptr)
        fits = fits and bool(((length >= 1) & (length <= n_step)).all())
        fits = fits and bool(found.columns["reward"].isfinite().all())
        fits = fits and _is_offered(environment, graph, decisions.columns["action"])
        if fits and "successor" in decisions.columns:
            after = environment.actions.deciders(environment.observe(found.next_state).graph).lengths
            successor, of = decisions.columns["successor"], decisions.segments.index
            followed = successor < torch.where(found.columns["terminated"], torch.iinfo(torch.int64).max, after)[of]
            fits = bool((followed & (successor >= -length[of])).all())
        if fits and "reward" in decisions.columns:
            fits = bool(decisions.columns["reward"].isfinite().all())
        if not fits:
            raise ValueError("a transition that this environment cannot have made")


def require_live(replay: Replay, here: Tensor, live: GraphBatch) -> None:
    """Raise ValueError unless the states of the ids `here` [B] are those of the `live` episodes [B]."""
    if here.shape != (live.num_graphs,):
        raise ValueError("a replay of another size")
    try:
        found = replay.states.select(here).to_tensors()
    except IndexError as error:
        raise ValueError(f"live episodes are not among the states of the replay: {error}") from None
    known = live.to_tensors()
    if found.keys() != known.keys() or not all(torch.equal(found[name], known[name]) for name in known):
        raise ValueError("live episodes are not those of the replay")


def _is_offered(environment: Environment, graph: GraphBatch, action: Tensor) -> bool:
    """Whether each action names a candidate of its decision, or -1; where they are continuous, whether it is finite."""
    if environment.actions.continuous:
        return bool(action.isfinite().all())
    return bool(((action >= -1) & (action < environment.actions.segments(graph).lengths)).all())
