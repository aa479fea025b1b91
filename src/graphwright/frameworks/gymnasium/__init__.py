"""Every problem as a Gymnasium environment: `gymnasium.make("graphwright/VertexCover-v0")` after importing this."""

try:
    import gymnasium  # noqa: F401
except ImportError as error:
    raise ImportError(f"this needs Gymnasium ({error}): pip install 'graphwright[gymnasium]'") from None

from graphwright.frameworks.gymnasium.env import GraphEnv
from graphwright.frameworks.gymnasium.registration import ENVIRONMENT_IDS, register_all
from graphwright.frameworks.gymnasium.vector import GraphVectorEnv

__all__ = ["ENVIRONMENT_IDS", "GraphEnv", "GraphVectorEnv"]

register_all()
