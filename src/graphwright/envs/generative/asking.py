"""Asking a context what may be done: an answer that is none, and a method that fails, are said by the method's name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from graphwright.core.own_code import in_one_line
from graphwright.envs.generative.context import GraphContext


def ask(context: GraphContext, method: str, sizes: Mapping[str, int], *question: Any) -> Tensor:
    """What a `may_` method answers. sizes: of the answer, by the names that its description gives them.

    Raises ValueError, naming the method, where it fails, or gives anything but bool of these sizes.
    """
    called = f"{type(context).__name__}.{method}"
    try:
        answer = getattr(context, method)(*question)
    except Exception as error:
        raise ValueError(f"{called} fails: {in_one_line(error)}") from error
    if not isinstance(answer, Tensor) or answer.dtype != torch.bool or answer.shape != tuple(sizes.values()):
        wanted = f"[{', '.join(sizes)}] bool, here {list(sizes.values())}"
        raise ValueError(f"{called} gives {_form(answer)}; give {wanted}")
    return answer


def _form(answer: object) -> str:
    if not isinstance(answer, Tensor):
        return "None" if answer is None else f"a {type(answer).__name__}"
    return f"{list(answer.shape)} {str(answer.dtype).removeprefix('torch.')}"
