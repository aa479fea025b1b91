"""What an environment is told: actions in the form and within the bounds of its action space."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from graphwright.core import ActionSpec, GraphError

Adapter = Callable[[np.ndarray], Any]


def action_adapter(space: gymnasium.Space, actions: ActionSpec) -> Adapter:
    """Turns an action into one of `space`. Raises ValueError for other action spaces, and bounds that nothing meets.

    An action is (number, block, row, column) [4] int64 where graphs decide; otherwise the choice [rows] int64 of each
    node or edge, or its numbers [rows, columns] between −1 and 1: −1 and NaN where a row of the environment is none.
    """
    if actions.continuous:
        if isinstance(space, spaces.Box):
            return _to_box(space, actions)
    elif not actions.one_per_graph:
        fits = len(actions.blocks) == 1 and len(space.shape or ()) == 1
        if fits and isinstance(space, spaces.MultiDiscrete | spaces.MultiBinary):
            return _to_choices(space, actions)
    elif isinstance(space, spaces.Discrete):
        return partial(_to_number, space)
    elif isinstance(space, spaces.MultiDiscrete) and space.shape in ((2,), (3,)):
        return partial(_to_place, space)
    raise ValueError(f"action space {space}: {_needed(actions)}")


def check_size(space: gymnasium.Space, num_actions: int | None) -> None:
    """Raise ValueError where a `Discrete` space has other than `num_actions` actions."""
    if num_actions is not None and isinstance(space, spaces.Discrete) and int(space.n) != num_actions:
        raise ValueError(
            f"action space {space}: the ActionSpec makes {num_actions} actions of the observation's rows; name every "
            "action in it (per_graph('stop') for one more), or wrap the environment"
        )


def _needed(actions: ActionSpec) -> str:
    if actions.continuous:
        return "numbers for each node or edge need a Box [rows, columns]; wrap it"
    if not actions.one_per_graph:
        return (
            "a choice of each node or edge needs a MultiDiscrete or MultiBinary with one for each, and per_decider; "
            "wrap it, or play the choices in turn (SequentialActions)"
        )
    return (
        "an action is one candidate of the ActionSpec; wrap it to be Discrete, or a MultiDiscrete of (row, column) or "
        "(block, row, column); for a choice of each node give per_decider(...) and decider='nodes'"
    )


def _to_box(space: spaces.Box, actions: ActionSpec) -> Adapter:
    """The numbers between −1 and 1 scaled to the bounds; as they are where both bounds are infinite."""
    columns = actions.blocks[0].columns
    shape = space.shape
    rows = shape[0] // columns if len(shape) == 1 else shape[0] if shape else 0
    if len(shape) not in (1, 2) or rows * columns != int(np.prod(shape)) or (len(shape) == 2 and shape[1] != columns):
        raise ValueError(
            f"action space {space}: each row has {columns} number(s), so its shape must be [rows, {columns}] or "
            f"[rows · {columns}]; let continuous= of the ActionSpec or the space agree"
        )
    if np.dtype(space.dtype).kind != "f":
        raise ValueError(f"action space {space}: real numbers are no {space.dtype}; wrap it, or take a MultiDiscrete")
    low, high = (np.asarray(bound, np.float64).reshape(rows, columns) for bound in (space.low, space.high))
    bounded = np.isfinite(low) & np.isfinite(high)
    if (~bounded & (np.isfinite(low) | np.isfinite(high))).any():
        raise ValueError(f"action space {space}: bounded on one side only; wrap it (gymnasium.wrappers.RescaleAction)")
    low, high = (np.where(bounded, bound, free) for bound, free in ((low, -1.0), (high, 1.0)))
    half, centre = high / 2 - low / 2, high / 2 + low / 2
    idle = np.clip(0.0, low, high)

    def adapt(numbers: np.ndarray) -> np.ndarray:
        if len(numbers) > rows:
            raise GraphError(f"{len(numbers)} rows decide, but {space} has only {rows}; enlarge it")
        told = idle.copy()
        there = ~np.isnan(numbers)
        scaled = centre[: len(numbers)] + half[: len(numbers)] * numbers
        told[: len(numbers)][there] = scaled[there]
        return np.clip(told.reshape(shape).astype(space.dtype), space.low, space.high)

    return adapt


def _to_choices(space: spaces.MultiDiscrete | spaces.MultiBinary, actions: ActionSpec) -> Adapter:
    """Of a `MultiBinary`, each row chooses between 0 and 1."""
    columns = actions.blocks[0].columns
    if isinstance(space, spaces.MultiBinary):
        choices, start = np.full(space.shape, 2), np.zeros(space.shape, np.int64)
    else:
        choices, start = space.nvec, space.start
    if (choices > columns).any():
        raise ValueError(
            f"action space {space}: it has up to {int(choices.max())} choices, the ActionSpec {columns}; name all"
        )

    def adapt(choice: np.ndarray) -> np.ndarray:
        if len(choice) > len(choices):
            raise GraphError(f"{len(choice)} rows decide, but {space} has only {len(choices)}; enlarge it")
        told = np.zeros(len(choices), np.int64)
        told[: len(choice)] = np.maximum(choice, 0)  # where nothing may be done, anything may be said
        if (told >= choices).any():
            row = int(np.argmax(told >= choices))
            raise GraphError(
                f"choice {told[row]} of row {row} is not in {space}, which has {choices[row]} there; mask what it lacks"
            )
        return (start + told).astype(space.dtype)

    return adapt


def _to_number(space: spaces.Discrete, located: np.ndarray) -> int:
    number = int(located[0])
    if number >= int(space.n):
        raise GraphError(
            f"candidate {number} was chosen, but {space} has only {space.n} actions; enlarge it, or mask what it lacks"
        )
    return int(space.start) + number


def _to_place(space: spaces.MultiDiscrete, located: np.ndarray) -> np.ndarray:
    place = located[-space.shape[0] :]
    if (place >= space.nvec).any():
        raise GraphError(
            f"candidate {place.tolist()} was chosen, but {space} counts to {space.nvec.tolist()}; enlarge it, or mask "
            "what it lacks"
        )
    return space.start + place
