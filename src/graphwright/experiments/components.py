"""Graphs in one, two or three pieces, and a graph neural network that says in how many."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from graphwright.core import Features, GraphBatch, GraphError, from_edges, simplify
from graphwright.core.segment import segment_sum
from graphwright.envs.problems.graph_robustness.robustness import pieces
from graphwright.nn import EncoderConfig
from graphwright.nn.encoders import Encoder
from graphwright.nn.heads.graph import GraphScore

CLASSES = 3
SMALLEST = 4
"""Nodes of a piece, at least."""


def in_pieces(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
    """Graphs of as many nodes in one to three pieces, each number as likely: random trees with further links in them.

    The pieces are stretches of the nodes, of at least `SMALLEST` where there is room. Further links: n / 2, drawn with
    both ends in one piece; what is drawn twice, or to itself, is one link less.
    """
    size, place, device = graph.node_segments.lengths, graph.node_segments.position, graph.device
    room = (size // SMALLEST).clamp(1, CLASSES)
    count = (torch.rand(len(size), generator=generator, device=device) * room).long() + 1
    part = _stretches(size, count, generator)[graph.node_graph, place]
    first = torch.ones_like(part, dtype=torch.bool)
    first[1:] = (part.diff() != 0) | (graph.node_graph.diff() != 0)
    begin = torch.where(first, torch.arange(len(part), device=device), 0).cummax(0).values
    node = torch.arange(len(part), device=device)

    def earlier() -> Tensor:
        """A random node of the same piece, of a smaller number; itself for the first."""
        return begin + (torch.rand(len(part), generator=generator, device=device) * (node - begin)).long()

    tree = torch.stack([earlier(), node])[:, ~first]
    more = torch.stack([earlier(), node])[:, torch.rand(len(part), generator=generator, device=device) < 0.5]
    return simplify(from_edges(torch.cat([tree, more], dim=1), size, undirected=True))


def _stretches(size: Tensor, count: Tensor, generator: torch.Generator) -> Tensor:
    """[B, largest]: of each place the number of its stretch, `count` [B] of them, none shorter than `SMALLEST`."""
    spare = (size - SMALLEST * count).clamp(min=0)
    cuts = torch.rand(len(size), CLASSES - 1, generator=generator, device=size.device).sort(1).values
    cuts = torch.where(torch.arange(1, CLASSES, device=size.device) < count[:, None], cuts, torch.inf)
    ends = (cuts * spare[:, None]).floor() + SMALLEST * torch.arange(1, CLASSES, device=size.device)
    return (torch.arange(int(size.max()), device=size.device)[:, None] >= ends[:, None]).sum(2)


def number_of_pieces(graph: GraphBatch) -> Tensor:
    """[B] int64: the number of connected components; graph: undirected."""
    own = pieces(graph) == torch.arange(graph.num_nodes, device=graph.device)
    return segment_sum(own.long(), graph.node_segments)


class Classifier(nn.Module):
    """Scores of 1 to `CLASSES` pieces, [B, CLASSES], from degrees alone."""

    def __init__(self, width: int = 32, depth: int = 4) -> None:
        super().__init__()
        self.encoder = Encoder(Features(nodes={"log_degree": 1}), EncoderConfig("graphconv", width=width, depth=depth))
        self.score = GraphScore(width, CLASSES, "sum-mean-max")

    def forward(self, graph: GraphBatch) -> Tensor:
        """[B, CLASSES]; graph: undirected."""
        seen = graph.keep().with_nodes(log_degree=graph.in_degree.float().log1p())
        return self.score(self.encoder(seen), seen, seen.node_ptr)


def train_classifier(sizes: tuple[int, ...], steps: int, seed: int, batch: int = 256) -> Classifier:
    """A classifier after so many steps of Adam with cross-entropy, each on fresh graphs of these sizes."""
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Classifier()
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.02, steps)
    for _ in range(steps):
        graph = draw_graphs(sizes, batch, generator)
        loss = nn.functional.cross_entropy(network(graph), number_of_pieces(graph) - 1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return network.eval()


def draw_graphs(sizes: tuple[int, ...], count: int, generator: torch.Generator) -> GraphBatch:
    """Random graphs in pieces."""
    size = torch.tensor(sizes)[torch.randint(len(sizes), (count,), generator=generator)]
    return in_pieces(from_edges(torch.empty(2, 0, dtype=torch.int64), size, undirected=True), generator)


def save_classifier(network: Classifier, path: Path) -> None:
    """Its weights, as safetensors."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(network.state_dict(), path)


@lru_cache(maxsize=8)
def load_classifier(path: str) -> Classifier:
    """What `save_classifier` wrote, in float64: rewards are small changes of its scores, and in float32 these depend on
    what else is in the batch. Raises GraphError, naming the file, where it holds no such classifier.
    """
    network = Classifier()
    try:
        network.load_state_dict(load_file(path))
    except Exception as error:
        reason = str(error).splitlines()[0]
        raise GraphError(f"--environment.classifier {path}: holds no classifier of components ({reason})") from None
    network.encoder.embed.register_forward_pre_hook(lambda _, columns: (columns[0].double(),))
    return network.double().eval().requires_grad_(False)
