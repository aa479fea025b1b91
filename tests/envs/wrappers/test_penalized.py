"""Penalties in place of masks: an illegal action changes nothing but the bill and the clock."""

from __future__ import annotations

import pytest
import torch

from environments import ENVIRONMENTS, KINDS
from graphwright.core import ActionSpec, Features, GraphBatch, Observation, Step, from_edges, per_decider
from graphwright.envs.conformance import check_environment
from graphwright.envs.environment import Environment
from graphwright.envs.problems.vertex_cover.environment import VERTEX_COVER, VertexCover
from graphwright.envs.rollouts import play
from graphwright.envs.wrappers.penalized import Penalized, PenalizedOptimization
from strategies import seeded

STAR = from_edges(
    torch.tensor([[0, 0, 0], [1, 2, 3]]),
    torch.tensor([4]),
    undirected=True,
    nodes={"weight": torch.tensor([0.5, 0.25, 0.25, 0.25])},
)


def take(environment: Penalized, state, node: int):
    return environment.step(state, torch.tensor([node]))


def test_an_episode_by_hand() -> None:
    """A leaf, the same leaf again (illegal), the hub: 0.25 + 1 + 0.5."""
    environment = PenalizedOptimization(VertexCover())
    state = environment.reset(STAR)
    first = take(environment, state, 1)
    assert (first.reward.item(), first.terminated.item(), first.truncated.item()) == (-0.25, False, False)
    again = take(environment, first.state, 1)
    assert (again.reward.item(), again.terminated.item(), again.truncated.item()) == (-1, False, False)
    assert torch.equal(again.state.nodes["selected"], first.state.nodes["selected"])
    last = take(environment, again.state, 0)
    assert (last.reward.item(), last.terminated.item(), last.truncated.item()) == (-0.5, True, False)
    assert environment.objective(last.state).item() == 1.75
    assert bool(environment.is_complete(last.state))


def test_illegal_actions_alone_count_and_the_limit_cuts_an_episode() -> None:
    """Two of them on four nodes, whatever else was played; until then what is incomplete pays as if they had been."""
    environment = PenalizedOptimization(VertexCover(), penalty=2.0, limit=0.5)
    step = take(environment, environment.reset(STAR), 1)
    for node, ended, illegal in ((1, False, 1), (2, False, 1), (9, True, 2)):
        step = take(environment, step.state, node)
        assert (step.terminated.item(), step.truncated.item()) == (False, ended)
        assert step.state.graphs["num_illegal"].item() == illegal
        assert environment.objective(step.state).item() == (0.25 if node == 1 else 0.5) + 2.0 * 0.5 * 4


@pytest.mark.parametrize("masked", [False, True])
def test_masks_may_still_be_shown_and_change_nothing_else(masked: bool) -> None:
    plain, environment = VertexCover(), Penalized(VertexCover(), masked=masked)
    step = take(environment, environment.reset(STAR), 1)
    shown = environment.observe(step.state).masks[0].tolist()
    assert shown == (plain.observe(step.state).masks[0].tolist() if masked else [True] * 4)
    assert take(environment, step.state, 1).reward.item() == -1


class Counted(VertexCover):
    """How many graphs each step played, and how often states were observed."""

    def __init__(self) -> None:
        super().__init__()
        object.__setattr__(self, "played", [])
        object.__setattr__(self, "observed", [])

    def observe(self, state):
        self.observed.append(state.num_graphs)
        return super().observe(state)

    def step(self, state, action):
        self.played.append(state.num_graphs)
        return super().step(state, action)


def test_legal_graphs_are_played_alone_and_nothing_is_observed_twice() -> None:
    plain = Counted()
    environment = Penalized(plain, masked=True)
    state = environment.reset(GraphBatch.concat([STAR] * 3))
    observation = environment.observe(state)
    before = len(plain.observed)
    environment.step_observed(state, observation, torch.tensor([0, 1, 2]))
    assert len(plain.observed) == before
    step = environment.step_observed(state, observation, torch.tensor([0, -1, 4]))
    assert plain.played == [3, 1]
    assert step.terminated.tolist() == [True, False, False]
    assert step.reward.tolist() == [-0.5, -1, -1]
    environment.step_observed(state, observation, torch.tensor([4, 4, 4]))
    assert plain.played == [3, 1]


