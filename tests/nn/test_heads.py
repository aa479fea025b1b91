"""Heads: for every way to tie an action to a graph, probabilities are right, alone or in a batch, however numbered."""

from __future__ import annotations

import math
from collections.abc import Hashable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from graphwright.core import (
    ActionSpec,
    Features,
    GraphBatch,
    Observation,
    from_edges,
    out_edges,
    per_decider,
    per_edge,
    per_graph,
    per_neighbour,
    per_node,
    per_pair,
    per_unordered_pair,
    unordered_pair_nodes,
    unordered_pair_segments,
)
from graphwright.nn import ActorCritic, EncoderConfig, HeadsConfig
from graphwright.nn.encoders import Embedding
from graphwright.nn.heads.decider import RivalScore
from graphwright.nn.heads.edge import both_directions
from graphwright.nn.heads.end_points import TwoStageEdgeScore, UnorderedPairScore
from graphwright.nn.heads.line_graph import line_graph
from strategies import alone, ragged_batches, relabelled, seeded, seeds

FEATURES = Features(nodes={"x": 3}, edges={"w": 2}, graphs={"g": 1})
NODE, EDGE, PAIR = ActionSpec(per_node("a")), ActionSpec(per_edge("a")), ActionSpec(per_pair("a"))
GATED = EncoderConfig(kind="edge-gated", width=8, depth=2)
PLAIN = EncoderConfig(kind="gin", width=8, depth=2)
HYBRID = ActionSpec(per_graph("stop", 2), per_node("add", 2), per_edge("cut"), per_neighbour("go"))
GROWING = ActionSpec(per_graph("stop"), per_node("add", 2), per_unordered_pair("join"), per_edge("mark", 2))
CASES: dict[str, tuple[ActionSpec, HeadsConfig, EncoderConfig]] = {
    "fixed": (ActionSpec(per_graph("a", 3)), HeadsConfig(), PLAIN),
    "fixed, attention": (ActionSpec(per_graph("a", 3)), HeadsConfig(pool="attention", value_pool="attention"), PLAIN),
    "neighbours": (ActionSpec(per_neighbour("a")), HeadsConfig(), PLAIN),
    "score": (NODE, HeadsConfig(), PLAIN),
    "score, jumping": (NODE, HeadsConfig(), EncoderConfig(kind="gin", width=8, depth=2, jumping=True)),
    "proto distance": (NODE, HeadsConfig(nodes="proto-distance"), PLAIN),
    "proto cosine": (ActionSpec(per_node("a", 2)), HeadsConfig(nodes="proto-cosine"), PLAIN),
    "ends, added": (EDGE, HeadsConfig(edges="ends-sum"), PLAIN),
    "ends, side by side": (ActionSpec(per_edge("a", 2)), HeadsConfig(edges="ends-concat"), PLAIN),
    "ends and edge states, added": (EDGE, HeadsConfig(edges="ends-sum"), GATED),
    "ends and edge states, side by side": (EDGE, HeadsConfig(edges="ends-concat"), GATED),
    "edges by weights": (ActionSpec(per_edge("a", 2)), HeadsConfig(edges="linear"), PLAIN),
    "edge states": (EDGE, HeadsConfig(edges="states"), GATED),
    "line graph": (EDGE, HeadsConfig(edges="line-graph"), PLAIN),
    "edge in two stages": (EDGE, HeadsConfig(edges="two-stage"), PLAIN),
    "Gaussian edge": (EDGE, HeadsConfig(edges="gaussian"), PLAIN),
    "pair in two stages": (PAIR, HeadsConfig(), PLAIN),
    "pair by its ends": (PAIR, HeadsConfig(pairs="ends"), PLAIN),
    "Gaussian pair": (PAIR, HeadsConfig(pairs="gaussian"), PLAIN),
    "unordered pair": (ActionSpec(per_unordered_pair("a")), HeadsConfig(), PLAIN),
    "unordered pair, two columns": (ActionSpec(per_unordered_pair("a", 2)), HeadsConfig(), PLAIN),
    "fixed, of graph columns": (ActionSpec(per_graph("a", 3)), HeadsConfig(graph_columns=True), PLAIN),
    "a graph that grows": (GROWING, HeadsConfig(graph_columns=True), PLAIN),
    "hybrid": (HYBRID, HeadsConfig(), PLAIN),
    "hybrid of two-stage and proto": (HYBRID, HeadsConfig(nodes="proto-distance", edges="two-stage"), PLAIN),
}
every_case = pytest.mark.parametrize("case", CASES)
few = settings(max_examples=12, deadline=None)
simple_graphs = ragged_batches(loops=False, parallels=False, undirected=True)


