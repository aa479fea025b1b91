"""A recording in a replay: its transitions are what a loop over its episodes says; offline updates come first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from command_line import fails
from graphwright.cli.main import main
from graphwright.core import GraphBatch
from graphwright.data.recording import Recording, read_recording
from graphwright.data.replay import Replay
from graphwright.data.samples import DECISIONS
from graphwright.data.stores import InstancesOnce
from graphwright.envs.endless import Endless
from graphwright.envs.experts import experts_of, find_expert
from graphwright.envs.queueing.conflict_graph.problem import CONFLICT_GRAPH
from graphwright.envs.queueing.multi_hop.problem import MULTI_HOP_LINKS
from graphwright.envs.teams.crowd import AGENT
from graphwright.envs.teams.foraging.problem import FORAGING
from graphwright.envs.teams.patrol.problem import PATROL
from graphwright.envs.vector import VectorEnvironment
from graphwright.training.collectors.recorded_replay import remember
from graphwright.training.collectors.replay import ReplayConfig
from graphwright.training.collectors.replay_collector import ReplayCollector
from graphwright.training.logging import MetricsFile
from graphwright.training.record import ExpertActor, record
from strategies import seeded

SHORT = ("--num-envs", "4", "--num-steps", "2", "--num-minibatches", "2", "--minibatch-size", "8", "--warm-up", "0")
SMALL = ("--threads", "1", "--encoder.width", "8", "--encoder.depth", "1", "--validation.graphs", "2")


@pytest.fixture(scope="module")
def covers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Whole episodes, which end."""
    path = tmp_path_factory.mktemp("recordings") / "covers.safetensors"
    words = ["--expert", "greedy", "--episodes", "6", "--sizes", "4", "7"]
    main(["record", "vertex-cover", *words, "--out", str(path)])
    return path


