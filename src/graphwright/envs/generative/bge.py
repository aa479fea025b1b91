"""The BGe score: how probable data are under a Gaussian network of a given structure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional as F

from graphwright.core import GraphBatch
from graphwright.core.segment import segment_sum
from graphwright.envs.generation import Reward
from graphwright.envs.generative.dag import Dags
from graphwright.envs.generative.edge_sets import PRESENT
from graphwright.envs.generative.linear_gaussian import draw_samples, random_network
from graphwright.envs.reversible import Reversible

_MOST_NODES = 14  # 16,384 parent sets a node


@dataclass(frozen=True, eq=False)
class BGe(Reward):
    """log R(G) = log p(data | G) - log p(data | no edge): the posterior of structures under a uniform prior.

    log p(data | G) is a sum over nodes of scores that depend on a node and its parents alone, which stand in a table.

    local: [d, 2^d] float64, the score of node v with the parents whose bits are set, as `local_scores` gives it.
    """

    local: Tensor

    def __call__(self, environment: Reversible, objects: GraphBatch) -> Tensor:
        """[B] float64."""
        assert isinstance(environment, Dags)
        return self.score(objects) - self.local[:, 0].sum()

    def score(self, states: GraphBatch) -> Tensor:
        """[B] float64: log p(data | G), in nats. states: graphs of d nodes with the edge column `present`."""
        node = states.node_segments.position
        bit = torch.ones_like(node) << node
        parents = segment_sum(bit[states.edge_index[0]] * states.edges[PRESENT], states.in_edges)
        return segment_sum(self.local[node, parents], states.node_segments)


@dataclass(frozen=True)
class GeneratedData(Reward):
    """`BGe` of data that are drawn from a random network (`random_network`, `draw_samples`), always the same ones."""

    samples: int = 100
    """Samples of the network."""
    edges_per_node: float = 1.0
    """Edges of the network over its nodes, on average; fewer where there is no room for so many."""
    noise: float = 0.1
    """Standard deviation of a node, given its parents."""
    seed: int = 0
    """Of the network and the samples."""

    def __call__(self, environment: Reversible, objects: GraphBatch) -> Tensor:
        """[B] float64: see `BGe`."""
        assert isinstance(environment, Dags)
        return _bge_of(self, environment.num_nodes)(environment, objects)

    def draw(self, num_nodes: int) -> tuple[Tensor, Tensor]:
        """The weights [d, d] of the network, and the data [samples, d]; float64."""
        generator = torch.Generator().manual_seed(self.seed)
        num_edges = min(self.edges_per_node * num_nodes, num_nodes * (num_nodes - 1) / 2)
        weight = random_network(num_nodes, num_edges, generator)
        return weight, draw_samples(weight, self.samples, generator, noise=self.noise)


@cache
def _bge_of(data: GeneratedData, num_nodes: int) -> BGe:
    return BGe(local_scores(data.draw(num_nodes)[1]))


def local_scores(data: Tensor, *, mean_weight: float = 1.0, degrees: float | None = None) -> Tensor:
    """[d, 2^d] float64: log p(x_v | x_parents) of `data` [n, d] for each node v and set of parents, one bit a node.

    Under the normal-Wishart prior: mean μ ~ N(0, (a W)⁻¹) with a = `mean_weight`, precision W ~ Wishart of w =
    `degrees` degrees of freedom (d + a + 1 if not given) and T⁻¹, T = t I, t = a (w - d - 1) / (a + 1), in which the
    expected covariance of the data is I. With R = T + Σ (x - x̄)(x - x̄)ᵀ + a n / (a + n) x̄ x̄ᵀ and l the number of
    nodes in Y, the marginal likelihood of Y in a complete network is

        p(Y) = (a / (a + n))^(l/2) π^(-n l/2) Γ_l((w - d + l + n) / 2) / Γ_l((w - d + l) / 2)
               |T_Y|^((w - d + l)/2) / |R_Y|^((w - d + l + n)/2),

    and a local score is log p(v and parents) - log p(parents): Geiger & Heckerman 1994, "Learning Gaussian networks",
    as corrected by Kuipers, Moffa & Heckerman 2014, "Addendum on the scoring of Gaussian directed acyclic graphical
    models" (blocks of T and R themselves, not of inverses). -inf where a node is its own parent.

    Raises ValueError for data that are not finite numbers [n, d], more than 14 nodes, and a prior that does not exist.
    """
    if data.dim() != 2 or not bool(data.isfinite().all()):
        raise ValueError(f"data of shape {tuple(data.shape)}; give finite numbers, [samples, nodes]")
    num_nodes = data.shape[1]
    degrees = num_nodes + mean_weight + 1 if degrees is None else degrees
    if num_nodes > _MOST_NODES:
        raise ValueError(f"{num_nodes} nodes have {2**num_nodes:,} sets of parents; {_MOST_NODES} nodes are the most")
    if mean_weight <= 0 or degrees <= num_nodes + 1:
        raise ValueError(f"mean_weight={mean_weight}, degrees={degrees}; give a > 0 and w > d + 1 = {num_nodes + 1}")

    whole = _log_marginals(data.double(), mean_weight, degrees)
    subset = torch.arange(2**num_nodes, device=data.device)
    bit = (torch.ones_like(subset[:num_nodes]) << subset[:num_nodes])[:, None]
    scores = whole[subset | bit] - whole[subset]
    return scores.masked_fill(subset & bit != 0, -torch.inf)


def _log_marginals(data: Tensor, mean_weight: float, degrees: float) -> Tensor:
    """[2^d] float64: log p(Y) of the nodes Y whose bits are set, 0 of none. data: [n, d] float64."""
    count, num_nodes = data.shape
    scale = mean_weight * (degrees - num_nodes - 1) / (mean_weight + 1)
    mean = data.mean(0)
    centred = data - mean
    shift = mean_weight * count / (mean_weight + count)
    eye = torch.eye(num_nodes, dtype=data.dtype, device=data.device)
    matrix = scale * eye + centred.T @ centred + shift * mean[:, None] * mean

    subset, place = (torch.arange(length, device=data.device) for length in (2**num_nodes, num_nodes))
    inside = (subset[:, None] >> place) & 1 == 1
    block = inside[:, :, None] & inside[:, None, :]
    log_det = torch.linalg.slogdet(torch.where(block, matrix, eye)).logabsdet  # the others on the diagonal add nothing

    # Γ_l(x) is a constant of l times Γ(x) Γ(x - 1/2) ... Γ(x - (l - 1)/2), so both run over w - d + 1, ..., w - d + l
    freedom = degrees - num_nodes + 1 + place.double()
    gammas = (torch.lgamma((freedom + count) / 2) - torch.lgamma(freedom / 2)).cumsum(0)
    size = inside.sum(1)
    freedom = degrees - num_nodes + size
    return (
        size / 2 * (math.log(mean_weight / (mean_weight + count)) - count * math.log(math.pi))
        + F.pad(gammas, (1, 0))[size]
        + freedom * size / 2 * math.log(scale)
        - (freedom + count) / 2 * log_det
    )
