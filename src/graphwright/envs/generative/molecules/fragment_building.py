"""The environment that puts molecules together from fragments."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch, from_edges, with_links
from graphwright.core.construction import opposite_edges
from graphwright.core.segment import segment_sum
from graphwright.envs.generative.automorphisms import canonical_keys, log_automorphisms
from graphwright.envs.generative.context import TYPE
from graphwright.envs.generative.edits import Begin, Edit
from graphwright.envs.generative.graph_building import GraphBuilding
from graphwright.envs.generative.molecules.attach import AttachFragment
from graphwright.envs.generative.molecules.chemistry import hydrogens_and_bonds, symmetries
from graphwright.envs.generative.molecules.fragments import POINT, FragmentContext

COLOUR = "colour"


@dataclass(frozen=True)
class FragmentBuilding(GraphBuilding):
    """Trees of fragments that are joined at attachment points: see `FragmentContext`.

    Actions: stop; begin with a fragment; attach a fragment: where, at which of its points, and by which of its own.
    Backward: end; detach a fragment that one bond holds.

    An object is a tree with its points, and that is what `keys` and `log_automorphisms` are about. A policy that draws
    objects in proportion to R therefore draws a molecule the more often, the more of its fragments' symmetries swap
    points. Where each molecule is to count once, `log_share` is added to log R.
    """

    alike_both_ways: ClassVar[bool] = False  # each end has a point of its own

    context: FragmentContext = field(default_factory=FragmentContext)

    @cached_property
    @override
    def edits(self) -> tuple[Edit, ...]:
        return Begin(self.context), AttachFragment(self.context)

    @override
    def keys(self, state: GraphBatch) -> list[bytes]:
        """The same for trees that differ in their numbering only."""
        return canonical_keys(self._with_ends(state), (COLOUR,))

    @override
    def numbering(self, state: GraphBatch) -> Tensor | None:
        """None: trees of that many fragments are hardly ever the same."""
        return None

    @override
    def log_automorphisms(self, state: GraphBatch) -> Tensor:
        """renumberings of the fragments that keep types, edges and the points at their ends."""
        return log_automorphisms(self._with_ends(state), (COLOUR,))

    @override
    def log_share(self, state: GraphBatch) -> Tensor:
        """[B] float64: log of the share that each state has in the molecule that it and others are.

        States are the same molecule, put together alike, where symmetries of their fragments turn the atoms that they
        join into each other; their shares sum to 1. The share is |Aut G| / (|Aut s| · Π_i W_i): the symmetries of the
        molecule G that respect its division into fragments, those of the state s, and for each fragment the number of
        pairs of a symmetry of its atoms and a choice of points for the atoms that are then joined. Where symmetries
        take points to points this is, with |Aut s| from `log_automorphisms`, the correction of Kim, Lee and Oh 2025
        ("Symmetry-aware GFlowNets") for fragments.

        The same molecule divided into other fragments (ethane as C and C or as CC) counts as another one here.
        """
        return self.log_multiplicity(state) - self.log_automorphisms(state)

    @override
    def log_multiplicity(self, state: GraphBatch) -> Tensor:
        """|Aut G| / Π_i W_i of `log_share`, where |Aut s| cancels out."""
        of_parts = segment_sum(self._ways(state).double().log(), state.node_segments)
        return log_automorphisms(self.put_together(state), (COLOUR,)) - of_parts

    def put_together(self, state: GraphBatch) -> GraphBatch:
        """Graphs that are isomorphic, `colour` included, where states are the same molecule, put together alike.

        Their nodes are the atoms and the bonds of all fragments; atoms that are joined are neighbours.
        """
        return with_links(*self.context.assemble(state, self._parts, self.context.point_atoms))

    def _ways(self, state: GraphBatch) -> Tensor:
        """[N] int64: W of `log_share` of each fragment."""
        images, capacity = self._images.to(state.device), self._capacity.to(state.device)
        kind, size = state.nodes[TYPE], capacity.shape[1]
        source = state.edge_index[0]
        atom = self.context.point_atoms.to(state.device)[kind[source], state.edges[POINT] - 1]
        used = torch.zeros(state.num_nodes * size, dtype=torch.int64, device=state.device)
        used = used.index_add(0, source * size + atom, torch.ones_like(atom)).view(-1, 1, size)
        room = capacity[kind].unsqueeze(1).expand(-1, images.shape[1], -1).gather(2, images[kind].clamp(min=0))
        # So many ways to choose points one after the other at each atom: room · (room - 1) · ..., `used` factors.
        ways = torch.ones_like(room)
        for place in range(self.context.max_points):
            ways = ways * torch.where(used > place, (room - place).clamp(min=0), 1)
        return (ways.prod(2) * (images[kind, :, 0] >= 0)).sum(1)

    @cached_property
    def _images(self) -> Tensor:
        """[fragments, symmetries, atoms] int64: where a symmetry takes an atom; -1 where there are fewer symmetries."""
        found = [symmetries(fragment.smiles) for fragment in self.context.parts]
        images = torch.full((len(found), max(map(len, found)), self._capacity.shape[1]), -1)
        for kind, maps in enumerate(found):
            images[kind, : len(maps)] = 0  # atoms that are not there are not used either
            images[kind, : len(maps), : len(maps[0])] = torch.tensor(maps)
        return images

    @cached_property
    def _capacity(self) -> Tensor:
        """[fragments, atoms] int64: how many points each atom has."""
        kind, place = self.context.stems
        sizes = self.context.molecules.node_segments.lengths
        capacity = torch.zeros(sizes.numel(), int(sizes.max()), dtype=torch.int64)
        one = torch.ones_like(kind)
        return capacity.index_put((kind, self.context.point_atoms[kind, place]), one, accumulate=True)

    @cached_property
    def _parts(self) -> GraphBatch:
        """A graph for each fragment: its atoms, then its bonds, each joined to its two atoms."""
        atoms = self.context.molecules
        rows, bonds = atoms.links
        num_atoms = atoms.node_segments.lengths
        sizes = num_atoms + bonds.lengths
        start = sizes.cumsum(0) - sizes
        atom = start[atoms.node_graph] + atoms.node_segments.position
        bond = start[bonds.index] + num_atoms[bonds.index] + bonds.position
        links = torch.cat([torch.stack([end, bond]) for end in atom[atoms.edge_index[:, rows]]], dim=1)
        hydrogens, kinds = hydrogens_and_bonds(atoms)
        # What tells vertices apart: the fragment; hydrogens, or that it is a bond; element or order; charge.
        marks = torch.zeros(int(sizes.sum()), 4, dtype=torch.int64)
        marks[atom] = torch.stack([atoms.node_graph, hydrogens, atoms.nodes["element"], atoms.nodes["charge"]], dim=1)
        marks[bond] = torch.stack([bonds.index, -torch.ones_like(bond), kinds[rows], torch.zeros_like(bond)], dim=1)
        colour = marks.unique(dim=0, return_inverse=True)[1]
        return from_edges(links, sizes, undirected=True, nodes={COLOUR: colour})

    def _with_ends(self, state: GraphBatch) -> GraphBatch:
        """`state` with the two ends of each edge as further nodes, whose colours are the points."""
        node = torch.arange(state.num_nodes, device=state.device) + state.edge_ptr[state.node_graph]
        end = torch.arange(state.num_edges, device=state.device) + state.node_ptr[state.edge_graph + 1]
        rows = state.links[0]
        opposite = opposite_edges(state, rows)
        links = torch.cat(
            [torch.stack([node[state.edge_index[0]], end]), torch.stack([end[rows], end[opposite]])], dim=1
        )
        colour = torch.empty(state.num_nodes + state.num_edges, dtype=torch.int64, device=state.device)
        colour[node] = state.nodes[TYPE]
        colour[end] = state.edges[POINT] + self.context.node_types
        sizes = state.node_segments.lengths + state.edge_segments.lengths
        return from_edges(links, sizes, undirected=True, nodes={COLOUR: colour})