@pytest.fixture(scope="module")
def queues(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Slots of what never ends, which are cut off."""
    path = tmp_path_factory.mktemp("recordings") / "queues.safetensors"
    main(["record", "single-hop", "--expert", "max-weight", "--slots", "9", "--graphs", "3", "--out", str(path)])
    return path


def by_hand(recording: Recording, n_step: int) -> list[tuple[list[float], int, bool, int, int]]:
    """Rewards, length, whether it ends, the step that it begins with and that of the next state (-1: over)."""
    found = []
    for episode in sorted(set(recording.episode.tolist())):
        steps = (recording.episode == episode).nonzero().squeeze(1).tolist()
        for place, first in enumerate(steps):
            rewards, ends, at = [], False, place
            while len(rewards) < n_step and at < len(steps) and not ends:
                ends = bool(recording.terminated[steps[at]])
                if not ends and at + 1 == len(steps):
                    break  # what it led to was not recorded
                rewards.append(float(recording.reward[steps[at]]))
                at += 1
            if rewards:
                padded = rewards + [0.0] * (n_step - len(rewards))
                found.append((padded, len(rewards), ends, first, -1 if ends else steps[at]))
    return sorted(found, key=lambda one: one[3])


@pytest.mark.parametrize("n_step", [1, 3])
@pytest.mark.parametrize("name", ["covers", "queues"])
def test_transitions_are_those_of_a_loop(name: str, n_step: int, request: pytest.FixtureRequest) -> None:
    recording = read_recording(request.getfixturevalue(name))
    replay = Replay(1000, InstancesOnce)
    remember(recording, replay, n_step)
    found, expected = replay.select(replay.ids), by_hand(recording, n_step)
    assert len(replay) == len(expected) > 3
    assert found.columns["terminated"].any() == (name == "covers")
    for row, (rewards, length, ends, first, following) in enumerate(expected):
        assert found.columns["reward"][row].tolist() == pytest.approx(rewards)
        assert (int(found.columns["length"][row]), bool(found.columns["terminated"][row])) == (length, ends)
        assert int(found.groups[DECISIONS].columns["action"][row]) == int(recording.action.values[first])
        for state, place in ((found.state, first), (found.next_state, following)):
            if place >= 0:
                one, other = state.select(torch.tensor([row])), recording.states.select(torch.tensor([place]))
                assert all(torch.equal(one.to_tensors()[key], column) for key, column in other.to_tensors().items())


@pytest.mark.parametrize("algorithm", ["awac", "dqn"])
def test_offline_updates_play_nothing_and_a_stopped_run_goes_on(algorithm: str, covers: Path, tmp_path: Path) -> None:
    words = ["train", "vertex-cover", "--algorithm", algorithm, "--data", str(covers), "--offline-updates", "3"]
    words += [*SHORT, *SMALL, "--sizes", "5"]
    main([*words, "--steps", "24", "--run", str(tmp_path / "whole")])
    steps = [int(row["steps"]) for row in MetricsFile(tmp_path / "whole" / "metrics.csv").rows()]
    assert steps == [0, 0, 0, 8, 16, 24]
    main([*words, "--steps", "8", "--run", str(tmp_path / "parts")])
    main(["resume", str(tmp_path / "parts"), "--steps", "24"])
    assert [int(row["steps"]) for row in MetricsFile(tmp_path / "parts" / "metrics.csv").rows()] == steps


def test_what_does_not_fit_is_one_line(covers: Path, queues: Path, tmp_path: Path, capsys) -> None:
    def said(*words: str) -> str:
        run = tmp_path / "no"
        return fails(capsys, "train", *words, *SHORT, "--steps", "8", "--run", str(run))

    cover = ("vertex-cover", "--algorithm", "awac")
    assert "is of single-hop, whose rewards are not those of vertex-cover" in said(*cover, "--data", str(queues))
    assert "no such file" in said(*cover, "--data", str(tmp_path / "none.safetensors"))
    assert "offline-updates 3: from which file? give --data FILE" in said(*cover, "--offline-updates", "3")
    assert f"--capacity 8: {covers} has" in said(*cover, "--data", str(covers), "--capacity", "8")
    other = (*cover, "--data", str(covers), "--environment.legal", "any")
    assert "was recorded with --environment.legal useful, where any is played: rewards may differ" in said(*other)
    assert "was recorded with --environment.legal useful" in said(*other, "--invalid.handling", "penalty")
    for header, complaint in (
        ({"problem": "dominating-set"}, "is of dominating-set, whose rewards are not those of vertex-cover"),
        ({"actions": {}}, "is of other actions"),
        ({"environment": [1]}, "its header says no options in 'environment'"),
        ({"environment": {"view": {"of": 1}}}, "was recorded with --environment.view {'of': 1}, where"),
    ):
        recording, path = read_recording(covers), tmp_path / "other.safetensors"
        replace(recording, header={**recording.header, **header}).save(path)
        assert complaint in said(*cover, "--data", str(path))
    short = tmp_path / "short.safetensors"
    main(["record", "single-hop", "--expert", "max-weight", "--slots", "1", "--graphs", "3", "--out", str(short)])
    nothing = ("single-hop", "--algorithm", "dqn", "--data", str(short), "--offline-updates", "2")
    assert f"{short}: does not say where any of its steps led" in said(*nothing)


def patrols() -> GraphBatch:
    """Three maps with different teams, of whose agents some drop out while the others go on."""
    graphs = [PATROL.generator(sizes=(agents,))(1, seeded(agents)) for agents in (2, 3, 5)]
    instances = GraphBatch.concat(graphs)
    leaves = torch.where(instances.nodes["type"] == AGENT, 2 + 3 * torch.arange(instances.num_nodes) % 7, 0)
    return instances.with_nodes(leaves=leaves)


DECIDED = {
    "nodes": (CONFLICT_GRAPH, lambda: CONFLICT_GRAPH.generator(sizes=(4, 9))(4, seeded(3))),
    "links": (MULTI_HOP_LINKS, lambda: MULTI_HOP_LINKS.generator(sizes=(5, 8))(3, seeded(1))),
    "those that leave": (replace(PATROL, environment=replace(PATROL.environment, steps=9)), patrols),
    "those that earn": (FORAGING, lambda: FORAGING.generator(sizes=(2, 4))(3, seeded(2))),
}


class Given:
    """A source of these instances, again and again."""

    def __init__(self, instances: GraphBatch) -> None:
        self.instances = instances

    def draw(self, count: int) -> GraphBatch:
        return self.instances.select(torch.arange(count) % self.instances.num_graphs)


def key_of(states: GraphBatch, row: int) -> tuple[object, ...]:
    tensors = states.select(torch.tensor([row])).to_tensors()
    return tuple((name, tuple(column.flatten().tolist())) for name, column in sorted(tensors.items()))


@pytest.mark.parametrize("n_step", [1, 3])
@pytest.mark.parametrize("name", DECIDED)
def test_deciders_are_read_back_as_a_live_replay_remembers_them(name: str, n_step: int, tmp_path: Path) -> None:
    """The same rule on the same instances; of an episode that is cut off, what its last step led to is not recorded."""
    (problem, instances), path = DECIDED[name], tmp_path / "some.safetensors"
    environment, instances, slots = problem.environment, instances(), None
    if isinstance(environment, Endless):
        environment, slots = environment.without_cuts(), 8  # as it is recorded
    expert = find_expert(problem, environment, next(iter(experts_of(problem, environment))))
    record(environment, ExpertActor(environment, expert, 1.0, seeded()), instances, slots, {}).save(path)
    recording, read = read_recording(path), Replay(5000, InstancesOnce)
    remember(recording, read, n_step)

    actor = ExpertActor(environment, expert, 1.0, seeded())
    vector = VectorEnvironment(environment, Given(instances), instances.num_graphs)
    steps = int(torch.bincount(recording.episode.long()).max())
    config = ReplayConfig(num_envs=vector.num_envs, num_steps=steps, warm_up=0, capacity=5000)
    collector = ReplayCollector(vector, config, n_step, seeded())
    collector.behaviour = lambda *_: (actor.act(vector.state, vector.instances).action, None)
    collector.collect(None)

    first, known = collector.replay.select(collector.replay.ids), read.select(read.ids)
    rows, live = (
        {key_of(found.state, row): row for row in reversed(range(found.state.num_graphs))} for found in (known, first)
    )
    assert rows.keys() <= live.keys()
    own, theirs = known.groups[DECISIONS], first.groups[DECISIONS]
    assert list(own.columns) == list(theirs.columns)
    compared = 0
    for key, row in rows.items():
        other = live[key]
        if int(known.columns["length"][row]) != int(first.columns["length"][other]):
            continue  # cut off, as the state after the last step is in no file
        compared += 1
        for column in known.columns:
            assert torch.equal(known.columns[column][row], first.columns[column][other]), column
        mine, yours = (slice(*of.segments.ptr[at : at + 2].tolist()) for of, at in ((own, row), (theirs, other)))
        for column in own.columns:
            assert torch.equal(own.columns[column][mine], theirs.columns[column][yours]), column
        if not bool(known.columns["terminated"][row]):
            assert key_of(known.next_state, row) == key_of(first.next_state, other)
    assert compared >= recording.num_states - n_step * instances.num_graphs
    assert name != "those that leave" or bool((own.columns["successor"] < 0).any())


def test_deciders_are_learned_from_offline_and_older_files_are_refused(tmp_path: Path, capsys) -> None:
    """A recording of conflict-graph, where every node decides, was refused; without successors it still does for bc."""

    def said(path: Path, *words: str) -> str:
        run = ("--run", str(tmp_path / "no"))
        return fails(capsys, "train", *words, "--data", str(path), *SHORT, *SMALL, "--steps", "8", *run)

    path, awac = tmp_path / "nodes.safetensors", ("conflict-graph", "--algorithm", "awac")
    main(["record", "conflict-graph", "--expert", "max-weight", "--slots", "5", "--graphs", "2", "--out", str(path)])
    quick = ("--offline-updates", "2", *SHORT, *SMALL, "--sizes", "4", "--validation.slots", "4")
    main(["train", *awac, "--data", str(path), *quick, "--steps", "8", "--run", str(tmp_path / "run")])
    assert [int(row["steps"]) for row in MetricsFile(tmp_path / "run" / "metrics.csv").rows()] == [0, 0, 8]

    recording = read_recording(path)
    assert recording.successor is not None
    old = tmp_path / "old.safetensors"
    replace(recording, successor=None).save(old)
    assert f"{old}: holds no 'successor', who is who one step later; record it again, or take" in said(old, *awac)
    clone = ("--algorithm", "bc", "--bc.data", str(old), *SMALL, "--sizes", "4", "--validation.slots", "4")
    main(["train", "conflict-graph", *clone, "--steps", "8", "--run", str(tmp_path / "clone")])
    wrong = recording.successor.clone()
    wrong[1] = 99
    replace(recording, successor=wrong).save(old)
    assert "'successor' is out of range in row 1; it has to be the place of a decision" in said(old, *awac)

    earned, iql = tmp_path / "team.safetensors", ("foraging", "--algorithm", "iql")
    main(["record", "foraging", "--expert", "together", "--episodes", "2", "--out", str(earned)])
    team = read_recording(earned)
    assert team.own_reward is not None
    replace(team, own_reward=None).save(old)
    assert "holds no 'own_reward', what each agent earns; record it again" in said(old, *iql)
    replace(team, own_reward=team.own_reward + 1).save(old)
    assert "'reward' is out of range in row 0; it has to be the sum of its 'own_reward'" in said(old, *iql)
    assert "--identity.kind slot: a recording (--data) tells no agents" in said(earned, *iql, "--identity.kind", "slot")
