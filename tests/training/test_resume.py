"""A run that is interrupted and resumed ends with the very weights of one that never stopped."""

import pickle
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch
from rich.console import Console

from graphwright.algorithms.ppo import PPOConfig
from graphwright.algorithms.reinforce import ReinforceConfig
from graphwright.envs.problems.vertex_cover.environment import VertexCover
from graphwright.envs.registry import find_problem
from graphwright.nn import EncoderConfig
from graphwright.training.agent import load
from graphwright.training.checkpoint import CheckpointError
from graphwright.training.collectors.episodes import EpisodesConfig
from graphwright.training.collectors.steps import StepsConfig
from graphwright.training.config import ConfigError, TrainConfig
from graphwright.training.divergence import DivergenceError
from graphwright.training.interrupt import Interrupted, Interruption
from graphwright.training.logging import MetricsFile
from graphwright.training.train import resume, train
from graphwright.training.training_run import TrainingRun
from graphwright.training.validation import ValidationConfig

QUIET = Console(quiet=True)


def small_config(algorithm):
    return TrainConfig(
        environment=VertexCover(),
        steps=700,
        algorithm=algorithm,
        threads=1,
        device="cpu",
        encoder=EncoderConfig(width=8, depth=2),
        settings={"ppo": PPOConfig(epochs=2, minibatch_size=32), "reinforce": ReinforceConfig(minibatch_size=48)}[
            algorithm
        ],
        collection={
            "ppo": StepsConfig(sizes=(5, 8), num_envs=8, num_steps=8),
            "reinforce": EpisodesConfig(sizes=(5, 8), num_instances=4, num_samples=4),
        }[algorithm],
        checkpoint_seconds=0.0,
        validation=ValidationConfig(sizes=(10,), graphs=4, every=3),
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Callable[..., TrainingRun]:
    """Algorithm and seed → a run that nothing interrupted; it is one for all tests, which leave it as it is."""
    folder = tmp_path_factory.mktemp("whole")

    @cache
    def made(algorithm: str, seed: int = 0) -> TrainingRun:
        config = replace(small_config(algorithm), seed=seed)
        return train("vertex-cover", config, folder / f"{algorithm}-{seed}", QUIET)

    return made


@pytest.fixture
def directory(whole, tmp_path) -> Path:
    """A copy of the directory of a whole run of PPO."""
    return shutil.copytree(whole("ppo").directory, tmp_path / "run")


class AfterIterations(Interruption):
    """Asks the run to stop when it has looked `count` times."""

    def __init__(self, count):
        self.left = count

    @property
    def signal(self):
        self.left -= 1
        return signal.SIGINT if self.left < 0 else None


def interrupt_after(count, problem, config, directory, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("graphwright.training.interrupt.Interruption", lambda: AfterIterations(count))
        with pytest.raises(Interrupted):
            train(problem, config, directory, QUIET)


@pytest.mark.parametrize("error", [Interrupted("graphwright resume runs/a", 2), DivergenceError(Path("a"), "ppo", 7)])
def test_why_a_run_ended_passes_from_one_process_to_another(error):
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))
    assert str(error).startswith(("stopped and saved; graphwright resume runs/a goes on", "a: training diverged"))


@pytest.mark.parametrize("algorithm", ["ppo", "reinforce"])
@pytest.mark.parametrize("count", [1, 3, 5])
def test_resumed_equals_uninterrupted_bit_for_bit(algorithm, count, whole, tmp_path, monkeypatch):
    interrupt_after(count, "vertex-cover", small_config(algorithm), tmp_path / "parts", monkeypatch)
    parts = resume(tmp_path / "parts", console=QUIET)

    assert parts.counters.iteration == whole(algorithm).counters.iteration > 5
    for name, tensor in whole(algorithm).policy.state_dict().items():
        assert torch.equal(tensor, parts.policy.state_dict()[name]), name
    for name, tensor in whole(algorithm).best.items():
        assert torch.equal(tensor, parts.best[name]), name


@pytest.mark.parametrize(("end", "asked"), [({"steps": 1}, "--steps 1"), ({"seconds": 1e-6}, "--seconds 1e-06")])
def test_an_end_that_lies_behind_is_refused_and_the_run_stays_as_it_was(end, asked, whole, tmp_path, monkeypatch):
    interrupt_after(3, "vertex-cover", small_config("ppo"), tmp_path / "run", monkeypatch)
    before = (tmp_path / "run" / "config.json").read_bytes()
    with pytest.raises(ConfigError, match=rf"^{asked}: the run has done [\d.]+ already; give more, in all"):
        resume(tmp_path / "run", **end, console=QUIET)
    assert (tmp_path / "run" / "config.json").read_bytes() == before
    assert resume(tmp_path / "run", console=QUIET).counters.iteration == whole("ppo").counters.iteration