def make(case: str) -> ActorCritic:
    """A policy whose scores differ clearly."""
    spec, heads, encoder = CASES[case]
    torch.manual_seed(0)
    policy = ActorCritic(FEATURES, spec, encoder, heads)
    for name, parameter in policy.actor.named_parameters():
        if name.endswith("score.weight"):
            torch.nn.init.normal_(parameter, std=1.5)
    return policy


def standing(graph: GraphBatch, seed: int) -> GraphBatch:
    """With an agent on a node of each graph."""
    draw = torch.rand(graph.num_graphs, generator=seeded(seed))
    return graph.with_graphs(at=(draw * graph.node_segments.lengths).long())


def observation(spec: ActionSpec, graph: GraphBatch, seed: int) -> Observation:
    """A third of the candidates are masked."""
    generator = seeded(seed)
    shapes = [(block.rows.segments(graph).num_rows, block.columns) for block in spec.blocks]
    masks = [torch.rand(shape, generator=generator) > 1 / 3 for shape in shapes]
    return Observation(graph, tuple(m.squeeze(1) if m.shape[1] == 1 else m for m in masks))


def log_probs(policy: ActorCritic, seen: Observation) -> list[Tensor]:
    """For each graph the log-probability of each candidate, by asking for one candidate of every graph at a time."""
    distribution = policy.distribution(seen)
    lengths = policy.actions.segments(seen.graph).lengths
    legal = policy.actions.arrange(seen.graph, seen.masks).split(lengths.tolist())
    asked = [
        distribution.log_prob(torch.where(place < lengths, place, -1)).detach()
        for place in range(int(lengths.max()) if lengths.numel() else 0)
    ]
    table = torch.stack(asked, dim=1) if asked else torch.zeros(seen.graph.num_graphs, 0)
    return [
        table[graph, :count].masked_fill(~mask, -torch.inf)
        for graph, (count, mask) in enumerate(zip(lengths.tolist(), legal, strict=True))
    ]


def at(spec: ActionSpec, seen: Observation, graph: int) -> Observation:
    """What is seen of one graph."""
    masks = [mask[rows.index == graph] for rows, mask in zip(spec.graph_rows(seen.graph), seen.masks, strict=True)]
    return Observation(alone(seen.graph, graph), tuple(masks))


def identities(spec: ActionSpec, graph: GraphBatch, label: Tensor) -> list[list[Hashable]]:
    """What each row of each block is, in terms of labels of nodes that outlive a renumbering."""
    links = graph.edge_index[:, graph.links[0]]
    names: dict[str, list[Hashable]] = {
        "graphs": list(range(graph.num_graphs)),
        "nodes": label.tolist(),
        "edges": [frozenset(pair) for pair in label[links].T.tolist()],
        "pairs": [
            (int(label[start + u]), int(label[start + v]))
            for start, n in zip(graph.node_ptr.tolist(), graph.node_segments.lengths.tolist(), strict=False)
            for u in range(n)
            for v in range(n)
        ],
    }
    pairs = unordered_pair_segments(graph)
    ends = graph.node_ptr[:-1][pairs.index] + torch.stack(unordered_pair_nodes(pairs.position))
    names["unordered-pairs"] = [frozenset(pair) for pair in label[ends].T.tolist()]
    if "at" in graph.graphs:
        names["neighbours"] = label[graph.edge_index[1, out_edges(graph)[0]]].tolist()
    return [names[block.rows.name] for block in spec.blocks]


