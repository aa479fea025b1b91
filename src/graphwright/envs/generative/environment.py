"""What the environments share that build objects from nothing: steps as a Markov decision process."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch, Observation, Step
from graphwright.envs.reversible import Reversible
from graphwright.envs.rollouts import has_choice


class GenerativeEnvironment(Reversible):
    """Builds objects whose worth a reward says that is not part of the environment (`Generation`).

    Subclasses say what is seen and what is legal apart, so that nothing is computed that nobody asks for. Stop
    terminates an episode, and so does a step after which nothing is left to do; the rewards of steps are 0.
    """

    @property
    def edits_graph(self) -> bool:
        """Unless a subclass knows better."""
        return True

    def view(self, state: GraphBatch) -> GraphBatch:
        """What a network sees of `state`: the same nodes, with the columns of `features`.

        Edges that nothing depends on any more may be left out where no action is tied to edges.
        """
        return state

    @abstractmethod
    def masks(self, state: GraphBatch) -> tuple[Tensor, ...]:
        """What may be done: one bool tensor for each block of `actions`, [rows, columns] or [rows]."""

    @override
    def observe(self, state: GraphBatch) -> Observation:
        return Observation(self.view(state), self.masks(state))

    @override
    def observe_backward(self, state: GraphBatch) -> Observation:
        return Observation(self.view(state), self.backward_masks(state))

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        goes_on = action > 0 if self.has_stop else torch.ones_like(action, dtype=torch.bool)
        rows = goes_on.nonzero().squeeze(1)
        if rows.numel() == state.num_graphs:
            following = self.advance(state, action).state
        elif rows.numel():
            following = state.replace(rows, self.advance(state.select(rows), action[rows]).state)
        else:
            following = state
        terminated = ~(goes_on & has_choice(self, self.observe(following)))
        reward = torch.zeros(state.num_graphs, device=state.device)
        return Step(following, reward, terminated, torch.zeros_like(terminated))


def blank(count: int) -> GraphBatch:
    """`count` graphs without nodes: the instances of environments to which nothing is given."""
    nothing = torch.zeros(count + 1, dtype=torch.int64)
    return GraphBatch(torch.empty(2, 0, dtype=torch.int64), nothing, nothing)
