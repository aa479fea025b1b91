"""Teams at play: what episodes of several agents come to, and who was where in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from graphwright.core import Chosen, GraphBatch, Step
from graphwright.core.segment import Segments
from graphwright.envs.rollouts import is_over, until_done
from graphwright.envs.team import Team, graph_reward
from graphwright.training.acting import Remembered

SUCCESS = "success"


@dataclass(frozen=True, eq=False)
class PlayedTeams:
    """What B episodes came to.

    returns: [B] float64, to each agent in the mean: its own rewards, or the team's where these are shared. length: [B]
    int64. measures: name → [B] float64, and `shares` of them, see `Team`. record: name → array, see `Recorder`.
    """

    returns: Tensor
    length: Tensor
    measures: Mapping[str, Tensor]
    shares: frozenset[str]
    record: Mapping[str, np.ndarray]


class Recorder:
    """Who was where, what was done and what it earned, step by step, of teams of one size.

    `arrays` are those of `Team.scene` [B, ...] and `Team.snapshot` [B, T + 1, A, ...]; `actions` [B, T, A], `rewards`
    [B, T] of the team, or [B, T, A] where each agent has its own, and `lengths` [B]. After its end an episode has NaN,
    where numbers are whole -1; so has an agent that is gone.
    """

    def __init__(self, environment: Team, state: GraphBatch) -> None:
        self.environment = environment
        self.count = state.num_graphs
        self.agents = environment.actions.deciders(environment.observe(state).graph)
        self.who = self.agents.position
        self.scene = {name: values.cpu().numpy() for name, values in environment.scene(state).items()}
        everywhere = torch.arange(self.count, device=state.device)
        self.places = [self._spread(everywhere, environment.snapshot(state))]
        self.steps: list[dict[str, np.ndarray]] = []

    def add(self, episode: Tensor, graphs: Segments, action: Tensor, step: Any) -> None:
        """One step of the episodes `episode` [A], whose deciders are `graphs` (D → A)."""
        team, own = episode[graphs.index], self.environment.own_reward
        done = torch.full((self.count, int(self.agents.lengths.max()), *action.shape[1:]), -1, dtype=action.dtype)
        done[team, self.who] = action.cpu()
        earned = torch.full((self.count, *done.shape[1:2]) if own else (self.count,), torch.nan)
        earned[(team, self.who) if own else episode] = step.reward.cpu()
        self.steps.append({"actions": done.numpy(), "rewards": earned.numpy()})
        self.places.append(self._spread(episode, self.environment.snapshot(step.state)))
        if step.successor is not None:
            after = self.environment.actions.deciders(self.environment.observe(step.state).graph)
            stays = step.successor >= 0
            who = self.who.new_full((after.num_rows,), -1)
            who[after.ptr[:-1][graphs.index[stays]] + step.successor[stays]] = self.who[stays]
            self.who = who

    def keep(self, going: Tensor, graphs: Segments) -> None:
        """Go on with the episodes `going` [G], of those whose deciders are `graphs`."""
        self.who = self.who[graphs.select(going)[1]]

    def arrays(self, length: Tensor) -> dict[str, np.ndarray]:
        """All of it; length: [B]."""
        placed = {name: np.stack([each[name] for each in self.places], 1) for name in self.places[0]}
        done = {name: np.stack([each[name] for each in self.steps], 1) for name in ("actions", "rewards")}
        return {**self.scene, **placed, **done, "lengths": length.cpu().numpy()}

    def _spread(self, episode: Tensor, places: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
        """Rows of the episodes that go on, among those of all."""
        spread = {}
        for name, values in places.items():
            nothing = torch.nan if values.is_floating_point() else -1
            every = torch.full((self.count, *values.shape[1:]), nothing, dtype=values.dtype)
            every[episode.cpu()] = values.cpu()
            spread[name] = every.numpy()
        return spread


def play_teams(environment: Team, instances: GraphBatch, act: Remembered, record: bool = False) -> PlayedTeams:
    """An episode of each of `instances` [B], `act` (states → actions) deciding. record: of teams of one size."""
    start = environment.reset(instances)
    returns = torch.zeros(start.num_graphs, dtype=torch.float64, device=start.device)
    length = torch.zeros(start.num_graphs, dtype=torch.int64, device=start.device)
    graphs = environment.actions.deciders(environment.observe(start).graph)
    agents = graphs.lengths
    recorder = Recorder(environment, start) if record else None
    measures = {name: values.clone() for name, values in environment.measures(start).items()}
    chosen: Tensor | Chosen

    def choose(_: Tensor, state: GraphBatch) -> Tensor:
        nonlocal chosen
        chosen = act(state)
        return chosen.action if isinstance(chosen, Chosen) else chosen

    def step_from(state: GraphBatch, action: Tensor) -> Step:
        return environment.step(chosen.into(state) if isinstance(chosen, Chosen) else state, action)

    for transition in until_done(start, choose, step_from, ends=is_over):
        step, episode = transition.step, transition.episode
        assert step is not None
        returns[episode] += graph_reward(environment, step.reward, graphs).double()
        length[episode] += 1
        over = is_over(step)
        going = (~over).nonzero().squeeze(1)
        for name, values in environment.measures(step.state.select(over)).items():
            measures[name][episode[over]] = values
        if recorder is not None:
            recorder.add(episode, graphs, transition.action, step)
        if step.successor is not None:  # others may decide now
            graphs = environment.actions.deciders(environment.observe(step.state).graph)
        if recorder is not None:
            recorder.keep(going, graphs)
        if going.numel() < graphs.num_groups:
            graphs = graphs.select(going)[0]
    returns = returns / agents.clamp(min=1) if environment.own_reward else returns
    arrays = {} if recorder is None else recorder.arrays(length)
    return PlayedTeams(returns, length, measures, environment.shares, arrays)