@every_case
@given(graph=simple_graphs, seed=seeds)
@few
def test_probabilities_sum_to_one_and_masked_candidates_have_none(case: str, graph: GraphBatch, seed: int) -> None:
    policy = make(case)
    seen = observation(policy.actions, standing(graph, seed), seed)
    legal = policy.actions.arrange(seen.graph, seen.masks)
    for row, mask in zip(
        log_probs(policy, seen), legal.split(policy.actions.segments(seen.graph).lengths.tolist()), strict=True
    ):
        if mask.any():
            assert row.exp().sum().item() == pytest.approx(1, abs=1e-5)
            assert bool(row[mask].isfinite().all())
    distribution = policy.distribution(seen)
    assert bool(distribution.entropy.isfinite().all())
    for action in (distribution.sample(seeded(seed)), distribution.mode):
        start = policy.actions.segments(seen.graph).ptr[:-1]
        chosen = action >= 0
        assert bool(legal[(start + action)[chosen]].all())
        assert bool((distribution.log_prob(action)[chosen] > -torch.inf).all())


@every_case
@given(graph=simple_graphs, seed=seeds)
@few
def test_batching_changes_nothing(case: str, graph: GraphBatch, seed: int) -> None:
    policy = make(case)
    seen = observation(policy.actions, standing(graph, seed), seed)
    values = policy.value(seen)
    for index, row in enumerate(log_probs(policy, seen)):
        single = at(policy.actions, seen, index)
        torch.testing.assert_close(row, log_probs(policy, single)[0], rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(values[[index]], policy.value(single), rtol=1e-4, atol=1e-4)


@every_case
@given(graph=simple_graphs, seed=seeds)
@few
def test_renumbering_nodes_renumbers_candidates(case: str, graph: GraphBatch, seed: int) -> None:
    policy, spec = make(case), CASES[case][0]
    seen = observation(spec, standing(graph, seed), seed)
    moved, place = relabelled(seen.graph, seeded(seed))
    occupied = torch.where(moved.node_segments.lengths > 0, moved.node_ptr[:-1] + seen.graph.graphs["at"], 0)
    new_at = (place[occupied] if place.numel() else occupied) - moved.node_ptr[:-1]
    moved = moved.with_graphs(at=torch.where(moved.node_segments.lengths > 0, new_at, 0))
    label = torch.arange(graph.num_nodes)
    before, after = identities(spec, seen.graph, label), identities(spec, moved, torch.argsort(place))
    masks = []
    for old, new, mask in zip(before, after, seen.masks, strict=True):
        where = {name: row for row, name in enumerate(old)}
        masks.append(mask[torch.tensor([where[name] for name in new], dtype=torch.int64)])
    other = Observation(moved, tuple(masks))

    def named(names: list[list[Hashable]], looked_at: Observation) -> dict[Hashable, float]:
        keys = [[(b, n, c) for n in some for c in range(spec.blocks[b].columns)] for b, some in enumerate(names)]
        flat = [key for some in keys for key in some]
        numbers = [
            torch.arange(len(some), dtype=torch.int64) + sum(len(s) for s in keys[:b]) for b, some in enumerate(keys)
        ]
        order = spec.arrange(looked_at.graph, numbers).tolist()
        return dict(
            zip((flat[k] for k in order), torch.cat([*log_probs(policy, looked_at), torch.zeros(0)]), strict=True)
        )

    expected, found = named(before, seen), named(after, other)
    assert expected.keys() == found.keys()
    for key, value in expected.items():
        torch.testing.assert_close(found[key], value, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(policy.value(other), policy.value(seen), rtol=1e-3, atol=1e-3)


@every_case
def test_every_parameter_learns_and_none_is_shared(case: str) -> None:
    policy = make(case)
    edges = torch.tensor([[0, 1, 2, 3, 0, 4, 5, 6], [1, 2, 3, 0, 2, 5, 6, 4]])
    graph = from_edges(
        edges,
        torch.tensor([4, 3]),
        undirected=True,
        nodes={"x": torch.randn(7, 3, generator=seeded())},
        edges={"w": torch.randn(8, 2, generator=seeded())},
        graphs={"g": torch.randn(2, generator=seeded()), "at": torch.tensor([0, 2])},
    )
    seen = observation(policy.actions, graph, 0)
    seen = Observation(graph, tuple(torch.ones_like(mask) for mask in seen.masks))
    distribution, value = policy(seen)
    action = distribution.sample(seeded())
    assert bool((action >= 0).all())
    (distribution.log_prob(action) + value).sum().backward()
    stale = [name for name, p in policy.named_parameters() if p.grad is None or not bool((p.grad != 0).any())]
    assert not stale
    assert all(bool(p.grad.isfinite().all()) for p in policy.parameters() if p.grad is not None)
    storages = [parameter.data_ptr() for parameter in policy.parameters()]
    assert len(set(storages)) == len(storages)


@given(simple_graphs, seeds)
@few
def test_an_edge_in_two_stages_has_the_joint_probability_of_a_loop(graph: GraphBatch, seed: int) -> None:
    """log Σ over both ways of p(source) p(destination | source), each a softmax over what is legal, written out."""
    torch.manual_seed(seed)
    head = TwoStageEdgeScore(4, 2, "mean")
    for part in (head.source.score, head.destination.score):
        torch.nn.init.normal_(part.weight)
    x = torch.randn(graph.num_nodes, 4)
    embedding = Embedding(x, graph.edges["w"])
    mask = torch.rand(graph.links[0].numel(), generator=seeded(seed)) > 0.3
    found = head(embedding, graph, mask)
    forth, back = both_directions(graph)
    legal = torch.zeros(graph.num_edges, dtype=torch.bool)
    legal[forth[mask]] = legal[back[mask]] = True
    first = head.source(embedding, graph, mask).squeeze(1)
    query, key = head.destination.project(x)
    source, destination = graph.edge_index
    second = head.destination.score(torch.relu(query[source] + key[destination] + head.edge(graph.edges["w"]))).squeeze(
        1
    )
    for link, (one, other) in enumerate(zip(forth.tolist(), back.tolist(), strict=True)):
        if not mask[link]:
            assert found[link] == -torch.inf
            continue
        total = 0.0
        for edge in (one, other):
            u, g = int(source[edge]), int(graph.edge_graph[edge])
            sources = {int(source[e]) for e in legal.nonzero().squeeze(1).tolist() if int(graph.edge_graph[e]) == g}
            siblings = [e for e in legal.nonzero().squeeze(1).tolist() if int(source[e]) == u]
            p_source = math.exp(first[u]) / sum(math.exp(first[v]) for v in sources)
            total += p_source * math.exp(second[edge]) / sum(math.exp(second[e]) for e in siblings)
        assert found[link].item() == pytest.approx(math.log(total), abs=1e-4)


@given(simple_graphs, seeds, st.integers(1, 2))
@few
def test_an_unordered_pair_is_scored_by_the_sum_of_its_ends(graph: GraphBatch, seed: int, columns: int) -> None:
    """An MLP on h(u) + h(v), written out; what is masked costs nothing and is 0."""
    torch.manual_seed(seed)
    head = UnorderedPairScore(4, columns)
    torch.nn.init.normal_(head.score.weight)
    x = torch.randn(graph.num_nodes, 4)
    starts, sizes = graph.node_ptr.tolist(), graph.node_segments.lengths.tolist()
    pairs = [
        (start + u, start + v) for start, n in zip(starts, sizes, strict=False) for v in range(n) for u in range(v)
    ]
    mask = torch.rand(len(pairs), columns, generator=seeded(seed)) > 0.5
    found = head(Embedding(x, None), graph, mask if columns > 1 else mask.squeeze(1))
    assert found.shape == ((len(pairs), columns) if columns > 1 else (len(pairs),))
    for (u, v), row, legal in zip(pairs, found.view(-1, columns), mask, strict=True):
        expected = head.score(torch.relu(head.node(x[u]) + head.node(x[v])))
        torch.testing.assert_close(row, expected if legal.any() else torch.zeros(columns), rtol=1e-4, atol=1e-5)


@given(seeds)
@few
def test_graph_columns_decide_for_graphs_without_nodes(seed: int) -> None:
    """With the option, and only with it."""
    torch.manual_seed(seed)
    graph = from_edges(
        torch.zeros(2, 0, dtype=torch.int64),
        torch.tensor([0, 0]),
        undirected=True,
        nodes={"x": torch.zeros(0, 3)},
        edges={"w": torch.zeros(0, 2)},
        graphs={"g": torch.tensor([0.0, 5.0])},
    )
    seen = Observation(graph, (torch.ones(2, 3, dtype=torch.bool),))
    for wanted in (False, True):
        policy = ActorCritic(FEATURES, ActionSpec(per_graph("a", 3)), PLAIN, HeadsConfig(graph_columns=wanted))
        torch.nn.init.normal_(policy.actor.heads[0].score.weight)
        one, other = policy.distribution(seen).log_probs.view(2, 3)
        assert torch.equal(one, other) is not wanted


@given(ragged_batches(undirected=True))
def test_the_line_graph_joins_links_that_share_an_end(graph: GraphBatch) -> None:
    lines = line_graph(graph)
    lines.validate()
    ends = graph.edge_index[:, graph.links[0]].T.tolist()
    expected = [
        (min(a, b), max(a, b))
        for a, one in enumerate(ends)
        for b, other in enumerate(ends)
        if a < b
        for end in set(one) & set(other)
    ]
    found = lines.edge_index[:, lines.links[0]].sort(0).values.T.tolist()
    assert sorted(map(tuple, found)) == sorted(expected)
    assert lines.node_segments.lengths.tolist() == graph.links[1].lengths.tolist()


@given(st.integers(0, 100))
@settings(max_examples=20, deadline=None)
def test_the_temperature_of_a_proto_action_stays_positive(seed: int) -> None:
    torch.manual_seed(seed)
    policy = ActorCritic(FEATURES, NODE, PLAIN, HeadsConfig(nodes="proto-distance"))
    head = policy.actor.heads[0]
    optimizer = torch.optim.SGD(head.parameters(), lr=50.0)
    for _ in range(5):
        optimizer.zero_grad()
        (head.log_temperature * (seed - 50)).backward()
        optimizer.step()
    assert head.log_temperature.exp() >= 0
    assert any(p is head.log_temperature for p in policy.parameters())


@given(simple_graphs, seeds)
@few
def test_no_two_neighbours_prefer_the_same_action_of_rivals(graph: GraphBatch, seed: int) -> None:
    spec, generator = ActionSpec(per_decider("a", 3), decider="nodes"), seeded(seed)
    torch.manual_seed(seed % 1000)
    policy = ActorCritic(FEATURES, spec, PLAIN, HeadsConfig(deciders="rivals"))
    torch.nn.init.normal_(policy.actor.heads[0].own.score.weight, std=1.5)
    able = torch.rand(graph.num_nodes, 2, generator=generator) > 1 / 3
    mask = torch.cat([torch.ones(graph.num_nodes, 1, dtype=torch.bool), able], dim=1)
    action = policy.best(Observation(graph, (mask,)))
    source, end = graph.edge_index
    assert not bool(((action[source] == action[end]) & (action[source] > 0)).any())
    # Where none of its neighbours may do anything, a node decides by its own score.
    score = policy.actor.heads[0].own(policy.embed(Observation(graph, (mask,))), graph, mask)
    own = (score - score[:, :1]).masked_fill(~mask, -torch.inf)
    quiet = torch.zeros(graph.num_nodes).index_add(0, end, able[source].any(1).float()) == 0
    assert torch.equal(action[quiet], own.argmax(1)[quiet])


@pytest.mark.parametrize("decider", ["nodes", "edges", "neighbours", "links of a graph", "neighbours of an agent"])
def test_linear_heads_score_by_a_weighted_sum_of_columns(decider: str) -> None:
    """By hand: a path of three nodes, the first two of which act, its two links, or the middle one's neighbours."""
    spec = {
        "nodes": ActionSpec(per_decider("a", 2), decider="nodes"),
        "edges": ActionSpec(per_decider("a", 2), decider="edges"),
        "neighbours": ActionSpec(per_neighbour("go"), decider="nodes"),
        "links of a graph": ActionSpec(per_edge("a", 2)),
        "neighbours of an agent": ActionSpec(per_neighbour("go")),
    }[decider]
    features = Features(nodes={"x": 2}, edges={"w": 1})
    flat = EncoderConfig(kind="gin", width=2, depth=0, norm=False)
    policy = ActorCritic(features, spec, flat, HeadsConfig(deciders="linear", edges="linear"))
    graph = from_edges(
        torch.tensor([[0, 1], [1, 2]]),
        torch.tensor([3]),
        undirected=True,
        nodes={"x": torch.tensor([[1.0, 2.0], [3.0, 5.0], [7.0, 11.0]]), "acts": torch.tensor([True, True, False])},
        edges={"w": torch.tensor([10.0, 20.0])},
    ).with_graphs(at=torch.tensor([1]))
    reads = {
        "weight": torch.tensor([[1.0, -1.0]]),
        "node.weight": torch.tensor([[1.0, 0.0], [2.0, -1.0]]),
        "ends.weight": torch.tensor([[1.0, 0.0], [0.0, 1.0]]),
        "edge.weight": torch.tensor([[0.5]] if "neighbours" in decider else [[0.5], [-0.5]]),
        "node.bias": torch.tensor([0.0, 4.0]),
        "ends.bias": torch.tensor([0.0, 4.0]),
    }
    (head,) = policy.actor.heads
    policy.encoder.embed.load_state_dict({"weight": torch.eye(2), "bias": torch.zeros(2)})  # embeddings are columns
    with torch.no_grad():
        for name, parameter in head.named_parameters():
            parameter.copy_(reads[name.removeprefix("score.")])
    expected = {
        "nodes": [[1, 2 - 2 + 4], [3, 6 - 5 + 4]],
        "edges": [[1 + 3 + 10, 2 + 5 - 10 + 4], [3 + 7 + 20, 5 + 11 - 20 + 4]],  # with both directions of a link
        "neighbours": [[3 - 5 + 5], [1 - 2 + 5], [7 - 11 + 10]],  # of the first node; of the second to both sides
    }
    expected |= {"links of a graph": expected["edges"], "neighbours of an agent": expected["neighbours"][1:]}
    mask = torch.ones(len(expected[decider]), len(expected[decider][0]), dtype=torch.bool)
    found = head(policy.embed(Observation(graph, (mask,))), graph, mask)
    assert torch.equal(found, torch.tensor(expected[decider], dtype=torch.float32))


def test_rivals_that_are_out_make_room_for_their_neighbours() -> None:
    """On a line of falling scores each of four rounds lets one more node act."""
    size = 9
    line = torch.stack([torch.arange(size - 1), torch.arange(1, size)])
    graph = from_edges(line, torch.tensor([size]), undirected=True)
    score = torch.stack([torch.zeros(size), torch.arange(size, 0, -1).float()], dim=1)
    mask = torch.ones(size, 2, dtype=torch.bool)
    head = RivalScore(lambda *_: score)
    found = head(Embedding(torch.zeros(size, 1), None), graph, mask)
    assert found.argmax(1).tolist() == [1, 0, 1, 0, 1, 0, 1, 0, 0]
    moved = RivalScore(lambda *_: score - 8)(Embedding(torch.zeros(size, 1), None), graph, mask)
    assert torch.equal(moved, found - 8)  # as values are, which may be costs in whatever a node does
    mask[2, 1] = False  # it is silent, and its neighbours need not mind
    assert head(Embedding(torch.zeros(size, 1), None), graph, mask)[3, 1] > 0


@pytest.mark.parametrize(
    ("spec", "heads", "word"),
    [
        (EDGE, HeadsConfig(edges="states"), "edge-gated"),
        (ActionSpec(per_edge("a", 2)), HeadsConfig(edges="two-stage"), "2 columns"),
        (ActionSpec(per_edge("a", 2)), HeadsConfig(edges="gaussian"), "2 columns"),
        (ActionSpec(per_pair("a"), per_graph("b")), HeadsConfig(), "use ends"),
        (ActionSpec(per_decider("a", 2), decider="edges"), HeadsConfig(deciders="rivals"), "not edges"),
        (ActionSpec(per_decider("a"), decider="nodes"), HeadsConfig(deciders="rivals"), "use score"),
        (ActionSpec(per_decider("a", continuous=1), decider="nodes"), HeadsConfig(deciders="linear"), "real numbers"),
        (ActionSpec(per_decider("a", continuous=1), decider="nodes"), HeadsConfig(deciders="own"), "real numbers"),
    ],
)
def test_a_head_that_does_not_fit_is_refused_by_name(spec: ActionSpec, heads: HeadsConfig, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        ActorCritic(FEATURES, spec, PLAIN, heads)
