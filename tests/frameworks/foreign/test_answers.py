"""What environments of others answer: scaled, shaped, lost, or refused by environment, column and remedy."""

from __future__ import annotations

import re
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from pettingzoo import AECEnv

from frameworks.foreign.foreign_environments import GRAPH, Changing, Faulty, Meadow, NoMoney, Paying
from graphwright.core import ActionSpec, GraphError, per_decider, per_edge, per_graph, per_node
from graphwright.envs.problem import random_choice
from graphwright.frameworks.foreign import ForeignVectorEnv, WorkerWarning, from_gymnasium, play_episodes
from graphwright.frameworks.foreign.pettingzoo import from_pettingzoo
from strategies import seeded

LINKS = ActionSpec(per_edge("take"))
NUMBERS = ActionSpec(per_decider("x", continuous=1), decider="nodes")
WAIT = ActionSpec(per_node("wait"))
PLAIN = spaces.Graph(spaces.Box(-9, 9, (1,)), None)


class Answers(gymnasium.Env):
    """Three nodes in a row; answers as it is told."""

    observation_space: spaces.Space = PLAIN

    def __init__(self, space: spaces.Space | None = None, reset: Any = None, step: Any = None) -> None:
        self.action_space, self.answers = space or spaces.Discrete(3), (reset, step)

    @property
    def shown(self) -> spaces.GraphInstance:
        return spaces.GraphInstance(np.zeros((3, 1), np.float32), None, np.array([[0, 1], [1, 2]]))

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> Any:
        return self.answers[0](self.shown) if self.answers[0] else (self.shown, {})

    def step(self, action: Any) -> Any:
        self.told = action
        return self.answers[1](self.shown) if self.answers[1] else (self.shown, 0.0, False, False, {})


def told(vector: ForeignVectorEnv) -> np.ndarray:
    return np.asarray(vector.pool.group.envs[0].env.told)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        (spaces.Box(0, 10, (3, 1)), [[0], [5], [10]]),
        (spaces.Box(-1, 1, (3,)), [-1, 0, 1]),
        (spaces.Box(np.float32([-2, 1, 4]), np.float32([2, 3, 6])), [-2, 2, 6]),
        (spaces.Box(2, 4, (5, 1)), [[2], [3], [4], [2], [2]]),  # rows that no node has: the number nearest to 0
        (spaces.Box(-np.inf, np.inf, (4, 1), np.float64), [[-1], [0], [1], [0]]),
    ],
)
def test_numbers_are_scaled_to_the_bounds_in_the_shape_of_the_box(box: spaces.Box, expected: list) -> None:
    vector = from_gymnasium(partial(Answers, box), 1, actions=NUMBERS)
    vector.step(torch.tensor([[-1.0], [0.0], [1.0]]))
    assert told(vector).tolist() == expected
    assert box.contains(told(vector))


