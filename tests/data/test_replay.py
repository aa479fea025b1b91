"""A replay is a Python list of transitions, whatever wraps, grows or is forgotten; memory stays inside its bound."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from environments import ENVIRONMENTS, PAIR
from graphwright.core import GraphBatch
from graphwright.core.segment import Segments
from graphwright.data.replay import Replay, draw_in_proportion
from graphwright.data.ring import Group
from graphwright.data.stores import InstancesOnce, StateStore, WholeGraphs
from graphwright.envs.environment import Environment
from graphwright.envs.problem import random_choice
from graphwright.envs.problems.vertex_cover.environment import VertexCover
from strategies import alone, assert_same, assert_same_batch, cover_instances, seeded, seeds

TWO = GraphBatch.concat([PAIR, PAIR.with_nodes(weight=PAIR.nodes["weight"] * 2)])
environments = st.sampled_from(list(ENVIRONMENTS.values()))
stores = st.sampled_from([InstancesOnce, WholeGraphs])


class Player:
    """Plays at random into a replay, and keeps every transition in a list as well."""

    def __init__(self, environment: Environment, instances: GraphBatch, replay: Replay, seed: int) -> None:
        self.environment = environment
        with_edges = instances.select(instances.edge_segments.lengths > 0)  # what has none is over at once
        self.instances = GraphBatch.concat([with_edges, PAIR])
        self.replay = replay
        self.choose = random_choice(environment, seeded(seed))
        self.kept: list[tuple[GraphBatch, GraphBatch, int, float, list[int]]] = []
        self.begin()

    def begin(self) -> None:
        self.state = self.environment.reset(self.instances)
        self.ids = self.replay.add_states(self.state, instances=self.instances)

    def play(self) -> None:
        """A step of all graphs; those that are over go away, and all begin anew when none is left."""
        step = self.environment.step(self.state, self.choose(self.environment.observe(self.state)))
        following = self.replay.add_states(step.state, after=self.ids)
        count = torch.arange(self.state.num_graphs) % 3
        decisions = Group(Segments.from_lengths(count), {"action": torch.arange(int(count.sum()))})
        columns = {"reward": step.reward, "terminated": step.terminated}
        self.replay.add(self.ids, following, columns, {"decisions": decisions})
        parts = decisions.columns["action"].split(count.tolist())
        before, after = (states.select(torch.arange(states.num_graphs)) for states in (self.state, step.state))
        for row in range(self.state.num_graphs):
            self.kept.append((before, after, row, float(step.reward[row]), parts[row].tolist()))
        alive = (~(step.terminated | step.truncated)).nonzero().squeeze(1)
        self.state, self.ids = step.state.select(alive), following[alive]
        if not alive.numel():
            self.begin()


def assert_sampled_is_added(player: Player, seed: int) -> None:
    replay = player.replay
    sample = replay.sample(7, seeded(seed))
    actions = sample.groups["decisions"].columns["action"].split(sample.groups["decisions"].segments.lengths.tolist())
    for row, place in enumerate(sample.ids.tolist()):
        before, after, graph, reward, decided = player.kept[place]
        assert_same_batch(alone(sample.state, row), alone(before, graph))
        assert_same_batch(alone(sample.next_state, row), alone(after, graph))
        assert float(sample.columns["reward"][row]) == reward
        assert actions[row].tolist() == decided
    sample.state.validate()


def assert_nothing_dangles(replay: Replay) -> None:
    """What is referred to is there, and counted right; what is not is gone, but for gaps."""
    state = torch.cat([replay.transitions.get(name, replay.ids) for name in ("state", "next_state")])
    ring = replay.states.ring
    assert int(state.min()) == ring.first
    assert int(state.max()) < ring.end
    counted = torch.bincount(state - ring.first, minlength=len(ring))
    assert torch.equal(ring.get("references", ring.ids).long(), counted)
    if isinstance(replay.states, InstancesOnce):
        instances = replay.states.instances
        referred = ring.get("instance", ring.ids)
        assert int(referred.min()) == instances.first
        assert int(referred.max()) < instances.end
        counted = torch.bincount(referred - instances.first, minlength=len(instances))
        assert torch.equal(instances.get("references", instances.ids).long(), counted)


@settings(max_examples=20)
@given(environments, stores, cover_instances(graphs=(1, 4)), st.integers(4, 40), st.integers(1, 40), seeds)
def test_what_is_sampled_is_what_was_added(
    environment: Environment, store: type[StateStore], instances: GraphBatch, capacity: int, steps: int, seed: int
) -> None:
    player = Player(environment, instances, Replay(capacity, store), seed)
    for _ in range(steps):
        player.play()
        assert len(player.replay) == min(capacity, len(player.kept))
    assert player.replay.ids.tolist() == list(range(len(player.kept)))[-capacity:]
    assert_sampled_is_added(player, seed)
    assert_nothing_dangles(player.replay)


@given(environments, stores, cover_instances(graphs=(2, 4)), st.integers(30_000, 60_000), seeds)
@settings(max_examples=8)
def test_bytes_are_never_more_than_allowed(
    environment: Environment, store: type[StateStore], instances: GraphBatch, most: int, seed: int
) -> None:
    player = Player(environment, instances, Replay(10**6, store, most), seed)
    for _ in range(150):
        player.play()
        assert player.replay.num_bytes <= most
    assert_sampled_is_added(player, seed)
    assert_nothing_dangles(player.replay)


@settings(max_examples=15)
@given(environments, stores, cover_instances(graphs=(1, 4)), st.integers(4, 40), st.integers(1, 30), seeds)
def test_a_restored_replay_goes_on_in_the_same_way(
    environment: Environment, store: type[StateStore], instances: GraphBatch, capacity: int, steps: int, seed: int
) -> None:
    player = Player(environment, instances, Replay(capacity, store), seed)
    for _ in range(steps):
        player.play()
    player.replay.set_priority(player.replay.ids, torch.rand(len(player.replay), generator=seeded(seed)) + 0.1)
    player.begin()
    other = Replay(capacity, store)
    other.load_state_dict({name: tensor.clone() for name, tensor in player.replay.state_dict().items()})
    for _ in range(3):
        one, two = (replay.sample_by_priority(5, seeded(seed)) for replay in (player.replay, other))
        assert_same(one.ids, two.ids)
        assert_same(one.weight, two.weight)
        assert_same_batch(one.next_state, two.next_state)
        saved = other.state_dict()
        assert saved.keys() == player.replay.state_dict().keys()
        for name, tensor in player.replay.state_dict().items():
            assert_same(saved[name], tensor)
        for replay in (player.replay, other):
            ids = replay.add_states(environment.reset(instances), instances=instances)
            groups = {"decisions": Group(Segments.from_lengths(torch.ones_like(ids)), {"action": ids})}
            columns = {"reward": torch.ones(len(ids)), "terminated": torch.ones(len(ids), dtype=torch.bool)}
            replay.add(ids, ids, columns, groups)


def add_one(replay: Replay, ids: Tensor) -> Tensor:
    """A step after which nothing has changed."""
    following = replay.add_states(replay.states.select(ids), after=ids)
    replay.add(ids, following, {"reward": torch.zeros(len(ids))})
    return following


def test_states_between_steps_are_stored_once() -> None:
    replay = Replay(100, InstancesOnce)
    ids = replay.add_states(VertexCover().reset(TWO), instances=TWO)
    for _ in range(10):
        ids = add_one(replay, ids)
    assert len(replay) == 20
    assert len(replay.states.ring) == 22
    assert len(replay.states.instances) == 2  # type: ignore[attr-defined]


def test_instances_that_an_endless_episode_outlives_are_dropped() -> None:
    """The first graph's episode never ends; the second is exchanged at each step."""
    replay = Replay(20, InstancesOnce)
    environment, endless, fresh = VertexCover(), alone(TWO, 0), alone(TWO, 1)
    one = replay.add_states(environment.reset(endless), instances=endless)
    for _ in range(400):
        one = add_one(replay, one)
        other = replay.add_states(environment.reset(fresh), instances=fresh)
        add_one(replay, other)
    assert_nothing_dangles(replay)
    assert len(replay.states.instances) <= 64  # type: ignore[attr-defined]
    assert_same_batch(replay.states.select(one), environment.reset(endless))


