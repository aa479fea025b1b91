from __future__ import annotations

from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tensordict import TensorDict, lazy_stack
from tensordict.nn import InteractionType, set_interaction_type
from torch import Tensor

from graphwright.core import (
    ActionSpec,
    Features,
    GraphBatch,
    GraphError,
    Observation,
    from_edges,
    per_decider,
    per_edge,
    per_graph,
    per_node,
)
from graphwright.distributions import RaggedCategorical
from graphwright.frameworks.torchrl import DenseGraphs, GraphActor, GraphActorCritic, GraphCritic, GraphLogits
from graphwright.frameworks.torchrl.conversion import fill, take, to_adjacency, to_edge_index
from graphwright.nn import ActorCritic, EncoderConfig, HeadsConfig
from strategies import ragged_batches

SPECS = {
    "nodes": ActionSpec(per_node("select", 2)),
    "graph": ActionSpec(per_graph("move", 4)),
    "both": ActionSpec(per_node("select"), per_graph("stop")),
    "continuous": ActionSpec(per_decider("push", continuous=2), decider="nodes"),
}
every_spec = pytest.mark.parametrize("actions", SPECS.values(), ids=SPECS.keys())
close = {"rtol": 1e-5, "atol": 1e-5}


def make_policy(actions: ActionSpec) -> ActorCritic:
    torch.manual_seed(0)
    return ActorCritic(Features(nodes={"observation": 3}), actions, EncoderConfig(width=8, depth=2), HeadsConfig())


def observed(graph: GraphBatch, actions: ActionSpec) -> Observation:
    """The graph with its column `x`, everything legal."""
    graph = graph.keep().with_nodes(observation=graph.nodes["x"])
    return Observation(graph, actions.divide(graph, torch.ones(actions.segments(graph).num_rows, dtype=torch.bool)))


def dense(graph: GraphBatch, more: int, edges: str) -> TensorDict:
    """What a user would have: padded, edges as `edge_index` or as `adjacency`."""
    width = max(int(graph.node_segments.lengths.max()), 1) + more
    if edges == "adjacency":
        given_edges = {"adjacency": to_adjacency(graph, width).float()}
    else:
        most = int(graph.edge_segments.lengths.max()) + more
        given_edges = {"edge_index": to_edge_index(graph, most), "num_edges": graph.edge_segments.lengths}
    observation = fill(graph.nodes["x"], graph.node_segments, width, padding=9)
    counts = {"num_nodes": graph.node_segments.lengths}
    return TensorDict({"observation": observation, **given_edges, **counts}, batch_size=[graph.num_graphs])


