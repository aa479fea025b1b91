"""The conformance test passes what is right, and names the rule that each kind of mistake breaks."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from flow_exact import SMALL, coloured
from graphwright.core import GraphBatch, Step
from graphwright.envs.conformance import ConformanceError, check_environment
from graphwright.envs.generative.edge_sets import EdgeSets, complete_graphs
from graphwright.envs.generative.environment import blank
from graphwright.envs.generative.graph_building import GraphBuilding
from graphwright.envs.generative.grid import HyperGrid, axes
from graphwright.envs.registry import PROBLEMS, find_problem
from graphwright.envs.reversible import Move, Reversible


@pytest.mark.parametrize("name", SMALL)
def test_environments_conform(name: str) -> None:
    environment, instance = SMALL[name]
    check_environment(environment, instance.select(torch.zeros(8, dtype=torch.int64)))


@pytest.mark.parametrize("name", ["hyper-grid", "ring-edges", "two-colour"])
def test_tasks_conform(name: str) -> None:
    task = find_problem(name)
    instances = task.sampled.instances(task.builder, 6, torch.Generator().manual_seed(0))
    instances = instances.with_graphs(beta=torch.arange(6.0))
    check_environment(task.builder, instances)
    assert torch.equal(task.builder.reset(instances).graphs["beta"], torch.arange(6.0))


@dataclass(frozen=True)
class WrongReverse(HyperGrid):
    """Says that the other axis leads back."""

    def advance(self, state: GraphBatch, action: Tensor) -> Move:
        after, reverse = super().advance(state, action)
        return Move(after, 1 - reverse)


@dataclass(frozen=True)
class WrongForward(HyperGrid):
    """Undo names the action along the other axis."""

    def undo(self, state: GraphBatch, action: Tensor) -> Move:
        before, forward = super().undo(state, action)
        return Move(before, 3 - forward)


@dataclass(frozen=True)
class IllegalUndo(HyperGrid):
    """The corner may be taken back too."""

    def backward_masks(self, state: GraphBatch) -> tuple[Tensor, ...]:
        return (torch.ones_like(state.nodes["coordinate"], dtype=torch.bool),)


@dataclass(frozen=True)
class DeadEnd(HyperGrid):
    """No step along the first axis can be taken back."""

    def backward_masks(self, state: GraphBatch) -> tuple[Tensor, ...]:
        return (super().backward_masks(state)[0] & (state.node_segments.position > 0),)


@dataclass(frozen=True)
class InPlace(HyperGrid):
    """Writes into the state that it is given."""

    def advance(self, state: GraphBatch, action: Tensor) -> Move:
        after, reverse = super().advance(state, action)
        state.nodes["coordinate"].copy_(after.nodes["coordinate"])
        return Move(state, reverse)


@dataclass(frozen=True)
class UndoInPlace(HyperGrid):
    """Writes into the state that it is given, on the way back."""

    def undo(self, state: GraphBatch, action: Tensor) -> Move:
        before, forward = super().undo(state, action)
        state.nodes["coordinate"].copy_(before.nodes["coordinate"])
        return Move(state, forward)


@dataclass(frozen=True)
class Together(HyperGrid):
    """Moves all graphs as the first one."""

    def advance(self, state: GraphBatch, action: Tensor) -> Move:
        return super().advance(state, torch.where(action == action[-1], action, action[-1]))


@dataclass(frozen=True)
class Endless(HyperGrid):
    """Never stops before its side is reached."""

    def masks(self, state: GraphBatch) -> tuple[Tensor, ...]:
        stop, forth = super().masks(state)
        return torch.zeros_like(stop), forth


@dataclass(frozen=True)
class WideMask(HyperGrid):
    """A mask of another shape than its block."""

    def masks(self, state: GraphBatch) -> tuple[Tensor, ...]:
        stop, forth = super().masks(state)
        return stop, forth.unsqueeze(1)


@dataclass(frozen=True)
class MissingColumn(HyperGrid):
    """Shows less than it promises."""

    def view(self, state: GraphBatch) -> GraphBatch:
        return super().view(state).keep(nodes=["axis"])


@dataclass(frozen=True)
class WrongWidth(HyperGrid):
    """Shows something else than it promises."""

    def view(self, state: GraphBatch) -> GraphBatch:
        return state.with_nodes(axis=super().view(state).nodes["axis"])


@dataclass(frozen=True)
class TooMuchGiven(HyperGrid):
    """Says that the whole state is given."""

    def given(self, state: GraphBatch) -> GraphBatch:
        return state


BROKEN: dict[str, tuple[Reversible, str]] = {
    "wrong reverse": (WrongReverse(2, 4), "advance: reverse, what leads back, is not legal"),
    "wrong forward action": (WrongForward(2, 4), "undo: reverse, the action that leads there again, is not legal"),
    "illegal undo": (IllegalUndo(2, 4), "an initial state has nothing to undo"),
    "dead end": (DeadEnd(2, 4), "nothing can be undone in graph"),
    "step in place": (InPlace(2, 4), "step changes what it is given: node column 'coordinate'"),
    "what is given": (
        TooMuchGiven(2, 4),
        "what is given stays as it is during an episode, but node column 'coordinate'",
    ),
    "undo in place": (UndoInPlace(2, 4), "undo changes what it is given: node column 'coordinate'"),
    "graphs together": (Together(2, 4), "graphs of a batch do not affect each other"),
    "endless": (Endless(2, 40), "not over after 20 random steps"),
    "mask": (WideMask(2, 4), "the mask of 'forth'"),
    "missing column": (MissingColumn(2, 4), "features declares the node column 'coordinate'"),
    "wrong width": (WrongWidth(2, 4), "width 4 for the node column 'coordinate'"),
}


@pytest.mark.parametrize(("environment", "rule"), BROKEN.values(), ids=BROKEN)
def test_mistakes_are_found(environment: Reversible, rule: str) -> None:
    with pytest.raises(ConformanceError, match=rule):
        check_environment(environment, axes(8, 2), max_steps=20)


@dataclass(frozen=True)
class FallsApart(GraphBuilding):
    """Any link may be cut."""

    def backward_masks(self, state: GraphBatch) -> tuple[Tensor, ...]:
        end, remove, cut = super().backward_masks(state)
        return end, remove, torch.ones_like(cut)


def test_a_cut_that_leaves_two_parts_is_found() -> None:
    """It cannot be reached by taking back alone: the last nodes can never be removed."""
    with pytest.raises(ConformanceError):
        check_environment(FallsApart(coloured(4).context), blank(16))


@dataclass(frozen=True)
class AllEdges(EdgeSets):
    """An edge that is present may be chosen again, which takes it away."""

    def masks(self, state: GraphBatch) -> tuple[Tensor, ...]:
        stop, absent = super().masks(state)
        return stop, torch.ones_like(absent)


@dataclass(frozen=True)
class ByPlace(EdgeSets):
    """Shows which edge of the graph it is."""

    def view(self, state: GraphBatch) -> GraphBatch:
        seen = super().view(state)
        place = state.edge_segments.position.unsqueeze(1).expand(-1, 2)
        return seen.with_edges(present=seen.edges["present"] * (place % 2))


@dataclass(frozen=True)
class Leaky(EdgeSets):
    """The degree over the largest of the batch."""

    def view(self, state: GraphBatch) -> GraphBatch:
        seen = super().view(state)
        return seen.with_nodes(degree=seen.nodes["degree"] / seen.nodes["degree"].max().clamp(min=1))


@dataclass(frozen=True)
class StopMoves(EdgeSets):
    """Stop forgets the edges."""

    def step(self, state: GraphBatch, action: Tensor) -> Step:
        step = super().step(state, action)
        stopped = (action == 0)[state.edge_graph]
        present = step.state.edges["present"] & ~stopped
        return Step(step.state.with_edges(present=present), step.reward, step.terminated, step.truncated)


@dataclass(frozen=True)
class StopGoesOn(EdgeSets):
    """Stop does nothing, and does not end."""

    def step(self, state: GraphBatch, action: Tensor) -> Step:
        step = super().step(state, action)
        return Step(step.state, step.reward, step.terminated & (action > 0), step.truncated)


@dataclass(frozen=True)
class OtherKeys(EdgeSets):
    """Keys hold the place in the batch."""

    def keys(self, state: GraphBatch) -> list[bytes]:
        return [key + bytes([place % 256]) for place, key in enumerate(super().keys(state))]


@pytest.mark.parametrize("directed", [True, False])
def test_edges_without_mistakes_conform(directed: bool) -> None:
    check_environment(EdgeSets(3), complete_graphs(6, 3, directed=directed))


@pytest.mark.parametrize("kind", [AllEdges, ByPlace, Leaky, StopMoves, StopGoesOn, OtherKeys])
@pytest.mark.parametrize("directed", [True, False])
def test_mistakes_with_edges_are_found(kind: type[EdgeSets], directed: bool) -> None:
    with pytest.raises(ConformanceError):
        check_environment(kind(3), complete_graphs(6, 3, directed=directed), max_steps=400)


@pytest.mark.parametrize("name", [name for name in PROBLEMS if PROBLEMS.places[name].count("generative")])
def test_what_is_sampled_conforms(name: str) -> None:
    problem = PROBLEMS[name]
    instances = problem.sampled.instances(problem.builder, 5, torch.Generator().manual_seed(0))
    check_environment(problem.builder, instances)
