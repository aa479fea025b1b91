"""One choice for each node, taken one after the other."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces

from frameworks.foreign.foreign_environments import GRAPH, Changing
from graphwright.core import ActionSpec, per_node
from graphwright.frameworks.foreign import SequentialActions, from_gymnasium


class Colours(gymnasium.Env):
    """Two to four nodes choose a colour out of three each, the first never the last colour; pays the sum."""

    def __init__(self) -> None:
        self.observation_space = GRAPH
        self.action_space = spaces.MultiDiscrete([3] * 4, start=[1] * 4)

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[spaces.GraphInstance, dict]:
        super().reset(seed=seed)
        self.size = int(self.np_random.integers(2, 5))
        nodes = np.tile(np.arange(self.size, dtype=np.float32)[:, None], (1, 2))
        return spaces.GraphInstance(nodes, np.ones((1, 1)), np.array([[0, 1]])), {}

    def step(self, action: np.ndarray) -> tuple[spaces.GraphInstance, float, bool, bool, dict]:
        assert action.shape == (self.size,)
        self.played = action.tolist()
        return self.reset()[0], float(action.sum()), True, False, {}

    def action_masks(self) -> np.ndarray:
        return np.arange(3 * self.size) != 2


def test_all_choices_are_played_together_when_the_last_is_made() -> None:
    env = SequentialActions(Colours())
    shown, _ = env.reset(seed=3)
    size, total = len(shown.nodes), 0.0
    assert shown.nodes.shape == (size, 5)
    for turn, node in enumerate(reversed(range(size))):
        assert env.action_masks().tolist() == [
            other <= node and not (other == 0 and colour == 2) for other in range(size) for colour in range(3)
        ]
        shown, reward, terminated, _, _ = env.step(3 * node + (node + 1) % 2)
        total += reward
        assert terminated == (turn == size - 1)
        if not terminated:
            assert shown.nodes[node, 2:].tolist() == [float(colour == (node + 1) % 2) for colour in range(3)]
            assert reward == 0
    assert env.unwrapped.played == [1 + (node + 1) % 2 for node in range(size)]
    assert total == sum(env.unwrapped.played)


class Tells(Colours):
    """`Colours` whose masks are in what it tells, not to be asked for."""

    action_masks = property()

    def has_wrapper_attr(self, name: str) -> bool:
        return name != "action_masks" and super().has_wrapper_attr(name)

    def reset(self, **options: Any) -> tuple[spaces.GraphInstance, dict]:
        observation, _ = super().reset(**options)
        return observation, {"action_mask": Colours.action_masks(self)}


def test_masks_that_are_told_stay_in_force() -> None:
    told, asked = SequentialActions(Tells()), SequentialActions(Colours())
    for env in (told, asked):
        env.reset(seed=3)
        env.step(1)
    assert told.action_masks().tolist() == asked.action_masks().tolist()
    assert not told.action_masks()[:3].any()
    told.reset(seed=3)
    assert told.action_masks()[:4].tolist() == [True, True, False, True]


def test_it_is_an_environment_like_any_other() -> None:
    with from_gymnasium(
        lambda: SequentialActions(Colours()), 3, actions=ActionSpec(per_node("choose", 3)), seed=5
    ) as vector:
        total = torch.zeros(3)
        sizes = vector.state.node_segments.lengths
        for _ in range(int(sizes.max())):
            observation = vector.observe()
            mask, segments = observation.masks[0].flatten(), vector.environment.actions.segments(observation.graph)
            first = [int(part.nonzero()[0]) for part in mask.split(segments.lengths.tolist())]
            step = vector.step(torch.tensor(first))
            total += step.reward * step.terminated
            assert step.reward[~step.terminated].eq(0).all()
        assert bool((total >= 2).all())


def test_what_it_cannot_wrap_is_refused() -> None:
    with pytest.raises(ValueError, match="one choice for each node"):
        SequentialActions(Changing())
    with pytest.raises(ValueError, match=r"needs a spaces\.Graph"):
        SequentialActions(Changing("dict"))
