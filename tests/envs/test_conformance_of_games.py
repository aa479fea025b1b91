"""The conformance test passes a game and an endless task, and names the rule that another breaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from games_and_queues import Buckets, Kayles
from graphwright.core import Features, GraphBatch, Observation, Step
from graphwright.envs.conformance import ConformanceError, check_environment
from graphwright.envs.environment import Environment
from graphwright.envs.problems.vertex_cover.environment import VERTEX_COVER


class SameSide(Kayles):
    def swapped(self, state: GraphBatch) -> GraphBatch:
        return state


class ThreeSides(Kayles):
    def player(self, state: GraphBatch) -> Tensor:
        return state.graphs["player"] + 1


class ShowsTheSide(Kayles):
    features = Features(nodes={"gone": 1}, graphs={"player": 1})

    def observe(self, state: GraphBatch) -> Observation:
        return Observation(state.keep(nodes=["gone"], graphs=["player"]), (~state.nodes["gone"],))


class RewardOfSideZero(Kayles):
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        step = super().step(state, action)
        return replace(step, reward=step.reward * (1 - 2 * state.graphs["player"]).float())


class LoserWins(Kayles):
    def outcome(self, state: GraphBatch) -> Tensor:
        return -super().outcome(state)


class AlwaysSideZero(Kayles):
    def outcome(self, state: GraphBatch) -> Tensor:
        return torch.ones(state.num_graphs)


class Points(Kayles):
    def outcome(self, state: GraphBatch) -> Tensor:
        return 3 * super().outcome(state)


class RewardsMoves(Kayles):
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        step = super().step(state, action)
        return replace(step, reward=torch.where(step.terminated, step.reward, 0.1))


class SecondSideMovesTwice(Kayles):
    """Only side 1 skips a turn of the other, so the sides do not play by the same rules."""

    def step(self, state: GraphBatch, action: Tensor) -> Step:
        step = super().step(state, action)
        zero = torch.zeros_like(state.graphs["player"])
        return replace(
            step, state=step.state.with_graphs(player=torch.where(step.terminated, step.state.graphs["player"], zero))
        )


class Overflows(Buckets):
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        step = super().step(state, action)
        return replace(step, terminated=self.averages(step.state)["backlog"] > 12)


class LeaksAverage(Buckets):
    def averages(self, state: GraphBatch) -> Mapping[str, Tensor]:
        return {"backlog": torch.full((state.num_graphs,), float(state.nodes["drops"].sum()), dtype=torch.float64)}


class SingleAverage(Buckets):
    def averages(self, state: GraphBatch) -> Mapping[str, Tensor]:
        return {name: value.float() for name, value in super().averages(state).items()}


class NoAverage(Buckets):
    def averages(self, state: GraphBatch) -> Mapping[str, Tensor]:
        return {}


BROKEN = {
    SameSide: "swapped: the side that moved",
    ThreeSides: "player: sides are 0 and 1",
    ShowsTheSide: "observe: with the sides swapped, graph column 'player'",
    RewardOfSideZero: "step: with the sides swapped",
    LoserWins: "by `outcome` the side that moved",
    AlwaysSideZero: "outcome: with the sides swapped",
    Points: "outcome: a game is won",
    RewardsMoves: "the game goes on",
    SecondSideMovesTwice: "step: with the sides swapped",
    Overflows: "terminates. What is Endless never does",
    LeaksAverage: "averages: among others, 'backlog'",
    SingleAverage: "average 'backlog'.*float64",
    NoAverage: "averages: the same names",
}


def instances() -> GraphBatch:
    return VERTEX_COVER.generator(sizes=(5, 8))(5, torch.Generator().manual_seed(0))


@pytest.mark.parametrize("environment", [Kayles(), Buckets()], ids=["game", "endless"])
def test_a_game_and_an_endless_task_conform(environment: Environment) -> None:
    check_environment(environment, instances())


@pytest.mark.parametrize("kind", BROKEN, ids=lambda kind: kind.__name__)
def test_planted_bugs_are_named(kind: type[Environment]) -> None:
    with pytest.raises(ConformanceError, match=BROKEN[kind]):
        check_environment(kind(), instances())
