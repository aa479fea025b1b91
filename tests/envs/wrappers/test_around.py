"""Whatever is put around an environment keeps what that can do."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch

from decision_environments import Foragers, forager_instances
from games_and_queues import Buckets
from graphwright.envs.conformance import check_environment
from graphwright.envs.endless import Endless
from graphwright.envs.optimization import Optimization
from graphwright.envs.planned import Planned
from graphwright.envs.readable import Readable
from graphwright.envs.registry import SOLVED, TEAMS, find_problem
from graphwright.envs.rollouts import play, uniform_choice
from graphwright.envs.team import Team
from graphwright.envs.wrappers.identified import Identified
from graphwright.envs.wrappers.penalized import Penalized, PenalizedOptimization
from graphwright.training.config import ConfigError, TrainConfig
from graphwright.training.evaluators import TeamEvaluator, make_evaluator
from strategies import seeded

KEPT = (Readable, Optimization, Planned, Endless, Team)
"""What stays as it is when actions are punished. An illegal one cannot be undone, is no move, and is anywhere."""


@pytest.mark.parametrize("name", [*SOLVED, *TEAMS])
def test_punished_environments_can_do_what_they_could(name: str) -> None:
    environment = find_problem(name).environment
    if environment.actions.continuous:
        pytest.skip("nothing is illegal")
    around = Penalized.around(environment, 0.5, limit=2.0)
    assert [isinstance(around, kind) for kind in KEPT] == [isinstance(environment, kind) for kind in KEPT]
    assert (around.inner, around.penalty, around.limit) == (environment, 0.5, 2.0)
    assert around == Penalized.around(environment, 0.5, limit=2.0)


def test_several_capabilities_are_kept_together() -> None:
    """An optimisation of a team: the objective pays the penalties, and each agent has its own reward."""
    environment, instances = Penalized.around(Foragers(2), 0.5, limit=0.3), forager_instances(3, seeded())
    assert isinstance(environment, PenalizedOptimization)
    assert isinstance(environment, Team)
    assert environment.own_reward
    check_environment(environment, instances)
    final = play(environment, instances, uniform_choice(environment.actions, seeded()))
    assert bool((final.graphs["penalty_paid"] > 0).any())
    paid = Foragers(2).objective(final) - final.graphs["penalty_paid"].double()
    complete = environment.is_complete(final)
    torch.testing.assert_close(environment.objective(final)[complete], paid[complete])


@dataclass(frozen=True)
class Keepers(Buckets, Team):
    """What never ends, kept by a team."""


def test_agents_with_numbers_may_have_a_task_without_end() -> None:
    around, inner = Identified.around(Keepers(), 4), Keepers()
    assert isinstance(around, Endless)
    assert (around.most, around.features.nodes["identity"]) == (4, 4)
    assert isinstance(around.without_cuts(), Identified)
    assert around.load_bound == inner.load_bound


def test_teams_with_penalties_are_watched_by_their_success() -> None:
    problem = find_problem("path-finding")
    config = TrainConfig.for_problem(
        problem, collection={"invalid": {"handling": "penalty"}}, validation={"graphs": 1, "sizes": (2,)}
    )
    found = make_evaluator(problem, config.environment, config.collection, config.validation, torch.device("cpu"))
    assert isinstance(found, TeamEvaluator)


def test_what_never_ends_is_not_punished() -> None:
    config = TrainConfig.for_problem("single-hop", collection={"invalid": {"handling": "penalty"}})
    with pytest.raises(ConfigError, match=r"--invalid\.handling penalty: .* time would stand still .*; take mask"):
        _ = config.played
