"""Agents: where their networks run."""

import pytest
import torch

from graphwright.training.agent import find_device
from graphwright.training.config import ConfigError


@pytest.mark.parametrize("present", [True, False])
def test_cuda_has_to_be_asked_for(present, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: present)
    assert find_device("auto") == find_device("cpu") == torch.device("cpu")
    if present:
        assert find_device("cuda") == torch.device("cuda")
    else:
        with pytest.raises(ConfigError, match="--device cuda: this machine has no CUDA device"):
            find_device("cuda")
