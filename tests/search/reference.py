"""Searches of one game in plain Python: nodes are objects, formulas stand as in the papers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from graphwright.core import GraphBatch, Segments
from graphwright.envs.game import Game
from graphwright.search.evaluation import Evaluation


def odd_network(game: Game) -> Callable[[GraphBatch], Evaluation]:
    """Prior and value that look random, but follow from which nodes are gone."""

    def evaluate(states: GraphBatch) -> Evaluation:
        gone, place = states.nodes["gone"].double(), states.node_segments.position
        code = torch.zeros(states.num_graphs, dtype=torch.float64).index_add(
            0, states.node_graph, gone * (1.7 + place) ** 1.3
        )
        logits = 2 * torch.sin(12.9898 * (code[states.node_graph] + 1) * (place + 1))
        logits = logits.masked_fill(gone > 0, -torch.inf)
        parts = [part.log_softmax(0) for part in logits.split(states.node_segments.lengths.tolist())]
        candidates = Segments(states.node_ptr)
        return Evaluation(torch.cat(parts).float(), candidates, torch.sin(78.233 * (code + 1)).float())

    return evaluate


@dataclass
class Node:
    """A position. moves: of each legal action [log prior, visits, total, child]."""

    state: GraphBatch
    player: int
    over: bool
    value: float
    moves: dict[int, list] = field(default_factory=dict)  # type: ignore[type-arg]

    @property
    def visits(self) -> int:
        return sum(move[1] for move in self.moves.values())


class PlainSearch:
    """`simulations` of one game, `rule` ("puct" or "gumbel") following moves."""

    def __init__(self, game: Game, evaluate: Callable[[GraphBatch], Evaluation], rule: str, simulations: int) -> None:
        self.game, self.evaluate, self.rule, self.simulations = game, evaluate, rule, simulations

    def run(self, state: GraphBatch, considered: int = 16) -> Node:
        root = self.node(state)
        self.plan = _plan(min(considered, len(root.moves)), self.simulations)
        for number in range(self.simulations):
            self.simulate(root, number)
        return root

    def node(self, state: GraphBatch) -> Node:
        found = self.evaluate(state)
        moves = {
            place: [log_prior, 0, 0.0, None]
            for place, log_prior in enumerate(found.log_probs.tolist())
            if log_prior > -math.inf
        }
        return Node(state, int(self.game.player(state)), False, float(found.value), moves)

    def simulate(self, node: Node, number: int) -> tuple[float, int]:
        """The value found below, and whose it is."""
        action = self.at_root(node, number) if number >= 0 and self.rule == "gumbel" else self.below(node)
        move = node.moves[action]
        if move[3] is None:
            step = self.game.step(node.state, torch.tensor([action]))
            if bool(step.terminated):
                value = float(step.reward)
                move[3] = Node(step.state, node.player, True, value)
            else:
                move[3] = self.node(step.state)
            value, whose = move[3].value, move[3].player
        elif move[3].over:
            value, whose = move[3].value, move[3].player
        else:
            value, whose = self.simulate(move[3], -1)
        move[1] += 1
        move[2] += value if whose == node.player else -value
        return value, whose

    def below(self, node: Node) -> int:
        total = node.visits
        if self.rule == "puct":
            factor = (math.log((1 + (1 + total) + 19652) / 19652) + 1.25) * math.sqrt(1 + total)
            return max(
                node.moves,
                key=lambda a: (
                    (node.moves[a][2] / node.moves[a][1] if node.moves[a][1] else node.value)
                    + factor * math.exp(node.moves[a][0]) / (1 + node.moves[a][1])
                ),
            )
        improved = self.improved(node)
        return max(node.moves, key=lambda a: improved[a] - node.moves[a][1] / (1 + total))

    def at_root(self, node: Node, number: int) -> int:
        q = self.completed(node)
        return max(
            (a for a in node.moves if node.moves[a][1] == self.plan[number]), key=lambda a: node.moves[a][0] + q[a]
        )

    def completed(self, node: Node) -> dict[int, float]:
        """σ of the completed Q of each move."""
        tried = [a for a in node.moves if node.moves[a][1]]
        mean = {a: node.moves[a][2] / node.moves[a][1] for a in tried}
        prior = {a: math.exp(node.moves[a][0]) for a in tried}
        mixed = node.value
        if tried:
            average = sum(prior[a] * mean[a] for a in tried) / sum(prior.values())
            mixed = (node.value + node.visits * average) / (1 + node.visits)
        most = max(move[1] for move in node.moves.values())
        return {a: (50 + most) * (mean.get(a, mixed) + 1) / 2 for a in node.moves}

    def improved(self, node: Node) -> dict[int, float]:
        q = self.completed(node)
        score = {a: node.moves[a][0] + q[a] for a in node.moves}
        largest = max(score.values())
        power = {a: math.exp(value - largest) for a, value in score.items()}
        return {a: value / sum(power.values()) for a, value in power.items()}


def _plan(count: int, simulations: int) -> list[int]:
    """Sequential halving, phase by phase."""
    if count <= 1:
        return list(range(simulations))
    phases, left, seen, plan = math.ceil(math.log2(count)), count, [0] * count, []
    while len(plan) < simulations:
        for _ in range(max(1, int(simulations / (phases * left)))):
            for move in range(left):
                plan.append(seen[move])
                seen[move] += 1
        left = max(2, left // 2)
    return plan[:simulations]
