"""A framework that is not installed is one line with its remedy."""

from __future__ import annotations

import sys
from importlib import import_module

import pytest


@pytest.mark.parametrize(
    ("module", "missing", "extra"),
    [
        ("sb3", "sb3_contrib", "sb3"),
        ("torchrl", "torchrl", "torchrl"),
        ("gymnasium", "gymnasium", "gymnasium"),
        ("foreign", "gymnasium", "gymnasium"),
        ("pettingzoo", "pettingzoo", "pettingzoo"),
        ("pettingzoo_games", "pettingzoo", "pettingzoo"),
        ("rllib", "ray", "rllib"),
    ],
)
def test_the_extra_is_named(module: str, missing: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place = f"graphwright.frameworks.{module}"
    for name in [name for name in sys.modules if name == place or name.startswith(f"{place}.")]:
        monkeypatch.delitem(sys.modules, name)
    for name in [name for name in sys.modules if name.startswith(f"{missing}.")] + [missing]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=rf"pip install 'graphwright\[{extra}\]'"):
        import_module(place)
