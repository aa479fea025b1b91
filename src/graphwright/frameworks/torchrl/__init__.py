"""TorchRL: problems as environments, policies as tensordict modules, advantages without vmap."""

from graphwright.frameworks.torchrl.dense import DenseGraphs
from graphwright.frameworks.torchrl.env import GraphEnv
from graphwright.frameworks.torchrl.gae import GraphGAE
from graphwright.frameworks.torchrl.graph_readers import EnvGraphs
from graphwright.frameworks.torchrl.modules import GraphActor, GraphActorCritic, GraphCritic, GraphLogits
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
    "GraphStorage",
    "as_stored",
    "observation_to_ragged",
    "to_ragged",
]
