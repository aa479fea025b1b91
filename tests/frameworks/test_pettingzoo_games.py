"""PettingZoo's own test over the games; a game by hand."""

from __future__ import annotations

import numpy as np
import pytest
from pettingzoo.test import api_test

from graphwright.envs.registry import GAMES
from graphwright.frameworks.env_config import make_env_config
from graphwright.frameworks.pettingzoo_games import GameEnv


@pytest.mark.parametrize("name", [name for name in GAMES if name != "hive"])
def test_every_game_passes_the_test_of_pettingzoo(name: str) -> None:
    api_test(GameEnv(make_env_config(name, sizes=GAMES[name].sizes[:1])), num_cycles=60)


def test_hive_is_played_within_its_limits() -> None:
    env = GameEnv("hive")
    env.reset(seed=1)
    for agent in env.agent_iter(30):
        seen, _, terminated, truncated, _ = env.last()
        assert env.observation_space(agent).contains(seen)
        env.step(None if terminated or truncated else int(np.flatnonzero(seen["action_mask"])[-1]))


def test_sides_take_turns_and_what_one_wins_the_other_loses() -> None:
    env = GameEnv("tic-tac-toe")
    env.reset(seed=0)
    for cell in (0, 3, 1, 4):
        assert env.observe(env.agent_selection)["action_mask"][cell] == 1
        assert not env.observe("player_1" if env.agent_selection == "player_0" else "player_0")["action_mask"].any()
        env.step(cell)
    with pytest.raises(ValueError, match="player_0: 4 is not legal now; choose one of 2, 5, 6"):
        env.step(4)
    env.step(2)
    assert env.rewards == {"player_0": 1.0, "player_1": -1.0}
    assert env.terminations == {"player_0": True, "player_1": True}
    with pytest.raises(ValueError, match="vertex-cover is no game of two sides"):
        GameEnv("vertex-cover")
