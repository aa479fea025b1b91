"""How teams learn by default."""

from __future__ import annotations

LARGE_MINIBATCHES = {"exploring-replay": {"num_minibatches": 8, "minibatch_size": 256}}
"""Their graphs are small, so that a gradient step of many costs little more than one of few."""
CROWD = {
    "algorithm": "ppo",
    "encoder": {"kind": "transformer", "depth": 2},
    "heads": {"value_pool": "mean"},
    "ppo": {
        "learning_rate": 3e-3,
        "epochs": 4,
        "minibatch_size": 256,
        "ratio": "decision",
        "discount": 0.95,
        "gae_lambda": 0.9,
        "value_coefficient": 0.2,
        "entropy_coefficient": 0.003,
        "max_grad_norm": 1.0,
    },
    "a2c": {
        "minibatch_size": 320,
        "discount": 0.95,
        "gae_lambda": 0.95,
        "normalize_values": True,
        "entropy_coefficient": 0.03,
        "max_grad_norm": 1.0,
    },
    "iql": {"normalize_values": True},  # what a push gains is a hundredth of what a team is from its landmarks
    "collection": {"steps": {"num_envs": 64, "num_steps": 25}},
}
"""Of agents that see each other and all landmarks."""
