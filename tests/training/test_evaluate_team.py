"""What teams come to, and how sure that is."""

import pytest

from graphwright.envs.registry import find_problem
from graphwright.envs.team import Team
from graphwright.envs.teams.path_finding.environment import PathFinding
from graphwright.training.evaluate_team import TeamOptions, play_rule


@pytest.mark.parametrize(
    ("name", "share", "environment"),
    [
        ("spread", "covered", None),
        ("pursuit", "caught", None),
        ("foraging", "collected", None),
        ("path-finding", "arrived", PathFinding(lifelong=False)),
    ],
)
def test_the_interval_of_a_share_is_between_0_and_1(name: str, share: str, environment: Team | None) -> None:
    """Student's alone reaches beyond in most of these, as two episodes are mostly far apart."""
    problem = find_problem(name)
    team = environment or problem.environment
    assert isinstance(team, Team)
    assert team.shares == {share}
    for seed in range(4):
        options = TeamOptions(agents=(2,), episodes=2, seed=seed)
        found = play_rule(problem, team, "random", options)[0][0].score
        assert 0 <= found[f"{share}_low"] <= found[share] <= found[f"{share}_high"] <= 1
