"""DQN, SAC and AWAC: targets by a loop, every parameter moves, runs resume to the same bits, decisions are learned."""

from __future__ import annotations

import copy
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from decision_environments import ENVIRONMENTS as DECIDING
from decision_environments import LinkSpins, optimum
from graphwright.algorithms.algorithm import Setup
from graphwright.algorithms.dqn import DQNConfig
from graphwright.algorithms.registry import find_algorithm
from graphwright.algorithms.target import Target
from graphwright.algorithms.valued import ValuedDeciders, ValuedGraphs
from graphwright.core import Observation, from_edges
from graphwright.core.segment import Segments
from graphwright.data.replay import Transitions
from graphwright.data.ring import Group
from graphwright.data.sources import GeneratedInstances
from graphwright.distributions import RaggedCategorical
from graphwright.envs.generators import ErdosRenyi, InstanceGenerator
from graphwright.envs.problem import random_choice
from graphwright.envs.problems.vertex_cover.environment import VertexCover
from graphwright.envs.registry import find_problem
from graphwright.envs.rollouts import play
from graphwright.envs.team import has_own_reward
from graphwright.envs.vector import VectorEnvironment
from graphwright.nn import EncoderConfig, HeadsConfig
from graphwright.training.collectors.replay import ExploringReplayConfig, ReplayConfig
from graphwright.training.collectors.replay_collector import ReplayCollector
from graphwright.training.config import TrainConfig
from graphwright.training.interrupt import Interrupted, Interruption
from graphwright.training.train import resume, train
from strategies import seeded

QUIET = Console(quiet=True)
GENERATE = InstanceGenerator(ErdosRenyi(p=0.5), sizes=(3, 5))
REPLAYING = ["dqn", "sac", "awac"]
every = pytest.mark.parametrize("algorithm", REPLAYING)


def made(algorithm: str, environment: Any, config: Any = None, width: int = 8) -> Any:
    torch.manual_seed(0)
    encoder = EncoderConfig(kind="gin", width=width, depth=2)
    parts = environment.features, environment.actions, environment, encoder, HeadsConfig(), seeded()
    setup = Setup(algorithm, *parts, own_reward=has_own_reward(environment))
    found = find_algorithm(algorithm).load()
    return found.build(config or found.Config(), setup)


def collected(environment: Any, draw: Any, policy: Any, **options: Any) -> ReplayCollector:
    options = {"num_envs": 4, "num_steps": 4, "warm_up": 0, "capacity": 100, "num_minibatches": 1} | options
    vector = VectorEnvironment(environment, GeneratedInstances(draw, 0), options["num_envs"])
    n_step = 1 if has_own_reward(environment) else 2
    collector = ReplayCollector(vector, ExploringReplayConfig(**options), n_step, seeded())
    collector.collect(policy)
    return collector


