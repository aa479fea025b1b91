"""Which environments are being played in this process: each by one alone, since another would change its state."""

from __future__ import annotations

from typing import Any
from weakref import WeakValueDictionary

_OWNERS: WeakValueDictionary[int, Any] = WeakValueDictionary()  # by the id of what each plays


def claim(env: Any, owner: object) -> None:
    """Let `owner` play `env`. Raises ValueError where another does that already."""
    if _OWNERS.setdefault(_id(env), owner) is not owner:
        raise ValueError("make_env returned an environment that is played already; let it make a new one each time")


def release(env: Any) -> None:
    """Let others play `env` again."""
    _OWNERS.pop(_id(env), None)


def _id(env: Any) -> int:
    return id(getattr(env, "unwrapped", env))
