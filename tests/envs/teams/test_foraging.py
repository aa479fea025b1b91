"""Foraging: step by step what `lbforaging` does, and fields as it spawns them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from graphwright.core import GraphBatch
from graphwright.envs.conformance import check_environment
from graphwright.envs.registry import find_problem
from graphwright.envs.teams.cells import STEPS, crowding
from graphwright.envs.teams.crowd import AGENT, LANDMARK, crowd, members
from graphwright.envs.teams.foraging.environment import Foraging
from graphwright.envs.teams.foraging.rules import together
from graphwright.training.acting import act_of_rule
from graphwright.training.play_teams import play_teams
from strategies import seeded

PROBLEM = find_problem("foraging")


@pytest.mark.parametrize("sight", [0, 2])
def test_it_conforms(sight: int) -> None:
    rules = replace(Foraging(), steps=8, sight=sight, penalty=0.25)
    check_environment(rules, PROBLEM.generator(sizes=(1, 3), law="mixed")(4, seeded()))


def instance_of(theirs) -> GraphBatch:  # type: ignore[no-untyped-def]
    food = np.argwhere(theirs.field)
    graph = crowd(torch.tensor([len(theirs.players)]), torch.tensor([len(food)]))
    start = np.concatenate([[player.position for player in theirs.players], food])
    level = [player.level for player in theirs.players] + [theirs.field[tuple(at)] for at in food]
    return graph.with_nodes(
        start=torch.from_numpy(start), level=torch.tensor([int(each) for each in level])
    ).with_graphs(side=torch.tensor([theirs.rows]))


@pytest.mark.parametrize(("players", "foods", "coop", "penalty"), [(2, 2, True, 0.0), (4, 3, False, 0.1)])
def test_steps_are_those_of_lbforaging(players: int, foods: int, coop: bool, penalty: float) -> None:
    foraging = pytest.importorskip("lbforaging.foraging")
    theirs = foraging.ForagingEnv(players, 1, 2, 1, None, (6, 6), foods, 6, 50, coop, penalty=penalty)
    rules, generator, loaded, vain = Foraging(penalty=penalty), np.random.default_rng(0), 0, 0
    for seed in range(6):
        theirs.reset(seed=seed)
        state = rules.reset(instance_of(theirs))
        done = False
        while not done:
            (legal,) = rules.observe(state).masks
            able = [[each.value for each in theirs._valid_actions[player]] for player in theirs.players]
            assert [np.flatnonzero(row).tolist() for row in legal.numpy()] == able
            action = [5 if 5 in each else int(generator.choice(each)) for each in able]
            _, rewards, done, _, _ = theirs.step(action)
            step = rules.step(state, torch.tensor(action))
            np.testing.assert_allclose(step.reward, rewards, rtol=1e-6)
            state = step.state
            cells = [player.position for player in theirs.players]
            np.testing.assert_array_equal(state.nodes["cell"][:players], cells)
            assert int(state.nodes["present"][players:].sum()) == np.count_nonzero(theirs.field)
            assert bool(step.terminated | step.truncated) == done
            loaded, vain = loaded + sum(each > 0 for each in rewards), vain + sum(each < 0 for each in rewards)
    assert loaded
    assert not penalty or vain


def test_fields_are_as_full_as_those_of_lbforaging_and_food_is_apart() -> None:
    fields = PROBLEM.generator(sizes=(2, 3, 8))(60, seeded())
    side, start = fields.graphs["side"], fields.nodes["start"]
    assert sorted(set(side.tolist())) == [8, 10, 16]
    assert ((start >= 0) & (start < side[fields.node_graph, None])).all()
    food, _ = members(fields, LANDMARK)
    assert (start[food] >= 1).all()
    assert (start[food] < side[fields.node_graph[food], None] - 1).all()
    far = (start[food][:, None] - start[food]).abs()
    near = (far.amax(2) <= 1) | ((far.sum(2) == 2) & (far.amin(2) == 0))
    same = fields.node_graph[food][:, None] == fields.node_graph[food]
    assert (near & same).sum() == food.numel()
    two = fields.select(side == 8)
    levels = two.nodes["level"].view(-1, 4)
    assert (levels[:, 2:] == levels[:, :2].sum(1, keepdim=True)).all()
    agents, _ = members(fields, AGENT)
    assert set(fields.nodes["level"][agents].tolist()) == {1, 2}


@pytest.mark.parametrize("agents", [1, 2, 3])
def test_agents_that_go_together_collect_everything(agents: int) -> None:
    instances = PROBLEM.generator(sizes=(agents,))(100, seeded())
    rules = Foraging()
    played = play_teams(rules, instances, act_of_rule(PROBLEM, rules, "together", 0))
    assert played.measures["success"].mean() == 1


def test_agents_that_go_together_never_want_the_same_cell() -> None:
    rules = Foraging(steps=30)
    state = rules.reset(PROBLEM.generator(sizes=(2, 4, 6))(40, seeded()))
    for _ in range(30):
        agents, teams = members(state, AGENT)
        action = together(rules, state)
        moves = (action >= 1) & (action <= 4)
        wanted = state.nodes["cell"][agents] + STEPS[(action - 1).clamp(0, 3)] * moves[:, None]
        assert (crowding(teams.index, wanted)[moves] == 1).all()
        state = rules.step(state, action).state
    assert rules.measures(state)["success"].mean() > 0.5


def test_rewards_of_a_recording_are_those_of_what_is_in_it() -> None:
    """Whoever loads beside food that is gone afterwards gets its share, by level, of that food's share of all."""
    rules, instances = Foraging(steps=200), PROBLEM.generator(sizes=(3,), law="mixed")(20, seeded())
    record = play_teams(rules, instances, act_of_rule(PROBLEM, rules, "together", 0), record=True).record
    food, level = record["food_levels"], record["levels"]
    went = (record["present"][:, :-1] == 1) & (record["present"][:, 1:] == 0)
    beside = np.abs(record["cells"][:, 1:, :, None] - record["food"][:, None, None]).sum(4) == 1  # [E, T, A, F]
    took = beside & (record["actions"] == 5)[..., None] & went[:, :, None]
    strength = (took * level[:, None, :, None]).sum(2, keepdims=True)
    shares = (
        took
        * level[:, None, :, None]
        / np.maximum(strength, 1)
        * food[:, None, None]
        / food.sum(1)[:, None, None, None]
    )
    assert went.any()
    assert (strength[went[:, :, None]] >= np.broadcast_to(food[:, None, None], strength.shape)[went[:, :, None]]).all()
    np.testing.assert_allclose(np.nan_to_num(record["rewards"]), shares.sum(3), rtol=1e-6)