@pytest.mark.parametrize(
    "config",
    [DQNConfig(double=False), DQNConfig(), DQNConfig(dueling=False), DQNConfig(munchausen=0.9, temperature=0.5)],
)
def test_targets_of_dqn_are_those_of_a_loop(config: DQNConfig) -> None:
    """Q = V + A − mean A, or the scores; y = Σ γᵏ r + γⁿ Q(s′, a*), one transition at a time; the loss is Huber's."""
    config = DQNConfig(**{**vars(config), "discount": 0.9})
    environment = VertexCover()
    algorithm = made("dqn", environment, config)
    with torch.no_grad():
        for parameter in algorithm.target.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=seeded(3)))
    replay = collected(environment, GENERATE, algorithm.policy).replay
    transitions = replay.select(replay.ids)
    online, target = copy.deepcopy(algorithm.policy), copy.deepcopy(algorithm.target.network)

    @torch.no_grad()
    def q_values(network: Any, state: Any) -> dict[int, float]:
        observation = environment.observe(state)
        scores, value = network(observation) if config.dueling else (network.distribution(observation), 0.0)
        legal = [place for place, score in enumerate(scores.logits.tolist()) if score > -1e30]
        if not config.dueling:
            return {place: float(scores.logits[place]) for place in legal}
        mean = sum(float(scores.logits[place]) for place in legal) / max(len(legal), 1)
        return {place: float(value) + float(scores.logits[place]) - mean for place in legal}

    losses = []
    for row in range(len(replay)):
        one = torch.tensor([row])
        state, after = transitions.state.select(one), transitions.next_state.select(one)
        action = int(transitions.groups["decisions"].columns["action"][row])
        length = int(transitions.columns["length"][row])
        y = sum(0.9**k * float(transitions.columns["reward"][row, k]) for k in range(length))
        if config.munchausen:
            here = torch.tensor(list(q_values(target, state).values())).double()
            logs = dict(zip(q_values(target, state), torch.log_softmax(here / 0.5, 0).tolist(), strict=True))
            y += 0.9 * min(max(0.5 * logs[action], -1.0), 0.0)
        if not transitions.columns["terminated"][row]:
            ahead = q_values(target, after)
            if config.munchausen:
                best = 0.5 * float(torch.logsumexp(torch.tensor(list(ahead.values())).double() / 0.5, 0))
            else:
                chooser = q_values(online, after) if config.double else ahead
                best = ahead[max(chooser, key=lambda place: chooser[place])]
            y += 0.9**length * best
        error = abs(q_values(online, state)[action] - y)
        losses.append(0.5 * error**2 if error <= 1 else error - 0.5)
    metrics, _ = algorithm._step(transitions)
    assert float(metrics["value_loss"]) == pytest.approx(sum(losses) / len(losses), rel=1e-4)


def test_a_graph_in_which_nobody_decides_has_a_value_too() -> None:
    """As one without edges, where edges decide: episodes lead there, and go on from there."""
    environment = LinkSpins()
    graph = from_edges(torch.tensor([[0], [1]]), torch.tensor([2, 2]), undirected=True)
    graph = graph.with_nodes(field=torch.ones(4)).with_edges(coupling=torch.ones(2))
    observation = environment.observe(environment.reset(environment.instance(graph)))
    algorithm = made("dqn", environment)
    scores, join = algorithm.read(algorithm.policy, observation)
    assert scores.segments.num_groups == 1
    value = algorithm.policy.value(observation)
    assert join(scores.at(scores.mode, scores.logits))[1] == value[1] != 0


def test_values_of_deciders_follow_their_successors() -> None:
    """Two graphs of two deciders and one; the second goes on as the first, the first is gone; the last graph ended."""
    here = Segments.from_lengths(torch.tensor([2, 1]))
    columns = {"reward": torch.tensor([[1.0], [2.0], [3.0]]), "successor": torch.tensor([-1, 0, 0])}
    transitions = Transitions(
        torch.arange(2),
        None,
        None,
        {"terminated": torch.tensor([False, True]), "reward": torch.tensor([[3.0], [3.0]])},
        {"decisions": Group(here, columns)},
        torch.ones(2),
    )
    after = Segments.from_lengths(torch.tensor([1]))  # of the graphs that go on
    deciders = ValuedDeciders()
    assert deciders.following(torch.tensor([7.0]), transitions, after).tolist() == [0, 7, 0]
    assert deciders.rewards(transitions).tolist() == [[1], [2], [3]]
    assert deciders.of_graphs(torch.tensor([5.0, 6.0]), here).tolist() == [5, 5, 6]
    assert deciders.mean(torch.tensor([1.0, 2.0, 3.0]), here).tolist() == [1.5, 3]
    graphs = ValuedGraphs()
    assert graphs.following(torch.tensor([7.0]), transitions, after).tolist() == [7, 0]
    assert graphs.total(torch.tensor([1.0, 2.0, 3.0]), here).tolist() == [3, 3]


