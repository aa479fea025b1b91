"""Penalties in place of masks: an illegal action changes nothing but the bill and the clock."""

from __future__ import annotations

import pytest
import torch

from environments import ENVIRONMENTS, KINDS
from graphwright.core import from_edges
from graphwright.envs.conformance import check_environment
from graphwright.envs.problems.vertex_cover.environment import VERTEX_COVER, VertexCover
from graphwright.envs.rollouts import play
from graphwright.envs.wrappers.penalized import Penalized
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
    """A leaf, the same leaf again (illegal), the hub: 0.25 + 1 + 0.5, in three of at most four steps."""
    environment = Penalized(VertexCover())
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


def test_the_limit_cuts_an_episode_and_what_is_incomplete_pays_for_every_step() -> None:
    environment = Penalized(VertexCover(), penalty=2.0, limit=0.5)
    state = take(environment, environment.reset(STAR), 1).state
    late = take(environment, state, 1)
    assert (late.terminated.item(), late.truncated.item()) == (False, True)
    assert environment.objective(late.state).item() == 0.25 + 2.0 * 0.5 * 4


def test_severity_is_the_problems_own() -> None:
    class Grave(VertexCover):
        def severity(self, state, action):
            return 1.0 + action.float()

    environment = Penalized(Grave(), penalty=0.5, by="severity")
    state = take(environment, environment.reset(STAR), 3).state
    assert take(environment, state, 3).reward.item() == -2


def test_legal_play_is_that_of_the_masked_environment() -> None:
    instances = VERTEX_COVER.generator()(20, seeded())
    plain, penalized = VertexCover(), Penalized(VertexCover())
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
    check_environment(Penalized(environment, by=by), VERTEX_COVER.generator()(6, seeded()))


def test_options_that_make_no_environment_are_refused() -> None:
    with pytest.raises(ValueError, match="continuous"):
        Penalized(KINDS["continuous"])
    for options in ({"penalty": -1.0}, {"limit": 0.0}):
        with pytest.raises(ValueError, match="give at least"):
            Penalized(VertexCover(), **options)
