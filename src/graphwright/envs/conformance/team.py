"""`Team`: who goes on as whom, what is measured, and what is recorded."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.envs.conformance.batching import check_company
from graphwright.envs.conformance.calls import Watched
from graphwright.envs.conformance.compare import ConformanceError
from graphwright.envs.conformance.episodes import PlayedEpisodes
from graphwright.envs.conformance.forms import check_numbers
from graphwright.envs.conformance.tables import Visit
from graphwright.envs.team import Team


def check_team(watched: Watched, episodes: PlayedEpisodes, generator: torch.Generator) -> None:
    """Raise ConformanceError unless these rules hold of the states of `episodes`.

    * `successor` names for each decider another decider of the same graph in the next state, or -1, none twice; where
      there is none, the deciders are as many as before.
    * `measures` gives [B] float64 numbers by name, functions of each state alone; `success` is 0 or 1,
      and `shares` are among them and lie between 0 and 1.
    * `scene` and `snapshot` of teams of one size give a row for each of them.
    """
    if episodes.visits is not None:
        _check_successor(watched, episodes.visits)
    final = episodes.final
    found = watched.call_again("measures", final)
    for name, values in found.items():
        check_numbers("measures", values, (final.num_graphs,), torch.float64, what=f"measure {name!r}")
    if "success" in found and not bool(((found["success"] == 0) | (found["success"] == 1)).all()):
        raise ConformanceError("measures: 'success' is 0 or 1 of each episode; give shares another name")
    assert isinstance(watched.environment, Team)
    for name in watched.environment.shares:
        if name not in found:
            raise ConformanceError(f"shares: {name!r} is none of the measures {sorted(found)}")
        if not bool(((found[name] >= 0) & (found[name] <= 1)).all()):
            raise ConformanceError(f"shares: {name!r} is not between 0 and 1; leave it out")
    check_company(watched, final, {"measures": found}, _rows_of, generator)
    sizes = final.node_segments.lengths
    alike = final.select(sizes == sizes[:1])
    for method in ("scene", "snapshot"):
        for name, values in watched.call(method, alike).items():
            if values.shape[:1] != (alike.num_graphs,):
                raise ConformanceError(f"{method}: {name!r} has {list(values.shape)}, not a row for each team")


def _check_successor(watched: Watched, visits: Visit) -> None:
    actions, step = watched.environment.actions, visits.step
    before = actions.deciders(visits.observation.graph)
    after = actions.deciders(watched.call("observe", step.state).graph)
    if step.successor is None:
        going = ~(step.terminated | step.truncated)
        wrong = (going & (before.lengths != after.lengths)).nonzero()
        if wrong.numel():
            raise ConformanceError(
                f"step: {visits.name(int(wrong[0]))} goes on with other deciders, and `successor` does not say whose "
                "place each of them has now; give it, -1 for those that are gone"
            )
        return
    successor, graph = step.successor, before.index
    check_numbers("step", successor, (before.num_rows,), torch.int64, what="successor")
    outside = ((successor < -1) | (successor >= after.lengths[graph])).nonzero()
    if outside.numel():
        raise ConformanceError(
            f"step: successor names decider {int(successor[outside[0]])} of "
            f"{visits.name(int(graph[outside[0]]))}, which has {int(after.lengths[graph[outside[0]]])} then"
        )
    named = (after.ptr[:-1][graph] + successor)[successor >= 0]
    if named.unique().numel() != named.numel():
        raise ConformanceError("step: successor names one decider for two; each goes on as itself")


def _rows_of(found: dict[str, Tensor], index: Tensor) -> dict[str, Tensor]:
    return {name: values[index] for name, values in found.items()}
