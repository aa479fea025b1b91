"""Return and length of the episodes that end, over several batches, by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch

from graphwright.training.collectors.live import LiveCollector


class Counting(LiveCollector):
    """Two episodes side by side; nothing is played."""

    def __init__(self) -> None:
        vector: Any = SimpleNamespace(num_envs=2, state=SimpleNamespace(device=torch.device("cpu")))
        super().__init__(vector)

    def collect(self, policy: Any) -> Any:
        raise NotImplementedError


def ended(collector: Counting, rewards: list[list[float]], done: list[list[int]], lost: list[list[int]]) -> list[float]:
    found = collector.of_ended(torch.tensor(rewards), torch.tensor(done).bool(), torch.tensor(lost).bool())
    return [found["return"].item(), found["episode_length"].item()]


def test_episodes_go_on_from_one_batch_to_the_next_and_lost_ones_do_not_count() -> None:
    collector = Counting()
    assert ended(collector, [[1, 5], [2, 5], [4, 5]], [[0, 0], [1, 0], [0, 0]], [[0, 0]] * 3) == [3, 2]
    # The first has 4 and 1 step of its second episode, the other 15 and 3.
    assert ended(collector, [[8, 5], [1, 5]], [[1, 0], [0, 1]], [[0, 0], [0, 0]]) == [(12 + 25) / 2, (2 + 5) / 2]
    assert ended(collector, [[1, 7]], [[1, 1]], [[0, 1]]) == [2, 2]
    assert collector.returns.tolist() == [0, 0]
    assert collector.lengths.tolist() == [0, 0]
    nothing = ended(collector, [[1, 1]], [[0, 0]], [[0, 0]])
    assert all(number != number for number in nothing)
