"""What has to be exact: ways back, distributions of policies, and targets, by going through all states."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from flow_exact import (
    SMALL,
    ExactFlows,
    coloured,
    learned_backward,
    legal_moves,
    random_policy,
    space_of,
    uniform_backward,
    ways_back,
)
from graphwright.core import GraphBatch
from graphwright.distributions import RaggedCategorical
from graphwright.envs.generative.enumeration import StateSpace, enumerate_states, total_variation
from graphwright.envs.generative.environment import blank
from graphwright.envs.generative.tasks.hyper_grid import GridReward
from graphwright.envs.generative.tasks.ring_edges import RingReward
from graphwright.envs.generative.tasks.two_colour import ColourReward
from graphwright.envs.registry import find_problem
from graphwright.envs.reversible import Reversible
from graphwright.training.config import TrainConfig
from graphwright.training.gflownet.evaluator import make_exact
from graphwright.training.gflownet.exact import Exact

every_environment = pytest.mark.parametrize("name", SMALL)
ALL = frozenset({"backward", "flow", "count", "log_z"})


def levels(space: StateSpace, states: Tensor) -> list[Tensor]:
    """For each level the places in `states` [M] whose state is on it."""
    level = torch.searchsorted(space.level_ptr, states, right=True) - 1
    return [(level == number).nonzero().squeeze(1) for number in range(space.level_ptr.numel() - 1)]


@every_environment
@pytest.mark.parametrize("kind", ["uniform", "learned"])
def test_all_ways_back_from_an_object_have_probability_one_together(name: str, kind: str) -> None:
    """Once by undoing steps; once by doing them, each way back being as many ways forth as symmetries say."""
    environment, _ = SMALL[name]
    space = space_of(name)
    policy = random_policy(environment, ALL)
    backward = uniform_backward(environment) if kind == "uniform" else learned_backward(environment, policy)

    owner, action, parent = ways_back(environment, space)
    assert bool((parent < owner).all())
    share = backward(space.states.select(owner)).log_prob(action).exp()
    reached = torch.zeros(space.num_states, dtype=torch.float64)
    reached[0] = 1
    for moves in levels(space, owner):
        reached.index_add_(0, owner[moves], share[moves] * reached[parent[moves]])
    torch.testing.assert_close(reached, torch.ones_like(reached), rtol=0, atol=1e-6 if kind == "learned" else 1e-12)

    after, reverse = environment.advance(
        space.states.select(space.source), space.move - space.candidates.ptr[space.source]
    )
    share = backward(after).log_prob(reverse).exp()
    symmetries = environment.log_automorphisms(space.states).exp()
    share = share * symmetries[space.target] / symmetries[space.source]
    forth = torch.zeros(space.num_states, dtype=torch.float64)
    forth[0] = 1
    for moves in levels(space, space.source):
        forth.index_add_(0, space.target[moves], share[moves] * forth[space.source[moves]])
    torch.testing.assert_close(forth, torch.ones_like(forth), rtol=0, atol=1e-6 if kind == "learned" else 1e-12)


@every_environment
def test_a_policy_finishes_somewhere(name: str) -> None:
    environment, _ = SMALL[name]
    space = space_of(name)
    exact = Exact(environment, space, torch.zeros(space.num_states, dtype=torch.float64))
    for seed in range(3):
        probs = exact.sampled(random_policy(environment, ALL, seed))
        assert float(probs.sum()) == pytest.approx(1, abs=1e-5)
        assert bool((probs >= 0).all())
        assert bool((probs[~space.may_finish] == 0).all())


@every_environment
def test_the_exact_distribution_is_that_of_samples(name: str) -> None:
    """Also that a policy is the same for states of one object: the walk goes through whatever numbering it meets."""
    environment, instance = SMALL[name]
    space = space_of(name)
    policy = random_policy(environment, ALL)
    expected = Exact(environment, space, torch.zeros(space.num_states)).sampled(policy)
    times = 4000
    state = environment.reset(instance.select(torch.zeros(times, dtype=torch.int64)))
    count = torch.zeros(space.num_states)
    generator = torch.Generator().manual_seed(0)
    while state.num_graphs:
        with torch.no_grad():
            seen = environment.observe(state)
            action = policy.distribution(seen).sample(generator)
        over = action <= 0 if environment.has_stop else action < 0
        for key in environment.keys(state.select(over)):
            count[space.keys[key]] += 1
        state = environment.advance(state.select(~over), action[~over]).state
    likely = times * expected > 5
    rare = torch.stack([count[~likely].sum(), times * expected[~likely].sum()])
    statistic = ((count - times * expected).square() / (times * expected))[likely].sum()
    freedom = int(likely.sum())
    assert float(statistic) < freedom + 4 * (2 * freedom) ** 0.5 + 4
    assert float((rare[0] - rare[1]).abs()) < 5 * float(rare[1]) ** 0.5 + 5


REWARDS = {"grid": GridReward(), "cube": GridReward(), "directed edges": RingReward(ring=2.0, other=0.1)}
KINDS = ("count", "even-neighbours", "constant")


@pytest.mark.parametrize(
    ("name", "reward"),
    [*REWARDS.items(), *(("two colours", ColourReward(kind)) for kind in KINDS), ("trees", ColourReward())],
)
@pytest.mark.parametrize("kind", ["uniform", "learned"])
def test_exact_flows_sample_in_proportion_to_the_reward(name: str, reward: object, kind: str) -> None:
    """With as many trajectories wanted of an object as it has symmetries."""
    environment, _ = SMALL[name]
    space = space_of(name)
    policy = random_policy(environment, ALL)
    backward = uniform_backward(environment) if kind == "uniform" else learned_backward(environment, policy)

    def corrected(states: GraphBatch) -> Tensor:
        return reward(environment, states) + environment.log_automorphisms(states)  # type: ignore[operator]

    flows = ExactFlows(environment, space, corrected, backward)
    target, log_z = space.target_distribution(reward(environment, space.states))  # type: ignore[operator]
    assert total_variation(finished(flows), target) < (1e-6 if kind == "learned" else 1e-9)
    if kind == "uniform":
        assert float(flows.log_flow[0]) == pytest.approx(log_z, abs=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_without_the_correction_each_object_is_divided_by_its_symmetries(kind: str) -> None:
    environment, _ = SMALL["two colours"]
    space = space_of("two colours")
    reward = ColourReward(kind)  # type: ignore[arg-type]
    flows = ExactFlows(environment, space, lambda states: reward(environment, states), uniform_backward(environment))
    log_reward = reward(environment, space.states)
    target, _ = space.target_distribution(log_reward)
    divided, _ = space.target_distribution(log_reward - environment.log_automorphisms(space.states))
    assert total_variation(finished(flows), divided) < 1e-9
    assert total_variation(finished(flows), target) > 0.1


def finished(flows: ExactFlows) -> Tensor:
    """[S]: where the exact policy ends."""
    states = flows.space.states
    return flows.space.reached(flows.distribution(flows.observe(states)).log_probs)[1]


def test_what_is_called_exact_is_what_is_trained_for() -> None:
    """The target of a run's validation leaves symmetries out, the reward of a trajectory has them."""
    task = find_problem("two-colour")
    config = TrainConfig.for_problem(task, environment=coloured(3))
    exact = make_exact(task, config.environment, config.collection, 5000)
    assert exact is not None
    log_reward = ColourReward()(config.environment, exact.space.states)
    expected = torch.where(exact.space.may_finish, log_reward, -torch.inf)
    assert exact.log_z == pytest.approx(float(expected.logsumexp(0)))
    torch.testing.assert_close(exact.target, expected.softmax(0))


