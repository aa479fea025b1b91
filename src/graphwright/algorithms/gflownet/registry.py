"""The objectives by name. A new one is a class in `balances.py` or `maximizers.py`, and a line here."""

from __future__ import annotations

from graphwright.algorithms.gflownet.baselines import AdvantageActorCritic, EnvelopeQ, Reinforce
from graphwright.algorithms.gflownet.objective import Objective
from graphwright.algorithms.gflownet.objectives import (
    DetailedBalance,
    FlowMatching,
    ForwardLooking,
    LogPartitionVariance,
    ModifiedDetailedBalance,
    SoftQ,
    SubTrajectoryBalance,
    TrajectoryBalance,
)

OBJECTIVES: dict[str, type[Objective]] = {
    "tb": TrajectoryBalance,
    "vargrad": LogPartitionVariance,
    "db": DetailedBalance,
    "forward-looking": ForwardLooking,
    "subtb": SubTrajectoryBalance,
    "modified-db": ModifiedDetailedBalance,
    "fm": FlowMatching,
    "soft-q": SoftQ,
    "a2c": AdvantageActorCritic,
    "reinforce": Reinforce,
    "envelope-q": EnvelopeQ,
}
