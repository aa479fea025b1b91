"""Reinforcement learning on graphs of any size.

The parts that a program uses most; everything else is in the rooms that docs/design.md describes.
"""

from graphwright.core import GraphBatch, from_edges
from graphwright.envs.generation import Generation
from graphwright.envs.problem import Problem
from graphwright.envs.registry import PROBLEMS
from graphwright.nn import EncoderConfig, HeadsConfig
from graphwright.training.agent import Agent, load
from graphwright.training.config import TrainConfig
from graphwright.training.evaluate import EvaluationOptions, SamplingOptions, evaluate
from graphwright.training.sample import sample
from graphwright.training.solve import solve
from graphwright.training.train import resume, train

__all__ = [
    "PROBLEMS",
    "Agent",
    "EncoderConfig",
    "EvaluationOptions",
    "Generation",
    "GraphBatch",
    "HeadsConfig",
    "Problem",
    "SamplingOptions",
    "TrainConfig",
    "evaluate",
    "from_edges",
    "load",
    "resume",
    "sample",
    "solve",
    "train",
]
