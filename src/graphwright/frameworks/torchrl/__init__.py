"""TorchRL: problems as environments, policies as tensordict modules, advantages without vmap."""

try:
    import torchrl  # noqa: F401
except ImportError as error:
    raise ImportError(f"this needs TorchRL ({error}): pip install 'graphwright[torchrl]'") from None

from graphwright.frameworks.torchrl.conversion import (
    fill,
    from_adjacency,
    from_edge_index,
    take,
    to_adjacency,
    to_edge_index,
)
from graphwright.frameworks.torchrl.dense import DenseGraphs
from graphwright.frameworks.torchrl.env import GraphEnv
from graphwright.frameworks.torchrl.gae import GraphGAE
from graphwright.frameworks.torchrl.graph_readers import EnvGraphs
from graphwright.frameworks.torchrl.modules import GraphActor, GraphActorCritic, GraphCritic, GraphLogits, GraphQValues
from graphwright.frameworks.torchrl.ragged import observation_to_ragged, to_ragged
from graphwright.frameworks.torchrl.storage import GraphStorage, as_stored

__all__ = [
    "DenseGraphs",
    "EnvGraphs",
    "GraphActor",
    "GraphActorCritic",
    "GraphCritic",
    "GraphEnv",
    "GraphGAE",
    "GraphLogits",
    "GraphQValues",
    "GraphStorage",
    "as_stored",
    "fill",
    "from_adjacency",
    "from_edge_index",
    "observation_to_ragged",
    "take",
    "to_adjacency",
    "to_edge_index",
    "to_ragged",
]
