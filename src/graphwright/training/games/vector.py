"""Live games side by side: some in which one policy plays both sides, some against opponents of a pool."""

from __future__ import annotations

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch, Step
from graphwright.envs.game import Game
from graphwright.envs.rollouts import is_over
from graphwright.envs.vector import InstanceSource, VectorEnvironment, VectorStep, draw_playable
from graphwright.training.games.boards import opened
from graphwright.training.games.pool import OpponentPool

ITSELF = -1
"""In place of an opponent: one policy plays both sides."""


class LiveGames(VectorEnvironment):
    """`num_envs` live games, of which the first `num_against` are against opponents as soon as the pool has some.

    Whoever calls `step` moves in every game: where there is an opponent, it has answered already, and the reward of a
    step is less what it has earned by that. Games begin with none to `opening` random moves. against: [B] int64, the
    opponent's place, or ITSELF; side: [B] int64, the side of whoever calls, where there is one.
    """

    environment: Game

    def __init__(
        self,
        environment: Game,
        source: InstanceSource,
        num_envs: int,
        pool: OpponentPool,
        num_against: int,
        generator: torch.Generator,
        opening: int = 0,
    ) -> None:
        super().__init__(environment, source, num_envs)
        self.opening = opening
        self.state = opened(environment, self.state, opening, generator)
        self.pool = pool
        self.num_against = num_against
        self.generator = generator
        self.against = torch.full((num_envs,), ITSELF, device=self.state.device)
        self.side = torch.zeros(num_envs, dtype=torch.int64, device=self.state.device)

    @override
    def step(self, action: Tensor) -> VectorStep:
        step = self._answered(self.environment.step(self.state, action))
        over = is_over(step)
        done = over.nonzero().squeeze(1)
        self._record(done, step.reward)
        final = step.state.select(step.truncated)
        if not done.numel():
            self.state = step.state
            return VectorStep(step.reward, step.terminated, step.truncated, final, self.source.draw(0))
        fresh, first = draw_playable(self.environment, self.source, done.numel())
        first = opened(self.environment, first, self.opening, self.generator)
        self._seat(done)
        self.state = self._opened(step.state.replace(done, first), done, first)
        return VectorStep(step.reward, step.terminated, step.truncated, final, fresh)

    def _waiting(self, state: GraphBatch, over: Tensor) -> Tensor:
        """[W] int64: the games in which an opponent is to move."""
        if not self.num_against:
            return over.new_zeros(0, dtype=torch.int64)
        theirs = (self.against != ITSELF) & (self.environment.player(state) != self.side)
        return (theirs & ~over).nonzero().squeeze(1)

    def _answered(self, step: Step) -> Step:
        """`step` with the answers of the opponents."""
        state, reward, terminated, truncated = step.state, step.reward, step.terminated, step.truncated
        while (rows := self._waiting(state, terminated | truncated)).numel():
            answer = self._answer(state.select(rows), self.against[rows])
            state = state.replace(rows, answer.state)
            reward = reward.index_add(0, rows, -answer.reward)
            terminated = terminated.index_copy(0, rows, answer.terminated)
            truncated = truncated.index_copy(0, rows, answer.truncated)
        return Step(state, reward, terminated, truncated)

    def _answer(self, states: GraphBatch, opponents: Tensor) -> Step:
        action = torch.empty_like(opponents)
        for place in opponents.unique().tolist():
            rows = (opponents == place).nonzero().squeeze(1)
            action[rows] = self.pool.player(place)(self.environment, states.select(rows), self.generator)
        return self.environment.step(states, action)

    def _opened(self, state: GraphBatch, done: Tensor, first: GraphBatch) -> GraphBatch:
        """`state` with the first moves of opponents in games that have just begun, from the states `first`."""
        begun = torch.zeros(self.num_envs, dtype=torch.bool, device=done.device)
        begun[done] = True
        while (rows := self._waiting(state, ~begun)).numel():
            answer = self._answer(state.select(rows), self.against[rows])
            state = state.replace(rows, answer.state)
            if bool((over := is_over(answer)).any()):  # before this side has moved at all: it begins instead
                again = rows[over]
                places = torch.searchsorted(done, again)
                state = state.replace(again, first.select(places))
                self.side[again] = self.environment.player(state)[again]
        return state

    def _seat(self, done: Tensor) -> None:
        """Draw opponents and sides for the games that begin."""
        seats = done[done < self.num_against]
        if not seats.numel() or not len(self.pool):
            return
        self.against[seats] = self.pool.draw(seats.numel(), self.generator)
        self.side[seats] = torch.randint(2, seats.shape, generator=self.generator, device=seats.device)

    def _record(self, done: Tensor, reward: Tensor) -> None:
        played = done[self.against[done] != ITSELF]
        if played.numel():
            self.pool.record(self.against[played], (reward[played] + 1) / 2)
