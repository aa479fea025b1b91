"""Fine-tuning: any algorithm begins with the policy of any run of the same columns, and says what came of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from command_line import fails
from graphwright.algorithms.algorithm import Algorithm
from graphwright.cli.main import main
from graphwright.envs.registry import find_problem
from graphwright.training.agent import load
from graphwright.training.checkpoint import load_checkpoint
from graphwright.training.config import ConfigError, TrainConfig
from graphwright.training.train import new_run, resume

QUICK = "--encoder.width 8 --encoder.depth 1"
SHORT = ["--validation.graphs", "2", "--validation.sizes", "5", "--validation.every", "50"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A policy that covers vertices."""
    path = tmp_path_factory.mktemp("start") / "first"
    words = ["--algorithm", "ppo", "--steps", "64", "--num-envs", "8", "--num-steps", "4", "--run", str(path)]
    main(["train", "vertex-cover", *QUICK.split(" "), *SHORT, *words])
    return path


@pytest.mark.parametrize("algorithm", ["ppo", "a2c", "dqn", "sac", "awac", "reinforce", "imitation"])
def test_every_algorithm_begins_with_its_policy(algorithm: str, run: Path) -> None:
    before = load(run)
    same = {name: getattr(before.config, name) for name in ("encoder", "heads")}
    watched = {"graphs": 1, "sizes": (5,)}
    config = TrainConfig.for_problem("vertex-cover", algorithm, start=str(run), steps=1, validation=watched, **same)
    begun = new_run("vertex-cover", config, "never-written")
    for name, tensor in before.policy.state_dict().items():
        assert torch.equal(begun.algorithm.acting_state()[name], tensor), name
        assert torch.equal(begun.best[name], tensor), name
    if algorithm == "dqn":
        state = begun.algorithm.state_dict()
        assert all(
            torch.equal(state[f"target.network.{key}"], state[f"policy.{key}"]) for key in before.policy.state_dict()
        )


def begun_at(run: Path, algorithm: str, **settings: object) -> Algorithm:
    same = {name: getattr(load(run).config, name) for name in ("encoder", "heads")}
    watched = {"graphs": 1, "sizes": (5,)}
    config = TrainConfig.for_problem(
        "vertex-cover", algorithm, start=str(run), steps=1, validation=watched, settings=settings, **same
    )
    return new_run("vertex-cover", config, "never-written").algorithm


@pytest.mark.parametrize("algorithm", ["ppo", "dqn"])
def test_values_mean_the_same_in_other_units(algorithm: str, tmp_path: Path) -> None:
    """Values of a run that learned them as they are stay; those in standard deviations are not taken for others."""
    for name, words in (("plain", []), ("normal", [f"--{algorithm}.normalize-values"])):
        words = ["--algorithm", algorithm, "--steps", "64", "--num-envs", "8", "--run", str(tmp_path / name), *words]
        words += ["--num-steps", "4"] if algorithm == "ppo" else ["--warm-up", "64"]
        main(["train", "vertex-cover", *QUICK.split(" "), *SHORT, *words])
    said = torch.tensor([-3.0, 5.0])
    for normal in (False, True):
        begun: Any = begun_at(tmp_path / "plain", algorithm, normalize_values=normal)
        scales = [begun.scale, *([begun.target.scale] if algorithm == "dqn" else [])]
        assert all(torch.equal(scale.values(said), said) for scale in scales)
        begun = begun_at(tmp_path / "normal", algorithm, normalize_values=True)
        state = load_checkpoint(tmp_path / "normal" / "trainer.safetensors")[0]
        assert torch.equal(begun.scale.mean, state["algorithm.scale.mean"])
        scales = [begun.scale, *([begun.target.scale] if algorithm == "dqn" else [])]
        assert all(torch.equal(scale.values(said), begun.scale.values(said)) for scale in scales)
    with pytest.raises(ConfigError, match=f"its values are in standard deviations; take --{algorithm}.normalize-val"):
        begun_at(tmp_path / "normal", algorithm, normalize_values=False)


def test_the_report_says_what_was_kept_and_gained(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = tmp_path / "new"
    region = ["--trust-region.kind", "line-search", "--trust-region.kl", "0.02"]
    words = ["--algorithm", "a2c", "--steps", "64", "--num-envs", "8", "--num-steps", "4", "--sizes", "6"]
    main(["train", "vertex-cover", "--from", str(run), *words, *region, *SHORT, "--run", str(new)])
    said = capsys.readouterr().err
    report = json.loads((new / "fine-tuning.json").read_text())
    assert report["from"] == str(run)
    for which in ("old", "new"):
        assert set(report[which]) == {"metric", "better", "before", "after"}
        assert report[which]["metric"] == "validation_gap"
        assert f"{report[which]['before']:.4g} before" in " ".join(said.split())
    moved = shutil.move(run, tmp_path / "elsewhere")
    try:
        assert resume(new, steps=96).counters.steps == 96  # what it needs is in its own checkpoint
    finally:
        shutil.move(moved, run)


def test_a_run_of_other_columns_is_refused_by_their_names(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def refused(problem: str, *words: str) -> str:
        return fails(capsys, "train", problem, "--from", run, "--run", run.parent / "not", *words, "--steps", "1")

    said = refused("max-cut")
    theirs = set(find_problem("vertex-cover").environment.features.nodes)
    ours = set(find_problem("max-cut").environment.features.nodes)
    assert f"--from {run}" in said
    assert all(f"'{name}'" in said for name in theirs ^ ours)
    assert "--encoder.width 8" in refused("vertex-cover", "--encoder.width", "16")
    assert "no run" in fails(capsys, "train", "vertex-cover", "--from", run.parent, "--run", run.parent / "not")
    region = ["--trust-region.kind", "penalty"]
    assert "--from RUN" in fails(capsys, "train", "vertex-cover", "--run", run.parent / "not", *region)
    assert "no probabilities" in refused("vertex-cover", "--algorithm", "dqn", *region)
    remembering = ["--algorithm", "ippo", "--memory", "4", "--from", run, *region]
    assert "leave one out" in fails(capsys, "train", "foraging", "--run", run.parent / "not", *remembering)
    assert not (run.parent / "not").exists()


def test_what_agents_remember_or_know_of_themselves_is_told_by_its_option(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It was by the columns that these options make, which nobody has typed."""
    small = [*QUICK.split(" "), "--validation.graphs", "2", "--num-envs", "4", "--num-steps", "4", "--steps", "16"]
    coverage = ["train", "coverage", "--algorithm", "ippo", "--agents", "2", *small]
    options = {"memory": ["--memory", "4"], "slot": ["--identity.kind", "slot"], "none": []}
    for name, words in options.items():
        main([*coverage, *words, "--run", str(tmp_path / name)])

    def refused(start: str, *words: str) -> str:
        return fails(capsys, *coverage, "--from", tmp_path / start, "--run", tmp_path / "not", *words)

    assert "its agents have --memory 4; take the same" in refused("memory")
    assert "its agents have --identity.kind slot --identity.most 8; take the same" in refused("slot", "--memory", "4")
    assert "its agents have no --memory; take the same" in refused("none", "--memory", "4")
    recorded = ["--episodes", "1", "--out", tmp_path / "x.safetensors"]
    for name, option in (("memory", "--memory"), ("slot", "--identity.kind")):
        said = fails(capsys, "record", "coverage", "--run", tmp_path / name, *recorded)
        assert f"a recording has no column for {option}" in said
