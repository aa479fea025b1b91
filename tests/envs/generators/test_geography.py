"""Lengths of edges: what a file says, distances in the plane and on the globe, and nodes without a place."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from graphwright.adapters.files import read_graph
from graphwright.core import GraphBatch, GraphError, from_edges, relabel
from graphwright.envs.generators.geography import EARTH_RADIUS, edge_length, find_places, place_all

TOPOLOGY_ZOO = Path(__file__).parents[2] / "instances" / "topology-zoo"
NAN = math.nan


def path(count: int, nodes: dict[str, Tensor] | None = None, edges: dict[str, Tensor] | None = None) -> GraphBatch:
    """0 - 1 - 2 - ..."""
    one = torch.arange(count - 1)
    return from_edges(torch.stack([one, one + 1]), torch.tensor([count]), undirected=True, nodes=nodes, edges=edges)


def of_links(graph: GraphBatch) -> list[float]:
    """The lengths of the links; those of both directions are the same."""
    length = edge_length(graph)
    assert length.dtype == torch.float64
    assert torch.equal(length, length[graph.edges["reverse"]])
    return length[graph.links[0]].tolist()


def test_a_length_goes_before_a_weight_and_a_weight_before_positions() -> None:
    position = torch.tensor([[0.0, 0], [3, 4], [3, 5]])
    length, weight = (torch.tensor(each, dtype=torch.float64) for each in ([1.5, 2], [7, 8]))
    assert of_links(path(3, {"position": position}, {"length": length, "weight": weight})) == [1.5, 2]
    assert of_links(path(3, {"position": position}, {"weight": weight})) == [7, 8]
    assert of_links(path(3, {"position": position})) == [5, 1]
    assert of_links(path(3, {"x": position[:, 0], "Y": position[:, 1]})) == [5, 1]
    assert of_links(path(3, {"pos": torch.tensor([[0.0, 0, 0], [1, 2, 2], [1, 2, 2]])})) == [3, 0]


@pytest.mark.parametrize("names", [("Longitude", "Latitude"), ("lon", "lat")])
def test_on_the_globe_distances_are_kilometres_on_great_circles(names: tuple[str, str]) -> None:
    # Along the equator across the date line, along a meridian, over the pole; and Paris - New York, which the
    # haversine formula puts at 5837 km.
    longitude = torch.tensor([179.0, -179, -179, 1, 2.3522, -74.006])
    latitude = torch.tensor([0.0, 0, 80, 80, 48.8566, 40.7128])
    graph = from_edges(
        torch.tensor([[0, 1, 2, 4], [1, 2, 3, 5]]),
        torch.tensor([6]),
        undirected=True,
        nodes={names[0]: longitude, names[1]: latitude},
    )
    degree = EARTH_RADIUS * math.pi / 180
    assert of_links(graph) == pytest.approx([2 * degree, 80 * degree, 20 * degree, 5837], rel=1e-4)


def test_nodes_without_a_place_stand_between_their_neighbours() -> None:
    graph = path(5, {"position": torch.tensor([[0.0, 0], [NAN, NAN], [NAN, 1], [NAN, NAN], [8, 0]])})
    places = find_places(graph)
    assert places is not None
    point = place_all(graph, places)
    torch.testing.assert_close(point[[0, 4]], torch.tensor([[0.0, 0], [8, 0]], dtype=torch.float64))
    torch.testing.assert_close(point[:, 0], torch.arange(0, 9, 2, dtype=torch.float64), atol=1e-2, rtol=0)
    assert of_links(graph) == pytest.approx([2, 2, 2, 2], abs=1e-2)

    around = torch.tensor([179.0, NAN, -179]), torch.tensor([10.0, NAN, 10])  # not on the other side of the earth
    lengths = of_links(path(3, dict(zip(("Longitude", "Latitude"), around, strict=True))))
    assert lengths[0] == pytest.approx(lengths[1])
    assert lengths[0] < 120


def test_a_node_that_nothing_is_joined_to_needs_no_place() -> None:
    nodes = {"position": torch.tensor([[0.0, 0], [1, 0], [NAN, NAN]])}
    graph = from_edges(torch.tensor([[0], [1]]), torch.tensor([3]), undirected=True, nodes=nodes)
    assert of_links(graph) == [1]


def test_lengths_do_not_depend_on_the_order_of_nodes_nor_on_the_other_graphs() -> None:
    graph = read_graph(TOPOLOGY_ZOO / "Switch.graphml").graph  # 27 of its nodes have no place
    order = torch.randperm(graph.num_nodes, generator=torch.Generator().manual_seed(0))
    before = graph.with_edges(found=edge_length(graph))
    after = relabel(before, order)
    torch.testing.assert_close(edge_length(after), after.edges["found"], rtol=1e-5, atol=1e-4)
    twice = GraphBatch.concat([graph, graph])
    torch.testing.assert_close(edge_length(twice), torch.cat([before.edges["found"]] * 2))


@pytest.mark.parametrize("network", sorted(file.stem for file in TOPOLOGY_ZOO.glob("*.graphml")))
def test_real_networks_have_lengths(network: str) -> None:
    length = edge_length(read_graph(TOPOLOGY_ZOO / f"{network}.graphml").graph)
    assert bool(length.isfinite().all())
    assert 10 < float(length.max()) < 20_000  # kilometres


def test_what_cannot_be_told_is_refused() -> None:
    with pytest.raises(GraphError, match="edge column 'length', or the node columns 'position'"):
        edge_length(path(3))
    with pytest.raises(GraphError, match="node 1 has no position, nor has any that it is joined to"):
        edge_length(
            from_edges(
                torch.tensor([[1], [2]]),
                torch.tensor([3]),
                undirected=True,
                nodes={"position": torch.tensor([[0.0, 0], [NAN, NAN], [NAN, NAN]])},
            )
        )
    for wrong in (-1.0, NAN, math.inf):
        with pytest.raises(GraphError, match=r"edge column 'length' is (-1\.0|nan|inf) between nodes"):
            edge_length(path(3, edges={"length": torch.tensor([1, wrong])}))
    with pytest.raises(GraphError, match="give each edge one number"):
        edge_length(path(3, edges={"length": torch.ones(2, 2)}))
