"""Moves that are found within a time, or by looking so far ahead, as protocols of engines ask for them."""

from __future__ import annotations

import time
from dataclasses import replace

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.game import Game
from graphwright.envs.problem import Opponent
from graphwright.search.search import SearchSettings
from graphwright.training.games.players import MOST_SIMULATIONS, PlayoutPlayer, PolicyPlayer, SearchPlayer

_FIRST, _GROWTH = 16, 8
_SHARE = 0.8  # of the time that is left, for a search that may take longer than one was measured to


def move_in_time(
    player: Opponent, game: Game, states: GraphBatch, generator: torch.Generator, seconds: float
) -> Tensor:
    """[B] int64: what a search finds in so many seconds, of a policy or of random games; who does not search answers.

    A search knows its number of simulations from the beginning, so it begins again with more while these fit, eight
    times as many at most.
    """
    begin = time.monotonic()
    action = player(game, states, generator)
    simulations = _FIRST
    while (searching := _searching(player, simulations)) is not None:
        per_simulation = time.monotonic()
        if per_simulation - begin > _SHARE * seconds:
            return action
        action = searching(game, states, generator)
        now = time.monotonic()
        per_simulation = (now - per_simulation) / simulations
        fits = min(int(_SHARE * (seconds - (now - begin)) / per_simulation), _GROWTH * simulations, MOST_SIMULATIONS)
        if fits <= simulations:
            return action
        simulations = fits
    return action


def move_to_depth(player: Opponent, game: Game, states: GraphBatch, generator: torch.Generator, depth: int) -> Tensor:
    """[B] int64: what a search finds that looks at most `depth` moves ahead; who does not search answers."""
    if isinstance(player, SearchPlayer):
        player = replace(player, settings=replace(player.settings, depth=depth))
    return player(game, states, generator)


def _searching(player: Opponent, simulations: int) -> Opponent | None:
    if isinstance(player, SearchPlayer):
        return replace(player, settings=replace(player.settings, simulations=simulations))
    if isinstance(player, PlayoutPlayer):
        return PlayoutPlayer(simulations)
    if isinstance(player, PolicyPlayer):
        return SearchPlayer(player.policy, SearchSettings(simulations))
    return None
