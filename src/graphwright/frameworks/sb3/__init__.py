"""Stable-Baselines3 and sb3-contrib: policies without a size, environments without padding."""

try:
    import sb3_contrib  # noqa: F401
    import stable_baselines3  # noqa: F401
except ImportError as error:
    raise ImportError(
        f"this needs Stable-Baselines3 and sb3-contrib ({error}): pip install 'graphwright[sb3]'"
    ) from None

from graphwright.frameworks.sb3.buffers import GraphReplayBuffer, GraphRolloutBuffer
from graphwright.frameworks.sb3.dense_observations import DenseSchema
from graphwright.frameworks.sb3.deploy import change_size, load
from graphwright.frameworks.sb3.dqn import GraphDQN
from graphwright.frameworks.sb3.policies import GraphPolicy
from graphwright.frameworks.sb3.q_policy import GraphQPolicy
from graphwright.frameworks.sb3.vec_env import GraphVecEnv

__all__ = [
    "DenseSchema",
    "GraphDQN",
    "GraphPolicy",
    "GraphQPolicy",
    "GraphReplayBuffer",
    "GraphRolloutBuffer",
    "GraphVecEnv",
    "change_size",
    "load",
]
