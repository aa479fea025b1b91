"""What environments of others are, and what they answer: in the form that their framework asks for, or refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from graphwright.core import GraphError

_LARGEST = 1e18  # of a reward: losses are of its square


def check_env(env: Any) -> None:
    """Raise ValueError, with the remedy, for what is no single Gymnasium environment."""
    name = type(env).__name__
    if isinstance(env, gymnasium.Env):
        if isinstance(env.action_space, spaces.Tuple):
            raise ValueError(f"{name} has a Tuple of actions, as of several players; take team.from_team")
        return
    if isinstance(env, gymnasium.vector.VectorEnv):
        raise ValueError(f"{name} is a vector of environments; give what makes one of them, and num_envs")
    if hasattr(env, "agent_selection") or hasattr(env, "possible_agents"):
        raise ValueError(f"{name} has several agents; take from_pettingzoo, or team.from_team")
    raise ValueError(
        f"{name} is no gymnasium.Env; derive it from that, or, if it is of the old gym, wrap it (package shimmy)"
    )


def check_parallel(env: Any) -> None:
    """Raise ValueError, with the remedy, for what is no parallel environment of PettingZoo."""
    name = type(env).__name__
    if hasattr(env, "agent_selection") or hasattr(env, "agent_iter"):
        raise ValueError(f"{name} is an AEC environment; wrap it (pettingzoo.utils.aec_to_parallel)")
    if not hasattr(env, "possible_agents"):
        other = "take from_gymnasium" if isinstance(env, gymnasium.Env) else "it has no possible_agents"
        raise ValueError(f"{name} is no parallel environment of PettingZoo; {other}")


def read_reset(answer: Any) -> tuple[Any, dict[Any, Any]]:
    """Observation and info. Raises GraphError for anything but a pair of these."""
    if not isinstance(answer, tuple) or len(answer) != 2 or not isinstance(answer[1], dict):
        raise GraphError(f"reset returned {_described(answer)}; return (observation, info), with a dict of info")
    return answer


def read_step(answer: Any) -> tuple[Any, Any, Any, Any, dict[Any, Any]]:
    """Observation, reward, terminated, truncated, info. Raises GraphError for anything else."""
    if not isinstance(answer, tuple) or len(answer) != 5 or not isinstance(answer[4], dict):
        raise GraphError(
            f"step returned {_described(answer)}; return (observation, reward, terminated, truncated, info), with a "
            "dict of info"
        )
    return answer


def read_reward(reward: Any) -> float:
    """The reward as a number. Raises GraphError for one that is none, or not finite."""
    values = np.asarray(reward)
    if values.size != 1 or values.dtype.kind not in "biuf":
        raise GraphError(f"the reward is {reward!r}; return one number")
    number = float(values.reshape(()))
    if not np.isfinite(number):
        raise GraphError(f"the reward is {number}; make all rewards finite")
    if abs(number) > _LARGEST:
        raise GraphError(f"the reward is {number:g}, whose square float32 does not hold; divide all rewards")
    return number


def read_flag(name: str, flag: Any) -> bool:
    """Whether an episode has ended. Raises GraphError for what is neither true nor false, as None or a text."""
    values = np.asarray(flag)
    if values.size != 1 or values.dtype.kind not in "biu" or values.reshape(()) not in (0, 1):
        raise GraphError(f"{name} is {flag!r}; return True or False")
    return bool(values.reshape(()))


def of_agent(agent: Any, read: Callable[..., Any], *answer: Any) -> Any:
    """What `read` makes of an agent's answer. Raises GraphError with the agent's name."""
    try:
        return read(*answer)
    except GraphError as error:
        raise GraphError(f"agent {agent!r}: {error}") from None


def read_agents(
    acted: Sequence[Any], reward: Mapping[Any, Any], terminated: Mapping[Any, Any], truncated: Mapping[Any, Any]
) -> tuple[list[float], list[bool], list[bool]]:
    """Of each agent that acted: its reward, whether it terminated, and whether it was truncated and did not."""
    for name, answer in {"reward": reward, "terminated": terminated, "truncated": truncated}.items():
        missing = [agent for agent in acted if agent not in answer]
        if missing:
            raise GraphError(f"agent {missing[0]!r} acted, but step returned no {name} for it; return one")
    ended = [of_agent(agent, read_flag, "terminated", terminated[agent]) for agent in acted]
    cut = [of_agent(agent, read_flag, "truncated", truncated[agent]) for agent in acted]
    alone = [is_cut and not has_ended for is_cut, has_ended in zip(cut, ended, strict=True)]
    return [of_agent(agent, read_reward, reward[agent]) for agent in acted], ended, alone


def _described(answer: Any) -> str:
    if not isinstance(answer, tuple):
        return f"a {type(answer).__name__}"
    return f"{len(answer)} values ({', '.join(type(part).__name__ for part in answer)})"
