"""Which losses of TorchRL take graphs unchanged, and which without vmap: what docs/frameworks/torchrl.md says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from tensordict import TensorDictBase
from tensordict.nn import TensorDictModule, TensorDictSequential
from torch import Tensor, nn
from torchrl import objectives
from torchrl.modules import QValueActor

from graphwright.core.segment import segment_sum
from graphwright.frameworks.torchrl import GraphActor, GraphCritic, GraphEnv, GraphGAE, GraphLogits, GraphQValues
from graphwright.frameworks.torchrl.graph_readers import PaddedObservation
from graphwright.frameworks.torchrl.modules import GraphModule
from graphwright.nn import ActorCritic, EncoderConfig

SMALL = EncoderConfig(width=8, depth=1)
AGENTS = ("agents", "action")


class NumbersValue(GraphModule):
    """Q(s, a) of numbers for each node: the sum of what nodes and their numbers make, as a user writes it."""

    def __init__(self, policy: ActorCritic) -> None:
        super().__init__(policy)
        self.in_keys = [*self.in_keys, AGENTS]
        self.mix = nn.Linear(policy.actions.blocks[0].columns, policy.encoder.width)
        self.head = nn.Linear(policy.encoder.width, 1)

    @staticmethod
    def written(policy: ActorCritic) -> list[str]:
        return ["state_action_value"]

    def forward(self, tensordict: TensorDictBase) -> TensorDictBase:
        self.numbers: Tensor = tensordict.get(AGENTS).flatten(0, -3)
        return super().forward(tensordict)

    def compute(self, read: PaddedObservation) -> list[Tensor]:
        graph, actions = read.observation.graph, self.policy.actions
        row, graphs = actions.decider.deciders(graph)
        x = self.policy.encoder(graph).nodes[row] + self.mix(self.numbers[graphs.index, graphs.position])
        return [segment_sum(self.head(x.relu()).squeeze(1), graphs).unsqueeze(1)]


class Setting:
    """An environment, a rollout with advantages, and fresh modules."""

    def __init__(self, problem: str) -> None:
        torch.manual_seed(0)
        self.env = GraphEnv(problem, 4, seed=0)
        self.actor, self.critic = GraphActor(self.policy()), GraphCritic(self.policy())
        with torch.no_grad():
            data = self.env.rollout(5, self.actor, break_when_any_done=False)
        self.data = GraphGAE(gamma=0.9, lmbda=0.9, value_network=self.critic)(data).reshape(-1)

    def policy(self) -> ActorCritic:
        return self.env.env_config.policy(SMALL)

    def check(self, loss: Any) -> None:
        """Every network but targets has a gradient, and all of it is finite."""
        names = {"action": self.env.action_name} | ({"sample_log_prob": "action_log_prob"} if self.policies else {})
        if not isinstance(loss, objectives.DDPGLoss):  # it asks its actor
            loss.set_keys(**names)
        out = loss(self.data.clone())
        sum(value for key, value in out.items() if key.startswith("loss")).backward()
        gradients = [parameter.grad for parameter in loss.parameters() if parameter.grad is not None]
        assert gradients
        assert all(bool(gradient.isfinite().all()) for gradient in gradients)
        assert any(bool((gradient != 0).any()) for gradient in gradients)

    policies = False


POLICIES = ["PPOLoss", "ClipPPOLoss", "KLPENPPOLoss", "A2CLoss", "ReinforceLoss"]


@pytest.mark.parametrize("problem", ["vertex-cover", "locomotion"])
@pytest.mark.parametrize("name", POLICIES)
def test_losses_of_policies_work_unchanged(name: str, problem: str) -> None:
    setting = Setting(problem)
    setting.policies = True
    setting.check(getattr(objectives, name)(setting.actor, setting.critic))


def q_actor(setting: Setting) -> QValueActor:
    module = GraphQValues(setting.policy())
    options = {"action_space": "categorical", "action_mask_key": "action_mask"}
    return QValueActor(module, in_keys=module.in_keys, **options)


@pytest.mark.parametrize(
    ("name", "options"), [("DQNLoss", {}), ("DQNLoss", {"double_dqn": True}), ("DiscreteCQLLoss", {})]
)
def test_losses_of_q_values_work_unchanged(name: str, options: dict) -> None:
    setting = Setting("vertex-cover")
    actor = q_actor(setting)
    with torch.no_grad():
        seen = actor(setting.data.clone())
    chosen = seen["action_mask"].gather(1, seen["action"].long().unsqueeze(1))
    assert bool(chosen[seen["action_mask"].any(1)].all())
    setting.check(getattr(objectives, name)(actor, action_space="categorical", **options))


def test_discrete_sac_works_without_vmap() -> None:
    setting = Setting("vertex-cover")
    options = {"action_space": "categorical", "num_actions": setting.env.env_config.limits.actions}
    nets = {"actor_network": setting.actor, "qvalue_network": GraphQValues(setting.policy())}
    setting.check(objectives.DiscreteSACLoss(**nets, **options, deactivate_vmap=True))


def deterministic(setting: Setting) -> TensorDictSequential:
    squash = TensorDictModule(torch.tanh, in_keys=["loc"], out_keys=[AGENTS])
    return TensorDictSequential(GraphLogits(setting.policy()), squash)


CONTINUOUS: dict[str, Callable[[Setting, NumbersValue], Any]] = {
    "SACLoss": lambda s, q: objectives.SACLoss(s.actor, q, action_spec=spec_of(s), deactivate_vmap=True),
    "REDQLoss": lambda s, q: objectives.REDQLoss(
        s.actor, q, action_spec=spec_of(s), num_qvalue_nets=2, sub_sample_len=2, deactivate_vmap=True
    ),
    "IQLLoss": lambda s, q: objectives.IQLLoss(s.actor, q, GraphCritic(s.policy()), deactivate_vmap=True),
    "CrossQLoss": lambda s, q: objectives.CrossQLoss(s.actor, q, action_spec=spec_of(s), deactivate_vmap=True),
    "TD3Loss": lambda s, q: objectives.TD3Loss(deterministic(s), q, action_spec=spec_of(s), deactivate_vmap=True),
    "TD3BCLoss": lambda s, q: objectives.TD3BCLoss(deterministic(s), q, action_spec=spec_of(s), deactivate_vmap=True),
    "DDPGLoss": lambda s, q: objectives.DDPGLoss(deterministic(s), q),
}


def spec_of(setting: Setting) -> Any:
    return setting.env.full_action_spec[AGENTS][0]


@pytest.mark.parametrize("name", CONTINUOUS)
def test_losses_of_numbers_work_with_a_critic_of_actions(name: str) -> None:
    setting = Setting("locomotion")
    setting.check(CONTINUOUS[name](setting, NumbersValue(setting.policy())))
