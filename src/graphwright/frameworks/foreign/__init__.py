"""Other people's environments, on which Graphwright's policies act and learn.

Start at `from_gymnasium`, or at `pettingzoo.from_pettingzoo` for many agents.
"""

from graphwright.frameworks.foreign.gymnasium import from_gymnasium
from graphwright.frameworks.foreign.sequential import SequentialActions
from graphwright.frameworks.foreign.training import (
    ForeignRun,
    ForeignTraining,
    load_policy,
    resume_foreign,
    train_foreign,
)
from graphwright.frameworks.foreign.vector import ForeignVectorEnv, play_episodes
from graphwright.workers.env_pool import WorkerOptions, WorkerWarning
from graphwright.workers.process import WorkerError

__all__ = [
    "ForeignRun",
    "ForeignTraining",
    "ForeignVectorEnv",
    "SequentialActions",
    "WorkerError",
    "WorkerOptions",
    "WorkerWarning",
    "from_gymnasium",
    "load_policy",
    "play_episodes",
    "resume_foreign",
    "train_foreign",
]
