"""Which head scores the candidates of a block: the options, and what is made of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import nn

from graphwright.core import ActionBlock, RowKind
from graphwright.core.rows import DECIDERS, EDGES, GRAPHS, NEIGHBOURS, NODES, PAIRS, UNORDERED_PAIRS
from graphwright.nn.encoders import Encoder, require_random_walks
from graphwright.nn.heads.continuous import Scale
from graphwright.nn.heads.decider import DeciderHidden, DeciderScore, LinearDeciderScore, OwnScore, RivalScore
from graphwright.nn.heads.edge import EdgeScore, EdgeStateScore
from graphwright.nn.heads.end_points import (
    GaussianEdgeScore,
    GaussianPairScore,
    PairScore,
    TwoStageEdgeScore,
    UnorderedPairScore,
)
from graphwright.nn.heads.graph import GraphScore
from graphwright.nn.heads.line_graph import LineGraphScore
from graphwright.nn.heads.neighbour import LinearNeighbourScore, NeighbourScore
from graphwright.nn.heads.node import NodeHead, make_node_head
from graphwright.nn.individual import Encoders
from graphwright.nn.pools import Pooling
from graphwright.nn.recurrent import RecurrentEncoder
from graphwright.nn.vectors import PlaceScore, VectorEncoder

AnyEncoder = Encoder | Encoders | RecurrentEncoder | VectorEncoder
EdgeHead = Literal["ends-sum", "ends-concat", "linear", "states", "line-graph", "two-stage", "gaussian"]
PairHead = Literal["two-stage", "ends", "gaussian"]
DeciderHead = Literal["score", "own", "linear", "rivals"]


@dataclass(frozen=True)
class HeadsConfig:
    """How candidates are scored, and what the heads see of a whole graph."""

    pool: Pooling = "mean"
    """Pool behind the score of a candidate."""
    value_pool: Pooling = "sum"
    """Pool behind the value of a state; costs add up over nodes, and so do embeddings."""
    nodes: NodeHead = "score"
    """Actions tied to nodes: an MLP; weights alone (with --encoder.depth 0, the linear policy to compare with); or
    nearness to a predicted vector, by distance or cosine."""
    edges: EdgeHead = "ends-sum"
    """Actions tied to edges: MLP on both ends (added or concatenated); weights alone on the added ones and the edge;
    MLP on edge states (edge-gated encoder), on the line graph; source then destination; Gaussian pair of
    proto-actions."""
    pairs: PairHead = "two-stage"
    """Actions tied to pairs of nodes: source then destination; MLP on every pair; Gaussian pair of proto-actions."""
    deciders: DeciderHead = "score"
    """Actions of nodes and edges that decide: an MLP on their embedding and the pooled graph, or on that alone (own);
    weights alone (with --encoder.depth 0, the linear policy to compare with), for actions tied to neighbours too,
    whoever decides; or, of nodes, by how much they are ahead of the neighbours that contend for any action but the
    first, so that no two neighbours prefer the same one."""
    walks: int = 4
    """Pairs of nodes are scored by the walks of up to so many steps between them too, which tell apart pairs whose
    nodes look alike; 0: by the two nodes alone, as Gaussian pairs always are."""
    graph_columns: bool = False
    """Whether what scores or values whole graphs reads their columns beside the pooled nodes."""
    scale: Scale = "learned"
    """Spread of continuous actions: one parameter a column, or of the state."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, for walks of fewer steps than none, or of too many to be told apart."""
        require_random_walks("heads.walks", self.walks)


def make_head(block: ActionBlock, decider: RowKind, encoder: Encoder | VectorEncoder, config: HeadsConfig) -> nn.Module:
    """The scoring head for one block of an `ActionSpec` with that decider. Raises ValueError where there is none."""
    if isinstance(encoder, VectorEncoder):
        return _place_head(block, decider, encoder)
    if block.rows == DECIDERS:
        return _decider_head(block, decider, encoder, config)
    if block.rows == NEIGHBOURS:
        head = LinearNeighbourScore if config.deciders == "linear" else NeighbourScore
        return head(encoder.width, encoder.edge_width, block.columns, decider)
    return _HEADS[block.rows](block, encoder, config)


