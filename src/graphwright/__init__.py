"""Reinforcement learning on graphs of any size.

The parts that a program uses most; everything else is in the rooms that docs/design.md describes.
"""

from graphwright.core import GraphBatch, from_edges
from graphwright.envs.problems import PROBLEMS
from graphwright.nn import EncoderConfig, HeadsConfig
from graphwright.training.agent import Agent, load
from graphwright.training.config import TrainConfig
from graphwright.training.evaluate import EvaluationOptions, evaluate
from graphwright.training.loop import resume, train
from graphwright.training.solve import solve

__all__ = [
    "PROBLEMS",
    "Agent",
    "EncoderConfig",
    "EvaluationOptions",
    "GraphBatch",
    "HeadsConfig",
    "TrainConfig",
    "evaluate",
    "from_edges",
    "load",
    "resume",
    "solve",
    "train",
]