@pytest.mark.parametrize(
    ("box", "message"),
    [
        (spaces.Box(0, np.inf, (3, 1)), "bounded on one side only; wrap it"),
        (spaces.Box(0, 5, (3, 1), np.int64), "real numbers are no int64"),
        (spaces.Box(0, 1, (3, 2)), r"each row has 1 number\(s\), so its shape must be \[rows, 1\]"),
        (spaces.Discrete(3), "need a Box"),
    ],
)
def test_boxes_that_do_not_fit_are_refused(box: spaces.Space, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_gymnasium(partial(Answers, box), 1, actions=NUMBERS)
    small = from_gymnasium(partial(Answers, spaces.Box(0, 1, (2, 1))), 1, actions=NUMBERS)
    with pytest.raises(GraphError, match=r"3 rows decide, but .* has only 2; enlarge it"):
        small.step(torch.zeros(3, 1))


def test_a_choice_of_each_node_is_a_multi_discrete() -> None:
    actions = ActionSpec(per_decider("x", 4), decider="nodes")
    vector = from_gymnasium(partial(Answers, spaces.MultiDiscrete([4] * 5, start=[1] * 5)), 2, actions=actions)
    vector.step(torch.tensor([3, 0, 2, 1, 1, 1]))
    assert told(vector).tolist() == [4, 1, 3, 1, 1]
    with pytest.raises(ValueError, match="up to 9 choices, the ActionSpec 4"):
        from_gymnasium(partial(Answers, spaces.MultiDiscrete([9] * 5)), 1, actions=actions)
    with pytest.raises(ValueError, match="a choice of each node or edge needs a MultiDiscrete"):
        from_gymnasium(partial(Answers, spaces.Discrete(3)), 1, actions=actions)


class Shuffled(Answers):
    """Three links in an order of their own, with their numbers."""

    observation_space = spaces.Graph(spaces.Box(-9, 9, (1,)), spaces.Box(0, 9, (1,)))

    @property
    def shown(self) -> spaces.GraphInstance:
        links = np.array([[2, 1], [0, 2], [1, 0]])
        return spaces.GraphInstance(np.zeros((3, 1), np.float32), np.array([[0.1], [0.2], [0.3]]), links)


@pytest.mark.parametrize("undirected", [False, True])
def test_numbers_of_links_are_told_in_the_environments_own_order(undirected: bool) -> None:
    actions = ActionSpec(per_decider("x", continuous=1), decider="edges")
    box = spaces.Box(-1, 1, (3,))
    vector = from_gymnasium(partial(Shuffled, box), 2, actions=actions, undirected=undirected)
    graph = vector.observe().graph
    vector.step(graph.edges["x"][graph.links[0]])
    np.testing.assert_allclose(told(vector), [0.1, 0.2, 0.3], rtol=1e-6)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (lambda seen: (seen, np.nan, False, False, {}), "environment 0: the reward is nan; make all rewards finite"),
        (lambda seen: (seen, None, False, False, {}), "environment 0: the reward is None; return one number"),
        (lambda seen: (seen, [1.0, 2.0], False, False, {}), r"the reward is \[1.0, 2.0\]; return one number"),
        (
            lambda seen: (seen, 1e30, False, False, {}),
            "the reward is 1e.30, whose square float32 does not hold",
        ),
        (lambda seen: (seen, 0.0, None, False, {}), "environment 0: terminated is None; return True or False"),
        (lambda seen: (seen, 0.0, False, "no", {}), "truncated is 'no'; return True or False"),
        (lambda seen: (seen, 0.0, np.array([True, False]), False, {}), "terminated is array.*; return True or False"),
        (lambda seen: (seen, 0.0, 2, False, {}), "terminated is 2; return True or False"),
        (
            lambda seen: (seen._replace(edge_links=np.array([[0.5, 1.5]])), 0.0, False, False, {}),
            "edge_links are float64 and no whole numbers",
        ),
        (
            lambda seen: (seen._replace(edges=np.ones((2, 1))), 0.0, False, False, {}),
            "the observation holds values of edges, and its space declares none",
        ),
        (lambda seen: (seen, 0.0, False, {}), "step returned 4 values .*; return .observation, reward, terminated"),
        (lambda seen: (seen, 0.0, False, False, None), "step returned 5 values .*, with a dict of info"),
        (
            lambda seen: (seen._replace(nodes=np.zeros((3, 2))), 0.0, False, False, {}),
            r"environment 0: nodes have values of shape \(3, 2\); 3 of them with 1 each are needed",
        ),
        (
            lambda seen: (seen._replace(nodes=np.full((3, 1), np.nan)), 0.0, False, False, {}),
            "environment 0: column 'nodes.x' holds .*nan.* in row 0; make all numbers finite",
        ),
    ],
)
def test_answers_that_do_not_fit_name_the_environment_and_the_remedy(step: Any, message: str) -> None:
    vector = from_gymnasium(partial(Answers, step=step), 1, actions=WAIT)
    with pytest.raises(GraphError, match=message):
        vector.step(torch.tensor([0]))


