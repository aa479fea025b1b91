"""`GraphStorage`: a TorchRL storage that keeps padded tensordicts without their padding, in the one ragged ring."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from tensordict import TensorDict, TensorDictBase
from torch import Tensor
from torchrl.data.replay_buffers.storages import Storage
from typing_extensions import override

from graphwright.data.ring import Group, RaggedRing, Rows
from graphwright.frameworks.packed import arrays_to_rows, rows_to_arrays
from graphwright.frameworks.schema import COUNTED_BY, Schema, strip

_NEXT = "next"
_APART = "/"


class GraphStorage(Storage):
    """The newest `max_size` graphs, for buffers that write in turn (`RoundRobinWriter`, their default).

    It takes padded tensordicts [B] as `GraphEnv` gives them and returns minibatches [S] whose ragged entries are
    jagged, which modules, `GraphGAE` and losses read; all other entries come back as they were. Its memory is that of
    the graphs as they are: tables that double when they are full. Give the buffer `collate_fn=as_stored`.
    """

    def __init__(self, max_size: int, schema: Schema) -> None:
        super().__init__(max_size)
        self.schema = schema
        self.ring = RaggedRing()
        self.origin = 0  # the id of what was written to place 0, some time

    def __len__(self) -> int:
        return len(self.ring)

    @override
    def set(self, cursor: Any, data: TensorDictBase, *, set_cursor: bool = True) -> None:
        """Raises ValueError where places are not written one after the other."""
        places = _indices(cursor, self.max_size)
        data = data.unsqueeze(0) if data.batch_dims == 0 else data
        expected = (self.ring.end - self.origin + torch.arange(len(places))) % self.max_size
        if not torch.equal(places, expected):
            raise ValueError(f"place {int(places[0])} is written, and {int(expected[0])} is next; write places in turn")
        if set_cursor:
            self._set_last_cursor(cursor)
        self.ring.add(self._to_rows(data))
        self.ring.drop(self.ring.end - self.max_size)
        self._bump_mutation_revision()

    @override
    def get(self, index: Any) -> TensorDictBase:
        places = _indices(index, len(self))
        last = self.ring.end - 1
        found = self._to_tensordict(self.ring.select(last - (last - self.origin - places) % self.max_size))
        return found[0] if isinstance(index, int) else found

    @override
    def state_dict(self) -> dict[str, Any]:
        return {"origin": self.origin, **self.ring.state_dict()}

    @override
    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        self.origin = state_dict["origin"]
        self.ring.load_state_dict({name: value for name, value in state_dict.items() if name != "origin"})

    @override
    def contains(self, item: Any) -> Any:
        places = torch.as_tensor(item)
        return (places >= 0) & (places < len(self))

    @override
    def _empty(self) -> None:
        self.ring.drop(self.ring.end)
        self.origin = self.ring.end

    def _to_rows(self, data: TensorDictBase) -> Rows:
        columns: dict[str, Tensor] = {}
        groups: dict[str, Group] = {}
        for prefix, part in (("", data), (_NEXT + _APART, data.get(_NEXT, None))):
            if part is not None:
                keys = set(part.keys()) & set(self.schema.keys)
                rows = arrays_to_rows(strip({key: part.get(key) for key in keys}))
                columns |= {prefix + name: column for name, column in rows.columns.items()}
                groups |= {prefix + name: group for name, group in rows.groups.items()}
        graphs = [*self.schema.keys, *((_NEXT, key) for key in self.schema.keys)]
        for key, value in data.exclude(*graphs).items(include_nested=True, leaves_only=True):
            columns[_APART.join(key) if isinstance(key, tuple) else key] = value
        return Rows(len(data), columns, groups)

    def _to_tensordict(self, rows: Rows) -> TensorDict:
        found = TensorDict(batch_size=[rows.num_rows])
        for name, column in rows.columns.items():
            found[tuple(name.split(_APART))] = column
        for name, group in rows.groups.items():
            *prefix, counted = name.split(_APART)
            for key, values in rows_to_arrays(Rows(rows.num_rows, groups={counted: group})).items():
                ragged = key in COUNTED_BY
                jagged = torch.nested.nested_tensor_from_jagged(values, group.segments.ptr) if ragged else values
                found[(*prefix, key)] = jagged
        return found


def as_stored(minibatch: TensorDictBase) -> TensorDictBase:
    """What `GraphStorage` returns is a minibatch already: a `collate_fn`."""
    return minibatch


def _indices(index: Any, size: int) -> Tensor:
    if isinstance(index, slice):
        return torch.arange(size)[index]
    return torch.as_tensor(list(index) if isinstance(index, range) else index, dtype=torch.int64).reshape(-1).cpu()
