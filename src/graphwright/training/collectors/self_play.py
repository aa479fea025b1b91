"""Self-play: live games in which one policy plays both sides, or one side against earlier policies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core.numbers import require, require_each
from graphwright.data.sources import GeneratedInstances
from graphwright.data.states import States
from graphwright.data.turns import own_turns
from graphwright.envs.environment import Environment
from graphwright.envs.game import Game
from graphwright.envs.problem import Problem
from graphwright.training.collectors.collector import Collected, Collector
from graphwright.training.collectors.live import LiveCollector
from graphwright.training.collectors.play import ConfigError, PlayConfig
from graphwright.training.collectors.steps import collect_steps
from graphwright.training.games.pool import OpponentPool
from graphwright.training.games.vector import ITSELF, LiveGames
from graphwright.training.validation import GameValidationConfig

_AT_ONCE = 4096


@dataclass(frozen=True)
class GamesConfig(PlayConfig):
    """What all learning from games against oneself has: earlier policies to play against."""

    Validation: ClassVar[type] = GameValidationConfig

    snapshots: int = 8
    """Earlier policies in the pool, beside the best: one for each validation, the oldest give way."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where nothing would be collected."""
        require("snapshots", self.snapshots, 0)
        if self.invalid.handling != "mask":
            raise ConfigError(f"--invalid.handling {self.invalid.handling}: games rule illegal moves out; leave it out")

    @override
    def collector(
        self, problem: Problem, environment: Environment, source: GeneratedInstances, generator: torch.Generator
    ) -> Collector:
        raise ConfigError(f"{problem.name}: games are collected with a pool of opponents; see `with_pool`")

    def with_pool(
        self, problem: Problem, game: Game, source: GeneratedInstances, pool: OpponentPool, generator: torch.Generator
    ) -> Collector:
        """What collects games so, against opponents of `pool`."""
        raise NotImplementedError


@dataclass(frozen=True)
class SelfPlayConfig(GamesConfig):
    """Moves of live games that run on from one update to the next."""

    num_envs: int = 256
    """Games side by side."""
    num_steps: int = 16
    """Moves of each between updates."""
    pool_share: float = 0.25
    """Part of the games in which the other side is played by the best policy so far or by an earlier one."""
    opening: int = 0
    """None to so many moves at the beginning of each game are drawn at random, not learned from: games differ more."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where nothing would be collected."""
        super().__post_init__()
        require_each(self, "", ("num_envs", "num_steps"))
        require("pool-share", self.pool_share, 0, 1)
        require("opening", self.opening, 0)

    @override
    def with_pool(
        self, problem: Problem, game: Game, source: GeneratedInstances, pool: OpponentPool, generator: torch.Generator
    ) -> Collector:
        against = round(self.pool_share * self.num_envs)
        games = LiveGames(game, source, self.num_envs, pool, against, generator, self.opening)
        return SelfPlayCollector(games, self.num_steps, generator, source)


class SelfPlayCollector(LiveCollector):
    """`num_steps` moves of every live game, each seen from the turns of the side that makes it."""

    vector: LiveGames

    def __init__(
        self, games: LiveGames, num_steps: int, generator: torch.Generator, source: GeneratedInstances | None = None
    ) -> None:
        super().__init__(games, source)
        self.num_steps = num_steps
        self.generator = generator

    @override
    def collect(self, policy: Any) -> Collected:
        rollout = collect_steps(self.vector, policy, self.num_steps, self.generator)
        player = players(self.vector.environment, rollout.states, rollout.reward.device)
        rollout = own_turns(rollout, player)
        ended = (rollout.terminated | rollout.truncated).sum()
        moves = rollout.num_steps * 2 / ended.clamp(min=1)  # a game ends for both sides
        return Collected(rollout, rollout.num_steps, {"moves_per_game": moves.where(ended > 0, torch.nan)})

    @override
    def state_dict(self) -> dict[str, Tensor]:
        return {"against": self.vector.against, "side": self.vector.side, **super().state_dict()}

    @override
    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        super().load_state_dict(state)
        against, side = (state[name].to(self.vector.side.device) for name in ("against", "side"))
        known = torch.tensor([ITSELF, *self.vector.pool.weights], device=side.device)
        alike = against.shape == side.shape == self.vector.side.shape and against.dtype == side.dtype == torch.int64
        if not alike or not bool((torch.isin(against, known) & (side >= 0) & (side <= 1)).all()):
            raise ValueError("live games against opponents that are not in the pool")
        self.vector.against, self.vector.side = against, side


def players(game: Game, states: States, device: torch.device) -> Tensor:
    """[R] int64: the side that moves in each of the states."""
    rows = torch.arange(states.num_states, device=device)
    return torch.cat([game.player(states.select(piece)) for piece in rows.split(_AT_ONCE)])