class Several(Environment):
    """Two actions for each node, of which the second is illegal; `able` says who may act, and flips."""

    features = Features(nodes={"able": 1})
    actions = ActionSpec(per_decider("do", 2), decider="nodes")

    def __init__(self, own: bool) -> None:
        self.own_reward = own

    def reset(self, instances):
        return instances

    def observe(self, state):
        able = state.nodes["able"]
        return Observation(state, (torch.stack([able, torch.zeros_like(able)], 1),))

    def step(self, state, action):
        assert torch.equal(action >= 0, state.nodes["able"])
        no = torch.zeros(state.num_graphs, dtype=torch.bool)
        reward = torch.ones(state.num_nodes if self.own_reward else state.num_graphs)
        return Step(state.with_nodes(able=~state.nodes["able"]), reward, no, no, torch.full((state.num_nodes,), -1))


@pytest.mark.parametrize("own", [False, True])
def test_of_several_decisions_one_illegal_stops_the_graph_and_each_is_punished(own: bool) -> None:
    """Two graphs of three deciders with two actions each, of which the second is illegal; one may do nothing."""

    able = torch.tensor([True, True, False, True, True, True])
    environment = Penalized(Several(own), penalty=0.5)
    nothing = torch.empty(2, 0, dtype=torch.int64)
    state = environment.reset(from_edges(nothing, torch.tensor([3, 3]), undirected=True, nodes={"able": able}))
    assert environment.observe(state).masks[0].tolist() == [[one, one] for one in able.tolist()]
    played = environment.step(state, torch.tensor([0, 0, 1, 1, 0, 1]))
    assert played.reward.tolist() == ([1, 1, 1, -0.5, 0, -0.5] if own else [1, -1])
    assert played.state.nodes["able"].tolist() == [False, False, True, True, True, True]
    assert played.state.graphs["num_illegal"].tolist() == [0, 1]
    assert played.state.graphs["penalty_paid"].tolist() == [0, 1]
    assert played.successor is not None
    assert played.successor.tolist() == [-1, -1, -1, 0, 1, 2]


def test_severity_is_the_problems_own() -> None:
    class Grave(VertexCover):
        def severity(self, state, action):
            return 1.0 + action.float()

    environment = PenalizedOptimization(Grave(), penalty=0.5, by="severity")
    state = take(environment, environment.reset(STAR), 3).state
    assert take(environment, state, 3).reward.item() == -2
    assert take(environment, state, 4).reward.item() == -0.5, "what is no candidate has no degree"


def test_legal_play_is_that_of_the_masked_environment() -> None:
    instances = VERTEX_COVER.generator()(20, seeded())
    plain, penalized = VertexCover(), PenalizedOptimization(VertexCover())
    first = lambda environment: lambda seen: _first_legal(plain, seen)  # noqa: E731
    expected = play(plain, instances, first(plain))
    found = play(penalized, instances, first(penalized))
    assert torch.equal(found.nodes["selected"], expected.nodes["selected"])
    torch.testing.assert_close(penalized.objective(found), plain.objective(expected))


def _first_legal(environment: VertexCover, seen) -> torch.Tensor:
    """The first unselected node that still covers something, whatever the mask says."""
    from graphwright.core.segment import segment_argmax

    useful = (seen.graph.in_degree > 0) & ~seen.graph.nodes["selected"]
    return segment_argmax(useful.float(), seen.graph.node_segments)


@pytest.mark.parametrize("by", ["count", "severity"])
@pytest.mark.parametrize("environment", [*ENVIRONMENTS.values(), KINDS["neighbours"], KINDS["hybrid"]])
def test_it_keeps_the_contract(environment, by) -> None:
    check_environment(PenalizedOptimization(environment, by=by), VERTEX_COVER.generator()(6, seeded()))


def test_options_that_make_no_environment_are_refused() -> None:
    with pytest.raises(ValueError, match="continuous"):
        Penalized(KINDS["continuous"])
    with pytest.raises(ValueError, match="by=severity: nothing says"):
        Penalized(Several(False), by="severity")
    for options in ({"penalty": -1.0}, {"limit": 0.0}):
        with pytest.raises(ValueError, match="give at least"):
            PenalizedOptimization(VertexCover(), **options)
