"""`Endless`: nothing terminates, and what is averaged over time is a number of each state."""

from __future__ import annotations

import torch

from graphwright.envs.conformance.batching import check_company
from graphwright.envs.conformance.calls import Watched
from graphwright.envs.conformance.compare import ConformanceError
from graphwright.envs.conformance.episodes import PlayedEpisodes
from graphwright.envs.conformance.forms import check_numbers


def check_endless(watched: Watched, episodes: PlayedEpisodes, generator: torch.Generator) -> None:
    """Raise ConformanceError unless these rules hold of the states of `episodes`, which were played for some steps.

    * No step terminates: where time is up, an episode is truncated, and its last state has a value.
    * `averages` gives some [B] float64 numbers by name, functions of each state alone, the same names for all.
    """
    if bool(episodes.ended.any()):
        graph = int(episodes.ended.nonzero()[0])
        raise ConformanceError(
            f"step: an episode of graph {graph} terminates. What is Endless never does; where time is up, truncate."
        )
    names = list(watched.call("averages", episodes.start))
    states = [episodes.start, episodes.final, *([episodes.visits.state] if episodes.visits is not None else [])]
    for state in states:
        found = watched.call("averages", state)
        if list(found) != names or not names:
            raise ConformanceError(
                f"averages: the same names at every time, at least one; got {names} and {list(found)}"
            )
        for name, values in found.items():
            check_numbers("averages", values, (state.num_graphs,), torch.float64, what=f"average {name!r}")
        whole = tuple(found.values())
        check_company(watched, state, {"averages": found}, _rows_of, generator)
        watched.require_same("averages", whole, tuple(watched.call("averages", state).values()))


def _rows_of(found: dict[str, torch.Tensor], index: torch.Tensor) -> dict[str, torch.Tensor]:
    return {name: values[index] for name, values in found.items()}
