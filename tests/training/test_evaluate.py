"""Evaluation, decoding, solving and statistics."""

import networkx as nx
import numpy as np
import pytest
import torch
from rich.console import Console

from graphwright.adapters.networkx import from_networkx
from graphwright.core.segment import segment_sum
from graphwright.envs.problems.vertex_cover.environment import VERTEX_COVER, VertexCover
from graphwright.nn import EncoderConfig
from graphwright.training.agent import load
from graphwright.training.checkpoint import CheckpointError
from graphwright.training.collectors.steps import StepsConfig
from graphwright.training.config import ConfigError, TrainConfig, changed
from graphwright.training.config_json import from_json, to_json
from graphwright.training.evaluate import EvaluationOptions, evaluate
from graphwright.training.evaluate_solutions import generated
from graphwright.training.solve import solve
from graphwright.training.statistics import bootstrap_ratio
from graphwright.training.train import train
from graphwright.training.validation import ValidationConfig


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    directory = tmp_path_factory.mktemp("run") / "vc"
    config = TrainConfig(
        environment=VertexCover(),
        steps=1,
        threads=1,
        device="cpu",
        encoder=EncoderConfig(width=16, depth=2),
        collection=StepsConfig(num_envs=8, num_steps=4),
        validation=ValidationConfig(sizes=(8,), graphs=2),
    )
    train("vertex-cover", config, directory, Console(quiet=True))
    return directory


def test_evaluation_brackets_the_policy_and_repeats(run):
    options = EvaluationOptions(sizes=(6, 12), graphs=20)
    first, again = evaluate(load(run, "cpu"), options), evaluate(load(run, "cpu"), options)
    for row, same in zip(first, again, strict=True):
        assert row.optimum <= row.heuristics["greedy"] <= row.random * 1.05
        assert row.optimum <= row.policy + 1e-6
        assert row.ratio_low <= row.ratio <= row.ratio_high
        assert row.ratio == pytest.approx(row.policy / row.optimum)
        assert row.proven == row.graphs == 20
        assert (row.policy, row.random, row.ratio_low) == (same.policy, same.random, same.ratio_low)


def test_the_best_known_is_that_of_whoever_found_it(run):
    """Where all optima are proven and given, they are the best; each graph counts once, for the policy where it can."""
    agent = load(run, "cpu")
    (row,) = evaluate(agent, EvaluationOptions(sizes=(12,), graphs=20))
    assert row.best == row.optimum
    assert sum(row.best_by.values()) == 20
    instances = generated(agent, EvaluationOptions(sizes=(12,), graphs=20))["12"]
    own = agent.config.environment.objective(agent.solve(instances))
    best = agent.problem.solve_exactly(agent.config.environment, instances, 10.0).objective
    assert row.best_by.get("policy", 0) == int((own == best).sum())
    (alone,) = evaluate(agent, EvaluationOptions(sizes=(12,), graphs=20, policy_only=True))
    assert (alone.best, alone.best_by) == (None, {})
    assert (alone.policy, alone.optimum) == (row.policy, row.optimum)


def test_best_of_is_never_worse_than_greedy_and_improves_with_samples(run):
    agent = load(run, "cpu")
    instances = agent.config.collection.instances(agent.problem)(30, torch.Generator().manual_seed(3))
    cost = agent.config.environment.cost
    greedy = cost(agent.solve(instances))
    few = cost(agent.solve(instances, "best-of", samples=2))
    many = cost(agent.solve(instances, "best-of", samples=40))
    assert bool((few <= greedy).all())
    assert many.mean() < few.mean()
    assert torch.equal(cost(agent.solve(instances, "best-of", samples=1)), greedy)


def test_solutions_are_covers_in_the_users_names(run):
    named = from_networkx(nx.karate_club_graph())
    agent = load(run, "cpu")
    solution = solve(agent, named.graph, named.names, time_limit=5)
    chosen = {int(name) for name in solution.nodes}
    assert all(u in chosen or v in chosen for u, v in nx.karate_club_graph().edges)
    assert solution.complete
    assert solution.objective == len(chosen) >= solution.bound == 14


def test_saved_agents_decide_the_same_on_every_size(run, tmp_path):
    agent = load(run, "cpu")
    agent.save(tmp_path / "copy")
    copy = load(tmp_path / "copy", "cpu")
    for size in (1, 2, 20, 100):
        instances = agent.problem.generator(sizes=(size,))(5, torch.Generator().manual_seed(size))
        assert torch.equal(agent.solve(instances).nodes["selected"], copy.solve(instances).nodes["selected"])


