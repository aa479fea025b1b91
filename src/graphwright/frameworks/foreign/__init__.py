"""Other people's environments as episodes of graphs on which Graphwright's policies act and learn.

`from_gymnasium` is the way in; `pettingzoo.from_pettingzoo` is the one for many agents.
"""

from graphwright.frameworks.foreign.crew import WorkerFailure, WorkerOptions
from graphwright.frameworks.foreign.gymnasium import from_gymnasium
from graphwright.frameworks.foreign.in_turn import InTurn
from graphwright.frameworks.foreign.training import ForeignTraining, Trained, load_policy, train_foreign
from graphwright.frameworks.foreign.vector import ForeignVector, play_episodes
from graphwright.workers.process import WorkerError

__all__ = [
    "ForeignTraining",
    "ForeignVector",
    "InTurn",
    "Trained",
    "WorkerError",
    "WorkerFailure",
    "WorkerOptions",
    "from_gymnasium",
    "load_policy",
    "play_episodes",
    "train_foreign",
]