def test_same_seed_same_run_and_other_seed_other_run(whole, tmp_path):
    runs = [whole("ppo"), train("vertex-cover", small_config("ppo"), tmp_path / "run", QUIET), whole("ppo", 1)]
    first, second, other = (run.policy.critic.mlp[0].weight for run in runs)
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_metrics_have_one_row_for_each_iteration_after_a_crash(tmp_path, monkeypatch):
    """Rows that were written after the last checkpoint are dropped when the run goes on."""
    interrupt_after(4, "vertex-cover", small_config("ppo"), tmp_path / "run", monkeypatch)
    file = MetricsFile(tmp_path / "run" / "metrics.csv")
    rows = file.rows()
    file.append(rows[-1] | {"iteration": 5.0})
    run = resume(tmp_path / "run", console=QUIET)
    assert [row["iteration"] for row in file.rows()] == list(range(1, run.counters.iteration + 1))


def test_a_run_directory_holds_what_the_documentation_names(whole):
    names = {path.name for path in whole("reinforce").directory.iterdir()}
    expected = {"config.json", "policy.safetensors", "trainer.safetensors", "metrics.csv", "curve.png"}
    assert expected < names
    assert [name for name in names - expected if "tfevents" not in name] == []


def test_an_existing_directory_is_refused_and_left_alone(tmp_path):
    (tmp_path / "keep.txt").write_text("mine")
    with pytest.raises(ConfigError, match="exists already"):
        train("vertex-cover", small_config("ppo"), tmp_path, QUIET)
    assert [path.name for path in tmp_path.iterdir()] == ["keep.txt"]


def test_settings_that_make_no_run_leave_no_directory(tmp_path):
    bad = replace(small_config("ppo"), encoder=EncoderConfig(layer="torch.nn:Linear"))
    with pytest.raises(ValueError, match="takes input; it must take x and edge_index"):
        train("vertex-cover", bad, tmp_path / "run", QUIET)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("damage", ["truncate", "flip", "delete", "other"])
def test_a_damaged_checkpoint_is_one_clear_error(damage, directory):
    path = directory / "trainer.safetensors"
    data = path.read_bytes()
    if damage == "truncate":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "flip":
        path.write_bytes(data[:-5] + bytes([data[-5] ^ 1]) + data[-4:])
    elif damage == "delete":
        path.unlink()
    else:
        path.write_bytes(b"\x80\x04\x95pickle")
    with pytest.raises(CheckpointError, match=r"trainer\.safetensors") as caught:
        resume(directory, console=QUIET)
    assert "\n" not in str(caught.value)


def test_weights_of_another_network_are_refused(directory):
    path = directory / "config.json"
    path.write_text(path.read_text().replace('"width": 8', '"width": 12'))
    with pytest.raises(CheckpointError, match=r"does not fit config\.json"):
        load(directory, "cpu")
    with pytest.raises(CheckpointError, match="other settings"):
        resume(directory, console=QUIET)


def test_a_policy_of_another_run_is_noticed_though_its_shapes_are_the_same(whole, directory):
    shutil.copy(whole("ppo", 1).directory / "policy.safetensors", directory)
    with pytest.raises(CheckpointError, match="is another run's"):
        load(directory, "cpu")


def test_an_agent_is_saved_with_its_settings(whole, tmp_path):
    whole("ppo").agent().save(tmp_path / "copy")
    assert load(tmp_path / "copy").config == load(whole("ppo").directory).config
    with pytest.raises(CheckpointError, match=r"trainer\.safetensors: no such file"):
        resume(tmp_path / "copy", steps=9, console=QUIET)


def test_trainer_reports_the_best_validation(whole):
    run = whole("ppo")
    assert isinstance(run, TrainingRun)
    assert run.counters.best == pytest.approx(run.evaluator.evaluate(run.agent().policy)["validation_gap"])


def test_a_run_that_diverges_says_so_and_keeps_its_checkpoint(tmp_path, monkeypatch):
    interrupt_after(3, "vertex-cover", small_config("ppo"), tmp_path / "run", monkeypatch)
    before = (tmp_path / "run" / "trainer.safetensors").read_bytes()

    def diverge(self, loss):
        return torch.tensor(float("nan"))

    monkeypatch.setattr("graphwright.algorithms.optimizer.AnnealedAdam.step", diverge)
    with pytest.raises(
        DivergenceError, match=r"update 4; train anew, in another directory, with a lower --ppo\.learning-rate"
    ):
        resume(tmp_path / "run", console=QUIET)
    assert (tmp_path / "run" / "trainer.safetensors").read_bytes() == before


def test_live_episodes_of_another_kind_are_refused(tmp_path):
    """A checkpoint that is whole, and says of itself that it is, may still hold a column of another type."""
    run = TrainingRun(find_problem("vertex-cover"), small_config("ppo"), tmp_path)
    state = {name: tensor.clone() for name, tensor in run.collector.state_dict().items()}
    for name, tensor in state.items():
        if name.startswith("live.") and name.endswith("selected"):
            state[name] = tensor.float()
    with pytest.raises(ValueError, match="the column 'selected' of the nodes of live episodes is another one"):
        run.collector.load_state_dict(state)
