"""Individual networks: each agent of a team has weights of its own, as many sets of them as there are identities."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch, Observation
from graphwright.core.rows import NODES
from graphwright.core.segment import Segments
from graphwright.core.sequence import Sequence
from graphwright.core.timestep import IDENTITY, MEMORY
from graphwright.distributions import RaggedCategorical, SquashedGaussian
from graphwright.nn.encoders import Embedding, EncoderConfig
from graphwright.nn.recurrent import encoder_of, unroll


class Encoders(nn.Module):
    """An encoder for each identity, with a memory of its own where agents remember; what they are made of is alike.

    Raises ValueError, naming the options, where agents have no identities.
    """

    def __init__(self, features: Features, actions: ActionSpec, config: EncoderConfig) -> None:
        super().__init__()
        encoders = [encoder_of(features, config, actions.decider) for _ in range(num_identities(features))]
        self.each: Any = nn.ModuleList(encoders)
        first = encoders[0]
        self.features, self.read, self.width = features, first.read, first.width
        self.edge_width, self.graph_width, self.beside = first.edge_width, first.graph_width, first.beside
        self.carries_edges, self.places, self.remembers = first.carries_edges, first.places, first.remembers
        self.actions = actions

    @override
    def forward(self, graph: GraphBatch, sequence: Sequence | None = None) -> Embeddings:
        return Embeddings(self, graph, sequence)


class Embeddings:
    """What each of the `encoders` makes of observed graphs, computed when it is first asked for.

    What an agent remembers, its own encoder says. Those of others read it too, and pass it no gradient.
    """

    def __init__(self, encoders: Encoders, graph: GraphBatch, sequence: Sequence | None) -> None:
        self._encoders = encoders
        self._graph = graph
        self._sequence = sequence
        self._known: dict[int, Embedding] = {}
        self._messages: dict[int, Embedding] = {}

    def __getitem__(self, identity: int) -> Embedding:
        if identity not in self._known:
            self._known[identity] = self._embedding(identity)
        return self._known[identity]

    @property
    def memory(self) -> Tensor | None:
        """[N, H]: what is remembered from now on; None where nothing is."""
        return self._graph.nodes[MEMORY].index_copy(0, self._row, self._after) if self._encoders.remembers else None

    def _embedding(self, identity: int) -> Embedding:
        encoder = self._encoders.each[identity]
        if not self._encoders.remembers:
            return encoder(self._graph)
        own = (self._whose == identity).unsqueeze(1)
        after = torch.where(own, self._after, self._after.detach())
        return encoder.remembering(self._seen(identity), self._graph, self._row, after)

    @cached_property
    def _row(self) -> Tensor:
        return self._encoders.actions.decider.deciders(self._graph)[0]

    @cached_property
    def _whose(self) -> Tensor:
        return identities(self._encoders.actions, self._graph)[0]

    @cached_property
    def _after(self) -> Tensor:
        """[D, H]: what deciders remember after what they see."""
        present, place = self._whose.unique(return_inverse=True)
        begun = self._graph.nodes[MEMORY].index_select(0, self._row)
        if not len(present):
            return begun
        units = [self._encoders.each[identity].cell for identity in present.tolist()]
        seen = _rows([self._seen(identity).nodes.index_select(0, self._row) for identity in present.tolist()], place)

        def unit(rows: slice, before: Tensor) -> Tensor:
            return _rows([each(seen[rows], before) for each in units], place[rows])

        return unroll(unit, begun, self._sequence)

    def _seen(self, identity: int) -> Embedding:
        """What an encoder makes of what is seen now, whatever is remembered."""
        if identity not in self._messages:
            self._messages[identity] = self._encoders.each[identity].inner(self._graph)
        return self._messages[identity]


class Individual(nn.Module):
    """K modules alike, each of which speaks for the agents of one identity: a pass of each that is there.

    It stands wherever one module says something of every decision, and is called as that one: an actor, a critic of
    decisions, values of all actions. What is said of a decision, and its gradient, is that of its agent's module alone.
    each: the modules; of `Embeddings` each reads its own. Raises ValueError where edges decide, and where an agent has
    no identity.
    """

    def __init__(self, actions: ActionSpec, each: list[nn.Module]) -> None:
        super().__init__()
        if actions.decider != NODES:
            raise ValueError(f"--encoder.individual: agents are nodes, and here {actions.decider.name} decide")
        self.actions = actions
        self.each = nn.ModuleList(each)

    @override
    def forward(self, *inputs: Any) -> Any:
        return self.ask("__call__", *inputs)

    def ask(self, method: str, *inputs: Any) -> Any:
        """As `forward`, by another method of the modules."""
        graph = next(one.graph if isinstance(one, Observation) else one for one in inputs if _has_graph(one))
        identity, _ = identities(self.actions, graph)
        present = identity.unique()
        present = present if present.numel() else present.new_zeros(1)
        said = []
        for number in present.tolist():
            own = [one[number] if isinstance(one, Embeddings) else one for one in inputs]
            said.append(getattr(self.each[number], method)(*own))
        return _of_each(said, torch.searchsorted(present, identity))


class OnItsOwn(nn.Module):
    """A critic of whole teams, which belongs to no agent: it reads an encoder of its own."""

    def __init__(self, encoder: nn.Module, critic: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.critic = critic

    @override
    def forward(self, embedding: Any, graph: GraphBatch) -> Tensor:
        return self.critic(self.encoder(graph), graph)


def num_identities(features: Features) -> int:
    """How many there are. Raises ValueError, naming the options, where agents have none."""
    if IDENTITY not in features.nodes:
        raise ValueError(
            "--encoder.individual: networks belong to agents that know which they are; give --identity.kind one-hot"
        )
    return features.nodes[IDENTITY]


def identities(actions: ActionSpec, graph: GraphBatch) -> tuple[Tensor, Segments]:
    """[D] int64 of the deciders, and their graphs (D → B). Raises ValueError where one has none."""
    row, graphs = actions.decider.deciders(graph)
    known = graph.nodes[IDENTITY].index_select(0, row)
    if not bool((known.sum(1) == 1).all()):
        raise ValueError("--encoder.individual: an agent is here that has no number, and so no network")
    return known.argmax(1), graphs


def individual(
    features: Features, actions: ActionSpec, config: EncoderConfig, make: Callable[[], nn.Module]
) -> nn.Module:
    """What `make` makes, once for all agents or once for each identity, as `config` says."""
    if not config.individual:
        return make()
    return Individual(actions, [make() for _ in range(num_identities(features))])


def _has_graph(one: Any) -> bool:
    return isinstance(one, Observation | GraphBatch)


def _of_each(said: list[Any], whose: Tensor) -> Any:
    """Of what P modules say of D decisions each, what that of `whose` [D] says."""
    if len(said) == 1:
        return said[0]
    first = said[0]
    if isinstance(first, RaggedCategorical):
        candidates = whose.index_select(0, first.segments.index)
        return RaggedCategorical(_rows([one.logits for one in said], candidates), first.segments)
    if isinstance(first, SquashedGaussian):
        mean, scale = (_rows([getattr(one, name) for one in said], whose) for name in ("mean", "scale"))
        return SquashedGaussian(mean, scale, first.mask.squeeze(1))
    return _rows(said, whose)


def _rows(said: list[Tensor], whose: Tensor) -> Tensor:
    """[D, ...]: row d of the tensor at place `whose[d]`."""
    return torch.stack(said)[whose, torch.arange(whose.numel(), device=whose.device)]
