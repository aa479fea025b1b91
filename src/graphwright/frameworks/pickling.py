"""Environments as pickles, which vector environments and schedulers make of them."""

from __future__ import annotations

from typing import Any

import cloudpickle


class CloudPickled:
    """An object that pickles whatever it holds: problems hold functions without a name, which plain pickle refuses."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Its class, and what it holds in bytes."""
        return _restored, (type(self), cloudpickle.dumps(vars(self)))


def _restored(kind: type, content: bytes) -> Any:
    made: Any = object.__new__(kind)
    vars(made).update(cloudpickle.loads(content))  # as unsafe as the pickle around it, and no more
    return made
