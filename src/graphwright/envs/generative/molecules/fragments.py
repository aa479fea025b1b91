"""The context of molecules that are put together from fragments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional as F
from typing_extensions import override

from graphwright.core import Features, GraphBatch, with_links
from graphwright.core.construction import opposite_edges
from graphwright.envs.generative.context import TYPE, GraphContext
from graphwright.envs.generative.molecules.chemistry import is_molecule, read
from graphwright.envs.generative.molecules.vocabulary import FRAGMENTS, Fragment

POINT = "point"


@dataclass(frozen=True)
class FragmentContext(GraphContext):
    """Trees of fragments: a node is a fragment, an edge a single bond between an attachment point of either.

    The edge column `point` is 1 plus the place in `Fragment.points` that is used at the edge's source; its reverse has
    that of the other end. No point is used twice, so each state is a valid molecule and may stop.

    An object is a tree with its points: where a symmetry of a fragment swaps points, different objects are the same
    molecule (fluorobenzene is four, one for each point of benzene). `FragmentBuilding.log_share` makes up for that.

    fragments: what the nodes' types name, each as `Fragment.text`. Raises ValueError for one that is not written so,
    with stereochemistry, without points, with points that it has no such atom for, or no valid molecule when all of its
    points are used.
    """

    fragments: tuple[str, ...] = tuple(fragment.text for fragment in FRAGMENTS)
    max_nodes: int = 9
    max_links: int | None = field(init=False, default=None)
    cycles: bool = field(init=False, default=False)
    node_types: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        for fragment in self.parts:
            _check(fragment)
        object.__setattr__(self, "node_types", len(self.fragments))
        self.require_bounds()

    @cached_property
    def parts(self) -> tuple[Fragment, ...]:
        """The fragments, read."""
        return tuple(map(Fragment.of, self.fragments))

    @property
    @override
    def edge_attributes(self) -> Mapping[str, int]:
        return {POINT: self.max_points}

    @cached_property
    def max_points(self) -> int:
        """Points of the fragment that has most."""
        return max(len(fragment.points) for fragment in self.parts)

    @cached_property
    def num_points(self) -> Tensor:
        """[fragments] int64."""
        return torch.tensor([len(fragment.points) for fragment in self.parts])

    @cached_property
    def point_atoms(self) -> Tensor:
        """[fragments, max_points] int64: the atom, inside its fragment, of each point; 0 where there is none."""
        return torch.tensor([(*f.points, *[0] * (self.max_points - len(f.points))) for f in self.parts])

    @cached_property
    def stems(self) -> Tensor:
        """[2, stems] int64: the fragment and the point of all ways to join a new fragment."""
        return (torch.arange(self.max_points) < self.num_points.unsqueeze(1)).nonzero().T

    @cached_property
    def molecules(self) -> GraphBatch:
        """The fragments as tables of atoms, see `rdkit.read`."""
        return read([fragment.smiles for fragment in self.parts])

    @property
    def features(self) -> Features:
        """Those of the base class; which points of a fragment are free; which point each end of an edge uses."""
        points = self.max_points
        return Features(
            nodes={"size": 1, "degree": 1, "free": points},
            edges={POINT: points, "opposite": points},
            node_types=self.node_types,
        )

    @override
    def observe(self, state: GraphBatch) -> GraphBatch:
        own = F.one_hot(state.edges[POINT] - 1, self.max_points)
        opposite = own[state.edges["reverse"] + state.edge_ptr[:-1][state.edge_graph]]
        size = state.node_segments.lengths[state.node_graph] / self.max_nodes
        seen = state.with_nodes(size=size, degree=state.in_degree / 4, free=self.free_points(state))
        return seen.with_edges(point=own, opposite=opposite)

    def free_points(self, state: GraphBatch) -> Tensor:
        """[N, max_points] bool: the points of each fragment that nothing is joined to."""
        places = torch.arange(self.max_points, device=state.device)
        free = places < self.num_points.to(state.device)[state.nodes[TYPE]].unsqueeze(1)
        free[state.edge_index[0], state.edges[POINT] - 1] = False
        return free

    def atoms(self, state: GraphBatch) -> GraphBatch:
        """The molecules: node columns `element` (atomic number), `charge` and `chirality`, edge column `order`.

        The atoms of a fragment stand together, in the order of its SMILES.
        """
        union, joins = self.assemble(state, self.molecules, self.point_atoms)
        return with_links(union, joins, {"order": torch.ones_like(joins[0])})

    def assemble(self, state: GraphBatch, parts: GraphBatch, places: Tensor) -> tuple[GraphBatch, Tensor]:
        """The disjoint union of the `parts` (a graph a fragment) that each state consists of, not joined yet.

        places: [fragments, max_points] int64, the node of a part that stands for each point. Second result: [2, L]
        int64, the nodes of the union that each edge of the states joins.
        """
        kind = state.nodes[TYPE]
        pieces = parts.to(state.device).select(kind)
        edge_ptr = pieces.edge_ptr[state.node_ptr]
        shift = pieces.edge_ptr[:-1] - edge_ptr[:-1][state.node_graph]
        reverse = pieces.edges["reverse"] + shift[pieces.edge_graph]
        union = GraphBatch(
            pieces.edge_index,
            pieces.node_ptr[state.node_ptr],
            edge_ptr,
            nodes=pieces.nodes,
            edges={**pieces.edges, "reverse": reverse},
            graphs=state.graphs,
        )
        at = pieces.node_ptr[:-1][state.edge_index[0]]
        at = at + places.to(state.device)[kind[state.edge_index[0]], state.edges[POINT] - 1]
        rows = state.links[0]
        opposite = opposite_edges(state, rows)
        return union, torch.stack([at[rows], at[opposite]])


def _check(fragment: Fragment) -> None:
    """Raise ValueError unless all points of the fragment can be used at once, and nothing of it is left out."""
    whole = read([fragment.smiles])
    marks = [mark for mark in "@/\\" if mark in fragment.smiles]
    if marks:
        raise ValueError(
            f"fragment {fragment.smiles!r}: stereochemistry is not built; leave out its {' and '.join(marks)}"
        )
    size = whole.num_nodes
    if not fragment.points or min(fragment.points) < 0 or max(fragment.points) >= size:
        raise ValueError(
            f"fragment {fragment.smiles!r}: points {fragment.points} must name one or more of its {size} atoms"
        )
    columns = [whole.nodes[name].tolist() for name in ("element", "charge", "chirality")]
    rows = whole.links[0]
    bonds = [*zip(*whole.edge_index[:, rows].tolist(), whole.edges["order"][rows].tolist(), strict=True)]
    bonds += [(point, size + place, 1) for place, point in enumerate(fragment.points)]
    atoms = [*zip(*columns, strict=True), *[(6, 0, 0)] * len(fragment.points)]
    if not is_molecule(atoms, bonds):
        raise ValueError(f"fragment {fragment.smiles!r} has too few hydrogens for all of its points {fragment.points}")