@every
def test_networks_are_asked_of_no_state_after_the_end(algorithm: str) -> None:
    """Where an episode has ended its return is known, and no network says what follows."""
    environment = VertexCover()
    own = made(algorithm, environment)
    config = ExploringReplayConfig(num_envs=4, num_steps=16, warm_up=0, capacity=100, num_minibatches=1)
    vector = VectorEnvironment(environment, GeneratedInstances(GENERATE, 0), 4)
    collector = ReplayCollector(vector, config, 16, seeded())
    collector.collect(own.policy)
    replay = collector.replay
    ended = replay.select(replay.ids).columns["terminated"]
    asked: list[int] = []
    worth = own._worth

    def noting(observation: Observation, graphs: Segments) -> torch.Tensor:
        asked.append(observation.graph.num_graphs)
        return worth(observation, graphs)

    own._worth = noting
    finished = own._following(replay.select(replay.ids[ended]))
    assert ended.any()
    assert not asked
    assert not finished.any()
    together = own._following(replay.select(replay.ids))
    assert sum(asked) == int((~ended).sum()) > 0
    assert not together[ended].any()
    torch.testing.assert_close(together[~ended], own._following(replay.select(replay.ids[~ended])))


def test_a_target_moves_part_of_the_way_at_its_period() -> None:
    network, other = torch.nn.Linear(1, 1, bias=False), torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(network.weight, 0.0)
    torch.nn.init.constant_(other.weight, 8.0)
    target = Target(network, rate=0.5, period=2)
    found = []
    for _ in range(4):
        target.follow(other)
        found.append(float(target.network.weight.detach()))
    assert found == [0, 4, 4, 6]


@every
@pytest.mark.parametrize("name", ["vertex-cover", *DECIDING])
def test_every_parameter_moves_and_targets_follow(algorithm: str, name: str) -> None:
    environment, draw = (VertexCover(), GENERATE) if name == "vertex-cover" else DECIDING[name]
    own = made(algorithm, environment)
    before = {key: tensor.clone() for key, tensor in own.state_dict().items()}
    collector = collected(environment, draw, own.policy, num_minibatches=3, minibatch_size=64, priority=0.6)
    own.update(collector.collect(own.policy).batch, 0.0)
    networks = ("policy.", "critic.", "target.network.", "temperature.")
    still = [
        key
        for key, tensor in own.state_dict().items()
        if key.startswith(networks) and key in before and torch.equal(tensor, before[key])
    ]
    assert not still
    assert len(collector.replay.priority().unique()) > 1


def test_sac_leads_the_entropy_to_its_share() -> None:
    """Where the entropy is above what is wanted α falls, below it rises."""
    environment = VertexCover()
    for entropy, rises in ((0.0, False), (1.0, True)):
        own = made("sac", environment)
        own.config = type(own.config)(entropy=entropy)
        collector = collected(environment, GENERATE, own.policy, num_minibatches=5)
        before = float(own.temperature.log.detach())
        own.update(collector.collect(own.policy).batch, 0.0)
        assert (float(own.temperature.log.detach()) > before) == rises


def test_awac_repeats_what_was_better_than_the_mean() -> None:
    """Two candidates worth 0 and 1, π = ½: weights e^(±½ / λ), of the logarithm of ½."""
    own = made("awac", VertexCover())
    policy = RaggedCategorical(torch.zeros(4), Segments.from_lengths(torch.tensor([2, 2])))
    loss, _ = own.actor_loss(
        policy, torch.tensor([0.0, 1.0, 0.0, 1.0]), torch.tensor([1, 0]), Segments.from_lengths(torch.tensor([1, 1]))
    )
    weights = [torch.tensor(sign * 0.5 / 0.3).exp() for sign in (1, -1)]
    torch.testing.assert_close(loss, torch.stack(weights).mean() * torch.tensor(2.0).log())


class AfterIterations(Interruption):
    """Asks the run to stop when it has looked `count` times."""

    def __init__(self, count: int) -> None:
        self.left = count

    @property
    def signal(self) -> signal.Signals | None:  # type: ignore[override]
        self.left -= 1
        return signal.SIGINT if self.left < 0 else None


