"""A reward for sequences: how often given motifs occur."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from graphwright.core import GraphBatch
from graphwright.envs.generation import Reward
from graphwright.envs.generative.sequences import Sequences
from graphwright.envs.reversible import Reversible


@dataclass(frozen=True)
class Motifs(Reward):
    """The logarithm of the number of motifs in a sequence, over about the most that there is room for.

    R(x) = max(Σ_m count(m, x) · min_m |m| / max_length, floor), where count(m, x) is how often the motif m is met in x
    if x is read from left to right and every occurrence is skipped once it is met: "aaa" has "aa" once, "aaaa" twice.
    Different motifs may overlap. The task `toy_seq` of recursionpharma/gflownet, which has the motifs aa, bb and cc
    over three letters, max_length = 10, floor = 1e-30, and the reward R(x)^2 in its example.

    Raises ValueError where there is no motif or an empty one, or where the floor is not positive.
    """

    motifs: tuple[tuple[int, ...], ...] = ((0, 0), (1, 1), (2, 2))
    """Sequences of tokens."""
    floor: float = 1e-30
    """Reward of sequences without any of them."""
    beta: float = 1.0
    """Exponent of the reward."""

    def __post_init__(self) -> None:
        if not self.motifs or not all(self.motifs):
            raise ValueError(f"motifs={self.motifs}; give one motif or more, each of one token or more")
        if self.floor <= 0:
            raise ValueError(f"floor={self.floor}; log-rewards need a positive one, such as 1e-30")

    def __call__(self, environment: Reversible, objects: GraphBatch) -> Tensor:
        """[B] float64: beta · log R."""
        assert isinstance(environment, Sequences)
        shortest = min(map(len, self.motifs))
        share = self.counts(objects).sum(1).double() * (shortest / environment.max_length)
        return self.beta * share.clamp(min=self.floor).log()

    def counts(self, states: GraphBatch) -> Tensor:
        """[B, motifs] int64: how often each motif is met."""
        matches = self._matches(states)
        length = torch.tensor([len(motif) for motif in self.motifs], device=states.device)
        count = torch.zeros_like(matches[:, 0], dtype=torch.int64)
        unread = count  # from where on each motif is looked for: behind its last occurrence
        for place in range(matches.shape[1]):
            met = matches[:, place] & (unread <= place)
            count = count + met
            unread = torch.where(met, place + length, unread)
        return count

    def _matches(self, states: GraphBatch) -> Tensor:
        """[B, longest sequence, motifs] bool: whether the motif stands at each place."""
        segments = states.node_segments
        longest = max(map(len, self.motifs))
        room = max([1, *segments.lengths.tolist()])
        tokens = torch.full((segments.num_groups, room + longest - 1), -1, device=states.device)
        tokens[segments.index, segments.position] = states.nodes["type"]
        motifs = torch.stack([F.pad(torch.tensor(motif), (0, longest - len(motif)), value=-1) for motif in self.motifs])
        motifs = motifs.to(states.device)
        windows = tokens.unfold(1, longest, 1).unsqueeze(2)
        return ((windows == motifs) | (motifs < 0)).all(3)
