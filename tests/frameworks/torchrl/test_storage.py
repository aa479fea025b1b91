"""A ring of graphs under TorchRL's buffers: what comes out is what went in, without its padding."""

from __future__ import annotations

import pytest
import torch
from tensordict import TensorDictBase
from torchrl.data import ReplayBuffer, TensorDictReplayBuffer

from graphwright.frameworks.schema import COUNTED_BY
from graphwright.frameworks.torchrl import GraphEnv, GraphStorage, as_stored


def rollout(problem: str = "vertex-cover") -> tuple[GraphEnv, TensorDictBase]:
    env = GraphEnv(problem, 4, seed=0)
    torch.manual_seed(0)
    return env, env.rollout(9, break_when_any_done=False).reshape(-1)


def assert_is(found: TensorDictBase, row: int, expected: TensorDictBase) -> None:
    """Row `row` of a jagged minibatch is one padded graph, and everything beside it."""
    leaves = set(expected.keys(include_nested=True, leaves_only=True))
    assert set(found.keys(include_nested=True, leaves_only=True)) == leaves
    for key in leaves:
        name = key if isinstance(key, str) else key[-1]
        values = found.get(key)[row]
        padded = expected.get(key)
        assert torch.equal(values, padded[: len(values)] if name in COUNTED_BY else padded), key
        if name in COUNTED_BY:
            prefix = () if isinstance(key, str) else key[:-1]
            assert len(values) == int(expected.get((*prefix, COUNTED_BY[name]))), key


@pytest.mark.parametrize("problem", ["vertex-cover", "steiner-tree"])
def test_places_hold_what_a_list_holds(problem: str) -> None:
    """Over several rounds of the ring, in parts of any size, after it was emptied too."""
    env, data = rollout(problem)
    buffer = ReplayBuffer(storage=GraphStorage(10, env.schema), collate_fn=as_stored, batch_size=5)
    for _ in range(2):
        kept: dict[int, int] = {}
        count = 0
        for start, size in ((0, 3), (3, 6), (9, 10), (19, 1), (20, 7)):
            buffer.extend(data[start : start + size])
            for row in range(start, start + size):
                kept[count % 10] = row
                count += 1
            assert len(buffer) == min(count, 10)
            places = list(kept)
            found = buffer[torch.tensor(places)]
            for index, place in enumerate(places):
                assert_is(found, index, data[kept[place]])
        assert buffer.sample().batch_size == (5,)
        buffer.empty()
        assert len(buffer) == 0


def test_memory_is_that_of_the_graphs() -> None:
    env, data = rollout()
    storage = GraphStorage(16, env.schema)
    buffer = ReplayBuffer(storage=storage, collate_fn=as_stored)
    sizes = set()
    for _ in range(30):
        buffer.extend(data[:16])
        sizes.add(storage.ring.memory.num_bytes)
    assert len(sizes) <= 2


def test_places_are_known_where_buffers_ask_for_them() -> None:
    env, data = rollout()
    storage = GraphStorage(16, env.schema)
    buffer = TensorDictReplayBuffer(storage=storage, collate_fn=as_stored, batch_size=6)
    buffer.extend(data[:20])
    minibatch = buffer.sample()
    for row, place in enumerate(minibatch["index"].flatten().tolist()):
        assert_is(minibatch.exclude("index"), row, data[place + 16 if place < 4 else place])


def test_a_restored_storage_gives_the_same() -> None:
    env, data = rollout()
    one, other = GraphStorage(8, env.schema), GraphStorage(8, env.schema)
    one.set(torch.arange(8), data[:8])
    one.set(torch.tensor([0, 1]), data[8:10])
    other.load_state_dict(one.state_dict())
    for storage in (one, other):
        assert_is(storage.get(torch.tensor([1, 2])), 0, data[9])
        assert_is(storage.get(slice(2, 4)), 1, data[3])
        assert 7 in storage
        assert 8 not in storage
    with pytest.raises(ValueError, match="place 5 is written, and 2 is next; write places in turn"):
        one.set(torch.tensor([5]), data[:1])
