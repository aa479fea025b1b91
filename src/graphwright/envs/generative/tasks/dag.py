"""`dag`: structures of Bayesian networks, in proportion to how well they explain data."""

from __future__ import annotations

from graphwright.envs.generation import Generation
from graphwright.envs.generative.bge import GeneratedData
from graphwright.envs.generative.dag import Dags
from graphwright.envs.generative.tasks.ring_edges import adjacency, labelled_nodes
from graphwright.envs.problem import Problem

DAG = Problem(
    name="dag",
    summary="Draw structures of Bayesian networks from their posterior, given data",
    environment=Dags(4),
    generation=Generation(
        reward=GeneratedData(),
        export=adjacency,
        instances=labelled_nodes,
        training={
            "algorithm": "modified-db",
            "encoder": {"kind": "gin", "depth": 2, "walks": 0},
            "heads": {"edges": "ends-concat"},
            "flow": {"learning_rate": 3e-3, "optimizer": "adam", "passes": 1, "minibatches": 1},
        },
    ),
)
