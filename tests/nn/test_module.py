"""Modules are entered without the detour, unless somebody listens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.modules.module import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
    register_module_full_backward_hook,
    register_module_full_backward_pre_hook,
)

from graphwright.nn.module import Linear

X = torch.randn(3, 4)


def test_it_is_torchs_own_number_for_number() -> None:
    linear = Linear(4, 2)
    assert isinstance(linear, nn.Linear)
    torch_own = nn.Linear(4, 2)
    torch_own.load_state_dict(linear.state_dict())
    assert torch.equal(linear(X), torch_own(X))
    assert torch.equal(linear(input=X), torch_own(X))


@pytest.mark.parametrize(
    "register",
    [
        lambda module, hook: module.register_forward_pre_hook(hook),
        lambda module, hook: module.register_forward_hook(hook),
        lambda module, hook: module.register_full_backward_pre_hook(hook),
        lambda module, hook: module.register_full_backward_hook(hook),
        lambda _, hook: register_module_forward_pre_hook(hook),
        lambda _, hook: register_module_forward_hook(hook),
        lambda _, hook: register_module_full_backward_pre_hook(hook),
        lambda _, hook: register_module_full_backward_hook(hook),
    ],
)
def test_hooks_are_heard_until_they_are_taken_away(register: Callable[..., Any]) -> None:
    linear, heard = Linear(4, 2), list[str]()
    handle = register(linear, lambda *_: heard.append("called"))
    linear(X.requires_grad_()).sum().backward()
    handle.remove()
    linear(X).sum().backward()
    assert heard == ["called"]


def test_a_compiled_module_runs_what_was_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    linear = Linear(4, 2)
    monkeypatch.setattr(torch, "compile", lambda call, *_, **__: lambda x: -call(x))
    expected = linear(X)
    linear.compile()
    assert torch.equal(linear(X), -expected)


def test_an_exported_program_says_which_module_an_operation_is_of() -> None:
    network = nn.Sequential(Linear(4, 4), nn.ReLU(), Linear(4, 2))
    program = torch.export.export(network, (torch.randn(3, 4),), strict=False)
    operations = [node for node in program.graph.nodes if node.op == "call_function"]
    assert [[path for path, _ in node.meta["nn_module_stack"].values()][-1] for node in operations] == ["0", "1", "2"]
