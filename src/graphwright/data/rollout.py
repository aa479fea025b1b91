"""What collection hands to an algorithm: steps of live environments, or whole episodes."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from graphwright.data.actions import ActionTable
from graphwright.data.states import States


@dataclass(frozen=True, eq=False)
class Rollout:
    """T steps of B environments that run on.

    states: the T · B states that were acted in, step by step, then the states that begin an episode no more: the B
        states after the last step and the final states of truncated episodes.
    action: of the Q decisions in the first T · B of these states. log_prob: [Q] float32.
    reward: [T, B] float32, of each graph; terminated, truncated: [T, B] bool.
    next_row: [T, B] int32, the row in `states` of the state that each action led to, before any reset; meaningless
        where the episode terminated.
    lost: [T, B] bool, the steps whose outcome is unknown.
    own_reward: [Q] float32, what each decider earned; None where a graph's deciders share its reward.
    successor: [Q] int32, the place of each decider among those of its graph in the next state, -1 where it is gone;
        None where no decider ever leaves its place.
    next_sign: [T, B] float32, what the value of the state at `next_row` counts as for whoever acted: -1 where it is
        the other side of a game that moves there; None for 1 everywhere.
    copies: each so many episodes that follow each other began alike and meet the same chance, as far as they are of one
        age; 1 where nothing is known of it.
    """

    states: States
    action: ActionTable
    log_prob: Tensor
    reward: Tensor
    terminated: Tensor
    truncated: Tensor
    next_row: Tensor
    lost: Tensor
    own_reward: Tensor | None = None
    successor: Tensor | None = None
    next_sign: Tensor | None = None
    copies: int = 1

    @property
    def num_steps(self) -> int:
        """T · B."""
        return self.reward.numel()


@dataclass(frozen=True, eq=False)
class Episodes:
    """K whole episodes of each of I instances.

    states, action: the M states that were acted in, in the order of time, and what was done in each.
    episode: [M] int32, which of the I · K episodes, those of an instance in a row.
    returns: [I, K] float32, the undiscounted return of each episode.
    """

    states: States
    action: ActionTable
    episode: Tensor
    returns: Tensor

    @property
    def num_steps(self) -> int:
        """M."""
        return self.episode.numel()
