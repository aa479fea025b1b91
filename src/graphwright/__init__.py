"""Reinforcement learning on graphs of any size.

The parts that a program uses most; everything else is in the rooms that docs/design.md describes.
"""

# Nothing is imported here that Python has not loaded already: under `python -m graphwright` the working directory is
# still the first place where modules are looked for.
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from graphwright.core import GraphBatch, from_edges
    from graphwright.envs.generation import Generation, Reward
    from graphwright.envs.generative.context import GraphContext
    from graphwright.envs.generative.graph_building import GraphBuilding
    from graphwright.envs.generative.many_objectives import ManyObjectives
    from graphwright.envs.generative.molecules.atoms import AtomContext
    from graphwright.envs.generative.rewards import RewardOf, reward_of_graphs
    from graphwright.envs.problem import Problem
    from graphwright.envs.registry import PROBLEMS
    from graphwright.nn import EncoderConfig, HeadsConfig
    from graphwright.training.agent import Agent, load
    from graphwright.training.callbacks import Callback
    from graphwright.training.config import TrainConfig
    from graphwright.training.evaluate import EvaluationOptions, SamplingOptions, evaluate
    from graphwright.training.picture import draw
    from graphwright.training.pretrained import pretrained
    from graphwright.training.sample import sample
    from graphwright.training.solve import solve
    from graphwright.training.train import resume, train

_PLACES = {
    "Agent": "graphwright.training.agent",
    "AtomContext": "graphwright.envs.generative.molecules.atoms",
    "Callback": "graphwright.training.callbacks",
    "EncoderConfig": "graphwright.nn",
    "EvaluationOptions": "graphwright.training.evaluate",
    "Generation": "graphwright.envs.generation",
    "GraphBatch": "graphwright.core",
    "GraphBuilding": "graphwright.envs.generative.graph_building",
    "GraphContext": "graphwright.envs.generative.context",
    "HeadsConfig": "graphwright.nn",
    "ManyObjectives": "graphwright.envs.generative.many_objectives",
    "PROBLEMS": "graphwright.envs.registry",
    "Problem": "graphwright.envs.problem",
    "Reward": "graphwright.envs.generation",
    "RewardOf": "graphwright.envs.generative.rewards",
    "SamplingOptions": "graphwright.training.evaluate",
    "TrainConfig": "graphwright.training.config",
    "draw": "graphwright.training.picture",
    "evaluate": "graphwright.training.evaluate",
    "from_edges": "graphwright.core",
    "load": "graphwright.training.agent",
    "pretrained": "graphwright.training.pretrained",
    "resume": "graphwright.training.train",
    "reward_of_graphs": "graphwright.envs.generative.rewards",
    "sample": "graphwright.training.sample",
    "solve": "graphwright.training.solve",
    "train": "graphwright.training.train",
}
"""Name → its module, which is imported when the name is first used: importing the package alone takes no time."""

__all__ = [
    "PROBLEMS",
    "Agent",
    "AtomContext",
    "Callback",
    "EncoderConfig",
    "EvaluationOptions",
    "Generation",
    "GraphBatch",
    "GraphBuilding",
    "GraphContext",
    "HeadsConfig",
    "ManyObjectives",
    "Problem",
    "Reward",
    "RewardOf",
    "SamplingOptions",
    "TrainConfig",
    "draw",
    "evaluate",
    "from_edges",
    "load",
    "pretrained",
    "resume",
    "reward_of_graphs",
    "sample",
    "solve",
    "train",
]


def __getattr__(name: str) -> "Any":
    if name == "__version__":
        return import_module("importlib.metadata").version("graphwright")
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_PLACES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