def test_workers_refuse_in_the_same_words() -> None:
    with from_gymnasium([Paying, NoMoney], 2, 2, actions=WAIT) as vector:
        with pytest.raises(GraphError, match=r"^environment 1: the reward is inf; make all rewards finite$"):
            vector.step(torch.zeros(2, dtype=torch.int64))
        assert not vector.failures


def test_numpy_rewards_are_numbers() -> None:
    for reward in (np.float32(2), np.array([2.0]), np.int64(2), 2):
        step = lambda seen, r=reward: (seen, r, False, False, {})  # noqa: E731
        vector = from_gymnasium(partial(Answers, step=step), 1, actions=WAIT)
        assert vector.step(torch.tensor([0])).reward.tolist() == [2.0]


def test_flags_of_numpy_are_flags_and_tensors_are_arrays() -> None:
    for flag in (np.bool_(False), np.array([False]), 0, np.int64(0)):
        step = lambda seen, f=flag: (seen._replace(nodes=torch.zeros(3, 1)), 0.0, f, f, {})  # noqa: E731
        vector = from_gymnasium(partial(Answers, step=step), 1, actions=WAIT)
        assert vector.step(torch.tensor([0])).terminated.tolist() == [False]


def test_one_environment_is_not_played_twice_at_once() -> None:
    shared = Answers()
    with pytest.raises(ValueError, match="an environment that is played already; let it make a new one each time"):
        from_gymnasium(lambda: shared, 2, actions=WAIT)
    meadow = Meadow()
    with pytest.raises(ValueError, match="an environment that is played already"):
        from_pettingzoo(lambda: meadow, 2, actions=WAIT)
    for _ in range(2):  # alone, and again after it was closed
        with from_gymnasium(lambda: shared, 1, actions=WAIT) as vector:
            vector.step(torch.tensor([0]))


def test_an_environment_without_a_space_is_refused() -> None:
    class Spaceless(Answers):
        observation_space = None  # type: ignore[assignment]

    with pytest.raises(GraphError, match="observation_space is None; declare one"):
        from_gymnasium(Spaceless, 1, actions=WAIT)


def test_what_is_no_graph_is_refused() -> None:
    for value in (None, np.zeros((3, 1))):
        make = partial(Answers, reset=lambda _, shown=value: (shown, {}))
        with pytest.raises(GraphError, match="for its graph; return a GraphInstance"):
            from_gymnasium(make, 1, actions=WAIT)


def test_resets_of_the_old_gym_are_refused() -> None:
    with pytest.raises(GraphError, match=r"environment 0: reset returned a dict; return .observation, info."):
        from_gymnasium(partial(Answers, reset=lambda seen: {"graph": seen}), 1, actions=WAIT)
    with pytest.raises(GraphError, match=r"environment 0: reset returned 2 values .*NoneType.*, with a dict of info"):
        from_gymnasium(partial(Answers, reset=lambda seen: (seen, None)), 1, actions=WAIT)


class OldGym:
    observation_space, action_space = PLAIN, spaces.Discrete(3)


class Turns(AECEnv):
    possible_agents = ("a",)
    agent_selection = "a"


def test_what_is_no_such_environment_says_where_it_belongs() -> None:
    with pytest.raises(ValueError, match=r"OldGym is no gymnasium.Env; derive it from that, or, if it .*shimmy"):
        from_gymnasium(OldGym, 1, actions=WAIT)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"Answers is an environment; give what makes one"):
        from_gymnasium(Answers(), 1, actions=WAIT)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"Meadow has several agents; take from_pettingzoo"):
        from_gymnasium(Meadow, 1, actions=WAIT)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"Turns is an AEC environment; wrap it .pettingzoo.utils.aec_to_parallel."):
        from_pettingzoo(Turns, 1, actions=WAIT)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"Answers is no parallel environment of PettingZoo; take from_gymnasium"):
        from_pettingzoo(Answers, 1, actions=WAIT)  # type: ignore[arg-type]
    with pytest.raises(gymnasium.error.NameNotFound):
        from_gymnasium("NoSuchEnvironment-v0", 1, actions=WAIT)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_name_is_enough_with_and_without_workers(workers: int) -> None:
    gymnasium.register("Paying-v0", Paying)
    try:
        with from_gymnasium("Paying-v0", 2, workers, actions=WAIT) as vector:
            returns = play_episodes(vector, random_choice(vector.environment, seeded()))  # type: ignore[arg-type]
        assert returns.tolist() == [[5.0], [5.0]]
    finally:
        del gymnasium.registry["Paying-v0"]


