"""The opponent pool: the best policy so far and snapshots of others, against which the latest one learns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from graphwright.training.games.players import PolicyPlayer

BEST = 0
"""The place of the best policy."""
_FADING = 0.98


class OpponentPool:
    """The best policy (place 0) and the `size` latest snapshots (places 1 to `size`, the oldest giving way).

    make: a policy of the run's kind, whose weights do not matter. Opponents are drawn by prioritised fictitious
    self-play: in proportion to (1 − s)², s being what the latest policy has scored against each, so that most games are
    against those that still win (Vinyals et al. 2019, "Grandmaster level in StarCraft II", methods, f_hard).
    """

    def __init__(self, make: Callable[[], Any], size: int) -> None:
        self.make = make
        self.size = size
        self.added = 0  # snapshots so far
        self.weights: dict[int, dict[str, Tensor]] = {}
        self.score = torch.full((size + 1,), 0.5)
        self._policies: dict[int, Any] = {}

    def __len__(self) -> int:
        return len(self.weights)

    def set_best(self, weights: Mapping[str, Tensor]) -> None:
        """Let these weights be the best."""
        self._set(BEST, weights)

    def add(self, weights: Mapping[str, Tensor]) -> None:
        """One more snapshot."""
        if self.size:
            self._set(1 + self.added % self.size, weights)
        self.added += 1

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """[count] int64: places of opponents. Raises ValueError where there is none."""
        if not self.weights:
            raise ValueError("an empty pool has no opponents")
        places = torch.tensor(sorted(self.weights), device=generator.device)
        hardness = (1 - self.score[places.cpu()]).square().clamp(min=1e-3).to(generator.device)
        return places[torch.multinomial(hardness, count, replacement=True, generator=generator)]

    def policy(self, place: int) -> Any:
        """The policy at that place."""
        if place not in self._policies:
            policy = self.make()
            policy.load_state_dict(self.weights[place])
            self._policies[place] = policy.eval()
        return self._policies[place]

    def player(self, place: int) -> PolicyPlayer:
        """Who is at that place, drawing its moves."""
        return PolicyPlayer(self.policy(place), draws=True)

    def record(self, places: Tensor, points: Tensor) -> None:
        """What the latest policy has scored (0 to 1) in games against those at `places` [G]."""
        for place, won in zip(places.tolist(), points.tolist(), strict=True):
            self.score[place] += (1 - _FADING) * (won - self.score[place])

    def state_dict(self) -> dict[str, Tensor]:
        """All of it."""
        tensors = {f"{place}.{name}": value for place, own in self.weights.items() for name, value in own.items()}
        return {"score": self.score, "added": torch.tensor(self.added), **tensors}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state_dict` returned. Raises ValueError or RuntimeError where it is not of such a pool."""
        score, self.added = state["score"], int(state["added"])
        if score.shape != self.score.shape or not bool(((score >= 0) & (score <= 1)).all()) or self.added < 0:
            raise ValueError("scores against a pool that are not one number from 0 to 1 for each place")
        self.score = score.to(self.score.dtype).clone()
        self.weights, self._policies = {}, {}
        for key, tensor in state.items():
            place, dot, name = key.partition(".")
            if dot:
                self.weights.setdefault(int(place), {})[name] = tensor
        for known in self.weights:
            if not 0 <= known <= self.size:
                raise ValueError(f"a pool of {self.size} opponents and the best has no place {known}")
            self.policy(known)  # its weights fit

    def _set(self, place: int, weights: Mapping[str, Tensor]) -> None:
        self.weights[place] = {name: tensor.detach().clone() for name, tensor in weights.items()}
        self.score[place] = 0.5
        self._policies.pop(place, None)
