"""Imitation: what is collected, and that the update is the step of a plain loop over states."""

from __future__ import annotations

import copy
import signal
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from rich.console import Console
from torch import Tensor, nn

from environments import small_policy
from graphwright.algorithms.imitation import Imitation, ImitationConfig
from graphwright.core import GraphBatch
from graphwright.core.segment import segment_sum
from graphwright.data.actions import ActionTable
from graphwright.data.demonstrations import Demonstrations
from graphwright.data.states import WholeStates
from graphwright.envs.experts import experts_of
from graphwright.envs.problems.independent_set.environment import INDEPENDENT_SET
from graphwright.envs.queueing.conflict_graph.problem import CONFLICT_GRAPH
from graphwright.envs.queueing.single_hop.environment import SINGLE_HOP
from graphwright.envs.registry import CONTROLLED, SOLVED
from graphwright.nn import EncoderConfig, GraphPolicy
from graphwright.training.collectors.demonstrations import DemonstrationsConfig, collect_demonstrations
from graphwright.training.collectors.guidance import SETTLED, Guidance
from graphwright.training.config import ConfigError, TrainConfig
from graphwright.training.interrupt import Interrupted, Interruption
from graphwright.training.train import new_run, resume, train
from graphwright.training.validation import ValidationConfig
from strategies import seeded

pytest.importorskip("ortools")

ENVIRONMENT = INDEPENDENT_SET.environment
CONFIG = ImitationConfig(minibatch_size=10_000)
INSTANCES, SAMPLES = 6, 3
QUIET = Console(quiet=True)


def solved() -> tuple[GraphBatch, GraphBatch]:
    instances = INDEPENDENT_SET.generator(None, (6, 9))(INSTANCES, seeded())
    assert INDEPENDENT_SET.solve_exactly is not None
    solutions = INDEPENDENT_SET.solve_exactly(ENVIRONMENT, instances, 5.0).solution
    assert solutions is not None
    return instances, solutions


def collected(policy: GraphPolicy, expert_share: float) -> tuple[Demonstrations, Tensor]:
    instances, solutions = solved()
    guidance = Guidance(ENVIRONMENT, ENVIRONMENT, experts_of(INDEPENDENT_SET)["solver"], seeded())
    return collect_demonstrations(
        guidance, instances, solutions, policy, num_samples=SAMPLES, expert_share=expert_share
    )


def collect(policy: GraphPolicy, expert_share: float) -> Demonstrations:
    return collected(policy, expert_share)[0]


def test_an_expert_that_takes_every_step_arrives_at_its_solutions() -> None:
    _, returns = collected(small_policy(ENVIRONMENT), expert_share=1.0)
    best = ENVIRONMENT.objective(solved()[1]).repeat_interleave(SAMPLES)
    torch.testing.assert_close(returns.double(), best)


@pytest.mark.parametrize("expert_share", [0.0, 0.5, 1.0])
def test_the_expert_approves_of_the_free_nodes_of_its_solution(expert_share: float) -> None:
    demonstrations = collect(small_policy(ENVIRONMENT), expert_share)
    _, solutions = solved()
    for row in range(demonstrations.num_steps):
        state = demonstrations.states.select(torch.tensor([row]))
        goal = solutions.select(demonstrations.states.instance_row[[row]].long())
        right = goal.nodes["selected"] & state.nodes["free"]
        assert demonstrations.targets(torch.tensor([row])).tolist() == right.tolist()
        if expert_share == 1:
            assert right.any()


def test_an_update_is_the_step_of_a_loop_over_states() -> None:
    policy = small_policy(ENVIRONMENT)
    demonstrations = collect(policy, expert_share=0.3)
    other = copy.deepcopy(policy)
    metrics = Imitation(policy, ENVIRONMENT.observe, CONFIG, seeded()).update(demonstrations, progress=0.5)
    losses = []
    for row in range(demonstrations.num_steps):
        index = torch.tensor([row])
        distribution = other.distribution(ENVIRONMENT.observe(demonstrations.states.select(index)))
        right = demonstrations.targets(index)
        if right.any():
            losses.append(-distribution.probs[right].sum().log())
    adam = torch.optim.Adam(other.parameters(), lr=0.5 * CONFIG.learning_rate, eps=1e-5)
    loss = torch.stack(losses).mean()
    loss.backward()
    nn.utils.clip_grad_norm_(other.parameters(), CONFIG.max_grad_norm)
    adam.step()
    torch.testing.assert_close(metrics["imitation_loss"], loss.detach(), rtol=1e-3, atol=1e-5)
    for ours, theirs in zip(policy.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0.02 * CONFIG.learning_rate)


