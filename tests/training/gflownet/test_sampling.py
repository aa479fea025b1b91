"""Walks forth and back: every row follows from the one before, and objects are where they should be."""

from __future__ import annotations

import pytest
import torch

from flow_exact import SMALL, legal_moves, random_policy, space_of
from graphwright.core import GraphBatch, Observation
from graphwright.data.trajectories import Trajectories
from graphwright.envs.reversible import Reversible
from graphwright.training.exploration import ExplorationConfig
from graphwright.training.gflownet.evaluate_sampling import uniform_choice
from graphwright.training.gflownet.sampler import NO_EXPLORATION, Sampler
from graphwright.training.gflownet.sampling import sample_backward, sample_forward, sample_neighbours, sample_onward
from strategies import assert_same_batch, seeded

every_environment = pytest.mark.parametrize("name", SMALL)
COUNT = 12


def sampler(name: str, exploration: ExplorationConfig = NO_EXPLORATION, seed: int = 0) -> Sampler:
    environment, _ = SMALL[name]
    policy = random_policy(environment, frozenset({"backward"}))
    return Sampler(environment, policy, exploration, seeded(seed))


def instances(name: str, count: int = COUNT) -> GraphBatch:
    return SMALL[name][1].select(torch.zeros(count, dtype=torch.int64)).with_graphs(number=torch.arange(count))


def assert_a_walk(environment: Reversible, found: Trajectories, *, exactly: bool) -> None:
    """From an initial state to an object, each row's action leading to the next, and the way back to the last.

    exactly: whether what a step leads to is the next row in its very numbering, or else what undoing leads to.
    """
    found.states.validate()
    first, last = found.segments.ptr[:-1], found.segments.ptr[1:] - 1
    assert found.forward.shape == found.backward.shape == (found.segments.num_rows,)
    assert (found.backward < 0).nonzero().squeeze(1).tolist() == first.tolist()
    assert environment.keys(environment.reset(found.initial)) == environment.keys(found.initial)
    if environment.has_stop:
        assert bool((found.forward[last] == 0).all())
    else:
        assert bool((found.forward[last] == -1).all())
        assert not legal_moves(
            environment.actions, found.objects, environment.observe(found.objects).masks, but_first=False
        )[0].numel()
    is_last = torch.zeros(found.segments.num_rows, dtype=torch.bool).index_fill(0, last, True)
    is_first = torch.zeros_like(is_last).index_fill(0, first, True)
    before, after = found.states.select(~is_last), found.states.select(~is_first)
    forward, backward = found.forward[~is_last], found.backward[~is_first]
    for spec, states, masks, actions in (
        (environment.actions, before, environment.observe(before).masks, forward),
        (environment.backward_actions, after, environment.backward_masks(after), backward),
    ):
        mask = spec.arrange(states, masks)
        assert bool(mask[spec.segments(states).ptr[:-1] + actions].all())
    if exactly:
        state, reverse = environment.advance(before, forward)
        assert_same_batch(state, after)
        assert reverse.tolist() == backward.tolist()
    else:
        state, action = environment.undo(after, backward)
        assert_same_batch(state, before)
        assert action.tolist() == forward.tolist()
        assert environment.keys(environment.advance(before, forward).state) == environment.keys(after)


@every_environment
def test_what_is_built_is_a_walk(name: str) -> None:
    found = sampler(name, ExplorationConfig(epsilon=0.5)).sample_forward(instances(name))
    assert found.num_trajectories == COUNT
    assert found.objects.graphs["number"].tolist() == list(range(COUNT))
    assert_a_walk(SMALL[name][0], found, exactly=True)


@every_environment
def test_what_is_taken_apart_is_a_walk_that_ends_in_its_object(name: str) -> None:
    one = sampler(name)
    objects = one.sample_forward(instances(name)).objects
    found = one.sample_backward(objects)
    assert_same_batch(found.objects, objects)
    assert_a_walk(SMALL[name][0], found, exactly=False)


@every_environment
def test_rebuilt_objects_are_objects(name: str) -> None:
    environment, _ = SMALL[name]
    one = sampler(name)
    objects = sample_forward(environment, instances(name), uniform_choice(environment.actions, seeded(1))).objects
    for share in (0.0, 0.3, 0.5, 1.0):
        found = one.search(objects, share)
        found.validate()
        space = space_of(name)
        plain = found.keep(nodes=list(found.nodes), edges=[e for e in found.edges if e != "reverse"])
        assert all(bool(space.may_finish[space.keys[key]]) for key in environment.keys(plain))
        assert found.graphs["number"].tolist() == list(range(COUNT))


def test_a_share_of_nothing_goes_on_and_a_share_of_all_begins_anew() -> None:
    environment, _ = SMALL["grid"]
    ahead = sample_forward(environment, instances("grid"), uniform_choice(environment.actions, seeded(0))).objects

    def stop(observation: Observation) -> torch.Tensor:
        return torch.zeros(observation.graph.num_graphs, dtype=torch.int64)

    back = sampler("grid").backward
    assert_same_batch(sample_neighbours(environment, ahead, 0.0, back, stop), ahead)
    begun = sample_neighbours(environment, ahead, 1.0, back, stop)
    assert int(begun.nodes["coordinate"].sum()) == 0
    steps = ahead.nodes["coordinate"].view(-1, 2).sum(1)
    half = sample_neighbours(environment, ahead, 0.5, back, stop).nodes["coordinate"].view(-1, 2).sum(1)
    assert half.tolist() == (steps - (steps / 2).ceil().long()).tolist()


def test_going_on_begins_where_it_is_told() -> None:
    environment, instance = SMALL["cube"]
    state, _ = environment.advance(environment.reset(instance), torch.tensor([2]))
    found = sample_onward(environment, state, uniform_choice(environment.actions, seeded(3)))
    assert_same_batch(found.initial, state)
    assert found.backward[0] == -1


@every_environment
def test_the_same_seed_builds_the_same(name: str) -> None:
    many = instances(name, 200)  # the one of grids stops at once nineteen times in twenty
    one, other, third = (sampler(name, seed=seed).sample_forward(many) for seed in (0, 0, 1))
    assert_same_batch(one.states, other.states)
    assert one.forward.tolist() == other.forward.tolist()
    assert one.forward.tolist() != third.forward.tolist()


def test_ways_back_are_as_frequent_as_the_backward_policy_says() -> None:
    """Of a cell of the grid to which six ways lead."""
    environment, instance = SMALL["grid"]
    times = 6000
    cell = environment.reset(instance).with_nodes(coordinate=torch.tensor([2, 2]))
    one = sampler("grid")
    found = sample_backward(environment, cell.select(torch.zeros(times, dtype=torch.int64)), one.backward)
    policy = one.policy
    states = found.states
    with torch.no_grad():
        backward = policy.backward_distribution(environment.observe(states).graph, environment.backward_masks(states))
    ways: dict[tuple[int, ...], list[float]] = {}
    rows = zip(found.backward.split(5), backward.log_prob(found.backward).split(5), strict=True)
    for actions, log_probs in rows:
        ways.setdefault(tuple(actions.tolist()), []).append(float(log_probs.sum().exp()))
    assert sum(some[0] for some in ways.values()) == pytest.approx(1, abs=0.01)
    statistic = sum((len(some) - times * some[0]) ** 2 / (times * some[0]) for some in ways.values())
    assert len(ways) == 6
    assert statistic < 20.5  # of χ² with 5 degrees of freedom: exceeded once in 1000
