"""Random linear Gaussian networks, and data from them: what structures are learned from."""

from __future__ import annotations

import torch
from torch import Tensor


def random_network(num_nodes: int, num_edges: float, generator: torch.Generator) -> Tensor:
    """[d, d] float64: at (u, v) the weight of the edge from u to v, 0 where there is none; acyclic.

    Erdős-Rényi: in a random order of the nodes, each edge from an earlier to a later one is there with the same
    probability, `num_edges` of them on average. Weights are standard normal. As in Deleu et al. 2022, "Bayesian
    structure learning with generative flow networks", who take num_edges = num_nodes, noise 0.1 and 100 samples.

    Raises ValueError where so many edges do not exist.
    """
    pairs = num_nodes * (num_nodes - 1) // 2
    if not 0 <= num_edges <= pairs:
        raise ValueError(f"num_edges={num_edges}; {num_nodes} nodes have from 0 to {pairs} edges without a cycle")
    shape = (num_nodes, num_nodes)
    present = torch.rand(shape, generator=generator, device=generator.device) * max(pairs, 1) < num_edges
    weight = torch.randn(shape, generator=generator, device=generator.device, dtype=torch.float64)
    order = torch.randperm(num_nodes, generator=generator, device=generator.device)
    return (weight * present).triu(1)[order][:, order]


def draw_samples(weight: Tensor, count: int, generator: torch.Generator, *, noise: float = 0.1) -> Tensor:
    """[count, d] float64: x_v = Σ_u x_u weight(u, v) + noise · ε_v with ε standard normal, of an acyclic network."""
    eye = torch.eye(weight.shape[0], dtype=weight.dtype, device=weight.device)
    epsilon = torch.randn(count, weight.shape[0], generator=generator, dtype=weight.dtype, device=weight.device)
    return torch.linalg.solve(eye - weight, noise * epsilon, left=False)
