"""Every objective is 0 where flows are exact, and only there; what it says of log Z is right there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from flow_exact import (
    SMALL,
    ExactFlows,
    learned_backward,
    legal_moves,
    random_policy,
    space_of,
    uniform_backward,
)
from graphwright.algorithms.gflownet.batch import FlowBatch
from graphwright.algorithms.gflownet.config import GFlowNetConfig
from graphwright.algorithms.gflownet.gflownet import count_residual
from graphwright.algorithms.gflownet.objectives import log_inflow
from graphwright.core import GraphBatch, Segments, from_edges
from graphwright.data.states import WholeStates
from graphwright.distributions import RaggedCategorical
from graphwright.envs.generative.enumeration import enumerate_states
from graphwright.envs.problems.independent_set.environment import INDEPENDENT_SET
from graphwright.envs.reversible import Reversible
from graphwright.envs.rollouts import uniform_choice
from graphwright.functional.gflownet import Regression
from graphwright.nn.gflownet_policy import FlowEstimate
from graphwright.training.gflownet.sampling import sample_forward
from samplers import OBJECTIVES
from strategies import seeded

BALANCES = ["tb", "vargrad", "db", "forward-looking", "subtb", "modified-db", "modified-subtb", "fm", "soft-q"]
ENVIRONMENTS = ["grid", "directed edges", "two colours"]


def reward_of(environment: Reversible, *, corrected: bool = True) -> Callable[[GraphBatch], Tensor]:
    """A reward that is different for almost every object, the same for the same, with what symmetries ask."""

    def log_reward(states: GraphBatch) -> Tensor:
        keys = environment.keys(states)
        own = torch.tensor([sum(key) % 97 / 40 - 1 for key in keys], dtype=torch.float64)
        return own + environment.log_automorphisms(states) if corrected else own

    return log_reward


def exact_flows(name: str, backward: str = "uniform") -> ExactFlows:
    environment, _ = SMALL[name]
    if backward == "uniform":
        way_back = uniform_backward(environment)
    else:
        way_back = learned_backward(environment, random_policy(environment, frozenset({"backward"})))
    return ExactFlows(environment, space_of(name), reward_of(environment), way_back)


def random_batch(flows: ExactFlows, policy: object, count: int = 24) -> FlowBatch:
    """Trajectories of uniform choices, so that they are not those of any policy."""
    environment, instance = flows.environment, SMALL_INSTANCES[id(flows.environment)]
    instances = instance.select(torch.zeros(count, dtype=torch.int64))
    found = sample_forward(environment, instances, uniform_choice(environment.actions, seeded(0)))
    log_reward = flows.log_reward(found.objects)
    groups = Segments(torch.tensor([0, count // 3, count]))
    return FlowBatch(
        flows.observe,
        flows.environment.backward_masks,
        flows.environment.undo,
        policy,  # type: ignore[arg-type]
        found,
        log_reward,
        groups,
        flows.log_reward,
    )


def network_batch(flows: ExactFlows, policy: object, count: int = 24) -> FlowBatch:
    """The same trajectories for a network, which has observations and float32."""
    batch = random_batch(flows, policy, count)
    return replace(batch, observe=flows.environment.observe, log_reward=batch.log_reward.float())


SMALL_INSTANCES = {id(environment): instance for environment, instance in SMALL.values()}


class Learned:
    """`ExactFlows` as a policy whose flow is `log_flow` less what the objective adds itself."""

    def __init__(self, flows: ExactFlows, *, looks_forward: bool) -> None:
        self.flows = flows
        self.looks_forward = looks_forward

    def __call__(self, states: GraphBatch, masks: object, backward_masks: object) -> FlowEstimate:
        found = self.flows(states, masks, backward_masks)  # type: ignore[arg-type]
        if not self.looks_forward:
            return found
        return found._replace(log_flow=found.log_flow - self.flows.log_reward(states))

    def __getattr__(self, name: str) -> object:
        return getattr(self.flows, name)


def test_what_may_be_undone_is_asked_once_for_all_passes() -> None:
    flows = exact_flows("two colours")
    environment, asked = flows.environment, []
    policy = random_policy(environment, frozenset({"backward"}))

    def masks(states: GraphBatch) -> tuple[Tensor, ...]:
        asked.append(states)
        return environment.backward_masks(states)

    batch = network_batch(flows, policy)
    part = replace(batch, backward_masks=masks).reusable()
    for _ in range(2):
        assert torch.equal(replace(part).log_backward, batch.log_backward)
    assert len(asked) == 1


@pytest.mark.parametrize("name", ENVIRONMENTS)
@pytest.mark.parametrize("backward", ["uniform", "learned"])
@pytest.mark.parametrize("algorithm", BALANCES)
def test_the_loss_of_exact_flows_is_zero(name: str, backward: str, algorithm: str) -> None:
    if (algorithm, name) == ("modified-db", "two colours"):
        pytest.skip("graphs without nodes cannot be finished")
    flows = exact_flows(name, backward)
    batch = random_batch(flows, Learned(flows, looks_forward=algorithm == "forward-looking"))
    objective = OBJECTIVES[algorithm]()
    assert float(objective.loss(batch)) < 1e-8
    assert float(objective.log_z(batch)) == pytest.approx(float(flows.log_flow[0]), abs=1e-5)


@pytest.mark.parametrize("algorithm", BALANCES)
def test_the_loss_of_other_policies_is_not(algorithm: str) -> None:
    flows = exact_flows("grid")
    objective = OBJECTIVES[algorithm]()
    policy = random_policy(flows.environment, objective.learned)
    batch = network_batch(flows, policy)
    assert objective.loss(batch).item() > 0.01


@pytest.mark.parametrize("algorithm", OBJECTIVES)
def test_objects_that_are_finished_at_once_are_learned_from(algorithm: str) -> None:
    """Trajectories of one state: nothing to balance inside, but the loss is a number and its gradient too."""
    flows = exact_flows("grid")
    objective = OBJECTIVES[algorithm]()
    policy = random_policy(flows.environment, objective.learned)
    batch = network_batch(flows, policy)
    first = batch.trajectories.segments.ptr[:-1]
    at_once = replace(
        batch.trajectories,
        table=WholeStates(batch.trajectories.initial),
        segments=Segments(torch.arange(25)),
        forward=torch.zeros_like(first),
        backward=torch.full_like(first, -1),
    )
    loss = objective.loss(replace(batch, trajectories=at_once))
    (loss + 0 * sum(p.sum() for p in policy.parameters())).backward()
    assert bool(loss.isfinite())
    assert all(bool(p.grad.isfinite().all()) for p in policy.parameters() if p.grad is not None)


@pytest.mark.parametrize(
    "algorithm", ["tb", "vargrad", "db", "forward-looking", "subtb", "modified-subtb", "fm", "soft-q"]
)
def test_objects_that_end_without_stop(algorithm: str) -> None:
    """Maximal independent sets of a path of four nodes."""
    environment = INDEPENDENT_SET.builder
    path = from_edges(torch.tensor([[0, 1, 2], [1, 2, 3]]), torch.tensor([4]), undirected=True)
    path = path.with_nodes(weight=torch.ones(4)).with_edges(weight=torch.ones(6))
    SMALL_INSTANCES[id(environment)] = path
    flows = ExactFlows(
        environment, enumerate_states(environment, path), reward_of(environment), uniform_backward(environment)
    )
    batch = random_batch(flows, Learned(flows, looks_forward=algorithm == "forward-looking"))
    assert bool(batch.stuck.all())
    objective = OBJECTIVES[algorithm]()
    assert float(objective.loss(batch)) < 1e-8
    assert float(objective.log_z(batch)) == pytest.approx(float(flows.log_flow[0]), abs=1e-5)
    with pytest.raises(ValueError, match="--algorithm modified-db: here objects cannot stop"):
        OBJECTIVES["modified-db"]().loss(batch)


def test_modified_detailed_balance_needs_states_that_can_be_finished() -> None:
    flows = exact_flows("two colours")
    with pytest.raises(ValueError, match="some states cannot be finished"):
        OBJECTIVES["modified-db"]().loss(random_batch(flows, flows))


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_inflow_of_a_state_is_that_of_a_loop_over_its_parents(name: str) -> None:
    environment, _ = SMALL[name]
    flows = exact_flows(name)
    policy = random_policy(environment, frozenset())
    batch = network_batch(flows, policy, 8)
    rows = batch.trajectories.backward >= 0
    found = log_inflow(batch, rows)
    states = batch.trajectories.states.select(rows)
    for place in range(states.num_graphs):
        state = states.select(torch.tensor([place]))
        masks = environment.backward_masks(state)
        _, ways = legal_moves(environment.backward_actions, state, masks, but_first=False)
        total = 0.0
        for way in ways.tolist():
            parent, forward = environment.undo(state, torch.tensor([way]))
            logits = policy.distribution(environment.observe(parent)).logits
            total += float(logits[int(forward)].detach().exp())
        assert found[place].exp().item() == pytest.approx(total, rel=1e-4)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_counts_of_ways_make_all_trajectories_to_an_object_alike(name: str) -> None:
    """P_B(s | s') = n(s) / n(s') with n by counting: residuals are 0, and each way has probability 1 / n(x)."""
    environment, _ = SMALL[name]
    flows = exact_flows(name)

    def by_counts(states: GraphBatch) -> RaggedCategorical:
        actions = environment.backward_actions
        masks = environment.backward_masks(states)
        segments = actions.segments(states)
        logits = torch.full((segments.num_rows,), -torch.inf, dtype=torch.float64)
        owner, action = legal_moves(actions, states, masks, but_first=False)
        parents, _ = environment.undo(states.select(owner), action)
        logits[segments.ptr[:-1][owner] + action] = flows.log_count(parents)
        return RaggedCategorical(logits, segments)

    even = ExactFlows(environment, flows.space, flows.log_reward, by_counts)
    batch = random_batch(even, even)
    assert float(count_residual(batch).abs().max()) < 1e-8
    ways = torch.stack([part.sum() for part in batch.log_backward.split(batch.segments.lengths.tolist())])
    torch.testing.assert_close(ways, -even.log_count(batch.trajectories.objects))
    uneven = random_batch(flows, flows)
    if name != "directed edges":  # where uniform is the same
        assert float(count_residual(uneven).abs().max()) > 0.1


@pytest.mark.parametrize("regression", ["squared", "huber", "log-cosh"])
@pytest.mark.parametrize("algorithm", ["tb", "db", "subtb"])
def test_the_regression_is_that_of_the_settings(regression: Regression, algorithm: str) -> None:
    flows = exact_flows("grid")
    config = GFlowNetConfig(regression=regression, decay=0.5)
    objective = OBJECTIVES[algorithm].of(config, algorithm)
    assert (objective.regression, objective.decay) == (regression, 0.5)
    policy = random_policy(flows.environment, objective.learned)
    batch = network_batch(flows, policy)
    squared = OBJECTIVES[algorithm]("squared", 0.5).loss(batch)
    assert (float(objective.loss(batch)) == float(squared)) == (regression == "squared")


@pytest.mark.parametrize(
    ("groups", "number", "sizes"), [(1, 4, [6, 6, 6, 6]), (1, 100, [2] * 12), (6, 4, [8, 8, 4, 4])]
)
def test_the_parts_of_a_batch_are_the_batch(groups: int, number: int, sizes: list[int]) -> None:
    """Each trajectory is in one, with its reward and the others of its group; and none is alone."""
    batch = random_batch(exact_flows("grid"), None)
    batch = replace(batch, groups=Segments(torch.arange(groups + 1) * (24 // groups)))
    parts = batch.parts(number)
    assert [part.log_reward.numel() for part in parts] == sizes
    assert sorted(torch.cat([part.log_reward for part in parts]).tolist()) == sorted(batch.log_reward.tolist())
    for part in parts:
        torch.testing.assert_close(part.log_reward, part.reward_of(part.trajectories.objects))
        assert part.groups.lengths.tolist() == (
            [part.log_reward.numel()] if groups == 1 else [4] * len(part.groups.lengths)
        )


@pytest.mark.parametrize("algorithm", ["tb", "modified-subtb"])
def test_log_z_is_set_to_the_mean_of_what_trajectories_say(algorithm: str) -> None:
    """So that the gradient of the loss by it would be 0 (of tb's)."""
    flows = exact_flows("two colours")
    objective = OBJECTIVES[algorithm]()
    policy = random_policy(flows.environment, objective.learned)
    batch = network_batch(flows, policy)
    objective.settle(batch, 1.0)
    assert float(objective.log_z(batch)) == pytest.approx(float(objective.estimated_log_z(batch)), abs=1e-4)
    objective.settle(batch, 0.0)
    assert float(objective.log_z(batch)) == pytest.approx(float(objective.estimated_log_z(batch)), abs=1e-4)


def test_advantage_actor_critic_by_hand() -> None:
    """Policy gradient of the reward itself, squared error of the baseline, and the entropy bonus."""
    flows = exact_flows("grid")
    policy = random_policy(flows.environment, frozenset({"flow"}))
    batch = network_batch(flows, policy)
    loss = OBJECTIVES["trajectory-a2c"]("squared", 0.9, 0.1).loss(batch)
    value, entropy, expected = batch.log_flow.tolist(), batch.estimate.forward.entropy[batch.which].tolist(), 0.0
    for row, trajectory in enumerate(batch.segments.index.tolist()):
        gain = float(batch.log_reward[trajectory].exp()) - value[row]
        expected += -gain * float(batch.log_forward[row]) + gain**2 - 0.1 * entropy[row]
    assert loss.item() == pytest.approx(expected / batch.segments.num_rows, rel=1e-4)
    assert bool(OBJECTIVES["trajectory-a2c"]().log_z(batch).isnan())


def test_soft_q_learns_towards_targets_that_do_not_move() -> None:
    """The gradient of the target is none: it is that of the residual with the target as a number."""
    flows = exact_flows("grid")
    policy = random_policy(flows.environment, frozenset())
    batch = network_batch(flows, policy)
    objective = OBJECTIVES["soft-q"]()
    objective.loss(batch).backward()
    found = [p.grad.clone() for p in policy.parameters() if p.grad is not None]
    fresh = replace(batch)
    policy.zero_grad()
    value = objective.log_flow(fresh)
    following = torch.cat([(value + fresh.log_backward)[1:], value[:1]]).detach()
    following[fresh.segments.ptr[1:] - 1] = fresh.log_reward.to(following)
    (value + fresh.log_forward - following).square().mean().backward()
    for one, other in zip(found, [p.grad for p in policy.parameters() if p.grad is not None], strict=True):
        torch.testing.assert_close(one, other)
