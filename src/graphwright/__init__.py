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
from graphwright.training.evaluate import EvaluationOptions, evaluate
from graphwright.training.gflownet.agent import FlowAgent, load_flow
from graphwright.training.gflownet.config import FlowConfig
from graphwright.training.gflownet.evaluate import FlowEvaluationOptions, evaluate_flow
from graphwright.training.gflownet.trainer import resume_flow, train_flow
from graphwright.training.loop import resume, train
from graphwright.training.solve import solve

__all__ = [
    "PROBLEMS",
    "Agent",
    "EncoderConfig",
    "EvaluationOptions",
    "FlowAgent",
    "FlowConfig",
    "FlowEvaluationOptions",
    "Generation",
    "GraphBatch",
    "HeadsConfig",
    "Problem",
    "TrainConfig",
    "evaluate",
    "evaluate_flow",
    "from_edges",
    "load",
    "load_flow",
    "resume",
    "resume_flow",
    "solve",
    "train",
    "train_flow",
]