@pytest.mark.parametrize("factor", [1e-3, 100.0, 1e30])
def test_the_unit_of_a_users_weights_changes_no_decision(run, factor):
    agent = load(run, "cpu")
    graphs = agent.config.collection.instances(agent.problem)(20, torch.Generator().manual_seed(1))
    factor = 2.0 ** round(np.log2(factor))  # exact in floating point, so that the decisions are the same to the bit
    scaled = graphs.with_nodes(weight=graphs.nodes["weight"] * factor)
    chosen, again = (agent.solve(agent.config.environment.instance(batch)) for batch in (graphs, scaled))
    assert torch.equal(chosen.nodes["selected"], again.nodes["selected"])
    cost = agent.config.environment.cost
    torch.testing.assert_close(cost(again), cost(chosen) * factor)


def test_scores_that_are_not_finite_are_an_error_and_no_endless_episode(run):
    agent = load(run, "cpu")
    with torch.no_grad():
        agent.policy.actor.heads[0].score.weight.fill_(torch.nan)
    with pytest.raises(ValueError, match="not finite"):
        agent.solve(agent.config.collection.instances(agent.problem)(2, torch.Generator().manual_seed(1)))


def test_loading_leaves_the_global_generator_alone(run):
    before = torch.get_rng_state()
    load(run, "cpu")
    assert torch.equal(before, torch.get_rng_state())


def test_instances_without_edges_are_solved_by_nothing(run):
    agent = load(run, "cpu")
    named = from_networkx(nx.empty_graph(3))
    state = agent.solve(agent.config.environment.instance(named.graph), "best-of", samples=3)
    assert not state.nodes["selected"].any()
    assert bool(agent.config.environment.is_complete(state).all())


def test_bootstrap_interval_covers_the_true_ratio_as_often_as_it_says():
    """200 samples of 50 pairs whose true ratio is 1.5: about 95 % of the intervals hold it."""
    generator = torch.Generator().manual_seed(0)
    hits = 0
    for seed in range(200):
        below = torch.rand(50, generator=generator) + 0.5
        above = 1.5 * below + 0.3 * torch.randn(50, generator=generator)
        interval = bootstrap_ratio(above, below, resamples=400, seed=seed)
        hits += interval.low <= 1.5 <= interval.high
    assert 178 <= hits <= 198  # ± 3 standard deviations of Binomial(200, 0.94)


def test_bootstrap_of_equal_ratios_has_no_width_and_nothing_over_nothing_is_one():
    below = torch.tensor([1.0, 2.0, 3.0])
    assert bootstrap_ratio(2 * below, below) == pytest.approx((2, 2, 2))
    assert bootstrap_ratio(torch.zeros(3), torch.zeros(3)) == (1, 1, 1)
    assert bootstrap_ratio(below, torch.zeros(3)) == (torch.inf, torch.inf, torch.inf)


def test_config_json_round_trip():
    config = TrainConfig(environment=VertexCover(legal="any"), steps=5)
    config = changed(config, {"collection": {"sizes": (3, 4), "generator": "erdos-renyi:p=0.4"}})
    assert from_json(to_json("vertex-cover", config)) == (VERTEX_COVER, config)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"kind": "graphconv"', '"kind": "magic"', "encoder.kind"),
        ('"width": ', '"widht": ', "encoder.widht"),
        ('"seed": 0', '"seed": "zero"', "seed"),
        ('"vertex-cover"', '"edge-cover"', "edge-cover"),
        ('"sizes": [', '"sizes": [0, ', "sizes"),
        ("{", "[", "JSON"),
    ],
)
def test_a_broken_config_names_the_option(old, new, message):
    text = to_json("vertex-cover", TrainConfig.for_problem("vertex-cover"))
    assert old in text
    with pytest.raises(ConfigError, match=message) as caught:
        from_json(text.replace(old, new, 1))
    assert "\n" not in str(caught.value)


def test_altered_policy_is_refused(run, tmp_path):
    agent = load(run, "cpu")
    agent.save(tmp_path)
    path = tmp_path / "policy.safetensors"
    data = np.frombuffer(path.read_bytes(), dtype=np.uint8).copy()
    data[-3] ^= 255
    path.write_bytes(data.tobytes())
    with pytest.raises(CheckpointError, match="checksum"):
        load(tmp_path, "cpu")


def test_random_baseline_is_worse_than_greedy_is_worse_than_optimal(run):
    agent = load(run, "cpu")
    instances = agent.config.collection.instances(agent.problem)(50, torch.Generator().manual_seed(0))
    environment = agent.config.environment
    greedy, two = (
        environment.cost(agent.problem.heuristics[name](environment, instances))
        for name in ("greedy", "two-approximation")
    )
    optimum = agent.problem.solve_exactly(environment, instances, 5.0)
    total = segment_sum(instances.nodes["weight"], instances.node_segments)
    for cost in (greedy, two):
        assert bool((cost >= optimum.objective - 1e-5).all())
        assert bool((cost <= total).all())
    assert bool((two <= 2 * optimum.objective + 1e-5).all())
