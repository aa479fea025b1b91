"""The context of molecules that are built atom by atom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import Features, GraphBatch
from graphwright.core.one_hot import one_hot
from graphwright.envs.generative.context import TYPE, GraphContext

ATOMIC_NUMBERS = {"B": 5, "C": 6, "N": 7, "O": 8, "F": 9, "Si": 14, "P": 15, "S": 16, "Cl": 17, "Br": 35, "I": 53}
"""The elements that there are valences for."""

VALENCES: Mapping[str, Mapping[int, int]] = {
    "B": {0: 3, -1: 4},
    "C": {0: 4, 1: 3, -1: 3},
    "N": {0: 3, 1: 4, -1: 2},
    "O": {0: 2, 1: 3, -1: 1},
    "F": {0: 1},
    "Si": {0: 4},
    "P": {0: 5, 1: 4},
    "S": {0: 6, 1: 3, -1: 1},
    "Cl": {0: 1},
    "Br": {0: 1},
    "I": {0: 1},
}
"""Element → charge → the largest sum of bond orders; what is left is filled with hydrogen."""

BOND, CHARGE, CHIRALITY = "bond", "charge", "chirality"


@dataclass(frozen=True)
class AtomContext(GraphContext):
    """Molecules: nodes are heavy atoms, hydrogen is implied, and bonds are single, double or triple.

    An edge whose `bond` is not set is a single bond, 1 a double, 2 a triple one. `charge` is 1 plus the place in
    `charges`; an atom of which it is not set is neutral. Every graph is a valid molecule, so all of them may stop: no
    step lets the bond orders of an atom add up to more than the valence of its element and charge.

    Aromatic bonds are not drawn: an object is a Kekulé structure. Where an aromatic molecule has several that no
    symmetry maps onto each other (o-xylene has two), each is an object of its own.

    `chirality` 1 or 2 says which way round the neighbours of a carbon go by the rank that `rdkit.molecules` gives them;
    it means nothing, so that several objects are the same molecule, where two of them rank alike. It is set last: a
    carbon needs three or four single bonds, and as long as it is set nothing else about the carbon changes.

    elements: those that the nodes' types name, in this order. charges: which there are beside 0.

    Raises ValueError for an element without a known valence, and for a charge that none of the elements can have.
    """

    elements: tuple[str, ...] = ("C", "N", "O", "F", "P", "S", "Cl", "Br")
    charges: tuple[int, ...] = (1, -1)
    chirality: bool = False
    max_nodes: int = 9
    node_types: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        if not self.elements or len(set(self.elements)) < len(self.elements):
            raise ValueError(f"elements={self.elements}; give one or more, all different")
        for element in self.elements:
            if element not in VALENCES:
                raise ValueError(f"the valence of {element!r} is not known; elements are {', '.join(VALENCES)}")
        for charge in self.charges:
            if charge == 0 or not any(charge in VALENCES[element] for element in self.elements):
                raise ValueError(f"charge {charge} is for none of {self.elements}; leave it out")
        object.__setattr__(self, "node_types", len(self.elements))
        self.require_bounds()

    @property
    @override
    def node_attributes(self) -> Mapping[str, int]:
        charge = {CHARGE: len(self.charges)} if self.charges else {}
        return {**charge, **({CHIRALITY: 2} if self.chirality else {})}

    @property
    @override
    def edge_attributes(self) -> Mapping[str, int]:
        return {BOND: 2}

    @cached_property
    def valence(self) -> Tensor:
        """[elements, 1 + charges] int64: the largest sum of bond orders, first without charge; -1 if it cannot be."""
        return torch.tensor(
            [[VALENCES[element].get(charge, -1) for charge in (0, *self.charges)] for element in self.elements]
        )

    @property
    def features(self) -> Features:
        """Those of the base class, and how many hydrogens an atom can still give for bonds."""
        features = super().features
        return replace(features, nodes={**features.nodes, "free": 5})

    @override
    def observe(self, state: GraphBatch) -> GraphBatch:
        return super().observe(state).with_nodes(free=one_hot(self.free_valence(state).clamp(max=4), 5))

    def atoms(self, state: GraphBatch) -> GraphBatch:
        """The molecules: node columns `element` (atomic number), `charge` and `chirality`, edge column `order`."""
        numbers = torch.tensor([ATOMIC_NUMBERS[element] for element in self.elements], device=state.device)
        charges = torch.tensor((0, *self.charges), device=state.device)
        kind, none = state.nodes[TYPE], torch.zeros_like(state.nodes[TYPE])
        charge = charges[state.nodes.get(CHARGE, none)]
        molecules = state.with_nodes(element=numbers[kind], charge=charge, chirality=state.nodes.get(CHIRALITY, none))
        molecules = molecules.with_edges(order=state.edges[BOND] + 1)
        return molecules.keep(nodes=("element", CHARGE, CHIRALITY), edges=("order",))

    # ---- what an atom can bear --------------------------------------------------------------------------------------

    def used_valence(self, state: GraphBatch) -> Tensor:
        """[N] int64: the sum of the bond orders of each atom."""
        return state.in_degree.index_add(0, state.edge_index[1], state.edges[BOND])

    def free_valence(self, state: GraphBatch) -> Tensor:
        """[N] int64: how much the bond orders of each atom may still grow."""
        charge = state.nodes[CHARGE] if self.charges else 0
        return self.valence.to(state.device)[state.nodes[TYPE], charge] - self.used_valence(state)

    def _open_valence(self, state: GraphBatch) -> Tensor:
        """The same; 0 for an atom whose chirality is set."""
        free = self.free_valence(state)
        return free.masked_fill(state.nodes[CHIRALITY] > 0, 0) if self.chirality else free

    # ---- what may be done -------------------------------------------------------------------------------------------

    def may_add(self, state: GraphBatch) -> Tensor:
        """one hydrogen must be there to give way."""
        return (self._open_valence(state) > 0).unsqueeze(1).expand(-1, self.node_types)

    def may_join(self, state: GraphBatch, one: Tensor, other: Tensor) -> Tensor:
        """both atoms have a hydrogen to give."""
        is_open = self._open_valence(state) > 0
        return is_open[one] & is_open[other]

    def may_set_link(self, state: GraphBatch, name: str) -> Tensor:
        """both atoms have one hydrogen to give for a double bond, two for a triple one."""
        room = self._open_valence(state)[state.edge_index[:, state.links[0]]].amin(0)
        return room.unsqueeze(1) > torch.arange(2, device=state.device)

    def may_set_node(self, state: GraphBatch, name: str) -> Tensor:
        """a charge that bears the bonds of the atom; chirality of a carbon with single bonds."""
        used = self.used_valence(state)
        if name == CHIRALITY:
            settled = (state.in_degree >= 3) & (used == state.in_degree) & self._is_neutral_carbon(state)
            return settled.unsqueeze(1).expand(-1, 2)
        bears = self.valence.to(state.device)[state.nodes[TYPE], 1:] >= used.unsqueeze(1)
        return bears & (state.nodes[CHIRALITY] == 0).unsqueeze(1) if self.chirality else bears

    def may_clear_node(self, state: GraphBatch, name: str) -> Tensor:
        """a charge goes where the neutral atom bears the bonds too."""
        if name == CHIRALITY:
            return super().may_clear_node(state, name)
        return self.valence.to(state.device)[state.nodes[TYPE], 0] >= self.used_valence(state)

    @override
    def is_bare_link(self, state: GraphBatch) -> Tensor:
        bare = super().is_bare_link(state)
        if self.chirality:
            bare = bare & (state.nodes[CHIRALITY][state.edge_index[:, state.links[0]]] == 0).all(0)
        return bare

    def _is_neutral_carbon(self, state: GraphBatch) -> Tensor:
        carbon = self.elements.index("C") if "C" in self.elements else -1
        is_carbon = state.nodes[TYPE] == carbon
        return is_carbon & (state.nodes[CHARGE] == 0) if self.charges else is_carbon
