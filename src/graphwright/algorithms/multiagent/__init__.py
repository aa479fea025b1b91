"""Algorithms for teams: several decisions a graph, whose critics and mixers see all of it."""
