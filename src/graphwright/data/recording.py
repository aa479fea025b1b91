"""`Recording`: steps that somebody took, as a file holds them (`docs/recordings.md`): safetensors, nothing pickled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.files import write_atomically
from graphwright.core.numbers import to_plain_json
from graphwright.core.segment import Segments, segment_sum
from graphwright.data.actions import ActionTable
from graphwright.data.demonstrations import Demonstrations
from graphwright.data.states import States, StateTable, WholeStates

FORMAT, VERSION = "graphwright-recording", "1"
_TABLES = ("nodes", "edges", "graphs")


class RecordingError(ValueError):
    """A recording that cannot be used; the message names the file and the reason."""


@dataclass(frozen=True, eq=False)
class Recording:
    """R steps of some episodes.

    states: the R states that were acted in. action: what was done in each. reward: [R] float32, of each graph;
    terminated, truncated: [R] bool; episode: [R] int32, which one. Steps of an episode are in the order of time.
    successor: [Q] int32, of each decision, the place of its decider among those of the next state, -1 where it is gone;
    None where each state has one decision, or nothing is known of it. own_reward: [Q] float32, what each decider earns,
    where it does so for itself; `reward` is their sum.
    probability: [K] float32, of the candidates of all states, which `candidates` groups by state: with which
    probability each was, or would be, taken; both None where nothing is known of it.
    header: what it is of, plain JSON; "problem", "by", "actions" at least.
    """

    states: States
    action: ActionTable
    reward: Tensor
    terminated: Tensor
    truncated: Tensor
    episode: Tensor
    probability: Tensor | None = None
    candidates: Segments | None = None
    header: Mapping[str, Any] = field(default_factory=dict)
    successor: Tensor | None = None
    own_reward: Tensor | None = None

    @property
    def num_states(self) -> int:
        """R."""
        return self.reward.numel()

    @property
    def following(self) -> Tensor:
        """[R] int64: the next step of the same episode, -1 after the last that was recorded."""
        order = self.episode.argsort(stable=True)
        same = self.episode[order].diff() == 0
        return torch.full_like(order, -1).index_copy(0, order[:-1][same], order[1:][same])

    def demonstrations(self, rows: Tensor | None = None, *, soft: bool = False) -> Demonstrations:
        """What was done in the states at `rows`, all by default; soft: with which probability instead."""
        if soft:
            return Demonstrations(self.states, target=self.probability, candidates=self.candidates, rows=rows)
        return Demonstrations(self.states, action=self.action, rows=rows)

    def save(self, path: Path) -> None:
        """Write it. Raises OSError, naming `path`."""
        tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in self._tensors().items()}
        header = to_plain_json({**self.header, "states": self.num_states}, sort_keys=True)
        write_atomically(path, save(tensors, {"format": FORMAT, "version": VERSION, "header": header}))

    def _tensors(self) -> dict[str, Tensor]:
        found = {name: getattr(self, name) for name in ("reward", "terminated", "truncated", "episode")}
        found["action"] = self.action.values
        if self.action.states is not None:
            found["decisions"] = self.action.states.ptr
        own = {"successor": self.successor, "own_reward": self.own_reward}
        found |= {name: column for name, column in own.items() if column is not None}
        if self.probability is not None and self.candidates is not None:
            found |= {"probability": self.probability, "candidates": self.candidates.ptr}
        if isinstance(self.states, StateTable):
            found |= {f"instances.{name}": tensor for name, tensor in self.states.instances.to_tensors().items()}
            found["instance"] = self.states.instance_row
            for table in _TABLES:
                found |= {f"{table}.{name}": column for name, column in getattr(self.states, table).items()}
        else:
            assert isinstance(self.states, WholeStates)
            found |= {f"states.{name}": tensor for name, tensor in self.states.states.to_tensors().items()}
        return found


def read_recording(path: Path) -> Recording:
    """The recording of a file. Raises RecordingError, naming `path`, where it is none, truncated or contradictory."""
    try:
        if not path.is_file():
            raise RecordingError("no such file; `graphwright record` writes one")
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT:
                raise RecordingError("is no recording; `graphwright record` writes one")
            if metadata.get("version") != VERSION:
                raise RecordingError(f"is of version {metadata.get('version')}; this release reads version {VERSION}")
            header = _header(metadata.get("header", ""))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return _Parts(tensors).recording(header)
    except (SafetensorError, OSError, RecursionError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise RecordingError(f"{path}: truncated or no safetensors file ({reason})") from None
    except ValueError as error:  # of graphs too
        raise RecordingError(f"{path}: {error}") from None


def _header(text: str) -> dict[str, Any]:
    try:
        header = json.loads(text)
    except json.JSONDecodeError as error:
        raise RecordingError(f"its header is no JSON ({error})") from None
    if not isinstance(header, dict):
        raise RecordingError("its header is no JSON object")
    return header


class _Parts:
    """The tensors of a file, taken out one by one and held to what each has to be."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self.left = dict(tensors)

    def recording(self, header: Mapping[str, Any]) -> Recording:
        reward = self.take("reward", torch.float32)
        count = reward.numel()
        if not count:
            raise RecordingError("holds no steps")
        self.require("reward", reward.isfinite(), "finite numbers")
        flags = [self.take(name, torch.bool, count) for name in ("terminated", "truncated")]
        episode = self.whole("episode", count)
        self.require("episode", episode >= 0, "at least 0")
        states, action = self.states(count), self.actions(count)
        known = (*self.probabilities(count), header, *self.deciders(action, reward))
        recording = Recording(states, action, reward, flags[0], flags[1], episode, *known)
        self.require_successors(recording)
        if self.left:
            raise RecordingError(f"holds {sorted(self.left)[0]!r}, which no recording has")
        return recording

    def states(self, count: int) -> States:
        whole = self.below("states")
        if whole:
            states = GraphBatch.from_tensors(whole)
            if states.num_graphs != count:
                raise RecordingError(f"'states' are {states.num_graphs:,} graphs, and there are {count:,} steps")
            return WholeStates(states)
        instances = GraphBatch.from_tensors(self.below("instances"))
        row = self.whole("instance", count)
        self.require("instance", (row >= 0) & (row < instances.num_graphs), f"0 to {instances.num_graphs - 1}")
        sizes = instances.node_segments.lengths, instances.edge_segments.lengths
        wanted = {"nodes": int(sizes[0][row.long()].sum()), "edges": int(sizes[1][row.long()].sum()), "graphs": count}
        tables = {table: self.below(table) for table in _TABLES}
        for table, columns in tables.items():
            for name, column in columns.items():
                if column.dim() == 0 or len(column) != wanted[table]:
                    raise RecordingError(
                        f"'{table}.{name}' has {column.numel() if column.dim() == 0 else len(column):,} rows; the "
                        f"{table} of all states are {wanted[table]:,}"
                    )
        return StateTable(instances, row.to(torch.int32), tables["nodes"], tables["edges"], tables["graphs"])

    def actions(self, count: int) -> ActionTable:
        values = self.left.pop("action", None)
        if values is None:
            raise RecordingError("has no 'action'")
        if values.is_floating_point():
            values = values.to(torch.float32)
        elif values.dtype in (torch.int32, torch.int64):
            self.require("action", values.long().abs() < 2**31, "numbers of 32 bits")
            values = values.to(torch.int32)
        else:
            raise RecordingError(f"'action' is {values.dtype}; places of candidates are int32, real actions float32")
        if values.dim() != 1 + values.is_floating_point():
            raise RecordingError(f"'action' has {values.dim()} dimensions")
        states = self.groups("decisions", count, len(values)) if "decisions" in self.left else None
        if states is None and len(values) != count:
            raise RecordingError(f"'action' has {len(values):,} rows, and there are {count:,} steps")
        return ActionTable(values, states)

    def probabilities(self, count: int) -> tuple[Tensor | None, Segments | None]:
        if "probability" not in self.left:
            return None, None
        probability = self.take("probability", torch.float32)
        self.require("probability", (probability >= 0) & (probability <= 1 + 1e-5), "0 to 1")
        return probability, self.groups("candidates", count, probability.numel())

    def deciders(self, action: ActionTable, reward: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """`successor` and `own_reward`, of files whose states have several decisions."""
        if action.states is None:
            return None, None
        total, own = len(action.values), None
        if "own_reward" in self.left:
            own = self.take("own_reward", torch.float32, total)
            apart = (segment_sum(own, action.states) - reward).abs()
            self.require("reward", apart <= 1e-3 * (1 + reward.abs()), "the sum of its 'own_reward'")
        return self.whole("successor", total) if "successor" in self.left else None, own

    def require_successors(self, recording: Recording) -> None:
        if recording.successor is None or recording.action.states is None:
            return
        groups, following = recording.action.states, recording.following
        most = torch.where((following >= 0) & ~recording.terminated, groups.lengths[following], 2**31)[groups.index]
        inside = (recording.successor >= -1) & (recording.successor < most)
        self.require("successor", inside, "the place of a decision of the next state, or -1")

    def groups(self, name: str, count: int, total: int) -> Segments:
        ptr = self.take(name, torch.int64, count + 1)
        if int(ptr[0]) != 0 or int(ptr[-1]) != total or bool((ptr.diff() < 0).any()):
            raise RecordingError(f"{name!r} has to begin with 0, never fall and end with {total:,}")
        return Segments(ptr)

    def whole(self, name: str, count: int) -> Tensor:
        if name in self.left and self.left[name].dtype == torch.int64:
            self.require(name, self.left[name].abs() < 2**31, "numbers of 32 bits")
            self.left[name] = self.left[name].to(torch.int32)
        return self.take(name, torch.int32, count)

    def take(self, name: str, dtype: torch.dtype, count: int | None = None) -> Tensor:
        tensor = self.left.pop(name, None)
        if tensor is None:
            raise RecordingError(f"has no {name!r}")
        if tensor.dtype != dtype or tensor.dim() != 1 or (count is not None and len(tensor) != count):
            rows = "rows" if count is None else count
            raise RecordingError(f"{name!r} is {tensor.dtype} {list(tensor.shape)}; it has to be {dtype} [{rows}]")
        return tensor

    def below(self, start: str) -> dict[str, Tensor]:
        names = [name for name in self.left if name.startswith(f"{start}.")]
        return {name.removeprefix(f"{start}."): self.left.pop(name) for name in names}

    def require(self, name: str, holds: Tensor, rule: str) -> None:
        if not bool(holds.all()):
            place = int((~holds).nonzero()[0, 0])
            raise RecordingError(f"{name!r} is out of range in row {place:,}; it has to be {rule}")