def test_an_environment_that_raises_loses_its_episode_and_no_other(tmp_path: Path) -> None:
    makes = [Changing, partial(Faulty, "raise", str(tmp_path / "flag")), Changing]
    calm = from_gymnasium([Changing, Changing, Changing], 3, actions=LINKS, seed=1)
    vector = from_gymnasium(makes, 3, actions=LINKS, seed=1)
    while not vector.failures:
        before = vector.state.select(torch.tensor([1]))
        other = calm.step(torch.stack([_legal(calm, row) for row in range(3)]))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            step = vector.step(torch.stack([_legal(vector, row) for row in range(3)]))
        assert step.reward[[0, 2]].tolist() == other.reward[[0, 2]].tolist()
    lost = "environment 1 was made anew, its episode is lost: RuntimeError: the simulator diverged"
    assert re.fullmatch(rf"{lost} \(\S*foreign_environments\.py:\d+\)", str(caught[0].message))
    assert "Traceback" in vector.failures[0].reason
    assert caught[0].category is WorkerWarning
    assert step.lost is not None
    assert step.lost.tolist() == [False, True, False]
    assert (step.truncated[1], step.reward[1]) == (True, 0.0)
    final = step.final.select(torch.tensor([int(step.truncated[:1].sum())]))
    assert torch.equal(final.nodes["x"], before.nodes["x"])
    assert vector.failures[0].environments == range(1, 2)
    for _ in range(20):
        step = vector.step(torch.stack([_legal(vector, row) for row in range(3)]))
        other = calm.step(torch.stack([_legal(calm, row) for row in range(3)]))
        assert step.reward[[0, 2]].tolist() == other.reward[[0, 2]].tolist()
    assert vector.num_lost == 1


def _legal(vector: ForeignVectorEnv, row: int) -> torch.Tensor:
    """The first legal action of a graph."""
    graph = vector.state.select(torch.tensor([row]))
    return vector.environment.observe(graph).masks[0].int().argmax()


class Quiet(Meadow):
    """Without infos for its agents, and then without a reward for one of them."""

    def step(self, actions: dict[str, int]) -> tuple:
        observation, _, *rest = super().step(actions)
        return observation, {"hare": 0.0}, *rest


def test_agents_are_named() -> None:
    vector = from_pettingzoo(Quiet, 2, actions=ActionSpec(per_node("go")))
    with pytest.raises(GraphError, match="environment 0: agent 'fox' acted, but step returned no reward for it"):
        vector.step(vector.state.graphs["agent"])


class NoNumber(Meadow):
    def _see(self, agent: str) -> Any:
        seen = super()._see(agent)
        return {**seen, "observation": seen["observation"] * np.nan} if agent == "hare" else seen


def test_what_an_agent_sees_is_named_with_it() -> None:
    with pytest.raises(GraphError, match=r"environment 0: agent 'hare': column 'nodes.x' holds \[nan, nan\]"):
        from_pettingzoo(partial(NoNumber, vector=True), 1, actions=ActionSpec(per_graph("go", 3)))
    with pytest.raises(GraphError, match="not known as a graph with nodes or links"):
        from_pettingzoo(partial(Meadow, vector=True), 1, actions=ActionSpec(per_node("go")))
    assert GRAPH  # the same environment with graphs is read