def test_memory_does_not_grow_with_what_is_added() -> None:
    replay = Replay(500, InstancesOnce, max_bytes=10**6)
    environment, sizes = VertexCover(), set()
    for step in range(1250):
        if step % 10 == 0:
            ids = replay.add_states(environment.reset(TWO), instances=TWO)
        ids = add_one(replay, ids)
        if step >= 600:
            sizes.add(replay.num_bytes)
    assert len(sizes) == 1
    assert sizes.pop() < 80_000


def test_frequencies_and_weights_are_those_of_the_paper() -> None:
    """P(i) = pᵢ^α / Σ pₖ^α and weights (N · P(i))^-β / max, by hand for p = 1, 4, 16, α = 1/2 and β = 1."""
    replay = Replay(4, WholeGraphs)
    ids = replay.add_states(GraphBatch.concat([TWO, PAIR]))
    replay.add(ids, columns={"reward": torch.zeros(3)})
    replay.set_priority(ids, torch.tensor([1.0, 4.0, 16.0]))
    sample = replay.sample_by_priority(7000, seeded(), exponent=0.5, correction=1.0)
    drawn = torch.bincount(sample.ids) / 7000
    torch.testing.assert_close(drawn, torch.tensor([1 / 7, 2 / 7, 4 / 7]), rtol=0, atol=1e-3)
    weight = torch.tensor([1.0, 1 / 2, 1 / 4])
    torch.testing.assert_close(sample.weight, weight[sample.ids])
    later = replay.add(ids[:1], columns={"reward": torch.zeros(1)})
    assert replay.priority().tolist() == [1, 4, 16, 16]
    replay.add(ids[:1], columns={"reward": torch.zeros(1)})
    replay.set_priority(torch.tensor([0, int(later)]), torch.tensor([9.0, 2.0]))
    assert replay.priority().tolist() == [4, 16, 2, 16]


