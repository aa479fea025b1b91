"""What was recorded, in random order, again and again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionSpec, GraphBatch, GraphError
from graphwright.core.numbers import require
from graphwright.core.seeds import derived_seed
from graphwright.core.segment import segment_sum
from graphwright.data.recording import Recording, RecordingError, read_recording
from graphwright.data.sources import GeneratedInstances
from graphwright.data.states import StateTable, WholeStates
from graphwright.envs.environment import Environment
from graphwright.envs.problem import Problem
from graphwright.training.collectors.collector import Collected, Collector
from graphwright.training.collectors.play import ConfigError, PlayConfig

_PIECE = 4096  # states that are looked at together


@dataclass(frozen=True)
class RecordedConfig:
    """Which recording, and what of it."""

    data: str = ""
    """What to imitate: a file that `graphwright record` wrote."""
    targets: Literal["hard", "soft"] = "hard"
    """hard: the actions that were taken; soft: the probabilities that the file holds of all candidates."""


@dataclass(frozen=True)
class RecordingConfig(PlayConfig):
    """What was recorded, in random order, again and again; generator, sizes and law are those of validation."""

    num_states: int = 4096
    """States between updates."""
    bc: RecordedConfig = field(default_factory=RecordedConfig)

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where nothing would be collected."""
        require("num-states", self.num_states)

    @override
    def collector(
        self, problem: Problem, environment: Environment, source: GeneratedInstances, generator: torch.Generator
    ) -> Collector:
        if self.identity.kind != "none":
            raise ConfigError(f"--identity.kind {self.identity.kind}: a recording tells no agents apart; leave it out")
        if not self.bc.data:
            raise ConfigError("--bc.data: names no file; give one that `graphwright record` wrote")
        path, soft = Path(self.bc.data), self.bc.targets == "soft"
        recording = read_recording(path)
        try:
            require_fit(recording, environment, self.instances(problem)(1, torch.Generator().manual_seed(0)))
        except RecordingError as error:
            recorded = recording.header.get("problem", problem.name)
            whose = "" if recorded == problem.name else f"was recorded of {recorded}, not of {problem.name}: "
            raise RecordingError(f"{path}: {whose}{error}") from None
        if soft and recording.probability is None:
            raise ConfigError(f"--bc.targets soft: {path} holds no probabilities; take hard")
        return RecordingCollector(recording, soft, self.num_states, source, path)


class RecordingCollector(Collector):
    """`num_states` states at a time of a recording, each once in every epoch."""

    def __init__(
        self, recording: Recording, soft: bool, num_states: int, source: GeneratedInstances, path: Path
    ) -> None:
        self.recording = recording
        self.soft = soft
        self.num_states = min(num_states, recording.num_states)
        self.seed = source.seed
        self.device = torch.device(source.device)
        self.path = path
        self.digest = torch.frombuffer(bytearray(hashlib.sha256(path.read_bytes()).digest()), dtype=torch.uint8)
        self.position = 0

    @override
    def collect(self, policy: Any) -> Collected:
        epoch, begin = divmod(self.position, self.recording.num_states)
        generator = torch.Generator().manual_seed(derived_seed(self.seed, epoch))
        rows = torch.randperm(self.recording.num_states, generator=generator)[begin : begin + self.num_states]
        self.position += rows.numel()
        return Collected(self.recording.demonstrations(rows, soft=self.soft), rows.numel(), {})

    @override
    def state_dict(self) -> dict[str, Tensor]:
        return {"position": torch.tensor(self.position), "digest": self.digest}

    @override
    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        if not torch.equal(state["digest"], self.digest):
            raise ValueError(f"{self.path} is another recording than the run began with")
        self.position = int(state["position"])


def require_fit(recording: Recording, environment: Environment, instance: GraphBatch) -> None:
    """Raise RecordingError where the steps are none of `environment`, of which `instance` is one.

    The columns of instances and states, who decides among what, and that every action was legal.
    """
    spec, described = environment.actions, recording.header.get("actions")
    if described != spec.as_dict():
        raise RecordingError(
            f"is of other actions ({_named(described)}) than are decided here ({_named(spec.as_dict())})"
        )
    state = environment.reset(instance)
    if environment.edits_graph != isinstance(recording.states, WholeStates):
        raise RecordingError("stores its states as another environment does")
    if isinstance(recording.states, StateTable):
        _require_columns("instance", recording.states.instances, instance, every=False)
    first = recording.states.select(torch.arange(min(1, recording.num_states)))
    _require_columns("state", first, state, every=True)
    for rows in torch.arange(recording.num_states).split(_PIECE):
        _require_legal(recording, rows, environment, spec)


