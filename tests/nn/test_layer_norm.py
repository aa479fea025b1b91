"""Layer normalisation: torch's, number for number, and so are its gradients."""

from __future__ import annotations

import torch
from torch import nn

from graphwright.nn.layer_norm import LayerNorm
from strategies import seeded


def test_it_is_torchs() -> None:
    ours, theirs = LayerNorm(5), nn.LayerNorm(5)
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.copy_(torch.randn(5, generator=seeded()))
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(7, 5, generator=seeded())
    grads = []
    for norm in (ours, theirs):
        own = x.clone().requires_grad_()
        out = norm(own)
        out.square().sum().backward()
        grads.append([out, own.grad, norm.weight.grad, norm.bias.grad])
    assert all(torch.equal(a, b) for a, b in zip(*grads, strict=True))
    bare = LayerNorm(5, elementwise_affine=False)
    assert torch.equal(bare(x), nn.LayerNorm(5, elementwise_affine=False)(x))