@every_environment
def test_a_policy_is_the_same_whatever_its_batch_mates(name: str) -> None:
    """Forward, backward, flow and count; each state alone, and all of them in another order."""
    environment, _ = SMALL[name]
    space = space_of(name)
    policy = random_policy(environment, ALL)
    together = evaluated(environment, policy, space.states)
    order = torch.randperm(space.num_states, generator=torch.Generator().manual_seed(0))
    shuffled = evaluated(environment, policy, space.states.select(order))
    for place, row in enumerate(order[:60].tolist()):
        alone = evaluated(environment, policy, space.states.select(torch.tensor([row])))[0]
        for number, other in enumerate(alone):
            torch.testing.assert_close(together[row][number], other, rtol=1e-5, atol=1e-5)
            torch.testing.assert_close(shuffled[place][number], other, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def evaluated(environment: Reversible, policy: torch.nn.Module, states: GraphBatch) -> list[list[Tensor]]:
    """Of each state: log-probabilities both ways, log F and log n."""
    seen = environment.observe(states)
    found = policy(seen.graph, seen.masks, environment.backward_masks(states))

    def parts(distribution: RaggedCategorical) -> tuple[Tensor, ...]:
        return distribution.log_probs.split(distribution.segments.lengths.tolist())

    columns = [parts(found.forward), parts(found.backward), found.log_flow, found.log_count]
    return [list(row) for row in zip(*columns, strict=True)]


KNOWN = {
    "8 x 8": ("hyper-grid", {"dimensions": 2, "side": 8}, 3.10906, 1e-5),
    "16 x 16": ("hyper-grid", {"dimensions": 2, "side": 16}, 4.18358, 1e-5),
    "8 x 8 x 8 x 8": ("hyper-grid", {"dimensions": 4, "side": 8}, 6.34493, 1e-5),
    "rings of 3": ("ring-edges", {"num_nodes": 3}, 5.298318, 1e-6),
    "rings of 4": ("ring-edges", {"num_nodes": 4}, 6.396936, 1e-6),
}


@pytest.mark.parametrize(("name", "options", "expected", "within"), KNOWN.values(), ids=KNOWN)
def test_log_z_is_the_known_one(name: str, options: dict[str, int], expected: float, within: float) -> None:
    task = find_problem(name)
    config = TrainConfig.for_problem(task, environment=type(task.builder)(**options))
    exact = make_exact(task, config.environment, config.collection, 5000)
    assert exact is not None
    assert exact.log_z == pytest.approx(expected, abs=within)
    states = {"hyper-grid": lambda: options["side"] ** options["dimensions"]}.get(
        name, lambda: 2 ** (options["num_nodes"] * (options["num_nodes"] - 1))
    )()
    assert exact.space.num_states == states


def test_a_space_that_is_too_large_is_not_exact() -> None:
    environment = coloured(5)
    with pytest.raises(ValueError, match="more than 100 states"):
        enumerate_states(environment, blank(1), limit=100)


def test_a_policy_that_finishes_where_it_is_not_wanted_is_as_far_as_can_be() -> None:
    environment, _ = SMALL["grid"]
    space = space_of("grid")
    far = torch.full((space.num_states,), -torch.inf, dtype=torch.float64)
    far[-1] = 0
    policy = random_policy(environment, ALL)
    distance = Exact(environment, space, far).total_variation(policy)
    reached = Exact(environment, space, far).sampled(policy)[-1]
    assert distance == pytest.approx(1 - float(reached), abs=1e-5)


def test_reached_counts_every_legal_move_once() -> None:
    space = space_of("two colours")
    environment, _ = SMALL["two colours"]
    owner, action = legal_moves(
        environment.actions, space.states, environment.observe(space.states).masks, but_first=True
    )
    assert torch.equal(owner, space.source)
    assert torch.equal(action, space.move - space.candidates.ptr[owner])
    after = environment.advance(space.states.select(owner), action).state
    assert [space.keys[key] for key in environment.keys(after)] == space.target.tolist()
