"""What is looked up among known states is what building and taking apart come to."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from flow_exact import SMALL, random_policy, space_of
from graphwright.core import GraphBatch
from graphwright.data.trajectories import Trajectories
from graphwright.envs.generative.context import GraphContext
from graphwright.envs.generative.enumeration import StateSpace, enumerate_states, total_variation
from graphwright.envs.generative.environment import blank
from graphwright.envs.generative.graph_building import GraphBuilding
from graphwright.envs.generative.molecules.atoms import AtomContext
from graphwright.envs.generative.molecules.fragment_building import FragmentBuilding, FragmentContext
from graphwright.envs.generative.molecules.vocabulary import RINGS
from graphwright.envs.registry import find_problem
from graphwright.envs.reversible import Reversible
from graphwright.training.exploration import ExplorationConfig
from graphwright.training.gflownet.known import know
from graphwright.training.gflownet.known_sampler import KnownSampler
from graphwright.training.gflownet.remembered import Remembered
from graphwright.training.gflownet.sampler import NO_EXPLORATION, Sampler
from graphwright.training.training_run import TrainingRun
from samplers import sampler_config
from strategies import seeded

ATOMS = GraphBuilding(AtomContext(elements=("C", "N"), max_nodes=3))


def case(name: str) -> tuple[Reversible, GraphBatch, StateSpace]:
    if name == "atoms":
        return ATOMS, blank(1), enumerate_states(ATOMS, blank(1))
    return *SMALL[name], space_of(name)


def known_sampler(name: str, exploration: ExplorationConfig = NO_EXPLORATION) -> tuple[KnownSampler, GraphBatch]:
    environment, instance, space = case(name)
    known = know(environment, space)
    assert known is not None
    policy = random_policy(environment, frozenset({"backward"}))
    return KnownSampler(Sampler(environment, policy, exploration, seeded(0)), known), instance


def assert_walks(environment: Reversible, found: Trajectories) -> None:
    """Each action leads to the next row, and each way back to the one before."""
    found.states.validate()
    is_last = torch.zeros(found.segments.num_rows, dtype=torch.bool)
    is_first = torch.zeros_like(is_last)
    is_last[found.segments.ptr[1:] - 1], is_first[found.segments.ptr[:-1]] = True, True
    assert bool((found.forward[is_last] == (0 if environment.has_stop else -1)).all())
    assert bool((found.backward[is_first] == -1).all())
    before, after = found.states.select(~is_last), found.states.select(~is_first)
    forward, backward = found.forward[~is_last], found.backward[~is_first]
    for spec, masks, states, actions in (
        (environment.actions, environment.observe(before).masks, before, forward),
        (environment.backward_actions, environment.backward_masks(after), after, backward),
    ):
        assert bool(spec.arrange(states, masks)[spec.segments(states).ptr[:-1] + actions].all())
    assert environment.keys(environment.advance(before, forward).state) == environment.keys(after)
    assert environment.keys(environment.undo(after, backward).state) == environment.keys(before)


@pytest.mark.parametrize("name", [*SMALL, "atoms"])
def test_walks_are_walks_both_ways(name: str) -> None:
    sampler, instance = known_sampler(name, ExplorationConfig(epsilon=0.5))
    built = sampler.sample_forward(instance.select(torch.zeros(30, dtype=torch.int64)))
    assert_walks(sampler.environment, built)
    apart = sampler.sample_backward(built.objects)
    assert_walks(sampler.environment, apart)
    assert sampler.environment.keys(apart.objects) == sampler.environment.keys(built.objects)
    both = Trajectories.concat([built, apart])
    assert both.distinct_states.num_graphs == len(set(sampler.environment.keys(both.states)))


def test_objects_are_drawn_as_the_policy_draws_them() -> None:
    sampler, instance = known_sampler("two colours")
    space = space_of("two colours")
    found = sampler.sample_forward(instance.select(torch.zeros(20_000, dtype=torch.int64)))
    drawn = torch.bincount(sampler.known.find(found.objects), minlength=space.num_states).double() / 20_000
    states = space.states
    log_probs = sampler.policy.distribution(sampler.environment.observe(states)).log_probs.detach()
    assert total_variation(space.reached(log_probs)[1], drawn) < 0.03


def test_where_equal_states_are_not_numbered_alike_nothing_is_known() -> None:
    context = FragmentContext(fragments=tuple(fragment.text for fragment in RINGS[:6]), max_nodes=2)
    environment = FragmentBuilding(context)
    assert know(environment, enumerate_states(environment, blank(1))) is None


@pytest.mark.parametrize(("known", "times"), [(0, 1), (5, 1), (100, 3)])
def test_where_states_are_few_more_trajectories_are_looked_up(known: int, times: int) -> None:
    sources = {"forward": 8, "replay": 4, "known": known, "known_times": 3}
    small = {"context": {"max_nodes": 3}}
    config = sampler_config("two-colour", steps=100, environment=small, sources=sources)
    run = TrainingRun(find_problem("two-colour"), config, Path("never-written"))
    run.iterate()
    batch = run.collector.collect(run.policy).batch
    assert batch.trajectories.num_trajectories == 12 * times
    assert_walks(config.environment, batch.trajectories)  # type: ignore[arg-type]
    assert len(run.collector.replay) <= 8 * times  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("end", "flow", "times"),
    [({"seconds": 9.0}, {}, 8), ({"steps": 100}, {}, 1), ({"seconds": 9.0}, {"passes": 1, "minibatches": 1}, 1)],
)
def test_it_is_eight_times_as_many_by_the_clock_and_for_several_gradient_steps(
    end: dict[str, float], flow: dict[str, int], times: int
) -> None:
    small = {"context": {"max_nodes": 3}}
    config = sampler_config("two-colour", environment=small, sources={"forward": 4, "replay": 0}, settings=flow, **end)
    run = TrainingRun(find_problem("two-colour"), config, Path("never-written"))
    assert run.collector.collect(run.policy).batch.trajectories.num_trajectories == 4 * times


def test_a_function_is_asked_once_for_each_state() -> None:
    asked: list[int] = []

    def size(states: GraphBatch) -> torch.Tensor:
        asked.append(states.num_graphs)
        return states.node_segments.lengths.double()

    space = enumerate_states(GraphBuilding(GraphContext(max_nodes=4)), blank(1)).states
    remembered = Remembered(size, capacity=space.num_graphs)
    twice = torch.arange(space.num_graphs).repeat(2)
    assert remembered(space.select(twice)).equal(space.node_segments.lengths.double()[twice])
    assert remembered(space).equal(space.node_segments.lengths.double())
    assert asked == [space.num_graphs]
    other = space.with_graphs(number=torch.arange(space.num_graphs))
    assert remembered(other).equal(space.node_segments.lengths.double())  # those before are forgotten
    assert asked == [space.num_graphs] * 2
