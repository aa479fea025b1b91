"""Agents: where their networks run, and which runs they are read from."""

import json

import pytest
import torch

from graphwright.envs.registry import find_problem
from graphwright.training.agent import Agent, find_device, load
from graphwright.training.checkpoint import CheckpointError, fingerprint, save_checkpoint
from graphwright.training.config import ConfigError, TrainConfig
from graphwright.training.config_json import fixed_settings, to_json
from graphwright.training.networks import make_policy


@pytest.mark.parametrize("present", [True, False])
def test_cuda_has_to_be_asked_for(present, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: present)
    assert find_device("auto") == find_device("cpu") == torch.device("cpu")
    if present:
        assert find_device("cuda") == torch.device("cuda")
    else:
        with pytest.raises(ConfigError, match="--device cuda: this machine has no CUDA device"):
            find_device("cuda")


def test_a_run_from_before_a_setting_of_validation_is_read(tmp_path):
    """Its settings are those of its file; one that says what a policy is made of may not be missing."""
    problem = find_problem("vertex-cover")
    config = TrainConfig.for_problem(problem, encoder={"width": 8, "depth": 1}, collection={"sizes": (5,)})
    agent = Agent(problem, config, make_policy(config, torch.device("cpu")))

    def before(drop):
        """As a release without `drop` wrote it."""
        document = json.loads(to_json(problem.name, config))
        del document[drop[0]][drop[1]]
        settings = fixed_settings(problem.name, config)
        del settings[drop[0]][drop[1]]
        agent.save(tmp_path)
        (tmp_path / "config.json").write_text(json.dumps(document))
        weights = agent.policy.acting_state()
        save_checkpoint(tmp_path / "policy.safetensors", weights, {"run": fingerprint(settings)})

    before(("validation", "decode"))
    assert load(tmp_path).config.validation.decode == "greedy"
    before(("encoder", "jumping"))
    with pytest.raises(CheckpointError, match="of a release with other options"):
        load(tmp_path)
