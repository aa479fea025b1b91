"""`Game`: two sides that see the same game, each from its own side, and what one wins the other loses."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.conformance.batching import check_company
from graphwright.envs.conformance.calls import Watched
from graphwright.envs.conformance.compare import ConformanceError, first_difference
from graphwright.envs.conformance.episodes import PlayedEpisodes
from graphwright.envs.conformance.forms import check_graph, check_numbers
from graphwright.envs.conformance.tables import Visit, seen_alone
from graphwright.envs.game import Game


def check_game(watched: Watched, environment: Game, episodes: PlayedEpisodes, generator: torch.Generator) -> None:
    """Raise ConformanceError unless these rules hold of the states of `episodes`.

    * `player` [B] int64 is 0 or 1, `outcome` [B] float32 of games that are over is -1, 0 or 1; both are functions of
      each state alone.
    * `swapped` exchanges the sides, twice is not at all, and the game goes on as before with the sides exchanged.
    * What is seen is seen by the side that moves: of swapped sides the same, so that one policy plays both.
    * Rewards are 0 until a game is over, and then the outcome, of the side that moved.
    """
    states = [episodes.final, *([episodes.visits.state] if episodes.visits is not None else [])]
    for state in states:
        player = watched.call_again("player", state)
        check_numbers("player", player, (state.num_graphs,), torch.int64)
        if bool(((player != 0) & (player != 1)).any()):
            raise ConformanceError(f"player: sides are 0 and 1; got {sorted(set(player.tolist()))}")
        check_company(watched, state, {"player": player}, lambda whole, index: whole[index], generator)
        _check_swapped(watched, state, player)
    _check_outcome(watched, episodes.final.select(episodes.ended.nonzero().squeeze(1)), generator)
    if episodes.visits is not None:
        _check_view(watched, environment, episodes.visits)
        _check_steps(watched, episodes.visits)
        _check_rewards(watched, episodes.visits)


def _check_swapped(watched: Watched, state: GraphBatch, player: Tensor) -> None:
    other = watched.call_again("swapped", state)
    check_graph("swapped", other, state.num_graphs)
    if not torch.equal(watched.call("player", other), 1 - player):
        raise ConformanceError("swapped: the side that moved was 0 and is 1, or the other way round; `player` says not")
    where = first_difference(state, watched.call("swapped", other))
    if where is not None:
        raise ConformanceError(f"swapped: swapping the sides twice changes nothing, but {where}")


def _check_outcome(watched: Watched, final: GraphBatch, generator: torch.Generator) -> None:
    outcome = watched.call_again("outcome", final)
    check_numbers("outcome", outcome, (final.num_graphs,), torch.float32)
    if not bool(((outcome == 0) | (outcome.abs() == 1)).all()):
        raise ConformanceError(
            f"outcome: a game is won (1), drawn (0) or lost (-1); got {sorted(set(outcome.tolist()))}"
        )
    check_company(watched, final, {"outcome": outcome}, lambda whole, index: whole[index], generator)
    if not torch.equal(watched.call("outcome", watched.call("swapped", final)), -outcome):
        raise ConformanceError("outcome: with the sides swapped, who has won has lost; `outcome` says not")


def _check_view(watched: Watched, environment: Game, visits: Visit) -> None:
    swapped = watched.call("observe", watched.call("swapped", visits.state))
    left, right = (seen_alone(environment, seen) for seen in (visits.observation, swapped))
    where = first_difference(left, right, graph=visits.name)
    if where is not None:
        raise ConformanceError(
            f"observe: with the sides swapped, {where}. Show what belongs to the side that moves and to the other, "
            "not to side 0 and side 1: the same policy plays both."
        )


def _check_steps(watched: Watched, visits: Visit) -> None:
    swapped = watched.call("step", watched.call("swapped", visits.state), visits.action)
    where = first_difference(watched.call("swapped", visits.step.state), swapped.state, graph=visits.name)
    for name in ("reward", "terminated", "truncated"):
        one, other = getattr(visits.step, name), getattr(swapped, name)
        where = where or first_difference(one, other, graph=visits.name)
    if where is not None:
        raise ConformanceError(
            f"step: with the sides swapped, the same move leads to the same state with the sides swapped, but {where}"
        )


def _check_rewards(watched: Watched, visits: Visit) -> None:
    over = visits.step.terminated
    early = (~over & (visits.step.reward != 0)).nonzero()
    if early.numel():
        raise ConformanceError(
            f"step: {visits.name(int(early[0]))} the reward is {float(visits.step.reward[early[0]])}, and the game "
            "goes on. Rewards of games are 0 until they are over; what helps on the way is for the network to learn."
        )
    rows = over.nonzero().squeeze(1)
    if not rows.numel():
        return
    sign = 1.0 - 2.0 * watched.call("player", visits.state.select(rows))
    outcome = sign * watched.call("outcome", visits.step.state.select(rows))
    wrong = (visits.step.reward[rows] != outcome).nonzero()
    if wrong.numel():
        place = int(rows[wrong[0]])
        raise ConformanceError(
            f"step: {visits.name(place)} the reward is {float(visits.step.reward[place])}, but by `outcome` the side "
            f"that moved (`player` {int(sign[wrong[0]] < 0)}) got {float(outcome[wrong[0]])}"
        )