@every
def test_resumed_equals_uninterrupted_bit_for_bit(
    algorithm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = TrainConfig.for_problem(
        "vertex-cover",
        algorithm,
        steps=160,
        threads=1,
        encoder={"width": 8, "depth": 1},
        collection={
            "sizes": (5, 8), "num_envs": 8, "num_steps": 4, "warm_up": 64, "capacity": 100, "minibatch_size": 16,
            "num_minibatches": 2,
        },
        validation={"sizes": (8,), "graphs": 2},
        checkpoint_seconds=0.0,
    )  # fmt: skip
    whole = train("vertex-cover", config, tmp_path / "whole", QUIET)
    with monkeypatch.context() as patch:
        patch.setattr("graphwright.training.interrupt.Interruption", lambda: AfterIterations(2))
        with pytest.raises(Interrupted):
            train("vertex-cover", config, tmp_path / "parts", QUIET)
    parts = resume(tmp_path / "parts", console=QUIET)
    assert parts.counters.iteration == whole.counters.iteration
    for name, tensor in whole.algorithm.state_dict().items():
        assert torch.equal(tensor, parts.algorithm.state_dict()[name]), name


def test_dqn_comes_near_the_optimum_of_several_decisions() -> None:
    """A few seconds of spins: most of the way from random choice to the optimum."""
    environment, draw = DECIDING["spins of nodes"]
    own = made("dqn", environment, DQNConfig(learning_rate=1e-2), width=16)
    collector = collected(
        environment, draw, own.policy, num_envs=64, num_minibatches=8, minibatch_size=128, capacity=4096, warm_up=512
    )
    for update in range(25):
        own.update(collector.collect(own.policy).batch, update / 25)
    instances = environment.instance(draw(100, seeded(99)))
    reached = environment.objective(play(environment, instances, own.policy.best)).sum()
    drawn = environment.objective(play(environment, instances, random_choice(environment, seeded()))).sum()
    best = optimum(environment, instances).sum()
    assert reached - drawn > 0.75 * (best - drawn)


@pytest.mark.parametrize("algorithm", REPLAYING)
def test_returns_of_tours_are_those_of_whole_episodes(algorithm: str) -> None:
    """A far node pays later: what is learned step by step from costs goes for what is near."""
    config = TrainConfig.for_problem("tour", algorithm)
    assert config.collection.n_step == config.collection.num_steps >= 2 * max(find_problem("tour").sizes)


def test_who_gives_fewer_steps_than_a_problem_looks_ahead_is_told_of_both() -> None:
    with pytest.raises(ValueError, match=r"--n-step 64: .* --num-steps 8; give 1 to 8"):
        TrainConfig.for_problem("tour", "dqn", collection={"num_steps": 8})
    assert TrainConfig.for_problem("tour", "dqn", collection={"num_steps": 8, "n_step": 8}).collection.num_steps == 8


@pytest.mark.parametrize("algorithm", ["dqn", "awac"])
def test_continuous_actions_are_refused(algorithm: str) -> None:
    with pytest.raises(ValueError, match=f"--algorithm {algorithm}: needs candidates to choose from, and 'torque' is"):
        train("locomotion", TrainConfig.for_problem("locomotion", algorithm, steps=1), "never", QUIET)


@every
@pytest.mark.parametrize(("option", "value"), [("discount", 2.0), ("target_rate", -1.0), ("learning_rate", -1.0)])
def test_settings_that_make_no_algorithm_are_refused(algorithm: str, option: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"--{algorithm}.{option.replace('_', '-')}"):
        find_algorithm(algorithm).load().Config(**{option: value})


@pytest.mark.parametrize(
    "options", [{"n_step": 0}, {"n_step": 9}, {"capacity": 3}, {"priority": -1.0}, {"warm_up": 10**9}]
)
def test_collections_that_collect_nothing_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"--{next(iter(options)).replace('_', '-')}"):
        ReplayConfig(**options)
