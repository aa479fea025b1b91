"""The experiments by name. A new one is a file and a line here."""

from __future__ import annotations

from importlib import import_module

from graphwright.experiments.experiment import Experiment

EXPERIMENTS = ("permutation", "masking", "architectures", "sizes", "s2v", "attack", "node-types", "nervenet")


def find_experiment(name: str) -> Experiment:
    """`reproduce` of the module of that name. Raises ValueError, listing the names, where there is none."""
    if name not in EXPERIMENTS:
        raise ValueError(f"unknown experiment {name!r}; choose one of {', '.join(EXPERIMENTS)}")
    return import_module(f"graphwright.experiments.{name.replace('-', '_')}").reproduce