def test_several_decisions_a_graph_are_imitated_one_by_one() -> None:
    """On a ring of links that all decide at once, the loss is the mean over decisions that a loop computes."""
    environment = CONFLICT_GRAPH.environment
    policy = small_policy(environment)
    instances = CONFLICT_GRAPH.generator(None, (4, 5))(3, seeded())
    state = environment.reset(instances)
    guidance = Guidance(environment, environment, experts_of(CONFLICT_GRAPH)["local-greedy"], seeded())
    for _ in range(4):
        action, label = guidance.decide(policy, state, state, share=1.0)
        assert torch.equal(action, CONFLICT_GRAPH.baselines["local-greedy"].rule(environment, state))
        before, state = state, environment.step(state, action).state
    demonstrations = guidance.demonstrations(WholeStates(before), [label])
    distribution = policy.distribution(environment.observe(before))
    learner = Imitation(policy, environment.observe, CONFIG, seeded())
    loss, _ = learner.loss(distribution, demonstrations, torch.arange(3))
    torch.testing.assert_close(loss, -distribution.log_prob(action).mean())
    hard = Demonstrations(WholeStates(before), action=ActionTable.of([action], [environment.actions.deciders(before)]))
    torch.testing.assert_close(learner.loss(distribution, hard, torch.arange(3))[0], loss)


def test_settled_states_are_left_out_and_the_others_are_not() -> None:
    policy = small_policy(ENVIRONMENT)
    instances, solutions = solved()

    def rows(share: float) -> Demonstrations:
        guidance = Guidance(ENVIRONMENT, ENVIRONMENT, experts_of(INDEPENDENT_SET)["solver"], seeded(), share)
        return collect_demonstrations(guidance, instances, solutions, policy, num_samples=SAMPLES, expert_share=0.5)[0]

    assert rows(1.0).rows is None
    none = rows(0.0)
    assert none.rows is not None
    assert 0 < none.num_steps < none.states.num_states
    every = torch.arange(none.states.num_states)
    distribution = policy.distribution(ENVIRONMENT.observe(none.states.select(every)))
    right = segment_sum(distribution.probs * none.targets(every), distribution.segments)
    assert none.rows.tolist() == (right < SETTLED).nonzero().squeeze(1).tolist()
    some = rows(0.5)
    assert none.num_steps < some.num_steps < some.states.num_states


def test_without_candidates_no_state_is_settled_and_the_share_is_refused() -> None:
    """It did nothing without a word."""
    environment = CONFLICT_GRAPH.environment
    state = environment.reset(CONFLICT_GRAPH.generator(None, (4,))(2, seeded()))
    expert, action = experts_of(CONFLICT_GRAPH)["local-greedy"], CONFLICT_GRAPH.baselines["local-greedy"].rule
    policy = SimpleNamespace(
        distribution=lambda seen: SimpleNamespace(sample=lambda generator: action(environment, state))
    )
    every = Guidance(environment, environment, expert, seeded())
    assert every.decide(policy, state, state, share=0.5)[1].settled is None
    with pytest.raises(ConfigError, match=r"--settled-share 0\.5: needs the probability of every candidate"):
        replace(every, settled_share=0.5).decide(policy, state, state, share=0.5)


def test_passes_are_so_many_updates_of_one_batch() -> None:
    policies = [small_policy(ENVIRONMENT) for _ in range(2)]
    demonstrations = collect(policies[0], 0.5)
    twice = replace(CONFIG, passes=2)
    Imitation(policies[0], ENVIRONMENT.observe, twice, seeded()).update(demonstrations, progress=0.0)
    once = Imitation(policies[1], ENVIRONMENT.observe, CONFIG, seeded())
    for _ in range(2):
        once.update(demonstrations, progress=0.0)
    for ours, theirs in zip(policies[0].parameters(), policies[1].parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0.02 * CONFIG.learning_rate)