def test_every_weight_is_one_where_all_are_drawn_alike() -> None:
    replay = Replay(9, WholeGraphs)
    replay.add(replay.add_states(TWO), columns={"reward": torch.tensor([1.0, 2.0])})
    sample = replay.sample(1000, seeded())
    assert sample.weight.tolist() == [1.0] * 1000
    assert abs(float(sample.columns["reward"].mean()) - 1.5) < 0.05


@given(st.lists(st.floats(0, 10), min_size=1, max_size=20), seeds)
def test_one_is_drawn_from_each_slice(mass: list[float], seed: int) -> None:
    masses = torch.tensor([*mass, 1.0], dtype=torch.float64)
    rows = draw_in_proportion(masses, 50, seeded(seed))
    expected = 50 * masses / masses.sum()
    counted = torch.bincount(rows, minlength=len(masses))
    assert bool(((counted - expected).abs() < 2).all())
    assert not bool(counted[masses == 0].any())


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="capacity 0; give at least 1"):
        Replay(0, WholeGraphs)
    replay = Replay(1, InstancesOnce)
    with pytest.raises(ValueError, match="states need `instances` or the states that they come `after`"):
        replay.add_states(PAIR)
    ids = replay.add_states(VertexCover().reset(TWO), instances=TWO)
    with pytest.raises(ValueError, match="2 transitions at once, and there is room for 1"):
        replay.add(ids)
    replay.add(ids[:1])
    for priority in (0.0, -1.0, torch.inf, torch.nan):
        with pytest.raises(ValueError, match="a priority must be above 0 and finite"):
            replay.set_priority(replay.ids, torch.tensor([priority]))
    with pytest.raises(IndexError, match="are live"):
        replay.add(torch.tensor([5]))
