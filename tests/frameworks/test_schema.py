"""Observations as arrays and back: nothing is lost, padded or packed, and what does not fit is refused by name."""

from __future__ import annotations

import pytest
import torch

from environments import KINDS
from graphwright.core import GraphError, Segments
from graphwright.data.ring import RaggedRing
from graphwright.envs.registry import SOLVED
from graphwright.frameworks.env_config import EnvConfig, make_env_config
from graphwright.frameworks.packed import arrays_to_rows, rows_to_arrays
from graphwright.frameworks.schema import Arrays, Limits, concat, pad, select, spread, strip
from graphwright.nn import ActorCritic, EncoderConfig, HeadsConfig
from strategies import seeded

CONFIGS = {name: make_env_config(name) for name in SOLVED}


def packed(env_config: EnvConfig, count: int = 5, seed: int = 0) -> Arrays:
    return env_config.schema.pack(env_config.episodes(count, seed).observation)


@pytest.mark.parametrize("name", SOLVED)
def test_a_policy_sees_the_same_through_arrays(name: str) -> None:
    env_config = CONFIGS[name]
    live = env_config.episodes(4, 0)
    arrays = env_config.schema.pack(live.observation)
    padded = pad(arrays, env_config.limits)
    for key, values in strip(padded).items():
        assert torch.equal(values, arrays[key]), key
    schema = env_config.schema
    policy = ActorCritic(schema.features, schema.actions, EncoderConfig(width=8), HeadsConfig())
    again = env_config.schema.unpack(strip(padded))
    for one, other in zip(again.masks, live.observation.masks, strict=True):
        assert torch.equal(one, other)
    assert torch.equal(policy.value(again), policy.value(live.observation))
    assert torch.equal(policy.best(again), policy.best(live.observation))


@pytest.mark.parametrize("name", ["vertex-cover", "steiner-tree", "network-repair", "path-search"])
def test_select_and_concat_are_those_of_graph_batches(name: str) -> None:
    env_config = CONFIGS[name]
    arrays = packed(env_config)
    rows = torch.tensor([3, 0, 3])
    chosen = select(arrays, rows)
    graph = env_config.schema.unpack(arrays).graph.select(rows)
    for key, values in graph.to_tensors().items():
        assert torch.equal(env_config.schema.unpack(chosen).graph.to_tensors()[key], values), key
    parts = [select(arrays, torch.tensor([row])) for row in range(5)]
    for key, values in concat(parts).items():
        assert torch.equal(values, arrays[key])


def test_arrays_that_do_not_fit_are_refused_by_name() -> None:
    env_config = CONFIGS["vertex-cover"]
    arrays = packed(env_config)
    with pytest.raises(GraphError, match=r"nodes: a graph has \d+ rows, there is room for 3"):
        pad(arrays, Limits(3, 100, 3))
    with pytest.raises(GraphError, match="expected 4 columns: selected, weight"):
        env_config.schema.unpack({**arrays, "nodes": arrays["nodes"][:, :2]})
    with pytest.raises(GraphError, match="action_mask has 1 values"):
        env_config.schema.unpack({**arrays, "action_mask": arrays["action_mask"][:1]})


def test_spread_by_hand() -> None:
    values = torch.tensor([1.0, 2.0, 3.0])
    assert spread(values, Segments.from_lengths(torch.tensor([2, 0, 1])), 3, -1.0).tolist() == [
        [1, 2, -1],
        [-1, -1, -1],
        [3, -1, -1],
    ]


@pytest.mark.parametrize("name", ["vertex-cover", "steiner-tree", "path-search", "locomotion"])
def test_a_ring_gives_packed_arrays_back(name: str) -> None:
    arrays = packed(CONFIGS[name])
    ring = RaggedRing()
    for _ in range(3):
        ring.add(arrays_to_rows(arrays))
    ids = torch.tensor([7, 5, 12])
    expected = select(arrays, ids % 5)
    found = rows_to_arrays(ring.select(ids))
    assert found.keys() == expected.keys()
    for key, values in found.items():
        assert torch.equal(values, expected[key]), key


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_action_has_room_in_padded_arrays(kind: str) -> None:
    environment = KINDS[kind]
    graphs = environment.instance(SOLVED["vertex-cover"].generator(sizes=(6, 8))(6, seeded()))
    env_config = make_env_config(SOLVED["vertex-cover"], environment=environment, instances=graphs)
    live = env_config.episodes(4, 0)
    padded = pad(env_config.schema.pack(live.observation), env_config.limits)
    assert torch.equal(
        environment.actions.arrange(live.observation.graph, live.observation.masks), strip(padded)["action_mask"]
    )
