"""Checkpoints hold every tensor as it is, whatever its type, its shape and what it shares."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from graphwright.training.checkpoint import load_checkpoint, save_checkpoint

NUMBERS = torch.arange(6.0)
TENSORS = {
    "a transposed view": NUMBERS.view(2, 3).T,
    "the same memory": NUMBERS,
    "a parameter": torch.nn.Parameter(NUMBERS + 0.5),
    "one number": torch.tensor(7),
    "nothing": torch.zeros(0, 3, dtype=torch.float64),
    "truths": torch.tensor([True, False]),
    "bytes": torch.tensor([0, 255], dtype=torch.uint8),
    "half": torch.tensor([0.1], dtype=torch.float16),
}


@pytest.mark.parametrize("more", [{}, {"brain float": torch.tensor([0.1, -3.0], dtype=torch.bfloat16)}])
def test_what_is_saved_is_what_is_loaded(more: dict[str, torch.Tensor], tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "a.safetensors", TENSORS | more, {"number": 1})
    found, info = load_checkpoint(tmp_path / "a.safetensors")
    assert info == {"number": 1}
    assert found.keys() == (TENSORS | more).keys()
    for name, tensor in (TENSORS | more).items():
        assert (found[name].dtype, found[name].shape) == (tensor.dtype, tensor.shape)
        assert torch.equal(found[name], tensor.detach()), name
