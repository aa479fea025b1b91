"""What is the same object in other numberings becomes the same state, and what a policy says of it does not change."""

from __future__ import annotations

import pytest
import torch

from flow_exact import SMALL, random_policy
from graphwright.data.trajectories import Trajectories
from graphwright.envs.generative.environment import blank
from graphwright.envs.generative.graph_building import GraphBuilding
from graphwright.envs.generative.molecules.atoms import AtomContext
from graphwright.envs.generative.molecules.fragment_building import FragmentBuilding
from graphwright.envs.reversible import Reversible
from graphwright.envs.rollouts import uniform_choice
from graphwright.nn.gflownet_policy import FlowPolicy
from graphwright.training.gflownet.recognised import recognised
from graphwright.training.gflownet.sampling import sample_forward
from strategies import seeded

CASES = {
    **SMALL,
    "atoms": (GraphBuilding(AtomContext(elements=("C", "N"), max_nodes=4)), blank(1)),
    "fragments": (FragmentBuilding(), blank(1)),
}


def walks(name: str) -> Trajectories:
    environment, instance = CASES[name]
    instances = instance.select(torch.zeros(40, dtype=torch.int64))
    return sample_forward(environment, instances, uniform_choice(environment.actions, seeded(0)))


def logs(environment: Reversible, policy: FlowPolicy, found: Trajectories) -> torch.Tensor:
    """[2, R]: log-probabilities forward and backward, of all visited states one by one."""
    states = found.states
    observed = environment.observe(states)
    estimate = policy(observed.graph, observed.masks, environment.backward_masks(states))
    return torch.stack([estimate.forward.log_prob(found.forward), estimate.backward.log_prob(found.backward)])


@pytest.mark.parametrize("name", CASES)
def test_nothing_else_changes(name: str) -> None:
    environment, _ = CASES[name]
    before = walks(name)
    after = recognised(environment, before)
    after.states.validate()
    assert environment.keys(after.states) == environment.keys(before.states)
    policy = random_policy(environment, frozenset({"backward"}))
    torch.testing.assert_close(
        logs(environment, policy, after), logs(environment, policy, before), atol=2e-4, rtol=1e-3
    )


@pytest.mark.parametrize("name", CASES)
def test_actions_lead_where_they_led(name: str) -> None:
    environment, _ = CASES[name]
    found = recognised(environment, walks(name))
    number = torch.arange(found.segments.num_rows)
    is_last, is_first = torch.zeros_like(number, dtype=torch.bool), torch.zeros_like(number, dtype=torch.bool)
    is_last[found.segments.ptr[1:] - 1], is_first[found.segments.ptr[:-1]] = True, True
    before, after = found.states.select(~is_last), found.states.select(~is_first)
    assert environment.keys(environment.advance(before, found.forward[~is_last]).state) == environment.keys(after)
    assert environment.keys(environment.undo(after, found.backward[~is_first]).state) == environment.keys(before)


@pytest.mark.parametrize("name", [name for name in CASES if name != "fragments"])
def test_each_object_is_one_state(name: str) -> None:
    environment, _ = CASES[name]
    found = recognised(environment, walks(name))
    states = found.distinct_states
    assert len(set(environment.keys(states))) == states.num_graphs < found.segments.num_rows
    assert environment.keys(states.select(found.distinct.which)) == environment.keys(found.states)
    half = found.select(torch.arange(0, 40, 2))
    assert half.distinct_states.num_graphs == len(set(environment.keys(half.states)))
