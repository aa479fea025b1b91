"""Games that a tree search plays against itself, into a replay: what it found at each move, and who has won."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch
from graphwright.core.numbers import require, require_each
from graphwright.core.segment import Segments
from graphwright.data.replay import Replay
from graphwright.data.ring import Group
from graphwright.data.samples import OUTCOME, SEARCHED, ReplaySamples
from graphwright.data.sources import GeneratedInstances
from graphwright.data.stores import InstancesOnce, WholeGraphs
from graphwright.envs.game import Game
from graphwright.envs.problem import Problem
from graphwright.envs.rollouts import is_over, until_done
from graphwright.envs.vector import draw_playable
from graphwright.search.evaluation import by_network
from graphwright.search.search import Found, Kind, SearchSettings, search
from graphwright.training.checkpoint import with_prefix, without_prefix
from graphwright.training.collectors.collector import Collected, Collector
from graphwright.training.collectors.play import ConfigError, PlayCollector
from graphwright.training.collectors.self_play import GamesConfig
from graphwright.training.games.boards import opened
from graphwright.training.games.pool import OpponentPool

_CHECKED = 4096


@dataclass(frozen=True)
class ExpertGamesConfig(GamesConfig):
    """Whole games that a search plays against itself, of which the newest positions are remembered."""

    num_games: int = 64
    """Games between updates, side by side."""
    simulations: int = 32
    """Simulations of the search before each move."""
    search: Kind = "gumbel"
    """gumbel improves the policy with few simulations; puct is AlphaZero's, with Dirichlet noise at the root."""
    considered: int = 16
    """Moves among which gumbel divides its simulations at the root."""
    opening: int = 0
    """None to so many moves at the beginning of each game are drawn at random, not remembered: games differ more."""
    capacity: int = 50_000
    """Positions that are remembered."""
    megabytes: int = 1024
    """Memory that they may take, in MiB; where it is full, the oldest give way."""
    num_minibatches: int = 16
    """Minibatches of each update."""
    minibatch_size: int = 256
    """Positions of each."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where nothing would be collected."""
        super().__post_init__()
        require_each(
            self, "", ("num_games", "simulations", "considered", "megabytes", "num_minibatches", "minibatch_size")
        )
        require("opening", self.opening, 0)
        require("capacity", self.capacity, self.minibatch_size)

    @override
    def with_pool(
        self, problem: Problem, game: Game, source: GeneratedInstances, pool: OpponentPool, generator: torch.Generator
    ) -> Collector:
        return ExpertGamesCollector(game, source, self, generator)


class ExpertGamesCollector(PlayCollector):
    """`num_games` whole games of the latest policy with search on both sides, and minibatches of what is remembered."""

    source: GeneratedInstances

    def __init__(
        self, game: Game, source: GeneratedInstances, config: ExpertGamesConfig, generator: torch.Generator
    ) -> None:
        super().__init__(source)
        self.game = game
        self.config = config
        self.generator = generator
        self.settings = SearchSettings(config.simulations, config.search, config.considered)
        self.sampling = torch.Generator()  # of the CPU, as a replay wants it
        self.sampling.manual_seed(generator.initial_seed())
        self.replay = Replay(
            config.capacity, WholeGraphs if game.edits_graph else InstancesOnce, config.megabytes << 20
        )

    @override
    def collect(self, policy: Any) -> Collected:
        config = self.config
        moves = self._play(policy)
        samples = ReplaySamples(self.replay, config.num_minibatches, config.minibatch_size, 0.0, self.sampling)
        return Collected(samples, moves, {"moves_per_game": torch.tensor(moves / config.num_games)})

    def _play(self, policy: Any) -> int:
        """Remember every position of fresh games; how many there are."""
        instances, start = draw_playable(self.game, self.source, self.config.num_games)
        evaluate = by_network(self.game, policy)
        start = opened(self.game, start, self.config.opening, self.generator)
        ids = self.replay.add_states(start, instances=instances)
        outcome = torch.zeros(start.num_graphs, device=start.device)
        states: list[Tensor] = []
        found, players, episodes = [], [], []

        def act(episode: Tensor, state: GraphBatch) -> Tensor:
            nonlocal ids
            if states:
                ids[episode] = self.replay.add_states(state, after=ids[episode])
            searched = search(self.game, state, evaluate, self.settings, self.generator)
            states.append(ids[episode])
            found.append(searched)
            players.append(self.game.player(state))
            episodes.append(episode)
            return searched.action

        for transition in until_done(start, act, self.game.step, ends=is_over):
            step = transition.step
            assert step is not None
            over = step.terminated.nonzero().squeeze(1)
            if over.numel():
                outcome[transition.episode[over]] = self.game.outcome(step.state.select(over))
        value = outcome[torch.cat(episodes)] * (1 - 2 * torch.cat(players))
        if value.numel() > self.config.capacity:
            games = f"--num-games {self.config.num_games} had {value.numel()} positions"
            raise ConfigError(f"--capacity {self.config.capacity}: {games}; give more of the one or less of the other")
        self.replay.add(torch.cat(states), None, {OUTCOME: value}, {SEARCHED: _policies(found)})
        return value.numel()

    @override
    def state_dict(self) -> dict[str, Tensor]:
        replay = with_prefix("replay", self.replay.state_dict())
        return {"sampling": self.sampling.get_state(), **replay, **super().state_dict()}

    @override
    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        super().load_state_dict(state)
        replay = without_prefix("replay", state)
        if len(replay) > 1:
            self.replay.load_state_dict(replay)
            self._require_searched()
        self.sampling.set_state(state["sampling"])

    def _require_searched(self) -> None:
        """Raise ValueError unless each position has a policy over its candidates, and an outcome."""
        for ids in self.replay.ids.split(_CHECKED):
            found = self.replay.select(ids)
            policies, outcome = found.groups[SEARCHED], found.columns[OUTCOME]
            candidates = self.game.actions.segments(self.game.observe(found.state).graph)
            policy = policies.columns["policy"]
            fits = torch.equal(policies.segments.ptr, candidates.ptr) and bool((outcome.abs() <= 1).all())
            if not fits or not bool(((policy >= 0) & (policy <= 1)).all()):
                raise ValueError("a position of which a search cannot have found this")


def _policies(found: list[Found]) -> Group:
    lengths = torch.cat([each.candidates.lengths for each in found])
    return Group(Segments.from_lengths(lengths), {"policy": torch.cat([each.policy for each in found])})