def _require_columns(what: str, found: GraphBatch, known: GraphBatch, *, every: bool) -> None:
    """Raise RecordingError where a column of `known` is missing or of another type, or, of `every`, one is too many."""
    for table in ("nodes", "edges", "graphs"):
        columns, wanted = getattr(found, table), getattr(known, table)
        for name, column in wanted.items():
            if name not in columns:
                raise RecordingError(f"its {what}s have no {table[:-1]} column {name!r}")
            own = columns[name]
            if own.dtype != column.dtype or own.shape[1:] != column.shape[1:]:
                raise RecordingError(
                    f"the {table[:-1]} column {name!r} of its {what}s is {own.dtype} {list(own.shape[1:])}, where "
                    f"{column.dtype} {list(column.shape[1:])} is wanted"
                )
        odd = [name for name in columns if name not in wanted]
        if every and odd:
            raise RecordingError(f"its {what}s have a {table[:-1]} column {odd[0]!r}, which is none of this problem")


def _require_legal(recording: Recording, rows: Tensor, environment: Environment, spec: ActionSpec) -> None:
    try:
        observation = environment.observe(recording.states.select(rows))
    except (IndexError, KeyError, RuntimeError, GraphError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise RecordingError(f"its states are none of this problem ({reason})") from None
    graph, action = observation.graph, recording.action.select(rows)
    _require_finite(graph, environment, rows)
    lengths = spec.deciders(graph).lengths
    _, groups = recording.action.decisions(rows)
    found = torch.ones_like(rows) if groups is None else groups.lengths
    _require(found == lengths, rows, "has another number of decisions than its state")
    state = spec.deciders(graph).index
    if spec.continuous:
        if not action.is_floating_point() or action.shape[1] != spec.blocks[0].columns:
            raise RecordingError(f"'action' has to be float32 [decisions, {spec.blocks[0].columns}]")
        _require((action.isfinite() & (action.abs() <= 1)).all(1), rows[state], "has an action that is not -1 to 1")
        return
    if action.is_floating_point():
        raise RecordingError("'action' holds real numbers, where candidates are chosen")
    segments, legal = spec.segments(graph), spec.arrange(graph, observation.masks)
    able = segment_sum(legal, segments) > 0
    inside = (action >= 0) & (action < segments.lengths)
    place = torch.where(inside, segments.ptr[:-1] + action, 0)
    right = torch.where(action == -1, ~able, inside & legal[place] if legal.numel() else inside)
    _require(right, rows[state], "has an action that is out of range or illegal in its state")
    if recording.candidates is not None and recording.probability is not None:
        _require(
            recording.candidates.lengths[rows] == spec.joint(graph, segments.lengths),
            rows,
            "has another number of candidates than its state",
        )
        probability = recording.probability[recording.candidates.select(rows)[1]]
        total = segment_sum(probability * legal, segments)
        _require(
            (total - able.float()).abs() < 1e-3,
            rows[state],
            "has probabilities that do not add up to 1 of what is legal",
        )


def _require_finite(graph: GraphBatch, environment: Environment, rows: Tensor) -> None:
    """Raise RecordingError where what a network would read is infinite or no number; graph: observed in `rows`."""
    own = {"nodes": graph.node_graph, "edges": graph.edge_graph, "graphs": torch.arange(graph.num_graphs)}
    for table, index in own.items():
        columns = getattr(graph, table)
        for name in getattr(environment.features, table):
            finite = columns[name].isfinite().flatten(1).all(1) if columns[name].dim() > 1 else columns[name].isfinite()
            _require(finite, rows[index], f"shows {name!r} of its {table} as infinite or no number; correct the file")


def _require(holds: Tensor, rows: Tensor, otherwise: str) -> None:
    if not bool(holds.all()):
        raise RecordingError(f"step {int(rows[~holds][0]):,} {otherwise}")


def _named(described: Any) -> str:
    """What actions are called, for complaints."""
    try:
        spec = ActionSpec.from_dict(described)
    except (TypeError, KeyError, ValueError, AttributeError):
        return "none that are known"
    return f"{', '.join(block.name for block in spec.blocks)} of {spec.decider.name}"