def random_graph(size: int, degree: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Node columns and edges of one directed graph."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(size, 3, generator=generator), torch.randint(size, (2, size * degree), generator=generator)


@every_spec
@given(
    graph=ragged_batches(graphs=(1, 4), undirected=False, parallels=False),
    more=st.integers(0, 2),
    edges=st.sampled_from(["edge_index", "adjacency"]),
)
def test_dense_tensors_say_what_the_graphs_say(actions: ActionSpec, graph: GraphBatch, more: int, edges: str) -> None:
    policy = make_policy(actions)
    native, value = policy(observed(graph, actions))
    graphs = dense(graph, more, edges)
    torch.testing.assert_close(GraphCritic(policy, DenseGraphs)(graphs)["state_value"].squeeze(1), value, **close)
    written = GraphLogits(policy, DenseGraphs)(graphs)
    if isinstance(native, RaggedCategorical):
        torch.testing.assert_close(take(written["logits"], native.segments), native.logits, **close)
        probability = torch.distributions.Categorical(logits=written["logits"]).probs
        decided = (native.segments.lengths == 0).float()
        torch.testing.assert_close(take(probability, native.segments), native.probs, **close)
        outside = torch.arange(probability.shape[1]) >= native.segments.lengths.unsqueeze(1)
        torch.testing.assert_close((probability * outside).sum(1), decided, **close)
    else:
        torch.testing.assert_close(take(written["loc"], graph.node_segments), native.mean, **close)
        torch.testing.assert_close(take(written["scale"], graph.node_segments), native.scale, **close)


@every_spec
def test_a_single_unbatched_graph_and_any_batch_shape(actions: ActionSpec) -> None:
    both = GraphActorCritic(make_policy(actions), DenseGraphs)
    observation, edge_index = (
        torch.stack(parts) for parts in zip(*(random_graph(5, 2, i) for i in range(6)), strict=True)
    )
    graphs = TensorDict({"observation": observation, "edge_index": edge_index}, batch_size=[6])
    with set_interaction_type(InteractionType.DETERMINISTIC), torch.no_grad():
        flat, square, single = both(graphs.clone()), both(graphs.clone().view(3, 2)), both(graphs[3].clone())
    for key in both.out_keys:
        torch.testing.assert_close(square[key].flatten(0, 1), flat[key], **close)
        torch.testing.assert_close(single[key], flat[key][3], **close)


def test_isolated_nodes_and_graphs_of_one_node() -> None:
    actions = SPECS["nodes"]
    both = GraphActorCritic(make_policy(actions), DenseGraphs)
    lonely = TensorDict({"observation": torch.ones(1, 3), "edge_index": torch.empty(2, 0, dtype=torch.int64)})
    beside = TensorDict({"observation": torch.ones(4, 3), "edge_index": torch.tensor([[0], [1]])})
    for graphs, size in ((lonely, 1), (beside, 4)):
        graph = from_edges(
            graphs["edge_index"], torch.tensor([size]), undirected=False, nodes={"x": torch.ones(size, 3)}
        )
        native, value = both.module[0].policy(observed(graph, actions))
        result = both(graphs)
        torch.testing.assert_close(result["logits"], native.logits, **close)
        torch.testing.assert_close(result["state_value"], value, **close)
    torch.testing.assert_close(beside["logits"][4:6], beside["logits"][6:8], **close)


def test_lazy_stacks_of_graphs_of_different_sizes() -> None:
    both = GraphActorCritic(make_policy(SPECS["nodes"]), DenseGraphs)
    graphs = [TensorDict(observation=x, edge_index=edges) for x, edges in (random_graph(n, 2) for n in (1, 6, 3))]
    by_adjacency = [
        TensorDict(
            observation=graph["observation"], adjacency=_adjacency(graph["edge_index"], len(graph["observation"]))
        )
        for graph in graphs
    ]
    with set_interaction_type(InteractionType.DETERMINISTIC), torch.no_grad():
        alone = [both(graph.clone()) for graph in by_adjacency]
        together = both(lazy_stack(by_adjacency))
        with_edges = both(lazy_stack(graphs))
    assert with_edges["action"].shape == (3,)
    for row, graph in enumerate(alone):
        torch.testing.assert_close(together["state_value"][row], graph["state_value"], **close)
        assert torch.equal(together["action"][row], graph["action"])


def _adjacency(edge_index: Tensor, size: int) -> Tensor:
    return torch.zeros(size, size, dtype=torch.bool).index_put(tuple(edge_index), torch.tensor(True))


def test_a_mask_rules_actions_out() -> None:
    actor = GraphActor(make_policy(SPECS["both"]), DenseGraphs)
    observation, edge_index = random_graph(4, 2)
    legal = torch.tensor([False, True, False, False, True])
    graphs = TensorDict(observation=observation, edge_index=edge_index, action_mask=legal)
    assert torch.equal(actor.get_dist(graphs).probs > 0, legal)


def test_other_keys() -> None:
    graphs = partial(DenseGraphs, observation=("agents", "features"), edge_index=("agents", "edges"))
    policy = make_policy(SPECS["graph"])
    observation, edge_index = random_graph(4, 2)
    usual = TensorDict(observation=observation, edge_index=edge_index)
    nested = TensorDict(agents=TensorDict(features=observation, edges=edge_index))
    expected = GraphCritic(policy, DenseGraphs)(usual)["state_value"]
    torch.testing.assert_close(GraphCritic(policy, graphs)(nested)["state_value"], expected)


def test_bad_input_gets_one_clear_line() -> None:
    with pytest.raises(ValueError, match=r"Features\(nodes=\{'observation': F\}\)"):
        DenseGraphs(Features(nodes={"x": 1}, graphs={"y": 1}), SPECS["nodes"])
    with pytest.raises(ValueError, match="columns name z, which the policy's Features do not have"):
        DenseGraphs(Features(nodes={"x": 1}), SPECS["nodes"], columns={"z": "observation"})
    with pytest.raises(GraphError, match=r"adjacency holds 0.5, .* columns=\{NAME: 'adjacency'\}"):
        GraphCritic(make_policy(SPECS["nodes"]), DenseGraphs)(
            TensorDict(observation=torch.zeros(2, 3), adjacency=torch.full((2, 2), 0.5))
        )
    with pytest.raises(ValueError, match="not tied to edges"):
        DenseGraphs(Features(nodes={"observation": 3}), ActionSpec(per_edge("join")))
    critic = GraphCritic(make_policy(SPECS["nodes"]), DenseGraphs)
    with pytest.raises(GraphError, match="neither edge_index nor adjacency"):
        critic(TensorDict(observation=torch.zeros(2, 3)))
    with pytest.raises(GraphError, match="the tensordict has no observation"):
        critic(TensorDict(edge_index=torch.zeros(2, 3, dtype=torch.int64)))
    with pytest.raises(GraphError, match=r"joins nodes \[0, 5\], but it has 2"):
        critic(TensorDict(observation=torch.zeros(2, 3), edge_index=torch.tensor([[0], [5]])))
    with pytest.raises(GraphError, match="observation has 4 columns, the policy reads 3"):
        critic(TensorDict(observation=torch.zeros(2, 4), edge_index=torch.tensor([[0], [1]])))
    with pytest.raises(GraphError, match="adjacency: a graph has 3 rows, there is room for 2"):
        critic(TensorDict(observation=torch.zeros(3, 3), adjacency=torch.ones(2, 2)))
    with pytest.raises(GraphError, match="action_mask: a graph has 4 rows, there is room for 1"):
        critic(TensorDict(observation=torch.zeros(2, 3), adjacency=torch.ones(2, 2), action_mask=torch.ones(1)))
    with pytest.raises(GraphError, match="observation: a graph has 4 rows, there is room for 2"):
        critic(TensorDict(observation=torch.zeros(2, 3), adjacency=torch.ones(4, 4), num_nodes=torch.tensor(4)))


@pytest.mark.parametrize("form", ["edge_index", "adjacency"])
def test_edge_columns_and_several_node_columns_say_what_the_graphs_say(form: str) -> None:
    """Against the native network on the same graphs; the weight is the adjacency itself, by another key."""
    features = Features(nodes={"x": 3, "load": 1}, edges={"weight": 1, "length": 2})
    torch.manual_seed(0)
    policy = ActorCritic(features, SPECS["nodes"], EncoderConfig(kind="gatv2", width=8, depth=2), HeadsConfig())
    sizes, pieces = (4, 6), []
    for size in sizes:
        joined = torch.rand(size, size) < 0.4
        ends = joined.nonzero().t()
        pieces.append(
            from_edges(
                ends,
                torch.tensor([size]),
                undirected=False,
                nodes={"x": torch.randn(size, 3), "load": torch.rand(size)},
                edges={"weight": torch.rand(ends.shape[1]) + 0.5, "length": torch.rand(ends.shape[1], 2)},
            )
        )
    graph = GraphBatch.concat(pieces)
    columns = {name: fill(column, graph.node_segments, 7, 9.0) for name, column in graph.nodes.items()}
    if form == "edge_index":
        most = int(graph.edge_segments.lengths.max()) + 2
        columns |= {"edge_index": to_edge_index(graph, most), "num_edges": graph.edge_segments.lengths}
        columns |= {name: fill(column, graph.edge_segments, most, 9.0) for name, column in graph.edges.items()}
        reader = DenseGraphs
    else:
        source, target = graph.edge_index - graph.node_ptr[:-1][graph.edge_graph]
        place = (graph.edge_graph, source, target)
        columns["adjacency"] = torch.zeros(2, 7, 7).index_put(place, graph.edges["weight"])
        columns["length"] = torch.full((2, 7, 7, 2), 9.0).index_put(place, graph.edges["length"])
        reader = partial(DenseGraphs, columns={"weight": "adjacency"})
    graphs = TensorDict(columns, batch_size=[2]).set("num_nodes", torch.tensor(sizes))
    masks = SPECS["nodes"].divide(graph, torch.ones(SPECS["nodes"].segments(graph).num_rows, dtype=torch.bool))
    torch.testing.assert_close(
        GraphCritic(policy, reader)(graphs)["state_value"][:, 0], policy.value(Observation(graph, masks)), **close
    )