def _decider_head(block: ActionBlock, decider: RowKind, encoder: Encoder, config: HeadsConfig) -> nn.Module:
    if config.deciders == "linear":
        return LinearDeciderScore(decider, encoder.width, encoder.edge_width, block.columns)
    if config.deciders == "own":
        return OwnScore(decider, encoder.width, encoder.edge_width, block.columns)
    own = DeciderScore(decider_hidden(decider, encoder, config), encoder.width, block.columns)
    if config.deciders == "rivals" and decider != NODES:
        raise ValueError(f"heads deciders rivals (--heads.deciders): only nodes have rivals, not {decider.name}")
    if config.deciders == "rivals" and block.columns == 1:
        raise ValueError(
            f"heads deciders rivals (--heads.deciders): {block.name!r} is one action, and rivals are in any but "
            "the first; use score"
        )
    return own if config.deciders == "score" else RivalScore(own)


def _place_head(block: ActionBlock, decider: RowKind, encoder: VectorEncoder) -> nn.Module:
    if decider != GRAPHS or block.rows not in (NODES, GRAPHS):
        raise ValueError(
            f"encoder kind mlp (--encoder.kind): scores nodes and graphs where graphs decide, but {block.name!r} is "
            f"tied to {block.rows.name}; choose a layer that passes messages, such as gin"
        )
    return PlaceScore(encoder.width, encoder.places if block.rows == NODES else 0, block.columns)


def decider_hidden(decider: RowKind, encoder: Encoder, config: HeadsConfig) -> DeciderHidden:
    """What is read of each row that decides, before its candidates are scored."""
    graph_width = read_graph_width(encoder, config)
    return DeciderHidden(decider, encoder.width, encoder.edge_width, config.pool, graph_width)


def read_graph_width(encoder: AnyEncoder, config: HeadsConfig) -> int:
    """How many columns of a graph are read where a whole graph is."""
    return encoder.graph_width if config.graph_columns else encoder.beside


def _node_head(block: ActionBlock, encoder: Encoder, config: HeadsConfig) -> nn.Module:
    return make_node_head(config.nodes, encoder.width, block.columns, config.pool, encoder.beside)


def _edge_head(block: ActionBlock, encoder: Encoder, config: HeadsConfig) -> nn.Module:
    width, edge_width, columns = encoder.width, encoder.edge_width, block.columns
    if config.edges in ("two-stage", "gaussian"):
        _require_one_column(block, "edges", config.edges, "ends-sum")
    match config.edges:
        case "ends-sum":
            return EdgeScore(width, edge_width, columns, config.pool, "sum", encoder.beside)
        case "ends-concat":
            return EdgeScore(width, edge_width, columns, config.pool, "concat", encoder.beside)
        case "linear":
            return LinearDeciderScore(EDGES, width, edge_width, columns)  # all links are rows of it: none acts
        case "states":
            if not encoder.carries_edges:
                raise ValueError(
                    "heads edges states (--heads.edges) needs an encoder that carries them: edge-gated (--encoder.kind)"
                )
            return EdgeStateScore(edge_width, columns)
        case "line-graph":
            return LineGraphScore(width, edge_width, columns, config.pool)
        case "two-stage":
            return TwoStageEdgeScore(width, edge_width, config.pool)
        case "gaussian":
            return GaussianEdgeScore(width, config.pool)


def _pair_head(block: ActionBlock, encoder: Encoder, config: HeadsConfig) -> nn.Module:
    match config.pairs:
        case "two-stage":
            raise ValueError(
                f"heads pairs two-stage (--heads.pairs): {block.name!r} needs a score a candidate here; use ends"
            )
        case "ends":
            return PairScore(encoder.width, block.columns, config.walks)
        case "gaussian":
            _require_one_column(block, "pairs", config.pairs, "ends")
            return GaussianPairScore(encoder.width, config.pool)


def _unordered_pair_head(block: ActionBlock, encoder: Encoder, config: HeadsConfig) -> nn.Module:
    return UnorderedPairScore(encoder.width, block.columns, config.walks)


def _graph_head(block: ActionBlock, encoder: Encoder, config: HeadsConfig) -> nn.Module:
    return GraphScore(encoder.width, block.columns, config.pool, read_graph_width(encoder, config))


def _require_one_column(block: ActionBlock, option: str, head: str, other: str) -> None:
    if block.columns > 1:
        raise ValueError(
            f"heads {option} {head} (--heads.{option}): {block.name!r} has {block.columns} columns; use {other}"
        )


_HEADS: dict[RowKind, Callable[[ActionBlock, Encoder, HeadsConfig], nn.Module]] = {
    NODES: _node_head,
    EDGES: _edge_head,
    PAIRS: _pair_head,
    UNORDERED_PAIRS: _unordered_pair_head,
    GRAPHS: _graph_head,
}
"""What scores the rows of each kind where graphs decide."""
