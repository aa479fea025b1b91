"""`GameEvaluator`: matches that watch a policy while it learns, and the gate that a new best has to pass."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch
from graphwright.core.files import write_atomically
from graphwright.drawing.ratings import plot_ratings
from graphwright.envs.game import Game
from graphwright.envs.problem import Opponent
from graphwright.training.checkpoint import with_prefix, without_prefix
from graphwright.training.directory import GATE_FILE, RATINGS_FILE
from graphwright.training.evaluator import Evaluator, Rows
from graphwright.training.games.match import Score, play_match
from graphwright.training.games.players import PolicyPlayer
from graphwright.training.games.pool import BEST, OpponentPool
from graphwright.training.games.rating import Encounter, elo, table
from graphwright.training.statistics import Interval
from graphwright.training.validation import GameValidationConfig

_GATE_COLUMNS = ("evaluation", "best", "wins", "draws", "losses", "pairs_won", "pairs_lost", "low", "accepted")
_ENCOUNTER = 5  # columns: one, other, wins, draws, losses
_EARLIER = 2
_MOST_GAMES = 1 << 31


class GameEvaluator(Evaluator):
    """Plays a policy against the best so far, which it replaces only where it has surely won more than the gate asks.

    It meets the fixed `opponents` and some snapshots of the pool too, so that all have Elo ratings: of the opponents
    first, the first of them being 0, then of the policy of every evaluation, in order. instances: one batch a size.
    What it says of a policy depends on those that it has seen before.
    """

    metric, better = "elo", "higher"

    def __init__(
        self,
        game: Game,
        instances: list[GraphBatch],
        opponents: Mapping[str, Opponent],
        pool: OpponentPool,
        config: GameValidationConfig,
        seed: int,
    ) -> None:
        super().__init__(config.every)
        self.game = game
        self.instances = instances
        self.opponents = dict(opponents)
        self.pool = pool
        self.config = config
        self.generator = torch.Generator(instances[0].device).manual_seed(seed)
        self.encounters = torch.zeros(0, _ENCOUNTER, dtype=torch.int64)
        self.gate = torch.zeros(0, len(_GATE_COLUMNS), dtype=torch.float64)
        self.place_of = torch.zeros(pool.size + 1, dtype=torch.int64)  # which evaluation's policy is where in the pool

    @property
    def names(self) -> list[str]:
        """Of all players, in the order of their ratings."""
        return [*self.opponents, *(f"policy {number}" for number in range(len(self.gate)))]

    @property
    def ratings(self) -> list[Interval]:
        """Elo ratings of all players."""
        rows = self.encounters.tolist()
        met = [Encounter(one, other, w + d / 2, w + d + lost) for one, other, w, d, lost in rows]
        return elo(len(self.names), met)

    @override
    def evaluate(self, policy: Any) -> dict[str, float]:
        candidate = PolicyPlayer(policy)
        own, shares = len(self.names), {}
        for place, (name, opponent) in enumerate(self.opponents.items()):
            score, _ = self._meet(candidate, opponent)
            self._note(own, place, score)
            shares[f"score_{name}"] = score.share.value
        for place in self._earlier():
            score, _ = self._meet(candidate, PolicyPlayer(self.pool.policy(place)))
            self._note(own, len(self.opponents) + int(self.place_of[place]), score)
        accepted, best = self._pass(candidate, own), self.place_of[BEST]
        if accepted:
            self.pool.set_best(policy.state_dict())
            self.place_of[BEST] = len(self.gate) - 1
        if self.pool.size:
            self.place_of[1 + self.pool.added % self.pool.size] = len(self.gate) - 1
        self.pool.add(policy.state_dict())
        rating = self.ratings[own]
        return {
            "elo": rating.value,
            "elo_low": rating.low,
            "elo_high": rating.high,
            **shares,
            "gate_low": float(self.gate[-1, _GATE_COLUMNS.index("low")]),
            "gate_passed": float(accepted),
            "gate_best": float(best),
        }

    @override
    def improves(self, found: Mapping[str, float], best: float | None) -> bool:
        return bool(found["gate_passed"])

    def _pass(self, candidate: Opponent, own: int) -> bool:
        """Whether the candidate is the new best, and a line in the gate's log."""
        first = not len(self.pool)
        best = int(self.place_of[BEST])
        score = pairs = Score(0, 0, 0)
        if not first:
            score, pairs = self._meet(candidate, PolicyPlayer(self.pool.policy(BEST)))
            self._note(own, len(self.opponents) + best, score)
        low = pairs.decided.low if pairs.wins + pairs.losses > 1 else 0.0  # one pair has no interval
        accepted = first or low > self.config.gate
        games = [score.wins, score.draws, score.losses, pairs.wins, pairs.losses]
        row = [len(self.gate), -1 if first else best, *games, low, accepted]
        self.gate = torch.cat([self.gate, torch.tensor([row], dtype=torch.float64)])
        return accepted

    def _meet(self, one: Opponent, other: Opponent) -> tuple[Score, Score]:
        """A match on boards of each size, after random openings of every length to the longest: games, and pairs."""
        total, both, config = Score(0, 0, 0), Score(0, 0, 0), self.config
        openings = range(min(1, config.opening), config.opening + 1)
        pairs = max(1, config.games // (2 * len(self.instances) * len(openings)))
        for instances in self.instances:
            for opening in openings:
                rows = torch.arange(pairs, device=instances.device) % instances.num_graphs
                match = play_match(self.game, instances.select(rows), one, other, self.generator, opening)
                total += match.count()
                both += match.count_pairs()
        return total, both

    def _earlier(self) -> list[int]:
        """Some snapshots of the pool, drawn at random."""
        there = [place for place in self.pool.weights if place != BEST and self.place_of[place] != self.place_of[BEST]]
        order = torch.randperm(len(there), generator=self.generator)[:_EARLIER].tolist()
        return [there[place] for place in order]

    def _note(self, one: int, other: int, score: Score) -> None:
        row = torch.tensor([[one, other, score.wins, score.draws, score.losses]])
        self.encounters = torch.cat([self.encounters, row])

    # ---- what is left of it ----------------------------------------------------------------------------------------

    @override
    def line(self, row: Mapping[str, float], best: float | None) -> str:
        last = [name for name in list(self.opponents)[-1:] if f"score_{name}" in row]
        found = [f"{row[f'score_{name}']:.0%} against {name}" for name in last]
        return "  ".join([*found, *([] if best is None else [f"best Elo {best:.0f}"])])

    @override
    def write(self, directory: Path) -> None:
        lines = [",".join(_GATE_COLUMNS)]
        for row in self.gate.tolist():
            *whole, low, accepted = row
            lines.append(",".join([*(str(int(number)) for number in whole), f"{low:.4f}", str(int(accepted))]))
        write_atomically(directory / GATE_FILE, ("\n".join(lines) + "\n").encode())
        rows = table(self.names, self.ratings)
        write_atomically(directory / RATINGS_FILE, (json.dumps(rows, indent=1) + "\n").encode())

    @override
    def plot(self, rows: Rows, path: Path) -> None:
        fixed = len(self.opponents)
        passed = [bool(row[-1]) for row in self.gate.tolist()]
        plot_ratings(self.ratings[fixed:], passed, dict(zip(self.opponents, self.ratings, strict=False)), path)

    @override
    def state_dict(self) -> dict[str, Tensor]:
        own = {"encounters": self.encounters, "gate": self.gate, "places": self.place_of}
        return {**own, "generator": self.generator.get_state(), **with_prefix("pool", self.pool.state_dict())}

    @override
    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        encounters, gate, places = state["encounters"], state["gate"], state["places"]
        met, last = encounters[:, :2], len(self.opponents) + len(gate)
        fits = encounters.dtype == places.dtype == torch.int64 and encounters.shape[1:] == (_ENCOUNTER,)
        fits = fits and places.shape == self.place_of.shape and gate.shape[1:] == (len(_GATE_COLUMNS),)
        fits = fits and bool(((encounters >= 0) & (encounters <= _MOST_GAMES)).all() & (met < last).all())
        fits = fits and bool(((places >= 0) & (places < max(len(gate), 1))).all() & gate.isfinite().all())
        if not fits:
            raise ValueError("matches between players that this run has not had")
        self.encounters, self.gate, self.place_of = encounters, gate, places
        self.generator.set_state(state["generator"])
        self.pool.load_state_dict(without_prefix("pool", state))