def test_the_share_of_the_expert_follows_the_run() -> None:
    config = DemonstrationsConfig(expert_share=0.8, final_expert_share=0.2)
    assert [config.share(progress) for progress in (-1.0, 0.0, 0.5, 1.0, 2.0)] == pytest.approx(
        [0.8, 0.8, 0.5, 0.2, 0.2]
    )
    assert DemonstrationsConfig(expert_share=0.3).share(0.7) == 0.3


def test_every_problem_with_a_rule_or_a_heuristic_has_an_expert() -> None:
    for name, problem in {**SOLVED, **CONTROLLED}.items():
        if problem.heuristics or problem.baselines:
            assert experts_of(problem), name


def test_what_never_ends_is_imitated_while_it_runs_on(tmp_path: Path) -> None:
    config = TrainConfig.for_problem(
        SINGLE_HOP,
        "imitation",
        steps=200,
        encoder={"width": 8, "depth": 1},
        collection={"expert": "longest-queue", "num_instances": 4, "num_samples": 2, "num_steps": 8},
        validation={"graphs": 1, "slots": 10, "sizes": (3,)},
    )
    run = train(SINGLE_HOP, config, tmp_path / "run", QUIET)
    assert run.counters.steps == 256
    assert run.latest["agreement"] > 0.2


def test_every_parameter_moves_and_there_is_no_critic() -> None:
    policy = small_policy(ENVIRONMENT)
    before = copy.deepcopy(policy)
    Imitation(policy, ENVIRONMENT.observe, CONFIG, seeded()).update(collect(policy, 0.5), progress=0.0)
    for (name, parameter), old in zip(policy.named_parameters(), before.parameters(), strict=True):
        moved = (parameter - old).abs().max()
        assert moved > 1e-5, name


def small_config() -> TrainConfig:
    return TrainConfig(
        environment=ENVIRONMENT,
        steps=300,
        algorithm="imitation",
        threads=1,
        device="cpu",
        encoder=EncoderConfig(width=8, depth=2),
        settings=ImitationConfig(minibatch_size=48),
        collection=DemonstrationsConfig(sizes=(5, 8), num_instances=4, num_samples=4),
        validation=ValidationConfig(sizes=(10,), graphs=4, every=2),
    )


class AfterIterations(Interruption):
    """Asks the run to stop when it has looked `count` times."""

    def __init__(self, count: int) -> None:
        self.left = count

    @property
    def signal(self) -> int | None:  # type: ignore[override]
        self.left -= 1
        return signal.SIGINT if self.left < 0 else None


def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = train(INDEPENDENT_SET, small_config(), tmp_path / "whole", QUIET)
    with monkeypatch.context() as patch:
        patch.setattr("graphwright.training.interrupt.Interruption", lambda: AfterIterations(3))
        with pytest.raises(Interrupted):
            train(INDEPENDENT_SET, small_config(), tmp_path / "parts", QUIET)
    parts = resume(tmp_path / "parts", console=QUIET)
    assert parts.counters.iteration == whole.counters.iteration > 3
    for name, tensor in whole.policy.state_dict().items():
        assert torch.equal(tensor, parts.policy.state_dict()[name]), name


def test_a_problem_without_an_expert_is_refused() -> None:
    nobody = replace(INDEPENDENT_SET, expert=None, heuristics={})
    with pytest.raises(ConfigError, match="--algorithm imitation: needs an expert"):
        TrainConfig.for_problem(nobody, "imitation")
    with pytest.raises(ConfigError, match="--algorithm imitation: needs an expert"):
        new_run(nobody, small_config(), "never-written")


@pytest.mark.parametrize(("option", "value"), [("expert_share", 1.5), ("num_instances", 0), ("solver_seconds", -1.0)])
def test_settings_that_make_no_algorithm_are_refused(option: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"--{option.replace('_', '-')}"):
        DemonstrationsConfig(**{option: value})  # type: ignore[arg-type]
