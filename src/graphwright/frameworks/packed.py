"""Packed arrays as rows of a ring and back: what the buffers of other frameworks keep."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch
from graphwright.data.ring import Group, Rows
from graphwright.data.stores import StateStore
from graphwright.frameworks.schema import COUNTED_BY, Arrays, segments_of

_COUNTS = ("num_nodes", "num_edges", "num_actions")


def arrays_to_rows(arrays: Mapping[str, Tensor]) -> Rows:
    """A row for each graph of packed arrays."""
    columns = {key: values for key, values in arrays.items() if key not in COUNTED_BY and key not in _COUNTS}
    groups = {
        counted: Group(
            segments_of(arrays[counted]), {key: arrays[key] for key in _counted_by(counted) if key in arrays}
        )
        for counted in _COUNTS
        if counted in arrays
    }
    return Rows(len(arrays["num_nodes"]), columns, groups)


def rows_to_arrays(rows: Rows) -> Arrays:
    """The packed arrays that `arrays_to_rows` took; counts are int64."""
    arrays = dict(rows.columns)
    for counted, group in rows.groups.items():
        arrays |= {counted: group.segments.lengths[:, None], **group.columns}
    return arrays


class PackedGraphs(StateStore):
    """Observations as packed arrays, whole."""

    @override
    def add(self, states: Arrays, *, instances: GraphBatch | None = None, after: Tensor | None = None) -> Tensor:
        return self.ring.add(arrays_to_rows(states))

    @override
    def select(self, ids: Tensor) -> Arrays:
        return rows_to_arrays(self.ring.select(ids))


def _counted_by(counted: str) -> list[str]:
    return [key for key, count in COUNTED_BY.items() if count == counted]
