"""The switching game as a problem: random planar graphs, and graphs of files with two marked nodes."""

from __future__ import annotations

from graphwright.envs.games.opponents import random_moves
from graphwright.envs.games.shannon.environment import Shannon, draw_terminals
from graphwright.envs.games.shannon.opponents import one_ply, perfect, resistance, shortest_path
from graphwright.envs.problem import Problem

OPPONENTS = {
    "random": random_moves,
    "one-ply": one_ply,
    "shortest-path": shortest_path,
    "resistance": resistance,
    "perfect": perfect,
}

TRAINING = {
    # Without random openings self-play learns one line of play and forgets all others.
    "collection": {"self-play": {"num_envs": 128, "opening": 6}},
    "ppo": {"entropy_coefficient": 0.01},
    "validation": {"opponents": ("random", "one-ply", "resistance")},
}

SHANNON = Problem(
    name="shannon",
    summary="join two nodes of a graph, or cut them apart",
    objective="score",
    environment=Shannon(),
    topology="gabriel",
    sizes=(10, 15, 20),
    laws={"terminals": draw_terminals},
    opponents=OPPONENTS,
    training=TRAINING,
)
