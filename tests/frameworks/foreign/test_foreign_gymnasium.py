"""Foreign Gymnasium environments: what they show, what they are told, and what is learned on them."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from rich.console import Console

from frameworks.foreign.foreign_environments import GRAPH, BreaksInReset, Changing, Cover, Faulty, Matrices
from graphwright.algorithms.ppo import PPOConfig
from graphwright.core import (
    ActionSpec,
    GraphBatch,
    GraphError,
    Observation,
    per_decider,
    per_edge,
    per_graph,
    per_neighbour,
    per_node,
    per_pair,
    per_unordered_pair,
)
from graphwright.core.seeds import derived_seed
from graphwright.envs.problem import random_choice
from graphwright.envs.problems.vertex_cover.environment import VERTEX_COVER, VertexCover
from graphwright.frameworks.foreign import (
    ForeignTraining,
    ForeignVectorEnv,
    WorkerOptions,
    from_gymnasium,
    load_policy,
    play_episodes,
    train_foreign,
)
from graphwright.frameworks.foreign.observation_reader import ObservationReader
from graphwright.frameworks.foreign.states import ForeignEnvironment
from graphwright.nn import ActorCritic, EncoderConfig, HeadsConfig
from graphwright.training.collectors.steps import collect_steps
from graphwright.workers.env_group import pack
from strategies import seeded

LINKS = ActionSpec(per_edge("take"))
TORQUES = ActionSpec(per_decider("n", continuous=1), decider="nodes")
QUIET = Console(quiet=True)
SMALL = ForeignTraining(steps=64, encoder=EncoderConfig(width=8, depth=1))


def policy_for(vector: ForeignVectorEnv) -> ActorCritic:
    torch.manual_seed(0)
    rules = vector.environment
    return ActorCritic(rules.features, rules.actions, EncoderConfig(width=8, depth=2), HeadsConfig())


# ---- what is seen --------------------------------------------------------------------------------------------------


def test_graph_alone_in_a_dict_and_in_a_tuple_are_the_same() -> None:
    vectors = {
        form: from_gymnasium(partial(Changing, form), 3, actions=LINKS, seed=4) for form in ("graph", "dict", "tuple")
    }
    for _ in range(12):
        plain, named, counted = (vector.state for vector in vectors.values())
        assert set(named.graphs) == {"clock"}
        assert set(counted.graphs) == {"1"}
        for other in (named, counted):
            for key, column in plain.to_tensors().items():
                torch.testing.assert_close(other.to_tensors()[key], column, rtol=0, atol=0)
        time = plain.nodes["x"][plain.node_ptr[:-1], 1]
        torch.testing.assert_close(named.graphs["clock"][:, 0], time)
        for vector in vectors.values():
            observation = vector.observe()
            vector.step(random_choice(vector.environment, seeded())(observation))  # type: ignore[arg-type]


def test_padded_matrices_are_stripped_and_other_entries_become_graph_columns() -> None:
    vector = from_gymnasium(Matrices, 2, actions=ActionSpec(per_node("take")), seed=1)
    state = vector.state
    state.validate()
    assert state.node_segments.lengths.tolist() == [3, 3]
    assert (state.edge_index[:, :4].t().tolist()) == [[1, 0], [0, 1], [2, 1], [1, 2]]
    assert state.edges["x"][:4, 0].tolist() == [5.0, 1.0, 11.0, 7.0]  # entry (u, v) of five columns is 5 u + v
    assert state.graphs["goal"].tolist() == [[0, 0, 1]] * 2
    assert vector.environment.features.graphs == {"goal": 3}
    best = vector.observe().graph.nodes["x"].view(2, 3).argmax(1)
    reward = vector.step(best).reward
    assert reward.tolist() == state.nodes["x"].view(2, 3).amax(1).tolist()
    both = from_gymnasium(Matrices, 2, actions=ActionSpec(per_node("take")), undirected=True, seed=1).state
    assert both.edges["x"][:4, 0].tolist() == [1.0, 1.0, 7.0, 7.0]
    assert "reverse" in both.edges


def test_types_of_nodes_and_edges_are_columns_of_their_own() -> None:
    space = spaces.Graph(node_space=spaces.Discrete(3, start=5), edge_space=spaces.Discrete(2))
    reader = ObservationReader(space, LINKS)
    row = reader.read(spaces.GraphInstance(np.array([5, 7]), np.array([1]), np.array([[0, 1]])))
    state = ForeignEnvironment(reader.features, LINKS).states([pack([row])])
    assert (reader.features.node_types, reader.features.edge_types, dict(reader.features.nodes)) == (3, 2, {})
    assert (state.nodes["type"].tolist(), state.edges["type"].tolist()) == ([0, 2], [1])


def test_policies_decide_as_on_the_native_environment() -> None:
    """Vertex cover, played through Gymnasium with links in another order, equals vertex cover played natively."""
    instances = VERTEX_COVER.generator(sizes=(6, 9))(4, seeded())
    makes = []
    for place in range(4):
        instance = instances.select(torch.tensor([place]))
        makes.append(partial(Cover, instance, torch.randperm(instance.num_edges, generator=seeded(place)).tolist()))
    vector = from_gymnasium(makes, 4, actions=ActionSpec(per_node("select")))
    torch.manual_seed(0)
    native = VertexCover(view="all")
    policy = ActorCritic(native.features, native.actions, EncoderConfig(kind="gin", width=16, depth=2), HeadsConfig())
    foreign = ActorCritic(
        vector.environment.features, native.actions, EncoderConfig(kind="gin", width=16, depth=2), HeadsConfig()
    )
    foreign.load_state_dict(policy.state_dict())
    state, live = native.reset(instances), torch.arange(4)
    while live.numel():
        ours, seen = native.observe(state), vector.environment.observe(vector.state.select(live))
        torch.testing.assert_close(foreign.distribution(seen).logits, policy.distribution(ours).logits)
        torch.testing.assert_close(foreign.value(seen), policy.value(ours))
        best = policy.best(ours)
        step = native.step(state, best)
        told = torch.zeros(4, dtype=torch.int64).index_copy(0, live, best)
        legal = vector.observe().masks[0]
        others = torch.tensor(
            [int(part.nonzero()[0]) for part in legal.split(vector.state.node_segments.lengths.tolist())]
        )
        told = torch.where(torch.isin(torch.arange(4), live), told, others)
        answer = vector.step(told)
        torch.testing.assert_close(answer.reward[live], step.reward)
        assert answer.terminated[live].tolist() == step.terminated.tolist()
        live, state = live[~step.terminated], step.state.select(~step.terminated)


# ---- what is told --------------------------------------------------------------------------------------------------

SPECS = [
    (ActionSpec(per_node("n", 2)), GRAPH),
    (ActionSpec(per_edge("e", 2)), GRAPH),
    (ActionSpec(per_graph("stop"), per_edge("e"), per_node("n", 3)), GRAPH),
    (ActionSpec(per_neighbour("go")), spaces.Dict({"graph": GRAPH, "at": spaces.Discrete(9)})),
]


@pytest.mark.parametrize("undirected", [False, True])
@pytest.mark.parametrize(("actions", "space"), SPECS)
def test_actions_and_masks_keep_their_own_order(actions: ActionSpec, space: spaces.Space, undirected: bool) -> None:
    random = np.random.default_rng(0)
    reader = ObservationReader(space, actions, undirected)
    rows, ats = [], []
    for _ in range(40):
        size = int(random.integers(1, 6))
        ats.append(int(random.integers(size)))
        links = random.integers(0, size, (int(random.integers(1, 9)), 2))
        links[random.integers(len(links)), 0] = ats[-1]  # something to choose from, whatever is chosen
        instance = spaces.GraphInstance(
            random.random((size, 2)), random.random((len(links), 1)).astype(np.float32), links
        )
        value = {"graph": instance, "at": ats[-1]} if isinstance(space, spaces.Dict) else instance
        count = len(reader.read(value)["mask"])
        rows.append(reader.read(value, random.random(count) < 0.6))
    rules = ForeignEnvironment(reader.features, actions, undirected)
    state = rules.states([pack(rows[:25]), pack(rows[25:])])
    state.validate()
    observation = rules.observe(state)
    mask, candidates = actions.arrange(state, observation.masks), actions.segments(state)
    most = int(candidates.lengths.max())
    told: list[list[list[int]]] = [[] for _ in rows]
    for action in range(most):  # candidates that a graph does not have repeat its first
        has = action < candidates.lengths
        answer = rules.env_actions(state, torch.where(has, action, 0))
        for graph in has.nonzero().squeeze(1).tolist():
            told[graph].append(answer[graph].tolist())
    for graph, row in enumerate(rows):
        start, stop = candidates.ptr[graph : graph + 2].tolist()
        numbers = [number for number, *_ in told[graph]]
        assert sorted(numbers) == list(range(stop - start))
        assert row["mask"][numbers].tolist() == mask[start:stop].tolist()
        for action, (_, block, own, column) in enumerate(told[graph]):
            choice = actions.locate(state.select(torch.tensor([graph])), torch.tensor([action]))
            assert (int(choice.block), int(choice.column)) == (block, column)
            if actions.blocks[block].rows.name == "edges":
                one = state.select(torch.tensor([graph]))
                edge = one.edge_index[:, one.links[0][choice.row]].flatten().tolist()
                link = row["links"][own].tolist()
                assert edge == link or (undirected and edge == link[::-1])


def test_neighbours_are_told_as_places_among_the_links_of_the_agents_node() -> None:
    actions = ActionSpec(per_neighbour("go"))
    reader = ObservationReader(spaces.Dict({"graph": GRAPH, "at": spaces.Discrete(9)}), actions)
    links = np.array([[1, 2], [0, 2], [0, 1], [2, 0], [0, 0]])
    value = {"graph": spaces.GraphInstance(np.zeros((3, 2)), np.zeros((5, 1)), links), "at": 0}
    rules = ForeignEnvironment(reader.features, actions)
    state = rules.states([pack([reader.read(value, [True, False, True])])])
    assert rules.observe(state).masks[0].tolist() == [True, False, True]  # to 0, 1, 2: third, second, first link out
    told = [rules.env_actions(state, torch.tensor([action]))[0].tolist() for action in range(3)]
    assert told == [[2, 0, 2, 0], [1, 0, 1, 0], [0, 0, 0, 0]]


class Told(gymnasium.Env):
    """Two nodes; remembers what it was told."""

    def __init__(self, space: spaces.Space) -> None:
        self.action_space, self.observation_space = space, GRAPH

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[spaces.GraphInstance, dict]:
        return spaces.GraphInstance(np.zeros((2, 2)), np.zeros((1, 1)), np.array([[0, 1]])), {}

    def step(self, action: object) -> tuple[spaces.GraphInstance, float, bool, bool, dict]:
        self.told = action
        return self.reset()[0], 0.0, False, False, {}


@pytest.mark.parametrize(
    ("space", "actions", "action", "told"),
    [
        (spaces.Discrete(6, start=2), ActionSpec(per_node("n", 3)), [4], 6),
        (spaces.MultiDiscrete([2, 3]), ActionSpec(per_node("n", 3)), [4], [1, 1]),
        (spaces.MultiDiscrete([2, 3], start=[0, -1]), ActionSpec(per_node("n", 3)), [4], [1, 0]),
        (spaces.MultiDiscrete([2, 2, 3]), ActionSpec(per_graph("g"), per_node("n", 3)), [5], [1, 1, 1]),
        (
            spaces.Box(-1, 1, (2, 1)),
            ActionSpec(per_decider("n", continuous=1), decider="nodes"),
            [[0.5], [-0.5]],
            [[0.5], [-0.5]],
        ),
    ],
)
def test_what_each_action_space_is_told(space: spaces.Space, actions: ActionSpec, action: list, told: object) -> None:
    vector = from_gymnasium(partial(Told, space), 1, actions=actions)
    vector.step(torch.tensor(action))
    assert np.asarray(vector.pool.group.envs[0].env.told).tolist() == told  # type: ignore[attr-defined]


# ---- what is refused -----------------------------------------------------------------------------------------------


def test_bad_input_is_named_in_one_line() -> None:
    with pytest.raises(ValueError, match="MultiDiscrete"):
        from_gymnasium(partial(Told, spaces.MultiBinary(3)), 1, actions=LINKS)
    with pytest.raises(ValueError, match="list the pairs as edges"):
        from_gymnasium(Changing, 1, actions=ActionSpec(per_pair("join")))
    with pytest.raises(ValueError, match="list the pairs as edges"):
        from_gymnasium(Changing, 1, actions=ActionSpec(per_unordered_pair("join")))
    with pytest.raises(GraphError, match="need 'at'"):
        from_gymnasium(Changing, 1, actions=ActionSpec(per_neighbour("go")))
    links = len(Changing().reset(seed=derived_seed(0, 0, 0, bits=32))[1]["action_mask"])
    message = f"the action mask has {links} entries, but the graph offers 1000 candidates"
    with pytest.raises(GraphError, match=message):
        from_gymnasium(Changing, 1, actions=ActionSpec(per_graph("go", 1000)))
    with pytest.raises(ValueError, match="2 functions for num_envs=3"):
        from_gymnasium([Changing, Changing], 3, actions=LINKS)
    with pytest.raises(GraphError, match="holds the graphs a, b"):
        ObservationReader(spaces.Dict({"a": GRAPH, "b": GRAPH}), LINKS)
    with pytest.raises(GraphError, match="no action is legal"):
        from_gymnasium(partial(NothingLegal, spaces.Discrete(9)), 2, actions=ActionSpec(per_node("n")))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"edge_links": np.array([[2, 3]])},
            "'links' names nodes 2 to 3, but the graph has 2",
        ),  # the neighbour's, else
        ({"edge_links": np.array([[-1, 0]])}, "'links' names nodes -1 to 0"),
        ({"nodes": np.zeros((2, 3))}, r"nodes have values of shape \(2, 3\); 2 of them with 2 each"),
        ({"edges": None}, r"edges have values of shape \(0,\); 1 of them with 1 each"),
    ],
)
def test_observations_that_do_not_fit_are_named_by_what_the_environment_showed(changed: dict, message: str) -> None:
    good = spaces.GraphInstance(np.zeros((2, 2)), np.zeros((1, 1)), np.array([[0, 1]]))
    with pytest.raises(GraphError, match=message):
        ObservationReader(GRAPH, LINKS).read(good._replace(**changed))


def test_spaces_that_hold_no_vector_and_places_that_do_not_exist_are_refused() -> None:
    with pytest.raises(GraphError, match="is not known as a graph with nodes or links; read as graphs are"):
        ObservationReader(
            spaces.Dict({"observation": spaces.Dict({"graph": GRAPH}), "action_mask": spaces.MultiBinary(3)}), LINKS
        )
    with pytest.raises(GraphError, match="entry 'past' of the observation"):
        ObservationReader(spaces.Dict({"graph": GRAPH, "past": spaces.Sequence(spaces.Discrete(2))}), LINKS)
    reader = ObservationReader(spaces.Dict({"graph": GRAPH, "at": spaces.Discrete(9)}), ActionSpec(per_neighbour("go")))
    instance = spaces.GraphInstance(np.zeros((2, 2)), np.zeros((1, 1)), np.array([[0, 1]]))
    with pytest.raises(GraphError, match="'at' names nodes 7 to 7"):
        reader.read({"graph": instance, "at": 7})
    matrices = ObservationReader(Matrices().observation_space, ActionSpec(per_node("take")), undirected=True)
    one_way = Matrices().reset(seed=0)[0]
    one_way["adjacency_matrix"] = np.tril(one_way["adjacency_matrix"])
    with pytest.raises(GraphError, match="adjacency_matrix is not symmetric"):
        matrices.read(one_way)


@pytest.mark.parametrize(
    ("space", "message"),
    [
        (spaces.Discrete(4, start=2), r"candidate 4 was chosen, but Discrete\(4, start=2\) has only 4 actions"),
        (spaces.MultiDiscrete([2, 1]), r"candidate \[1, 1\] was chosen, but MultiDiscrete\(.*\) counts to \[2, 1\]"),
    ],
)
def test_candidates_that_the_action_space_does_not_have_are_refused(space: spaces.Space, message: str) -> None:
    vector = from_gymnasium(partial(Told, space), 1, actions=ActionSpec(per_node("n", 3)))
    with pytest.raises(GraphError, match=message):
        vector.step(torch.tensor([4]))


def test_each_environment_has_an_action_space_of_its_own() -> None:
    makes = [partial(Told, spaces.Discrete(size, start=size)) for size in (2, 6)]
    vector = from_gymnasium(makes, 2, actions=ActionSpec(per_node("n", 3)))
    vector.step(torch.tensor([1, 5]))
    assert [env.env.told for env in vector.pool.group.envs] == [3, 11]  # type: ignore[attr-defined]


NAN = float("nan")


@pytest.mark.parametrize(
    ("changed", "clock", "message"),
    [
        ({"nodes": np.array([[0, 0], [0, NAN]])}, 0.0, r"column 'nodes.x' holds \[0.0, nan\] in row 1"),
        ({"edges": np.array([[np.inf]])}, 0.0, r"column 'edges.x' holds \[inf\] in row 0"),
        ({}, NAN, r"column 'graphs.clock' holds \[nan\] in row 0"),
    ],
)
def test_numbers_that_are_not_finite_are_refused_by_the_name_of_their_column(
    changed: dict, clock: float, message: str
) -> None:
    reader = ObservationReader(Changing("dict").observation_space, LINKS)
    good = spaces.GraphInstance(np.zeros((2, 2)), np.zeros((1, 1)), np.array([[0, 1]]))
    value = {"graph": good._replace(**changed), "clock": np.array([clock], np.float32)}
    with pytest.raises(GraphError, match=message):
        reader.read(value)


@pytest.mark.parametrize(
    ("nodes", "edges", "message"),
    [
        ([5, 8], [1], r"column 'nodes.type' holds 5 to 8, which are not all in Discrete\(3, start=5\)"),
        ([4, 5], [1], r"column 'nodes.type' holds 4 to 5"),
        ([5, 7], [2], r"column 'edges.type' holds 2 to 2, which are not all in Discrete\(2\)"),
    ],
)
def test_types_that_do_not_exist_are_refused_by_the_name_of_their_column(
    nodes: list, edges: list, message: str
) -> None:
    reader = ObservationReader(
        spaces.Graph(node_space=spaces.Discrete(3, start=5), edge_space=spaces.Discrete(2)), LINKS
    )
    with pytest.raises(GraphError, match=message):
        reader.read(spaces.GraphInstance(np.array(nodes), np.array(edges), np.array([[0, 1]])))


def test_what_an_environment_raises_says_which_one_it_was(tmp_path: Path) -> None:
    makes = [Changing, Changing, partial(Faulty, "raise", str(tmp_path / "flag"))]
    vector = from_gymnasium(makes, 3, actions=LINKS, options=WorkerOptions(max_failures=0))
    with pytest.raises(RuntimeError, match="diverged") as raised:
        collect_steps(vector, policy_for(vector), 200, seeded())
    assert raised.value.__notes__ == ["raised by environment 2 in a step"]
    with pytest.raises(RuntimeError, match="no licence") as raised:
        from_gymnasium([Changing, BreaksInReset], 2, actions=LINKS)
    assert raised.value.__notes__ == ["raised by environment 1 at the beginning of an episode"]


def test_a_run_of_so_many_steps_has_no_other_end() -> None:
    assert ForeignTraining(steps=10).seconds is None
    assert ForeignTraining().with_an_end().seconds == 60
    assert ForeignTraining(seconds=5, steps=10) == ForeignTraining(seconds=5.0, steps=10)
    for bad in ({"seconds": 0.0}, {"steps": 0}):
        with pytest.raises(ValueError, match=f"--{next(iter(bad))} 0"):
            ForeignTraining(**bad)  # type: ignore[arg-type]


class NothingLegal(Told):
    def action_masks(self) -> np.ndarray:
        return np.zeros(2, bool)


# ---- what is learned -----------------------------------------------------------------------------------------------


def test_collected_steps_are_what_the_environment_answered() -> None:
    vector = from_gymnasium(Changing, 4, actions=LINKS, seed=2)
    rollout = collect_steps(vector, policy_for(vector), 30, seeded())
    state = rollout.states.select(torch.arange(rollout.states.num_states))
    episode, time = state.nodes["x"][state.node_ptr[:-1]].t()
    next_row = rollout.next_row.long()
    done = rollout.terminated | rollout.truncated
    here, ongoing = torch.arange(120).view(30, 4), torch.arange(4, 124).view(30, 4)
    assert bool(rollout.truncated.any())
    stepped = ~rollout.terminated
    assert time[next_row][stepped].tolist() == (time[here] + 1)[stepped].tolist()
    assert episode[next_row][stepped].tolist() == episode[here][stepped].tolist()
    assert time[ongoing].tolist() == torch.where(done, 0.0, time[here] + 1).tolist()
    assert episode[ongoing].tolist() == (episode[here] + done).tolist()
    before = rollout.states.select(torch.arange(120))
    links = before.edge_ptr[:-1] + rollout.action.select(torch.arange(120))
    torch.testing.assert_close(rollout.reward.flatten(), before.edges["x"][links, 0])


class Reuses(gymnasium.Env):
    """Counts its steps in an array that it shows again and again; cut short after two."""

    observation_space, action_space = GRAPH, spaces.Discrete(1)

    def __init__(self) -> None:
        self.nodes = np.zeros((1, 2), np.float32)

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[spaces.GraphInstance, dict]:
        self.nodes[:] = 0
        return spaces.GraphInstance(self.nodes, np.zeros((1, 1)), np.array([[0, 0]])), {}

    def step(self, action: int) -> tuple[spaces.GraphInstance, float, bool, bool, dict]:
        self.nodes += 1
        shown = spaces.GraphInstance(self.nodes, np.zeros((1, 1)), np.array([[0, 0]]))
        return shown, 0.0, False, bool(self.nodes[0, 0] == 2), {}


def test_an_episode_that_was_cut_short_keeps_its_last_state_although_the_next_one_writes_over_it() -> None:
    with from_gymnasium(Reuses, 2, actions=ActionSpec(per_node("wait"))) as vector:
        vector.step(torch.zeros(2, dtype=torch.int64))
        step = vector.step(torch.zeros(2, dtype=torch.int64))
        assert step.final.nodes["x"][:, 0].tolist() == [2, 2]
        assert vector.state.nodes["x"][:, 0].tolist() == [0, 0]


def test_after_an_interrupted_step_no_answer_is_taken_for_that_of_another() -> None:
    with from_gymnasium(partial(Told, spaces.Discrete(2)), 1, actions=ActionSpec(per_node("n"))) as vector:
        vector.step(torch.tensor([0]))
        vector.pool.group.envs[0].env.step = interrupted  # type: ignore[attr-defined]
        for error in (KeyboardInterrupt, RuntimeError):
            with pytest.raises(error):
                vector.step(torch.tensor([0]))


def interrupted(action: object) -> None:
    raise KeyboardInterrupt


def heaviest(observation: Observation) -> torch.Tensor:
    graph: GraphBatch = observation.graph
    return graph.nodes["x"].view(graph.num_graphs, 3).argmax(1)


def test_ppo_learns_through_gymnasium_and_its_policy_is_a_file(tmp_path: Path) -> None:
    actions = ActionSpec(per_node("take"))
    config = ForeignTraining(
        seed=3,  # whose network begins with what is light: 0.29 of the best
        steps=1500,
        encoder=EncoderConfig(kind="sage", width=16, depth=1),
        num_steps=8,
        settings=PPOConfig(minibatch_size=64, learning_rate=1e-2),
    )
    with from_gymnasium(Matrices, 16, actions=actions) as vector, pytest.warns(UserWarning, match="drops the edge"):
        trained = train_foreign(vector, config, tmp_path / "run", QUIET)
    fresh = [from_gymnasium(Matrices, 8, actions=actions, seed=99) for _ in range(3)]
    learned = play_episodes(fresh[0], trained.learned().best, 4)
    best = play_episodes(fresh[1], heaviest, 4)
    assert learned.shape == (8, 4)
    assert learned.mean() > 0.97 * best.mean()
    assert math.isclose(trained.rows[-1]["steps"], 1536)
    with pytest.warns(UserWarning, match="drops the edge"):
        loaded = load_policy(tmp_path / "run" / "policy.safetensors")
    torch.testing.assert_close(play_episodes(fresh[2], loaded.best, 4), learned, rtol=0, atol=0)


def test_the_same_seed_is_the_same_run(tmp_path: Path) -> None:
    runs = [
        train_foreign(from_gymnasium(Changing, 4, actions=LINKS, seed=1), SMALL, tmp_path / name, QUIET).policy
        for name in "ab"
    ]
    for left, right in zip(*(run.state_dict().values() for run in runs), strict=True):
        torch.testing.assert_close(left, right, rtol=0, atol=0)
