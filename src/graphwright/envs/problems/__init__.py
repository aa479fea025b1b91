"""Optimisation problems, one folder each: rules, instances, heuristics, exact solver."""
