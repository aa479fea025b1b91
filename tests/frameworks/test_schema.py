"""Observations as arrays and back: nothing is lost, padded or packed, and what does not fit is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from environments import KINDS
from graphwright.core import ActionSpec, Features, GraphError, Segments, per_node
from graphwright.data.ring import RaggedRing
from graphwright.envs.registry import SOLVED
from graphwright.frameworks.env_config import EnvConfig, make_env_config
from graphwright.frameworks.packed import arrays_to_rows, rows_to_arrays
from graphwright.frameworks.schema import Arrays, Limits, Schema, concat, pad, select, single, spread, strip
from graphwright.nn import ActorCritic, EncoderConfig, HeadsConfig
from graphwright.nn.columns import edge_columns, node_columns
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
    at_once = env_config.schema.unpad(padded)
    for key, values in again.graph.to_tensors().items():
        assert torch.equal(at_once.graph.to_tensors()[key], values), key
    assert all(map(torch.equal, at_once.masks, again.masks))
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
    for part, alone in zip(parts, single(arrays), strict=True):
        assert part.keys() == alone.keys()
        assert all(torch.equal(part[key], alone[key]) for key in part)


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


def shuffled(arrays: Arrays, generator: torch.Generator) -> Arrays:
    """The same graphs with the edges of each in another order."""
    graph = Segments.from_lengths(arrays["num_edges"].flatten()).index
    order = torch.argsort(graph + torch.rand(len(graph), generator=generator, dtype=torch.float64))
    edges = {key: arrays[key][order] for key in ("edges", "edge_index") if key in arrays}
    return {**arrays, **edges}


@pytest.mark.parametrize("name", ["vertex-cover", "tour", "path-search", "graph-robustness"])
def test_edges_in_any_order_are_the_same_graphs(name: str) -> None:
    config = CONFIGS[name]
    arrays = packed(config)
    expected = config.schema.unpack(arrays)
    for seed in range(3):
        found = config.schema.unpack(shuffled(arrays, seeded(seed)))
        assert not torch.equal(shuffled(arrays, seeded(seed))["edge_index"], arrays["edge_index"])
        assert torch.equal(found.graph.edge_index, expected.graph.edge_index)
        for column, values in found.graph.edges.items():
            assert torch.equal(values, expected.graph.edges[column]), column
        found.graph.validate()


def test_edges_to_which_actions_are_tied_keep_their_order() -> None:
    config = CONFIGS["steiner-tree"]
    with pytest.raises(GraphError, match="edge_index is not sorted by destination, then source, and actions are tied"):
        config.schema.unpack(shuffled(packed(config), seeded()))


@pytest.mark.parametrize(
    ("key", "change", "message"),
    [
        ("num_nodes", lambda x: x - 1, r"nodes has \d+ rows, but num_nodes adds up to"),
        ("num_nodes", lambda x: torch.full_like(x, -1), "num_nodes is -1 for graph 0; it must not be negative"),
        ("num_edges", lambda x: x + 1, r"edges has \d+ rows, but num_edges adds up to"),
        ("num_actions", lambda x: x.flip(0) + 1, "num_actions is not how many candidates"),
        ("edge_index", lambda x: x[:, :1], r"edge_index has shape \(\d+, 1\); it must be \[E, 2\]"),
        ("edge_index", lambda x: x - 1, "edge_index of graph 0 joins nodes .*-1.*, but it has"),
        ("edge_index", lambda x: x + 99, "edge_index of graph 0 joins nodes .*99.*, but it has"),
        ("reverse", lambda x: x + 10**6, "reverse is 1000.* in row 0, which is out of range"),
        ("reverse", lambda x: x * 0, "reverse does not name the opposite of edge"),
    ],
)
def test_arrays_of_others_are_checked(key: str, change: Callable[[Tensor], Tensor], message: str) -> None:
    config = CONFIGS["steiner-tree"]
    arrays = packed(config)
    with pytest.raises(GraphError, match=message):
        config.schema.unpack({**arrays, key: change(arrays[key])})


@pytest.mark.parametrize(
    ("key", "change", "message"),
    [
        ("num_nodes", lambda x: x - 1, "but it has"),
        ("num_nodes", lambda x: x + 99, r"nodes has \d+ rows, but num_nodes adds up to"),
        ("num_edges", lambda x: x * 0 - 1, "num_edges is -1 for graph 0; it must not be negative"),
        ("num_edges", lambda x: x + 99, r"edges has \d+ rows, but num_edges adds up to"),
        ("edge_index", lambda x: x[:, :3], r"edge_index has \d+ rows, but num_edges adds up to"),
        ("num_actions", lambda x: x + 99, r"action_mask has \d+ values, the graphs have"),
        ("action_mask", lambda x: x[:, :1], r"action_mask has \d+ values, the graphs have"),
    ],
)
def test_padded_arrays_of_others_are_checked(key: str, change: Callable[[Tensor], Tensor], message: str) -> None:
    """Counts for which there is no room among them, of which what is cut off would be read behind its end."""
    config = CONFIGS["steiner-tree"]
    arrays = pad(packed(config), config.limits)
    for unpad in (config.schema.unpad, lambda padded: config.schema.unpack(strip(padded))):
        with pytest.raises(GraphError, match=message):
            unpad({**arrays, key: change(arrays[key])})


def test_types_and_places_are_checked() -> None:
    config = CONFIGS["path-search"]
    arrays = packed(config)
    arrays["graphs"] = arrays["graphs"] + 1000
    with pytest.raises(GraphError, match=r"graphs: column 'at' is .* in row 0, which is out of range"):
        config.schema.unpack(arrays)
    schema = Schema(Features({}, node_types=2), ActionSpec(per_node("pick")))
    graph = {"nodes": torch.tensor([[0.0], [2.0]]), "edge_index": torch.zeros(0, 2, dtype=torch.int64)}
    counts = {"num_nodes": torch.tensor([[2]]), "num_edges": torch.tensor([[0]]), "action_mask": torch.ones(2)}
    with pytest.raises(GraphError, match="nodes: column 'type' is 2 in row 1, which is out of range"):
        schema.unpack({**graph, **counts})


def test_arrays_hold_the_columns_that_networks_read() -> None:
    """One function makes both."""
    config = CONFIGS["tour"]
    graph = config.episodes(5, 0).observation.graph
    own = replace(config.schema.features, graphs={})
    assert torch.equal(packed(config)["nodes"], node_columns(own, graph))
    assert torch.equal(packed(config)["edges"], edge_columns(config.schema.features, graph))


def test_numbers_that_are_not_finite_are_refused_by_the_name_of_their_column() -> None:
    config = CONFIGS["vertex-cover"]
    arrays = packed(config)
    for value in (torch.nan, torch.inf):
        nodes = arrays["nodes"].clone()
        nodes[2, 1] = value
        with pytest.raises(GraphError, match="nodes: column 'weight' is not finite in row 2; make all numbers finite"):
            config.schema.unpack({**arrays, "nodes": nodes})
